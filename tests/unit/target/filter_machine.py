# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Classic packet filters in Python, as the kernel runs them: what a program lets through can be tested without one."""

from __future__ import annotations

import struct
from typing import List


def run_filter(program: bytes, packet: bytes) -> int:
    """Return what a program returns for a packet: bytes to keep, 0 to drop it. Only what our filters use."""
    code = list(struct.iter_unpack("=HBBI", program))
    accumulator = index = position = 0
    memory: List[int] = [0] * 16
    while True:
        operation, if_true, if_false, operand = code[position]
        position += 1
        if operation in (0x40, 0x48, 0x50):
            size = {0x40: 4, 0x48: 2, 0x50: 1}[operation]
            start = (index + operand) & 0xFFFFFFFF
            if start + size > len(packet):
                return 0
            accumulator = int.from_bytes(packet[start : start + size], "big")
        elif operation & 7 == 5:
            jumps = {
                0x05: True,
                0x15: accumulator == operand,
                0x35: accumulator >= operand,
                0x45: bool(accumulator & operand),
            }
            position += operand if operation == 0x05 else if_true if jumps[operation] else if_false
        elif operation == 0x06:
            return int(operand)
        elif operation == 0x07:
            index = accumulator
        elif operation == 0x02:
            memory[operand] = accumulator
        elif operation == 0x01:
            index = operand
        else:
            accumulator = {
                0x00: operand,
                0x60: memory[operand & 15],
                0x87: index,
                0x04: accumulator + operand,
                0x14: accumulator - operand,
                0x54: accumulator & operand,
                0x64: accumulator << (operand & 31),
                0x74: accumulator >> (operand & 31),
                0x0C: accumulator + index,
            }[operation] & 0xFFFFFFFF

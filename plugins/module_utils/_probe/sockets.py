# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What the raw sockets of all families have in common: large buffers, and a filter for what is ours."""

from __future__ import annotations

import ctypes
import socket
import struct
from typing import Tuple

BUFFER_BYTES = 8 << 20
SO_SNDBUFFORCE, SO_RCVBUFFORCE, SO_ATTACH_FILTER = 32, 33, 26
INSTRUCTION = struct.Struct("=HBBI")
"""struct sock_filter: code, jump if true, jump if false, value."""
LOAD_BYTE, LOAD_HALF, JUMP_EQUAL, JUMP_ANY, RETURN = 0x30, 0x28, 0x15, 0x45, 0x06
TARGET_PORT_OFFSET = 2


def ask_for_buffer(one: socket.socket, forced: int, plain: int) -> None:
    """Ask for a large buffer: past the limit of net.core.rmem_max where the right is there, else up to it."""
    try:
        one.setsockopt(socket.SOL_SOCKET, forced, BUFFER_BYTES)
    except OSError:
        one.setsockopt(socket.SOL_SOCKET, plain, BUFFER_BYTES)


def accept_only_port(one: socket.socket, port: int) -> None:
    """Let the kernel drop what goes to other ports: a raw IPv6 socket for TCP would get all that the host receives.

    Source: Documentation/networking/filter.rst; the content of such a socket begins with the transport header.
    """
    attach_filter(
        one,
        (LOAD_HALF, 0, 0, TARGET_PORT_OFFSET),
        (JUMP_EQUAL, 0, 1, port),
        (RETURN, 0, 0, 0xFFFF),
        (RETURN, 0, 0, 0),
    )


def attach_filter(one: socket.socket, *steps: Tuple[int, int, int, int]) -> None:
    """Let the kernel drop what a classic BPF program returns 0 for. steps: code, jumps if true and false, value."""
    program = b"".join(INSTRUCTION.pack(*step) for step in steps)
    instructions = ctypes.create_string_buffer(program, len(program))
    head = struct.pack("@HP", len(program) // INSTRUCTION.size, ctypes.addressof(instructions))
    one.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, head)

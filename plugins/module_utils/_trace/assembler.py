# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""A tiny assembler for the kernel's classic packet filters: labels in, jump distances out.

Source: Documentation/networking/filter.rst; include/uapi/linux/bpf_common.h.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Dict, List, Optional, Sequence, Union

INSTRUCTION = struct.Struct("=HBBI")
"""struct sock_filter: code, jump if true, jump if false, operand."""
LONGEST_JUMP = 255
MAX_INSTRUCTIONS = 4096

LOAD_WORD, LOAD_HALF, LOAD_BYTE = 0x40, 0x48, 0x50
"""A = what lies at offset X + operand, in network byte order."""
LOAD_MEMORY, STORE = 0x60, 0x02
LOAD_X = 0x01
ADD, SUBTRACT, AND, SHIFT_LEFT, SHIFT_RIGHT, ADD_X = 0x04, 0x14, 0x54, 0x64, 0x74, 0x0C
JUMP, JUMP_EQUAL, JUMP_GREATER_EQUAL, JUMP_SET = 0x05, 0x15, 0x35, 0x45
RETURN, A_TO_X, X_TO_A = 0x06, 0x07, 0x87


class AssemblyError(ValueError):
    """A program that cannot be: an unknown or repeated label, a jump that is too far or backwards, too long."""


@dataclass(frozen=True)
class Label:
    """A place to jump to."""

    name: str


@dataclass(frozen=True)
class Instruction:
    """One instruction. true, false: labels of a conditional jump, None for "go on"; a JUMP has only true."""

    code: int
    operand: int = 0
    true: Optional[str] = None
    false: Optional[str] = None


Line = Union[Label, Instruction]


def assemble(lines: Sequence[Line]) -> bytes:
    """Return the program as the array of struct sock_filter that SO_ATTACH_FILTER takes. Raises AssemblyError."""
    places: Dict[str, int] = {}
    program: List[Instruction] = []
    for line in lines:
        if isinstance(line, Instruction):
            program.append(line)
        elif line.name in places:
            raise AssemblyError(f"label {line.name} stands in two places")
        else:
            places[line.name] = len(program)
    if not 0 < len(program) <= MAX_INSTRUCTIONS:
        raise AssemblyError(f"a program has 1 to {MAX_INSTRUCTIONS} instructions, not {len(program)}")
    return b"".join(_encode(instruction, number, places) for number, instruction in enumerate(program))


def _encode(instruction: Instruction, number: int, places: Dict[str, int]) -> bytes:
    operand = instruction.operand & 0xFFFFFFFF
    if instruction.code == JUMP:
        return INSTRUCTION.pack(JUMP, 0, 0, _distance(instruction.true, number, places))
    jumps = [_distance(label, number, places) for label in (instruction.true, instruction.false)]
    if max(jumps) > LONGEST_JUMP:
        raise AssemblyError(f"instruction {number} jumps {max(jumps)} instructions, more than {LONGEST_JUMP}")
    return INSTRUCTION.pack(instruction.code, *jumps, operand)


def _distance(label: Optional[str], number: int, places: Dict[str, int]) -> int:
    if label is None:
        return 0
    if label not in places:
        raise AssemblyError(f"instruction {number} jumps to {label}, which is nowhere")
    distance = places[label] - number - 1
    if distance < 0:
        raise AssemblyError(f"instruction {number} jumps backwards to {label}")
    return distance

# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The kernel's filter that lets through packets of one trace, and nothing else.

It sees packets from their IP header on (AF_PACKET, SOCK_DGRAM). A packet of the trace may be plain, in a tunnel
(vxlan, geneve, gre, ipip), quoted by an ICMP error, or both, one in the other. Classic filters cannot loop, so that
the same steps are laid out once per layer. A load from beyond the packet's end lets the kernel reject it, which is
right everywhere here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import List, Sequence, Tuple

from .assembler import (
    A_TO_X,
    ADD,
    ADD_X,
    AND,
    JUMP,
    JUMP_EQUAL,
    JUMP_GREATER_EQUAL,
    JUMP_SET,
    LOAD_BYTE,
    LOAD_HALF,
    LOAD_MEMORY,
    LOAD_WORD,
    LOAD_X,
    RETURN,
    SHIFT_LEFT,
    SHIFT_RIGHT,
    STORE,
    SUBTRACT,
    X_TO_A,
    Instruction,
    Label,
    Line,
    assemble,
)
from .tag import MAX_NUMBERS, SEQUENCE_STEP, Tag

SNAP_LENGTH = 256
"""Bytes of a packet that are copied: enough for an error that quotes a tunnel's packet."""
LAYERS = 3
"""An ICMP error inside a tunnel, or one about a tunnel's packet, and the packet itself."""
TCP_HANDSHAKE = 0x06
"""Flags SYN and RST: one of them is set in every packet of a trace and in every answer to one."""
PROTOCOL, QUOTED, FLAGS, INNER = 0, 1, 2, 3
"""Cells of the filter's memory: the protocol above IP, whether we are in a quote, GRE's flags and its protocol."""


@dataclass(frozen=True)
class TunnelPorts:
    """UDP destination ports of tunnels."""

    vxlan: Tuple[int, ...] = (4789, 8472)
    geneve: Tuple[int, ...] = (6081,)


def build_filter(tag: Tag, ports: TunnelPorts, snap_length: int = SNAP_LENGTH) -> bytes:
    """Return the program. tag: of the trace. ports: where tunnels are looked into."""
    lines: List[Line] = [Instruction(LOAD_X, 0), *_store(QUOTED, 0)]
    for layer in range(LAYERS):
        lines += _Layer(layer, layer < LAYERS - 1, tag, ports, snap_length).lines()
    return assemble(lines)


class _Layer:
    """One IP packet, at offset X. inside: whether to look for another one in it."""

    def __init__(self, number: int, inside: bool, tag: Tag, ports: TunnelPorts, snap_length: int) -> None:
        self._number = number
        self._inside = inside
        self._tag = tag
        self._ports = ports
        self._snap_length = snap_length

    def lines(self) -> List[Line]:
        """All of it; every way ends in a return or at the next layer's begin."""
        return [
            *self._internet_header(),
            *self._choose_protocol(),
            *self._udp(),
            *self._tcp(),
            *self._icmp("icmp4", (8, 0), (3, 11, 12)),
            *self._icmp("icmp6", (128, 129), (1, 2, 3, 4)),
            *(self._gre() if self._inside else []),
            self._label("ethernet"),
            *_skip(14),
            self._label("next"),
            *([Instruction(JUMP, true=f"begin{self._number + 1}")] if self._inside else []),
            self._label("reject"),
            Instruction(RETURN, 0),
            self._label("accept"),
            Instruction(RETURN, self._snap_length),
        ]

    def _name(self, name: str) -> str:
        return f"{name}{self._number}"

    def _label(self, name: str) -> Label:
        return Label(self._name(name))

    def _go(self, name: str) -> Instruction:
        return Instruction(JUMP, true=self._name(name))

    def _if_equal(self, operand: int, then: str) -> Instruction:
        return Instruction(JUMP_EQUAL, operand, true=self._name(then))

    def _internet_header(self) -> List[Line]:
        return [
            self._label("begin"),
            Instruction(LOAD_BYTE, 0),
            Instruction(SHIFT_RIGHT, 4),
            self._if_equal(4, "four"),
            Instruction(JUMP_EQUAL, 6, true=self._name("six"), false=self._name("reject")),
            self._label("four"),
            *self._quoted_identification(),
            Instruction(LOAD_BYTE, 9),
            Instruction(STORE, PROTOCOL),
            Instruction(LOAD_BYTE, 0),
            Instruction(AND, 0xF),
            Instruction(SHIFT_LEFT, 2),
            Instruction(ADD_X),
            Instruction(A_TO_X),
            self._go("above"),
            self._label("six"),
            Instruction(LOAD_BYTE, 6),
            Instruction(STORE, PROTOCOL),
            *_skip(40),
        ]

    def _quoted_identification(self) -> List[Line]:
        """A router need not quote more than 8 bytes beyond the IP header (RFC 792): the tag isn't among them."""
        if self._number == 0:
            return []
        return [
            Instruction(LOAD_MEMORY, QUOTED),
            self._if_equal(0, "whole"),
            Instruction(LOAD_HALF, 4),
            Instruction(SUBTRACT, self._tag.identification),
            Instruction(JUMP_GREATER_EQUAL, MAX_NUMBERS, false=self._name("accept")),
            self._label("whole"),
        ]

    def _choose_protocol(self) -> List[Line]:
        ways: List[Tuple[int, str]] = [(17, "udp"), (6, "tcp"), (1, "icmp4"), (58, "icmp6")]
        if self._inside:
            ways += [(4, "next"), (41, "next"), (47, "gre")]
        return [
            self._label("above"),
            Instruction(LOAD_MEMORY, PROTOCOL),
            *(self._if_equal(protocol, name) for protocol, name in ways),
            self._go("reject"),
        ]

    def _tagged(self, otherwise: str, offset: int = 8) -> List[Line]:
        first, second = (int.from_bytes(self._tag.octets[start : start + 4], "big") for start in (0, 4))
        other = self._name(otherwise)
        return [
            Instruction(LOAD_WORD, offset),
            Instruction(JUMP_EQUAL, first, false=other),
            Instruction(LOAD_WORD, offset + 4),
            Instruction(JUMP_EQUAL, second, true=self._name("accept"), false=other),
        ]

    def _udp(self) -> List[Line]:
        if not self._inside:
            return [self._label("udp"), *self._tagged("reject")]
        return [
            self._label("udp"),
            *self._tagged("tunnel"),
            self._label("tunnel"),
            Instruction(LOAD_HALF, 2),
            *(self._if_equal(port, "vxlan") for port in self._ports.vxlan),
            *(self._if_equal(port, "geneve") for port in self._ports.geneve),
            self._go("reject"),
            self._label("vxlan"),
            *_skip(16),
            self._go("ethernet"),
            self._label("geneve"),
            Instruction(LOAD_BYTE, 8),
            Instruction(AND, 0x3F),
            Instruction(SHIFT_LEFT, 2),
            Instruction(ADD_X),
            Instruction(ADD, 16),
            Instruction(A_TO_X),
            self._go("ethernet"),
        ]

    def _tcp(self) -> List[Line]:
        return [
            self._label("tcp"),
            Instruction(LOAD_BYTE, 13),
            Instruction(JUMP_SET, TCP_HANDSHAKE, false=self._name("reject")),
            Instruction(LOAD_WORD, 8),
            Instruction(SUBTRACT, self._tag.sequence),
            Instruction(JUMP_GREATER_EQUAL, MAX_NUMBERS * SEQUENCE_STEP, false=self._name("accept")),
            Instruction(LOAD_BYTE, 12),
            Instruction(SHIFT_RIGHT, 4),
            Instruction(SHIFT_LEFT, 2),
            Instruction(ADD_X),
            Instruction(A_TO_X),
            *self._tagged("reject", offset=0),
        ]

    def _icmp(self, name: str, echoes: Sequence[int], errors: Sequence[int]) -> List[Line]:
        echo, error = f"{name}echo", f"{name}error"
        lines: List[Line] = [self._label(name), Instruction(LOAD_BYTE, 0)]
        lines += [self._if_equal(kind, echo) for kind in echoes]
        if self._inside:
            lines += [self._if_equal(kind, error) for kind in errors]
        lines += [self._go("reject"), self._label(echo), *self._tagged("reject")]
        if self._inside:
            lines += [self._label(error), *_store(QUOTED, 1), *_skip(8), self._go("next")]
        return lines

    def _gre(self) -> List[Line]:
        lines: List[Line] = [
            self._label("gre"),
            Instruction(LOAD_BYTE, 0),
            Instruction(STORE, FLAGS),
            Instruction(LOAD_HALF, 2),
            Instruction(STORE, INNER),
            *_skip(4),
        ]
        for flag in (0x80, 0x20, 0x10):  # checksum, key, sequence number: 4 bytes each (RFC 2890)
            absent = f"without{flag}"
            lines += [
                Instruction(LOAD_MEMORY, FLAGS),
                Instruction(JUMP_SET, flag, false=self._name(absent)),
                *_skip(4),
                self._label(absent),
            ]
        return [
            *lines,
            Instruction(LOAD_MEMORY, INNER),
            self._if_equal(0x0800, "next"),
            self._if_equal(0x86DD, "next"),
            Instruction(JUMP_EQUAL, 0x6558, false=self._name("reject")),
        ]


def _skip(octets: int) -> List[Line]:
    return [Instruction(X_TO_A), Instruction(ADD, octets), Instruction(A_TO_X)]


def _store(cell: int, value: int) -> List[Line]:
    """Put a constant into a cell; X keeps its value where it is loaded again, A does not."""
    return [Instruction(0x00, value), Instruction(STORE, cell)]

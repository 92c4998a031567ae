# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Who fragments the answers to echo requests over IPv4: a router on the way back, or the target itself.

The target sends them without DF. Larger ones than its own link takes, or than the path MTU that its kernel has learned
and still remembers, it fragments itself, and one answer of its fragments looks like those of a router. But an answer
that is much larger tells them apart: all pieces that the target makes, but the last, have one size. If a router has to
fragment these again, some that are not the last are smaller than others (RFC 791 section 3.2).
What connection tracking has put together and fragmented anew on the way has one size again: then nothing is known.
"""

from __future__ import annotations

import socket
import struct
from typing import Dict, List, Mapping, Set, Tuple

from .packets import MORE_FRAGMENTS, PROTOCOL_ICMP
from .sockets import JUMP_ANY, JUMP_EQUAL, LOAD_BYTE, LOAD_HALF, RETURN, attach_filter

IPV4_PROTOCOL = 0x0800
HEAD = 20
"""Bytes of a fragment that are looked at: the IPv4 header."""
FLAGS_OFFSET, PROTOCOL_OFFSET = 6, 9
MOST = 65536
"""Answers that are kept in mind."""
FIELDS = struct.Struct("!HHHxB2x4s")
"""From the second byte pair on: length, identification, flags and offset, protocol, source address."""


class FragmentWatch:
    """A packet socket that sees fragments of ICMP before the kernel puts them together. Needs CAP_NET_RAW."""

    def __init__(self, paths: Mapping[bytes, int]) -> None:
        """paths: by packed address of the target. Raises PermissionError, OSError."""
        self._paths = paths
        self._sizes: Dict[Tuple[bytes, int], int] = {}
        self._told: Set[int] = set()
        self._socket = socket.socket(
            socket.AF_PACKET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC, socket.htons(IPV4_PROTOCOL)
        )
        try:
            self._socket.setblocking(False)
            attach_filter(
                self._socket,
                (LOAD_BYTE, 0, 0, PROTOCOL_OFFSET),
                (JUMP_EQUAL, 0, 3, PROTOCOL_ICMP),
                (LOAD_HALF, 0, 0, FLAGS_OFFSET),
                (JUMP_ANY, 0, 1, MORE_FRAGMENTS),
                (RETURN, 0, 0, HEAD),
                (RETURN, 0, 0, 0),
            )
        except OSError:
            self._socket.close()
            raise

    @property
    def descriptor(self) -> int:
        """Readable when there is something to receive."""
        return self._socket.fileno()

    def receive(self) -> List[int]:
        """Return the paths of which it is known by now, and was not before, that a router fragments the answers."""
        found: List[int] = []
        while True:
            try:
                header = self._socket.recv(HEAD)
            except OSError:
                return found
            if len(header) < HEAD:
                continue
            length, identification, flags, protocol, source = FIELDS.unpack_from(header, 2)
            path = self._paths.get(source)
            # The filter came after the socket: what was there before it is looked at as well.
            if path is None or path in self._told or protocol != PROTOCOL_ICMP or not flags & MORE_FRAGMENTS:
                continue
            key = source, identification
            if self._sizes.setdefault(key, length) != length:
                self._told.add(path)
                found.append(path)
            if len(self._sizes) > MOST:
                self._sizes.clear()

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

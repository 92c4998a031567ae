# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""TCP_INFO: what the kernel knows of a connection.

Source: include/uapi/linux/tcp.h, struct tcp_info. It only ever grew at its end: an older kernel returns fewer bytes.
"""

from __future__ import annotations

import fcntl
import socket
import struct
from dataclasses import dataclass
from typing import Optional

TCP_INFO = 11
TCP_TIMESTAMP = 24
LARGEST = 512
NUMBER = struct.Struct("=I")
SEND_MSS, UNACKED, RETRANSMITS_NOW, PATH_MTU, ROUND_TRIP, OUR_MSS, TOTAL_RETRANSMITS = 16, 24, 36, 60, 68, 84, 100
STATE_ESTABLISHED = 1
HAS_TIMESTAMPS, HAS_SELECTIVE = 1, 2
SIOCOUTQ = 0x5411


@dataclass(frozen=True)
class TcpInfo:
    """state: as in include/net/tcp_states.h (1: established). send_mss: bytes of data that fit into a segment.
    unacked: segments under way. path_mtu: bytes, what the kernel takes for it. round_trip_ms: smoothed.
    retransmits: of the whole connection, its SYN included. our_mss: bytes, what we advertised.
    timestamps, selective: whether both ends have agreed on them.
    """

    state: int
    send_mss: int
    unacked: int
    path_mtu: int
    round_trip_ms: float
    our_mss: int
    retransmits: int
    timestamps: bool
    selective: bool

    @property
    def option_bytes(self) -> int:
        """Bytes of options that each segment of data carries: those of the timestamp."""
        return 12 if self.timestamps else 0


def read_tcp_info(connection: socket.socket) -> TcpInfo:
    """Ask the kernel. Raises OSError."""
    return parse_tcp_info(connection.getsockopt(socket.IPPROTO_TCP, TCP_INFO, LARGEST))


def parse_tcp_info(content: bytes) -> TcpInfo:
    """Return the parts of a struct tcp_info; 0 for those that the kernel which filled it did not know."""
    padded = content.ljust(TOTAL_RETRANSMITS + NUMBER.size, b"\0")

    def number(offset: int) -> int:
        return int(NUMBER.unpack_from(padded, offset)[0])

    return TcpInfo(
        state=padded[0],
        send_mss=number(SEND_MSS),
        unacked=number(UNACKED),
        path_mtu=number(PATH_MTU),
        round_trip_ms=number(ROUND_TRIP) / 1000,
        our_mss=number(OUR_MSS),
        retransmits=number(TOTAL_RETRANSMITS),
        timestamps=bool(padded[5] & HAS_TIMESTAMPS),
        selective=bool(padded[5] & HAS_SELECTIVE),
    )


def read_timestamp(connection: socket.socket) -> Optional[int]:
    """Return what the kernel would put into a timestamp option of the connection now; None where it does not tell."""
    try:
        value = connection.getsockopt(socket.IPPROTO_TCP, TCP_TIMESTAMP)
    except OSError:
        return None
    return value % (1 << 32)


def unacknowledged_bytes(connection: socket.socket) -> int:
    """Return the bytes that were sent and not acknowledged yet (SIOCOUTQ). Raises OSError."""
    answer = fcntl.ioctl(connection, SIOCOUTQ, NUMBER.pack(0))
    return int(NUMBER.unpack(answer)[0])

# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sends packets of given sizes, written byte by byte, and sees what arrives at the other end's interfaces.

Nothing of it is shared with the prober: the truth about a path is checked by other means than it is measured.
"""

from __future__ import annotations

import errno
import select
import socket
import struct
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import Dict, List, Optional, Sequence, Tuple

from network_lab import in_namespace

EXPERIMENT = 253
"""An IP protocol that nothing uses (RFC 3692)."""
ETH_P_IP, ETH_P_IPV6 = 0x0800, 0x86DD
ETH_P_ALL = 0x0003
ICMP_TOO_BIG = {4: (3, 4), 6: (2, 0)}
FRAGMENT_HEADER = 44


@dataclass(frozen=True)
class Seen:
    """What became of a packet. pieces: in which it arrived. told: MTU of an ICMP message. local: refused here."""

    pieces: Tuple[int, ...] = ()
    told: Optional[int] = None
    local: bool = False


def observe(
    family: int, source: Tuple[str, str], target: Tuple[str, str], sizes: Sequence[int], df: bool, wait: float = 0.08
) -> Dict[int, Seen]:
    """Send one packet of each size and return what became of it.

    source, target: path of a namespace and the address in it. df: whether IPv4 packets say so; IPv6 has no such bit,
    and packets made by hand are never fragmented by the sender. wait: seconds for the slowest.
    """
    with ExitStack() as stack:
        version = socket.AF_INET if family == 4 else socket.AF_INET6
        protocol = socket.IPPROTO_ICMP if family == 4 else socket.IPPROTO_ICMPV6

        def sending() -> Tuple[socket.socket, socket.socket]:
            return socket.socket(version, socket.SOCK_RAW, socket.IPPROTO_RAW), socket.socket(
                version, socket.SOCK_RAW, protocol
            )

        def receiving() -> Tuple[socket.socket, socket.socket]:
            whole = socket.socket(version, socket.SOCK_RAW, EXPERIMENT)
            watching = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
            watching.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
            return whole, watching

        sender, heard = in_namespace(source[0], sending)
        whole, watching = in_namespace(target[0], receiving)
        for opened in (sender, heard, whole, watching):
            stack.enter_context(opened)
        refused = [size for size in sizes if not _sent(sender, family, source[1], target[1], size, df)]
        arrived, told = _collect(family, watching, heard, wait)
        return {size: Seen(tuple(arrived.get(size, ())), told.get(size), size in refused) for size in sizes}


def _sent(sender: socket.socket, family: int, source: str, target: str, size: int, df: bool) -> bool:
    """Send a packet that carries its size as its identification or flow label; False: the kernel refused."""
    if family == 4:
        header = struct.pack("!BBHHHBBH", 0x45, 0, size, size, 0x4000 if df else 0, 64, EXPERIMENT, 0)
        header += socket.inet_aton(source) + socket.inet_aton(target)
    else:
        header = struct.pack("!IHBB", 6 << 28 | size, size - 40, EXPERIMENT, 64)
        header += socket.inet_pton(socket.AF_INET6, source) + socket.inet_pton(socket.AF_INET6, target)
    try:
        sender.sendto(header + bytes(size - len(header)), (target, 0))
    except OSError as error:
        if error.errno != errno.EMSGSIZE:
            raise
        return False
    return True


def _collect(
    family: int, watching: socket.socket, heard: socket.socket, wait: float
) -> Tuple[Dict[int, List[int]], Dict[int, int]]:
    arrived: Dict[int, List[int]] = {}
    told: Dict[int, int] = {}
    until = time.monotonic() + wait
    while time.monotonic() < until:
        ready, _writable, _failed = select.select([watching, heard], [], [], max(0.0, until - time.monotonic()))
        if watching in ready:
            with suppress(OSError):
                _note_arrival(family, watching.recvfrom(65536), arrived)
        if heard in ready:
            with suppress(OSError):
                _note_message(family, heard.recv(65536), told)
    return arrived, told


def _note_arrival(
    family: int, received: Tuple[bytes, Tuple[str, int, int, int, bytes]], arrived: Dict[int, List[int]]
) -> None:
    packet, (_device, protocol, kind, _type, _address) = received
    if kind != socket.PACKET_HOST or protocol != (ETH_P_IP if family == 4 else ETH_P_IPV6):
        return
    if family == 4:
        total, mark, _fragment, _ttl, carried = struct.unpack_from("!HHHBB", packet, 2)
    else:
        mark = struct.unpack_from("!I", packet)[0] & 0xFFFFF
        total = struct.unpack_from("!H", packet, 4)[0] + 40
        carried = packet[40] if packet[6] == FRAGMENT_HEADER else packet[6]
    if carried == EXPERIMENT:
        arrived.setdefault(mark, []).append(total)


def _note_message(family: int, message: bytes, told: Dict[int, int]) -> None:
    body = message[(message[0] & 15) * 4 :] if family == 4 else message
    if (body[0], body[1]) != ICMP_TOO_BIG[family]:
        return
    mtu = struct.unpack_from("!H", body, 6)[0] if family == 4 else struct.unpack_from("!I", body, 4)[0]
    quoted = body[8:]
    if quoted[9 if family == 4 else 6] == EXPERIMENT:
        mark = struct.unpack_from("!H", quoted, 4)[0] if family == 4 else struct.unpack_from("!I", quoted)[0] & 0xFFFFF
        told[mark] = mtu

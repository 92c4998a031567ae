# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Listening TCP sockets, by sock_diag.

Source: sock_diag(7); include/uapi/linux/inet_diag.h; net/ipv4/inet_diag.c, net/ipv4/tcp_diag.c.
"""

from __future__ import annotations

import errno
import struct
from collections import Counter
from functools import partial
from typing import Counter as CounterType
from typing import Dict, List, Mapping, NamedTuple, Optional, Tuple

from .._model.listener import Listener
from .attributes import parse_attributes, read_address, read_u8, unpack
from .netlink import Message, NetlinkSocket

TCPDIAG_GETSOCK = 18
REQUEST_OF_BOTH = struct.Struct("=BBBB48xII")
"""struct inet_diag_req: family, prefix lengths, extensions, a socket id of zeros, states, dump flags."""
SOCK_DIAG_BY_FAMILY = 20
REQUEST = struct.Struct("=BBBxI48x")
"""struct inet_diag_req_v2: family, protocol, extensions, states; a socket id of zeros matches all."""
ANSWER = struct.Struct("=BBBB4s16s16sIIIIIIII")
"""struct inet_diag_msg: family, state, timer, retransmits, ports, source, destination, interface, cookie, expires,
receive queue, write queue, user, inode."""
PORT = struct.Struct(">H")
MEMORY_DROPS = struct.Struct("=32xI")
"""INET_DIAG_SKMEMINFO is an array of 32-bit numbers; SK_MEMINFO_DROPS is the ninth (Linux 4.8)."""
CGROUP_ID = struct.Struct("=Q")
AF_INET, AF_INET6 = 2, 10
FAMILIES = {AF_INET: "ipv4", AF_INET6: "ipv6"}
ADDRESS_LENGTH = {AF_INET: 4, AF_INET6: 16}
IPPROTO_TCP = 6
STATE_SYN_RECEIVED, STATE_LISTEN = 3, 10
EXTENSION_SOCKET_MEMORY = 1 << (7 - 1)
ATTRIBUTE_SOCKET_MEMORY, ATTRIBUTE_V6_ONLY, ATTRIBUTE_CGROUP_ID = 7, 11, 21
WILDCARDS = ("0.0.0.0", "::")
_NOT_OFFERED = (errno.ENOENT, errno.EINVAL, errno.EOPNOTSUPP, errno.EAFNOSUPPORT)


class _Socket(NamedTuple):
    """One answer, as far as it is needed."""

    state: int
    family: int
    address: str
    port: int
    interface: int
    cookie: int
    receive_queue: int
    write_queue: int
    uid: int
    inode: int
    drops: Optional[int]
    ipv6_only: Optional[bool]
    cgroup_id: Optional[int]


def read_listeners(netlink: NetlinkSocket, link_names: Mapping[int, str], handshakes: bool = True) -> List[Listener]:
    """Return the listening TCP sockets of both families, in the kernel's order.

    netlink: a socket of NETLINK_SOCK_DIAG. link_names: names of the interfaces by index.
    handshakes: whether to count those under way. To find them the kernel walks its table of all connections of the
    host, which takes longer than everything else; it is in vain where no TCP segment ever arrived (Tcp.InSegs is 0).
    The handshakes of a group that shares a port (SO_REUSEPORT) cannot be told apart: each of the group shows its share,
    rounded up. A kernel without IPv6 has no listeners of that family.
    Raises OSError, with ENOENT where the kernel has no socket diagnostics for TCP, and NetlinkError.
    """
    listening = _dump(netlink, 1 << STATE_LISTEN)
    requests = _dump(netlink, 1 << STATE_SYN_RECEIVED) if handshakes and listening else []
    counted = _handshakes(listening, requests)
    return [_listener(entry, counted, link_names) for entry in listening]


def _dump(netlink: NetlinkSocket, states: int) -> List[_Socket]:
    """Return the sockets in some states, of both families.

    The first interface of inet_diag lists both at once and is tried first; the present one takes one family at a time.
    """
    try:
        messages = netlink.dump(TCPDIAG_GETSOCK, REQUEST_OF_BOTH.pack(0, 0, 0, EXTENSION_SOCKET_MEMORY, states, 0))
    except OSError as error:
        if error.errno not in _NOT_OFFERED:
            raise
        messages = _dump_families(netlink, states)
    return [_decode(message.payload) for message in messages]


def _dump_families(netlink: NetlinkSocket, states: int) -> List[Message]:
    def request(family: int) -> bytes:
        return REQUEST.pack(family, IPPROTO_TCP, EXTENSION_SOCKET_MEMORY, states)

    messages = netlink.dump(SOCK_DIAG_BY_FAMILY, request(AF_INET))
    try:
        return messages + netlink.dump(SOCK_DIAG_BY_FAMILY, request(AF_INET6))
    except OSError as error:
        if error.errno not in _NOT_OFFERED:
            raise
        return messages


def _decode(payload: bytes) -> _Socket:
    answer = unpack(ANSWER, payload)
    family, state, _timer, _retransmits, ports, source = answer[:6]
    found = parse_attributes(payload, ANSWER.size)
    memory = found.get(ATTRIBUTE_SOCKET_MEMORY, b"")
    cgroup = found.get(ATTRIBUTE_CGROUP_ID)
    return _Socket(
        state=state,
        family=family,
        address=read_address(source[: ADDRESS_LENGTH.get(family, 0)]),
        port=PORT.unpack_from(ports)[0],
        interface=answer[7],
        cookie=answer[8] | answer[9] << 32,
        receive_queue=answer[11],
        write_queue=answer[12],
        uid=answer[13],
        inode=answer[14],
        drops=unpack(MEMORY_DROPS, memory)[0] if len(memory) >= MEMORY_DROPS.size else None,
        ipv6_only=bool(read_u8(found[ATTRIBUTE_V6_ONLY])) if ATTRIBUTE_V6_ONLY in found else None,
        cgroup_id=unpack(CGROUP_ID, cgroup)[0] if cgroup else None,
    )


_Place = Tuple[int, str, int, int]
"""Family, address, port and interface: what the sockets of a group have in common."""


def _place(entry: _Socket) -> _Place:
    return entry.family, entry.address, entry.port, entry.interface


def _handshakes(listening: List[_Socket], requests: List[_Socket]) -> Dict[_Place, int]:
    """Return the handshakes under way for one socket of each place."""
    if not requests:
        return {}
    members = Counter(_place(entry) for entry in listening)
    counted: CounterType[_Place] = Counter()
    for place, number in Counter(_place(request) for request in requests).items():
        candidates = [entry for entry in listening if _serves(entry, place)]
        if candidates:
            counted[_place(max(candidates, key=partial(_closeness, request=place)))] += number
    return {place: -(-number // members[place]) for place, number in counted.items()}


def _serves(listener: _Socket, request: _Place) -> bool:
    """Return whether a handshake can be one of this listener: a half-open connection has no inode to tell."""
    family, address, port, interface = request
    if listener.port != port or listener.interface not in (0, interface):
        return False
    if listener.family == family:
        return listener.address in (address, *WILDCARDS)
    return listener.family == AF_INET6 and listener.address == "::" and not listener.ipv6_only


def _closeness(listener: _Socket, request: _Place) -> Tuple[bool, bool, bool]:
    """Order listeners as the kernel does (net/ipv4/inet_hashtables.c, compute_score), the best last."""
    return listener.address == request[1], listener.interface != 0, listener.family == request[0]


def _listener(entry: _Socket, handshakes: Mapping[_Place, int], link_names: Mapping[int, str]) -> Listener:
    interface = link_names.get(entry.interface, str(entry.interface)) if entry.interface else None
    return Listener(
        family=FAMILIES[entry.family],
        address=entry.address,
        port=entry.port,
        effective_backlog=entry.write_queue,
        queue=entry.receive_queue,
        syn_queue=handshakes.get(_place(entry), 0),
        drops=entry.drops,
        inode=entry.inode,
        cookie=entry.cookie,
        uid=entry.uid,
        interface=interface,
        ipv6_only=entry.ipv6_only if entry.family == AF_INET6 else None,
        cgroup_id=entry.cgroup_id,
    )

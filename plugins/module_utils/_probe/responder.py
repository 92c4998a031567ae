# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The far end of a measurement: sockets in several network namespaces, served by one loop until its time is over."""

from __future__ import annotations

import errno
import select
import socket
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, Iterable, List, Optional, Sequence, Tuple

from .datagram_sockets import (
    INTERFACE,
    OVERHEAD,
    fragment_and_local,
    ipv4_udp_header,
    packet_information,
    raw_sender,
    send_padded,
    too_big_listener,
    udp_socket,
)
from .responder_core import Outgoing, Place, ResponderCore
from .socket_errors import SendError, read_error_queue, read_packet_too_big

ALIVE_INTERVAL = 1.0
"""Seconds between two looks whether the namespaces are still there."""
_MAX_DATAGRAMS = 256
"""Datagrams that are taken from one socket before the next one gets its turn."""
_SENDABLE_WAIT = 0.05
_NO_IPV6 = (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL)


@dataclass
class Station:
    """The sockets of one address family in one network namespace. namespace: its inode."""

    namespace: int
    family: socket.AddressFamily
    port: int
    udp: socket.socket
    sender: socket.socket
    listener: Optional[socket.socket] = None

    @property
    def sockets(self) -> List[socket.socket]:
        """Those to wait for."""
        return [self.udp] + ([self.listener] if self.listener else [])

    def close(self) -> None:
        """Close all sockets."""
        for one in {self.udp, self.sender, self.listener} - {None}:
            one.close()  # type: ignore[union-attr]

    def send(self, outgoing: Outgoing) -> int:
        """Send a datagram with DF; 0, or the errno of why it did not leave."""
        _station, address, local = outgoing.place
        ancillary = packet_information(self.family, local, address[3] if len(address) == 4 else 0)
        message = outgoing.message
        padding = outgoing.size - OVERHEAD[self.family] - len(message)
        if self.family == socket.AF_INET:
            far = socket.inet_aton(address[0])
            message = ipv4_udp_header(local, far, (self.port, address[1]), message, outgoing.size) + message
            address = (address[0], 0)
        failed = send_padded(self.sender, message, padding, ancillary, address)
        if failed in (errno.EAGAIN, errno.ENOBUFS):
            select.select([], [self.sender], [], _SENDABLE_WAIT)
            failed = send_padded(self.sender, message, padding, ancillary, address)
        return failed

    def link_limit(self, size: int) -> int:
        """Return the MTU of the link that has just refused a packet of ``size`` bytes."""
        limits = [error.mtu for error in read_error_queue(self.sender) if error.local and error.too_big]
        return limits[-1] if limits else size - 1

    def errors(self) -> Iterable[SendError]:
        """Yield what ICMP says about our datagrams."""
        yield from (error for error in read_error_queue(self.udp) if not error.local)
        if self.listener is not None:
            yield from (error for error in read_packet_too_big(self.listener) if error.port == self.port)


def open_stations(namespace: int, port: int) -> List[Station]:
    """Open both families in the calling thread's network namespace. port: 0 for one that the kernel chooses.

    Raises OSError (EADDRINUSE where the port is taken); a namespace without IPv6 gets IPv4 only.
    """
    with ExitStack() as stack:
        udp = stack.enter_context(udp_socket(socket.AF_INET, INTERFACE))
        udp.bind(("0.0.0.0", port))
        port = udp.getsockname()[1]
        sender = stack.enter_context(raw_sender())
        stations = [Station(namespace, socket.AF_INET, port, udp, sender)]
        try:
            udp = stack.enter_context(udp_socket(socket.AF_INET6, INTERFACE))
            udp.bind(("::", port))
            listener = too_big_listener()
            stations.append(Station(namespace, socket.AF_INET6, port, udp, udp, listener))
        except OSError as error:
            if error.errno not in _NO_IPV6:
                raise
            udp.close()
        stack.pop_all()
    return stations


@dataclass
class Responder:
    """Serves stations. is_alive: tells whether a namespace is there for others than us, by inode."""

    stations: List[Station]
    core: ResponderCore
    is_alive: Callable[[int], bool] = lambda _inode: True
    clock: Callable[[], float] = time.monotonic
    _by_descriptor: Dict[int, Station] = field(default_factory=dict)

    def serve(self, lifetime: float, idle: Optional[float] = None) -> None:
        """Answer until the lifetime is over, nothing of this run came for ``idle`` seconds, or no namespace is left."""
        epoll = select.epoll()
        try:
            self._register(epoll)
            self._serve(epoll, self.clock() + lifetime, idle)
        finally:
            epoll.close()
            for station in self.stations:
                station.close()

    def _register(self, epoll: select.epoll) -> None:
        for station in self.stations:
            for one in station.sockets:
                epoll.register(one.fileno(), select.EPOLLIN)
                self._by_descriptor[one.fileno()] = station

    def _serve(self, epoll: select.epoll, end: float, idle: Optional[float]) -> None:
        quiet_since = self.clock()
        looked = quiet_since
        while self.stations:
            now = self.clock()
            heard = max(quiet_since, self.core.heard or quiet_since)
            until = end if idle is None else min(end, heard + idle)
            if now >= until:
                return
            if now - looked >= ALIVE_INTERVAL:
                looked = now
                self._leave_the_dead(epoll)
            for descriptor, _event in epoll.poll(min(until - now, ALIVE_INTERVAL)):
                station = self._by_descriptor.get(descriptor)
                if station is not None:
                    self._work(station)

    def _leave_the_dead(self, epoll: select.epoll) -> None:
        """Close the sockets in namespaces that nobody else is in: they would keep them from ending."""
        dead = {station.namespace for station in self.stations}
        dead = {inode for inode in dead if not self.is_alive(inode)}
        for station in [one for one in self.stations if one.namespace in dead]:
            for one in station.sockets:
                with suppress(OSError):
                    epoll.unregister(one.fileno())
                self._by_descriptor.pop(one.fileno(), None)
            station.close()
            self.stations.remove(station)

    def _work(self, station: Station) -> None:
        for error in station.errors():
            if error.too_big:
                self._send(station, self.core.too_big(error.quoted, error.mtu, error.router))
        for datagram, place, fragment in _received(station):
            self._send(station, self.core.take(datagram, place, OVERHEAD[station.family], fragment, self.clock()))

    def _send(self, station: Station, datagrams: Sequence[Outgoing]) -> None:
        for outgoing in datagrams:
            failed = station.send(outgoing)
            if failed:
                limit = station.link_limit(outgoing.size) if failed == errno.EMSGSIZE else None
                for word in self.core.refused(outgoing, limit):
                    station.send(word)


def _received(station: Station) -> Iterable[Tuple[bytes, Place, int]]:
    for _turn in range(_MAX_DATAGRAMS):
        try:
            datagram, ancillary, _flags, address = station.udp.recvmsg(65536, 256)
        except BlockingIOError:
            return
        except OSError:
            continue
        fragment, local = fragment_and_local(ancillary)
        place: Tuple[Any, ...] = ((station.namespace, station.family), address, local)
        yield datagram, place, fragment

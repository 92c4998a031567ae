# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Measuring with a responder at the far end: each direction by itself, exactly."""

from __future__ import annotations

import errno
import os
import random
import socket
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple

from .datagram import ENTRY_LIMIT, HEADER_BYTES, MAX_SIZE, Kind, Message, Seal, pack_entries
from .datagram_sockets import (
    INTERFACE,
    OVERHEAD,
    PROBE,
    Ancillary,
    fragment_and_local,
    packet_information,
    send_padded,
    too_big_listener,
    udp_socket,
)
from .responder_core import ADDRESS_BYTES, CREDIT_LIMIT
from .socket_errors import SendError, read_error_queue, read_packet_too_big
from .transport import Arrived, Asked, Event, LocalLimit, Probe, Rejected, SendsAtOnce, Sent, Target, TooBig, Way

SMALLEST_SURE = {socket.AF_INET: 576, socket.AF_INET6: 1280}
"""Bytes that any path carries: RFC 791, 3.1 and RFC 8200, 5. Deposits have no more until more was seen to arrive."""
REPORTS_PER_REQUEST = 4
"""ICMP messages about samples that a request pays the relaying of."""
TOP_UPS = 3
"""How often a request that lacks credit is sent again at once."""
_WORTH_A_WORD = (errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EACCES, errno.EPERM, errno.EPROTO)
_MAX_DATAGRAMS = 4096


@dataclass
class _Request:
    entries: List[Tuple[int, Probe]]
    top_ups: int = 0
    accepted: bool = False


@dataclass
class _Path:
    index: int
    address: Tuple[Any, ...]
    ancillary: Ancillary
    session: int
    sure_size: int
    number: int = 0
    credit: int = 0
    """What the responder should have for us, if all arrived that we sent; it corrects us when not."""
    outstanding: Dict[int, Probe] = field(default_factory=dict)
    requests: Dict[int, _Request] = field(default_factory=dict)

    def next_number(self) -> int:
        self.number += 1
        return self.number


class UdpTransport(SendsAtOnce):
    """See Transport. Made by open_udp()."""

    ways: Sequence[Way] = (Way.FORWARD, Way.BACK)

    def __init__(
        self,
        family: socket.AddressFamily,
        seal: Seal,
        sender: socket.socket,
        receivers: Sequence[socket.socket],
        listener: Optional[socket.socket],
        paths: Mapping[int, _Path],
    ) -> None:
        self.overhead = OVERHEAD[family] + HEADER_BYTES
        self.hears_too_big = family == socket.AF_INET or listener is not None
        """False where "packet too big" cannot be heard for want of CAP_NET_RAW: then silence proves nothing."""
        self._headers = OVERHEAD[family]
        self._family = family
        self._seal = seal
        self._sender = sender
        self._receivers = receivers
        self._listener = listener
        self._paths = paths
        self._sessions = {path.session: path for path in paths.values()}
        self._addresses = {path.address[0]: path for path in paths.values()}
        self._port = sender.getsockname()[1]
        self._events: List[Event] = []
        self._unreported = Sent(0, 0)
        self._answers: Mapping[Kind, Callable[[_Path, Message, int, float], None]] = {
            Kind.SEEN: self._seen,
            Kind.SAMPLE: self._sample,
            Kind.ACCEPTED: self._accepted,
            Kind.SHORT: self._short,
            Kind.REPORT: self._report,
            Kind.LIMIT: self._limit,
        }
        self._sockets = [sender, *[one for one in receivers if one is not sender], *([listener] if listener else [])]
        self.descriptors: Sequence[int] = [one.fileno() for one in self._sockets]

    def send(self, probes: Sequence[Probe]) -> Sent:
        """See Transport. Those of the way back are asked for last, so that the others have earned their credit."""
        asked: Dict[int, List[Probe]] = {}
        for probe in probes:
            if probe.way is Way.BACK:
                asked.setdefault(probe.path, []).append(probe)
                continue
            path = self._paths[probe.path]
            number = path.next_number()
            path.outstanding[number] = probe
            if self._post(path, Kind.PROBE, number, probe.size, b""):
                path.credit += probe.size - self.overhead
        for index, wanted in asked.items():
            for start in range(0, len(wanted), ENTRY_LIMIT):
                self._request(self._paths[index], wanted[start : start + ENTRY_LIMIT])
        sent, self._unreported = self._unreported, Sent(0, 0)
        return sent

    def cost(self, probe: Probe) -> Sent:
        """See Transport. The way back takes a request, and deposits of its size and that of reports."""
        octets = probe.size + (REPORTS_PER_REQUEST + 2) * (self.overhead + ADDRESS_BYTES)
        deposits = Sent(2 + octets // self._paths[probe.path].sure_size, octets)
        return deposits if probe.way is Way.BACK else Sent(1, probe.size)

    def receive(self, moment: float) -> List[Event]:
        """See Transport. Requests that lack credit are sent again here; the next send() counts their packets."""
        for receiver in self._receivers:
            for error in read_error_queue(receiver):
                self._failed(error, moment)
            self._drain(receiver, moment)
        for error in read_packet_too_big(self._listener) if self._listener else ():
            if error.port == self._port:
                self._failed(error, moment)
        events, self._events = self._events, []
        return events

    def close(self) -> None:
        """See Transport. The sender goes first: an error that comes late finds a socket that does not learn from it."""
        for one in self._sockets:
            one.close()

    def _drain(self, receiver: socket.socket, moment: float) -> None:
        for _number in range(_MAX_DATAGRAMS):
            try:
                datagram, ancillary, _flags, _address = receiver.recvmsg(65536, 128)
            except BlockingIOError:
                return
            except OSError:
                continue
            message = self._seal.unpack(datagram)
            path = self._sessions.get(message.session) if message else None
            answer = self._answers.get(message.kind) if message else None
            if message and path and answer:
                answer(path, message, fragment_and_local(ancillary)[0], moment)

    def _post(self, path: _Path, kind: Kind, number: int, size: int, body: bytes) -> bool:
        """Send a message of one packet of ``size`` bytes; what does not leave for a reason becomes an event."""
        message = self._seal.pack(kind, path.session, number, size, body=body)
        failed = send_padded(self._sender, message, size - self._headers - len(message), path.ancillary, path.address)
        if failed == 0:
            self._unreported = Sent(self._unreported.packets + 1, self._unreported.octets + size)
            return True
        if failed == errno.EMSGSIZE:
            limits = [error.mtu for error in read_error_queue(self._sender) if error.local and error.too_big]
            self._events.append(LocalLimit(path.index, Way.FORWARD, size, limits[-1] if limits else size - 1))
        elif failed in _WORTH_A_WORD:
            self._events.append(Rejected(path.index, os.strerror(failed), None, 0.0))
        return False

    def _request(self, path: _Path, wanted: Sequence[Probe], top_ups: int = 0) -> None:
        entries = [(path.next_number(), probe) for probe in wanted]
        path.outstanding.update(entries)
        self._ask(path, _Request(entries, top_ups))

    def _ask(self, path: _Path, request: _Request) -> None:
        """Ask for samples, with as many deposits before it as their bytes and the answers' cost."""
        body = pack_entries([(number, probe.size) for number, probe in request.entries])
        cost = sum([probe.size for _number, probe in request.entries]) + self.overhead
        reserve = min(len(request.entries), REPORTS_PER_REQUEST) * (self.overhead + ADDRESS_BYTES)
        least = self.overhead + len(body)
        missing = min(cost + reserve, CREDIT_LIMIT) - path.credit
        largest = max(path.sure_size, least)
        while missing > largest:
            if not self._post(path, Kind.DEPOSIT, path.next_number(), largest, b""):
                return
            missing -= largest
            path.credit += largest
        number = path.next_number()
        size = max(least, missing)
        path.requests[number] = request
        if self._post(path, Kind.REQUEST, number, size, body):
            path.credit += size - cost

    def _seen(self, path: _Path, message: Message, _fragment: int, moment: float) -> None:
        probe = path.outstanding.pop(message.number, None)
        if probe is not None:
            if not message.value:
                path.sure_size = max(path.sure_size, probe.size)
            self._events.append(Arrived(probe, moment, forward_fragmented=bool(message.value)))

    def _sample(self, path: _Path, message: Message, fragment: int, moment: float) -> None:
        self._granted(path, message.value, moment)
        probe = path.outstanding.pop(message.number, None)
        if probe is not None:
            self._events.append(Arrived(probe, moment, fragment_size=fragment))

    def _accepted(self, path: _Path, message: Message, _fragment: int, moment: float) -> None:
        path.credit = min(path.credit, message.credit)
        self._granted(path, message.number, moment)

    def _granted(self, path: _Path, number: int, moment: float) -> None:
        request = path.requests.get(number)
        if request is not None and not request.accepted:
            request.accepted = True
            self._events.append(Asked(path.index, [probe.number for _number, probe in request.entries], moment))

    def _short(self, path: _Path, message: Message, _fragment: int, _moment: float) -> None:
        request = path.requests.pop(message.number, None)
        if request is not None:
            path.credit = message.credit
            if request.top_ups < TOP_UPS:
                self._ask(path, _Request(request.entries, request.top_ups + 1))

    def _report(self, path: _Path, message: Message, _fragment: int, moment: float) -> None:
        path.credit = min(path.credit, message.credit)  # which pays for reports: later ones must not lack it
        family = socket.AF_INET if len(message.body) == 4 else socket.AF_INET6
        router = socket.inet_ntop(family, message.body) if len(message.body) in (4, 16) else ""
        probe = path.outstanding.get(message.number)
        number = probe.number if probe else None
        self._events.append(TooBig(path.index, Way.BACK, message.size, message.value, router, moment, number))

    def _limit(self, path: _Path, message: Message, _fragment: int, _moment: float) -> None:
        path.credit = min(path.credit, message.credit)
        self._events.append(LocalLimit(path.index, Way.BACK, message.size, message.value))

    def _failed(self, error: SendError, moment: float) -> None:
        """Turn an error about one of our datagrams into an event; its path by the quoted session, else by address."""
        message = self._seal.unpack(error.quoted)
        path = self._sessions.get(message.session) if message else self._addresses.get(error.destination)
        if path is None or error.local:
            return
        router = socket.inet_ntop(self._family, error.router) if error.router else ""
        if error.too_big:
            size = message.size if message else MAX_SIZE
            probe = path.outstanding.get(message.number) if message else None
            number = probe.number if probe else None
            self._events.append(TooBig(path.index, Way.FORWARD, size, error.mtu, router, moment, number))
        else:
            self._events.append(Rejected(path.index, error.reason, router or None, moment))


def open_udp(family: socket.AddressFamily, targets: Mapping[int, Target], token: bytes) -> UdpTransport:
    """Open a transport in the calling thread's network namespace.

    targets: by the index that their probes have; port: the responder's. A target without a route is no error yet: it
    leaves from no address, and sending to it tells. Raises OSError.
    """
    with ExitStack() as stack:
        receivers: List[socket.socket] = []
        if family == socket.AF_INET6:
            sender = stack.enter_context(udp_socket(family, INTERFACE))
            sender.bind(("::", 0))
            receivers.append(sender)
            listener = too_big_listener()
            if listener is not None:
                stack.enter_context(listener)
        else:
            sender = stack.enter_context(udp_socket(family, PROBE))
            sender.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sender.bind(("0.0.0.0", 0))
            listener = None
        paths = {index: _path(family, index, target) for index, target in targets.items()}
        if family == socket.AF_INET:
            # Bound to an address they are more specific than the sender: answers and errors come to them.
            for source in sorted({path.ancillary[0][2][4:8] for path in paths.values()} - {bytes(4)}):
                receiver = stack.enter_context(udp_socket(family, INTERFACE))
                receiver.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                receiver.bind((socket.inet_ntop(family, source), sender.getsockname()[1]))
                receivers.append(receiver)
        transport = UdpTransport(family, Seal(token), sender, receivers, listener, paths)
        stack.pop_all()
    return transport


def _path(family: socket.AddressFamily, index: int, target: Target) -> _Path:
    """Return a path with the address that its packets leave from, as the routing table chooses it."""
    address = (target.address, target.port)
    local = bytes(4 if family == socket.AF_INET else 16)
    with socket.socket(family, socket.SOCK_DGRAM) as scout:
        try:
            scout.connect(address)
            local = socket.inet_pton(family, scout.getsockname()[0].split("%")[0])
        except OSError:
            pass
    session = random.SystemRandom().getrandbits(64)
    return _Path(index, address, packet_information(family, local), session, SMALLEST_SURE[family])

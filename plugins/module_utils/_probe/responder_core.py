# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What a responder answers to which datagram. Pure: it takes datagrams and moments, and returns datagrams.

To no session does it ever send more bytes, IP headers counted, than authenticated and fresh datagrams of that session
have brought: whoever fakes the sender's address cannot make it amplify.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, List, NamedTuple, Optional, Tuple

from .datagram import HEADER_BYTES, Kind, Message, Seal, unpack_entries

SESSION_LIMIT = 4096
"""Sessions that are remembered; the one that was quiet for longest goes first."""
SESSION_IDLE = 60.0
"""Seconds after which a quiet session is forgotten."""
CREDIT_LIMIT = 4 << 20
"""Bytes of credit that a session can gather."""
WINDOW = 1024
"""Numbers below the highest that may still come, as in RFC 4303, 3.4.3."""
_WINDOW_MASK = (1 << WINDOW) - 1
ADDRESS_BYTES = 16

Place = Tuple[Any, ...]
"""Where a datagram came from and goes to; equal for the same place, otherwise only the sockets' business."""


class Outgoing(NamedTuple):
    """A datagram to send. size: bytes of the IP packet: the message is padded to it. place: to whom."""

    message: bytes
    size: int
    place: Place
    session: int
    number: int
    sample: bool


@dataclass
class _Session:
    place: Place
    overhead: int
    credit: int = 0
    highest: int = 0
    seen: int = 0
    last: float = 0.0

    def is_fresh(self, number: int) -> bool:
        """Tell whether a number comes for the first time, and remember it."""
        ahead = number - self.highest
        if ahead > 0:
            self.seen = ((self.seen << ahead) & _WINDOW_MASK if ahead < WINDOW else 0) | 1
            self.highest = number
            return True
        if -ahead >= WINDOW or self.seen >> -ahead & 1:
            return False
        self.seen |= 1 << -ahead
        return True


class Allowance:
    """So much per second, and so much at once: a bucket that fills with time."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._left = burst
        self._moment: Optional[float] = None

    def has(self, amount: float, moment: float) -> bool:
        """Tell whether the amount is there. moment: seconds, of a clock that never goes back."""
        elapsed = 0.0 if self._moment is None else max(0.0, moment - self._moment)
        self._moment = moment
        self._left = min(self._burst, self._left + elapsed * self._rate)
        return self._left >= amount

    def spend(self, amount: float) -> None:
        """Take the amount away."""
        self._left -= amount


class ResponderCore:
    """The sessions of one run."""

    def __init__(
        self,
        seal: Seal,
        packets: Optional[Allowance] = None,
        octets: Optional[Allowance] = None,
        session_limit: int = SESSION_LIMIT,
    ) -> None:
        """packets, octets: what may leave, all sessions together."""
        self._seal = seal
        self._packets = packets or Allowance(20_000, 8_192)
        self._octets = octets or Allowance(32 << 20, 16 << 20)
        self._session_limit = session_limit
        self._sessions: OrderedDict[int, _Session] = OrderedDict()
        self.heard: Optional[float] = None
        """When the last datagram came that was of this run."""

    def take(self, datagram: bytes, place: Place, overhead: int, fragment_size: int, moment: float) -> List[Outgoing]:
        """Return the answers to one datagram: none unless it is of this run, of its session's place, and new.

        overhead: bytes of the IP and UDP headers. fragment_size: of the largest fragment it came in; 0: in one piece.
        A datagram whose answers would exceed what may leave is taken as lost, whatever it asks and however large.
        """
        message = self._seal.unpack(datagram)
        if message is None or message.kind not in (Kind.PROBE, Kind.REQUEST, Kind.DEPOSIT):
            return []
        entries = unpack_entries(message.body) if message.kind is Kind.REQUEST else []
        if entries is None or any(size < overhead + HEADER_BYTES for _number, size in entries):
            return []
        most = len(entries) + 1
        volume = sum([size for _number, size in entries]) + overhead + HEADER_BYTES
        if not (self._packets.has(most, moment) and self._octets.has(volume, moment)):
            return []
        session = self._session(message.session, place, overhead, moment)
        if session is None or not session.is_fresh(message.number):
            return []
        self.heard = moment
        session.credit = min(CREDIT_LIMIT, session.credit + overhead + len(datagram))
        if message.kind is Kind.PROBE:
            return self._answer(session, message, Kind.SEEN, message.size, fragment_size)
        if message.kind is Kind.REQUEST:
            return self._grant(session, message, entries, volume)
        return []

    def too_big(self, quoted: bytes, mtu: int, router: bytes) -> List[Outgoing]:
        """Return a report for the prober about ICMP that came for one of our samples.

        quoted: the beginning of the datagram that the ICMP message quotes. router: 4 or 16 bytes.
        """
        message = self._seal.unpack(quoted)
        if message is None or message.kind is not Kind.SAMPLE:
            return []
        return self._tell(message.session, message.number, message.size, Kind.REPORT, mtu, router)

    def refused(self, outgoing: Outgoing, mtu: Optional[int]) -> List[Outgoing]:
        """Take back what did not leave. mtu: of the link that does not take it; None where that is not the reason."""
        session = self._sessions.get(outgoing.session)
        if session is None:
            return []
        session.credit += outgoing.size
        if mtu is None or not outgoing.sample:
            return []
        return self._tell(outgoing.session, outgoing.number, outgoing.size, Kind.LIMIT, mtu, b"")

    def _session(self, name: int, place: Place, overhead: int, moment: float) -> Optional[_Session]:
        """Return the session, made where it is new; None when it belongs to another place."""
        while self._sessions:
            oldest = next(iter(self._sessions.values()))
            if moment - oldest.last <= SESSION_IDLE:
                break
            self._sessions.popitem(last=False)
        session = self._sessions.get(name)
        if session is None:
            if len(self._sessions) >= self._session_limit:
                self._sessions.popitem(last=False)
            session = self._sessions[name] = _Session(place, overhead)
        elif session.place != place:
            return None
        session.last = moment
        self._sessions.move_to_end(name)
        return session

    def _answer(self, session: _Session, message: Message, kind: Kind, size: int = 0, value: int = 0) -> List[Outgoing]:
        return self._send(session, message.session, message.number, kind, size, value, b"")

    def _grant(
        self, session: _Session, message: Message, entries: List[Tuple[int, int]], volume: int
    ) -> List[Outgoing]:
        if volume > session.credit:
            return self._answer(session, message, Kind.SHORT, value=volume)
        granted = []
        for number, size in entries:
            session.credit -= size
            sample = self._seal.pack(Kind.SAMPLE, message.session, number, size, message.number)
            granted.append(Outgoing(sample, size, session.place, message.session, number, True))
            self._packets.spend(1)
            self._octets.spend(size)
        return self._answer(session, message, Kind.ACCEPTED) + granted

    def _tell(self, name: int, number: int, size: int, kind: Kind, value: int, body: bytes) -> List[Outgoing]:
        session = self._sessions.get(name)
        return [] if session is None else self._send(session, name, number, kind, size, value, body)

    def _send(
        self, session: _Session, name: int, number: int, kind: Kind, size: int, value: int, body: bytes
    ) -> List[Outgoing]:
        cost = session.overhead + HEADER_BYTES + len(body)
        if cost > session.credit:
            return []
        session.credit -= cost
        self._packets.spend(1)
        self._octets.spend(cost)
        message = self._seal.pack(kind, name, number, size, value, session.credit, body)
        return [Outgoing(message, cost, session.place, name, number, False)]

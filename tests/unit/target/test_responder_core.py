# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a responder answers: to whom, how much, and never more than it was sent."""

from __future__ import annotations

from collections import Counter
from typing import List, Optional, Set, Tuple

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.netfit.cluster.plugins.module_utils._probe.datagram import (
    HEADER_BYTES,
    Kind,
    Message,
    Seal,
    pack_entries,
)
from ansible_collections.netfit.cluster.plugins.module_utils._probe.responder_core import (
    SESSION_IDLE,
    WINDOW,
    Allowance,
    Outgoing,
    ResponderCore,
)

SEAL = Seal(b"the token of a run")
OVERHEAD = 28
SMALLEST = OVERHEAD + HEADER_BYTES
HERE, THERE = ("10.0.0.1", 1000), ("10.0.0.2", 2000)


def probe(number: int, size: int = 1000, session: int = 1, kind: Kind = Kind.PROBE) -> bytes:
    """Return a datagram whose IP packet has the size."""
    message = SEAL.pack(kind, session, number, size)
    return message + bytes(size - OVERHEAD - len(message))


def request(number: int, sizes: List[int], padding: int = 0, session: int = 1) -> bytes:
    body = pack_entries([(number * 100 + index, size) for index, size in enumerate(sizes)])
    return SEAL.pack(Kind.REQUEST, session, number, body=body) + bytes(padding)


def answers(outgoing: List[Outgoing]) -> List[Message]:
    found = [SEAL.unpack(one.message) for one in outgoing]
    return [one for one in found if one is not None]


def take(core: ResponderCore, datagram: bytes, place: Tuple[str, int] = HERE, moment: float = 0.0) -> List[Outgoing]:
    return core.take(datagram, place, OVERHEAD, 0, moment)


def kinds(outgoing: List[Outgoing]) -> List[Kind]:
    return [one.kind for one in answers(outgoing)]


def test_a_probe_is_answered_with_little() -> None:
    (outgoing,) = ResponderCore(SEAL).take(probe(7), HERE, OVERHEAD, 600, 0.0)
    assert (outgoing.size, outgoing.place) == (SMALLEST, HERE)
    assert answers([outgoing]) == [Message(Kind.SEEN, 1, 7, 1000, 600, 1000 - SMALLEST, b"")]


def test_samples_cost_what_was_earned() -> None:
    core = ResponderCore(SEAL)
    assert kinds(take(core, request(1, [1400, 1500]))) == [Kind.SHORT]
    assert take(core, probe(2, 3000, kind=Kind.DEPOSIT)) == []
    granted = take(core, request(3, [1400, 1500]))
    assert kinds(granted) == [Kind.ACCEPTED, Kind.SAMPLE, Kind.SAMPLE]
    assert [one.size for one in granted] == [SMALLEST, 1400, 1500]
    assert [(one.number, one.value) for one in answers(granted)[1:]] == [(300, 3), (301, 3)]
    assert kinds(take(core, request(4, [1400, 1500]))) == [Kind.SHORT]


def test_a_number_is_answered_once() -> None:
    core = ResponderCore(SEAL)
    assert take(core, probe(5)) and not take(core, probe(5))
    assert take(core, probe(4)) and not take(core, probe(4))
    assert take(core, probe(5 + WINDOW)) and not take(core, probe(5)) and take(core, probe(6))


def test_a_session_belongs_to_the_place_that_was_first() -> None:
    core = ResponderCore(SEAL)
    assert take(core, probe(1)) and not take(core, probe(2), THERE)
    assert take(core, probe(2, session=2), THERE)
    assert take(core, probe(3), THERE, SESSION_IDLE + 1)


def test_the_quietest_session_makes_room() -> None:
    core = ResponderCore(SEAL, session_limit=2)
    for number, session in ((1, 1), (1, 2), (2, 1), (1, 3)):
        assert take(core, probe(number, session=session))
    assert not take(core, probe(2, session=1))
    assert take(core, probe(1, session=2))


def test_what_exceeds_the_allowance_is_as_if_it_had_not_come() -> None:
    core = ResponderCore(SEAL, packets=Allowance(rate=1, burst=2))
    assert [len(take(core, probe(number))) for number in (1, 2, 3)] == [1, 1, 0]
    assert len(take(core, probe(3), moment=1.0)) == 1


def test_the_far_link_and_far_routers_are_told_of() -> None:
    core = ResponderCore(SEAL)
    take(core, probe(1, 4000, kind=Kind.DEPOSIT))
    _accepted, small, large = take(core, request(2, [1400, 1500]))
    assert answers(core.refused(large, 1450)) == [Message(Kind.LIMIT, 1, 201, 1500, 1450, 2548, b"")]
    (report,) = answers(core.too_big(small.message[:HEADER_BYTES], 1300, b"\x0a\0\0\1"))
    assert (report.kind, report.number, report.size, report.value) == (Kind.REPORT, 200, 1400, 1300)
    assert report.body == b"\x0a\0\0\1"
    assert core.too_big(small.message[: HEADER_BYTES - 1], 1300, b"\x0a\0\0\1") == []
    assert core.refused(small, None) == []


NUMBERS = st.integers(0, 40)
SIZES = st.integers(SMALLEST, 3000)
DATAGRAMS = st.one_of(
    st.binary(max_size=200),
    st.builds(probe, NUMBERS, SIZES, st.integers(1, 3), st.sampled_from(Kind)),
    st.builds(request, NUMBERS, st.lists(st.integers(0, 9000), max_size=6), st.integers(0, 6000), st.integers(1, 3)),
    st.builds(lambda number: Seal(b"another").pack(Kind.PROBE, 1, number), NUMBERS),
)
EVENTS = st.lists(
    st.tuples(DATAGRAMS, st.sampled_from([HERE, THERE]), st.floats(0, 100), st.sampled_from([None, 0, 1400])),
    max_size=40,
)


@given(EVENTS)
def test_no_session_ever_gets_more_than_it_sent(
    events: List[Tuple[bytes, Tuple[str, int], float, Optional[int]]],
) -> None:
    core = ResponderCore(SEAL, session_limit=2)
    came: Counter[int] = Counter()
    left: Counter[int] = Counter()
    numbers: Set[Tuple[int, int]] = set()
    moment = 0.0
    for datagram, place, pause, limit in events:
        moment += pause
        outgoing = take(core, datagram, place, moment)
        message = SEAL.unpack(datagram)
        if message is None:
            assert outgoing == []
            continue
        came[message.session] += OVERHEAD + len(datagram)
        numbers.add((message.session, message.number))
        more: List[Outgoing] = []
        for one in outgoing:
            assert one.place == place
            if limit and one.size > limit:
                more += core.refused(one, limit)
                continue
            if limit and one.sample:
                more += core.too_big(one.message, 1280, bytes(16))
            left[one.session] += one.size
            assert OVERHEAD + len(one.message) <= one.size
        for one in more:
            left[one.session] += one.size
        assert all(left[session] <= came[session] for session in left)

# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where packets end follows from what hosts saw, whatever their clocks say and wherever on the way it is."""

from __future__ import annotations

import json
from typing import Any, Dict, List, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up_trace import BURST, COUNT, Stop, freed, having, observe, rule, too_big_message

from ansible_collections.netfit.cluster.plugins.module_utils._locate.locate import locate
from ansible_collections.netfit.cluster.plugins.module_utils._locate.read_trace import NotATrace, read_burst, read_trace
from ansible_collections.netfit.cluster.plugins.module_utils._locate.reason import find_reason, name_of
from ansible_collections.netfit.cluster.plugins.module_utils._model.sighting import KernelDrop
from ansible_collections.netfit.cluster.plugins.module_utils._model.trace import DropKind

INCIDENT = (
    Stop("lb", 100, "eth0", "out", 64),
    Stop("n1", 1, "eth0", "in", 64),
    Stop("n1", 1, "flannel.1", "out", 63),
    Stop("n1", 1, "eth0", "out", 63, "vxlan", 64),
    Stop("rt", 5, "r0", "in", 63, "vxlan", 64),
    Stop("rt", 5, "r1", "out", 63, "vxlan", 63),
    Stop("n2", 2, "eth0", "in", 63, "vxlan", 63),
    Stop("n2", 2, "flannel.1", "in", 63),
    Stop("n2", 2, "cali1", "out", 62),
    Stop("n2", 22, "eth0", "in", 62),
)


@st.composite
def ways(draw: st.DrawFn) -> Tuple[Stop, ...]:
    """A sender, then hosts that route, bridge, or carry over a tunnel with routers below it, then a receiver.

    Of two bridging hosts in a row nothing tells which comes first.
    """
    hops, last = 64, ""
    way = [Stop("sender", 100, "eth0", "out", hops)]
    for number in range(draw(st.integers(0, 5))):
        kind = draw(st.sampled_from(["route", "tunnel"] + ["bridge"] * (last != "bridge")))
        last = kind
        name = draw(st.sampled_from("abcdefgh")) + str(number)
        if kind == "bridge":
            way += [Stop(name, 1, "in0", "in", hops), Stop(name, 1, "out0", "out", hops)]
            continue
        way.append(Stop(name, 1, "in0", "in", hops))
        hops -= 1
        if kind == "route":
            way.append(Stop(name, 1, "out0", "out", hops))
            continue
        outer = 64
        way += [Stop(name, 1, "vx", "out", hops), Stop(name, 1, "out0", "out", hops, "vxlan", outer)]
        for below in range(draw(st.integers(0, 2))):
            router = f"{draw(st.sampled_from('abcxyz'))}{number}r{below}"
            way.append(Stop(router, 1, "in0", "in", hops, "vxlan", outer))
            outer -= 1
            way.append(Stop(router, 1, "out0", "out", hops, "vxlan", outer))
        far = f"{draw(st.sampled_from('abcxyz'))}{number}far"
        way += [Stop(far, 1, "in0", "in", hops, "vxlan", outer), Stop(far, 1, "vx", "in", hops)]
        hops -= 1
        way.append(Stop(far, 1, "out0", "out", hops))
        if draw(st.booleans()):
            way.append(Stop(far, 2, "eth0", "in", hops))
            hops -= 1
            way.append(Stop(far, 2, "eth1", "out", hops))
    way.append(Stop("target", 9, "eth0", "in", hops))
    return tuple(way)


def clocks_of(data: st.DataObject, way: Tuple[Stop, ...]) -> Dict[str, float]:
    """Every host's clock says something else."""
    return {stop.host: data.draw(st.floats(0, 1e6, allow_nan=False)) for stop in way}


def named(stop: Stop) -> Tuple[str, str, str]:
    return stop.host, stop.link, stop.direction


@given(ways(), st.data())
def test_a_drop_is_found_where_it_is(way: Tuple[Stop, ...], data: st.DataObject) -> None:
    reached = data.draw(st.integers(0, len(way)))
    answer = locate(observe(way, reached, (COUNT, 0), clocks_of(data, way)), BURST, "sender")
    assert [(s.spot.host, s.spot.link, s.spot.direction) for s in answer.steps] == [named(stop) for stop in way]
    assert answer.gap == reached
    for spot, position in ((answer.drop.last_seen, reached - 1), (answer.drop.next_expected, reached)):
        expected = named(way[position]) if 0 <= position < len(way) else None
        assert (None if spot is None else (spot.host, spot.link, spot.direction)) == expected


@given(ways(), st.data())
def test_what_arrives_is_not_dropped(way: Tuple[Stop, ...], data: st.DataObject) -> None:
    answer = locate(observe(way, len(way), clocks=clocks_of(data, way)), BURST, "sender")
    assert (answer.drop.kind, answer.gap) == (DropKind.NONE, None)
    assert len(answer.steps) == len(way)


@given(ways(), st.data())
def test_what_came_over_the_wire_is_the_same(way: Tuple[Stop, ...], data: st.DataObject) -> None:
    traces = observe(way, data.draw(st.integers(0, len(way))))
    for trace in traces.values():
        assert read_trace(json.loads(json.dumps(trace.as_fact()))) == trace
    assert read_burst(json.loads(json.dumps(BURST.as_fact()))) == BURST


@pytest.mark.parametrize(
    "plain",
    [{}, {"sightings": 1}, {"sightings": [{}], "namespaces": [], "rules": [], "kernel_drops": [], "problems": []}],
)
def test_what_is_no_trace_is_refused(plain: Dict[str, Any]) -> None:
    with pytest.raises(NotATrace, match="not the trace of a host"):
        read_trace(plain)
    with pytest.raises(NotATrace, match="not what phase send returns"):
        read_burst(plain)


@pytest.mark.parametrize(
    ("reached", "host", "changes", "kind"),
    [
        (2, "n1", {"counters": {"Ip.FragFails": COUNT}}, DropKind.TOO_BIG),
        (2, "n1", {"counters": {"TcpExt.IPReversePathFilter": COUNT}}, DropKind.REVERSE_PATH),
        (2, "n1", {"counters": {"Ip.FragFails": 500, "TcpExt.IPReversePathFilter": COUNT}}, DropKind.REVERSE_PATH),
        (2, "n1", {"rules": (rule(1, "drop giants", "forward", COUNT),)}, DropKind.FIREWALL),
        (2, "n1", {"rules": (rule(1, "drop giants", "forward", None),)}, DropKind.FIREWALL),
        (2, "n1", {"rules": (rule(1, "drop giants", "input", None),)}, DropKind.OTHER),
        (2, "n1", {"rules": (rule(1, "drop giants", "forward", 0),)}, DropKind.OTHER),
        (2, "n1", {}, DropKind.OTHER),
        (3, "n1", {"tx_dropped": COUNT}, DropKind.TUNNEL),
        (3, "n1", {"counters": {"Ip.FragFails": COUNT}}, DropKind.TUNNEL),
        (4, "n1", {}, DropKind.TUNNEL),
        (4, "n1", {"tx_dropped": COUNT}, DropKind.SEGMENT),
        (5, "rt", {"counters": {"Ip.FragFails": COUNT}}, DropKind.TOO_BIG),
        (6, "n2", {"rx_dropped": COUNT}, DropKind.SEGMENT),
        (7, "n2", {}, DropKind.TUNNEL),
        (9, "n2", {"tx_dropped": COUNT}, DropKind.SEGMENT),
        (10, "n2", {"counters": {"TcpExt.ListenOverflows": COUNT}}, DropKind.LISTEN_OVERFLOW),
        (10, "n2", {"rules": (rule(22, "drop giants", "input", None),)}, DropKind.FIREWALL),
    ],
)
def test_why(reached: int, host: str, changes: Dict[str, Any], kind: DropKind) -> None:
    answer = locate(having(observe(INCIDENT, reached, (COUNT, 0)), host, **changes), BURST, "lb")
    assert (answer.gap, answer.drop.kind) == (reached, kind)


def test_a_loss_at_the_end_of_what_is_ours_is_beyond() -> None:
    ours = INCIDENT[:4]
    answer = locate(observe(ours[:1], 1, (COUNT, 0)), BURST, "lb")
    assert (answer.drop.kind, answer.gap) == (DropKind.BEYOND, 1)
    assert answer.drop.text.startswith("packets of 1500 bytes end behind eth0 of lb")


def test_the_kernel_s_reason_is_found_by_time() -> None:
    traces = observe(INCIDENT, 2, (COUNT, 0), {"n1": 1000.0})
    drops = freed(traces["n1"], "eth0", "ip_forward", "PKT_TOO_BIG")
    noise = tuple(KernelDrop(moment, "unix_stream", "NO_SOCKET") for moment in (1000.0, 1000.5, 1001.0))
    answer = locate(having(traces, "n1", kernel_drops=(*noise, *drops)), BURST, "lb")
    assert (answer.drop.kind, answer.drop.reason) == (DropKind.TOO_BIG, "PKT_TOO_BIG in ip_forward")


def test_an_old_kernel_tells_only_the_function() -> None:
    traces = observe(INCIDENT, 2, (COUNT, 0))
    drops = freed(traces["n1"], "eth0", "ip_forward", None)
    answer = locate(having(traces, "n1", kernel_drops=drops), BURST, "lb")
    assert (answer.drop.kind, answer.drop.reason) == (DropKind.TOO_BIG, "in ip_forward")


def test_a_drop_that_goes_with_packets_that_pass_is_not_the_reason() -> None:
    lost, passed = {1: 10.0, 2: 20.0}, (15.0, 25.0)
    everywhere = [KernelDrop(time + 0.001, "icmp_rcv", "NOT_SPECIFIED") for time in (10.0, 15.0, 20.0, 25.0)]
    assert find_reason(everywhere, lost, passed) is None
    guilty = [KernelDrop(time + 0.002, "nft_do_chain", "NETFILTER_DROP") for time in (10.0, 20.0)]
    assert name_of(find_reason([*everywhere, *guilty], lost, passed)) == "NETFILTER_DROP"


def test_a_reason_that_goes_with_few_of_the_lost_is_none() -> None:
    lost = {number: float(number) for number in range(10)}
    assert find_reason([KernelDrop(3.001, "ip_forward", "PKT_TOO_BIG")], lost) is None


def test_every_size_is_said_where_nothing_passes() -> None:
    traces = observe(INCIDENT, 8, (0, 0), small=8)
    traces = having(traces, "n2", counters={"TcpExt.IPReversePathFilter": 2 * COUNT})
    answer = locate(traces, BURST, "lb")
    assert answer.drop.kind is DropKind.REVERSE_PATH and answer.drop.passing_size is None
    assert answer.drop.text.startswith("packets of every size (576 and 1500 bytes) end behind flannel.1 of n2")


def test_a_target_that_answers_nothing_is_not_called_a_drop() -> None:
    answer = locate(observe(INCIDENT, len(INCIDENT), (0, 0)), BURST, "lb")
    assert answer.drop.kind is DropKind.NONE
    assert "neither is answered" in answer.drop.text


def test_nothing_seen_is_said() -> None:
    assert "nothing of the trace was seen" in locate({}, BURST, None).drop.text


def test_the_message_that_comes_back_and_is_dropped_at_home() -> None:
    traces = observe(INCIDENT, 2, (COUNT, 0))
    back = (
        too_big_message(Stop("n1", 1, "eth0", "out"), "198.18.7.11"),
        too_big_message(Stop("lb", 100, "eth0", "in"), "198.18.7.11"),
    )
    for host, message in zip(("n1", "lb"), back):
        traces = having(traces, host, sightings=(*traces[host].sightings, message))
    traces = having(traces, "n1", counters={"Ip.FragFails": COUNT})
    traces = having(traces, "lb", rules=(rule(100, "icmp frag-needed drop", "input", COUNT),))
    fate = locate(traces, BURST, "lb").drop.icmp
    assert fate is not None and fate.sent and fate.arrived
    assert (fate.sent_by, fate.host, fate.filtered_by) == ("198.18.7.11", "n1", "icmp frag-needed drop")


def test_the_message_that_its_own_node_eats() -> None:
    counters = {"Ip.FragFails": COUNT, "IcmpMsg.OutType3": COUNT, "Ip.OutDiscards": COUNT}
    traces = having(observe(INCIDENT, 2, (COUNT, 0)), "n1", counters=counters)
    traces = having(traces, "n1", rules=(rule(1, "icmp drop", "output", COUNT),))
    fate = locate(traces, BURST, "lb").drop.icmp
    assert fate is not None and fate.sent and not fate.arrived
    assert (fate.host, fate.last_seen, fate.filtered_by) == ("n1", None, "icmp drop")


def test_no_message_is_said() -> None:
    drop = locate(observe(INCIDENT, 9, (COUNT, 0)), BURST, "lb").drop
    assert drop.icmp is not None and not drop.icmp.sent
    assert "no ICMP message tells the sender" in drop.text


def test_udp_without_any_answer_is_judged_by_what_was_seen() -> None:
    silent: List[Any] = [BURST.as_fact()]
    burst = read_burst({**silent[0], "protocol": "udp"})
    assert locate(observe(INCIDENT, len(INCIDENT), (0, 0)), burst, "lb").drop.kind is DropKind.NONE
    assert locate(observe(INCIDENT, 3, (0, 0)), burst, "lb").gap == 3

# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What nft, iptables-save and the kernel's trace print, as recorded."""

from __future__ import annotations

from pathlib import Path
from typing import Dict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.netfit.cluster.plugins.module_utils._model.sighting import KernelDrop
from ansible_collections.netfit.cluster.plugins.module_utils._trace.drop_reasons import near, parse_line
from ansible_collections.netfit.cluster.plugins.module_utils._trace.firewall import changes
from ansible_collections.netfit.cluster.plugins.module_utils._trace.iptables_rules import parse_saved
from ansible_collections.netfit.cluster.plugins.module_utils._trace.nft_rules import RuleReading, parse_ruleset

DATA = Path(__file__).resolve().parents[1] / "data" / "trace"


def nft_rules() -> Dict[str, RuleReading]:
    return {rule.text: rule for rule in parse_ruleset((DATA / "nft.json").read_text())}


def test_only_what_drops_is_kept_and_said_in_words() -> None:
    assert list(nft_rules()) == [
        "ip daddr 10.2.3.4 drop in chain inet f sub",
        "ip length > 1400 drop (too long) in chain inet f forward",
        "icmp type destination-unreachable icmp code frag-needed drop in chain inet f forward",
        "tcp dport { 80, 443 } reject in chain inet f forward",
        "meta iifname eth0 ip saddr @bad meta length 1000-1400 drop in chain inet f forward",
        "policy drop of chain inet f forward",
    ]


def test_a_chain_is_reached_from_where_it_is_jumped_to() -> None:
    rules = nft_rules()
    assert {rule.hooks for rule in rules.values()} == {("forward",)}
    assert rules["ip daddr 10.2.3.4 drop in chain inet f sub"].packets == 7
    assert rules["policy drop of chain inet f forward"].packets is None
    assert rules["tcp dport { 80, 443 } reject in chain inet f forward"].verdict == "reject"


@pytest.mark.parametrize("text", ["", "nonsense", "[]", '{"other": 1}', "null"])
def test_what_is_not_from_nft_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not what nft -j prints"):
        parse_ruleset(text)


def test_iptables_rules_policies_and_their_hooks() -> None:
    rules = parse_saved((DATA / "iptables-save.txt").read_text(), "ip")
    assert [(rule.text, rule.verdict, rule.hooks, rule.packets) for rule in rules] == [
        (
            '-A FORWARD -m length --length 1400:65535 -m comment --comment "too long" -j DROP in table ip filter',
            "drop",
            ("forward",),
            20,
        ),
        (
            "-A SUB -p icmp -m icmp --icmp-type 3/4 -j REJECT --reject-with icmp-port-unreachable in table ip filter",
            "reject",
            ("input",),
            0,
        ),
        ("policy DROP of chain OUTPUT in table ip filter", "drop", ("output",), 12),
    ]


@given(st.text(max_size=200))
def test_arbitrary_text_of_iptables_never_raises(text: str) -> None:
    assert isinstance(parse_saved("*filter\n" + text, "ip"), list)


def test_what_a_rule_dropped_meanwhile() -> None:
    def reading(key: str, packets: int) -> RuleReading:
        return RuleReading(key, key, "drop", ("input",), packets)

    before = {1: [reading("known", 5), reading("reset", 9)]}
    after = {1: [reading("known", 25), reading("reset", 2), reading("new", 3)]}
    assert {rule.text: rule.packets for rule in changes(before, after)} == {"known": 20, "reset": 0, "new": 3}


def test_the_trace_names_function_and_reason() -> None:
    lines = (DATA / "kfree_skb-6.18.txt").read_text().split("\n")
    assert [drop for line in lines for drop in parse_line(line)] == [
        KernelDrop(74928.457123, "ip_forward", "PKT_TOO_BIG"),
        KernelDrop(74928.461001, "br_dev_queue_push_xmit", "NOT_SPECIFIED"),
    ]


def test_before_linux_5_17_there_is_no_reason() -> None:
    (drop,) = parse_line((DATA / "kfree_skb-5.10.txt").read_text())
    assert drop == KernelDrop(5012.000123, "00000000c0ffee00", None)


def test_only_drops_soon_after_a_packet_are_kept() -> None:
    drops = [KernelDrop(moment, "somewhere") for moment in (0.9, 1.0, 1.005, 1.02, 2.001, 5.0)]
    assert [drop.moment for drop in near(drops, [2.0, 1.0])] == [1.0, 1.005, 2.001]
    assert near(drops, []) == []

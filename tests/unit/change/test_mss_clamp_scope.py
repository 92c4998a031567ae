# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which connections are clamped, as options, as rules, and as files."""

from __future__ import annotations

from typing import List, Set, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.netfit.cluster.plugins.module_utils._config.mss_clamp_files import (
    FIREWALL_FILE,
    LINK,
    RULES,
    firewall_text,
    rules_text,
    unit_text,
)
from ansible_collections.netfit.cluster.plugins.module_utils._kernel.nft import Table, replacing
from ansible_collections.netfit.cluster.plugins.module_utils._model.mss_clamp import (
    ClampScope,
    merged,
    parse_scope,
    table_text,
    unmatched,
)

EVERYTHING = (
    "table inet netfit_mss {\n"
    "\tchain forward {\n"
    "\t\ttype filter hook forward priority mangle; policy accept;\n"
    "\t\ttcp flags & (syn | rst) == syn counter tcp option maxseg size set rt mtu\n"
    "\t}\n"
    "}\n"
)
RANGES = st.tuples(st.integers(1, 300), st.integers(0, 20)).map(lambda one: (one[0], one[0] + one[1]))


def rules_of(scope: ClampScope) -> List[str]:
    """The rules without what they have in common."""
    lines = [line.strip() for line in table_text(scope).splitlines() if "maxseg" in line]
    return [
        " ".join(line.replace("tcp flags & (syn | rst) == syn", "").split(" counter ")[0].split()) for line in lines
    ]


def test_without_limits_one_rule_is_for_all() -> None:
    assert table_text(parse_scope((), ())) == EVERYTHING


def test_each_interface_is_meant_in_both_directions_and_with_each_range() -> None:
    assert rules_of(parse_scope(("flannel.1", "cali*", "cali*"), ())) == [
        'iifname "cali*"',
        'oifname "cali*"',
        'iifname "flannel.1"',
        'oifname "flannel.1"',
    ]
    assert rules_of(parse_scope(("eth0",), ("30000-32767", "80"))) == [
        'iifname "eth0" ct original proto-dst 80',
        'iifname "eth0" ct original proto-dst 30000-32767',
        'oifname "eth0" ct original proto-dst 80',
        'oifname "eth0" ct original proto-dst 30000-32767',
    ]


@pytest.mark.parametrize(
    "name", ["", "*", "a*b", "sixteen-letters-", "a/b", 'a"b', "a b", "a;b", "fifteen-letters*", "ä"]
)
def test_what_is_no_name_of_a_link_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"interfaces: .* is no name of a link: it has 1 to 15"):
        parse_scope((name,), ())


@pytest.mark.parametrize("text", ["", "0", "65536", "http", "20-10", "1-", "-1", "1,2", "1 ", "0-5", "80:90", "٣"])
def test_what_is_no_port_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"ports: .* is neither a port nor a range of ports: write numbers from 1"):
        parse_scope((), (text,))


@given(st.lists(RANGES, max_size=8))
def test_merged_ranges_are_the_same_ports_in_order_and_never_touch(ranges: List[Tuple[int, int]]) -> None:
    found = merged(ranges)

    def ports(some: List[Tuple[int, int]]) -> Set[int]:
        return {port for first, last in some for port in range(first, last + 1)}

    assert ports(list(found)) == ports(ranges)
    assert all(one[1] + 1 < other[0] for one, other in zip(found, found[1:]))


@given(st.permutations(["80", "443", "8080-8090", "8085-9000"]), st.permutations(["a", "b*", "c"]))
def test_the_order_of_the_options_is_of_no_account(ports: List[str], interfaces: List[str]) -> None:
    expected = parse_scope(("a", "b*", "c"), ("80", "443", "8080-9000"))
    assert parse_scope(interfaces, ports) == expected


def test_names_that_no_link_has_are_told() -> None:
    scope = parse_scope(("cali*", "flannel.1", "eth0"), ())
    assert unmatched(scope, ["lo", "eth0", "cali12"]) == ["flannel.1"]
    assert unmatched(scope, ["eth01", "flannel.1"]) == ["cali*", "eth0"]


def test_the_table_is_replaced_in_one_transaction() -> None:
    text = rules_text(replacing(Table("inet", "netfit_mss"), EVERYTHING))
    assert text.startswith("#!/usr/sbin/nft -f\n# Managed by netfit.cluster.mss_clamp")
    assert text.endswith(f"\ntable inet netfit_mss\ndelete table inet netfit_mss\n{EVERYTHING}")


def test_the_unit_loads_the_rules_at_boot_after_the_firewall() -> None:
    lines = unit_text("/sbin/nft").splitlines()
    assert {f"ExecStart=/sbin/nft -f {RULES}", "After=nftables.service", "WantedBy=sysinit.target"} <= set(lines)
    assert LINK.split("/")[-2] == "sysinit.target.wants"


def test_the_firewall_loads_them_after_whatever_it_does() -> None:
    lines = firewall_text("/sbin/nft").splitlines()
    load = f"-/sbin/nft -f {RULES}"
    assert lines[1:] == ["[Service]", f"ExecStartPost={load}", f"ExecReload={load}", f"ExecStopPost={load}"]
    assert FIREWALL_FILE.split("/")[-2] == "nftables.service.d"

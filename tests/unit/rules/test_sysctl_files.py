# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about what files make of kernel parameters, and about values that break container hosts."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Tuple

import pytest

from ansible_collections.netfit.cluster.plugins.module_utils._model.finding import Finding
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.assess import assess_host
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.policy import load_policy
from ansible_collections.netfit.cluster.tests.unit import builders as b

POLICY = load_policy()
SOMAXCONN = "net.core.somaxconn"
KEEPALIVE = "net.ipv4.tcp_keepalive_intvl"
A, B, CONF = "/etc/sysctl.d/10-a.conf", "/etc/sysctl.d/20-b.conf", "/etc/sysctl.conf"
OURS = "/etc/sysctl.d/90-netfit.conf"
VENDOR = "/usr/lib/sysctl.d/50-default.conf"
POD = {"net.ipv4.tcp_timestamps": "1"}
Setting = Optional[Tuple[Optional[str], str]]


def source(path: str) -> Dict[str, Any]:
    return {"file": path, "line": 3, "key": "as written"}


def setting(given: Setting) -> Dict[str, Any]:
    return {"value": given[0], "source": source(given[1])} if given else {"value": None, "source": None}


def shadowed(value: str, path: str, by: str, program: str = "next_boot", reason: str = "later_line") -> Dict[str, Any]:
    return {"program": program, "value": value, "source": source(path), "reason": reason, "by": by}


def key(
    live: Optional[str],
    next_boot: Setting = None,
    system: Any = "same",
    shadowed: Any = (),
    writers: Any = (),
    effect: str = "normal",
    reason: Optional[str] = None,
) -> Dict[str, Any]:
    return {
        "live": live,
        "next_boot": setting(next_boot),
        "system": setting(next_boot if system == "same" else system),
        "shadowed": list(shadowed),
        "writers": [{"program": name, "value": "1", "reason": "when it starts", "source": None} for name in writers],
        "effect": {"kind": effect, "reason": reason},
    }


def found(
    keys: Dict[str, Any],
    on_host: Optional[Dict[str, str]] = None,
    inside: Optional[Dict[str, str]] = None,
    policy: Any = POLICY,
    conf_at_boot: Optional[bool] = True,
    programs: Any = None,
) -> List[Finding]:
    live = {name: entry["live"] for name, entry in keys.items() if entry["live"] is not None}
    sysctls = [b.sysctl(b.HOST_INODE, b.host(), {**live, **(on_host or {})})]
    if inside is not None:
        sysctls.append(b.sysctl(77, b.pod(), inside, paths=["/run/netns/p"]))
    facts = b.facts(sysctls=sysctls, scopes={name: "namespace" for name in inside or {}})
    facts["netfit_sysctl"]["files"] = {
        "programs": programs or {"next_boot": "systemd-sysctl", "system": "procps 4"},
        "conf_at_boot": conf_at_boot,
        "parameters": keys,
    }
    return [one for one in assess_host("n1", facts, policy) if one.id.startswith("SYSCTL")]


def ids(*arguments: Any, **more: Any) -> List[Tuple[str, str]]:
    return sorted((one.id, one.target.key or "") for one in found(*arguments, **more))


class TestNextBoot:
    """SYSCTL-003."""

    @pytest.mark.parametrize(
        ("name", "entry", "expected"),
        [
            (SOMAXCONN, key("16384", ("16384", A)), False),
            (SOMAXCONN, key("16384", ("0x4000  # why", A)), False),
            (SOMAXCONN, key("16384", ("4096", A)), True),
            (SOMAXCONN, key("4096", ("16384", A)), True),
            # Without a line the default comes back: known for somaxconn, not for keys that depend on the machine.
            (SOMAXCONN, key("4096"), False),
            (SOMAXCONN, key("16384"), True),
            ("net.ipv4.tcp_rmem", key("4096 131072 33554432"), False),
            (KEEPALIVE, key("10"), False),
            (KEEPALIVE, key("10", ("75", A)), True),
            ("net.ipv4.tcp_rmem", key("4096 131072 6291456", ("4096\t131072 6291456", A)), False),
            ("net.ipv4.tcp_rmem", key("4096 131072 6291456", ("8192", A)), True),
            ("net.ipv4.tcp_congestion_control", key("bbr", ("bbr", A)), False),
            ("net.ipv4.tcp_congestion_control", key("cubic", ("bbr", A)), True),
            # Known programs set these after the files: a difference is what to expect.
            ("net.ipv4.ip_forward", key("1", ("0", A), writers=["dockerd"]), False),
            (SOMAXCONN, key("16384", writers=["tuned"]), False),
            # Of one interface, and what has no live value to compare.
            ("net.ipv4.conf.eth0.rp_filter", key("0", ("2", A)), False),
            ("net.ipv4.conf.all.log_martians", key("0", ("1", A)), True),
            (SOMAXCONN, key(None, ("16384", A)), False),
        ],
    )
    def test_a_difference_that_a_boot_makes_is_found(self, name: str, entry: Any, expected: bool) -> None:
        assert (("SYSCTL-003", name) in ids({name: entry})) is expected

    def test_without_systemd_nothing_is_known_of_the_next_boot(self) -> None:
        keys = {SOMAXCONN: key("16384", None, ("4096", A))}
        assert ids(keys, programs={"next_boot": None, "system": "procps 4"}) == []

    @pytest.mark.parametrize(
        ("live", "in_file", "wanted"),
        [("16384", "128", "16384"), ("128", "16384", "16384"), ("8192", "16384", "16384"), ("100", "128", "128")],
    )
    def test_the_remedy_is_the_value_that_satisfies_the_policy(self, live: str, in_file: str, wanted: str) -> None:
        [finding] = [one for one in found({SOMAXCONN: key(live, (in_file, A))}) if one.id == "SYSCTL-003"]
        assert finding.remedy is not None and finding.remedy.survives_restart
        assert finding.remedy.variables == {"sysctls": {SOMAXCONN: wanted}}
        assert (finding.observed, finding.severity.value) == (live, "medium")
        assert f"{in_file} at the next boot by {A}:3" in finding.expected

    def test_keys_outside_the_policy_matter_less(self) -> None:
        [finding] = found({KEEPALIVE: key("10", ("75", A))})
        assert finding.severity.value == "low"


class TestShadowedLines:
    """SYSCTL-004."""

    @pytest.mark.parametrize(
        ("name", "entry", "severity"),
        [
            # Ours, whatever the key and the reason.
            (KEEPALIVE, key("75", ("75", B), shadowed=[shadowed("60", OURS, f"{B}:3")]), "medium"),
            (KEEPALIVE, key("75", ("75", B), shadowed=[shadowed("60", A, f"{B}:3")]), None),
            (SOMAXCONN, key("8192", ("8192", B), shadowed=[shadowed("16384", A, f"{B}:3")]), "low"),
            (SOMAXCONN, key("128", ("128", B), shadowed=[shadowed("16384", A, f"{B}:3")]), "medium"),
            (SOMAXCONN, key("8192", ("8192", B), shadowed=[shadowed("8192", A, f"{B}:3")]), None),
            # Overriding the distribution is what /etc is for.
            (SOMAXCONN, key("8192", ("8192", B), shadowed=[shadowed("16384", VENDOR, f"{B}:3")]), None),
            (SOMAXCONN, key("4096", None, shadowed=[shadowed("8192", OURS, A, reason="hidden_file")]), "medium"),
            (SOMAXCONN, key("8192", (None, B), shadowed=[shadowed("8192", A, f"{B}:3")]), "medium"),
        ],
    )
    def test_a_line_that_misleads_is_found(self, name: str, entry: Any, severity: Optional[str]) -> None:
        told = [one.severity.value for one in found({name: entry}) if one.id == "SYSCTL-004"]
        assert told == ([] if severity is None else [severity])

    def test_it_names_the_line_and_what_stands_against_it(self) -> None:
        entry = key("128", ("8192", B), ("128", CONF), [shadowed("8192", OURS, f"{CONF}:7", "system")])
        [finding] = [one for one in found({SOMAXCONN: entry}) if one.id == "SYSCTL-004"]
        assert finding.observed == f"8192 by {OURS}:3"
        assert finding.expected == f'in force; {CONF}:7 says 128 for "sysctl --system"'
        assert finding.remedy is not None and finding.remedy.variables == {"sysctls": {SOMAXCONN: "8192"}}

    @pytest.mark.parametrize(("conf_at_boot", "expected"), [(False, True), (True, False), (None, False)])
    def test_sysctl_conf_that_no_boot_reads(self, conf_at_boot: Any, expected: bool) -> None:
        keys = {KEEPALIVE: key("60", None, ("60", CONF))}
        findings = found(keys, conf_at_boot=conf_at_boot)
        assert [one.id for one in findings] == (["SYSCTL-004"] if expected else [])
        assert not expected or f"{CONF} is not read at boot" in findings[0].expected


class TestDeadKeys:
    """SYSCTL-005."""

    @pytest.mark.parametrize(
        ("effect", "severity"),
        [("none", "low"), ("removed", "low"), ("unknown", "low"), ("misspelt", "medium"), ("not_yet", None)],
    )
    def test_a_line_without_effect_is_found(self, effect: str, severity: Optional[str]) -> None:
        entry = key(None, ("1", A), effect=effect, reason="for this reason")
        told = found({"net.ipv4.tcp_tw_recycle": entry})
        assert [(one.id, one.severity.value) for one in told] == ([("SYSCTL-005", severity)] if severity else [])
        assert not severity or ("for this reason" in told[0].expected and f"1 by {A}:3" in told[0].observed)

    def test_a_key_that_no_file_sets_is_none_of_its_business(self) -> None:
        assert ids({"net.ipv4.tcp_tw_recycle": key(None, effect="removed")}) == []
        assert ids({"net.ipv4.tcp_tw_recycle": key(None, (None, A), effect="removed")}) == []


class TestBreakingValues:
    """SYSCTL-006."""

    @pytest.mark.parametrize(
        ("on_host", "inside", "expected"),
        [
            ({"net.ipv4.ip_forward": "0"}, POD, ["net.ipv4.ip_forward"]),
            ({"net.ipv4.ip_forward": "0"}, None, []),
            ({"net.ipv4.ip_forward": "1"}, POD, []),
            ({"net.ipv4.tcp_timestamps": "0"}, None, ["net.ipv4.tcp_timestamps"]),
            ({"net.ipv4.tcp_timestamps": "2"}, None, []),
            ({}, {"net.ipv4.tcp_timestamps": "0"}, ["net.ipv4.tcp_timestamps"]),
            ({"net.ipv4.conf.all.rp_filter": "1"}, POD, ["net.ipv4.conf.all.rp_filter"]),
            ({"net.ipv4.conf.all.rp_filter": "2"}, POD, []),
            ({"net.ipv4.tcp_max_tw_buckets": "2048"}, None, []),
            ({"net.ipv4.tcp_tw_recycle": "1"}, None, ["net.ipv4.tcp_tw_recycle"]),
            ({"net.ipv4.tcp_rmem": "4096 12582912 16777216"}, None, ["net.ipv4.tcp_rmem"]),
            ({"net.ipv4.tcp_rmem": "4096 131072 33554432"}, None, []),
            ({"net.ipv4.ip_local_port_range": "1024 65000"}, POD, ["net.ipv4.ip_local_port_range"]),
            ({"net.ipv4.ip_local_port_range": "32767 60999"}, POD, ["net.ipv4.ip_local_port_range"]),
            ({"net.ipv4.ip_local_port_range": "32768 60999"}, POD, []),
            ({"net.ipv4.ip_local_port_range": "1024 29999"}, POD, []),
        ],
    )
    def test_live(self, on_host: Any, inside: Any, expected: List[str]) -> None:
        assert [name for rule, name in ids({}, on_host, inside) if rule == "SYSCTL-006"] == expected

    @pytest.mark.parametrize(
        ("reserved", "expected"),
        [
            ("30000-32767", False),
            ("8080,30000-31000,31001-32767", False),
            ("1-65535", False),
            ("30000-32766", True),
            ("30001-32767", True),
            ("30000", True),
            ("", True),
            ("odd,-,x-y", True),
        ],
    )
    def test_ports_that_are_reserved_do_no_harm(self, reserved: str, expected: bool) -> None:
        on_host = {"net.ipv4.ip_local_port_range": "1024 65000", "net.ipv4.ip_local_reserved_ports": reserved}
        told = [one for one in found({}, on_host, POD) if one.id == "SYSCTL-006"]
        assert bool(told) is expected
        if told and reserved in ("30000", ""):
            ports = "30000,30000-32767" if reserved else "30000-32767"
            assert told[0].remedy is not None
            assert told[0].remedy.variables == {"sysctls": {"net.ipv4.ip_local_reserved_ports": ports}}

    @pytest.mark.parametrize(
        ("name", "entry", "severity"),
        [
            ("net.ipv4.ip_forward", key("1", ("0", A)), "critical"),
            ("net.ipv4.ip_forward", key("1", ("0", A), writers=["dockerd"]), "medium"),
            ("net.ipv4.ip_forward", key("1", None, ("0", CONF)), "critical"),
            ("net.ipv4.conf.all.forwarding", key("1", ("0", A)), "critical"),
            ("net.ipv4.tcp_max_tw_buckets", key("131072", ("5000", A)), "medium"),
            ("net.ipv4.tcp_max_tw_buckets", key("131072", ("262144", A)), None),
            # Told by SYSCTL-005.
            ("net.ipv4.tcp_tw_recycle", key(None, ("1", A), effect="removed"), None),
            ("net.ipv4.tcp_timestamps", key("1", ("odd", A)), None),
        ],
    )
    def test_in_a_file(self, name: str, entry: Any, severity: Optional[str]) -> None:
        told = [one for one in found({name: entry}, {}, POD) if one.id == "SYSCTL-006"]
        assert [one.severity.value for one in told] == ([severity] if severity else [])
        assert all(one.remedy and set(one.remedy.variables["sysctls"]) == {name} for one in told)

    def test_ports_that_the_same_boot_reserves_do_no_harm(self) -> None:
        keys = {
            "net.ipv4.ip_local_port_range": key("32768 60999", ("1024 65000", A)),
            "net.ipv4.ip_local_reserved_ports": key("", ("30000-32767", A)),
        }
        assert ("SYSCTL-006", "net.ipv4.ip_local_port_range") not in ids(keys, {}, POD)

    def test_what_the_policy_says_of_a_live_value_is_not_said_twice(self) -> None:
        on_host = {"net.ipv4.tcp_abort_on_overflow": "1"}
        assert [rule for rule, _name in ids({}, on_host)] == ["SYSCTL-001"]
        without = load_policy({"rules": {"SYSCTL-001": {"enabled": False}}})
        assert [rule for rule, _name in ids({}, on_host, policy=without)] == ["SYSCTL-006"]

    def test_of_a_vector_only_what_breaks_is_lowered(self) -> None:
        [finding] = [
            one for one in found({}, {"net.ipv4.tcp_rmem": "4096 12582912 16777216"}) if one.id == "SYSCTL-006"
        ]
        assert finding.remedy is not None
        assert finding.remedy.variables == {"sysctls": {"net.ipv4.tcp_rmem": "4096 1048576 16777216"}}

    def test_containers_that_hang_on_nothing_need_no_forwarding(self) -> None:
        def told(peer_namespace: int) -> List[str]:
            facts = b.facts(
                networks=[
                    b.network(b.HOST_INODE, b.host(), [b.link("v0", 1500, index=7)], []),
                    b.network(77, b.pod(), [b.link("eth0", 1500, peer=b.peer(peer_namespace, 7))], []),
                ],
                sysctls=[
                    b.sysctl(b.HOST_INODE, b.host(), {"net.ipv4.ip_forward": "0"}),
                    b.sysctl(77, b.pod(), POD),
                ],
            )
            return [one.id for one in assess_host("n1", facts, POLICY) if one.id.startswith("SYSCTL")]

        assert told(b.HOST_INODE) == ["SYSCTL-006"]
        assert told(99) == []


def test_a_healthy_host_is_left_in_peace() -> None:
    """What an untouched Debian 12 has, with what it ships in sysctl.d."""
    keys = {name: key(None) for name in POLICY.sysctl_keys}
    keys["net.ipv4.tcp_syncookies"] = key("1")
    keys[SOMAXCONN] = key("4096")
    assert ids(keys, {"net.ipv4.ip_forward": "0", "net.ipv4.ip_local_port_range": "32768 60999"}) == []

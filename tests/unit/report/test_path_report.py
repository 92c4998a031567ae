# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measured paths in the report: the document and its schema, the picture, the verification."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Dict, List, Optional

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.netfit.cluster.plugins.module_utils._model.path import HttpRequest, Verdict
from ansible_collections.netfit.cluster.plugins.plugin_utils._report.document import (
    SCHEMA_FILE,
    build_document,
    describe_policy,
)
from ansible_collections.netfit.cluster.plugins.plugin_utils._report.mesh_picture import picture
from ansible_collections.netfit.cluster.plugins.plugin_utils._report.terminal import render, where
from ansible_collections.netfit.cluster.plugins.plugin_utils._report.verification import verification_lines, verify
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.assess import assess_host
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.assess_mesh import assess_mesh
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.policy import load_policy
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.read_paths import read_measured
from ansible_collections.netfit.cluster.tests.unit import builders as b

POLICY = load_policy()
SCHEMA = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def document(paths: Dict[str, List[Any]], tcp_paths: Optional[Dict[str, List[Any]]] = None) -> Dict[str, Any]:
    """Return the report on these paths, by host."""
    ports = tcp_paths or {}
    names = sorted({*paths, *ports})
    measured = {name: read_measured(name, paths.get(name), ports.get(name)) for name in names}
    assessments = {}
    for name in names:
        facts = b.facts([b.network(b.HOST_INODE, b.host(name), [b.link("eth0", 1500, "physical")], [])])
        assessments[name] = {
            "status": "audited",
            "reason": None,
            "kernel": b.KERNEL,
            "namespaces": 1,
            "findings": [one.as_fact() for one in assess_host(name, facts, POLICY, measured[name])],
            "paths": paths.get(name, []),
            "tcp_paths": ports.get(name, []),
        }
    mesh = assess_mesh(measured, {}, POLICY)
    between = [one.as_fact() for one in mesh.findings]
    return build_document(assessments, between, describe_policy(POLICY), explained=mesh.explained)


def mesh(size: int, bad: int = 0, fault: Any = None, digits: int = 1) -> Dict[str, List[Any]]:
    """A full mesh of hosts; what one of them sends has a fault."""
    name = f"n{{:0{digits}}}".format
    return {
        name(one): [
            b.path(name(other), fault if one == bad else None, fault if other == bad else None)
            for other in range(one + 1, size + 1)
        ]
        for one in range(1, size + 1)
    }


def text(lines: List[Any]) -> str:
    return "\n".join(line.text for line in lines)


PORTS = {"client": [b.tcp_path("n1", 1450, Verdict.REDUCED, requests=(HttpRequest(3000, "answered", 200),))]}


def test_the_schema_holds_documents_with_paths() -> None:
    found = document(mesh(4, 3, b.black(1400)), PORTS)
    VALIDATOR.validate(found)
    assert [entry["kind"] for entry in found["paths"]] == ["path"] * 6 + ["tcp"]
    first, last = found["paths"][0], found["paths"][-1]
    assert (first["host"], first["peer"]["host"], first["forward"]["path_mtu"]) == ("n1", "n2", 1500)
    assert (last["peer"]["name"], last["advertised_mss"], last["segments"][1]["outcome"]) == (
        "port 30004 of n1",
        1460,
        "lost",
    )
    assert found["schema_version"] == 1


def test_paths_are_sorted_whatever_the_order_they_came_in() -> None:
    paths = mesh(5)
    shuffled = {name: list(reversed(paths[name])) for name in reversed(list(paths))}
    assert json.dumps(document(paths)["paths"]) == json.dumps(document(shuffled)["paths"])


def test_findings_that_a_cause_explains_are_not_in_the_report() -> None:
    found = document(mesh(5, 3, b.black(1400)))
    assert [(one["id"], one["target"]["host"], one["target"]["peer"]) for one in found["findings"]] == [
        ("PATH-001", "n3", None)
    ]
    assert found["hosts"]["n3"]["severity"]["critical"] == 1 and found["summary"]["hosts"]["healthy"] == 4


def test_no_host_is_healthy_where_the_whole_cluster_is_not() -> None:
    paths = {
        host: [{**one, "forward": b.black(1400).as_fact(), "back": b.black(1400).as_fact()} for one in own]
        for host, own in mesh(5).items()
    }
    assert document(paths)["summary"]["hosts"]["healthy"] == 0
    assert "Nothing found on" not in text(render(document(paths), 100))


ODD: List[Any] = [None, "", "x", -1, 0, True, 1.5, [], {}, ["x"], {"x": 1}, 1 << 70, "black hole"]
FIELDS = [*b.path("n2"), *b.tcp_path("n2"), "nothing"]


@settings(max_examples=200)
@given(st.dictionaries(st.sampled_from(FIELDS), st.sampled_from(ODD), max_size=8), st.booleans())
def test_whatever_was_measured_the_document_is_valid(changes: Dict[str, Any], tcp: bool) -> None:
    entry = {**(b.tcp_path("n2") if tcp else b.path("n2", b.black(1400))), **changes}
    found = document({"n1": [] if tcp else [entry]}, {"n1": [entry] if tcp else []})
    VALIDATOR.validate(json.loads(json.dumps(found)))
    assert text(render(found, 80)) and verification_lines(verify(found), 80)


def drawn(paths: Any, columns: int = 100, tcp_paths: Any = None) -> str:
    return text(picture(document(paths, tcp_paths)["paths"], columns))


def test_a_mesh_in_order_is_one_line() -> None:
    assert drawn(mesh(4)).splitlines() == [
        "Measured paths, largest IP packet in bytes:",
        "  host to host, IPv4: 6 paths, directions: 12 carry 1500",
    ]


def test_a_small_mesh_is_a_matrix_with_marks() -> None:
    shown = drawn(mesh(4, 3, b.black(1400))).splitlines()
    assert shown[1:7] == [
        "  host to host, IPv4: 6 paths, directions: 9 carry 1500, 3 carry 1400!",
        "    from \\ to    n1    n2    n3    n4",
        "    n1            -  1500  1500  1500",
        "    n2         1500     -  1500  1500",
        "    n3        1400! 1400!     - 1400!",
        "    n4         1500  1500  1500     -",
    ]
    assert shown[-1] == "  ! black hole: larger packets vanish without ICMP"


def test_names_are_sorted_as_people_count() -> None:
    shown = drawn(mesh(11, 3, b.black(1400)))
    assert shown.splitlines()[2].split()[3:] == [f"n{number}" for number in range(1, 12)]


def test_every_colour_has_a_mark() -> None:
    own = mesh(5)
    faults = [b.black(1400), b.reduced(1400), b.unreachable(), b.unknown("lossy"), b.direction(1450)]
    own["n1"] = [replace_forward(one, fault) for one, fault in zip([*own["n1"], *own["n2"]], faults)]
    lines = picture(document(own)["paths"], 100)
    assert {line.tone for line in lines} >= {None, "critical"}
    for mark in ("1400!", "1400~", "x", "?"):
        assert mark in text(lines)
    assert all(any(sign in line.text for sign in "!~x?<") for line in lines if line.tone is not None)


def replace_forward(entry: Any, forward: Any) -> Any:
    return {**entry, "forward": forward.as_fact()}


@pytest.mark.parametrize("size", [17, 30])
def test_a_large_mesh_shows_what_deviates(size: int) -> None:
    shown = drawn(mesh(size, 3, b.black(1400), digits=2)).splitlines()
    assert "directions:" in shown[1] and f"{size - 1} carry 1400!" in shown[1]
    assert shown[2] == "    n03 to n01: 1400!" and "from \\ to" not in "\n".join(shown)


def test_many_deviations_are_counted() -> None:
    assert "    and 9 more in the report" in drawn(mesh(30, 3, b.black(1400), digits=2)).splitlines()


@pytest.mark.parametrize("columns", [60, 80, 120])
@pytest.mark.parametrize("size", [4, 9, 16, 20])
def test_the_picture_fits_the_terminal(columns: int, size: int) -> None:
    pods = {
        f"n{one}": [
            b.path(
                f"n{other}",
                b.black(1400) if one == 2 else None,
                source=b.pod(f"a-pod-with-quite-a-long-name-{one}"),
                peer=b.pod(f"a-pod-with-quite-a-long-name-{other}"),
            )
            for other in range(one + 1, size + 1)
        ]
        for one in range(1, size + 1)
    }
    shown = drawn(pods, columns)
    assert max(len(line) for line in shown.splitlines() if " to pod " not in line) <= columns
    assert "1400!" in shown


def test_node_ports_are_listed() -> None:
    ports = {"client": [b.tcp_path("n1", 1450, Verdict.REDUCED), b.tcp_path("n2")]}
    shown = drawn({}, tcp_paths=ports)
    assert "outside to node port, IPv4: 2 paths, directions: 1 carry 1450~, 1 carry 1500" in shown
    assert "    client to port 30004 of n1: 1450~" in shown


def verdict(paths: Any = (), tcp_paths: Any = ()) -> Any:
    return verify(document({"n1": list(paths)}, {"n1": list(tcp_paths)}))


@pytest.mark.parametrize(
    ("path", "fault"),
    [
        (b.path("n3"), None),
        (b.path("n3", expected_mtu=1500), None),
        (b.path("n3", b.direction(1450), b.direction(1450), expected_mtu=1450), None),
        (b.path("n3", b.reduced(1450), b.reduced(1450), expected_mtu=1450), None),
        (b.path("n3", b.reduced(1400), b.reduced(1400), expected_mtu=1450), "carries 1400"),
        (b.path("n3", back=b.reduced(1400), expected_mtu=1450), "back: carries 1400"),
        (b.path("n3", b.reduced(1400)), "there: carries 1400, less than its sender's link"),
        (b.path("n3", back=b.reduced(1400)), "back: carries 1400, less than its sender's link"),
        (b.path("n3", b.direction(1450), b.direction(1450)), "there: carries 1450"),
        (b.path("n3", back=b.direction(1450)), None),
        (b.path("n3", b.black(1450), expected_mtu=1450), "there: black hole, more than 1450 vanishes"),
        (b.path("n3", b.unreachable(), b.unreachable()), "unreachable"),
        (b.path("n3", b.unknown(), b.unknown()), "unknown, too many packets are lost"),
        (
            b.path("n3", replace(b.unknown(), at_least=1450), expected_mtu=1400),
            "there: unknown, too many packets are lost",
        ),
    ],
)
def test_a_path_is_verified_by_what_is_expected_of_it(path: Any, fault: Optional[str]) -> None:
    (check,) = verdict([path]).checks
    assert check.fault == fault


@pytest.mark.parametrize(
    ("path", "fault"),
    [
        (b.tcp_path("n3"), None),
        (b.tcp_path("n3", 1450, mss=1410), None),
        (b.tcp_path("n3", 1450, mss=1410, expected_mtu=1500), "carries 1450"),
        (b.tcp_path("n3", 1450, Verdict.REDUCED), "carries 1450, and works only because ICMP arrives"),
        (
            b.tcp_path("n3", 1450, Verdict.REDUCED, expected_mtu=1450),
            "carries 1450, and works only because ICMP arrives",
        ),
        (b.tcp_path("n3", 1450, Verdict.BLACK_HOLE), "black hole, more than 1450 vanishes"),
        (b.tcp_path("n3", None, Verdict.UNREACHABLE), "unreachable"),
        (b.tcp_path("n3", None, Verdict.UNKNOWN), "unknown, no reason given"),
    ],
)
def test_a_port_is_verified_by_what_it_invites(path: Any, fault: Optional[str]) -> None:
    (check,) = verdict((), [path]).checks
    assert check.fault == fault


def test_verification_says_expected_and_measured_of_each_path() -> None:
    found = verdict([b.path("n3", expected_mtu=1500), b.path("n4", b.reduced(1400), expected_mtu=1500)])
    assert text(verification_lines(found, 100)).splitlines() == [
        "Verification, largest IP packet in bytes (there / back):",
        "  ok    n1 to n3: expected 1500, measured 1500 / 1500",
        "  FAIL  n1 to n4: expected 1500, measured 1400 / 1500: there: carries 1400",
        "Not verified: 1 of 2 paths do not carry what is expected.",
    ]


def test_nothing_measured_is_not_verified() -> None:
    assert verdict().verdict == "nothing was measured"


def test_a_host_that_could_not_measure_is_not_verified() -> None:
    found = document({"n1": [b.path("n3")]})
    found["hosts"]["n2"] = {**found["hosts"]["n1"], "status": "unreachable", "reason": "timed out"}
    assert verify(found).verdict == "not measured from n2 (unreachable: timed out)"
    assert verify(document({"n1": [b.path("n3")]})).verdict is None


def test_what_all_hosts_have_together_is_not_told_as_one_hosts() -> None:
    mesh = {"host": "n1", "scope": "cluster", "owner": {"kind": "unknown", "name": None}}
    assert where({**mesh, "peer": "host to pod, everywhere"}) == "all hosts together, host to pod, everywhere"
    pod = {"kind": "pod", "name": "prod/gateway", "pod": "gateway", "pod_namespace": "prod"}
    assert where({"host": "n1", "scope": "pod", "owner": pod, "peer": "n2"}) == "n1, pod prod/gateway, to n2"

# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What comes by way of Ansible has classes of its own; nothing of them gets into views, findings and reports."""

from __future__ import annotations

import dataclasses
from enum import Enum
from typing import Any, Dict, Iterator, List

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.netfit.cluster.plugins.module_utils._model.path import Verdict
from ansible_collections.netfit.cluster.plugins.plugin_utils._report.document import build_document, describe_policy
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.assessment import (
    AUDIT,
    assess_one,
    assess_together,
    current_assessment,
    current_facts,
    kept_assessment,
    kept_facts,
    reported_assessment,
)
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.plain import plain_copy
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.policy import load_policy
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.read_paths import read_measured
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.read_view import view_host
from ansible_collections.netfit.cluster.tests.unit import builders as b

POLICY = load_policy()
PLAIN = (str, int, float, bool, type(None), dict, list, tuple, set, frozenset)


class Text(str):
    """A text that Ansible knows more about; as Ansible's own, str() makes a plain one of it."""


class Listing(List[Any]):
    """A list of Ansible's."""


class Mapped(Dict[str, Any]):
    """A mapping of Ansible's."""


def as_it_comes(value: Any) -> Any:
    """Return a value in these classes, all the way down."""
    if isinstance(value, dict):
        return Mapped({Text(name): as_it_comes(entry) for name, entry in value.items()})
    if isinstance(value, (list, tuple)):
        return Listing(as_it_comes(entry) for entry in value)
    return Text(value) if isinstance(value, str) else value


def parts(value: Any) -> Iterator[Any]:
    """Yield everything inside."""
    yield value
    if isinstance(value, dict):
        inner: List[Any] = [*value, *value.values()]
    elif isinstance(value, (list, tuple, set, frozenset)):
        inner = list(value)
    elif dataclasses.is_dataclass(value):
        inner = [getattr(value, field.name) for field in dataclasses.fields(value)]
    else:
        inner = []
    for one in inner:
        yield from parts(one)


def foreign(value: Any) -> List[Any]:
    """Return what is neither plain nor ours."""
    ours = (one for one in parts(value) if not dataclasses.is_dataclass(one) and not isinstance(one, Enum))
    return [one for one in ours if one.__class__ not in PLAIN and one.__class__.__name__ != "mappingproxy"]


def measured() -> Dict[str, Any]:
    drop = {"text": "too big", "kind": "icmp", "size": 1500, "icmp": {"host": "n1", "sent_by": "eth0"}}
    return {
        "paths": [b.path("n1", b.black(1400), b.black(1400)), b.path("n1", peer=b.pod())],
        "tcp_paths": [b.tcp_path("n1", 1400, Verdict.BLACK_HOLE)],
        "traces": [{"burst": {"target": "192.0.2.7"}, "drops": [drop]}],
        "http_requests": [b.http_target("n1")],
        "keepalive": [b.idle_target("n1")],
    }


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(VALUES)
def test_a_copy_is_equal_plain_and_shares_nothing_that_can_change(value: Any) -> None:
    given_value = as_it_comes(value)
    copied = plain_copy(given_value)
    assert copied == value and foreign(copied) == []
    theirs = {id(one) for one in parts(value) if isinstance(one, (dict, list))}
    assert not [one for one in parts(plain_copy(value)) if id(one) in theirs]


def test_views_hold_nothing_of_what_they_were_made_of() -> None:
    for name, facts in b.incident(node_ports=True).items():
        assert foreign(view_host(name, as_it_comes(facts))) == []
        assert view_host(name, as_it_comes(facts)) == view_host(name, facts)
    results = measured()
    assert foreign(read_measured("n2", **as_it_comes(results))) == []
    assert read_measured("n2", **as_it_comes(results)) == read_measured("n2", **results)


def test_findings_and_reports_are_the_same_and_plain_whatever_the_facts_came_as() -> None:
    incident, results = b.incident(), measured()
    found = {}
    for name, make in (("plain", plain_copy), ("as they come", as_it_comes)):
        kept = {
            host: assess_one(host, make(facts), make(results) if host == "n2" else {}, POLICY, "audited", None)
            for host, facts in incident.items()
        }
        hosts = [(host, make(incident[host]), make(kept[host])) for host in incident]
        together = assess_together(hosts, POLICY)
        variables = {host: {"ansible_facts": make({"netfit_assessment": kept[host]})} for host in incident}
        reported = {host: reported_assessment(own) for host, own in variables.items()}
        document = build_document(reported, together["findings"], describe_policy(POLICY))
        assert foreign(together) == [] and foreign(document) == []
        found[name] = {**document, "generated_at": None}
    assert found["plain"] == found["as they come"]
    assert found["plain"]["paths"] and found["plain"]["findings"]


def test_what_a_cache_kept_counts_for_nothing() -> None:
    facts = b.incident()["n2"]
    old = {"status": "audited", "findings": [], AUDIT: "yesterday"}
    variables = {AUDIT: "today", "ansible_facts": {**facts, "netfit_assessment": old}}
    for read in (kept_assessment, current_assessment, reported_assessment):
        assert read(variables) is None
        assert read({**variables, AUDIT: "yesterday"}) == old
    for take in (kept_facts, current_facts):
        assert take(variables, {"status": "unreachable"}) == {}
        assert take(variables, None) == {name: facts[name] for name in facts if name.startswith("netfit_")}

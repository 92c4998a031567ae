# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waivers: what they match, when they expire, and what is refused."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Dict, List

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.assess import assess_host
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.policy import load_policy
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.waiver_file import WaiverError, load_waivers
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.waivers import (
    apply_waivers,
    describe_waivers,
)
from ansible_collections.netfit.cluster.tests.unit import builders as b

TODAY = date(2026, 6, 30)
FINDINGS = [one.as_fact() for one in assess_host("n2", b.incident()["n2"], load_policy())]
HOSTS = {"n2": {"status": "audited"}, "n3": {"status": "unreachable"}}


def waiver(rule: str = "MTU-001", expires: Any = None, **target: str) -> Dict[str, Any]:
    return {"rule": rule, "target": target or {"host": "*"}, "justification": "known", "by": "Jo", "expires": expires}


def judged_by(waivers: Any, findings: Any = FINDINGS) -> List[Dict[str, Any]]:
    return list(apply_waivers(findings, load_waivers(waivers), TODAY).findings)


def statuses(*waivers: Any) -> List[str]:
    """The status of MTU-001 of the pod prod/gateway, and of QUEUE-001 of sshd."""
    return [one["status"] for one in judged_by(list(waivers))]


def test_the_incident_has_one_failure_of_each_kind() -> None:
    assert [one["id"] for one in FINDINGS] == ["MTU-001", "QUEUE-001"]
    assert statuses() == ["fail", "fail"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (waiver(), ["waived", "fail"]),
        (waiver("*"), ["waived", "waived"]),
        (waiver("MTU-*"), ["waived", "fail"]),
        (waiver("QUEUE-00[12]"), ["fail", "waived"]),
        (waiver("MTU-002"), ["fail", "fail"]),
        (waiver("*", host="n2"), ["waived", "waived"]),
        (waiver("*", host="n?"), ["waived", "waived"]),
        (waiver("*", host="n"), ["fail", "fail"]),
        (waiver("*", host="N2"), ["fail", "fail"]),
        (waiver("*", host="n2", scope="pod"), ["waived", "fail"]),
        (waiver("*", owner="prod/*"), ["waived", "fail"]),
        (waiver("*", owner="gateway"), ["waived", "fail"]),
        (waiver("*", owner="prod"), ["fail", "fail"]),
        (waiver("*", link="*"), ["waived", "fail"]),
        (waiver("*", link="eth1"), ["fail", "fail"]),
        (waiver("*", listener="tcp *:22"), ["fail", "waived"]),
        (waiver("*", listener="tcp 0.0.0.0:22"), ["fail", "waived"]),
        (waiver("*", key="*"), ["fail", "fail"]),
        (waiver("*", link="eth0", listener="*"), ["fail", "fail"]),
    ],
)
def test_every_pattern_has_to_match(given: Dict[str, Any], expected: List[str]) -> None:
    assert statuses(given) == expected


def test_a_waived_finding_keeps_all_but_its_status() -> None:
    [judged, untouched] = judged_by([waiver(expires=date(2026, 7, 1))])
    assert judged == {
        **FINDINGS[0],
        "status": "waived",
        "waiver": {"by": "Jo", "justification": "known", "expires": "2026-07-01", "expired": False},
    }
    assert untouched == FINDINGS[1]


def test_an_expired_waiver_reopens_and_says_so() -> None:
    [judged, _other] = judged_by([waiver(expires=date(2026, 6, 29))])
    assert (judged["status"], judged["waiver"]["expired"]) == ("fail", True)


def test_of_several_the_one_that_lasts_longest_counts() -> None:
    old, new, ever = (waiver(expires=day) for day in (date(2026, 1, 1), date(2026, 12, 31), None))
    for order in ([old, new], [new, old]):
        [judged, _other] = judged_by(order)
        assert (judged["status"], judged["waiver"]["expires"]) == ("waived", "2026-12-31")
    assert judged_by([new, ever])[0]["waiver"]["expires"] is None


def test_what_could_not_be_checked_cannot_be_accepted() -> None:
    error = {**FINDINGS[0], "id": "AUDIT-001", "status": "error"}
    assert judged_by([waiver("*")], [error]) == [error]


@given(st.text(min_size=1).filter(str.strip), st.text(min_size=1).filter(str.strip))
def test_any_name_matches_itself_and_any_text_is_a_pattern(name: str, pattern: str) -> None:
    finding = {**FINDINGS[0], "target": {**FINDINGS[0]["target"], "listener": name.strip()}}
    [judged] = judged_by([waiver(listener=name)], [finding])
    assert judged["status"] == "waived"
    judged_by([waiver(listener=pattern)], [finding])


@given(st.integers(-400, 400))
def test_the_last_day_counts(days: int) -> None:
    expected = "waived" if days >= 0 else "fail"
    assert statuses(waiver(expires=(TODAY + timedelta(days=days)).isoformat()))[0] == expected


@pytest.mark.parametrize(
    ("given", "unused"),
    [
        (waiver(), None),
        (waiver(expires="2020-01-01"), None),
        (waiver("MTU-002"), "nothing of the kind was found"),
        (waiver(host="n3"), "its hosts could not be audited"),
        (waiver(host="n9"), "no host of this run has such a name"),
    ],
)
def test_a_waiver_that_matches_nothing_is_told_with_the_reason(given: Dict[str, Any], unused: Any) -> None:
    waivers = load_waivers([given])
    matches = apply_waivers(FINDINGS, waivers, TODAY).matches
    [entry] = describe_waivers(waivers, matches, HOSTS, TODAY)["entries"]
    assert (entry["unused"], entry["findings"]) == (unused, 0 if unused else 1)


def test_a_file_is_read_with_its_dates(tmp_path: Path) -> None:
    text = "- {rule: MTU-*, target: {host: 'n*'}, justification: known, expires: %s}\n"
    (tmp_path / "own.yml").write_text(text % "2026-07-01" + text % "'2026-07-02'", encoding="utf-8")
    waivers = load_waivers("own.yml", tmp_path)
    assert waivers.source == str(tmp_path / "own.yml")
    assert [one.expires for one in waivers.entries] == [date(2026, 7, 1), date(2026, 7, 2)]
    assert waivers.entries[0].by is None


@pytest.mark.parametrize("nothing", [None, "", []])
def test_none_is_none(nothing: Any) -> None:
    assert load_waivers(nothing).entries == ()


def test_an_empty_file_is_none(tmp_path: Path) -> None:
    (tmp_path / "own.yml").write_text("---\n", encoding="utf-8")
    assert load_waivers("own.yml", tmp_path).entries == ()


def without(name: str) -> Dict[str, Any]:
    return {key: value for key, value in waiver().items() if key != name}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (5, "5 is neither a list nor the path of a YAML file"),
        ({"rule": "MTU-001"}, "is neither a list nor the path of a YAML file"),
        (["MTU-001"], "waiver 1 is 'MTU-001', but must be a mapping with rule, target, justification"),
        ([without("rule")], "waiver 1 has no rule; a waiver needs rule, target, justification"),
        ([without("target")], "waiver 1 has no target"),
        ([waiver(), without("justification")], "waiver 2 has no justification"),
        ([{**waiver(), "justification": " "}], "waiver 1: justification is ' ', but must be a text"),
        ([{**waiver(), "by": 7}], "waiver 1: by is 7, but must be a text"),
        ([{**waiver(), "expire": "2026-01-01"}], "expire is no setting of a waiver; did you mean expires?"),
        ([waiver("MTU-0011")], "waiver 1: rule is 'MTU-0011', but must be a rule, or a pattern of rules; did you mean"),
        ([waiver("MUT-*")], "rule is 'MUT-*'"),
        ([{**waiver(), "target": {}}], "target is {}, but must be a mapping with some of host, scope, owner"),
        ([{**waiver(), "target": "n2"}], "target is 'n2', but must be a mapping"),
        ([waiver(hots="n2")], "target.hots is no part of a target; did you mean host?"),
        ([{**waiver(), "target": {"host": 5}}], "target.host is 5, but must be a text"),
        ([waiver(expires="soon")], "expires is 'soon', but must be a date, such as 2027-01-31"),
        ([waiver(expires="31.12.2026")], "expires is '31.12.2026', but must be a date"),
        ([waiver(expires=20261231)], "expires is '20261231', but must be a date"),
        ([waiver(expires=datetime(2026, 12, 31))], "expires is '2026-12-31 00:00:00', but must be a date"),
    ],
)
def test_what_cannot_be_meant_is_refused(given: Any, words: str) -> None:
    with pytest.raises(WaiverError) as refused:
        load_waivers(given)
    assert str(refused.value).startswith("netfit_waivers: ") and words in str(refused.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"- rule: [", "own.yml is not valid YAML"),
        (b"- {rule: x, expires: 2026-13-45}", "own.yml is not valid YAML: month must be in"),
        (b"rule: MTU-001", "own.yml must be a list of waivers, each with rule, target, justification"),
        (b"\xff", "own.yml could not be read"),
        (b"- 5", "own.yml): waiver 1 is 5"),
    ],
)
def test_a_bad_file_is_named(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "own.yml").write_bytes(content)
    with pytest.raises(WaiverError) as refused:
        load_waivers("own.yml", tmp_path)
    assert words in str(refused.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(WaiverError, match=r"own\.yml could not be read: "):
        load_waivers("own.yml", tmp_path)

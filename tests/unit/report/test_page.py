# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""report.html as a whole: well-formed, self-contained, reachable by keyboard and screen reader, safe, small."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from collections import Counter
from typing import Any, Dict, List, Optional, Tuple
from xml.etree.ElementTree import Element

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.netfit.cluster.plugins.plugin_utils._report.document import build_document
from ansible_collections.netfit.cluster.plugins.plugin_utils._report.html.finding_list import MOST_IN_FULL
from ansible_collections.netfit.cluster.plugins.plugin_utils._report.html.page import DIRECTIONS, render_page
from ansible_collections.netfit.cluster.plugins.plugin_utils._report.safe_text import writable
from ansible_collections.netfit.cluster.tests.unit.report.pages import (
    DATA,
    SECTIONS,
    by_class,
    large_report,
    recorded,
    section,
    text_of,
    tree,
    tree_of,
    visible_lines,
    with_requests,
)

CASES: List[Tuple[str, Optional[str]]] = [
    ("incident", None),
    ("remediation-before", None),
    ("remediation-after", "remediation-before"),
]
VOID = build_document({}, [], {"source": "defaults", "digest": "0" * 64, "overrides": {}})


def trees() -> List[Element]:
    pages = [tree(recorded(name), recorded(before) if before else None) for name, before in CASES]
    return [*pages, tree(VOID), tree(with_requests(recorded("incident")))]


TREES = trees()


@pytest.mark.parametrize(("name", "before"), CASES)
def test_a_recorded_audit_reads_as_it_did(name: str, before: Optional[str]) -> None:
    """NETFIT_WRITE_GOLDEN=1 writes what the page says now, to be read before it is committed."""
    said = "\n".join(visible_lines(tree(recorded(name), recorded(before) if before else None))) + "\n"
    path = DATA / f"{name}.html.txt"
    if os.environ.get("NETFIT_WRITE_GOLDEN"):
        path.write_text(said, encoding="utf-8")
    assert said == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("root", TREES)
def test_headings_lead_down_one_step_at_a_time(root: Element) -> None:
    levels = [int(one.tag[1]) for one in root.iter() if re.fullmatch("h[1-6]", one.tag)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after - before <= 1 for before, after in zip(levels, levels[1:]))


@pytest.mark.parametrize("root", TREES)
def test_ids_are_unique_and_every_link_of_the_page_leads_somewhere(root: Element) -> None:
    ids = [one.get("id") for one in root.iter() if one.get("id")]
    assert len(ids) == len(set(ids))
    named = [str(one.get("aria-labelledby")).split() for one in root.iter() if one.get("aria-labelledby")]
    inner = [str(one.get("href"))[1:] for one in root.iter("a") if str(one.get("href")).startswith("#")]
    assert {"path", "findings", "mesh", "queues", "hosts", "main"} <= set(inner)
    assert {*inner, *[name for names in named for name in names]} <= set(ids)


@pytest.mark.parametrize("root", TREES)
def test_tables_have_captions_and_headers_with_a_scope(root: Element) -> None:
    for table in root.iter("table"):
        assert text_of(table.find("caption"))
        assert {one.get("scope") for one in table.iter("th")} <= {"row", "col"}


@pytest.mark.parametrize("root", TREES)
def test_nothing_comes_from_elsewhere_and_the_policy_lets_nothing(root: Element) -> None:
    assert not [one for one in root.iter() if one.get("src") or one.tag in ("link", "img", "iframe", "object", "embed")]
    assert {str(one.get("href"))[:8] for one in root.iter("a") if not str(one.get("href")).startswith("#")} <= {
        "https://"
    }
    attributes = {name for one in root.iter() for name in one.attrib}
    assert "style" not in attributes and not [name for name in attributes if name.startswith("on")]
    policy = next(one.get("content") for one in root.iter("meta") if one.get("http-equiv") == "Content-Security-Policy")
    wanted = {"default-src": "'none'", "base-uri": "'none'", "form-action": "'none'"}
    for kind in ("style", "script"):
        elements = list(root.iter(kind))
        assert (
            len(elements) == 1 and "url(" not in (elements[0].text or "") and "@import" not in (elements[0].text or "")
        )
        whole = hashlib.sha256((elements[0].text or "").encode()).digest()
        wanted[f"{kind}-src"] = f"'sha256-{base64.b64encode(whole).decode()}'"
    assert dict(part.strip().split(" ", 1) for part in str(policy).split(";")) == wanted


@pytest.mark.parametrize("root", TREES)
def test_every_picture_tells_its_story_in_words_too(root: Element) -> None:
    for picture in root.iter("{http://www.w3.org/2000/svg}svg"):
        assert picture.get("aria-hidden") == "true" or (
            picture.get("role") == "img"
            and text_of(picture.find("{http://www.w3.org/2000/svg}title"))
            and text_of(picture.find("{http://www.w3.org/2000/svg}desc"))
        )


def test_without_the_script_everything_is_there_but_the_filters() -> None:
    root = TREES[0]
    hidden = [one for one in root.iter() if one.get("hidden") is not None]
    assert {one.tag for one in hidden} == {"form", "p"} and all(text_of(one) == "" for one in hidden if one.tag == "p")


def test_a_finding_comes_with_evidence_remedy_and_references() -> None:
    card = next(one for one in by_class(TREES[0], "finding") if one.get("data-rule") == "MTU-001")
    said = text_of(card)
    assert (card.get("data-label"), card.get("data-hosts")) == ("critical", "n2")
    assert "MTU of overlay flannel.1 (vxlan) on n2: 1450" in said
    assert "ip link set dev calif131c93ea18 mtu 1450" in said
    assert "ansible-playbook netfit.cluster.remediate --tags link_mtu" in said
    assert "https://github.com/rancher/rancher/issues/13984" in [one.get("href") for one in card.iter("a")]


def test_findings_that_differ_in_their_host_alone_are_told_once() -> None:
    cards = [one for one in by_class(TREES[0], "finding") if one.get("data-rule") == "QUEUE-001"]
    hosts = [sorted(str(one.get("data-hosts")).split()) for one in cards]
    assert hosts == [["n2"], ["lb", "n1", "n2", "n3", "n4"], ["lb", "n1", "n2", "n3", "n4"], ["n2"]]
    assert len(by_class(cards[1], "place")) == 5


def test_a_waiver_says_why_by_whom_and_until_when() -> None:
    report = recorded("incident")
    waiver = {"justification": "lab", "by": "ada", "expires": "2027-01-01", "expired": False}
    report["findings"][0].update(status="waived", waiver=waiver)
    card = by_class(tree(report), "finding")[0]
    assert card.get("data-label") == "waived" and "waived by ada until 2027-01-01 (lab)" in text_of(card)


def test_findings_with_other_waivers_are_told_apart() -> None:
    report = recorded("incident")
    first = report["findings"][0]
    for host, by in (("n2", "ada"), ("n7", "bob"), ("n8", None)):
        waiver = by and {"justification": "lab", "by": by, "expires": "2020-01-01", "expired": True}
        report["findings"].append({**first, "target": {**first["target"], "host": host}, "waiver": waiver})
    cards = [text_of(one) for one in by_class(tree(report), "finding") if first["title"] in text_of(one)]
    told = [
        [by for by in ("ada", "bob") if f"waived by {by} until 2020-01-01, which is over" in card] for card in cards
    ]
    assert sorted(told) == [[], ["ada"], ["bob"]]


def test_a_finding_in_short_is_found_by_each_of_its_hosts() -> None:
    report = recorded("incident")
    first = report["findings"][0]
    report["findings"] = [{**first, "target": {**first["target"], "link": f"cali{n}"}} for n in range(MOST_IN_FULL)]
    names = [f"m{number}" for number in range(120)]
    report["findings"] += [{**first, "target": {**first["target"], "host": name}} for name in names]
    (line,) = [one for one in by_class(tree(report), "finding") if one.tag == "tr"]
    assert line.get("data-hosts").split("\n") == names


def test_before_and_after_show_what_is_gone_and_both_pictures() -> None:
    root = TREES[2]
    said = text_of(section(root, "changes"))
    assert "4 gone, 0 new, 13 still there" in said and "MTU-001" in said
    assert "lb to port 30004 of n1 1450 black hole 1450 ok ✓ better" in said
    assert "lb to port 30004 of n2 1500 ok 1450 ok ✓ in order" in said and "worse" not in said
    assert [text_of(one)[:6] for one in section(root, "path").iter("figcaption")] == ["Before", "After:"]


def test_a_report_of_nothing_is_a_page_too() -> None:
    assert [one.get("id") for one in TREES[3].iter("section")][1:] == list(SECTIONS[1:])


def test_the_page_is_the_same_for_the_same_report() -> None:
    assert render_page(recorded("incident")) == render_page(recorded("incident"))


def tags(root: Element) -> Counter[Any]:
    return Counter((one.tag, tuple(sorted(set(one.attrib) - {"title", "open"}))) for one in root.iter())


NASTY = st.text(max_size=30) | st.sampled_from(
    [
        "</script><script>alert(1)</script>",
        '" onmouseover="x',
        "'><img src=x>",
        "<!--",
        "]]>",
        "</style>",
        "{{ 7*7 }}",
        "&lt;",
    ]
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(NASTY, NASTY, NASTY)
def test_no_text_becomes_markup(first: str, second: str, third: str) -> None:
    """Texts of a report are texts of the page, whatever is in them; only what may not be in a page is replaced."""
    root = tree_of(render_page(altered(first, second, third)))
    assert tags(root) == PLAIN_TAGS
    card = by_class(root, "finding")[0]
    assert "".join(f"o{writable(first).translate(DIRECTIONS)}".split()) in "".join("".join(card.itertext()).split())


def altered(first: str, second: str, third: str) -> Dict[str, Any]:
    """Return a small report with these in every kind of field."""
    report = recorded("incident")
    del report["findings"][1:], report["paths"][2:]
    one = report["findings"][0]
    one.update(observed=f"o{first}", expected=f"e{second}", title=f"t{third}", references=[f"r{first}"])
    one["evidence"] = [{"what": f"w{second}", "value": f"v{third}", "source": f"s{first}"}]
    one["target"].update(host=f"h{first}", link=f"l{second}")
    one["remedy"]["variables"]["links"][0].update(link=f"l{third}")
    report["hosts"]["n1"].update(status="failed", reason=f"because {third}", kernel=f"k{first}")
    report["paths"][0].update(expected_because=f"b{first}")
    report["paths"][0]["forward"].update(reason=f"r{second}", verdict="unknown")
    report["policy"]["source"] = f"p{third}"
    return report


PLAIN_TAGS = tags(tree(altered("one", "two", "three")))


def test_surrogates_and_controls_can_be_written() -> None:
    report = json.loads(json.dumps(recorded("incident")).replace("flannel.1", "fl\\ud800\\u0000\\u202e.1"))
    page = render_page(report)
    page.encode("utf-8")
    assert "\0" not in page and "\u202e" not in page and "fl\ufffd\ufffd\ufffd.1" in page


def test_a_thousand_hosts_are_a_page_that_opens() -> None:
    page = render_page(large_report(1000))
    root = tree_of(page)
    assert len(page.encode("utf-8")) < 2_000_000
    assert len(list(root.iter())) < 12_000
    assert "999 of 1,000 requests (>99 %) to port 30004" in text_of(root.find(".//h1"))


def test_thousands_of_findings_that_are_all_different_stay_small() -> None:
    report = large_report(1000)
    for number, one in enumerate(report["findings"]):
        one["target"]["listener"] = f"tcp 10.0.{number // 250}.{number % 250}:80"
    page = render_page(report)
    assert len(page.encode("utf-8")) < 5_000_000 and "more in report.json" in page

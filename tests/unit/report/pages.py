# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests of report.html share: recorded and made-up reports, and the page as a tree."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional
from xml.etree.ElementTree import Element

import html5lib

from ansible_collections.netfit.cluster.plugins.plugin_utils._mesh.plan import Node, plan
from ansible_collections.netfit.cluster.plugins.plugin_utils._report.html.page import render_page
from ansible_collections.netfit.cluster.plugins.plugin_utils._report.http import describe_http, describe_idle
from ansible_collections.netfit.cluster.tests.unit import builders as b

DATA = Path(__file__).resolve().parents[1] / "data" / "reports"
SECTIONS = ("changes", "path", "findings", "mesh", "queues", "hosts")


def recorded(name: str) -> Dict[str, Any]:
    """Return a recorded report: incident, remediation-before, remediation-after."""
    report: Dict[str, Any] = json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))
    return report


def tree_of(page: str) -> Element:
    """Return the page as a tree; any mistake in it is an error."""
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    root: Element = parser.parse(page)
    return root


def tree(document: Dict[str, Any], before: Optional[Dict[str, Any]] = None) -> Element:
    return tree_of(render_page(document, before))


def text_of(element: Optional[Element]) -> str:
    """Return all text inside, blanks as single spaces."""
    return "" if element is None else " ".join(" ".join(element.itertext()).split())


def by_class(root: Element, name: str) -> List[Element]:
    return [one for one in root.iter() if name in str(one.get("class") or "").split()]


def section(root: Element, name: str) -> Element:
    found = root.find(f".//section[@id='{name}']")
    assert found is not None, name
    return found


def visible_lines(root: Element) -> Iterator[str]:
    """Yield what a reader is told, a line for each element that has text of its own."""
    main = root.find(".//main")
    assert main is not None
    for one in main.iter():
        if one.text and one.text.strip():
            yield " ".join(one.text.split())
        if one.get("title"):
            yield f"[{one.get('title')}]"


def host_end(name: str) -> Dict[str, Any]:
    empty = dict.fromkeys(("pid", "pod", "pod_namespace", "container_id", "runtime"))
    return {"name": name, "host": name, "owner": {"kind": "host", "name": name, **empty}}


def large_report(count: int) -> Dict[str, Any]:
    """Return the incident on that many nodes: their mesh as it is planned, two nodes in trouble, findings on each."""
    report = recorded("incident")
    names = [f"node-{number:04d}" for number in range(1, count + 1)]
    straight = next(path for path in report["paths"] if path["class"] == "host-host")
    hole, sound = (
        next(path for path in report["paths"] if path["kind"] == "tcp" and path["verdict"] == verdict)
        for verdict in ("black hole", "ok")
    )
    paths = []
    for pair in plan([Node(name) for name in names]):
        path = copy.deepcopy(straight)
        path.update(host=pair.prober, name=f"{pair.prober} to {pair.peer}")
        path.update(source=host_end(pair.prober), peer=host_end(pair.peer))
        if {"node-0017", "node-0040"} & {pair.prober, pair.peer}:
            path["verdict"] = "black hole"
            for way in ("forward", "back"):
                path[way].update(verdict="black hole", path_mtu=1400, tries_above=6)
        paths.append(path)
    for name in names:
        path = copy.deepcopy(sound if name == "node-0002" else hole)
        path.update(peer={**host_end(name), "name": f"port 30004 of {name}"}, name=f"lb to {name}:30004")
        paths.append(path)
    findings = []
    for one in report["findings"]:
        target = one["target"]
        if target["host"] == "lb":
            findings.append(one)
        elif target["host"] == "n2":
            on = ["node-0002"] if one["id"] == "MTU-001" else names
            for number, name in enumerate(on):
                another = copy.deepcopy(one)
                another["target"]["host"] = name
                another["expected"] = one["expected"].replace("n2", name)
                another["fingerprint"] = f"{len(findings):064x}"
                if one["id"] == "QUEUE-003":
                    another["observed"] = f"{number + 1} connections dropped since it listens, none now"
                findings.append(another)
    hosts = {name: copy.deepcopy(report["hosts"]["n2"]) for name in names}
    report.update(paths=paths, findings=findings, hosts={"lb": report["hosts"]["lb"], **hosts})
    report["summary"]["hosts"].update(total=count + 1, audited=count + 1, healthy=0)
    return report


def with_requests(report: Dict[str, Any]) -> Dict[str, Any]:
    """Return a report with requests by four nodes, of which three lose the large ones, and idle connections."""
    requests = [
        b.http_target(node, {0: (0, 20), 1000: (0, 20), 20000: (0 if node == "n2" else 20, 20)})
        for node in ("n1", "n2", "n3", "n4")
    ]
    requests.append(b.http_target(None, {0: (0, 20), 1000: (1, 2000), 20000: (15, 20)}, reason="stopped after 120 s"))
    idle = [b.idle_target("n1", 5.0), b.idle_target(None, None), b.idle_target("n2", 75.0)]
    sent = {"lb": {"http_requests": requests, "keepalive": idle}}
    return {**report, "http": describe_http(sent), "keepalive": describe_idle(sent)}

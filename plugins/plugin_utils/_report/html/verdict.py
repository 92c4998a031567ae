# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole report in one sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, List, Sequence, Tuple

from ..document import is_healthy
from .story import Lane, Story
from .words import SEVERITIES, counted, in_order, listed, percent, plural

MARKS = {
    "critical": "\N{MULTIPLICATION X}",
    "high": "\N{MULTIPLICATION X}",
    "medium": "!",
    "low": "!",
    "info": "\N{CHECK MARK}",
    "error": "?",
    "healthy": "\N{CHECK MARK}",
}


@dataclass(frozen=True)
class Verdict:
    """tone: a severity, error or healthy. more: what else has to be known, in sentences."""

    sentence: str
    tone: str
    more: Tuple[str, ...]

    @property
    def mark(self) -> str:
        """What says the same as the colour."""
        return MARKS[self.tone]


def judge(document: Mapping[str, Any], stories: Sequence[Story]) -> Verdict:
    """Return the verdict. stories: of the path picture, worst first."""
    hosts = document["summary"]["hosts"]
    failed = {one["severity"] for one in document["findings"] if one["status"] == "fail"}
    worst = next((name for name in SEVERITIES if name in failed), "healthy")
    missed = hosts["total"] - hosts["audited"]
    errors = document["summary"]["status"]["error"]
    if worst in ("healthy", "info") and (missed or errors):
        return Verdict(_unsure(hosts["audited"], missed, errors), "error", tuple(_more(document, worst)))
    broken = [story for story in stories if story.broken]
    if worst in ("critical", "high", "medium") and broken:
        return Verdict(_path_sentence(broken[0]), worst, tuple(_more(document, worst)))
    if worst in ("healthy", "info"):
        return Verdict(_sound(document, hosts["audited"]), worst, tuple(_more(document, worst)))
    return Verdict(_worst_sentence(document, worst), worst, tuple(_more(document, worst)))


def _path_sentence(story: Story) -> str:
    lane = story.broken[0]
    ports = f"port{'s' if story.targets[1:] else ''} {listed(story.targets)}" if story.measured else story.targets[0]
    others = f" Another {story.hit - lane.count:,} of {story.total:,} fail otherwise." if story.broken[1:] else ""
    who = f"{_share(story, lane)} to {ports}"
    if lane.carries is None:
        return f"{who} get no answer: nothing comes back by {listed(lane.nodes)}.{others}"
    what = "large" if story.measured else "large, unless ICMP reaches the sender"
    return f"{who} fail when they are {what}: {_cause(lane, lane.carries)}.{others}"


def _cause(lane: Lane, carries: int) -> str:
    pod, hop = lane.hops[-1], lane.hops[lane.dies_at or 0]
    device = f"{hop.role} {hop.name} carries {carries} bytes"
    narrow = device if hop.role == "overlay" else f"only {carries} bytes pass"
    large = pod.mtu is not None and pod.mtu > carries
    return narrow + (f", and {pod.role} {pod.name} {pod.detail} invites packets of {pod.mtu}" if large else "")


def _share(story: Story, lane: Lane) -> str:
    count = lane.count
    if lane.share is not None and abs(lane.share * story.total - count) > 0.001:
        return f"{percent(round(10_000 * lane.share), 10_000)} of the requests"
    if not count or not story.total:
        return "All requests through another node"
    if count == story.total:
        return "All requests"
    return f"{count:,} of {story.total:,} requests ({percent(count, story.total)})"


def _worst_sentence(document: Mapping[str, Any], worst: str) -> str:
    found = [one for one in document["findings"] if one["status"] == "fail" and one["severity"] == worst]
    first = found[0]
    hosts = in_order([str(one["target"]["host"]) for one in found if one["id"] == first["id"]])
    rest = len({one["id"] for one in found}) - 1
    more = f" And {plural(rest, 'other rule')} as severe." if rest else ""
    return f"{worst.capitalize()} on {listed(hosts, 4)}: {first['title']} ({first['id']}): {first['observed']}.{more}"


def _unsure(audited: int, missed: int, errors: int) -> str:
    parts = [
        f"{plural(missed, 'host')} could not be audited" if missed else "",
        f"{plural(errors, 'check')} could not be made" if errors else "",
    ]
    known = (
        f"on the {plural(audited, 'host')} that answered nothing that matters was found"
        if audited
        else "nothing is known"
    )
    return f"Not known: {' and '.join(part for part in parts if part)}; {known}."


def _sound(document: Mapping[str, Any], audited: int) -> str:
    paths = [path for path in document["paths"] if path["verdict"] == "ok"]
    total = len(document["paths"])
    carried = {
        True: f"all {plural(total, 'measured path')} carry full-size packets",
        False: f"{len(paths)} of {total} paths are in order",
    }
    measured = carried[len(paths) == total] if total else "no path was measured"
    return f"Nothing that hurts was found on {plural(audited, 'host')}; {measured}."


def _more(document: Mapping[str, Any], worst: str) -> List[str]:
    summary, hosts = document["summary"], document["hosts"]
    healthy = len([host for host in hosts.values() if is_healthy(host)])
    found = [f"Findings: {counted(summary['severity'])}."]
    if summary["status"]["error"] and worst not in ("healthy", "info"):
        found.append(f"{plural(summary['status']['error'], 'check')} could not be made.")
    if summary["status"].get("waived"):
        found.append(f"{plural(summary['status']['waived'], 'finding')} waived.")
    found.append(
        f"{plural(summary['hosts']['audited'], 'host')} of {summary['hosts']['total']:,} audited, {healthy:,} healthy."
    )
    missed = in_order([name for name, host in hosts.items() if host["status"] != "audited"])
    return [*found, *([f"Not audited: {listed(missed, 6)}."] if missed else [])]

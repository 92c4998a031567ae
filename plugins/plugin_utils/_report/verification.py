# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether every measured path carries what is expected of it. What is not known does not pass."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, List, Optional, Sequence, Tuple

from .._rules.path_view import IP_AND_TCP
from .line import Line

MOST_PASSED = 100

Entry = Mapping[str, Any]


@dataclass(frozen=True)
class Check:
    """One path. expected, measured: in words. fault: why it does not pass, None where it does."""

    name: str
    expected: str
    measured: str
    fault: Optional[str]


@dataclass(frozen=True)
class Verification:
    """checks: by path. missing: hosts from which nothing could be measured, with the reason."""

    checks: Tuple[Check, ...]
    missing: Tuple[str, ...]

    @property
    def failures(self) -> List[Check]:
        """The paths that do not pass."""
        return [check for check in self.checks if check.fault is not None]

    def without(self, names: Collection[str]) -> Verification:
        """Return the same with those failures forgiven that are known by these names."""
        kept = tuple(replace(check, fault=None) if check.name in names else check for check in self.checks)
        return Verification(kept, self.missing)

    @property
    def verdict(self) -> Optional[str]:
        """Why the whole does not pass, in one sentence; None where it does."""
        faults = []
        if self.failures:
            faults.append(f"{len(self.failures)} of {len(self.checks)} paths do not carry what is expected")
        elif not self.checks:
            faults.append("nothing was measured")
        if self.missing:
            faults.append(f"not measured from {', '.join(self.missing)}")
        return "; ".join(faults) or None


def verify(document: Mapping[str, Any]) -> Verification:
    """Hold the paths of a report against what is expected of each.

    That is its expected_mtu in every direction, or, where nobody expects anything, what its sender's link can send.
    A black hole does not pass, however much it carries: its sender goes on to send more.
    """
    hosts = document["hosts"]
    missing = [f"{name} ({_why(hosts[name])})" for name in sorted(hosts) if hosts[name]["status"] != "audited"]
    return Verification(tuple(check_path(entry) for entry in document["paths"]), tuple(missing))


def _why(host: Mapping[str, Any]) -> str:
    words = str(host["status"]).replace("_", " ")
    return f"{words}: {' '.join(str(host['reason']).split())}" if host["reason"] else words


def check_path(entry: Entry) -> Check:
    """Hold one path of a report against what is expected of it."""
    directions = _directions(entry)
    faults = [(word, _fault(entry, direction, word)) for word, direction in directions]
    texts = {fault for _word, fault in faults}
    if len(texts) == 1:
        fault = next(iter(texts))
    else:
        fault = "; ".join(f"{word}: {text}" for word, text in faults if text is not None)
    measured = " / ".join(_measured(direction) for _word, direction in directions)
    by_ipv6 = " by IPv6" if entry["family"] == "ipv6" else ""
    network = f" on network {entry['network']}" if entry["network"] else ""
    name = f"{entry['source']['name']} to {entry['peer']['name']}{network}{by_ipv6}"
    return Check(name, _expected(entry), measured, fault or None)


def _directions(entry: Entry) -> List[Tuple[str, Entry]]:
    return [("there", entry)] if entry["kind"] == "tcp" else [("there", entry["forward"]), ("back", entry["back"])]


def _expected(entry: Entry) -> str:
    if entry["expected_mtu"] is not None:
        return str(entry["expected_mtu"])
    if entry["kind"] == "tcp":
        return "all that the port invites to send"
    return f"{entry['link_mtu']} ({entry['device'] or 'the link'})" if entry["link_mtu"] else "what the link sends"


def _measured(direction: Entry) -> str:
    if direction["path_mtu"] is not None:
        return str(direction["path_mtu"])
    return f"at least {direction['at_least']}" if direction["at_least"] else "nothing"


def _fault(entry: Entry, direction: Entry, word: str) -> Optional[str]:
    verdict, carried = direction["verdict"], direction["path_mtu"] or direction["at_least"]
    if verdict == "unreachable":
        return "unreachable"
    if verdict == "unknown":
        return f"unknown, {direction['reason'] or 'no reason given'}"
    if verdict == "black hole":
        return f"black hole, more than {carried} vanishes"
    expected = entry["expected_mtu"]
    if expected is not None and carried < expected:
        return f"carries {carried}"
    if entry["kind"] == "tcp":
        return _invited(entry, verdict, carried)
    if expected is None and verdict != "ok":
        return f"carries {carried}, less than its sender's link"
    short = expected is None and word == "there" and entry["link_mtu"] is not None and carried < entry["link_mtu"]
    return f"carries {carried}" if short else None


def _invited(entry: Entry, verdict: str, carried: int) -> Optional[str]:
    """A client that does what the port's MSS says must not depend on ICMP."""
    if verdict == "ok":
        return None
    headers = IP_AND_TCP[entry["family"]]
    if entry["advertised_mss"] is not None and entry["advertised_mss"] + headers <= carried:
        return None
    return f"carries {carried}, and works only because ICMP arrives"


def verification_lines(
    verification: Verification, columns: int, tolerated: Collection[str] = (), promise: Optional[str] = None
) -> List[Line]:
    """Return expected and measured of each path, failures last, and the verdict.

    tolerated: names of paths of which no better was promised. promise: what of a promise does not hold, in words.
    """
    passed = [check for check in verification.checks if check.fault is None]
    lines = [Line("Verification, largest IP packet in bytes (there / back):")]
    for check in passed[:MOST_PASSED]:
        lines.extend(
            _wrapped(f"ok    {check.name}: expected {check.expected}, measured {check.measured}", None, columns)
        )
    if len(passed) > MOST_PASSED:
        lines.append(Line(f"  ok    and {len(passed) - MOST_PASSED} more, all in the report"))
    for check in verification.failures:
        known = check.name in tolerated
        word, tone = ("known", "medium") if known else ("FAIL ", "critical")
        text = f"{word} {check.name}: expected {check.expected}, measured {check.measured}: {check.fault}"
        lines.extend(_wrapped(text + (" (no better was promised)" if known else ""), tone, columns))
    for host in verification.missing:
        lines.extend(_wrapped(f"FAIL  {host}", "error", columns))
    verdict = verification.without(tolerated).verdict if promise is None else promise
    count = len(verification.checks)
    wanted = "what was promised" if tolerated else "what is expected"
    good = f"Verified: {'the one path carries' if count == 1 else f'all {count} paths carry'} {wanted}."
    text = good if verdict is None else f"Not verified: {verdict}."
    return [*lines, *_plain(text, "healthy" if verdict is None else "critical", columns)]


def _wrapped(text: str, tone: Optional[str], columns: int) -> List[Line]:
    return _plain(text, tone, columns, "  ", " " * 8)


def _plain(text: str, tone: Optional[str], columns: int, first: str = "", following: str = "  ") -> List[Line]:
    parts: Sequence[str] = textwrap.wrap(
        text,
        columns,
        initial_indent=first,
        subsequent_indent=following,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [Line(part, tone) for part in parts]

# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP-003: a server that closes idle connections sooner than the load balancer in front of it."""

from __future__ import annotations

from typing import List, Optional, Sequence, Tuple

from ...module_utils._model.finding import Confidence, Evidence, Finding, Severity
from ...module_utils._model.http_result import End
from ...module_utils._model.idle_defaults import LOAD_BALANCERS, SERVERS
from ...module_utils._model.idle_timeouts import Comparison, Seen, Verdict, compare, named_by
from .http_requests import http_target
from .http_view import IdleView, by_service
from .making import fail
from .policy import Policy
from .problems import unmeasured

LAYERS = {balancer.name: balancer.layer for balancer in LOAD_BALANCERS}
MOST_TARGETS = 6
Judged = Tuple[IdleView, Verdict, Optional[str]]


def idle_rules(source: str, views: Sequence[IdleView], policy: Policy) -> List[Finding]:
    """Return what the idle connections that were watched from a host show."""
    findings: List[Finding] = []
    for service, targets in by_service(views):
        judged = [one for one in (_judge(view, policy) for view in targets) if one is not None]
        where = http_target(source, service)
        for verdict, severity in ((Verdict.SHORT, None), (Verdict.MARGINAL, Severity.LOW)):
            same = [one for one in judged if one[1] is verdict]
            if same:
                findings.append(_closes_first(source, service, same, severity, policy))
                break
        unknown = [(view, why) for view, verdict, why in judged if verdict is Verdict.UNKNOWN and _layer(view) == 7]
        unknown += [(view, view.reason) for view in targets if view.idle_seconds is None and view.ended is End.FAILED]
        for view, why in unknown[:1]:
            what = f"for how long {service} keeps idle connections ({view.name})"
            findings.append(unmeasured(where, policy, f"{what}: {why or view.reason or 'not known'}", []))
    return findings


def _layer(view: IdleView) -> int:
    return LAYERS.get(view.load_balancer or "", 7)


def _judge(view: IdleView, policy: Policy) -> Optional[Judged]:
    """Return the verdict on a target; None where there is nothing to compare with."""
    seen = Seen(view.ended, view.kept_seconds, view.at_least_seconds, view.announced_timeout)
    comparison = Comparison(view.load_balancer, view.idle_seconds, _layer(view), policy.http_idle_margin)
    verdict, why = compare(seen, comparison)
    return None if verdict is None else (view, verdict, why)


def _closes_first(
    source: str, service: str, judged: Sequence[Judged], severity: Optional[Severity], policy: Policy
) -> Finding:
    view, _verdict, why = min(judged, key=lambda one: _kept(one[0]) or 0.0)
    balancer, idle = view.load_balancer or "the load balancer", view.idle_seconds or 0.0
    wanted = idle + policy.http_idle_margin
    measured = view.kept_seconds is not None or view.ended is End.SILENT
    evidence: List[Optional[Evidence]] = [
        Evidence(f"seconds until an idle connection ended ({one.name}: {one.ended.value})", _kept(one))
        for one, _verdict, _why in judged[:MOST_TARGETS]
    ]
    evidence += [
        Evidence("seconds by which that may be wrong", view.resolution_seconds),
        Evidence(f"seconds for which {balancer} keeps an idle connection", idle),
        _announced(view),
        Evidence("Server header", view.server) if view.server is not None else None,
        Evidence(why) if why is not None else None,
        *[Evidence(f"with {name}", setting, origin) for name, setting, origin in settings(view.server, wanted)],
    ]
    how = f"{_kept(view) or 0.0:.1f} s"
    return fail(
        "HTTP-003",
        policy,
        http_target(source, service),
        observed=f"{service} closes idle connections after {how}; {balancer} keeps them for {idle:g} s",
        expected=f"at least {wanted:g} s, so that the load balancer is the one that closes",
        evidence=evidence,
        remedy=None,
        severity=severity,
        confidence=Confidence.MEASURED if measured else Confidence.DERIVED,
    )


def _kept(view: IdleView) -> Optional[float]:
    if view.kept_seconds is not None:
        return view.kept_seconds
    return view.at_least_seconds if view.ended is End.SILENT else view.announced_timeout


def _announced(view: IdleView) -> Optional[Evidence]:
    parts = [
        f"timeout={view.announced_timeout}" if view.announced_timeout is not None else "",
        f"max={view.announced_requests}" if view.announced_requests is not None else "",
    ]
    text = ", ".join(part for part in parts if part)
    return Evidence("Keep-Alive header", text) if text else None


def settings(header: Optional[str], seconds: float) -> List[Tuple[str, str, str]]:
    """Return server, setting and source for keeping connections for so long: of the named one, else of all."""
    named = named_by(header)
    return [
        (server.name, server.setting.replace("SECONDS", f"{seconds:.0f}"), server.source)
        for server in ([named] if named is not None else SERVERS)
    ]

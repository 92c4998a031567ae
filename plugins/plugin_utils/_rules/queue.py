# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about listeners: QUEUE-001 to QUEUE-004."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Dict, List, Optional, Tuple

from ...module_utils._model.finding import Confidence, Evidence, Finding, Remedy, Severity
from .making import Place, fail
from .policy import Policy
from .view import HostView, ListenerView, QueueView

DIAG = "sock_diag"
NETSTAT = "/proc/net/netstat"
REOPEN = "the service calls listen() again, for most programs a restart"


@dataclass(frozen=True)
class Group:
    """The sockets that share one address and port (SO_REUSEPORT), judged together: the smallest backlog counts."""

    queue: QueueView
    sockets: Tuple[ListenerView, ...]

    @property
    def smallest(self) -> ListenerView:
        """Return the socket with the smallest backlog."""
        return min(self.sockets, key=lambda socket: socket.effective_backlog)

    @property
    def drops(self) -> Optional[int]:
        """Return connections dropped by these sockets since they were made; None where the kernel does not say."""
        known = [socket.drops for socket in self.sockets if socket.drops is not None]
        return sum(known) if known else None

    @property
    def drop_rate(self) -> float:
        """Return drops a second now."""
        return sum(socket.drop_rate or 0 for socket in self.sockets)

    @property
    def overflows(self) -> bool:
        """Whether a queue is overfull, or drops grow, now."""
        return self.drop_rate > 0 or any(socket.queue > socket.effective_backlog for socket in self.sockets)


def _groups(queue: QueueView) -> List[Group]:
    sockets: Dict[Tuple[str, Optional[str]], List[ListenerView]] = {}
    for listener in queue.listeners:
        sockets.setdefault((listener.name, listener.owner.name), []).append(listener)
    return [Group(queue, tuple(group)) for group in sockets.values()]


def _place(host: HostView, group: Group) -> Place:
    return Place(host.name, group.smallest.owner, group.queue.paths)


def queue_rules(host: HostView, policy: Policy) -> List[Finding]:
    """QUEUE-001 to QUEUE-004 for every namespace of the host."""
    findings: List[Finding] = []
    for queue in host.queues:
        groups = _groups(queue)
        for group in groups:
            stale = _stale(host, policy, group)
            short = _short(host, policy, group) if stale is None or _still_short(policy, group) else None
            findings.extend(one for one in (stale, short, _overflow(host, policy, group)) if one is not None)
        findings.extend(_namespace_overflow(host, policy, queue, groups))
        findings.extend(_syn_queue(host, policy, queue, groups))
    return findings


def _serves_few(policy: Policy, listener: ListenerView) -> bool:
    try:
        loopback = ipaddress.ip_address(listener.address.split("%")[0]).is_loopback
    except ValueError:
        loopback = False
    return loopback or listener.program in policy.minor_programs


def _severity(policy: Policy, group: Group) -> Severity:
    if group.overflows:
        return policy.listener_severity("severity_with_symptom")
    if _serves_few(policy, group.smallest):
        return policy.listener_severity("severity_minor")
    return policy.listener_severity("severity")


def _asked(policy: Policy, group: Group) -> Optional[Tuple[int, str]]:
    """Return the backlog that the program is known to get now if it called listen() again, and who says so."""
    program = policy.programs.get(group.smallest.program or "")
    somaxconn = group.queue.somaxconn
    if program is None or somaxconn is None:
        return None
    return min(program.backlog if program.backlog is not None else somaxconn, somaxconn), program.source


def _stale_backlog(policy: Policy, group: Group) -> Optional[Tuple[int, str]]:
    """Return the backlog after listen() and why, where the present one shows that somaxconn capped it before."""
    asked, program = _asked(policy, group), policy.programs.get(group.smallest.program or "")
    backlog, somaxconn = group.smallest.effective_backlog, group.queue.somaxconn
    if asked is None or program is None or somaxconn is None or backlog >= somaxconn or backlog >= asked[0]:
        return None
    capped_by_default = backlog in policy.kernel_default_somaxconn
    return asked if program.backlog is not None or capped_by_default else None


def _still_short(policy: Policy, group: Group) -> bool:
    after = _stale_backlog(policy, group)
    return after is not None and after[0] < policy.minimum_backlog


def _evidence(group: Group) -> List[Optional[Evidence]]:
    socket, queue = group.smallest, group.queue
    many = f", the smallest of {len(group.sockets)} sockets" if len(group.sockets) > 1 else ""
    return [
        Evidence(f"effective backlog of {socket.name}{many}", socket.effective_backlog, DIAG),
        Evidence("program", socket.program, "/proc") if socket.program else None,
        None
        if queue.somaxconn is None
        else Evidence("net.core.somaxconn of its namespace now", queue.somaxconn, "/proc/sys/net/core/somaxconn"),
        Evidence("connections that wait for accept() now", socket.queue, DIAG) if socket.queue else None,
        Evidence("connections that it dropped since it listens", group.drops, DIAG) if group.drops else None,
        Evidence("drops a second now", group.drop_rate, DIAG) if group.drop_rate else None,
    ]


def _remedy(group: Group, place: Place, backlog: int) -> Remedy:
    socket, somaxconn = group.smallest, group.queue.somaxconn
    variables: Dict[str, object] = {**place.entry, "listener": socket.name, "backlog": backlog}
    if somaxconn is not None and somaxconn < backlog:
        variables["somaxconn"] = backlog
    if socket.unit:
        variables["unit"] = socket.unit
    return Remedy("listen_backlog", variables, REOPEN, survives_restart=False)


def _short(host: HostView, policy: Policy, group: Group) -> Optional[Finding]:
    socket, place = group.smallest, _place(host, group)
    if socket.effective_backlog >= policy.minimum_backlog:
        return None
    return fail(
        "QUEUE-001",
        policy,
        place.target(listener=socket.name),
        f"backlog {socket.effective_backlog}",
        f"at least {policy.minimum_backlog}",
        _evidence(group),
        _remedy(group, place, policy.minimum_backlog),
        _severity(policy, group),
        Confidence.MEASURED,
    )


def _stale(host: HostView, policy: Policy, group: Group) -> Optional[Finding]:
    after = _stale_backlog(policy, group)
    if after is None:
        return None
    socket, place, (backlog, source) = group.smallest, _place(host, group), after
    asks = Evidence(f"{socket.program} asks for more unless configured otherwise", None, source)
    return fail(
        "QUEUE-002",
        policy,
        place.target(listener=socket.name),
        f"backlog {socket.effective_backlog}",
        f"{backlog}, which listen() gives since somaxconn is {group.queue.somaxconn}",
        [*_evidence(group), asks],
        _remedy(group, place, backlog),
        _severity(policy, group),
        Confidence.DERIVED,
    )


def _overflow(host: HostView, policy: Policy, group: Group) -> Optional[Finding]:
    socket, place = group.smallest, _place(host, group)
    if not group.overflows and not group.drops:
        return None
    if group.overflows:
        full = max(group.sockets, key=lambda one: one.queue - one.effective_backlog)
        observed = f"{full.queue} connections wait at backlog {full.effective_backlog}"
        if group.drop_rate:
            observed += f", {group.drop_rate:g} drops a second"
        severity = Severity.HIGH
    else:
        observed, severity = f"{group.drops} connections dropped since it listens, none now", Severity.LOW
    wanted = max(policy.minimum_backlog, 2 * socket.effective_backlog)
    return fail(
        "QUEUE-003",
        policy,
        place.target(listener=socket.name),
        observed,
        "no drops",
        _evidence(group),
        _remedy(group, place, wanted),
        severity,
        Confidence.MEASURED,
    )


def _namespace_overflow(host: HostView, policy: Policy, queue: QueueView, groups: List[Group]) -> List[Finding]:
    """The namespace counts overflows that no listener in it explains."""
    rates = {name: queue.rates.get(name, 0) for name in policy.symptom_counters("accept_queue")}
    rising = {name: rate for name, rate in rates.items() if rate > 0}
    if not rising or any(group.overflows for group in groups):
        return []
    place = Place(host.name, queue.owner, queue.paths)
    observed = ", ".join(f"{name} {rate:g} a second" for name, rate in sorted(rising.items()))
    evidence = [Evidence(f"{name} a second", rate, NETSTAT) for name, rate in sorted(rising.items())]
    return [
        fail(
            "QUEUE-003",
            policy,
            place.target(),
            observed,
            "no overflows",
            evidence,
            Remedy("listen_backlog", dict(place.entry), REOPEN, False),
            Severity.HIGH,
            Confidence.MEASURED,
        )
    ]


def _syn_queue(host: HostView, policy: Policy, queue: QueueView, groups: List[Group]) -> List[Finding]:
    counters = list(policy.symptom_counters("syn_queue"))
    if queue.syncookies != 2:
        counters.append("TcpExt.SyncookiesSent")
    rising = {name: queue.rates[name] for name in counters if queue.rates.get(name, 0) > 0}
    place = Place(host.name, queue.owner, queue.paths)
    findings = []
    for group in groups:
        over = [socket for socket in group.sockets if socket.syn_queue > max(socket.effective_backlog, 1)]
        if over:
            socket = over[0]
            findings.append(
                fail(
                    "QUEUE-004",
                    policy,
                    _place(host, group).target(listener=socket.name),
                    f"{socket.syn_queue} handshakes under way at backlog {socket.effective_backlog}",
                    "fewer than the backlog",
                    [*_evidence(group), *_rates(rising)],
                    _remedy(group, _place(host, group), max(policy.minimum_backlog, 2 * socket.effective_backlog)),
                    _syn_severity(rising),
                    Confidence.MEASURED,
                )
            )
    if rising and not findings:
        observed = ", ".join(f"{name} {rate:g} a second" for name, rate in sorted(rising.items()))
        findings.append(
            fail(
                "QUEUE-004",
                policy,
                place.target(),
                observed,
                "neither cookies nor drops",
                _rates(rising),
                Remedy("listen_backlog", dict(place.entry), REOPEN, False),
                _syn_severity(rising),
                Confidence.MEASURED,
            )
        )
    return findings


def _rates(rising: Dict[str, float]) -> List[Evidence]:
    return [Evidence(f"{name} a second", rate, NETSTAT) for name, rate in sorted(rising.items())]


def _syn_severity(rising: Dict[str, float]) -> Severity:
    return Severity.HIGH if "TcpExt.TCPReqQFullDrop" in rising else Severity.MEDIUM

# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Which listeners get a larger backlog, and what has to be done for it. Pure: from what is there to a plan."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from enum import Enum
from typing import Callable, Dict, FrozenSet, Iterable, List, Mapping, Optional, Sequence, Tuple

from .fact import Fact
from .listener import Listener
from .owner import Namespace, Owner, OwnerKind

LARGEST = 2147483647
"""net.core.somaxconn and the argument of listen() are of type int."""
FIXED_SOMAXCONN = 4096
"""What a network namespace has where net.core.somaxconn is hidden, as Linux 5.10 and 6.1 do where it belongs to a user
namespace; then nobody can change it (net/core/sysctl_net_core.c, sysctl_core_net_init)."""
SHORT_NAME = 15
"""Characters of a process's name that the kernel keeps (TASK_COMM_LEN)."""
SHORT_ID = 12
COMMAND_OF_RUNTIME = {"docker": "docker restart", "podman": "podman restart", "containerd": "nerdctl restart"}
UNIT_KINDS = (".service", ".scope")


@dataclass(frozen=True)
class Holder:
    """A process that has the socket open. names: its own and that of its executable, without directory."""

    pid: int
    descriptor: int
    names: Tuple[str, ...]
    unit: Optional[str]
    owner: Owner


@dataclass(frozen=True)
class Candidate:
    """A listener, the network namespace that it is in, whose that is, and who holds it; the first holder speaks."""

    namespace: Namespace
    owner: Owner
    listener: Listener
    holders: Tuple[Holder, ...]

    @property
    def process(self) -> str:
        """Name of the program, for people."""
        return self.holders[0].names[0] if self.holders else "unknown process"

    @property
    def is_loopback(self) -> bool:
        """Whether only the host (or pod) itself can connect."""
        return ipaddress.ip_address(self.listener.address.split("%")[0]).is_loopback

    @property
    def place(self) -> str:
        """Address and port, for people."""
        address = self.listener.address
        return f"[{address}]:{self.listener.port}" if ":" in address else f"{address}:{self.listener.port}"

    @property
    def name(self) -> str:
        """All of it on one line, different for each socket."""
        pid = f"[{self.holders[0].pid}]" if self.holders else ""
        whose = self.owner.name or f"network namespace {self.namespace.inode}"
        return f"{whose} {self.place} {self.process}{pid} socket {self.listener.inode}"


@dataclass(frozen=True)
class Selection:
    """Listeners that are meant. What is empty does not narrow; below: only those whose backlog is too small."""

    backlog: int
    ports: Tuple[int, ...] = ()
    processes: Tuple[str, ...] = ()
    units: Tuple[str, ...] = ()
    containers: Tuple[str, ...] = ()
    pods: Tuple[str, ...] = ()
    except_processes: Tuple[str, ...] = ()
    below: bool = False
    loopback: bool = False

    def validate(self) -> None:
        """Raise ValueError that names the option, the value and what is allowed."""
        if not 1 <= self.backlog <= LARGEST:
            raise ValueError(f"backlog is {self.backlog}; it takes 1 to {LARGEST}")
        for port in self.ports:
            if not 1 <= port <= 65535:
                raise ValueError(f"ports has {port}; it takes 1 to 65535")
        for name in ("processes", "units", "containers", "pods", "except_processes"):
            if any(not value.strip() for value in getattr(self, name)):
                raise ValueError(f"{name} has an empty name; leave it out, or name what is meant")
        for pod in self.pods:
            if "/" not in pod:
                raise ValueError(f"pods has {pod!r}; it takes namespace/name")
        if not (self.ports or self.processes or self.units or self.containers or self.pods or self.below):
            raise ValueError(
                "nothing is chosen: name ports, processes, units, containers or pods, or set below to true for every "
                "listener whose backlog is smaller"
            )


class Outcome(Enum):
    """What became of a listener. GONE: it was closed meanwhile, which is no fault."""

    RAISED = "raised"
    ALREADY = "already"
    NEEDS_RESTART = "needs_restart"
    GONE = "gone"
    FAILED = "failed"


@dataclass(frozen=True)
class Step:
    """What is to be done about a listener, or was. after: the effective backlog then, None for one that is gone."""

    candidate: Candidate
    before: int
    after: Optional[int]
    outcome: Outcome
    reason: str = ""


@dataclass(frozen=True)
class SomaxconnStep(Fact):
    """net.core.somaxconn of a network namespace, raised because it caps a backlog. Values in connections."""

    namespace: Namespace
    owner: Owner
    before: int
    after: int


@dataclass(frozen=True)
class Plan:
    """All that is to be done, in this order; the same in check mode and for real. restarts: systemd units."""

    wanted: int
    sysctls: Tuple[SomaxconnStep, ...]
    steps: Tuple[Step, ...]
    restarts: Tuple[str, ...]

    @property
    def changes(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.sysctls or self.restarts) or any(step.outcome is Outcome.RAISED for step in self.steps)


Hindrance = Callable[[Candidate], Optional[Tuple[Outcome, str]]]
"""Why the backlog of a listener cannot be raised while its process runs, and the outcome; None where it can."""


def choose(candidates: Iterable[Candidate], selection: Selection) -> List[Candidate]:
    """Return the listeners that all parts of a selection mean, in the order given."""
    found = [one for one in candidates if _chosen(one, selection)]
    return [one for one in found if selection.loopback or not one.is_loopback]


def unmatched(candidates: Sequence[Candidate], selection: Selection) -> List[str]:
    """Say what of a selection means no listener at all, one sentence each."""
    told = []
    for option, values, test in _narrowing(selection):
        for value in values:
            fits = [one for one in candidates if test(one, value)]
            if not fits:
                told.append(f"{option}: nothing listens for {value}")
            elif not selection.loopback and all(one.is_loopback for one in fits):
                told.append(f"{option}: {value} listens on loopback only; loopback: true includes it")
    return told


def make_plan(
    chosen: Sequence[Candidate],
    wanted: int,
    somaxconn: Mapping[int, Optional[int]],
    hindrance: Hindrance,
    restart: bool,
) -> Plan:
    """Return what to do so that the chosen listeners have a backlog of ``wanted`` or more.

    somaxconn: by the inode of the network namespace; None where it is hidden. restart: whether units may be restarted.
    """
    steps = [_step(one, wanted, somaxconn.get(one.namespace.inode), hindrance) for one in chosen]
    short = [step for step in steps if step.outcome in (Outcome.RAISED, Outcome.NEEDS_RESTART)]
    sysctls: Dict[int, SomaxconnStep] = {}
    for step in short:
        namespace, owner = step.candidate.namespace, step.candidate.owner
        limit = somaxconn.get(namespace.inode)
        if limit is not None and limit < wanted:
            sysctls[namespace.inode] = SomaxconnStep(namespace, owner, limit, wanted)
    return Plan(wanted, tuple(sysctls.values()), tuple(steps), _restarts(short) if restart else ())


def restartable_unit(candidate: Candidate) -> Optional[str]:
    """Return the systemd service that a restart would be one of; None where it is none."""
    holder = candidate.holders[0] if candidate.holders else None
    unit = holder.unit if holder is not None else None
    return unit if unit is not None and unit.endswith(".service") else None


def how_to_restart(candidate: Candidate) -> str:
    """Say how its program is started again, as a command where there is one."""
    unit = restartable_unit(candidate)
    owner = candidate.holders[0].owner if candidate.holders else candidate.owner
    if owner.kind is OwnerKind.POD and owner.pod and owner.pod_namespace:
        return f"kubectl --namespace {owner.pod_namespace} delete pod {owner.pod} (its controller makes a new one)"
    if owner.kind is OwnerKind.CONTAINER:
        return f"{COMMAND_OF_RUNTIME.get(owner.runtime or '', 'crictl stop')} {owner.name or owner.container_id}"
    if unit is not None:
        return f"systemctl restart {unit}"
    pid = f" {candidate.holders[0].pid}" if candidate.holders else ""
    return f"end {candidate.process}{pid} and start it again the way that it was started"


def _restarts(short: Sequence[Step]) -> Tuple[str, ...]:
    units = [restartable_unit(step.candidate) for step in short if step.outcome is Outcome.NEEDS_RESTART]
    return tuple(dict.fromkeys(unit for unit in units if unit is not None))


def _step(one: Candidate, wanted: int, somaxconn: Optional[int], hindrance: Hindrance) -> Step:
    before = one.listener.effective_backlog
    if before >= wanted:
        return Step(one, before, before, Outcome.ALREADY)
    if somaxconn is None and wanted > FIXED_SOMAXCONN:
        reason = f"net.core.somaxconn of its network namespace is hidden on this kernel, and stays {FIXED_SOMAXCONN}"
        return Step(one, before, before, Outcome.FAILED, reason)
    hindered = hindrance(one)
    if hindered is not None:
        outcome, reason = hindered
        return Step(one, before, None if outcome is Outcome.GONE else before, outcome, reason)
    return Step(one, before, wanted, Outcome.RAISED)


Test = Callable[[Candidate, str], bool]


def _chosen(one: Candidate, selection: Selection) -> bool:
    if selection.below and one.listener.effective_backlog >= selection.backlog:
        return False
    if any(_is_process(one, name) for name in selection.except_processes):
        return False
    return all(any(test(one, value) for value in values) for _option, values, test in _narrowing(selection))


def _narrowing(selection: Selection) -> List[Tuple[str, Tuple[str, ...], Test]]:
    """Return the options that narrow, each with its values and the test that one of them has to pass."""
    options: List[Tuple[str, Tuple[str, ...], Test]] = [
        ("ports", tuple(map(str, selection.ports)), _is_port),
        ("processes", selection.processes, _is_process),
        ("units", selection.units, _is_unit),
        ("containers", selection.containers, _is_container),
        ("pods", selection.pods, _is_pod),
    ]
    return [option for option in options if option[1]]


def _is_port(one: Candidate, port: str) -> bool:
    return str(one.listener.port) == port


def _is_process(one: Candidate, name: str) -> bool:
    return any(name in holder.names or name[:SHORT_NAME] == holder.names[0] for holder in one.holders)


def _is_unit(one: Candidate, name: str) -> bool:
    full = name if name.endswith(UNIT_KINDS) else f"{name}.service"
    return any(holder.unit == full for holder in one.holders)


def _is_container(one: Candidate, name: str) -> bool:
    return any(_owner_is(owner, name) for owner in _owners(one))


def _owner_is(owner: Owner, name: str) -> bool:
    by_id = len(name) >= SHORT_ID and (owner.container_id or "").startswith(name)
    return by_id or (owner.kind is OwnerKind.CONTAINER and owner.name == name)


def _is_pod(one: Candidate, name: str) -> bool:
    return any(owner.kind is OwnerKind.POD and owner.name == name for owner in _owners(one))


def _owners(one: Candidate) -> FrozenSet[Owner]:
    return frozenset(holder.owner for holder in one.holders) or frozenset((one.owner,))

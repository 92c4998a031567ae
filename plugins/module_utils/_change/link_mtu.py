# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""MTUs of links: what is asked for, the plan, and carrying it out. Live in any namespace, lasting on the host's own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from .._config.link_configs import plan_link_configs
from .._config.link_owners import find_link_owner
from .._config.reading import UnreadableFile
from .._facts.link_census import LinkCensus, LinkName, NoSuchTarget, take_link_census
from .._model.file_change import FileChange
from .._model.link_limits import check_mtu, refusal
from .._model.link_order import in_order
from .._model.link_owner import LinkConfigPlan
from .guard import Paths, check_armed
from .journal import DIRECTORY, Change
from .link_config_resource import LinkConfigResource, link_config_changes
from .link_mtu_resource import LinkMtuResource
from .namespace_target import name_namespace
from .resource import ChangeError, Gone, Resource
from .route_mtu import KIND as ROUTE_KIND
from .route_mtu import RouteStep, RouteWish, route_changes, route_steps
from .route_mtu_resource import RouteMtuResource
from .session import Session

KIND = "link_mtu"
RESOURCES: Dict[str, Resource] = {
    KIND: LinkMtuResource(),
    "link_config": LinkConfigResource(),
    ROUTE_KIND: RouteMtuResource(),
}


@dataclass(frozen=True)
class LinkWish:
    """One link as it is asked for. namespace: path of its network namespace; pid: a process in it; none: the host."""

    link: str
    mtu: int
    namespace: Optional[str] = None
    pid: Optional[int] = None

    def __str__(self) -> str:
        where = f" in {self.namespace}" if self.namespace else f" of process {self.pid}" if self.pid else ""
        return f"{self.link}{where}"


@dataclass(frozen=True)
class LinkStep:
    """What becomes of one link. target: as link_mtu_resource takes it. config: what makes it last, if asked for.

    paired: whether it is an end of a container's pair.
    """

    name: LinkName
    target: Mapping[str, Any]
    before: int
    after: int
    config: Optional[LinkConfigPlan] = None
    paired: bool = False

    @property
    def differs(self) -> bool:
        """Tell whether the live link has to be changed."""
        return self.before != self.after

    @property
    def _lasts(self) -> str:
        """How long it lasts where nothing was asked to make it last."""
        if self.target["namespace"] is not None or self.paired:
            return "it lasts until the pod or container is made anew"
        return "it lasts until the link or the host restarts"

    def as_result(self) -> Dict[str, Any]:
        """Return what the module says about this link."""
        config = self.config.as_result() if self.config is not None else {}
        owner = config.get("owner", {})
        return {
            "link": self.name.name,
            "namespace": self.name.namespace if self.target["namespace"] is not None else None,
            "owner": self.target["owner"],
            "before": self.before,
            "after": self.after,
            "manager": owner.get("manager"),
            "persisted": bool(config.get("persisted")),
            "files": config.get("written", []),
            "notes": config.get("notes", []),
            "reason": config.get("reason") or owner.get("evidence") or self._lasts,
        }


@dataclass(frozen=True)
class LinksPlan:
    """All that is to be done, before any of it is. steps: in their order; those that change nothing are among them.

    gone: what is left out because it is no more, and why, in words.
    """

    steps: Tuple[LinkStep, ...]
    routes: Tuple[RouteStep, ...] = ()
    gone: Tuple[str, ...] = ()

    def without(self, gone: Sequence[Change]) -> LinksPlan:
        """Return the plan without what was no more when it was to be changed."""
        targets = [change.target for change in gone]
        return replace(
            self,
            steps=tuple(step for step in self.steps if step.target not in targets),
            routes=tuple(step for step in self.routes if step.change is None or step.change.target not in targets),
            gone=(*self.gone, *(f"{_described(change)}: it went before it could be set" for change in gone)),
        )

    def changes(self, live: bool) -> List[Change]:
        """Return the changes in the order in which they are made: live links first, for they can be refused.

        Raises ChangeError where a file is no more what it was.
        """
        links = [Change(KIND, dict(step.target), step.before, step.after) for step in self.steps if step.differs]
        lasting = [step.config for step in self.steps if step.config is not None and step.config.persisted]
        return (links + route_changes(self.routes) if live else []) + link_config_changes(lasting)

    def as_result(self, live: bool) -> Dict[str, Any]:
        """Return what the module says about it."""
        files: Dict[str, FileChange] = {}
        for step in self.steps:
            if step.config is not None and step.config.persisted:
                files.update((change.path, change) for change in step.config.changes)
        diff = [change.as_diff() for change in files.values()]
        if live and (self.routes or any(step.differs for step in self.steps)):
            diff.insert(0, {"before": self._listed("before"), "after": self._listed("after")})
        return {
            "links": [step.as_result() for step in self.steps],
            "routes": [step.as_result() for step in self.routes],
            "gone": list(self.gone),
            "written": list(files),
            "diff": diff,
        }

    def _listed(self, moment: str) -> str:
        lines = [f"{step.target['owner']}: {step.name.name}: MTU {getattr(step, moment)}" for step in self.steps]
        lines += [f"{step.owner}: {step.route}: MTU {getattr(step, moment)}" for step in self.routes]
        return "".join(f"{line}\n" for line in lines)


def wishes_of(entries: Sequence[Mapping[str, Any]]) -> List[LinkWish]:
    """Return what the option O(links) means. Raises ValueError that names the entry, the value and what is allowed."""
    wishes = []
    for number, entry in enumerate(entries):
        where = f"links[{number}]"
        if entry.get("namespace") and entry.get("pid"):
            raise ValueError(f"{where}: namespace and pid both say where the link is: leave one")
        check_mtu(f"{where}.mtu", entry["mtu"])
        wishes.append(LinkWish(entry["link"], entry["mtu"], entry.get("namespace") or None, entry.get("pid")))
    return wishes


def plan_links(
    wishes: Sequence[LinkWish],
    persist: bool,
    root: str = "/",
    routes: Sequence[RouteWish] = (),
    skip_gone: bool = False,
) -> LinksPlan:
    """Look at the host and return what has to be done. Changes nothing. skip_gone: leave out what is no more.

    Raises ValueError for what cannot be had, Gone, ChangeError.
    """
    if not wishes and not routes:
        raise ValueError("links and routes are empty; name at least one link, as in {link: eth0, mtu: 1450}")
    census = take_link_census(root)
    found, gone = _found(wishes, census, skip_gone)
    wanted = _wanted(found, census)
    changes = {name: (census.links[name].mtu, mtu) for name, mtu in wanted.items()}
    below = census.below()
    for name, mtu in wanted.items():
        carriers = [(census.links[carrier], wanted.get(carrier)) for carrier in below[name]]
        reason = refusal(census.links[name], mtu, carriers)
        if reason is not None:
            raise ValueError(f"links: {name.name} cannot have {mtu}: {reason}")
    order = in_order(changes, below)
    order += [name for name in changes if name not in order]
    configs = _configs(census, wanted, root) if persist else {}
    steps = []
    for name in order:
        try:
            named = name_namespace(census.namespaces[name.namespace])
        except Gone as error:
            if not skip_gone:
                raise
            gone.append(f"{name.name} of {census.owner_name(name.namespace)}: {error}")
            continue
        target = {"link": name.name, "namespace": named, "owner": census.owner_name(name.namespace)}
        paired = census.peer(name) is not None
        steps.append(LinkStep(name, target, *changes[name], configs.get(name), paired))
    return LinksPlan(tuple(steps), route_steps(routes, census, skip_gone), tuple(gone))


def carry_out(
    changes: Sequence[Change],
    run: Optional[str],
    journal: str = DIRECTORY,
    armed: str = "",
    skip_gone: bool = False,
) -> Tuple[str, List[Change]]:
    """Make the changes, each in the journal first. armed: guard without which none is made.

    skip_gone: go on where a target is no more. Returns the run's name, and the changes of which that is so.
    Raises Gone, ChangeError; then everything is as it was, and the message says so or what is not.
    """
    session = Session(run, "link_mtu", RESOURCES, journal)
    try:
        with session:
            if armed:
                # Under the lock: whoever ends the guard holds it, so that no change comes after its end.
                check_armed(armed, session.run, Paths())
            gone = session.change_all(changes, skip_gone)
    except (Gone, ChangeError) as error:
        left = "; what was changed before is taken back"
        if session.not_taken_back:
            left = "; not taken back: " + ", ".join(session.not_taken_back)
        raise ChangeError(f"{error}{left}") from error
    return session.run, gone


def _described(change: Change) -> str:
    return RESOURCES[change.kind].describe(change.target)


def _found(
    wishes: Sequence[LinkWish], census: LinkCensus, skip_gone: bool
) -> Tuple[List[Tuple[LinkWish, LinkName]], List[str]]:
    """Return the wishes with their links, and of what is no more why. Raises ValueError."""
    found, gone = [], []
    for wish in wishes:
        try:
            inode = census.namespace_of(wish.namespace, wish.pid, f"links: {wish}")
            found.append((wish, census.find(inode, wish.link, f"links: there is no {wish}")))
        except NoSuchTarget as error:
            if not skip_gone:
                raise
            gone.append(str(error)[len("links: ") :])
    return found, gone


def _wanted(wishes: Sequence[Tuple[LinkWish, LinkName]], census: LinkCensus) -> Dict[LinkName, int]:
    """Return the MTU for each link, both ends of a veth pair among them."""
    wanted: Dict[LinkName, int] = {}
    said: Dict[LinkName, LinkWish] = {}
    for wish, name in wishes:
        for end in (name, census.peer(name)):
            if end is None:
                continue
            if wanted.get(end, wish.mtu) != wish.mtu:
                raise ValueError(
                    f"links: {said[end]} is to have {wanted[end]} and {wish} is to have {wish.mtu}, but they are the "
                    "same link or the two ends of one pair: leave one value"
                )
            wanted[end] = wish.mtu
            said[end] = wish
    return wanted


def _configs(census: LinkCensus, wanted: Mapping[LinkName, int], root: str) -> Dict[LinkName, LinkConfigPlan]:
    """Return what makes the MTUs last, of the host's own links: ends of containers' pairs come and go with them."""
    mine = [name for name in wanted if name.namespace == census.host and census.peer(name) is None]
    try:
        owners = [find_link_owner(root, name.name, census.links[name].index) for name in mine]
        plans = plan_link_configs(root, [(owner, wanted[name]) for owner, name in zip(owners, mine)])
    except UnreadableFile as error:
        raise ChangeError(f"who configures the host's links cannot be found out: {error}") from error
    return dict(zip(mine, plans))

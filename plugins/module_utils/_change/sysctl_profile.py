# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""A profile of kernel parameters on a host or in its containers: look, plan, change, in this order."""

from __future__ import annotations

import os
import resource
from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from .._config.sysctl_tree import read_sysctl_tree
from .._facts.census import take_census
from .._facts.selection import left_out, select
from .._facts.sources import Source
from .._kernel.sysctls import read_sysctls
from .._kernel.visiting import visit
from .._model.fact import Problem
from .._model.sysctl_file import SysctlTree
from .._model.sysctl_setting import Operator, Setting, parse_kernel, parse_settings
from .file_resource import FileResource, file_target
from .journal import DIRECTORY, Change
from .namespace_target import name_namespace
from .resource import ChangeError, Gone, Resource
from .session import Session
from .sysctl_file_plan import FilePlan, check_name, files_of, keys_in, plan_file, plan_removal
from .sysctl_plan import Circumstances, LivePlan, Place, plan_live
from .sysctl_resource import SysctlResource
from .undo import original_values

TCP_MEM = "net.ipv4.tcp_mem"
HOST = "the host"
FILES = FileResource()
RESOURCES: Dict[str, Resource] = {"file": FILES, "sysctl": SysctlResource()}


@dataclass(frozen=True)
class Wish:
    """What is asked for. containers: see selection.select(); empty: the host. live, persist: what is to be changed.

    ensure: take another file name where the usual one is shadowed. present: whether the profile is to be there.
    """

    name: str
    settings: Tuple[Setting, ...]
    present: bool = True
    containers: Tuple[Mapping[str, Any], ...] = ()
    live: bool = True
    persist: bool = True
    ensure: bool = False


@dataclass(frozen=True)
class ProfilePlan:
    """All that is to be done, before any of it is. places: with the plan for each."""

    places: Tuple[Tuple[Place, LivePlan], ...]
    file: FilePlan
    gone: Tuple[str, ...] = ()
    left_out: Tuple[Problem, ...] = ()

    @property
    def faults(self) -> List[str]:
        """Why nothing is done; empty when nothing stands against it."""
        return [fault for _place, plan in self.places for fault in plan.faults] + list(self.file.faults)

    def changes(self) -> List[Change]:
        """Return the changes in the order in which they are made: live values first, for they can be refused."""
        found = []
        for place, plan in self.places:
            for step in plan.steps:
                target = {"key": step.key, "namespace": place.namespace, "owner": place.name}
                found.append(Change("sysctl", target, step.before, step.after))
        for file in self.file.steps:
            before = FILES.read({"path": file.path}) if file.before is not None else None
            mode = before["mode"] if before is not None else 0o644
            after = None if file.after is None else {"text": file.after, "mode": mode}
            found.append(Change("file", file_target(file.path), before, after))
        return found


def wish_of(params: Mapping[str, Any]) -> Wish:
    """Return what a module's options mean. Raises ValueError that names the option, the value and what is allowed."""
    wish = Wish(
        name=check_name(params["name"]),
        settings=parse_settings(params["settings"]),
        present=params["state"] == "present",
        containers=tuple(params["containers"]),
        live=params["live"],
        persist=params["persist"] and not params["containers"],
        ensure=params["precedence"] == "ensure",
    )
    if wish.present and not wish.settings:
        raise ValueError("settings is empty; name at least one kernel parameter, or a profile")
    if not wish.live and not wish.persist:
        raise ValueError("live and persist are both off (containers have no file): nothing is left to do")
    return wish


def plan_profile(wish: Wish, root: str = "/", journal: str = DIRECTORY) -> ProfilePlan:
    """Look at the host and return what has to be done. Changes nothing. Raises ValueError, ChangeError."""
    tree = read_sysctl_tree(root)
    settings = wish.settings if wish.present else _to_put_back(wish, tree)
    keys = [setting.key for setting in settings]
    places, gone, apart = _places(wish, keys, root)
    circumstances = Circumstances(parse_kernel(os.uname().release), _tcp_memory())
    originals = (
        original_values("sysctl", RESOURCES, journal)
        if any(one.operator is Operator.ABSENT for one in settings)
        else {}
    )
    plans = [plan_live(settings, place, circumstances, originals) for place in places]
    file = FilePlan(())
    if wish.persist and wish.present:
        mine = [setting for setting in settings if setting.scope != "namespace"]
        file = plan_file(wish.name, mine, plans[0].reached, tree, wish.ensure)
    elif wish.persist:
        file = plan_removal(tree, wish.name)
    if not wish.live:
        plans = [LivePlan((), plan.skipped, plan.reached, plan.faults) for plan in plans]
    return ProfilePlan(tuple(zip(places, plans)), file, gone, apart)


def carry_out(plan: ProfilePlan, run: Optional[str], journal: str = DIRECTORY) -> Tuple[str, List[str]]:
    """Make the changes, each in the journal first. Return the run's name, and which places were gone meanwhile.

    Raises ChangeError; then everything is as it was, and the message says so or what is not.
    """
    session = Session(run, "sysctl_profile", RESOURCES, journal)
    try:
        with session:
            gone = session.change_all(plan.changes(), gone_is_fine=True)
    except ChangeError as error:
        left = "; what was changed before is taken back"
        if session.not_taken_back:
            left = "; not taken back: " + ", ".join(session.not_taken_back)
        raise ChangeError(f"{error}{left}") from error
    return session.run, sorted({str(change.target.get("owner")) for change in gone})


def _to_put_back(wish: Wish, tree: SysctlTree) -> Tuple[Setting, ...]:
    """Return the keys of the profile, as far as its file or the options name them, to be given up."""
    keys = {setting.key for setting in wish.settings}
    for file in files_of(tree, wish.name) if not wish.containers else ():
        keys |= set(keys_in(file))
    return tuple(Setting(key, Operator.ABSENT, optional=True) for key in sorted(keys))


def _places(wish: Wish, keys: Sequence[str], root: str) -> Tuple[List[Place], Tuple[str, ...], Tuple[Problem, ...]]:
    """Return the places with their values, the names of those that vanished meanwhile, and those without own values."""
    if not wish.containers:
        return [Place(HOST, None, read_sysctls(keys))], (), ()
    census = take_census(root)
    sources = {source.namespace.inode: source for source in select(census, wish.containers)}
    places, gone = [], []
    found = visit([source.namespace for source in sources.values()], lambda _namespace: read_sysctls(keys))
    for namespace, values in found:
        name = _name(sources[namespace.inode])
        try:
            if isinstance(values, Problem):
                raise Gone(values.reason)
            places.append(Place(name, name_namespace(namespace), values))
        except Gone:
            gone.append(name)
    return places, tuple(gone), tuple(left_out(census, wish.containers))


def _name(source: Source) -> str:
    return f"{source.owner.kind.value} {source.owner.name or source.namespace.inode}"


def _tcp_memory() -> Optional[int]:
    """Return the bytes from which on the kernel gets thrifty with TCP's memory (tcp_mem[1], in pages)."""
    reading = read_sysctls([TCP_MEM]).get(TCP_MEM)
    if reading is None or reading.value is None:
        return None
    return int(reading.value.split()[1]) * resource.getpagesize()

# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The MSS clamp: from what is asked for to a plan, and from that to a table, files and a unit."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Callable, Dict, List, Mapping, Optional, Tuple

from .._config.mss_clamp_files import (
    FIREWALL_FILE,
    LINK,
    OWN_DIRECTORIES,
    RULES,
    UNIT,
    UNIT_FILE,
    firewall_text,
    rules_text,
    unit_text,
)
from .._config.reading import under
from .._kernel import systemd
from .._kernel.nft import Table, as_listed, find_nft, read_tables, replacing
from .._model.file_change import FileChange, FileText
from .._model.mss_clamp import FAMILY, NAME, ClampScope, table_text
from .file_resource import file_target
from .journal import Change
from .nft_table_resource import MISSING
from .resource import ChangeError, Resource
from .resources import RESOURCES
from .session import Session

KINDS = ("file", "unit_file", "unit_link", "nft_table", "unit_state")
TABLE = Table(FAMILY, NAME)
FILE_MODE = 0o644
LIMITS = (
    "connections that are open keep the segment size that they have agreed on, until they are opened anew",
    "only TCP is healed: datagrams (QUIC, DNS) that are too large are lost as before",
    "only what this host forwards is healed: not connections to programs and pods in its own network namespace",
    "only what passes netfilter is healed: not what Cilium or Calico forward by eBPF, past it",
)
"""What the clamp does not heal."""
NO_SYSTEMD = (
    "systemd does not run here, so that nothing brings the rules back after a boot: run this again then, or let the "
    "host's init load them"
)


@dataclass(frozen=True)
class ClampWish:
    """What is asked for. persist: also after a boot and after a restart of the firewall."""

    present: bool = True
    scope: ClampScope = field(default_factory=ClampScope)
    persist: bool = True


@dataclass(frozen=True)
class ClampHost:
    """Where it is done; tests hand in their own.

    nft: its path, None where it is not installed. listed: a table's text as nft lists it. tables: all that there are.
    Both raise OSError, and tables ValueError.
    """

    root: str = "/"
    resources: Mapping[str, Resource] = field(default_factory=lambda: {kind: RESOURCES[kind] for kind in KINDS})
    nft: Optional[str] = field(default_factory=find_nft)
    listed: Callable[[str], str] = field(default=lambda text: as_listed(TABLE, text))
    tables: Callable[[], List[Table]] = field(default=read_tables)


@dataclass(frozen=True)
class ClampPlan:
    """What is to be done: the same object for check mode and for real.

    before, after: the table's text, None for none. persisted: whether it comes back by itself. reason: why not, where
    that was asked for, or what else is noteworthy. by_hand: tables that the commands in a report have made.
    """

    changes: Tuple[Change, ...]
    before: Optional[str]
    after: Optional[str]
    persisted: bool
    reason: str
    by_hand: Tuple[str, ...] = ()

    def as_result(self, root: str = "/") -> Dict[str, Any]:
        """Return what the module returns of it. root: is left out of paths."""
        files = [_file_change(change, root) for change in self.changes if change.kind in ("file", "unit_file")]
        links = [_shown(change.target["path"], root) for change in self.changes if change.kind == "unit_link"]
        return {
            "changed": bool(self.changes),
            "before": self.before or "",
            "after": self.after or "",
            "written": [*(file.path for file in files), *links],
            "diff": [_table_diff(self.before, self.after), *(file.as_diff() for file in files)],
            "persisted": self.persisted,
            "reason": self.reason,
            "by_hand": list(self.by_hand),
            "lasts": "" if self.after is None else lasts(self.persisted),
            "limits": [] if self.after is None else list(LIMITS),
        }


def lasts(persisted: bool) -> str:
    """Return how long the clamp is there, in words."""
    remedy = "remove it (state: absent) when the MTU of the pods is right"
    if persisted:
        return f"until it is removed, also after a boot and whatever becomes of the firewall; {remedy}"
    return f"until the next boot, or until somebody flushes the rules of nftables; {remedy}"


def plan_clamp(wish: ClampWish, host: ClampHost) -> ClampPlan:
    """Return the plan. Raises ChangeError for what can't be read, or where nft is missing."""
    return _plan_present(wish, host) if wish.present else _plan_absent(host)


def carry_out(plan: ClampPlan, session: Session, host: ClampHost) -> None:
    """Do what the plan says, through the journal. Raises ChangeError; then what was done is taken back."""
    for change in plan.changes:
        resource = host.resources[change.kind]
        if resource.read(change.target) != change.before:
            raise ChangeError(f"{resource.describe(change.target)} was changed by somebody else meanwhile: run again")
    session.change_all(plan.changes)


def _plan_present(wish: ClampWish, host: ClampHost) -> ClampPlan:
    if host.nft is None:
        raise ChangeError(MISSING)
    text = table_text(wish.scope)
    try:
        wanted = host.listed(text)
    except OSError as error:
        advice = "; run as root (become: true)" if isinstance(error, PermissionError) else ""
        raise ChangeError(
            f"the rules cannot be tried out in a network namespace of their own: {error}{advice}"
        ) from error
    possible = systemd.runs(host.root)
    persisted = wish.persist and possible
    table = _change("nft_table", _table_target(), wanted, host)
    if persisted:
        started = _change("unit_state", {"unit": UNIT}, True, host)
        changes = [*_real(_files(text, host.nft, host)), *_real([table]), *_real([started])]
    else:
        leaving = _real(_leave_files(host))
        # Whoever stops the unit removes the table, also one that is as it should be.
        changes = [*leaving, *([table] if leaving else _real([table]))]
    reason = NO_SYSTEMD if wish.persist and not possible else ""
    return ClampPlan(tuple(changes), table.before, wanted, persisted, reason, _by_hand(host))


def _plan_absent(host: ClampHost) -> ClampPlan:
    table = _change("nft_table", _table_target(), None, host)
    changes = tuple(_real([*_leave_files(host), table]))
    reason = "" if host.nft else "nft is not installed, so that rules in the kernel could not be seen or removed"
    return ClampPlan(changes, table.before, None, False, reason, _by_hand(host))


def _by_hand(host: ClampHost) -> Tuple[str, ...]:
    """Return the tables that fix_commands() of the report makes, one for each port."""
    if host.nft is None:
        return ()
    try:
        return tuple(str(table) for table in host.tables() if table.name.startswith(f"{NAME}_"))
    except (OSError, ValueError) as error:
        raise ChangeError(f"the tables of nftables cannot be listed: {error}; run as root (become: true)") from error


def _files(text: str, nft: str, host: ClampHost) -> List[Change]:
    """Return the changes that write the files. The link comes last: until then nothing starts the unit."""
    rules = {"text": rules_text(replacing(TABLE, text)), "mode": FILE_MODE}
    unit = {"text": unit_text(nft), "mode": FILE_MODE}
    firewall = {"text": firewall_text(nft), "mode": FILE_MODE}
    return [
        _change("file", file_target(under(host.root, RULES)), rules, host),
        _change("unit_file", file_target(under(host.root, UNIT_FILE)), unit, host),
        _change("unit_file", file_target(under(host.root, FIREWALL_FILE)), firewall, host),
        _change("unit_link", file_target(under(host.root, LINK)), UNIT_FILE, host),
    ]


def _leave_files(host: ClampHost) -> List[Change]:
    """Return the changes that remove the files: the unit first, because stopping it removes the table as well."""
    return [
        _change("unit_state", {"unit": UNIT}, False, host),
        _change("unit_link", _own(LINK, host), None, host),
        _change("unit_file", _own(FIREWALL_FILE, host), None, host),
        _change("unit_file", _own(UNIT_FILE, host), None, host),
        _change("file", _own(RULES, host), None, host),
    ]


def _own(path: str, host: ClampHost) -> Dict[str, Any]:
    """Return the target of a file that is removed together with the directories that are ours."""
    directories = [under(host.root, directory) for directory in OWN_DIRECTORIES.get(path, [])]
    target = {"path": under(host.root, path)}
    return {**target, "directories": directories} if directories else target


def _table_target() -> Dict[str, Any]:
    return {"family": FAMILY, "name": NAME}


def _change(kind: str, target: Dict[str, Any], after: Any, host: ClampHost) -> Change:
    return Change(kind, target, host.resources[kind].read(target), after)


def _real(changes: List[Change]) -> List[Change]:
    return [change for change in changes if change.before != change.after]


def _shown(path: str, root: str) -> str:
    return path if root == "/" else path[len(root.rstrip("/")) :]


def _file_change(change: Change, root: str) -> FileChange:
    before, after = (None if value is None else FileText(**value) for value in (change.before, change.after))
    return FileChange(_shown(change.target["path"], root), before, after)


def _table_diff(before: Optional[str], after: Optional[str]) -> Dict[str, str]:
    name = f"table {TABLE}"
    return {"before_header": name, "after_header": name, "before": before or "", "after": after or ""}

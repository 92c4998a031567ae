# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Files of those that configure links, as things that can be changed and undone: their program reads them anew.

Target: that of a file, and {"manager": ..., "reload": name of a Reload, "link": ..., "generated": ...}. Value: as of a
file. generated: what netplan makes of the file for NetworkManager.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from .._config.reading import under
from .._kernel.commands import output_of
from .._model.file_change import FileText
from .._model.link_owner import LinkConfigPlan, Reload
from .file_resource import FileResource, file_target
from .journal import Change
from .resource import ChangeError, Target

KIND = "link_config"
SECONDS = 30.0
"""For one command; netplan's Python needs a few on a slow machine."""

_LOAD = ("nmcli", "--wait", "20", "connection", "load")
COMMANDS: Mapping[Reload, Tuple[Tuple[str, ...], ...]] = {
    Reload.NOTHING: (),
    Reload.NETPLAN_NETWORKD: (("netplan", "generate"),),
    Reload.NETPLAN_NETWORK_MANAGER: (("netplan", "generate"), (*_LOAD, "{generated}")),
    Reload.NETWORK_MANAGER_PROFILE: ((*_LOAD, "{path}"),),
    Reload.NETWORK_MANAGER_SETTINGS: (("nmcli", "--wait", "20", "general", "reload", "conf"),),
}
"""None of them takes a link down or changes its MTU. "networkctl reload" is not among them: with systemd 252 a link
whose file has changed loses its addresses for a moment, with DHCP its lease, and for good the routes of others on it.
"""
_NOT_RUNNING = ("not running", "No such file")


class LinkConfigResource(FileResource):
    """See Resource. What a manager refuses to read is put back as it was."""

    def write(self, target: Target, value: Optional[Dict[str, Any]]) -> None:
        """Write, or remove for None, and let the manager read it anew. Raises ChangeError."""
        before = self.read(target)
        super().write(target, value)
        try:
            reread(target)
        except ChangeError:
            super().write(target, before)
            raise

    def describe(self, target: Target) -> str:
        """The path, and whose link it is about."""
        return f"{target['path']} ({target['manager']}, {target['link']})"


def reread(target: Target) -> None:
    """Let the manager of a target read its files. One that is not running reads them when it starts.

    Raises ChangeError where it refuses them.
    """
    for command in COMMANDS[Reload(target["reload"])]:
        filled = [word.format(path=target["path"], generated=target.get("generated", "")) for word in command]
        try:
            output_of(*filled, seconds=SECONDS)
        except OSError as error:
            if not any(sign in str(error) for sign in _NOT_RUNNING):
                raise ChangeError(f"{' '.join(filled)}: {error}; {target['path']} is as it was") from error


def link_config_changes(plans: Sequence[LinkConfigPlan], root: str = "/") -> List[Change]:
    """Return the changes of the plans as the journal takes them, each file once.

    plans: of one call of plan_link_configs(). Raises ChangeError where a file is no more what it was then.
    """
    changes: Dict[str, Change] = {}
    for plan in plans:
        for change in plan.changes if plan.blocked is None else ():
            known = changes.get(change.path)
            if known is None:
                target = _target(plan, change.path, root)
                if FileResource().read(target) != _plain(change.before):
                    raise ChangeError(f"{change.path} was changed by somebody else meanwhile: run again")
                changes[change.path] = Change(KIND, target, _plain(change.before), _plain(change.after))
            else:
                target = {**known.target, "link": f"{known.target['link']}, {plan.owner.link}"}
                changes[change.path] = Change(KIND, target, known.before, _plain(change.after))
    return list(changes.values())


def _target(plan: LinkConfigPlan, path: str, root: str) -> Dict[str, Any]:
    owner = plan.owner
    target = {
        **file_target(under(root, path)),
        "manager": owner.manager.value if owner.manager else "",
        "reload": plan.reload.value,
        "link": owner.link,
    }
    if owner.generated is not None:
        target["generated"] = under(root, owner.generated)
    return target


def _plain(file: Optional[FileText]) -> Optional[Dict[str, Any]]:
    return file.as_fact() if file is not None else None

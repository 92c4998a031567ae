# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""ifcfg files: those of Red Hat's network scripts, which NetworkManager reads too, and those of wicked.

Sources: initscripts' sysconfig.txt (MTU=), nm-settings-ifcfg-rh(5), SUSE's ifcfg(5) (MTU='...'). Shell syntax.
"""

from __future__ import annotations

from typing import Optional, Tuple

from .._model.link_owner import LinkConfigPlan, LinkManager, LinkOwner, MtuLine, Reload
from .drop_ins import Blocked
from .environment_file import EnvironmentFileError, Variable, read_variable, set_variable
from .ini_lines import last_value
from .network_manager import DEVICES
from .planned_files import PlannedFiles
from .reading import UnreadableFile, exists, list_directory, read_text

RED_HAT = "/etc/sysconfig/network-scripts"
SUSE = "/etc/sysconfig/network"
_WICKED = ("/run/wicked", "/usr/sbin/wicked", "/sbin/wicked")

SCRIPTS_NOTE = "the network scripts read it when they bring the link up (ifup)"
DHCP_NOTE = (
    "with DHCP, dhclient sets what a server offers (option 26) after that: where yours offers another MTU, write "
    "'supersede interface-mtu {mtu};' into /etc/dhcp/dhclient-{link}.conf"
)
WICKED_NOTE = "wicked reads it when it brings the link up, and with 'wicked ifreload {link}', which was not run"
PROFILE_NOTE = "NetworkManager has read it, and applies it when the link is activated next"


def find_ifcfg(root: str, link: str, index: int) -> Optional[LinkOwner]:
    """Return the owner where an ifcfg file is what configures a link; None where it isn't. Raises UnreadableFile.

    Neither the scripts nor wicked note links anywhere by their index: their file for the link tells, and for the
    scripts that nothing else claims the link.
    """
    state = read_text(root, f"{DEVICES}/{index}") or ""
    connection = last_value(state, "device", "connection-uuid")
    if connection is not None:
        path = _file_of_connection(root, link, connection.value)
        evidence = f"{path} is the file of NetworkManager's profile {connection.value}, which the link has"
        return LinkOwner(link, LinkManager.IFCFG, evidence, (path,), connection.value) if path else None
    path = f"{RED_HAT}/ifcfg-{link}"
    if exists(root, path):
        return LinkOwner(link, LinkManager.IFCFG, f"{path} is its file, and the network scripts read it", (path,))
    path = f"{SUSE}/ifcfg-{link}"
    if exists(root, path) and any(exists(root, sign) for sign in _WICKED):
        return LinkOwner(link, LinkManager.WICKED, f"{path} is its file, and wicked is there", (path,))
    return None


def _file_of_connection(root: str, link: str, connection: str) -> Optional[str]:
    """Return the ifcfg file of a profile of NetworkManager's; one without a UUID goes by its name."""
    for name in list_directory(root, RED_HAT) if exists(root, RED_HAT) else []:
        path = f"{RED_HAT}/{name}"
        if not name.startswith("ifcfg-"):
            continue
        written = _variable(read_text(root, path) or "", path, "UUID")
        if written.value == connection if written is not None else name == f"ifcfg-{link}":
            return path
    return None


def declared_mtu(files: PlannedFiles, owner: LinkOwner) -> Optional[MtuLine]:
    """Return the MTU that the file sets, None where it sets none. Raises UnreadableFile."""
    path = owner.files[0]
    found = _variable(files.text(path) or "", path, "MTU")
    if found is None or not found.value.isdecimal():
        return None
    return MtuLine(path, found.index + 1, "MTU", int(found.value))


def plan_ifcfg(files: PlannedFiles, owner: LinkOwner, mtu: int) -> LinkConfigPlan:
    """Return the plan for a link. Raises UnreadableFile, Blocked."""
    path = owner.files[0]
    text = files.text(path)
    if text is None:
        raise Blocked(f"{path} is no more")
    wicked = owner.manager is LinkManager.WICKED
    before = declared_mtu(files, owner)
    if before is not None and before.mtu == mtu:
        return LinkConfigPlan(owner, mtu, mtu)
    changes = files.change(path, _with_mtu(text, mtu, "'" if wicked else ""))
    reload = Reload.NETWORK_MANAGER_PROFILE if owner.connection else Reload.NOTHING
    return LinkConfigPlan(
        owner, mtu, before.mtu if before else None, tuple(changes), _notes(owner, text, mtu), None, reload
    )


def _notes(owner: LinkOwner, text: str, mtu: int) -> Tuple[str, ...]:
    if owner.manager is LinkManager.WICKED:
        return (WICKED_NOTE.format(link=owner.link),)
    if owner.connection:
        return (PROFILE_NOTE,)
    protocol = _variable(text, owner.files[0], "BOOTPROTO")
    if protocol is not None and protocol.value.lower() in ("dhcp", "bootp"):
        return SCRIPTS_NOTE, DHCP_NOTE.format(link=owner.link, mtu=mtu)
    return (SCRIPTS_NOTE,)


def _variable(text: str, path: str, name: str) -> Optional[Variable]:
    try:
        return read_variable(text, name, shell=True)
    except EnvironmentFileError as error:
        raise UnreadableFile(path, str(error)) from error


def _with_mtu(text: str, mtu: int, quote: str) -> str:
    if read_variable(text, "MTU", shell=True) is not None:
        return set_variable(text, "MTU", str(mtu), shell=True)
    # As the file's own lines are written: in quotes with SUSE, without them with Red Hat.
    end = "" if not text or text.endswith("\n") else "\n"
    return f"{text}{end}MTU={quote}{mtu}{quote}\n"

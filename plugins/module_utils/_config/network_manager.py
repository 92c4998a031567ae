# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""NetworkManager: which profile a link has, its MTU in the profile's file, or a default of ours for the link.

Sources: nm-settings-keyfile(5), NetworkManager.conf(5) ("connection sections"). An MTU of the profile, or the default
for one without, is preferred to what DHCP offers (nm-device.c, _commit_mtu). /run/NetworkManager/devices/INDEX is what
it notes about each link. A profile without a UUID has one made of its name (nms-keyfile-reader.c).
"""

from __future__ import annotations

import os
import re
import uuid
from typing import Iterator, List, Optional, Tuple

from .._model.file_change import FileChange
from .._model.link_owner import LinkConfigPlan, LinkManager, LinkOwner, MtuLine, Reload
from .drop_ins import Blocked
from .ini_lines import IniLine, assignments, last_value, set_value
from .planned_files import MARK, PlannedFiles
from .reading import read_text

DEVICES = "/run/NetworkManager/devices"
PROFILES = "/etc/NetworkManager/system-connections"
RUNTIME_PROFILES = "/run/NetworkManager/system-connections"
_DIRECTORIES = (PROFILES, RUNTIME_PROFILES, "/usr/lib/NetworkManager/system-connections")
OURS = "/etc/NetworkManager/conf.d/90-netfit-mtu.conf"
_NAMESPACE = uuid.UUID("b425e9fb-7598-44b4-9e3b-5a2e3aaa4905")
_ETHERNET = ("ethernet", "802-3-ethernet")
# Types of profiles by the section that has their MTU; both names of a section mean the same.
_LIKE_ETHERNET = ("vlan", "bridge", "bond", "team", "vxlan", "macvlan", "tun", "dummy", "veth", "vrf")
_SECTIONS = {
    **{kind: _ETHERNET for kind in (*_ETHERNET, *_LIKE_ETHERNET)},
    **{kind: ("wifi", "802-11-wireless") for kind in ("wifi", "802-11-wireless")},
    "infiniband": ("infiniband",),
    "wireguard": ("wireguard",),
    "ip-tunnel": ("ip-tunnel",),
}
_PLAIN_NAME = re.compile(r"[A-Za-z0-9._-]+\Z")

PROFILE_NOTE = (
    "NetworkManager has read the profile, and applies it when the link is activated next; the link was not touched"
)


def find_network_manager(root: str, link: str, index: int) -> Optional[LinkOwner]:
    """Return the owner where NetworkManager configures a link; None where it doesn't, or only watches it.

    Raises UnreadableFile.
    """
    state = read_text(root, f"{DEVICES}/{index}")
    connection = last_value(state or "", "device", "connection-uuid")
    managed = last_value(state or "", "device", "managed")
    if connection is None or managed is None or managed.value != "true":
        return None
    evidence = f"{DEVICES}/{index} says that NetworkManager configures it, by the profile {connection.value}"
    for path, text in _profiles(PlannedFiles(root)):
        if _uuid_of(path, text) != connection.value:
            continue
        external = last_value(text, ".nmmeta", "external")
        if external is not None and external.value == "true":
            return None
        return LinkOwner(link, LinkManager.NETWORK_MANAGER, evidence, (path,), connection.value)
    return LinkOwner(link, LinkManager.NETWORK_MANAGER, evidence, (), connection.value)


def declared_mtu(files: PlannedFiles, owner: LinkOwner) -> Optional[MtuLine]:
    """Return the MTU that the profile, or our default for the link, sets. Raises UnreadableFile."""
    for path in owner.files[:1]:
        text = files.text(path) or ""
        sections = _SECTIONS.get(_type_of(text), _ETHERNET)
        found = _number([line for line in assignments(text, key="mtu") if line.section in sections])
        if found is not None:
            return MtuLine(path, found.index + 1, "mtu", int(found.value))
    text = files.text(OURS) or ""
    found = _number([line for line in assignments(text, _own_section(owner.link)) if line.key.endswith(".mtu")])
    return None if found is None else MtuLine(OURS, found.index + 1, found.key, int(found.value))


def plan_network_manager(files: PlannedFiles, owner: LinkOwner, mtu: int) -> LinkConfigPlan:
    """Return the plan for a link: in its profile where that is a file of the administrator, else a default of ours.

    Raises UnreadableFile, Blocked.
    """
    path = owner.files[0] if owner.files else None
    text = (files.text(path) if path else None) or ""
    kind = _type_of(text) if path else "ethernet"
    sections = _SECTIONS.get(kind)
    if sections is None:
        raise Blocked(f"{path} is a profile of the type {kind!r}, for which NetworkManager keeps no MTU")
    before = declared_mtu(files, owner)
    known = before.mtu if before else None
    if known == mtu:
        return LinkConfigPlan(owner, mtu, mtu)
    if path is not None and os.path.dirname(path) == PROFILES:
        changes = files.change(path, set_value(text, sections, "mtu", str(mtu)), 0o600)
        return LinkConfigPlan(owner, mtu, known, tuple(changes), (PROFILE_NOTE,), reload=Reload.NETWORK_MANAGER_PROFILE)
    if before is not None and before.file != OURS:
        raise Blocked(
            f"{before.file}:{before.line} sets {before.mtu}, and is no file that lasts: make the profile your own "
            f"(nmcli connection modify {owner.connection} {sections[0]}.mtu {mtu})"
        )
    return LinkConfigPlan(
        owner,
        mtu,
        known,
        tuple(_default_of_ours(files, owner.link, f"{sections[0]}.mtu", mtu)),
        (f"{path or 'its profile'} is not ours to change, so that the MTU is a default for {owner.link} in {OURS}",),
        reload=Reload.NETWORK_MANAGER_SETTINGS,
    )


def _default_of_ours(files: PlannedFiles, link: str, key: str, mtu: int) -> List[FileChange]:
    if not _PLAIN_NAME.match(link):
        raise Blocked(f"{link} can't be named in {OURS}: use a profile of its own for it")
    text = files.own_text(OURS) or f"{MARK}\n"
    text = set_value(text, [_own_section(link)], "match-device", f"interface-name:={link}")
    return files.change(OURS, set_value(text, [_own_section(link)], key, str(mtu)))


def _own_section(link: str) -> str:
    return f"connection-netfit-{link}"


def _profiles(files: PlannedFiles) -> Iterator[Tuple[str, str]]:
    for directory in _DIRECTORIES:
        for name in files.names(directory):
            if not name.startswith(".") and not name.endswith(("~", ".bak", ".rpmsave", ".rpmnew", ".rpmorig")):
                yield f"{directory}/{name}", files.text(f"{directory}/{name}") or ""


def _uuid_of(path: str, text: str) -> str:
    written = last_value(text, "connection", "uuid")
    if written is not None and written.value:
        return written.value
    # Whatever directory the file is in, the name is made with that of the administrator's.
    return str(uuid.uuid3(_NAMESPACE, f"keyfile\0{PROFILES}/{os.path.basename(path)}\0"))


def _type_of(text: str) -> str:
    found = last_value(text, "connection", "type")
    return found.value if found else "ethernet"


def _number(lines: List[IniLine]) -> Optional[IniLine]:
    """Return the last assignment where it is an MTU; 0 leaves it to NetworkManager."""
    return lines[-1] if lines and lines[-1].value.isdecimal() and int(lines[-1].value) else None

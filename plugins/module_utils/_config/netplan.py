# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""netplan: the definition that a link has, and a file of ours that gives it an MTU.

Sources: netplan-yaml(5): files are merged by name in the order of their names, whatever directory they are in; later
ones win key by key. What it generates is named after the definition: 10-netplan-ID.network, netplan-ID.nmconnection.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Dict, Iterator, List, Optional, Sequence, Tuple

from .._model.link_owner import LinkConfigPlan, LinkManager, LinkOwner, MtuLine, Reload
from .drop_ins import Blocked
from .network_manager import find_network_manager
from .networkd import UNTIL_THEN, WHEN, find_networkd, refuse_shared
from .planned_files import MARK, PlannedFiles
from .yaml_lines import YamlError, YamlKey, document, find_key, keys_in, scalar

OURS = "/etc/netplan/90-netfit-mtu.yaml"
# In the order of precedence for files of the same name.
_DIRECTORIES = ("/run/netplan", "/etc/netplan", "/lib/netplan")
_NETWORKD_FILE = re.compile(r"/run/systemd/network/10-netplan-(?P<id>.+)\.network\Z")
_PROFILE = re.compile(r"/(?:run|etc)/NetworkManager/system-connections/netplan-(?P<id>.+)\.nmconnection\Z")
_SECTIONS = ("ethernets", "bonds", "bridges", "vlans", "wifis", "tunnels", "vrfs", "dummy-devices",
             "virtual-ethernets", "nm-devices", "modems")  # fmt: skip
_PLAIN = re.compile(r"[A-Za-z0-9._:@-]+\Z")
_YES = ("true", "yes", "on", "y")
_IPV6_MINIMUM = 1280

PROFILE_NOTE = "netplan has written it for NetworkManager, which applies it when the link is activated next"


@dataclass(frozen=True)
class Definition:
    """What a file says of a definition. section: ethernets, bonds ... mtu: None where it sets none."""

    file: str
    section: str
    mtu: Optional[MtuLine]
    dhcp: bool


def find_netplan(root: str, link: str, index: int) -> Optional[LinkOwner]:
    """Return the owner where what configures a link goes by files of netplan's; None where it doesn't.

    Raises UnreadableFile.
    """
    below = find_networkd(root, link, index) or find_network_manager(root, link, index)
    generated = below.files[0] if below is not None and below.files else ""
    match = _NETWORKD_FILE.match(generated) or _PROFILE.match(generated)
    if below is None or match is None:
        return None
    texts = _texts(PlannedFiles(root))
    name = _definition_of(match["id"], [name for _path, text in texts for name in _names(text)])
    evidence = f"{below.evidence}, which netplan has generated"
    paths = [path for path, text in texts if name in _names(text)]
    return LinkOwner(
        link, LinkManager.NETPLAN, evidence, tuple(paths), below.connection, name, below.manager, generated
    )


def _definition_of(generated: str, names: Sequence[str]) -> str:
    """Return the definition that a generated file's name stands for: a profile for a wireless one has its SSID too."""
    found = [name for name in names if generated == name or generated.startswith(f"{name}-")]
    return max(found, key=len) if found else generated


def declared_mtu(files: PlannedFiles, owner: LinkOwner) -> Optional[MtuLine]:
    """Return the MTU that the link's definition has, None where it has none. Raises UnreadableFile."""
    found = [one.mtu for one, _error in _definitions(files, owner.definition or "") if one is not None and one.mtu]
    return found[-1] if found else None


def plan_netplan(files: PlannedFiles, owner: LinkOwner, mtu: int, others: Sequence[str]) -> LinkConfigPlan:
    """Return the plan for a link. others: links with the same definition that are not to get the same MTU.

    Raises UnreadableFile, Blocked.
    """
    name = owner.definition or ""
    refuse_shared(f"the definition {name} of netplan", owner, mtu, others)
    if not _PLAIN.match(name):
        raise Blocked(f"{name!r} is no name that can be written into {OURS}: set mtu in its own file")
    if mtu < _IPV6_MINIMUM and owner.backend is LinkManager.NETWORKD:
        raise Blocked(
            f"systemd-networkd raises an MTU below {_IPV6_MINIMUM} to that where IPv6 is on: {mtu} can't last"
        )
    read = _definitions(files, name)
    definitions = [one for one, _error in read if one is not None]
    errors = [error for _one, error in read if error]
    others_own = [one for one in definitions if one.file != OURS]
    if not others_own:
        raise Blocked("; ".join(errors) or f"no file of netplan has the definition {name}: set mtu where it is")
    later = [one for one in others_own if os.path.basename(one.file) > os.path.basename(OURS) and one.mtu is not None]
    for mtu_of in [one.mtu for one in later if one.mtu is not None and one.mtu.mtu != mtu]:
        raise Blocked(f"{mtu_of.file}:{mtu_of.line} sets {mtu_of.mtu} and is read after {OURS}: change it there")
    before = next((one.mtu for one in reversed(definitions) if one.mtu is not None), None)
    known = before.mtu if before else None
    if known == mtu and before is not None:
        return LinkConfigPlan(owner, mtu, mtu)
    entries = _entries(files.own_text(OURS))
    use_mtu = any(one.dhcp for one in others_own) and owner.backend is LinkManager.NETWORKD
    entries[(others_own[0].section, name)] = (mtu, use_mtu)
    changes = files.change(OURS, _written(entries), 0o600)
    networkd = owner.backend is LinkManager.NETWORKD
    notes = (*([WHEN] if networkd else [PROFILE_NOTE]), *([UNTIL_THEN] if use_mtu else []))
    return LinkConfigPlan(
        owner,
        mtu,
        known,
        tuple(changes),
        notes,
        reload=Reload.NETPLAN_NETWORKD if networkd else Reload.NETPLAN_NETWORK_MANAGER,
    )


def _written(entries: Dict[Tuple[str, str], Tuple[int, bool]]) -> str:
    """Return the whole text of our file. entries: MTU, and whether DHCP would offer one, by section and name."""
    lines = [MARK, "network:", "  version: 2"]
    for section in dict.fromkeys(section for section, _name in sorted(entries)):
        lines.append(f"  {section}:")
        for (_section, name), (mtu, dhcp) in sorted(item for item in entries.items() if item[0][0] == section):
            lines += [f'    "{name}":', f"      mtu: {mtu}"]
            if dhcp:
                # networkd takes both or neither.
                lines += [f"      {key}: {{use-mtu: false}}" for key in ("dhcp4-overrides", "dhcp6-overrides")]
    return "\n".join([*lines, ""])


def _entries(text: str) -> Dict[Tuple[str, str], Tuple[int, bool]]:
    """Return what our file has. Raises Blocked where it was changed so that it can't be read."""
    entries = {}
    try:
        for section, key, lines in _found(text):
            mtu = find_key(lines, key.index + 1, key.end, "mtu")
            if mtu is not None:
                dhcp = find_key(lines, key.index + 1, key.end, "dhcp4-overrides") is not None
                entries[(section, key.key)] = (int(scalar(mtu.value, mtu.line)), dhcp)
    except ValueError as error:
        raise Blocked(f"{OURS}: {error}: remove the file, or write it as it was") from error
    return entries


def _texts(files: PlannedFiles) -> List[Tuple[str, str]]:
    """Return path and text of netplan's files in the order in which they count."""
    found = {}
    for directory in reversed(_DIRECTORIES):
        found.update({name: f"{directory}/{name}" for name in files.names(directory) if name.endswith(".yaml")})
    paths = [found[name] for name in sorted(found, key=lambda name: name.encode()) if not name.startswith(".")]
    return [(path, files.text(path) or "") for path in paths]


def _names(text: str) -> List[str]:
    try:
        return [key.key for _section, key, _lines in _found(text)]
    except YamlError:
        return []


def _definitions(files: PlannedFiles, name: str) -> List[Tuple[Optional[Definition], str]]:
    """Return what each file says of a definition, or why it can't be understood; in the order in which they count."""
    result: List[Tuple[Optional[Definition], str]] = []
    for path, text in _texts(files):
        try:
            result += [
                (_definition(path, section, key, lines), "") for section, key, lines in _found(text) if key.key == name
            ]
        except YamlError as error:
            after = os.path.basename(path) > os.path.basename(OURS)
            if after and name in text:
                raise Blocked(f"{path}: {error}; it is read after {OURS}, and may set another MTU") from error
            result.append((None, f"{path}: {error}"))
    return result


def _definition(path: str, section: str, key: YamlKey, lines: Sequence[str]) -> Definition:
    found = {name: find_key(lines, key.index + 1, key.end, name) for name in ("mtu", "dhcp4", "dhcp6")}
    mtu = found["mtu"]
    value = scalar(mtu.value, mtu.line) if mtu is not None else ""
    if mtu is not None and not value.isdecimal():
        raise YamlError(f"line {mtu.line}: mtu is {value!r}, expected a whole number")
    dhcp = any(one is not None and one.value.lower() in _YES for one in (found["dhcp4"], found["dhcp6"]))
    return Definition(path, section, MtuLine(path, mtu.line, "mtu", int(value)) if mtu is not None else None, dhcp)


def _found(text: str) -> Iterator[Tuple[str, YamlKey, List[str]]]:
    """Yield section and key of every definition, and the text's lines. Raises YamlError."""
    lines, start = document(text)
    network = find_key(lines, start, len(lines), "network")
    if network is None:
        return
    _only_block(network)
    for section in keys_in(lines, network.index + 1, network.end):
        if section.key in _SECTIONS:
            _only_block(section)
            for key in keys_in(lines, section.index + 1, section.end):
                _only_block(key)
                yield section.key, key, lines


def _only_block(key: YamlKey) -> None:
    if key.value not in ("", "{}", "{ }"):
        raise YamlError(f"line {key.line}: {key.key!r} is not written as keys on lines of their own")

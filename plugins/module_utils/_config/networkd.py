# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""systemd-networkd: which .network file is in force for a link, and a drop-in of ours that gives it an MTU.

Sources: systemd.network(5); /run/systemd/netif/links/INDEX is what networkd notes about each link (networkd-link.c,
link_save). UseMTU= counts for nothing where MTUBytes= is set (networkd-network.c, network_verify).
"""

from __future__ import annotations

import os
from typing import List, Optional, Sequence, Tuple

from .._model.link_owner import LinkConfigPlan, LinkManager, LinkOwner, MtuLine
from .drop_ins import Blocked
from .ini_lines import IniLine, assignments
from .planned_files import MARK, PlannedFiles
from .reading import read_text

LINKS = "/run/systemd/netif/links"
DROP_IN = "90-netfit-mtu.conf"
OURS = "/etc/systemd/network"
# In the order of precedence: a file's name in an earlier one hides the same name in a later one.
_DIRECTORIES = (OURS, "/run/systemd/network", "/usr/local/lib/systemd/network", "/usr/lib/systemd/network",
                "/lib/systemd/network")  # fmt: skip
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
_IPV6_MINIMUM = 1280
_YES = ("1", "yes", "y", "true", "t", "on")
_UNMANAGED = ("unmanaged", "pending", "initialized", "linger", "failed", "")

WHEN = (
    "systemd-networkd reads this at its next start. It was not told to reload: 'networkctl reload' takes the addresses "
    "off the link for a moment, and the routes of others (flannel, BIRD) for good"
)
UNTIL_THEN = (
    "until then DHCP's offer of another MTU (option 26) counts once more where the link has no carrier for more than "
    "five seconds; 'systemctl restart systemd-networkd' ends that, and leaves addresses and routes alone"
)


def find_networkd(root: str, link: str, index: int) -> Optional[LinkOwner]:
    """Return the owner where networkd configures a link, None where it doesn't. Raises UnreadableFile."""
    file = network_file(root, index)
    if file is None:
        return None
    files = PlannedFiles(root)
    evidence = f"{LINKS}/{index} says that systemd-networkd configures it, by {file}"
    return LinkOwner(link, LinkManager.NETWORKD, evidence, (file, *drop_ins_of(files, file)))


def network_file(root: str, index: int) -> Optional[str]:
    """Return the .network file by which networkd configures a link; None where it doesn't. Raises UnreadableFile."""
    text = read_text(root, f"{LINKS}/{index}")
    if text is None:
        return None
    state = dict(line.partition("=")[::2] for line in text.splitlines())
    if state.get("ADMIN_STATE", "") in _UNMANAGED:
        return None
    return state.get("NETWORK_FILE") or None


def links_of_file(root: str, file: str) -> List[int]:
    """Return the indices of all links that networkd configures by a file. Raises UnreadableFile."""
    names = PlannedFiles(root).names(LINKS)
    return [int(name) for name in names if name.isdecimal() and network_file(root, int(name)) == file]


def drop_ins_of(files: PlannedFiles, file: str) -> List[str]:
    """Return the drop-ins of a .network file in the order in which they are read. Raises UnreadableFile."""
    found = {}
    for directory in reversed(_DIRECTORIES):
        folder = f"{directory}/{os.path.basename(file)}.d"
        found.update({name: f"{folder}/{name}" for name in files.names(folder) if name.endswith(".conf")})
    return [found[name] for name in sorted(found, key=lambda name: name.encode())]


def declared_mtu(files: PlannedFiles, owner: LinkOwner) -> Optional[MtuLine]:
    """Return the MTU that a link's files set, None where they don't. Raises UnreadableFile."""
    return _in_force(files, owner.files, "Link", "MTUBytes")


def plan_networkd(files: PlannedFiles, owner: LinkOwner, mtu: int, others: Sequence[str]) -> LinkConfigPlan:
    """Return the plan for a link. others: links that have the same file, and are not to get the same MTU.

    Raises UnreadableFile, Blocked.
    """
    file = owner.files[0]
    refuse_shared(file, owner, mtu, others)
    if mtu < _IPV6_MINIMUM:
        raise Blocked(
            f"systemd-networkd raises an MTU below {_IPV6_MINIMUM} to that where IPv6 is on: {mtu} can't last"
        )
    before = declared_mtu(files, owner)
    path = f"{OURS}/{os.path.basename(file)}.d/{DROP_IN}"
    for later in [other for other in owner.files[1:] if os.path.basename(other) > DROP_IN]:
        line = _in_force(files, [later], "Link", "MTUBytes")
        if line is not None and line.mtu != mtu:
            raise Blocked(f"{later}:{line.line} sets {line.mtu} and is read after {path}: change it there")
    lines, notes = _sections(files, owner, mtu)
    if before is not None and before.mtu == mtu and len(lines) == 1 and not files.text(path):
        return LinkConfigPlan(owner, mtu, mtu)
    files.own_text(path)
    text = "\n".join([MARK, "[Link]", *lines[0], *(part for more in lines[1:] for part in ("", *more)), ""])
    changes = files.change(path, text)
    return LinkConfigPlan(
        owner,
        mtu,
        before.mtu if before else None,
        tuple(changes),
        (WHEN, *notes) if changes else (),
    )


def refuse_shared(file: str, owner: LinkOwner, mtu: int, others: Sequence[str]) -> None:
    """Raise Blocked where a file is for links that are not to have the same MTU."""
    if others:
        raise Blocked(
            f"{file} is for {', '.join(others)} too, which would get {mtu} with the next start: give {owner.link} a "
            "file of its own, or ask for the same MTU for all of them"
        )


def _sections(files: PlannedFiles, owner: LinkOwner, mtu: int) -> Tuple[List[List[str]], List[str]]:
    """Return the lines below [Link], then further sections; and what is to be said about them."""
    sections, notes = [[f"MTUBytes={mtu}"]], []
    ours = f"/{DROP_IN}"
    others = [file for file in owner.files if not file.endswith(ours)]
    ipv6 = _in_force(files, others, "Network", "IPv6MTUBytes")
    if ipv6 is not None and ipv6.mtu > mtu:
        sections.append(["[Network]", f"IPv6MTUBytes={mtu}"])
    elif ipv6 is not None and ipv6.mtu < mtu:
        notes.append(f"{ipv6.file}:{ipv6.line} keeps IPv6 at {ipv6.mtu} there")
    if _uses_dhcp_mtu(files, others):
        sections.append(["[DHCPv4]", "UseMTU=no"])
        notes.append(UNTIL_THEN)
    return sections, notes


def _uses_dhcp_mtu(files: PlannedFiles, paths: Sequence[str]) -> bool:
    values = [
        line.value
        for path in paths
        for line in assignments(files.text(path) or "", key="UseMTU")
        if line.section in ("DHCP", "DHCPv4")
    ]
    return bool(values) and values[-1].lower() in _YES


def _in_force(files: PlannedFiles, paths: Sequence[str], section: str, key: str) -> Optional[MtuLine]:
    """Return the last assignment; an empty one takes back those before it."""
    found = None
    for path in paths:
        for line in assignments(files.text(path) or "", section, key):
            number = _bytes(line)
            found = MtuLine(path, line.index + 1, key, number) if number is not None else None
    return found


def _bytes(line: IniLine) -> Optional[int]:
    """Return a size as systemd reads it: a number, with a suffix to the base of 1024."""
    number, unit = line.value.rstrip("BKMG"), line.value[len(line.value.rstrip("BKMG")) :].rstrip("B")
    return int(number) * _UNITS[unit] if number.isdecimal() and unit in _UNITS else None

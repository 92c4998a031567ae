# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The DHCP clients that ifup starts, and what keeps the MTU that a server offers (option 26) off the link.

Sources: dhclient-script(8), whose enter hooks may change what it was told; dhcpcd.conf(5): dhcpcd gives the MTU that is
offered to its routes, where it counts more than the link's own, as the kernel has it (net/ipv4/route.c).
"""

from __future__ import annotations

import re
from typing import Dict, List, Optional, Tuple

from .._model.file_change import FileChange
from .._model.link_owner import MtuLine
from .drop_ins import Blocked
from .planned_files import MARK, PlannedFiles
from .reading import exists

HOOK = "/etc/dhcp/dhclient-enter-hooks.d/netfit-mtu"
DHCPCD_CONF = "/etc/dhcpcd.conf"
_QUIET = "nooption interface_mtu"
_HOOK_LINE = re.compile(r"(?P<link>[^\s)]+)\) new_interface_mtu=(?P<mtu>\d+) ;;\Z")
_PLAIN_NAME = re.compile(r"[A-Za-z0-9._-]+\Z")
_DIRECTORIES = ("/sbin", "/usr/sbin")
_BLOCKS = ("interface", "ssid", "arping", "profile")

HOOK_NOTE = (
    f"dhclient asks {HOOK} at every lease, so that neither the offer of a server (option 26) nor its absence counts"
)
DHCPCD_NOTE = f"{DHCPCD_CONF} keeps dhcpcd from giving the offer of a server (option 26) to the routes"


def has_dhclient(files: PlannedFiles) -> bool:
    """Tell whether ISC's client is there; ifup prefers it to others."""
    return any(exists(files.root, f"{directory}/dhclient") for directory in _DIRECTORIES)


def has_dhcpcd(files: PlannedFiles) -> bool:
    """Tell whether dhcpcd is there."""
    return any(exists(files.root, f"{directory}/dhcpcd") for directory in _DIRECTORIES)


def hook_dhclient(files: PlannedFiles, link: str, mtu: int) -> List[FileChange]:
    """Plan the hook by which a link gets an MTU in place of the one offered. Raises UnreadableFile, Blocked."""
    if not _PLAIN_NAME.match(link):
        raise Blocked(f"{link} can't be named in {HOOK}")
    wanted = {**_hooked(files.own_text(HOOK)), link: mtu}
    lines = [MARK, "# dhclient-script reads this; sh, and no command of its own.", 'case "$interface" in']
    lines += [f"{name}) new_interface_mtu={number} ;;" for name, number in sorted(wanted.items())]
    return files.change(HOOK, "\n".join([*lines, "esac", ""]))


def hooked_mtu(files: PlannedFiles, link: str) -> Optional[MtuLine]:
    """Return the MTU that a link gets by our hook, None where it gets none. Raises UnreadableFile."""
    if not has_dhclient(files):
        return None
    for index, line in enumerate((files.text(HOOK) or "").splitlines()):
        match = _HOOK_LINE.match(line)
        if match and match["link"] == link:
            return MtuLine(HOOK, index + 1, "new_interface_mtu", int(match["mtu"]))
    return None


def quiet_dhcpcd(files: PlannedFiles, link: str) -> List[FileChange]:
    """Plan a block for a link at the end of dhcpcd's configuration, unless there is one. Raises UnreadableFile."""
    text = files.text(DHCPCD_CONF) or ""
    if (link, _QUIET) in _blocks(text) or ("", _QUIET) in _blocks(text):
        return []
    end = "" if not text or text.endswith("\n") else "\n"
    return files.change(DHCPCD_CONF, f"{text}{end}\ninterface {link}\n{_QUIET}\n")


def _blocks(text: str) -> List[Tuple[str, str]]:
    """Return each line with the interface that it is for, empty for all; lines of other blocks are for none known."""
    block, found = "", []
    for line in text.splitlines():
        words = line.split()
        if words and words[0] in _BLOCKS:
            block = words[1] if words[0] == "interface" and len(words) == 2 else "?"
        elif words:
            found.append((block, " ".join(words)))
    return found


def _hooked(text: str) -> Dict[str, int]:
    matches = [_HOOK_LINE.match(line) for line in text.splitlines()]
    return {match["link"]: int(match["mtu"]) for match in matches if match}

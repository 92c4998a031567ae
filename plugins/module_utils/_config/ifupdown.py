# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""ifupdown: which stanza brought a link up, and the MTU in it.

Sources: interfaces(5); ifupdown's inet.defn and inet6.defn for what each method does with "mtu"; /run/network/ifstate
is what ifup notes ("link=stanza"). A method with an MTU of its own in IPv6 raises the link to it where that is more.
"""

from __future__ import annotations

import re
from typing import List, Optional

from .._model.link_owner import LinkConfigPlan, LinkManager, LinkOwner, MtuLine
from .dhcp_clients import (
    DHCPCD_NOTE,
    HOOK_NOTE,
    has_dhclient,
    has_dhcpcd,
    hook_dhclient,
    hooked_mtu,
    quiet_dhcpcd,
)
from .drop_ins import Blocked
from .interfaces_file import Option, Stanza, read_stanzas, with_line_after, with_value
from .planned_files import PlannedFiles
from .reading import read_text

STATES = ("/run/network/ifstate", "/etc/network/run/ifstate")
INTERFACES = "/etc/network/interfaces"
# What ip is told by hand, in a line of its own: that line's number is then ours to change.
_BY_HAND = re.compile(
    r"(?P<head>(?:/usr)?(?:/sbin/|/bin/)?ip\s+link\s+set\s+(?:dev\s+)?(?P<link>\S+)\s+mtu\s+)(?P<mtu>\d+)(?P<tail>\s*)\Z"
)
_SETS_MTU = re.compile(r"\bmtu\b")
_COMMANDS = ("pre-up", "up", "post-up")
_WITH_MTU = ("static", "manual")
_WITHOUT_MTU = ("dhcp", "auto", "loopback", "ppp", "wvdial")
"""Methods that take an option "mtu" for one of the scripts', and do nothing with it."""

NOTE = "ifup reads it when it brings the link up"


def find_ifupdown(root: str, link: str) -> Optional[LinkOwner]:
    """Return the owner where ifup has brought a link up; None where it hasn't. Raises UnreadableFile."""
    for state in STATES:
        pairs = [line.strip().partition("=") for line in (read_text(root, state) or "").splitlines()]
        stanza = next((stanza for name, _equals, stanza in pairs if name == link), None)
        if stanza is not None:
            found = read_stanzas(PlannedFiles(root), INTERFACES)
            files = dict.fromkeys(one.file for one in found if one.name == stanza)
            evidence = f"{state} says that ifup brought it up, by the stanza {stanza}"
            return LinkOwner(link, LinkManager.IFUPDOWN, evidence, tuple(files), definition=stanza)
    return None


def declared_mtu(files: PlannedFiles, owner: LinkOwner) -> Optional[MtuLine]:
    """Return the MTU that the link gets, None where nothing says. Raises UnreadableFile."""
    stanzas = [one for one in read_stanzas(files, INTERFACES) if one.name == owner.definition]
    found = None
    for stanza in stanzas:
        for option in stanza.options:
            number = _number(option, stanza, owner.link)
            found = MtuLine(option.file, option.index + 1, "mtu", number) if number is not None else found
        if stanza.method == "dhcp" and stanza.family == "inet":
            found = hooked_mtu(files, owner.link) or found
    return found


def plan_ifupdown(files: PlannedFiles, owner: LinkOwner, mtu: int) -> LinkConfigPlan:
    """Return the plan for a link. Raises UnreadableFile, Blocked."""
    stanzas = [one for one in read_stanzas(files, INTERFACES) if one.name == owner.definition]
    if not stanzas:
        raise Blocked(f"no stanza 'iface {owner.definition}' is written out in {INTERFACES} or what it sources: add it")
    _refuse_commands(stanzas, owner.link)
    before = declared_mtu(files, owner)
    known = before.mtu if before else None
    stanza = next((one for one in stanzas if one.family == "inet"), stanzas[0])
    by_dhcp = stanza.method == "dhcp" and stanza.family == "inet"
    hooked = by_dhcp and has_dhclient(files)
    changes = []
    for file in dict.fromkeys(one.file for one in stanzas):
        changes += files.change(file, _changed(files.text(file) or "", file, stanzas, owner.link, mtu))
    if hooked:
        changes += hook_dhclient(files, owner.link, mtu)
    elif not any(_sets_link(one, owner.link) for one in stanzas):
        line = f"mtu {mtu}" if stanza.method in _WITH_MTU and stanza.family == "inet" else _command(mtu)
        text = files.text(stanza.file) or ""
        changes += files.change(stanza.file, with_line_after(text, stanza, line))
    notes = [NOTE, *([HOOK_NOTE] if hooked else [])]
    if by_dhcp and not hooked and has_dhcpcd(files):
        changes += quiet_dhcpcd(files, owner.link)
        notes.append(DHCPCD_NOTE)
    return LinkConfigPlan(owner, mtu, known, tuple(changes), tuple(notes) if changes else ())


def _sets_link(stanza: Stanza, link: str) -> bool:
    """Tell whether a stanza sets the link's own MTU, whatever it is; in IPv6 most methods set that of IPv6 alone."""
    if stanza.family != "inet" and stanza.method != "manual":
        return any(_number(option, stanza, link) is not None and option.name != "mtu" for option in stanza.options)
    return any(_number(option, stanza, link) is not None for option in stanza.options)


def _command(mtu: int) -> str:
    return f"post-up ip link set dev $IFACE mtu {mtu}"


def _changed(text: str, file: str, stanzas: List[Stanza], link: str, mtu: int) -> str:
    """Return a file's text with every MTU that the link's stanzas set changed to the one wanted."""
    for stanza in stanzas:
        for option in stanza.options:
            number = _number(option, stanza, link)
            if option.file != file or number is None or number == mtu:
                continue
            if stanza.family == "inet6" and option.name == "mtu" and number < mtu and stanza.method != "manual":
                # A smaller one is IPv6's alone, and allowed to be.
                continue
            match = _BY_HAND.match(option.value)
            text = with_value(text, option, f"{match['head']}{mtu}" if match else str(mtu))
    return text


def _number(option: Option, stanza: Stanza, link: str) -> Optional[int]:
    if option.name == "mtu" and option.value.isdecimal() and stanza.method not in _WITHOUT_MTU:
        return int(option.value)
    match = _BY_HAND.match(option.value) if option.name in _COMMANDS else None
    return (
        int(match["mtu"]) if match and match["link"] in ("$IFACE", '"$IFACE"', "${IFACE}", link, stanza.name) else None
    )


def _refuse_commands(stanzas: List[Stanza], link: str) -> None:
    """Raise Blocked for commands that set an MTU in a way that isn't understood."""
    for stanza in stanzas:
        for option in stanza.options:
            if option.name == "mtu" and not option.value.isdecimal():
                raise Blocked(f"{option.file}:{option.index + 1}: mtu is {option.value!r}, expected a whole number")
            ours = _number(option, stanza, link) is not None
            if option.name in _COMMANDS and _SETS_MTU.search(option.value) and not ours:
                raise Blocked(
                    f"{option.file}:{option.index + 1}: {option.value!r} may set another MTU: change it there"
                )

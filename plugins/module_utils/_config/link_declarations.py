# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The MTUs that files of networkd, netplan, NetworkManager, ifupdown and their like set for the host's own links."""

from __future__ import annotations

from .._model.declared import MtuMeaning
from .._model.fact import Source
from .declarations import Declarations
from .link_configs import declared_mtu, interfaces
from .link_owners import find_link_owner
from .reading import UnreadableFile

_SUBJECT = "MTU of a link in its manager's files"


def read_link_managers(declarations: Declarations) -> None:
    """Add what is explicitly set for each link, by whoever configures it; without that there is nothing to add."""
    try:
        names = interfaces(declarations.root)
    except UnreadableFile as error:
        declarations.problems.append(error.problem(_SUBJECT))
        return
    for index, name in sorted(names.items()):
        try:
            _declare(declarations, name, index)
        except UnreadableFile as error:
            declarations.problems.append(error.problem(_SUBJECT))


def _declare(declarations: Declarations, link: str, index: int) -> None:
    owner = find_link_owner(declarations.root, link, index)
    found = declared_mtu(declarations.root, owner)
    if found is not None and owner.manager is not None:
        declarations.declare(
            owner.manager.value,
            found.mtu,
            MtuMeaning.INTERFACE,
            Source(found.file, found.line, found.key),
            subject=_SUBJECT,
            link=link,
        )

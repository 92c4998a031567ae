# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ranges of addresses that can be asked for an address without a look at each of them."""

from __future__ import annotations

import ipaddress
from typing import Dict, Iterable, Set, Tuple

from .._rules.overlay import parse_network
from .._rules.view import RouteView


class Ranges:
    """Where some routes lead to. known: whether there are any routes at all."""

    def __init__(self, routes: Iterable[RouteView]) -> None:
        self.known = False
        self._begins: Dict[Tuple[int, int], Set[int]] = {}
        for route in routes:
            self.known = True
            network = parse_network(route.destination)
            if network is not None:
                key = (network.version, network.max_prefixlen - network.prefixlen)
                self._begins.setdefault(key, set()).add(int(network.network_address) >> key[1])

    def hold(self, text: str) -> bool:
        """Tell whether an address lies in one of the ranges. Raises ValueError where the text is no address."""
        address = ipaddress.ip_address(text)
        number = int(address)
        return any(
            version == address.version and number >> free in begins for (version, free), begins in self._begins.items()
        )

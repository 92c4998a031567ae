# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Whether full-size packets that must not be fragmented arrive, before a change and after it."""

from __future__ import annotations

import ipaddress
from typing import Any, Dict, List, Mapping, Sequence

from .._model.path import Method, Verdict
from .loop import Bounds
from .measure import MeasureOptions, measure
from .targets import Defaults

SECONDS = 5.0
"""For all targets together, which are measured at once."""
BOUNDS = Bounds(packets=20000, octets=64 << 20, seconds=SECONDS, path_packets=500)
Reached = Mapping[str, Any]


def check_addresses(addresses: Sequence[str]) -> List[str]:
    """Return the addresses, each once. Raises ValueError for what is none."""
    for address in addresses:
        try:
            ipaddress.ip_address(address)
        except ValueError as error:
            raise ValueError(f"probe: {address!r} is no IP address; names are not resolved here") from error
    return list(dict.fromkeys(addresses))


def reach(addresses: Sequence[str]) -> List[Dict[str, Any]]:
    """Measure the paths to addresses by ICMP echo: [{"address", "verdict", "carries"}], carries in bytes.

    An address that answers no echo at all is "unreachable", before and after, and says nothing.
    """
    if not addresses:
        return []
    paths = measure(MeasureOptions(list(addresses), Defaults(method=Method.ICMP), bounds=BOUNDS)).paths
    return [
        {
            "address": address,
            "verdict": path.forward.verdict.value,
            "carries": path.forward.path_mtu or path.forward.at_least,
        }
        for address, path in zip(addresses, paths)
    ]


def complaints(before: Sequence[Reached], after: Sequence[Reached]) -> List[str]:
    """Return what a change has broken, in words; empty where nothing is known to be worse.

    A path that has become smaller is fine as long as its sender learns of it. A path that nothing was known of cannot
    get worse.
    """
    then = {one["address"]: one for one in before}
    found = []
    for one in after:
        was = then.get(one["address"])
        if was is None or was["verdict"] in (Verdict.UNREACHABLE.value, Verdict.UNKNOWN.value):
            continue
        if one["verdict"] == Verdict.UNREACHABLE.value:
            found.append(f"{one['address']} answered before, and is silent now")
        elif one["verdict"] == Verdict.BLACK_HOLE.value and was["verdict"] != Verdict.BLACK_HOLE.value:
            found.append(
                f"packets of more than {one['carries']} bytes to {one['address']} vanish without a word now, and did "
                "not before"
            )
    return found

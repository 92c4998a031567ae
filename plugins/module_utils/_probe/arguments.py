# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""From the parameters of M(netfit.cluster.path_mtu_info) to the options of a run."""

from __future__ import annotations

from typing import Any, Mapping, Tuple

from .._model.path import Method
from .loop import Bounds
from .measure import MeasureOptions
from .targets import MTU_RANGE, PORT_RANGE, BadOption, Defaults, check_number

PACKETS_RANGE = (1, 100000000)
BYTES_RANGE = (1, 1 << 40)
SECONDS_RANGE = (0.01, 3600.0)


def options_of(parameters: Mapping[str, Any]) -> MeasureOptions:
    """Return the options of a run. Raises BadOption for what is out of its range."""
    timeout = float(parameters.get("timeout") or 0.0)
    if not SECONDS_RANGE[0] <= timeout <= SECONDS_RANGE[1]:
        raise BadOption(f"timeout: {timeout:g} is not from {SECONDS_RANGE[0]:g} to {SECONDS_RANGE[1]:g} seconds")
    defaults = Defaults(
        source={kind: value for kind, value in (parameters.get("source") or {}).items() if value is not None},
        method=Method(parameters.get("method") or "auto"),
        expected_mtu=check_number("expected_mtu", parameters.get("expected_mtu"), MTU_RANGE),
        responder_port=check_number("responder_port", parameters.get("responder_port"), PORT_RANGE),
    )
    bounds = Bounds(
        packets=_number(parameters, "max_packets", PACKETS_RANGE),
        octets=_number(parameters, "max_bytes", BYTES_RANGE),
        seconds=timeout,
        path_packets=_number(parameters, "max_packets_per_target", PACKETS_RANGE),
    )
    return MeasureOptions(
        targets=parameters["targets"],
        defaults=defaults,
        family=parameters.get("family") or "auto",
        token=parameters.get("token"),
        bounds=bounds,
    )


def _number(parameters: Mapping[str, Any], name: str, allowed: Tuple[int, int]) -> int:
    number = check_number(name, parameters.get(name), allowed)
    if number is None:
        raise BadOption(f"{name}: a whole number from {allowed[0]} to {allowed[1]} is needed")
    return number

# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The way of tcp_path_info from parameters to exit."""

from __future__ import annotations

import errno
from typing import Any, Dict, List, NoReturn, Protocol, Tuple

from .._facts.census import take_census
from .._model.fact import as_plain
from .tcp_measure import Bounds
from .tcp_path import Order, measure_paths
from .tcp_targets import FAMILIES, BadInput, Target, check_bounds, parse_targets, parse_url

FOR_ALL_SIZES = 3
"""Times the timeout of a handshake."""


class Module(Protocol):
    """What is needed of an AnsibleModule."""

    params: Dict[str, Any]
    check_mode: bool

    def exit_json(self, **result: Any) -> NoReturn:
        """End with success."""

    def fail_json(self, msg: str, **result: Any) -> NoReturn:
        """End with failure."""


def run_tcp_path_info(module: Module) -> None:
    """Measure as the module's parameters say, and exit with paths; bad options fail before anything is sent."""
    try:
        targets, order = read_options(module.params, module.check_mode)
        census = take_census("/")
        paths = measure_paths(census, targets, module.params["source"], order)
    except BadInput as error:
        module.fail_json(msg=str(error))
    except OSError as error:
        ours = error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
        what = "this host has no file descriptor or memory left" if ours else "the measurement failed"
        module.fail_json(msg=f"{what}: {error.strerror or error}")
    module.exit_json(changed=False, paths=as_plain(paths), problems=as_plain(list(census.problems)))


def read_options(params: Dict[str, Any], check_mode: bool = False) -> Tuple[List[Target], Order]:
    """Return what a module's parameters mean. Raises BadInput. In check mode nothing is posted."""
    check_bounds(params)
    url = parse_url(params["url"], params["body_sizes"])
    given = params["targets"]
    if given is None and url is not None:
        given = [{"host": url.host, "port": url.port}]
    timeout = float(params["timeout"])
    bounds = Bounds(params["connections"], params["max_packets"], timeout, timeout * FOR_ALL_SIZES)
    order = Order(bounds, FAMILIES[params["family"]], None if check_mode else url, tuple(params["body_sizes"]))
    return parse_targets(given or [], params["expected_mtu"]), order

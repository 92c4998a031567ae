# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The way of http_request_info and keepalive_info from parameters to exit."""

from __future__ import annotations

import errno
from typing import Any, Callable, Dict, List, NoReturn, Protocol, Sequence, Tuple

from .._model.fact import Fact, as_plain
from .._model.http_result import HttpResult
from .._model.http_target import (
    BadRequest,
    HttpTarget,
    check_body_sizes,
    check_range,
    check_total,
    read_targets,
    sizes_for,
)
from .._model.idle_timeouts import Comparison, NoSuchBalancer, compared_with
from .http_requests import Order, send_all
from .keepalive import Patience, watch_all
from .tcp_targets import FAMILIES

SECONDS: Dict[str, Tuple[float, float]] = {
    "timeout": (0.1, 300),
    "total_timeout": (1, 3600),
    "interval": (0, 60),
    "longest": (1, 3600),
    "margin": (0, 600),
}
PARALLEL_RANGE = (1, 32)
CONNECTIONS_RANGE = (1, 10)
STATUS_RANGE = (100, 599)
CONNECTIONS_AT_MOST = 1000
NOT_IN_CHECK_MODE = "check mode: a server may act upon a POST, so that none was sent"


class Module(Protocol):
    """What is needed of an AnsibleModule."""

    params: Dict[str, Any]
    check_mode: bool

    def exit_json(self, **result: Any) -> NoReturn:
        """End with success."""

    def fail_json(self, msg: str, **result: Any) -> NoReturn:
        """End with failure."""


def run_http_request_info(module: Module) -> None:
    """Send as the module's parameters say, and exit with results; bad options fail before anything is sent."""
    _run(module, lambda: send_ordered(module.params, module.check_mode))


def run_keepalive_info(module: Module) -> None:
    """Watch idle connections as the module's parameters say, and exit with results."""
    _run(module, lambda: watch_ordered(module.params))


def _run(module: Module, measure: Callable[[], Sequence[Fact]]) -> None:
    try:
        results = measure()
    except (BadRequest, NoSuchBalancer) as error:
        module.fail_json(msg=str(error))
    except OSError as error:
        ours = error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
        what = "this host has no file descriptor or memory left" if ours else "the requests could not be sent"
        module.fail_json(msg=f"{what}: {error.strerror or error}")
    module.exit_json(changed=False, targets=as_plain(list(results)))


def send_ordered(params: Dict[str, Any], check_mode: bool) -> List[HttpResult]:
    """Return the results of what is ordered; a POST is not sent in check mode. Raises BadRequest."""
    targets, order = read_order(params)
    sendable = [target for target in targets if not (check_mode and target.method == "POST")]
    found = dict(zip((target.name for target in sendable), send_all(sendable, order)))
    return [found.get(target.name) or _not_sent(target, order) for target in targets]


def read_order(params: Dict[str, Any]) -> Tuple[List[HttpTarget], Order]:
    """Return what the parameters of http_request_info mean. Raises BadRequest."""
    targets = read_targets(params["targets"], params["method"])
    check_body_sizes(params["body_sizes"])
    check_total(targets, params["body_sizes"], params["requests"], params["max_requests"])
    for name in ("timeout", "total_timeout", "interval"):
        check_range(name, params[name], SECONDS[name], " seconds")
    check_range("parallel", params["parallel"], PARALLEL_RANGE)
    for status in params["expect"]:
        check_range("expect", status, STATUS_RANGE)
    return targets, Order(
        sizes=tuple(params["body_sizes"]),
        requests=params["requests"],
        timeout=params["timeout"],
        total=params["total_timeout"],
        interval=params["interval"],
        parallel=params["parallel"],
        expected=tuple(params["expect"]),
        family=FAMILIES[params["family"]],
    )


def _not_sent(target: HttpTarget, order: Order) -> HttpResult:
    return HttpResult(
        name=target.name,
        url=target.url,
        method=target.method,
        host=target.host,
        node=target.node,
        address=None,
        port=target.port,
        planned=len(sizes_for(target, order.sizes)) * order.requests,
        reason=NOT_IN_CHECK_MODE,
    )


def watch_ordered(params: Dict[str, Any]) -> Sequence[Fact]:
    """Return the results of what keepalive_info is asked for. Raises BadRequest, NoSuchBalancer."""
    targets = read_targets(params["targets"], "GET")
    posts = next((target.name for target in targets if target.method == "POST"), None)
    if posts is not None:
        raise BadRequest(f"targets: {posts} has the method POST; it takes GET or HEAD")
    check_range("connections", params["connections"], CONNECTIONS_RANGE)
    total = len(targets) * params["connections"]
    if total > CONNECTIONS_AT_MOST:
        raise BadRequest(f"connections is {params['connections']}: {total} together; {CONNECTIONS_AT_MOST} are allowed")
    for name in ("timeout", "longest", "margin"):
        check_range(name, params[name], SECONDS[name], " seconds")
    comparison: Comparison = compared_with(params["load_balancer"], params["lb_idle_timeout"], params["margin"])
    patience = Patience(params["connections"], params["longest"], params["timeout"], FAMILIES[params["family"]])
    return watch_all(targets, patience, comparison)

# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What requests to the targets that a user names would be, checked before anything is sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Dict, List, Optional

from ansible.errors import AnsibleFilterError

from ..module_utils._model.http_target import (
    BODY_SIZES_BY_DEFAULT,
    REQUESTS_BY_DEFAULT,
    TOTAL_BY_DEFAULT,
    BadRequest,
    HttpTarget,
    check_body_sizes,
    check_total,
    read_targets,
    sizes_for,
)
from ..module_utils._model.idle_timeouts import NoSuchBalancer, compared_with
from ..plugin_utils._rules.plain import plain_copy

DOCUMENTATION = r"""
name: http_plan
short_description: Checks what HTTP requests would be sent
version_added: 0.5.0
description:
  - Reads the targets of M(netfit.cluster.http_request_info) or M(netfit.cluster.keepalive_info) as these do, on the
    controller, and says what would be sent to each. What makes no sense is refused.
options:
  _input:
    description: The targets, as O(netfit.cluster.http_request_info#module:targets).
    type: list
    elements: raw
    required: true
  body_sizes:
    description: As O(netfit.cluster.http_request_info#module:body_sizes).
    type: list
    elements: int
    default: [0, 1000, 20000]
  requests:
    description: As O(netfit.cluster.http_request_info#module:requests).
    type: int
    default: 20
  max_requests:
    description: As O(netfit.cluster.http_request_info#module:max_requests).
    type: int
    default: 1000
  idle:
    description: >-
      Whether the targets are those of M(netfit.cluster.keepalive_info), which sends few requests, and none with a body.
    type: bool
    default: false
  load_balancer:
    description: As O(netfit.cluster.keepalive_info#module:load_balancer), with O(idle).
    type: str
  lb_idle_timeout:
    description: As O(netfit.cluster.keepalive_info#module:lb_idle_timeout), with O(idle).
    type: float
  called:
    description: What the variable with the targets is called, for messages.
    type: str
    default: targets
author:
  - The netfit team (@netfit)
"""

EXAMPLES = r"""
---
- name: See how many requests an audit would send
  ansible.builtin.debug:
    msg: "{{ netfit_http_targets | netfit.cluster.http_plan(requests=50) | map(attribute='planned') | sum }}"
"""

RETURN = r"""
_value:
  description: >-
    One entry for each target, with its C(name), C(url), C(method), C(host), C(node), C(address), C(port), and with the
    number of requests in C(planned).
  type: list
  elements: dict
"""


def http_plan(
    targets: Any,
    body_sizes: Sequence[Any] = BODY_SIZES_BY_DEFAULT,
    requests: Any = REQUESTS_BY_DEFAULT,
    max_requests: Any = TOTAL_BY_DEFAULT,
    idle: bool = False,
    load_balancer: Optional[str] = None,
    lb_idle_timeout: Any = None,
    called: str = "targets",
) -> List[Dict[str, Any]]:
    """Return what would be sent. Raises AnsibleFilterError where that makes no sense."""
    try:
        read = read_targets(plain_copy(targets), "GET" if idle else "POST")
        if idle:
            if any(target.method == "POST" for target in read):
                raise BadRequest("targets: the method POST is not for idle connections; it takes GET or HEAD")
            seconds = None if lb_idle_timeout is None else float(lb_idle_timeout)
            compared_with(None if load_balancer is None else str(load_balancer), seconds)
            return [_entry(target, 0) for target in read]
        sizes = [_whole("body_sizes", size) for size in body_sizes]
        each = _whole("requests", requests)
        check_body_sizes(sizes)
        check_total(read, sizes, each, _whole("max_requests", max_requests))
        return [_entry(target, each * len(sizes_for(target, sizes))) for target in read]
    except (BadRequest, NoSuchBalancer, TypeError, ValueError) as error:
        raise AnsibleFilterError(f"{called}: {str(error).removeprefix('targets: ')}") from error


def _whole(name: str, value: Any) -> int:
    text = str(value)
    if isinstance(value, bool) or not text.isascii() or not text.isdigit():
        raise BadRequest(f"{name} is {value!r}; it takes whole numbers")
    return int(text)


def _entry(target: HttpTarget, planned: int) -> Dict[str, Any]:
    return {
        "name": target.name,
        "url": target.url,
        "method": target.method,
        "host": target.host,
        "node": target.node,
        "address": target.address,
        "port": target.port,
        "planned": planned,
    }


class FilterModule:
    """Ansible's interface to the filter."""

    def filters(self) -> Dict[str, Callable[..., Any]]:
        """Return the filter by its name."""
        return {"http_plan": http_plan}

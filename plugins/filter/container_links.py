# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The links of running containers that have to be changed for an MTU."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable, Dict, List

from ansible.errors import AnsibleFilterError

from ..plugin_utils._rules.container_links import container_links as links_of

DOCUMENTATION = r"""
name: container_links
short_description: Finds the links of running containers that have a larger MTU than they are to have
version_added: 0.4.0
description:
  - Returns what M(netfit.cluster.link_mtu) has to change so that running containers behind a plain bridge, or on a
    macvlan or ipvlan link, have at most this MTU. Both ends of each link count.
  - Bridges come first, so that the kernel keeps the value that they are given.
  - Pods of Kubernetes are left out, and so are overlay networks of a swarm. What is smaller already stays.
options:
  _input:
    description: The C(ansible_facts) of a host, with C(netfit_mtu) of M(netfit.cluster.mtu_facts).
    type: dict
    required: true
  mtu:
    description: The MTU in bytes, from 68 to 65535.
    type: int
    required: true
author:
  - The netfit team (@netfit)
"""

EXAMPLES = r"""
---
- name: Lower the links of running containers
  netfit.cluster.link_mtu:
    links: "{{ ansible_facts | netfit.cluster.container_links(1450) }}"
    persist: false
"""

RETURN = r"""
_value:
  description: The links, each with C(link), C(mtu), and C(namespace) or C(pid) unless it is the host's own.
  type: list
  elements: dict
"""

SMALLEST = 68
LARGEST = 65535


def container_links(facts: Any, mtu: Any) -> List[Dict[str, Any]]:
    """Return the links. Raises AnsibleFilterError for what is no facts or no MTU."""
    if not isinstance(facts, Mapping) or "netfit_mtu" not in facts:
        raise AnsibleFilterError(
            "container_links: the input has no netfit_mtu: gather it with netfit.cluster.mtu_facts"
        )
    try:
        number = int(str(mtu))
    except ValueError:
        number = 0
    if not SMALLEST <= number <= LARGEST:
        raise AnsibleFilterError(
            f"container_links: mtu: {mtu!r} is no MTU: write a number from {SMALLEST} to {LARGEST}"
        )
    return links_of(facts, number)


class FilterModule:
    """Ansible's interface to the filter."""

    def filters(self) -> Dict[str, Callable[..., Any]]:
        """Return the filter by its name."""
        return {"container_links": container_links}

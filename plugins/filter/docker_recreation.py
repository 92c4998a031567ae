# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Docker networks can be made anew with another MTU, and by which commands."""

from __future__ import annotations

from typing import Any, Callable, Dict

from ansible.errors import AnsibleFilterError

from ..module_utils._model.docker_inspect import read_container, read_network
from ..module_utils._model.docker_recreation import plan_recreations

DOCUMENTATION = r"""
name: docker_recreation
short_description: Plans how Docker networks with a larger MTU are made anew
version_added: 0.4.0
description:
  - Docker can't change the MTU of a network that is there. This returns the commands that take all containers out of
    it, remove it, make it again with the same addresses, options and labels, and put the containers back with their
    fixed addresses and aliases.
  - Networks of a compose project and of a swarm are never among them, nor those of which a container would not get the
    same place again. These are returned with the reason.
  - Pure arithmetic on the controller.
options:
  _input:
    description: What C(docker network inspect) prints, as data.
    type: list
    elements: dict
    required: true
  containers:
    description: What C(docker inspect) prints of all containers, those that do not run included.
    type: list
    elements: dict
    required: true
  mtu:
    description: The MTU in bytes.
    type: int
    required: true
author:
  - The netfit team (@netfit)
"""

EXAMPLES = r"""
---
- name: Say which networks could be made anew
  ansible.builtin.debug:
    msg: "{{ networks | netfit.cluster.docker_recreation(containers=containers, mtu=1450) }}"
"""

RETURN = r"""
_value:
  description:
    - C(recreate), a list of networks, each with C(network), C(containers) that lose it meanwhile, C(commands), lists of
      arguments in their order, C(in_words), the same for a shell, and C(as_it_was), the command that makes the
      network as it is now.
    - C(left), a list of networks that keep a larger MTU, each with C(network) and C(reason).
  type: dict
"""


def docker_recreation(networks: Any, containers: Any, mtu: Any) -> Dict[str, Any]:
    """Return the plan. Raises AnsibleFilterError for what docker doesn't print."""
    try:
        attached = {str(shown["Name"]): list(shown.get("Containers") or {}) for shown in networks}
        read = [read_network(shown) for shown in networks]
        made, left = plan_recreations(read, attached, [read_container(shown) for shown in containers], int(mtu))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise AnsibleFilterError(f"docker_recreation: this is not what docker inspect prints: {error!r}") from error
    return {"recreate": [one.as_fact() for one in made], "left": [one.as_fact() for one in left]}


class FilterModule:
    """Ansible's interface to the filter."""

    def filters(self) -> Dict[str, Callable[..., Any]]:
        """Return the filter by its name."""
        return {"docker_recreation": docker_recreation}

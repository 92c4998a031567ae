# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a restart of Docker for its MTU means for the containers that run."""

from __future__ import annotations

from typing import Any, Callable, Dict

from ansible.errors import AnsibleFilterError

from ..module_utils._model.docker_inspect import read_container, read_network
from ..module_utils._model.docker_restart import plan_restart

DOCUMENTATION = r"""
name: docker_restart
short_description: Plans a restart of Docker that makes its default network take another MTU
version_added: 0.4.0
description:
  - With C(live-restore) Docker leaves running containers alone over a restart, and its default network, too. For the
    MTU to count they have to be stopped; without C(live-restore) Docker stops them itself, and starts only those that
    have a restart policy.
  - Pure arithmetic on the controller.
options:
  _input:
    description: What C(docker inspect) prints of all containers, as data.
    type: list
    elements: dict
    required: true
  networks:
    description: What C(docker network inspect) prints. The network C(bridge) counts.
    type: list
    elements: dict
    required: true
  live_restore:
    description: Whether Docker runs with C(live-restore).
    type: bool
    required: true
  mtu:
    description: The MTU in bytes that the default network is to have.
    type: int
    required: true
  raise:
    description: Whether a default network that has less is to have more.
    type: bool
    default: false
    version_added: 0.6.0
author:
  - The netfit team (@netfit)
"""

EXAMPLES = r"""
---
- name: Say what would stop
  ansible.builtin.debug:
    msg: "{{ (containers | netfit.cluster.docker_restart(networks=networks, live_restore=true, mtu=1450)).stops }}"
"""

RETURN = r"""
_value:
  description:
    - C(needed), whether the default network has to get another MTU; C(refused), why Docker may not be restarted, empty
      where it may; C(stops), the containers that do not run meanwhile; C(stop), those to stop before, and C(start),
      those to start afterwards, both in their order.
  type: dict
"""


def docker_restart(containers: Any, networks: Any, live_restore: bool, mtu: Any, **options: Any) -> Dict[str, Any]:
    """Return the plan. options: raise. Raises AnsibleFilterError for what docker doesn't print."""
    unknown = sorted(set(options) - {"raise"})
    if unknown:
        raise AnsibleFilterError(f"docker_restart: {', '.join(unknown)}; allowed is raise")
    try:
        default = next((read_network(shown) for shown in networks if shown["Name"] == "bridge"), None)
        read = [read_container(shown) for shown in containers]
        return plan_restart(default, read, bool(live_restore), int(mtu), bool(options.get("raise"))).as_fact()
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise AnsibleFilterError(f"docker_restart: this is not what docker inspect prints: {error!r}") from error


class FilterModule:
    """Ansible's interface to the filter."""

    def filters(self) -> Dict[str, Callable[..., Any]]:
        """Return the filter by its name."""
        return {"docker_restart": docker_restart}

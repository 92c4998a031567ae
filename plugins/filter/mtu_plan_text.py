# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The MTU plan as a person reads it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable, Dict

from ansible.errors import AnsibleFilterError

from ..plugin_utils._plan.words import plan_text
from ..plugin_utils._rules.plain import plain_copy

DOCUMENTATION = r"""
name: mtu_plan_text
short_description: Says an MTU plan in words
version_added: 0.4.0
description:
  - The verdict in one sentence, then what the network carries, then host by host what changes, in which order, and what
    that means for what runs. No line is longer than 100 characters.
options:
  _input:
    description: What P(netfit.cluster.mtu_plan#filter) returned.
    type: dict
    required: true
author:
  - The netfit team (@netfit)
"""

EXAMPLES = r"""
---
- name: Show the plan
  ansible.builtin.debug:
    msg: "{{ (netfit_plan | netfit.cluster.mtu_plan_text).splitlines() }}"
  vars:
    netfit_plan: "{{ hostvars | netfit.cluster.mtu_plan(hosts=ansible_play_hosts_all) }}"
  run_once: true
"""

RETURN = r"""
_value:
  description: Lines of text.
  type: str
"""


def mtu_plan_text(plan: Any) -> str:
    """Return the plan in lines. Raises AnsibleFilterError where the input is no plan."""
    if not isinstance(plan, Mapping) or not {"hosts", "cluster", "not_planned"} <= set(plan):
        raise AnsibleFilterError("mtu_plan_text: the input must be what netfit.cluster.mtu_plan returned")
    return plan_text(plain_copy(plan))


class FilterModule:
    """Ansible's interface to the filter."""

    def filters(self) -> Dict[str, Callable[..., Any]]:
        """Return the filter by its name."""
        return {"mtu_plan_text": mtu_plan_text}

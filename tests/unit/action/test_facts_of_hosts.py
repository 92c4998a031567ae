# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The facts of other hosts are taken as they came: what Ansible would do to them first costs more than the audit."""

from __future__ import annotations

from typing import Any

from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.vars.hostvars import HostVars
from ansible.vars.manager import VariableManager

from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.plain import raw_variables
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.read_view import view_host
from ansible_collections.netfit.cluster.tests.unit import builders as b


def hostvars_of(facts: Any) -> Any:
    """Return Ansible's own hostvars of a host n1 with these facts."""
    loader = DataLoader()
    inventory = InventoryManager(loader=loader, sources="n1,n2,")
    manager = VariableManager(loader=loader, inventory=inventory)
    manager.set_host_facts("n1", facts)
    return HostVars(inventory=inventory, variable_manager=manager, loader=loader)


def facts_of(hostvars: Any, name: str) -> Any:
    """The facts among the variables of a host."""
    return raw_variables(hostvars, name).get("ansible_facts", {})


def test_facts_are_those_that_were_gathered() -> None:
    facts = b.incident()["n1"]
    hostvars = hostvars_of(facts)
    assert facts_of(hostvars, "n1") == facts
    assert view_host("n1", facts_of(hostvars, "n1")) == view_host("n1", facts)
    assert facts_of(hostvars, "n2") == {}


def test_what_looks_like_a_template_in_a_fact_stays_what_it_is() -> None:
    hostvars = hostvars_of({"netfit_mtu": {"kernel": "{{ 6 * 7 }}"}})
    assert facts_of(hostvars, "n1")["netfit_mtu"]["kernel"] == "{{ 6 * 7 }}"


def test_hostvars_may_be_a_plain_mapping() -> None:
    assert facts_of({"n1": {"ansible_facts": {"netfit_mtu": {}}}, "n2": {}}, "n1") == {"netfit_mtu": {}}
    assert facts_of({"n2": {}}, "n2") == {}

# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""RKE2 that Rancher made: the values of charts are Rancher's, which writes its files anew."""

from __future__ import annotations

import json
from typing import Any, Callable, Dict, List, Optional, Union

import pytest
import yaml

from ansible_collections.netfit.cluster.plugins.module_utils._config.mtu_stacks import plan_stack
from ansible_collections.netfit.cluster.plugins.module_utils._model.mtu_config import MtuWish, Stack, StackPlan

Host = Callable[[str, Union[str, bytes]], str]
WISH = MtuWish(underlay_mtu=1450, pod_mtu=1400)
MANIFESTS = "/var/lib/rancher/rke2/server/manifests"
MANAGED = f"{MANIFESTS}/rancher/managed-chart-config.yaml"
ADDONS = f"{MANIFESTS}/rancher/addons.yaml"
GLOBAL = {"global": {"cattle": {"clusterId": "c-m-4t2fhkpd"}}}


def managed(charts: Dict[str, Any]) -> str:
    """A file as Rancher's planner writes it: a document a chart, and the values as JSON in a quoted string."""
    documents = [
        "apiVersion: helm.cattle.io/v1\nkind: HelmChartConfig\nmetadata:\n"
        f"  name: {chart}\n  namespace: kube-system\nspec:\n"
        f"  valuesContent: '{json.dumps({**values, **GLOBAL}, separators=(',', ':'))}'\n"
        for chart, values in charts.items()
    ]
    return "\n---\n".join(documents)


def plan(root: str) -> StackPlan:
    made = plan_stack(root, Stack.RKE2, WISH)
    assert not made.blocked, made.reason
    return made


def knobs(made: StackPlan) -> Dict[str, List[Optional[int]]]:
    return {knob.name.rpartition(": ")[2]: [knob.before, knob.after] for knob in made.knobs}


def test_the_values_of_rancher_wait_for_the_owner_of_the_cluster(host: Host) -> None:
    before = managed({"rke2-canal": {"flannel": {"iface": "eth1", "mtu": 1500}}, "rke2-traefik": {}})
    made = plan(host(MANAGED, before))
    assert made.changes == ()
    assert knobs(made) == {"calico.vethuMTU": [None, 1400], "flannel.mtu": [1500, 1450]}
    assert made.reason == (
        f"{MANAGED} is Rancher's, which writes it anew out of spec.rkeConfig.chartValues.rke2-canal of the cluster: "
        "set the values there. It waits for the cluster's owner, with the commands that are returned"
    )
    patch, after = made.patches
    assert (patch.resource, patch.patch_type) == ("clusters.provisioning.cattle.io/NAME", "merge")
    assert yaml.safe_load(patch.patch) == {
        "spec": {"rkeConfig": {"chartValues": {"rke2-canal": {"calico": {"vethuMTU": 1400}, "flannel": {"mtu": 1450}}}}}
    }
    assert any("c-m-4t2fhkpd" in command and ".status.clusterName" in command for command in patch.commands)
    assert made.snippets["spec.rkeConfig.chartValues"] == patch.patch
    assert "kubectl --namespace kube-system rollout restart daemonset rke2-canal" in after.commands


def test_values_that_rancher_has_already_are_so(host: Host) -> None:
    made = plan(host(MANAGED, managed({"rke2-canal": {"calico": {"vethuMTU": 1400}, "flannel": {"mtu": 1450}}})))
    assert (made.changes, made.patches, made.snippets) == ((), (), {})
    assert made.reason == f"{MANAGED} is so already"
    host("/run/flannel/subnet.env", "FLANNEL_MTU=1450\n")
    assert [patch.name for patch in plan(host(MANAGED, managed({"rke2-canal": {}}))).patches] == [
        "rke2-canal-rancher",
        "rke2-canal",
    ]


@pytest.mark.parametrize("text", [managed({"rke2-traefik": {}, "rke2-canal-extra": {}}), "", "{}\n"])
def test_values_for_other_charts_are_not_in_the_way(host: Host, text: str) -> None:
    made = plan(host(MANAGED, text))
    assert [change.path for change in made.changes] == [f"{MANIFESTS}/rke2-canal-config.yaml"]
    assert "spec.rkeConfig.chartValues.rke2-canal" in made.reason


def test_another_file_for_a_chart_that_rancher_has_is_named(host: Host) -> None:
    host(f"{MANIFESTS}/mine.yaml", managed({"rke2-canal": {}}))
    made = plan_stack(host(MANAGED, managed({"rke2-canal": {}})), Stack.RKE2, WISH)
    assert made.blocked
    assert f"remove {MANIFESTS}/mine.yaml" in made.reason and "spec.rkeConfig.chartValues.rke2-canal" in made.reason


def test_values_of_rancher_that_go_over_lines_are_left_to_rancher_all_the_same(host: Host) -> None:
    text = managed({"rke2-canal": {"note": "a b"}}).replace("a b", "a\n    b")
    made = plan(host(MANAGED, text))
    assert (made.changes, len(made.patches)) == ((), 2)
    host(MANAGED, text.replace("valuesContent: '", "valuesContent: &x '"))
    assert (plan(host("/x", "")).changes, len(plan(host("/x", "")).patches)) == ((), 2)


def test_a_manifest_that_was_given_to_rancher_is_changed_there(host: Host) -> None:
    text = (
        "kind: HelmChartConfig\nmetadata:\n  name: rke2-canal\nspec:\n  valuesContent: |\n    flannel:\n      mtu: 1\n"
    )
    made = plan(host(ADDONS, text))
    assert (made.changes, knobs(made)["flannel.mtu"]) == ((), [1, 1450])
    assert "out of spec.rkeConfig.additionalManifest of the cluster" in made.reason
    assert (made.patches[0].patch, made.patches[0].file) == ("", "")
    assert any(" edit clusters.provisioning.cattle.io/NAME" in command for command in made.patches[0].commands)
    assert any("calico.vethuMTU: 1400, flannel.mtu: 1450" in command for command in made.patches[0].commands)

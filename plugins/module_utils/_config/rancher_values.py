# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Values of Helm charts that are Rancher's: those of a cluster of RKE2 that Rancher made.

Rancher writes manifests/rancher anew out of the cluster's object in its own cluster: managed-chart-config.yaml out of
chartValues, each chart's as JSON in a string, and addons.yaml out of additionalManifest.
Source: rancher pkg/capr/planner/config.go (addChartConfigs), manifests.go.
"""

from __future__ import annotations

from typing import Optional, Sequence, Tuple

from .._model.mtu_config import ClusterPatch
from .helm_chart_config import KEPT, RANCHERS, ChartConfig
from .json_text import JsonError, JsonNode, parse_json
from .mtu_patches import MERGE, patch_command
from .yaml_block import string_in
from .yaml_lines import YamlError

MANAGED = f"{RANCHERS}/managed-chart-config.yaml"
_CHART_VALUES = "spec.rkeConfig.chartValues"
_RESOURCE = "clusters.provisioning.cattle.io/NAME"
_NAMESPACE = "fleet-default"
_WHERE = "# where Rancher itself runs, not in this cluster; or in Rancher's pages: Cluster Management, Edit YAML"
_LIST = (
    "kubectl get clusters.provisioning.cattle.io --all-namespaces "
    "--output custom-columns=NAMESPACE:.metadata.namespace,NAME:.metadata.name,ID:.status.clusterName"
)


def is_chart_values(config: ChartConfig) -> bool:
    """Tell whether a chart's configuration is out of chartValues."""
    return config.file.endswith(f"/{MANAGED}")


def setting_of(config: ChartConfig, chart: str) -> str:
    """Return the setting of Rancher's that a chart's configuration is written out of."""
    return f"{_CHART_VALUES}.{chart}" if is_chart_values(config) else "spec.rkeConfig.additionalManifest"


def chart_values_of(chart: str) -> str:
    """Return the setting of Rancher's for the values of a chart."""
    return f"{_CHART_VALUES}.{chart}"


def managed_value(config: ChartConfig, path: Sequence[str]) -> Optional[str]:
    """Return a value out of chartValues, None where there is none or the text can't be understood."""
    node = _values(config)
    for key in path:
        node = node.get(key) if node is not None else None
    return str(node.scalar) if node is not None and node.scalar is not None else None


def owner_patch(
    config: ChartConfig, chart: str, values: Sequence[Tuple[Tuple[str, ...], int]]
) -> Tuple[ClusterPatch, str]:
    """Return what sets values of a chart in Rancher, and the setting's name. values: paths and numbers, in bytes."""
    setting = setting_of(config, chart)
    identifier = managed_value(config, ("global", "cattle", "clusterId"))
    which = f"the one whose ID is {identifier}" if identifier else "the one of this cluster"
    before: Tuple[str, ...] = (_WHERE, f"# NAMESPACE is {_NAMESPACE} in most cases, and NAME that of {which}: {_LIST}")
    if is_chart_values(config):
        patch = _nested([(("spec", "rkeConfig", "chartValues", chart, *path), number) for path, number in values])
        commands: Tuple[str, ...] = (*before, patch_command(_NAMESPACE, _RESOURCE, MERGE))
    else:
        patch = ""
        words = ", ".join(f"{'.'.join(path)}: {number}" for path, number in values)
        edit = f"kubectl --namespace {_NAMESPACE} edit {_RESOURCE}"
        commands = (*before, f"# in {setting}, HelmChartConfig {chart}, valuesContent: {words}", edit)
    return (
        ClusterPatch(
            name=f"{chart}-rancher",
            resource=_RESOURCE,
            namespace=_NAMESPACE,
            patch_type=MERGE if patch else "",
            file=f"{chart}-rancher.yaml" if patch else "",
            patch=patch,
            commands=commands,
        ),
        setting,
    )


def _values(config: ChartConfig) -> Optional[JsonNode]:
    try:
        return parse_json(string_in(config.lines, config.place, KEPT) or "")
    except (YamlError, JsonError):
        return None


def _nested(values: Sequence[Tuple[Tuple[str, ...], int]]) -> str:
    """Return YAML with these numbers at these paths, of which those with the same beginning follow each other."""
    lines = []
    before: Tuple[str, ...] = ()
    for path, number in values:
        common = next(depth for depth in range(len(path)) if path[: depth + 1] != before[: depth + 1])
        lines += [f"{'  ' * depth}{path[depth]}:" for depth in range(common, len(path) - 1)]
        lines.append(f"{'  ' * (len(path) - 1)}{path[-1]}: {number}")
        before = path
    return "".join(f"{line}\n" for line in lines)

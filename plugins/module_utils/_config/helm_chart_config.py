# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""HelmChartConfig manifests of RKE2 and K3s: values for a chart that the distribution brings, in a block of YAML.

Source: k3s-io/helm-controller pkg/apis/helm.cattle.io/v1 (HelmChartConfigSpec), k3s pkg/deploy/controller.go.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import List, Optional, Sequence, Tuple

from .._model.file_change import FileText
from .drop_ins import Blocked
from .reading import list_directory, read_bytes, under
from .whole_file import read_whole
from .yaml_block import Range, documents, key_at, set_in_block, string_in
from .yaml_lines import YamlError

KEPT = ("spec", "valuesContent")
RANCHERS = "rancher"
"""Directory below manifests whose files are Rancher's, where it has made the cluster."""
_KIND = "HelmChartConfig"
_LARGEST = 32 << 20
"""Bytes. The charts that lie beside it are whole archives."""
_MANIFESTS = (".yaml", ".yml", ".json")
_HEADER = (
    "# Written by netfit.cluster.cni_mtu. What you add stays; of ours only the numbers change.\n"
    "apiVersion: helm.cattle.io/v1\n"
    f"kind: {_KIND}\n"
    "metadata:\n"
    "  name: {name}\n"
    "  namespace: kube-system\n"
    "spec:\n"
    "  valuesContent: |-\n"
)


@dataclass(frozen=True)
class ChartConfig:
    """A HelmChartConfig and the file that it is in. place: its range of the file's lines.

    ranchers: Rancher writes the file. Then there may be no lines, where they can't be understood.
    """

    file: str
    before: FileText
    lines: Tuple[str, ...]
    place: Range
    ranchers: bool = False


def find_chart_config(root: str, directory: str, name: str) -> Optional[ChartConfig]:
    """Return the HelmChartConfig of that name in the files of a directory, None where there is none.

    Raises UnreadableFile, Blocked where there are several or it can't be understood.
    """
    found: List[ChartConfig] = []
    paths = _files(root, directory)
    names = {path.rpartition("/")[2] for path in paths}
    for path in paths:
        entry = path.rpartition("/")[2]
        if entry.startswith(".") or not entry.endswith(_MANIFESTS) or not _may_hold(root, path, name):
            continue
        if f"{entry}.skip" in names:
            raise Blocked(f"{entry}.skip makes RKE2 pass over {path}: remove one of the two")
        found += _in_file(root, path, name, path.startswith(f"{directory}/{RANCHERS}/"))
    theirs, ours = [one.file for one in found if one.ranchers], [one.file for one in found if not one.ranchers]
    if theirs and ours:
        raise Blocked(
            f"{theirs[0]} is Rancher's and has a {_KIND} {name}, and so has {ours[0]}; the last to be read counts: "
            f"move its values to spec.rkeConfig.chartValues.{name} of the cluster in Rancher, and remove {ours[0]}"
        )
    if len(found) > 1:
        both = " and ".join(config.file for config in found)
        raise Blocked(f"{both} each have a {_KIND} {name}, and the last to be read counts: leave one of them")
    return found[0] if found else None


def new_chart_config(name: str, values: Sequence[Tuple[Tuple[str, ...], str]]) -> str:
    """Return the text of a file with such values, each a path and a literal."""
    header = _HEADER.format(name=name)
    config = ChartConfig("", FileText(header), *_parsed(header))
    return values_with(config, values)


def values_with(config: ChartConfig, values: Sequence[Tuple[Tuple[str, ...], str]]) -> str:
    """Return the text of the file with these values set in its valuesContent. Raises YamlError."""
    lines, (first, end) = list(config.lines), config.place
    if key_at(lines, (first, end), ("spec", "values")) is not None:
        raise YamlError("it has 'values' beside 'valuesContent'")
    for path, literal in values:
        grown = set_in_block(lines, (first, end), KEPT, path, literal)
        lines, end = grown, end + len(grown) - len(lines)
    return "\n".join(lines)


def _parsed(text: str) -> Tuple[Tuple[str, ...], Range]:
    lines, ranges = documents(text)
    return tuple(lines), ranges[0]


def _files(root: str, directory: str, depth: int = 4) -> List[str]:
    """Return the files in a directory and in those below it. Raises UnreadableFile."""
    paths = [f"{directory}/{entry}" for entry in list_directory(root, directory)]
    below = [path for path in paths if depth and os.path.isdir(under(root, path))]
    inner = [path for inside in below for path in _files(root, inside, depth - 1)]
    return [*(path for path in paths if path not in below), *inner]


def _may_hold(root: str, path: str, name: str) -> bool:
    content = read_bytes(root, path, _LARGEST) or b""
    return _KIND.encode() in content and name.encode() in content


def _in_file(root: str, path: str, name: str, ranchers: bool) -> List[ChartConfig]:
    before = read_whole(root, path)
    if before is None:
        return []
    try:
        lines, ranges = documents(before.text)
        return [ChartConfig(path, before, tuple(lines), place, ranchers) for place in ranges if _is(lines, place, name)]
    except YamlError as error:
        if ranchers:
            named = re.search(rf"^\s*name:\s*[\"']?{re.escape(name)}[\"']?\s*$", before.text, re.MULTILINE)
            return [ChartConfig(path, before, (), (0, 0), ranchers)] if named else []
        raise Blocked(f"{path}, {error}: write its {_KIND} {name} as keys on lines of their own") from error


def _is(lines: Sequence[str], place: Range, name: str) -> bool:
    if string_in(lines, place, ("kind",)) != _KIND:
        return False
    return string_in(lines, place, ("metadata", "name")) == name

# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""config.yaml.d/50-rancher.yaml, which Rancher writes as JSON: an object with a key a line."""

from __future__ import annotations

from typing import Callable, Union

import pytest

from ansible_collections.netfit.cluster.plugins.module_utils._config.declarations import Declarations
from ansible_collections.netfit.cluster.plugins.module_utils._config.flannel import read_flannel
from ansible_collections.netfit.cluster.plugins.module_utils._config.mtu_k3s import option
from ansible_collections.netfit.cluster.plugins.module_utils._config.rke2_plugin import plugins_of
from ansible_collections.netfit.cluster.plugins.module_utils._config.yaml_lines import YamlError, top_level_lists

Host = Callable[[str, Union[str, bytes]], str]
TEXT = """{
  "agent-token": "x",
  "cni": "calico",
  "etcd-expose-metrics": false,
  "flannel-backend": "none",
  "kubelet-arg": [
    "max-pods=110",
    "v=2"
  ],
  "node-ip": ["192.0.2.11"],
  "token": null
}
"""


def test_the_strings_of_its_keys() -> None:
    found = top_level_lists(TEXT, ("cni", "kubelet-arg", "token", "etcd-expose-metrics", "none-such"))
    assert [(key.key, key.line, values) for key, values in found] == [
        ("cni", 3, ["calico"]),
        ("etcd-expose-metrics", 4, ["false"]),
        ("kubelet-arg", 6, ["max-pods=110", "v=2"]),
        ("token", 11, []),
    ]


@pytest.mark.parametrize("text", ["{cni: calico}\n", '{"cni": {"a": 1}}', '{"cni": [[1]]}', '{"cni": "a"'])
def test_what_is_no_json_or_no_string_is_said_to_be_so(text: str) -> None:
    with pytest.raises(YamlError, match="line 1"):
        top_level_lists(text, ("cni",))


def test_the_audit_reads_the_net_conf_that_it_names(host: Host) -> None:
    root = host("/etc/rancher/k3s/config.yaml.d/50-rancher.yaml", '{\n  "flannel-conf": "/srv/net.json",\n  "v": "2"}')
    host("/srv/net.json", '{"Network": "10.42.0.0/16", "Backend": {"Type": "vxlan", "MTU": 1420}}')
    declarations = Declarations(root)
    read_flannel(declarations)
    assert [(one.value, one.source.file, one.active) for one in declarations.mtus] == [(1420, "/srv/net.json", True)]


def test_nodes_that_rancher_made_are_understood(host: Host) -> None:
    root = host("/etc/rancher/k3s/config.yaml.d/50-rancher.yaml", TEXT)
    backend = option(root, "flannel-backend")
    assert backend is not None and (backend.value, backend.place.rpartition(":")[2]) == ("none", "5")
    host("/etc/rancher/rke2/config.yaml.d/50-rancher.yaml", TEXT)
    assert plugins_of(root) == (["calico"], "/etc/rancher/rke2/config.yaml.d/50-rancher.yaml:3")

# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of the incident that need no host: what is written for nodes, pods and load balancers."""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from netfit_lab import cluster_plan, engine_plan, images, kube_proxy, lab, load_balancer, overlay, protobuf, uploads
from netfit_lab.errors import BadTopology, MissingRequirement
from netfit_lab.features import load_balancers

BASE: dict[str, Any] = {"segments": {"lan": {"addresses": "198.18.7.0/24"}}, "hosts": {"n[1:2]": None, "lb": None}}
CLUSTER: dict[str, Any] = {
    "nodes": ["n1", "n2"],
    "pods": {"gateway": {"namespace": "prod", "node": "n2"}, "second": {"namespace": "prod", "node": "n1"}},
    "services": {"gateway": {"namespace": "prod", "pods": ["gateway"], "port": 8081, "node_port": 30004}},
}


def parse(**changes: Any) -> cluster_plan.Cluster:
    return cluster_plan.parse({**CLUSTER, **changes}, lab.read_topology("x", BASE))


@given(st.lists(st.tuples(st.integers(1, 2**20), st.integers(0, 2**63) | st.binary() | st.text())))
def test_codec_reads_what_it_wrote(fields: list[tuple[int, Any]]) -> None:
    read = protobuf.Fields(protobuf.message(*fields))
    for number, value in fields:
        alike = [item for other, item in fields if other == number and isinstance(item, int) == isinstance(value, int)]
        last = alike[-1]
        if isinstance(last, int):
            assert read.number(number) == last
        elif isinstance(last, str):
            assert read.text(number) == last


def test_codec_writes_the_documented_bytes() -> None:
    # The examples of the encoding guide of Protocol Buffers: 150 in field 1, "testing" in field 2, a map entry.
    assert protobuf.message((1, 150)) == b"\x08\x96\x01"
    assert protobuf.message((2, "testing")) == b"\x12\x07testing"
    assert protobuf.message((3, {"a": "b"})) == b"\x1a\x06\x0a\x01a\x12\x01b"


@pytest.mark.parametrize("content", [b"\x12\x07test", b"\x08", b"\x0d\x00", b"\x0b"])
def test_codec_refuses_what_is_cut_short_or_unknown(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"ends within a field|unknown wire type"):
        protobuf.Fields(content)


def test_image_is_the_same_each_time_and_brings_the_program_s_libraries() -> None:
    image = images.Image("docker.io/netfit/x:1", ("/bin/sleep", "1"), ("sleep",), {"/etc/x": "content"})
    archive = images.build(image)
    assert archive == images.build(image)
    with tarfile.open(fileobj=io.BytesIO(archive)) as outer:
        manifest = json.load(outer.extractfile("manifest.json") or io.BytesIO())[0]
        layer = outer.extractfile(manifest["Layers"][0]) or io.BytesIO()
        with tarfile.open(fileobj=io.BytesIO(layer.read())) as inner:
            names = inner.getnames()
    assert manifest["RepoTags"] == ["docker.io/netfit/x:1"]
    assert {"tmp", "etc/x", "bin/sleep"} < set(names)
    assert any("libc.so" in name or "ld-musl" in name for name in names)


def test_image_of_a_program_that_is_not_there() -> None:
    with pytest.raises(MissingRequirement, match="no-such-program is not installed"):
        images.build(images.Image("x", (), ("no-such-program",)))


def test_chain_names_are_those_of_kube_proxy() -> None:
    # kubernetes pkg/proxy/iptables/proxier_test.go, the chains of ns1/svc1:p80 and of its endpoint.
    assert kube_proxy.chain_name("KUBE-SVC-", "ns1/svc1:p80", "tcp") == "KUBE-SVC-XPGD46QRK7WJZT7O"
    assert kube_proxy.chain_name("KUBE-SEP-", "ns1/svc1:p80", "tcp", "10.180.0.1:80") == "KUBE-SEP-SXIVWICOYRO3J4NJ"


def rules(cluster: cluster_plan.Cluster, addresses: Mapping[str, str], saved: str = "") -> str:
    masquerade = overlay.masquerade_rules(cluster, cluster.nodes["n1"])
    return kube_proxy.table(cluster.services, addresses, str(cluster.pod_network), saved, masquerade)


def test_service_without_a_pod_has_no_rule() -> None:
    assert "30004" not in rules(parse(), {})
    assert "--dport 30004" in rules(parse(), {"prod/gateway": "10.42.2.2"})


def test_pods_of_a_service_get_equal_shares() -> None:
    services = {"gateway": {**CLUSTER["services"]["gateway"], "pods": ["gateway", "second"]}}
    text = rules(parse(services=services), {"prod/gateway": "10.42.2.2", "prod/second": "10.42.1.2"})
    assert text.count("--probability 0.5000000000") == 1
    assert text.count("-j DNAT --to-destination") == 2


def test_chains_of_a_pod_that_is_gone_are_removed_and_jumps_are_not_doubled() -> None:
    saved = (
        ":KUBE-SEP-AAAAAAAAAAAAAAAA - [0:0]\n:CUSTOM - [0:0]\n"
        '-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES\n'
    )
    text = rules(parse(), {"prod/gateway": "10.42.2.2"}, saved)
    assert "-X KUBE-SEP-AAAAAAAAAAAAAAAA\n" in text
    assert "CUSTOM" not in text
    assert "-A PREROUTING" not in text
    assert "-A OUTPUT" in text


def test_cni_configuration_has_an_mtu_only_when_it_is_asked_for() -> None:
    silent, spoken = parse(), parse(pod_mtu=1450)
    assert "mtu" not in json.loads(overlay.cni_configuration(silent, silent.nodes["n1"]))["plugins"][0]
    assert json.loads(overlay.cni_configuration(spoken, spoken.nodes["n1"]))["plugins"][0]["mtu"] == 1450


def test_overlay_follows_the_underlay() -> None:
    document = {**BASE, "segments": {"lan": {"addresses": "198.18.7.0/24", "mtu": 1400}}}
    cluster = cluster_plan.parse(CLUSTER, lab.read_topology("x", document))
    assert "FLANNEL_MTU=1350\n" in overlay.subnet_file(cluster, cluster.nodes["n1"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"nodes": ["n3"]}, "nodes: unknown key 'n3'; known: lb, n1, n2"),
        ({"nodes": []}, "at least one is needed"),
        ({"pod_network": "10.42.0.0/24"}, "too small"),
        ({"pod_network": "10.42.0.0/23"}, "too small for 2 nodes"),
        ({"pod_network": "nonsense"}, "an IPv4 range is needed"),
        ({"pod_mtu": 20}, "an MTU from 68"),
        ({"pods": {"gateway": {"node": "lb"}}}, "kubernetes.pods.gateway.node: unknown key 'lb'"),
        ({"pods": {"gateway": {"node": "n1", "image": "wep"}}}, "did you mean 'web'"),
        ({"pods": {"gateway": {"node": "n1", "sysctls": {"a": 1}}}}, "sysctls.a: a text is needed"),
        ({"services": {"s": {"pods": ["gateway"], "port": 1, "node_port": 30001}}}, "unknown key 'gateway'"),
        ({"services": {"s": {"port": 80, "node_port": 80}}}, "a port from 30000 to 32767 is needed, not 80"),
        ({"sevices": {}}, "did you mean 'services'"),
    ],
)
def test_bad_cluster_is_refused_with_its_place(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(BadTopology, match="kubernetes") as caught:
        parse(**changes)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"lc": {}}, "unknown key 'lc'; known: lb, n1, n2"),
        ({"lb": {"port": 30004}}, "targets: at least one host"),
        ({"lb": {"targets": ["n9"], "port": 30004}}, "unknown key 'n9'"),
        ({"lb": {"targets": ["n1"], "port": 0}}, "a port from 1 to 65535"),
        ({"lb": {"targets": ["n1"], "port": 1, "timeout": 0}}, "1 to 3600 seconds"),
        ({"lb": {"targets": ["n1"], "port": 1, "ignores_icmp": "yes"}}, "true or false"),
    ],
)
def test_bad_load_balancer_is_refused_with_its_place(value: dict[str, Any], message: str) -> None:
    with pytest.raises(BadTopology, match="load_balancers") as caught:
        load_balancers.parse(value, lab.read_topology("x", BASE))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"containers": {"a": {"network": "shop"}}}, "unknown key 'shop'"),
        ({"containers": {"a": {"network": "container:b"}, "b": {}}}, "unknown key 'container:b'"),
        ({"containers": {"a": {"network": "host", "sysctls": {"x": "1"}}}}, "is not the container's own"),
        ({"networks": {"shop": {"mtu": 0}}}, "an MTU from 68"),
    ],
)
def test_bad_container_is_refused_with_its_place(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(BadTopology, match=r"docker\.lb") as caught:
        engine_plan.parse("docker", {"lb": fields}, lab.read_topology("x", BASE))
    assert message in str(caught.value)


def test_topologies_that_are_shipped_can_be_read() -> None:
    topologies = Path(lab.__file__).resolve().parents[1] / "topologies"
    counts = {}
    for path in topologies.glob("*.yml"):
        counts[path.stem] = len(lab.read_topology(path.stem, yaml.safe_load(path.read_text())).hosts)
    assert counts == {"four": 4, "healthy": 1, "incident": 5, "managers": 10, "pair": 2, "single": 1, "sixty": 60}


def test_nginx_accepts_the_load_balancer_s_configuration(real: None) -> None:
    topology = lab.read_topology("x", BASE)
    (balancer,) = load_balancers.parse({"lb": {"targets": ["n1", "n2"], "port": 30004}}, topology).values()
    text = load_balancer.configuration(balancer)
    assert text.count("max_fails=0") == 2
    command = ["nginx", "-t", "-c", "/dev/stdin"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=20, check=False)
    assert "syntax is ok" in done.stderr


def test_table_of_uploads_counts_everything_but_200() -> None:
    result = uploads.SizeResult(3000, 4, {"200": 1, "504": 2, "TimeoutError": 1}, 2.0)
    assert (result.failures, result.failed_percent) == (3, 75.0)
    assert uploads.as_table([result]).splitlines()[1].split(maxsplit=4) == [
        "3000", "4", "3", "75", "1 x 200, 2 x 504, 1 x TimeoutError",
    ]  # fmt: skip


def test_upload_that_nobody_takes_is_a_failure_by_name() -> None:
    assert uploads.send("http://127.0.0.1:9/", 10) == "ConnectionRefusedError"

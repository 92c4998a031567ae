# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The incident on real hosts: which uploads fail, what heals them, and what a node has on its disk."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from netfit_lab import cluster_node, lab
from netfit_lab.features import kubernetes

ROOT = Path(lab.__file__).resolve().parents[1]
URL = "http://198.18.7.5/"
NODES = ("n1", "n2", "n3", "n4")
SMALL, LARGE = (100, 1000, 1300), (3000, 20_000, 200_000)
ACCESS_LOG = "/var/log/nginx/access.log"


@pytest.fixture(scope="module")
def incident(real: None) -> Iterator[lab.Lab]:
    """The running incident."""
    pytest.importorskip("grpc", reason="the Python package grpcio makes the pods")
    name = f"nf-test-incident-{os.getpid()}"
    document = yaml.safe_load((ROOT / "topologies" / "incident.yml").read_text())
    try:
        yield lab.up(name, "incident", document, print)
    finally:
        lab.down(name, print)
    assert not Path("/run/nf-lab", name).exists()


def upload(running: lab.Lab, *sizes: int, per_size: int = 4) -> dict[int, dict[str, int]]:
    """Send uploads from the controller through the load balancer: size to answers to how often."""
    command = ["env", f"PYTHONPATH={ROOT}", sys.executable, "-m", "netfit_lab.uploads", URL, "--json"]
    options = ["--per-size", str(per_size), "--sizes", *map(str, sizes)]
    results = json.loads(running.controller.run([*command, *options], timeout=60).stdout)
    return {result["body_bytes"]: result["outcomes"] for result in results}


def pod_link(running: lab.Lab) -> dict[str, Any]:
    """The gateway's eth0, as ip(8) shows it from inside."""
    host = running.host("n2")
    (namespace,) = host.run(["ls", "/run/netns"]).stdout.split()
    shown = host.run(["nsenter", f"--net=/run/netns/{namespace}", "ip", "-json", "link", "show", "eth0"]).stdout
    link: dict[str, Any] = json.loads(shown)[0]
    return link


def test_small_uploads_never_fail_and_large_ones_three_times_out_of_four(incident: lab.Lab) -> None:
    outcomes = upload(incident, *SMALL, *LARGE, per_size=8)
    assert outcomes == {size: {"200": 8} for size in SMALL} | {size: {"200": 2, "504": 6} for size in LARGE}


def test_the_node_with_the_pod_is_the_one_that_works(incident: lab.Lab) -> None:
    incident.host("lb").run(["truncate", "--size=0", ACCESS_LOG])
    upload(incident, 3000)
    lines = incident.host("lb").run(["cat", ACCESS_LOG]).stdout.splitlines()
    answers = {line.split()[2].split(":")[0]: line.split()[0] for line in lines}
    hosts = {incident.host(name).plan.address: "200" if name == "n2" else "504" for name in NODES}
    assert answers == hosts


def rejected_by(running: lab.Lab, name: str) -> int:
    """How many packets a host could not forward because they were too large (Ip FragFails of /proc/net/snmp)."""
    lines = running.host(name).run(["cat", "/proc/net/snmp"]).stdout.splitlines()
    names, values = (line.split() for line in lines if line.startswith("Ip:"))
    return int(dict(zip(names, values, strict=True))["FragFails"])


def test_drop_leaves_its_trace_on_the_node_and_the_load_balancer_hears_nothing(incident: lab.Lab) -> None:
    before = {name: rejected_by(incident, name) for name in NODES}
    upload(incident, 3000)
    assert {name for name in NODES if rejected_by(incident, name) > before[name]} == {"n1", "n3", "n4"}
    assert incident.host("lb").run(["ip", "route", "show", "cache"]).stdout == ""


def test_pod_is_known_by_the_runtime_s_state_on_disk(incident: lab.Lab) -> None:
    host = incident.host("n2")
    state = host.root / "run/containerd/io.containerd.runtime.v2.task/k8s.io"
    found = {}
    for path in state.iterdir():
        configuration = json.loads((path / "config.json").read_text())
        found[configuration["annotations"]["io.kubernetes.cri.container-type"]] = configuration
    annotations = found["sandbox"]["annotations"]
    assert annotations["io.kubernetes.cri.sandbox-name"] == "gateway"
    assert annotations["io.kubernetes.cri.sandbox-namespace"] == "prod"
    assert found["sandbox"]["linux"]["sysctl"]["net.core.somaxconn"] == "128"
    assert found["container"]["annotations"]["io.kubernetes.cri.container-name"] == "gateway"
    assert found["sandbox"]["linux"]["cgroupsPath"].startswith("/kubepods/burstable/pod")


def test_gateway_s_queue_is_cut_to_128(incident: lab.Lab) -> None:
    host = incident.host("n2")
    (namespace,) = host.run(["ls", "/run/netns"]).stdout.split()
    shown = host.run(["nsenter", f"--net=/run/netns/{namespace}", "ss", "-Hltn", "sport = :8081"]).stdout
    assert shown.split()[:3] == ["LISTEN", "0", "128"]


@pytest.mark.parametrize("name", NODES)
def test_node_has_what_canal_leaves(incident: lab.Lab, name: str) -> None:
    host, number = incident.host(name), NODES.index(name) + 1
    assert host.run(["cat", "/run/flannel/subnet.env"]).stdout == (
        f"FLANNEL_NETWORK=10.42.0.0/16\nFLANNEL_SUBNET=10.42.{number}.1/24\nFLANNEL_MTU=1450\nFLANNEL_IPMASQ=true\n"
    )
    link = json.loads(host.run(["ip", "-json", "-details", "link", "show", "flannel.1"]).stdout)[0]
    assert (link["mtu"], link["linkinfo"]["info_data"]["id"], link["linkinfo"]["info_data"]["port"]) == (1450, 1, 8472)
    assert link["linkinfo"]["info_data"]["learning"] is False
    plugins = json.loads(host.run(["cat", "/etc/cni/net.d/10-canal.conflist"]).stdout)["plugins"]
    assert plugins[0]["type"] == "calico"
    assert "mtu" not in plugins[0]


def test_audit_names_the_node_port_the_share_and_the_nodes(incident: lab.Lab, tmp_path: Path) -> None:
    wanted = {"netfit_sample_interval": 0, "netfit_probe": "none", "netfit_formats": ["html"]}
    variables = json.dumps({"netfit_report_dir": str(tmp_path), **wanted})
    inventory = str(incident.paths.directory / "inventory.yml")
    program = str(Path(sys.executable).parent / "ansible-playbook")
    command = [
        "env",
        "ANSIBLE_INJECT_FACT_VARS=False",
        program,
        "-i",
        inventory,
        "netfit.cluster.audit",
        "-e",
        variables,
    ]
    incident.controller.run(command, timeout=180)
    findings = json.loads((tmp_path / "report.json").read_text())["findings"]
    (crossing,) = [one for one in findings if one["id"] == "NODEPORT-001"]
    (large,) = [one for one in findings if one["id"] == "MTU-001"]
    assert crossing["observed"] == "75 % of the requests cross flannel.1: those through n1, n3, n4"
    assert crossing["target"]["listener"] == "NodePort tcp 30004 (prod/gateway:http)"
    told = {one["what"]: one["value"] for one in large["evidence"] if "NodePort tcp 30004" in one["what"]}
    assert list(told.values()) == ["75 %"] and "those through n1, n3, n4" in next(iter(told))
    (port,) = large["values"]["node_ports"]
    assert port["pods"] == [{"address": port["pods"][0]["address"], "port": 8081, "host": "n2", "name": "prod/gateway"}]
    assert port["ways"] == [
        {"crossing": 1.0, "count": 3, "nodes": ["n1", "n3", "n4"]},
        {"crossing": 0.0, "count": 1, "nodes": ["n2"]},
    ]
    page = (tmp_path / "report.html").read_text()
    assert "NodePort 30004 (prod/gateway:http) \N{RIGHTWARDS ARROW} prod/gateway on n2" in page
    assert not [one for one in findings if one["status"] == "error" and "NodePorts" in one["observed"]]


@pytest.mark.parametrize("name", ["n1", "n2", "lb"])
def test_reboot_heals_itself(incident: lab.Lab, name: str) -> None:
    incident.reboot(name)
    assert upload(incident, 1300, 3000) == {1300: {"200": 4}, 3000: {"200": 1, "504": 3}}


def test_pods_that_fit_the_overlay_lose_nothing(incident: lab.Lab) -> None:
    kubernetes.set_pod_mtu(incident, 1450)
    kubernetes.run_pods_anew(incident)
    try:
        assert pod_link(incident)["mtu"] == 1450
        assert upload(incident, 1300, 1400, *LARGE) == {size: {"200": 4} for size in (1300, 1400, *LARGE)}
    finally:
        kubernetes.set_pod_mtu(incident, None)
        kubernetes.run_pods_anew(incident)
    assert pod_link(incident)["mtu"] == 1500
    assert upload(incident, 3000) == {3000: {"200": 1, "504": 3}}


def test_pod_takes_calico_s_own_file_when_the_configuration_is_silent(incident: lab.Lab) -> None:
    host = incident.host("n2")
    host.run(["sh", "-c", "mkdir -p /var/lib/calico && echo 1400 >/var/lib/calico/mtu"])
    try:
        kubernetes.set_pod_mtu(incident, None)
        kubernetes.run_pods_anew(incident)
        assert pod_link(incident)["mtu"] == 1400
    finally:
        host.run(["rm", "/var/lib/calico/mtu"])
        kubernetes.set_pod_mtu(incident, None)
        kubernetes.run_pods_anew(incident)
    (pod,) = cluster_node.pods(host)
    assert (pod.namespace, pod.name, pod.ready) == ("prod", "gateway", True)


def test_demo_shows_it_and_leaves_nothing(real: None, tmp_path: Path) -> None:
    pytest.importorskip("grpc", reason="the Python package grpcio makes the pods")
    command = [sys.executable, str(ROOT / "demo"), "--only-requests"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=tmp_path) as process:
        output = process.communicate(timeout=90)[0]
    assert process.returncode == 0, output
    assert "   200000         8       6    75  2 x 200, 6 x 504" in output
    assert "      128          400      1" in output
    assert not Path("/run/nf-lab", f"demo-{process.pid}").exists()


def test_demo_says_before_building_that_ansible_is_missing(real: None, tmp_path: Path) -> None:
    pytest.importorskip("grpc", reason="the Python package grpcio makes the pods")
    command = [sys.executable, str(ROOT / "demo"), "--ansible-playbook", str(tmp_path / "none")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert done.stderr.strip().startswith(f"demo: there is no {tmp_path / 'none'}")
    assert done.stdout == ""


def test_demo_that_is_ended_takes_its_lab_down(real: None, tmp_path: Path) -> None:
    pytest.importorskip("grpc", reason="the Python package grpcio makes the pods")
    command = [sys.executable, str(ROOT / "demo"), "--only-requests"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=tmp_path) as process:
        place = Path("/run/nf-lab", f"demo-{process.pid}")
        deadline = time.monotonic() + 30
        while not (place / "private").exists():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        output = process.communicate(timeout=60)[0]
    assert process.returncode == 130, output
    assert not place.exists()

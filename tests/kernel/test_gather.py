# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The facts of a small world of real network namespaces: owners, pairs, underlays, rates; and nothing is changed."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Dict, Iterator

import pytest

from ansible_collections.netfit.cluster.plugins.module_utils._facts.gather import Clock, gather
from ansible_collections.netfit.cluster.plugins.module_utils._facts.options import GatherOptions, Subset

PREFIX = f"nf-facts-{os.getpid()}-"
NODE, POD = f"{PREFIX}node", f"{PREFIX}pod"
SERVER = """
import socket, sys
full = socket.create_server(("0.0.0.0", 8081), backlog=1)
wide = socket.create_server(("::", 8082), family=socket.AF_INET6, backlog=5000, dualstack_ipv6=True)
print("ready", flush=True)
sys.stdin.read()
"""


def run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout


def inode(name: str) -> int:
    return os.stat(f"/run/netns/{name}").st_ino


@contextlib.contextmanager
def server_in(name: str) -> Iterator[subprocess.Popen[str]]:
    command = ["ip", "netns", "exec", name, sys.executable, "-c", SERVER]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdin is not None
        assert process.stdout.readline() == "ready\n"
        yield process
        process.stdin.close()


@pytest.fixture(scope="module")
def world() -> Iterator[None]:
    """A node with an underlay, an overlay and a pod behind a veth pair whose ends differ."""
    try:
        for name in (NODE, POD):
            run("ip", "netns", "add", name)
            run("ip", "-n", name, "link", "set", "lo", "up")
        run("ip", "-n", NODE, "link", "add", "eth0", "mtu", "1500", "type", "veth", "peer", "name", "wire")
        run("ip", "-n", NODE, "link", "set", "eth0", "up")
        run("ip", "-n", NODE, "link", "set", "wire", "up")
        run("ip", "-n", NODE, "address", "add", "198.18.9.1/24", "dev", "eth0")
        run(
            *["ip", "-n", NODE, "link", "add", "flannel.1", "type", "vxlan", "id", "1", "dstport", "8472"],
            *["local", "198.18.9.1", "dev", "eth0", "nolearning"],
        )
        pair = ["type", "veth", "peer", "name", "eth0", "netns", POD]
        run("ip", "-n", NODE, "link", "add", "cali1", "mtu", "1450", *pair)
        run("ip", "-n", POD, "link", "set", "eth0", "mtu", "1400", "up")
        run("ip", "-n", NODE, "link", "set", "cali1", "up")
        run("ip", "-n", POD, "address", "add", "10.42.1.5/24", "dev", "eth0")
        run("ip", "-n", POD, "route", "add", "203.0.113.0/24", "dev", "eth0", "mtu", "lock", "1300")
        with server_in(POD):
            yield
    finally:
        for name in (NODE, POD):
            subprocess.run(["ip", "netns", "delete", name], check=False, capture_output=True)


def facts(*subsets: Subset, **options: Any) -> Dict[str, Any]:
    return gather(GatherOptions(frozenset(subsets or Subset), **{"sample_interval": 0.0, **options}))


def entry(fact: Dict[str, Any], name: str) -> Dict[str, Any]:
    return next(found for found in fact["namespaces"] if found["inode"] == inode(name))


def link(namespace: Dict[str, Any], name: str) -> Dict[str, Any]:
    return next(found for found in namespace["links"] if found["name"] == name)


@pytest.mark.usefixtures("world")
class TestWorld:
    def test_both_ends_of_a_veth_name_each_other_with_their_mtu(self) -> None:
        fact = facts(Subset.MTU)["netfit_mtu"]
        host_end, pod_end = link(entry(fact, NODE), "cali1"), link(entry(fact, POD), "eth0")
        assert host_end["peer"] == {"namespace": inode(POD), "index": pod_end["index"], "name": "eth0", "mtu": 1400}
        assert pod_end["peer"] == {"namespace": inode(NODE), "index": host_end["index"], "name": "cali1", "mtu": 1450}

    def test_a_pair_within_one_namespace_is_a_pair_as_well(self) -> None:
        node = entry(facts(Subset.MTU)["netfit_mtu"], NODE)
        assert (link(node, "eth0")["peer"]["name"], link(node, "wire")["peer"]["name"]) == ("wire", "eth0")

    def test_an_overlay_knows_its_underlay_and_what_it_takes(self) -> None:
        overlay = link(entry(facts(Subset.MTU)["netfit_mtu"], NODE), "flannel.1")["encapsulation"]
        wanted = {
            "kind": "vxlan",
            "overhead": 50,
            "underlay_family": "ipv4",
            "underlay": "eth0",
            "underlay_namespace": inode(NODE),
            "underlay_mtu": 1500,
            "underlay_source": "device",
            "identifier": 1,
            "port": 8472,
        }
        assert {key: overlay[key] for key in wanted} == wanted

    def test_a_route_keeps_its_locked_mtu(self) -> None:
        routes = entry(facts(Subset.MTU)["netfit_mtu"], POD)["routes"]
        locked = next(route for route in routes if route["destination"] == "203.0.113.0/24")
        assert (locked["mtu"], locked["mtu_locked"]) == (1300, True)

    def test_a_named_namespace_without_a_container_is_of_unknown_owner_and_keeps_its_name(self) -> None:
        found = entry(facts(Subset.SYSCTL)["netfit_sysctl"], NODE)
        assert (found["owner"]["kind"], found["owner"]["name"], found["owner"]["pid"]) == ("unknown", NODE, None)
        assert f"/run/netns/{NODE}" in found["paths"]

    def test_sysctls_are_those_of_each_namespace_and_their_scope_is_seen(self) -> None:
        run("ip", "netns", "exec", POD, "sysctl", "-qw", "net.core.somaxconn=777")
        fact = facts(Subset.SYSCTL, sysctl_keys=("net.core.somaxconn", "net.core.netdev_max_backlog"))["netfit_sysctl"]
        values = [entry(fact, name)["values"]["net.core.somaxconn"]["value"] for name in (NODE, POD)]
        assert values == ["4096", "777"]
        assert fact["scopes"] == {"net.core.somaxconn": "namespace", "net.core.netdev_max_backlog": "host"}
        assert "net.core.netdev_max_backlog" not in entry(fact, POD)["values"]
        run("ip", "netns", "exec", POD, "sysctl", "-qw", "net.core.somaxconn=4096")

    def test_what_files_say_is_about_the_host(self) -> None:
        run("ip", "netns", "exec", POD, "sysctl", "-qw", "net.core.somaxconn=777")
        files = facts(Subset.SYSCTL, sysctl_keys=("net/core/somaxconn",))["netfit_sysctl"]["files"]
        live = Path("/proc/sys/net/core/somaxconn").read_text(encoding="ascii").strip()
        assert files["parameters"]["net/core/somaxconn"]["live"] == live
        assert files["parameters"]["net/core/somaxconn"]["effect"] == {"kind": "normal", "reason": None}
        run("ip", "netns", "exec", POD, "sysctl", "-qw", "net.core.somaxconn=4096")

    def test_listeners_have_backlog_process_and_owner(self) -> None:
        queues = entry(facts(Subset.LISTEN_QUEUES)["netfit_listen_queues"], POD)
        found = {
            (listener["port"], listener["family"]): (listener["effective_backlog"], listener["ipv6_only"])
            for listener in queues["listeners"]
        }
        assert found == {(8081, "ipv4"): (1, None), (8082, "ipv6"): (4096, False)}
        process = queues["listeners"][0]["process"]
        assert os.readlink(f"/proc/{process['pid']}/ns/net") == f"net:[{inode(POD)}]"
        assert Path(process["executable"]).name.startswith("python")
        assert queues["listeners"][0]["owner"]["kind"] == "unknown"
        assert queues["somaxconn"] == 4096

    def test_an_overflow_between_two_readings_is_a_rate_of_that_very_socket(self) -> None:
        def flood(_seconds: float) -> None:
            subprocess.run(["ip", "netns", "exec", POD, sys.executable, "-c", FLOOD], check=True, timeout=30)

        options = GatherOptions(frozenset({Subset.LISTEN_QUEUES}), sample_interval=1.0)
        fact = gather(options, Clock(sleep=flood))["netfit_listen_queues"]
        queues = entry(fact, POD)
        rates = {listener["port"]: listener["drop_rate"] for listener in queues["listeners"]}
        assert rates[8081] > 0 and rates[8082] == 0
        assert queues["rates"]["TcpExt.ListenOverflows"] > 0

    def test_nothing_changes_on_the_host(self) -> None:
        before = settled()
        facts()
        assert state() == before

    def test_the_fact_is_plain_json(self) -> None:
        found = facts()
        assert json.loads(json.dumps(found)) == found


FLOOD = """
import socket, time
clients = [socket.socket() for _ in range(6)]
for client in clients:
    client.setblocking(False)
    client.connect_ex(("127.0.0.1", 8081))
time.sleep(1.5)
"""


def state() -> Dict[str, str]:
    """What an outsider can see of both namespaces, ids of other namespaces included, and the names of namespaces."""
    commands = ("-d link", "address", "route show table all", "route show cache", "netns list-id", "rule", "neigh")
    seen = {f"{name} {words}": run("ip", "-n", name, *words.split()) for name in (NODE, POD) for words in commands}
    seen["names"] = run("ip", "netns", "list")
    seen["sysctls"] = run("ip", "netns", "exec", POD, "sysctl", "-a", "--pattern", "^net")
    return {name: re.sub(r"\d+sec", "", text) for name, text in seen.items()}  # lifetimes run down


def settled() -> Dict[str, str]:
    """The state once it has come to rest: new IPv6 addresses are tentative for a second, then routes follow them."""
    deadline = time.monotonic() + 20
    before, now = state(), state()
    while now != before or any("tentative" in text for text in now.values()):
        assert time.monotonic() < deadline, "the namespaces do not come to rest"
        time.sleep(0.2)
        before, now = now, state()
    return now


def test_a_namespace_that_vanishes_while_it_is_read_is_a_problem_and_the_rest_is_told() -> None:
    holder = subprocess.Popen(["unshare", "--net", "sleep", "60"])
    try:
        lost = _namespace_of(holder.pid)

        def end_it(_seconds: float) -> None:
            holder.send_signal(signal.SIGKILL)
            holder.wait()

        options = GatherOptions(frozenset({Subset.LISTEN_QUEUES}), sample_interval=0.1)
        fact = gather(options, Clock(sleep=end_it))["netfit_listen_queues"]
    finally:
        holder.kill()
        holder.wait()
    found = next(entry for entry in fact["namespaces"] if entry["inode"] == lost)
    assert found["counters"] and found["rates"] == {}
    # Namespaces of others may vanish as well.
    told = [problem["reason"] for problem in fact["problems"] if problem["namespace"] == lost]
    assert len(told) == 1 and "vanished" in told[0]


def _namespace_of(pid: int) -> int:
    own = os.stat("/proc/self/ns/net").st_ino
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        found = os.stat(f"/proc/{pid}/ns/net").st_ino
        if found != own:
            return found
    raise AssertionError("unshare did not come to a namespace of its own")

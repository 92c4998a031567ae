# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The watcher as a process of its own: it ends when collected or by its own clock, and killed leaves nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional

import pytest
from network_lab import Lab

from ansible_collections.netfit.cluster.plugins.module_utils._trace import records
from ansible_collections.netfit.cluster.plugins.module_utils._trace.drop_reasons import DropTrace
from ansible_collections.netfit.cluster.plugins.module_utils._trace.lifetimes import is_running, pid_namespace
from ansible_collections.netfit.cluster.plugins.module_utils._trace.tracefs import open_tracefs

SCRIPT = """
import json, os, sys
sys.path[:0] = {path!r}
from ansible_collections.netfit.cluster.plugins.module_utils._trace import phases
class Module:
    params = json.loads(sys.argv[1])
    def exit_json(self, **result): print(json.dumps(result)); sys.exit(0)
    def fail_json(self, msg, **result): print(json.dumps({{"failed": msg, **result}})); sys.exit(0)
{before}
phases.run_trace_module(Module())
"""
DEFAULTS: Dict[str, Any] = {
    "phase": "all", "run": None, "target": None, "source": None, "protocol": "auto", "port": None, "size": None,
    "passing_size": 576, "count": 20, "hops": 8, "lifetime": 60, "vxlan_ports": [4789, 8472], "geneve_ports": [6081],
}  # fmt: skip
UNPRIVILEGED = "import encodings.idna; os.setgroups([]); os.setgid(65534); os.setuid(65534)"


def module(before: str = "", **params: Any) -> Dict[str, Any]:
    """Run the module in a process of its own, as Ansible does. before: what that process does first."""
    script = SCRIPT.format(path=[path for path in sys.path if path], before=before)
    arguments = [sys.executable, "-c", script, json.dumps({**DEFAULTS, **params})]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    result: Dict[str, Any] = json.loads(done.stdout)
    return result


def instances() -> List[str]:
    """Names of trace instances of our PID namespace."""
    tracefs = open_tracefs()
    directory = os.open("instances", os.O_RDONLY, dir_fd=tracefs)
    os.close(tracefs)
    try:
        return [name for name in os.listdir(directory) if name.startswith(f"nf-{pid_namespace()}-")]
    finally:
        os.close(directory)


@pytest.fixture
def run(request: pytest.FixtureRequest) -> Iterator[str]:
    """Name of a run; whatever becomes of its watcher, it ends with the test."""
    name = f"test-{os.getpid()}-{abs(hash(request.node.name)) % 10**6}"
    yield name
    record = records.read(name)
    if record is not None and records.is_alive(record):
        os.kill(record["pid"], signal.SIGKILL)
    records.remove(name)


@pytest.fixture
def pair(lab: Lab) -> Lab:
    """Two namespaces with a link of 1500 at one end and 1400 at the other."""
    lab.add("a", "b")
    lab.ip(
        "a", "link add eth0 type veth peer name eth0 netns {b}", "link set eth0 up", "addr add 10.111.0.1/24 dev eth0"
    )
    lab.ip("b", "link set eth0 mtu 1400 up", "addr add 10.111.0.2/24 dev eth0")
    return lab


def ended(pid: int, started: int) -> bool:
    """Wait until a process has ended."""
    deadline = time.monotonic() + 20
    while is_running(pid, started) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not is_running(pid, started)


def record_of(run: str) -> Dict[str, Any]:
    record = records.read(run)
    assert record is not None
    return record


def test_watch_send_collect(pair: Lab, run: str) -> None:
    watched = module(phase="watch", run=run)
    assert watched["watched"] >= 2
    record = record_of(run)
    assert records.is_alive(record) and record["state"] == "watching"
    assert Path(records.path_of(run)).stat().st_mode & 0o777 == 0o600
    sent = module(phase="send", run=run, target="10.111.0.2", source={"namespace": pair.path("a")}, size=1500)
    assert sent["burst"]["sent"] == [20, 20] and sent["burst"]["link_mtu"] == 1500
    collected = module(phase="collect", run=run)
    seen = {
        (one["namespace"], one["link"], one["direction"], one["size"], len(one["numbers"]))
        for one in collected["trace"]["sightings"]
        if one["kind"] == "forward" and min(one["numbers"]) < 40
    }
    a, b = pair.inode("a"), pair.inode("b")
    assert {(a, "eth0", "out", 576, 20), (a, "eth0", "out", 1500, 20), (b, "eth0", "in", 576, 20)} <= {
        (*entry[:4], min(20, entry[4])) for entry in seen
    }
    assert not any(entry[0] == b and entry[3] == 1500 for entry in seen)
    assert not records.is_alive(record) and records.read(run) is None


def test_a_run_is_watched_once_and_collected_once(run: str) -> None:
    module(phase="watch", run=run)
    assert "is being watched already" in module(phase="watch", run=run)["failed"]
    module(phase="collect", run=run)
    assert "is not watched here" in module(phase="collect", run=run)["failed"]


def test_it_ends_by_its_own_clock_and_what_it_saw_is_kept(run: str) -> None:
    module(phase="watch", run=run, lifetime=1)
    record = record_of(run)
    assert ended(record["pid"], record["started"])
    collected = module(phase="collect", run=run)
    assert "nobody collected within 1 s" in str(collected["problems"])


def test_a_killed_one_is_said_and_its_rest_is_removed_by_the_next(run: str) -> None:
    before = set(instances())
    module(phase="watch", run=run)
    record = record_of(run)
    left = set(instances()) - before
    assert len([name for name in left if f"-{record['pid']}-" in name]) == 1
    os.kill(record["pid"], signal.SIGKILL)
    assert ended(record["pid"], record["started"])
    assert "was ended before it had written anything" in module(phase="collect", run=run)["failed"]
    DropTrace().close()
    assert not [name for name in instances() if f"-{record['pid']}-" in name]


def test_a_stale_record_is_removed_by_the_next_run(run: str) -> None:
    module(phase="watch", run=run)
    record = record_of(run)
    os.kill(record["pid"], signal.SIGKILL)
    assert ended(record["pid"], record["started"])
    other = f"{run}-next"
    module(phase="watch", run=other)
    assert records.read(run) is None
    module(phase="collect", run=other)


def test_all_at_once_names_the_segment(pair: Lab) -> None:
    result = module(target="10.111.0.2", source={"namespace": str(pair.inode("a"))}, size=1500)
    (drop,) = result["drops"]
    assert (drop["kind"], drop["last_seen"]["link"], drop["next_expected"]["link"]) == ("segment", "eth0", "eth0")
    assert [step["spot"]["namespace"] for step in result["steps"]] == [pair.inode("a"), pair.inode("b")]
    assert [(step["passing"], step["failing"]) for step in result["steps"]] == [(20, 20), (20, 0)]


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"phase": "watch"}, "run: phase watch needs the name"),
        ({"phase": "watch", "run": "../../etc/x"}, "letters, digits"),
        ({"phase": "send", "run": "test-bad-input"}, "target: phase send needs one"),
        ({"target": "10.111.0.2", "protocol": "tcp"}, "port: protocol tcp needs"),
        ({"target": "10.111.0.2", "count": 101}, "count is 101; it takes 1 to 100"),
        ({"target": "10.111.0.2", "hops": 17}, "hops is 17; it takes 0 to 16"),
        ({"target": "127.0.0.1", "passing_size": 1500, "size": 1400}, "passing_size is 1500"),
        ({"target": "127.0.0.1", "passing_size": 10}, "passing_size is 10; with icmp it takes 40"),
        ({"target": "224.0.0.1"}, "multicast"),
        ({"target": "::1", "protocol": "icmp"}, "protocol icmp would leave a learned path MTU"),
        ({"target": "nowhere.invalid"}, "target nowhere.invalid does not resolve"),
        ({"target": "127.0.0.1", "source": {"pod": "no/such"}}, "source: pod no/such is not here"),
        ({"phase": "watch", "run": "test-bad-input", "lifetime": 601}, "lifetime is 601; it takes 1 to 600"),
        ({"target": "127.0.0.1", "vxlan_ports": [0]}, "vxlan_ports is [0]; it takes up to 8 ports"),
    ],
)
def test_bad_input_is_refused_before_anything_is_sent(params: Dict[str, Any], words: str) -> None:
    assert words in module(**params)["failed"]


@pytest.mark.parametrize("phase", ["watch", "send", "all"])
def test_without_rights_it_says_what_to_do(phase: str, run: str) -> None:
    failed: Optional[str] = module(UNPRIVILEGED, phase=phase, run=run, target="127.0.0.1")["failed"]
    assert failed is not None and "become: true" in failed


def test_without_nft_and_tracefs_the_place_is_still_named(pair: Lab) -> None:
    missing = (
        "phases.Watcher.__init__.__globals__['read_rules'].__globals__['SEARCH_PATH'] = '/nowhere'\n"
        "def refuse(self): raise PermissionError(1, 'Operation not permitted')\n"
        "phases.Watcher._open_drops.__globals__['DropTrace'].__init__ = refuse\n"
    )
    result = module(missing, target="10.111.0.2", source={"namespace": pair.path("a")}, size=1500)
    assert result["drops"][0]["kind"] == "segment"
    assert {"tracefs", "firewall rules"} <= {problem["subject"] for problem in result["problems"]}

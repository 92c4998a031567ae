# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finding and entering network namespaces of all kinds."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path
from typing import Dict, List

import pytest
from network_lab import WAIT, WAITING_PYTHON, Lab, run

from ansible_collections.netfit.cluster.plugins.module_utils._kernel.attributes import MalformedMessage
from ansible_collections.netfit.cluster.plugins.module_utils._kernel.counters import read_counters
from ansible_collections.netfit.cluster.plugins.module_utils._kernel.namespace_ids import namespace_id
from ansible_collections.netfit.cluster.plugins.module_utils._kernel.namespaces import discover, own_namespace_inode
from ansible_collections.netfit.cluster.plugins.module_utils._kernel.netlink import NETLINK_ROUTE, NetlinkSocket
from ansible_collections.netfit.cluster.plugins.module_utils._kernel.processes import (
    read_executable,
    read_processes,
    read_socket_owners,
)
from ansible_collections.netfit.cluster.plugins.module_utils._kernel.sysctls import read_sysctls
from ansible_collections.netfit.cluster.plugins.module_utils._kernel.visiting import open_namespace, visit
from ansible_collections.netfit.cluster.plugins.module_utils._model.fact import Problem
from ansible_collections.netfit.cluster.plugins.module_utils._model.owner import Namespace


def found() -> Dict[int, Namespace]:
    processes, _hidden = read_processes()
    namespaces, _problems = discover(processes)
    return {namespace.inode: namespace for namespace in namespaces}


def inode_of(pid: int) -> int:
    return os.stat(f"/proc/{pid}/ns/net").st_ino


def test_named_without_a_process(lab: Lab) -> None:
    lab.add("named")
    namespace = found()[lab.inode("named")]
    assert namespace == Namespace(lab.inode("named"), (lab.path("named"),), None, False)


def test_named_with_processes(lab: Lab) -> None:
    lab.add("named")
    pids = [lab.start("nsenter", f"--net={lab.path('named')}", *WAITING_PYTHON).pid for _process in range(2)]
    namespace = found()[lab.inode("named")]
    assert (namespace.paths, namespace.pid) == ((lab.path("named"),), min(pids))


def test_only_a_process(lab: Lab) -> None:
    process = lab.start("unshare", "--net", *WAITING_PYTHON)
    inode = inode_of(process.pid)
    assert found()[inode] == Namespace(inode, (), process.pid, False)


def test_only_a_bind_mount_elsewhere(lab: Lab, tmp_path: Path) -> None:
    target = tmp_path / "a name with blank\\and backslash"
    target.touch()
    run("unshare", "--net", "mount", "--bind", "/proc/self/ns/net", str(target))
    try:
        inode = target.stat().st_ino
        assert found()[inode] == Namespace(inode, (str(target),), None, False)
        ((_namespace, seen),) = visit([found()[inode]], lambda _namespace: own_namespace_inode())
        assert seen == inode
    finally:
        run("umount", str(target))
    assert inode not in found()


def test_only_in_another_mount_namespace(lab: Lab, tmp_path: Path) -> None:
    """As container engines with mount namespaces of their own have it."""
    target = tmp_path / "hidden"
    target.touch()
    script = 'unshare --net mount --bind /proc/self/ns/net "$1" && stat -c %i "$1" > "$2" && exec "$3" -c "$4"'
    paths = [str(target), str(tmp_path / "inode"), sys.executable]
    process = lab.start("unshare", "--mount", "sh", "-c", script, "sh", *paths, WAIT)
    inode = int((tmp_path / "inode").read_text())
    namespace = found()[inode]
    assert namespace.paths == (f"/proc/{process.pid}/root{target}",)
    ((_namespace, seen),) = visit([namespace], lambda _namespace: own_namespace_inode())
    assert seen == inode


def test_copies_of_mounts_are_not_named_again(lab: Lab) -> None:
    lab.add("named")
    lab.start("unshare", "--mount", *WAITING_PYTHON)
    assert found()[lab.inode("named")].paths == (lab.path("named"),)


def test_the_hosts_namespace_is_first_and_the_only_one() -> None:
    processes, _hidden = read_processes()
    namespaces, _problems = discover(processes)
    assert [namespace.host for namespace in namespaces] == [True] + [False] * (len(namespaces) - 1)
    assert namespaces[0].inode == next(item for item in processes if item.pid in (1, 2)).network_namespace


def test_three_hundred_namespaces(lab: Lab) -> None:
    names = [f"n{number}" for number in range(300)]
    lab.add(*names)
    wanted = {lab.inode(name) for name in names}
    namespaces = found()
    assert wanted <= set(namespaces)
    results = visit([namespaces[inode] for inode in sorted(wanted)], lambda _namespace: own_namespace_inode())
    assert [result for _namespace, result in results] == sorted(wanted)
    assert len(os.listdir("/proc/self/fd")) < 100


def test_a_namespace_that_vanishes_becomes_a_problem(lab: Lab) -> None:
    lab.add("first", "gone", "last")
    namespaces = [found()[lab.inode(name)] for name in ("first", "gone", "last")]

    def read(namespace: Namespace) -> int:
        if namespace is namespaces[0]:
            lab.delete("gone")
        return own_namespace_inode()

    results = [result for _namespace, result in visit(namespaces, read)]
    assert (results[0], results[2]) == (namespaces[0].inode, namespaces[2].inode)
    assert isinstance(results[1], Problem)
    assert (results[1].namespace, results[1].path) == (namespaces[1].inode, namespaces[1].paths[0])
    assert "vanished" in results[1].reason


def test_a_path_that_leads_to_another_namespace_is_not_entered(lab: Lab) -> None:
    lab.add("other")
    taken = Namespace(lab.inode("other") + 1, (lab.path("other"),), os.getpid(), False)
    ((_namespace, result),) = visit([taken], lambda _namespace: own_namespace_inode())
    assert isinstance(result, Problem)


def test_a_second_way_is_tried(lab: Lab) -> None:
    lab.add("other")
    namespace = Namespace(lab.inode("other"), ("/nonexistent", lab.path("other")), os.getpid(), False)
    ((_namespace, result),) = visit([namespace], lambda _namespace: own_namespace_inode())
    assert result == namespace.inode


@pytest.mark.parametrize("error", [OSError(5, "Input/output error"), MalformedMessage("nonsense")])
def test_what_fails_inside_is_a_problem_of_that_namespace(lab: Lab, error: Exception) -> None:
    lab.add("a", "b")
    namespaces = [found()[lab.inode(name)] for name in ("a", "b")]

    def read(namespace: Namespace) -> str:
        if namespace is namespaces[0]:
            raise error
        return "read"

    results = [result for _namespace, result in visit(namespaces, read)]
    assert isinstance(results[0], Problem)
    assert results[0].reason in str(error)
    assert results[1] == "read"


def test_programming_errors_surface(lab: Lab) -> None:
    lab.add("a")
    with pytest.raises(KeyError):
        visit([found()[lab.inode("a")]], lambda _namespace: {}["missing"])


def test_the_main_thread_stays_and_the_visitor_ends(lab: Lab) -> None:
    lab.add("a")
    before, threads = own_namespace_inode(), threading.active_count()
    ((_namespace, name),) = visit([found()[lab.inode("a")]], lambda _namespace: threading.current_thread().name)
    assert name != threading.current_thread().name
    assert (own_namespace_inode(), threading.active_count()) == (before, threads)


def test_sysctls_and_counters_are_those_of_the_namespace(lab: Lab) -> None:
    lab.add("a", "b")
    lab.sysctl("a", "net.core.somaxconn", "777")
    lab.sysctl("b", "net.ipv4.tcp_rmem", "4096\t100000 200000")
    keys = ("net.core.somaxconn", "net/ipv4/tcp_rmem", "net.core.rmem_max", "net.core.netdev_max_backlog", "net.core")
    run("ip", "netns", "exec", lab.name("b"), "python3", "-c", UNREACHABLE_CONNECT)
    namespaces = [found()[lab.inode(name)] for name in ("a", "b")]

    def read(_namespace: Namespace) -> List[object]:
        values = read_sysctls(keys)
        shown = {key: (reading.value, reading.writable) for key, reading in values.items()}
        return [shown, read_counters()["Tcp.AttemptFails"], read_counters().get("TcpExt.ListenDrops")]

    first, second = (result for _namespace, result in visit(namespaces, read))
    assert not isinstance(first, Problem)
    assert not isinstance(second, Problem)
    for values, (key, value) in ((first[0], (keys[0], "777")), (second[0], (keys[1], "4096 100000 200000"))):
        assert isinstance(values, dict)
        assert values[key] == (value, True)
        assert "net.core.netdev_max_backlog" not in values
        assert "net.core" not in values
        if "net.core.rmem_max" in values:
            assert not values["net.core.rmem_max"][1]
    assert (first[1], second[1]) == (0, 1)
    assert (first[2], second[2]) == (0, 0)


def test_a_long_value_is_whole(lab: Lab) -> None:
    """The kernel ends a value where the buffer ends, and says nothing."""
    lab.add("a")
    ports = ",".join(str(port) for port in range(1, 60001, 2))
    lab.sysctl("a", "net.ipv4.ip_local_reserved_ports", ports)
    found = lab.inside("a", lambda: read_sysctls(["net.ipv4.ip_local_reserved_ports"]))
    assert found["net.ipv4.ip_local_reserved_ports"].value == ports


UNREACHABLE_CONNECT = "import socket; print(socket.socket().connect_ex(('127.0.0.1', 9)))"


def test_counters_are_what_the_files_say(lab: Lab) -> None:
    lab.add("a")
    run("ip", "netns", "exec", lab.name("a"), "python3", "-c", UNREACHABLE_CONNECT)
    text = run("ip", "netns", "exec", lab.name("a"), "cat", "/proc/net/snmp", "/proc/net/netstat")
    lines = [line.split() for line in text.splitlines()]
    expected = {
        f"{names[0].rstrip(':')}.{name}": int(value)
        for names, values in zip(lines[0::2], lines[1::2])
        for name, value in zip(names[1:], values[1:])
    }
    read = lab.inside("a", read_counters)
    assert len(read) > 50
    assert {name: value for name, value in read.items() if "6." not in name} == {
        name: expected[name] for name in read if "6." not in name
    }
    assert {name for name in read if name.startswith("Ip6.")} >= {"Ip6.FragFails", "Ip6.InTooBigErrors"}


def test_ids_of_namespaces(lab: Lab) -> None:
    """A veth that reaches into another namespace carries the id by which that one is known here."""
    lab.add("a", "b", "stranger")
    lab.ip("a", "link add eth0 type veth peer name eth0 netns {b}")
    told = lab.ip_json("a", "link", "show", "eth0")[0]["link_netnsid"]

    def ask() -> List[object]:
        with NetlinkSocket(NETLINK_ROUTE) as netlink:
            answers: List[object] = []
            for name in ("b", "stranger", "a"):
                descriptor = open_namespace(Namespace(lab.inode(name), (lab.path(name),)))
                answers.append(namespace_id(netlink, descriptor))
                os.close(descriptor)
            return answers

    assert lab.inside("a", ask) == [told, None, None]
    assert lab.inside("a", ask) == [told, None, None]


LISTENER = """
import os, socket
held = socket.socket()
held.listen()
print("ready")
print(os.fstat(held.fileno()).st_ino, flush=True)
input()
"""


def test_who_holds_a_socket(lab: Lab) -> None:
    process = lab.start(sys.executable, "-c", LISTENER)
    assert process.stdout is not None
    inode = int(process.stdout.readline())
    assert read_socket_owners([process.pid]) == ({inode: process.pid}, [])
    assert read_socket_owners([os.getpid(), process.pid], {inode}) == ({inode: process.pid}, [])
    assert read_executable(process.pid) == os.path.realpath(f"/proc/{process.pid}/exe")


def test_processes_are_seen_as_they_are(lab: Lab) -> None:
    processes, _problems = read_processes()
    ours = {process.pid: process for process in processes}[os.getpid()]
    with open("/proc/self/comm", encoding="utf-8") as file:
        assert ours.name == file.read().strip()
    with open("/proc/self/cgroup", encoding="utf-8") as file:
        assert ours.control_group == file.read()
    assert ours.network_namespace == own_namespace_inode()
    assert ours.mount_namespace == os.stat("/proc/self/ns/mnt").st_ino

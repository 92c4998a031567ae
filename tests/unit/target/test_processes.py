# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes and mounts as a made-up /proc shows them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import List, Optional, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as some

from ansible_collections.netfit.cluster.plugins.module_utils._kernel import processes as module
from ansible_collections.netfit.cluster.plugins.module_utils._kernel.namespaces import discover, parse_mounts
from ansible_collections.netfit.cluster.plugins.module_utils._kernel.processes import (
    RunningProcess,
    SocketHolder,
    namespace_inode,
    read_command_line,
    read_processes,
    read_socket_holders,
    read_socket_owners,
)


def add(root: Path, pid: int, network: Optional[str], files: Tuple[str, ...] = ()) -> Path:
    """Make the folder of a process."""
    folder = root / str(pid)
    (folder / "ns").mkdir(parents=True)
    (folder / "fd").mkdir()
    (folder / "comm").write_text(f"process {pid}\n")
    (folder / "cgroup").write_text("0::/system.slice\n")
    if network is not None:
        (folder / "ns" / "net").symlink_to(network)
        (folder / "ns" / "mnt").symlink_to("mnt:[100]")
    for number, target in enumerate(files):
        (folder / "fd" / str(number)).symlink_to(target)
    return folder


def test_one_pass(tmp_path: Path) -> None:
    add(tmp_path, 10, "net:[4026531840]")
    add(tmp_path, 1, "net:[4026531840]")
    (tmp_path / "sys").mkdir()
    found, problems = read_processes(str(tmp_path))
    assert problems == []
    assert found == [
        RunningProcess(1, "process 1", 4026531840, 100, "0::/system.slice\n"),
        RunningProcess(10, "process 10", 4026531840, 100, "0::/system.slice\n"),
    ]


def test_processes_that_end_meanwhile_are_left_out(tmp_path: Path) -> None:
    add(tmp_path, 1, "net:[1]")
    add(tmp_path, 2, None)
    found, problems = read_processes(str(tmp_path))
    assert ([process.pid for process in found], problems) == ([1], [])


def test_hidden_processes_are_one_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for pid in (1, 2, 3, 4):
        add(tmp_path, pid, "net:[1]")
    real = os.readlink

    def readlink(path: str) -> str:
        if "/2/" in path or "/4/" in path:
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(module.os, "readlink", readlink)
    found, problems = read_processes(str(tmp_path))
    assert [process.pid for process in found] == [1, 3]
    assert len(problems) == 1
    assert problems[0].reason.startswith("network namespace of 2 of 4 processes: permission denied; ")


def test_a_proc_that_hides_process_1_is_a_problem(tmp_path: Path) -> None:
    add(tmp_path, 7, "net:[1]")
    _found, problems = read_processes(str(tmp_path))
    assert [problem.subject for problem in problems] == ["processes"]
    assert "hidepid" in problems[0].reason


def test_owners_of_sockets(tmp_path: Path) -> None:
    add(tmp_path, 5, "net:[1]", ("socket:[11]", "/dev/null", "socket:[12]"))
    add(tmp_path, 3, "net:[1]", ("socket:[12]", "pipe:[13]"))
    assert read_socket_owners([5, 3, 99], root=str(tmp_path)) == ({11: 5, 12: 3}, [])
    assert read_socket_owners([5, 3], {12}, str(tmp_path)) == ({12: 3}, [])


def test_the_search_for_owners_has_an_end(tmp_path: Path) -> None:
    add(tmp_path, 3, "net:[1]", tuple(f"socket:[{inode}]" for inode in range(50)))
    add(tmp_path, 4, "net:[1]", ("socket:[100]",))
    owners, problems = read_socket_owners([3, 4], root=str(tmp_path), limit=20)
    assert len(owners) == 20
    assert 100 not in owners
    assert [problem.reason for problem in problems] == ["only the first 20 open files were looked at"]


@pytest.mark.parametrize("text", ["net", "net:[x]", "anon_inode:[eventfd]", ""])
def test_text_that_names_no_namespace(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        namespace_inode(text)


MOUNTINFO = """\
22 27 0:21 / /proc rw,relatime - proc proc rw
97 28 0:4 net:[4026532201] /run/netns/blue rw shared:53 - nsfs nsfs rw
98 28 0:4 net:[4026532202] /run/docker/netns/default rw - nsfs nsfs rw
99 28 0:4 mnt:[4026532203] /run/snapd/ns/lxd.mnt rw - nsfs nsfs rw
100 28 0:4 net:[4026532204] /mnt/a\\040b\\134c\\134040 rw - nsfs nsfs rw
101 28 8:1 /net:[1] /srv/net:[2] rw - ext4 /dev/sda1 rw
102 28 0:4 net:[nonsense] /x rw - nsfs nsfs rw
"""


def test_mounts() -> None:
    assert list(parse_mounts(MOUNTINFO)) == [
        (4026532201, "/run/netns/blue"),
        (4026532202, "/run/docker/netns/default"),
        (4026532204, "/mnt/a b\\c\\040"),
    ]


@given(some.text(alphabet=some.sampled_from(" net:[]0123456789/\\-\n"), max_size=200))
def test_any_text_has_mounts_or_none(text: str) -> None:
    assert all(inode >= 0 and isinstance(path, str) for inode, path in parse_mounts(text))


def discovered(processes: List[RunningProcess]) -> Tuple[List[int], List[str]]:
    namespaces, problems = discover(processes)
    return [namespace.inode for namespace in namespaces if namespace.host], [problem.subject for problem in problems]


def test_the_hosts_namespace_is_that_of_process_1() -> None:
    first = RunningProcess(1, "init", 77, None, "")
    assert discovered([RunningProcess(9, "x", 78, None, ""), first]) == ([77], [])


def test_where_process_1_is_hidden_the_kernel_threads_tell() -> None:
    assert discovered([RunningProcess(2, "kthreadd", 77, None, "")]) == ([77], [])


def test_else_it_is_our_own_and_said_so() -> None:
    own = os.stat("/proc/thread-self/ns/net").st_ino
    assert discovered([RunningProcess(2, "bash", 77, None, "")]) == ([own], ["network namespace of the host"])


def test_all_holders_of_a_socket_are_found_with_their_descriptors(tmp_path: Path) -> None:
    add(tmp_path, 30, "net:[1]", files=("/dev/null", "socket:[7]", "socket:[8]"))
    add(tmp_path, 4, "net:[1]", files=("socket:[7]", "socket:[9]"))
    holders, problems = read_socket_holders([30, 4, 99], {7, 9, 10}, str(tmp_path))
    assert problems == []
    assert holders == {7: [SocketHolder(4, 0), SocketHolder(30, 1)], 9: [SocketHolder(4, 1)]}


def test_without_a_socket_to_look_for_nobody_is_looked_at(tmp_path: Path) -> None:
    assert read_socket_holders([4], set(), str(tmp_path / "nowhere")) == ({}, [])


def test_the_search_for_holders_has_its_limit(tmp_path: Path) -> None:
    for pid in (1, 2, 3):
        add(tmp_path, pid, "net:[1]", files=("socket:[7]", "socket:[8]"))
    holders, problems = read_socket_holders([1, 2, 3], {8}, str(tmp_path), limit=3)
    assert [one.pid for one in holders[8]] in ([1], [1, 2])
    assert [problem.reason for problem in problems] == ["only the first 3 open files were looked at"]


def test_a_command_line(tmp_path: Path) -> None:
    folder = add(tmp_path, 4, "net:[1]")
    (folder / "cmdline").write_bytes(b"java\0-jar\0\xff.jar\0\0")
    assert read_command_line(4, str(tmp_path)) == ("java", "-jar", "\\xff.jar")
    assert read_command_line(5, str(tmp_path)) == ()

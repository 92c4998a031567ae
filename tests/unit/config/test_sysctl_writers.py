# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who sets kernel parameters after the files: tuned by its profiles, others by what runs and is installed."""

from __future__ import annotations

from pathlib import Path
from typing import Callable, Dict, List, Tuple

import pytest

from ansible_collections.netfit.cluster.plugins.module_utils._config.reading import FileReader
from ansible_collections.netfit.cluster.plugins.module_utils._config.sysctl_writers import read_writers, writers_of
from ansible_collections.netfit.cluster.plugins.module_utils._config.tuned import read_tuned, reads_files_again

Host = Callable[[str, str], str]
NETWORK = """[main]
summary=x
include=base, more

[sysctl]
# net.ipv4.tcp_mem = 1
net.ipv4.tcp_rmem="4096 131072 16777216"
net.core.somaxconn = >2048
vm.swappiness=10

[sysfs]
net.core.x=1
"""


def tuned(root: str) -> Dict[str, Tuple[object, object]]:
    return {one.key: (one.value, one.source) for one in read_tuned(FileReader(root))}


def test_the_active_profile_with_what_it_includes(host: Host) -> None:
    host("/usr/lib/tuned/network/tuned.conf", NETWORK)
    host("/usr/lib/tuned/base/tuned.conf", "[sysctl]\nnet.core.somaxconn=>1024\nnet.core.busy_read=50\n")
    host("/etc/tuned/more/tuned.conf", "[main]\ninclude=network\n[sysctl]\nnet.core.busy_poll=50\n")
    host("/usr/lib/tuned/more/tuned.conf", "[sysctl]\nnet.core.busy_poll=1\n")
    root = host("/etc/tuned/active_profile", "network\n")
    found = tuned(root)
    assert found["net/core/somaxconn"] == ("2048", "/usr/lib/tuned/network/tuned.conf:8")
    assert found["net/core/busy_read"] == ("50", "/usr/lib/tuned/base/tuned.conf:3")
    assert found["net/core/busy_poll"] == ("50", "/etc/tuned/more/tuned.conf:4")
    assert set(found) == {
        "net/core/somaxconn",
        "net/core/busy_read",
        "net/core/busy_poll",
        "net/ipv4/tcp_rmem",
        "vm/swappiness",
    }
    assert all("its profile network" in one.reason for one in read_tuned(FileReader(root)))


@pytest.mark.parametrize("active", ["", "\n", "nowhere\n", "../../etc/passwd\n"])
def test_no_profile_sets_nothing(host: Host, active: str) -> None:
    assert tuned(host("/etc/tuned/active_profile", active)) == {}


def test_a_host_without_tuned_has_no_problem(tmp_path: Path) -> None:
    assert read_writers(str(tmp_path), ()) == ([], [])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", True),
        ("reapply_sysctl = 1\n", True),
        ("reapply_sysctl=0\n", False),
        ("# reapply_sysctl = 0\n", True),
        ("reapply_sysctl = 1\nreapply_sysctl = False\n", False),
    ],
)
def test_whether_tuned_reads_the_files_again(host: Host, text: str, expected: bool) -> None:
    host("/usr/lib/tuned/p/tuned.conf", "[sysctl]\nnet.core.somaxconn=2048\n")
    host("/etc/tuned/active_profile", "p")
    root = host("/etc/tuned/tuned-main.conf", text)
    assert reads_files_again(FileReader(root)) is expected
    [writer] = read_writers(root, ())[0]
    assert ("reapply_sysctl" in writer.reason) is expected


@pytest.mark.parametrize(
    ("files", "running", "key", "expected"),
    [
        ([], ["dockerd"], "net/ipv4/ip_forward", [("dockerd", "1")]),
        (["/usr/bin/dockerd"], [], "net/ipv4/ip_forward", [("dockerd", "1")]),
        ([], ["kube-proxy"], "net/netfilter/nf_conntrack_max", [("kube-proxy", None)]),
        ([], ["kube-proxy"], "net/ipv4/ip_forward", []),
        ([], ["k3s-agent"], "net/ipv4/conf/all/route_localnet", [("k3s", "1")]),
        ([], ["dockerd", "kube-proxy"], "net/core/somaxconn", []),
        ([], ["nginx"], "net/ipv4/ip_forward", []),
        (["/usr/lib/udev/rules.d/99-systemd.rules"], [], "net/ipv4/conf/eth0/rp_filter", [("udev", None)]),
        (["/usr/lib/udev/rules.d/99-systemd.rules"], [], "net/ipv4/conf/all/rp_filter", []),
        (["/usr/lib/udev/rules.d/99-systemd.rules"], [], "net/ipv6/neigh/eth0.1/gc_stale_time", [("udev", None)]),
    ],
)
def test_known_programs(host: Host, files: List[str], running: List[str], key: str, expected: object) -> None:
    root = host("/etc/hostname", "n1")
    for path in files:
        host(path, "")
    writers, problems = read_writers(root, running)
    assert [(one.program, one.value) for one in writers_of(writers, key)] == expected and problems == []


def test_they_say_whether_the_program_runs(host: Host) -> None:
    root = host("/usr/bin/dockerd", "")
    assert "it is installed here" in read_writers(root, [])[0][0].reason
    assert "dockerd runs here" in read_writers(root, ["dockerd"])[0][0].reason

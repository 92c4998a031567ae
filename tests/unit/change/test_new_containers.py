# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan for new containers: what is asked for is checked, keys of the host are told, the journal has it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, Optional

import pytest

from ansible_collections.netfit.cluster.plugins.module_utils._change.file_resource import FileResource
from ansible_collections.netfit.cluster.plugins.module_utils._change.journal import read_runs
from ansible_collections.netfit.cluster.plugins.module_utils._change.new_containers import (
    carry_out,
    checked_sysctls,
    parse_version,
    plan_containers,
)
from ansible_collections.netfit.cluster.plugins.module_utils._change.resource import ChangeError
from ansible_collections.netfit.cluster.plugins.module_utils._change.session import Session
from ansible_collections.netfit.cluster.plugins.module_utils._facts.key_scopes import judge
from ansible_collections.netfit.cluster.plugins.module_utils._model.container_sysctl import Wanted
from ansible_collections.netfit.cluster.plugins.module_utils._model.sysctl import SysctlReading
from ansible_collections.netfit.cluster.plugins.module_utils._model.sysctl_scope import (
    never_of_a_container,
    scope_by_name,
)

OPEN, SHUT = SysctlReading("128", True), SysctlReading("128", False)
DROP_IN = "etc/crio/crio.conf.d/90-netfit.conf"


@pytest.mark.parametrize(
    ("key", "host", "new", "reason"),
    [
        ("net.core.somaxconn", OPEN, {"net.core.somaxconn": OPEN}, None),
        ("net.core.rmem_max", OPEN, {"net.core.rmem_max": SHUT}, "shows it read-only"),
        ("net.core.netdev_max_backlog", OPEN, {}, "lacks it"),
        # One of the container's that the host lacks: not that of the IPC namespace.
        ("net.ipv4.new", None, {"net.ipv4.new": OPEN}, None),
        ("net.core.somaxcon", None, {}, "has no such key here"),
        ("net.core.somaxcon", None, None, "has no such key here"),
        # No namespace could be made: names decide.
        ("net.core.somaxconn", OPEN, None, None),
        ("net.core.rmem_max", OPEN, None, "no container has one of its own"),
        (
            "net.netfilter.nf_conntrack_max",
            OPEN,
            {"net.netfilter.nf_conntrack_max": OPEN},
            "one value for the whole host",
        ),
        ("net.ipv4.conf.eth0.rp_filter", OPEN, {}, "of one interface (eth0)"),
        ("net.ipv4.conf.a.b.rp_filter", OPEN, {}, "of one interface (a.b)"),
        ("net.ipv4.conf.default.rp_filter", OPEN, {"net.ipv4.conf.default.rp_filter": OPEN}, None),
        ("vm.swappiness", OPEN, {}, "not to a network or IPC namespace"),
        ("kernel.shmmax", OPEN, {}, None),
        ("kernel.shmmaxx", None, {}, "has no such key here"),
    ],
)
def test_whose_a_key_is(
    key: str, host: Optional[SysctlReading], new: Optional[Dict[str, SysctlReading]], reason: Optional[str]
) -> None:
    found = judge([key], {key: host} if host else {}, new)[key]
    assert (found.reason is None) is (reason is None), found.reason
    assert reason is None or (found.reason is not None and reason in found.reason)


@pytest.mark.parametrize("key", ["net.core.wmem_default", "net.ipv4.neigh.default.gc_thresh3", "net.ipv4.tcp_mem"])
def test_names_of_the_host(key: str) -> None:
    assert scope_by_name(key).reason is not None
    assert never_of_a_container(key) is None


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"net.core.somaxconn": 4096}, {"net.core.somaxconn": "4096"}),
        ({"net/core/somaxconn": "4096"}, {"net.core.somaxconn": "4096"}),
        ({"net.ipv4.tcp_rmem": [1, 2, 3]}, {"net.ipv4.tcp_rmem": "1 2 3"}),
        ({"net.ipv4.tcp_rmem": "1\t2  3\n"}, {"net.ipv4.tcp_rmem": "1 2 3"}),
        ({"net.a": "1", "net/a": 1}, {"net.a": "1"}),
    ],
)
def test_keys_and_values_as_users_write_them(given: Dict[str, Any], expected: Dict[str, str]) -> None:
    assert checked_sysctls(given) == expected


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"net.core.somaxconn": ""}, "sysctls: net.core.somaxconn: empty value"),
        ({"net.core.somaxconn": True}, "a boolean is no value"),
        ({"net.core.somaxconn": '1"\n'}, "is no value of a kernel parameter"),
        ({"net.core.somaxconn": "1, }"}, "is no value of a kernel parameter"),
        ({"net..a": "1"}, "is not the name of a kernel parameter"),
        ({"../etc/passwd": "1"}, "is not the name of a kernel parameter"),
        ({"net.a": 1, "net/a": 2}, "net.a is there twice, with 1 and with 2"),
    ],
)
def test_bad_keys_and_values_say_which(given: Dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        checked_sysctls(given)


def test_versions() -> None:
    assert [parse_version(text) for text in ("1.29", "v1.32.3+k3s1", None)] == [(1, 29), (1, 32), None]
    with pytest.raises(ValueError, match="kubernetes_version: 'new' is none"):
        parse_version("new")


def crio(root: Path) -> str:
    (root / "etc/crio").mkdir(parents=True, exist_ok=True)
    return str(root)


@pytest.mark.parametrize(
    ("sysctls", "message"),
    [
        ({}, "sysctls: it is empty"),
        ({"net.core.netdev_max_backlog": 5000, "vm.swappiness": 1}, "no key is left for containers: net.core.netdev"),
        ({"net.core.somaxcon": 4096}, "has no such key here"),
        ({"net.ipv4.tcp_rmem": "4096"}, "takes 3 numbers, as in '"),
        ({"net.core.somaxconn": "many"}, "takes a number, as in '"),
    ],
)
def test_what_would_start_no_container_is_refused(tmp_path: Path, sysctls: Dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        plan_containers(Wanted(sysctls), ["auto"], crio(tmp_path))


def test_a_runtime_that_is_named_and_cannot_do_it_ends_all(tmp_path: Path) -> None:
    wanted = Wanted({"net.core.somaxconn": "4096"})
    with pytest.raises(ValueError, match=r"runtimes: nothing was written, .*: rke1: cluster\.yml is on the machine"):
        plan_containers(wanted, ["crio", "rke1"], crio(tmp_path))
    with pytest.raises(ValueError, match="rke1_cluster_file: /nowhere is not there"):
        plan_containers(Wanted(wanted.sysctls, rke1_cluster_file="/nowhere"), ["rke1"], crio(tmp_path))


def test_what_was_found_and_cannot_do_it_is_said(tmp_path: Path) -> None:
    plan = plan_containers(
        Wanted({"net.core.somaxconn": "4096"}, rke1_cluster_file="/nowhere"), ["auto"], crio(tmp_path)
    )
    assert [(one.runtime.value, one.blocked, one.found) for one in plan.runtimes] == [
        ("crio", False, True),
        ("rke1", True, True),
    ]
    assert len(plan.changes) == 1


def test_a_runtime_that_is_named_is_configured_before_it_is_installed(tmp_path: Path) -> None:
    plan = plan_containers(Wanted({"net.core.somaxconn": "4096"}), ["crio", "docker"], str(tmp_path))
    assert [(one.runtime.value, one.found, one.change is not None) for one in plan.runtimes] == [
        ("crio", False, True),
        ("docker", False, False),
    ]


def session(tmp_path: Path, run: str = "one") -> Session:
    return Session(run, "container_sysctl", {"file": FileResource()}, str(tmp_path / "journal"), str(tmp_path / "lock"))


def test_each_file_is_in_the_journal_with_what_was(tmp_path: Path) -> None:
    root = tmp_path / "root"
    plan = plan_containers(Wanted({"net.core.somaxconn": "4096"}), ["auto"], crio(root))
    with session(tmp_path) as one:
        carry_out(plan, one, str(root))
    written = (root / DROP_IN).read_text()
    assert '"net.core.somaxconn=4096"' in written
    (run,) = read_runs(str(tmp_path / "journal"))
    (entry,) = run.standing
    assert entry.module == "container_sysctl"
    assert entry.change.target == {"path": str(root / DROP_IN), "directories": [str(root / "etc/crio/crio.conf.d")]}
    assert (entry.change.before, entry.change.after) == (None, {"text": written, "mode": 0o644})


def test_a_file_that_changed_since_the_plan_is_left_alone(tmp_path: Path) -> None:
    root = tmp_path / "root"
    plan = plan_containers(Wanted({"net.core.somaxconn": "4096"}), ["auto"], crio(root))
    (root / DROP_IN).parent.mkdir()
    (root / DROP_IN).write_text("mine")
    changed = pytest.raises(ChangeError, match="was changed by somebody else meanwhile: run again")
    with changed, session(tmp_path) as one:
        carry_out(plan, one, str(root))
    assert (root / DROP_IN).read_text() == "mine"

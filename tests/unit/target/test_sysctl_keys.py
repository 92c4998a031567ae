# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of kernel parameters, and what their files say."""

from __future__ import annotations

from pathlib import Path
from typing import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as some

from ansible_collections.netfit.cluster.plugins.module_utils._kernel.sysctls import key_path, read_sysctls
from ansible_collections.netfit.cluster.plugins.module_utils._model.sysctl import SysctlReading


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("net.core.somaxconn", "net/core/somaxconn"),
        ("net/core/somaxconn", "net/core/somaxconn"),
        ("net.ipv4.conf.eth0/100.rp_filter", "net/ipv4/conf/eth0.100/rp_filter"),
        ("net/ipv4/conf/eth0.100/rp_filter", "net/ipv4/conf/eth0.100/rp_filter"),
        ("somaxconn", "somaxconn"),
    ],
)
def test_names(key: str, path: str) -> None:
    assert key_path(key) == path


@pytest.mark.parametrize(
    "key",
    [
        "",
        ".",
        "..",
        "../etc/passwd",
        "net/../../etc/passwd",
        "/etc/passwd",
        "net//core",
        "net..core",
        "net.core.",
        "net/core/\0",
        "//../etc/shadow",
        "net.//.//.etc",
    ],
)
def test_names_that_lead_elsewhere(key: str) -> None:
    with pytest.raises(ValueError, match=r"key: .* is not the name of a kernel parameter"):
        key_path(key)


@given(some.text(alphabet="./ab\0", max_size=12))
def test_a_path_stays_below_its_root(key: str) -> None:
    try:
        path = key_path(key)
    except ValueError:
        return
    assert not path.startswith("/")
    assert {"", ".", ".."}.isdisjoint(path.split("/"))


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "net" / "core").mkdir(parents=True)
    (tmp_path / "net" / "ipv4").mkdir()
    (tmp_path / "net" / "core" / "somaxconn").write_text("4096\n")
    (tmp_path / "net" / "ipv4" / "tcp_rmem").write_text("4096\t131072\t 6291456\n")
    (tmp_path / "net" / "ipv4" / "long").write_text("1-5," * 5000)
    (tmp_path / "net" / "core" / "rmem_max").write_text("212992\n")
    (tmp_path / "net" / "core" / "rmem_max").chmod(0o444)
    (tmp_path / "net" / "core" / "outside").symlink_to("/etc/hostname")
    (tmp_path / "net" / "elsewhere").symlink_to("/etc")
    yield tmp_path


def test_values(root: Path) -> None:
    assert read_sysctls(["net.core.somaxconn", "net/ipv4/tcp_rmem", "net.core.rmem_max"], str(root)) == {
        "net.core.somaxconn": SysctlReading("4096", True),
        "net/ipv4/tcp_rmem": SysctlReading("4096 131072 6291456", True),
        "net.core.rmem_max": SysctlReading("212992", False),
    }


def test_long_values_are_whole(root: Path) -> None:
    assert read_sysctls(["net.ipv4.long"], str(root))["net.ipv4.long"].value == "1-5," * 5000


def test_what_is_not_there_is_left_out(root: Path) -> None:
    assert read_sysctls(["net.core.nothing", "net.nothing.at.all", "net.core", "net.core.somaxconn.x"], str(root)) == {}


def test_links_are_not_followed(root: Path) -> None:
    found = read_sysctls(["net.core.outside", "net.elsewhere.hostname"], str(root))
    assert found.get("net.elsewhere.hostname") is None
    assert found["net.core.outside"].value is None
    assert found["net.core.outside"].error


def test_a_bad_name_among_good_ones_reads_nothing(root: Path) -> None:
    with pytest.raises(ValueError, match="etc"):
        read_sysctls(["net.core.somaxconn", "../etc/passwd"], str(root))

# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of netfit_sysctl that comes from files."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List, Mapping, Sequence

import pytest

from ansible_collections.netfit.cluster.plugins.module_utils._facts.sysctl_files import files_fact
from ansible_collections.netfit.cluster.plugins.module_utils._model.sysctl import SysctlReading

LIVE = {"net.core.somaxconn": "4096", "net.ipv4.tcp_rmem": "4096 131072 6291456", "net.ipv4.ip_forward": "1"}
FILES = {
    "/usr/lib/systemd/systemd-sysctl": "",
    "/usr/sbin/sysctl": "",
    "/etc/sysctl.d/90-web.conf": "net.core.somaxconn = 16384\nnet/ipv4/tcp_tw_recycle = 1\nkernel.panic = 1\n",
    "/etc/sysctl.d/95-other.conf": "net.core.somaxconn = 8192\n",
    "/etc/sysctl.conf": "net.core.somaxconn = 128\n-net.ipv4.conf.*.rp_filter\nnet/../../x = 1\n",
}


def read(keys: Sequence[str]) -> Mapping[str, SysctlReading]:
    return {key: SysctlReading(LIVE[key], True) for key in keys if key in LIVE}


def fact(tmp_path: Path, files: Mapping[str, str], running: Any = (), asked: Any = ("net/core/somaxconn",)) -> Any:
    for path, text in files.items():
        file = tmp_path / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    (tmp_path / "proc/sys/net/ipv4").mkdir(parents=True, exist_ok=True)
    found, problems = files_fact(str(tmp_path), asked, running, read_as)
    assert problems == []
    return found


def read_as(keys: Sequence[str]) -> Dict[str, SysctlReading]:
    """Whatever the spelling, as the kernel does."""
    found = read([key.replace("/", ".") for key in keys])
    return {key: found[key.replace("/", ".")] for key in keys if key.replace("/", ".") in found}


def test_both_programs_with_file_and_line(tmp_path: Path) -> None:
    found = fact(tmp_path, FILES, ["dockerd"])
    assert found["programs"] == {"next_boot": "systemd-sysctl", "system": "procps 4"}
    assert found["conf_at_boot"] is False
    assert list(found["parameters"]) == ["net/core/somaxconn", "net.ipv4.tcp_tw_recycle"]
    key = found["parameters"]["net/core/somaxconn"]
    other = {"file": "/etc/sysctl.d/95-other.conf", "line": 1, "key": "net.core.somaxconn"}
    conf = {"file": "/etc/sysctl.conf", "line": 1, "key": "net.core.somaxconn"}
    assert key["live"] == "4096" and key["effect"] == {"kind": "normal", "reason": None}
    assert key["next_boot"] == {"value": "8192", "source": other}
    assert key["system"] == {"value": "128", "source": conf}
    lines = [(one["program"], one["value"], one["by"]) for one in key["shadowed"]]
    assert lines == [
        ("next_boot", "16384", "/etc/sysctl.d/95-other.conf:1"),
        ("system", "16384", "/etc/sysctl.conf:1"),
        ("system", "8192", "/etc/sysctl.conf:1"),
    ]
    dead = found["parameters"]["net.ipv4.tcp_tw_recycle"]
    assert dead["live"] is None and dead["effect"]["kind"] == "removed"


def test_keys_without_a_line_say_so(tmp_path: Path) -> None:
    found = fact(tmp_path, FILES, ["dockerd"], ["net.ipv4.ip_forward"])["parameters"]["net.ipv4.ip_forward"]
    assert found["next_boot"] == found["system"] == {"value": None, "source": None}
    assert [(one["program"], one["value"]) for one in found["writers"]] == [("dockerd", "1")]


@pytest.mark.parametrize(
    ("without", "programs"),
    [
        ("/usr/lib/systemd/systemd-sysctl", {"next_boot": None, "system": "procps 4"}),
        ("/usr/sbin/sysctl", {"next_boot": "systemd-sysctl", "system": None}),
    ],
)
def test_a_program_that_is_missing_sets_nothing(tmp_path: Path, without: str, programs: Dict[str, Any]) -> None:
    found = fact(tmp_path, {path: text for path, text in FILES.items() if path != without})
    missing = next(name for name, program in programs.items() if program is None)
    assert found["programs"] == programs
    assert found["parameters"]["net/core/somaxconn"][missing] == {"value": None, "source": None}


def test_procps_3_is_told_by_its_library(tmp_path: Path) -> None:
    files = {**FILES, "/usr/lib64/libprocps.so.8": "", "/etc/sysctl.d/99-z.conf": "net.ipv4.ip_for* = 0\n"}
    found = fact(tmp_path, files, asked=["net.ipv4.ip_forward"])
    assert found["programs"]["system"] == "procps 3"
    key = found["parameters"]["net.ipv4.ip_forward"]
    assert (key["next_boot"]["value"], key["system"]["value"]) == ("0", None)


@pytest.mark.parametrize(("links", "expected"), [(["../sysctl.conf"], True), ([], False), (["/dev/null"], False)])
def test_whether_a_boot_reads_sysctl_conf(tmp_path: Path, links: List[str], expected: bool) -> None:
    (tmp_path / "etc/sysctl.d").mkdir(parents=True)
    for target in links:
        (tmp_path / "etc/sysctl.d/99-sysctl.conf").symlink_to(target)
    assert fact(tmp_path, FILES)["conf_at_boot"] is expected


def test_a_host_without_any_file(tmp_path: Path) -> None:
    found = fact(tmp_path, {})
    assert (found["programs"], found["conf_at_boot"]) == ({"next_boot": None, "system": None}, None)
    assert found["parameters"]["net/core/somaxconn"]["live"] == "4096"


def test_a_value_that_the_kernel_refuses_is_not_what_it_ends_with(tmp_path: Path) -> None:
    files = {**FILES, "/etc/sysctl.conf": "net.core.somaxconn = 256\nnet.core.somaxconn = many\n"}
    assert fact(tmp_path, files)["parameters"]["net/core/somaxconn"]["system"]["value"] == "256"

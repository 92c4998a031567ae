# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The readers of sysctl.d against the programs that set parameters from it: hundreds of trees, no difference."""

from __future__ import annotations

from typing import Dict, Iterator, List, Mapping, Optional

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sysctl_host import (
    BASE,
    DIRECTORIES,
    DIRECTORY,
    INTERFACE,
    LINK,
    SysctlHost,
    procps_sysctl,
    systemd_sysctl,
)

from ansible_collections.netfit.cluster.plugins.module_utils._config.sysctl_lines import SysctlProgram
from ansible_collections.netfit.cluster.plugins.module_utils._config.sysctl_naming import winning_name
from ansible_collections.netfit.cluster.plugins.module_utils._config.sysctl_precedence import outcomes
from ansible_collections.netfit.cluster.plugins.module_utils._config.sysctl_tree import read_sysctl_tree
from ansible_collections.netfit.cluster.plugins.module_utils._model.sysctl_file import SysctlTree
from ansible_collections.netfit.cluster.plugins.module_utils._model.sysctl_key import dotted, key_of
from ansible_collections.netfit.cluster.plugins.module_utils._model.sysctl_value import kernel_numbers

Files = Dict[str, str]

NAMES = (
    "10-a.conf",
    "20-b.conf",
    "50-default.conf",
    "90-netfit.conf",
    "99-netfit.conf",
    "99-sysctl.conf",
    "B.conf",
    "a.conf",
    "zz-last.conf",
    "é.conf",
    ".dot.conf",
    "notes.txt",
    "10-a.conf.bak",
)
PATTERNS = (
    "net/ipv4/conf/*/tag",
    "net/ipv4/conf/*/medium_id",
    "net/ipv4/conf/[a-d]*/tag",
    "net/ipv4/conf/[!l]*/tag",
    "net/ipv4/conf/[^l]*/tag",
    "net/ipv4/conf/??/tag",
    "net/ipv4/conf/*/t?g",
    f"net/ipv4/conf/{INTERFACE[:3]}*/tag",
    "net/ipv4/conf/[[:alpha:]]*/medium_id",
    "net/ipv4/conf/[]a]*/tag",
    "net/ipv4/conf/[l/tag",
    "net/ipv4/conf/de\\f*/tag",
    "net/ipv4/*/all/tag",
    "net/*/somaxconn",
    "net/ipv4/tcp_keepalive_*",
    "*/ipv4/tcp_fin_timeout",
    "net/*/tag",
)
SCALARS = tuple(key for key in BASE if key != "net/ipv4/tcp_rmem")

blanks = st.sampled_from(["", "", " ", "\t", "  "])
numbers = st.integers(1, 30).map(lambda number: str(100 + number))
values = st.one_of(
    numbers, numbers, numbers, st.sampled_from(["", "0x65", "0110", "101 # why", "101\t;", '"101"', "1\xff"])
)


@st.composite
def spelled(draw: st.DrawFn, key: str) -> str:
    """One of the ways to write a key that is given with slashes."""
    way = draw(st.integers(0, 9))
    if way < 5:
        return dotted(key)
    if way < 8:
        return key
    return draw(
        st.sampled_from([f"/{key}", key.replace("ipv4", "ipv4/"), dotted(key).replace("ipv4.", "ipv4.."), f"{key}/"])
    )


@st.composite
def lines(draw: st.DrawFn) -> str:
    """One line of a file, with its end."""
    end = draw(st.sampled_from(["\n", "\n", "\n", "\r\n", "\n\n"]))
    kind = draw(st.integers(0, 19))
    if kind == 0:
        return (
            draw(
                st.sampled_from(["# x", ";x", "", "junk", "=", "-", "= 5", "a\udcff=1", "-=5", "#net.core.somaxconn=3"])
            )
            + end
        )
    if kind == 1:
        return f"net.ipv4.tcp_rmem = {draw(st.sampled_from(['4096  5000 6000', '4096 7000 8000']))}{end}"
    key = draw(st.sampled_from(PATTERNS if kind < 8 else SCALARS))
    name = draw(blanks) + draw(st.sampled_from(["", "", "", "-", "- "])) + draw(spelled(key))
    if kind in (7, 8, 9, 10):
        return f"-{name.strip().lstrip('-').strip()}{draw(blanks)}{end}"
    return f"{name}{draw(blanks)}={draw(blanks)}{draw(values)}{draw(blanks)}{end}"


contents = st.lists(lines(), min_size=1, max_size=8).map("".join)
entries = st.one_of(
    contents,
    contents,
    contents,
    contents,
    contents.map(lambda text: text.rstrip("\r\n")),
    st.sampled_from([f"{LINK}/dev/null", f"{LINK}../sysctl.conf", f"{LINK}/nowhere", f"{LINK}10-a.conf"]),
    st.sampled_from(["", DIRECTORY]),
)
paths = st.one_of(
    *[st.sampled_from(NAMES).map(lambda name, where=where: f"{where}/{name}") for where in DIRECTORIES],
    st.just("/etc/sysctl.conf"),
)
trees = st.dictionaries(paths, entries, max_size=8).map(
    # A link from sysctl.conf to itself, or a directory of that name, is another matter.
    lambda files: {
        path: "" if path == "/etc/sysctl.conf" and text.startswith((LINK, DIRECTORY)) else text
        for path, text in files.items()
    }
)
many = settings(
    max_examples=250, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None
)


@pytest.fixture(scope="module")
def inside() -> Iterator[SysctlHost]:
    """The place in which the programs run."""
    with SysctlHost() as host:
        yield host


def predicted(tree: SysctlTree, program: SysctlProgram) -> Dict[str, Optional[str]]:
    """What the readers say that each key has in the end."""
    found = outcomes(tree, program, BASE, lambda _key, value: bool(kernel_numbers(value)))
    return {key: outcome.value for key, outcome in found.items()}


def after(key: str, value: Optional[str]) -> str:
    """Return what the kernel shows once that value was written over the base value; nothing else where it refuses."""
    numbers = kernel_numbers(value or "")
    before = BASE[key].split()
    return " ".join([*map(str, numbers), *before[len(numbers) :]][: len(before)]) if numbers else BASE[key]


def differences(tree: SysctlTree, program: SysctlProgram, real: Mapping[str, str]) -> List[str]:
    """Return where the readers and the program disagree, in words."""
    said = predicted(tree, program)
    return [f"{key}: {value} was said, {real[key]} is" for key, value in said.items() if after(key, value) != real[key]]


@given(files=trees)
@many
def test_at_boot_is_what_systemd_sysctl_sets(inside: SysctlHost, files: Files) -> None:
    inside.write(files)
    real = inside.run([str(systemd_sysctl())])
    assert differences(read_sysctl_tree(inside.root), SysctlProgram.SYSTEMD, real) == []


@given(files=trees)
@many
def test_by_system_is_what_sysctl_system_sets(inside: SysctlHost, files: Files) -> None:
    sysctl, version = procps_sysctl() or ("", 4)
    inside.write(files)
    real = inside.run([sysctl, "--system"])
    program = SysctlProgram.PROCPS_4 if version >= 4 else SysctlProgram.PROCPS_3
    assert differences(read_sysctl_tree(inside.root), program, real) == []


OURS = {"net.core.somaxconn": "8201", "net.ipv4.conf.all.tag": "8202", "net/ipv4/conf/nf0.7/tag": "8203"}


@given(files=trees)
@settings(parent=many, max_examples=100)
def test_the_name_that_wins_wins(inside: SysctlHost, files: Files) -> None:
    sysctl, version = procps_sysctl() or ("", 4)
    inside.write(files)
    found = winning_name(read_sysctl_tree(inside.root), "/etc/sysctl.d", "netfit", OURS, version)
    if found.path is None:
        # Only what "sysctl --system" reads last cannot be beaten, and a name beyond all letters that people use.
        names = {line.path for line in found.in_the_way}
        assert names and all(name == "/etc/sysctl.conf" or not name.isascii() for name in names), names
        assert found.boot_path is not None or not all(map(str.isascii, names))
    path = found.path or found.boot_path
    if path is None:
        return
    assert path not in files
    inside.write({**files, path: "".join(f"{key} = {value}\n" for key, value in OURS.items())})
    wanted = {key_of(key): value for key, value in OURS.items()}
    assert wanted.items() <= inside.run([str(systemd_sysctl())]).items()
    assert found.path is None or wanted.items() <= inside.run([sysctl, "--system"]).items()

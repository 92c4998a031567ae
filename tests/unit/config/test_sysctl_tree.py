# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which line wins, as tables; tests/kernel holds the same readers against the real programs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.netfit.cluster.plugins.module_utils._config.sysctl_lines import SysctlProgram, read_lines
from ansible_collections.netfit.cluster.plugins.module_utils._config.sysctl_naming import winning_name
from ansible_collections.netfit.cluster.plugins.module_utils._config.sysctl_precedence import (
    at_boot,
    by_system,
    files_in_order,
    mentioned_keys,
)
from ansible_collections.netfit.cluster.plugins.module_utils._config.sysctl_tree import DIRECTORIES, read_sysctl_tree
from ansible_collections.netfit.cluster.plugins.module_utils._model.sysctl_file import SysctlFile, SysctlTree
from ansible_collections.netfit.cluster.plugins.module_utils._model.sysctl_key import dotted, key_of, matches

SYSTEMD, PROCPS, OLD = SysctlProgram.SYSTEMD, SysctlProgram.PROCPS_4, SysctlProgram.PROCPS_3
KEY = "net.core.somaxconn"
ALL, LO = "net.ipv4.conf.all.rp_filter", "net.ipv4.conf.lo.rp_filter"
EACH = "net.ipv4.conf.*.rp_filter"


def tree(files: Dict[str, str]) -> SysctlTree:
    made = SysctlTree(DIRECTORIES[:-1], ())
    for path, text in files.items():
        made = made.with_file(path if path.startswith("/") else f"/etc/sysctl.d/{path}", text)
    return made


def said(files: Dict[str, str], key: str = KEY) -> Tuple[Optional[str], Optional[str], Optional[str]]:
    made = tree(files)
    return tuple(  # type: ignore[return-value]
        outcomes[key].value for outcomes in (at_boot(made, [key]), by_system(made, [key]), by_system(made, [key], 3))
    )


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("net.ipv4.conf.eth0/100.mtu", "net/ipv4/conf/eth0.100/mtu"),
        ("net/ipv4/conf/eth0.100/mtu", "net/ipv4/conf/eth0.100/mtu"),
        ("/net//core/./somaxconn/", "net/core/somaxconn"),
        ("net..core.somaxconn", "net/core/somaxconn"),
        ("", ""),
        ("///", ""),
        ("kernel", "kernel"),
    ],
)
def test_both_spellings_are_one_key(name: str, key: str) -> None:
    assert key_of(name) == key


@given(st.lists(st.text("ab.0_-", min_size=1).filter(lambda part: part.strip(".")), min_size=2, max_size=5))
def test_a_key_survives_its_other_spelling(parts: List[str]) -> None:
    key = "/".join(parts)
    assert (key_of(dotted(key)) == key and key_of(key) == key) or "." in parts[0]


@pytest.mark.parametrize(
    ("pattern", "key", "expected"),
    [
        ("net/ipv4/conf/*/tag", "net/ipv4/conf/eth0.1/tag", True),
        ("net/ipv4/conf/*", "net/ipv4/conf/all/tag", False),
        ("net/*/tag", "net/ipv4/conf/tag", False),
        ("net/?[vc]*/x", "net/ipv4/x", False),
        ("net/i[a-q]v4/x", "net/ipv4/x", True),
        ("net/i[!a-q]v4/x", "net/ipv4/x", False),
        ("net/i[^a-o]v4/x", "net/ipv4/x", True),
        ("net/[[:alpha:]]*/x", "net/ipv4/x", True),
        ("net/[[:digit:]]*/x", "net/ipv4/x", False),
        ("net/[]i]pv4/x", "net/ipv4/x", True),
        ("net/[z-a]pv4/x", "net/ipv4/x", False),
        ("net/[!z-a]pv4/x", "net/ipv4/x", True),
        ("net/[i/x", "net/ipv4/x", False),
        ("net/[i/x", "net/[i/x", True),
        ("net/\\ipv4/*", "net/ipv4/x", True),
        ("net/ip(v)4/*", "net/ipv4/x", False),
        ("*/x", ".hidden/x", False),
        ("[!a]/x", "b/x", True),
        ("[a\\]]/x", "]/x", True),
    ],
)
def test_patterns_match_as_glob_does(pattern: str, key: str, expected: bool) -> None:
    assert matches(pattern, key) is expected


@given(st.text("*?[]!^\\-a/:", max_size=12), st.text("ab/]", max_size=6))
def test_no_pattern_is_too_odd(pattern: str, key: str) -> None:
    assert matches(pattern, key) in (True, False)


@pytest.mark.parametrize(
    ("text", "systemd", "procps", "old"),
    [
        ("a.b = 1\n", ("a/b", "1"), ("a/b", "1"), ("a/b", "1")),
        (" a.b=1", ("a/b", "1"), ("a/b", "1"), ("a/b", "1")),
        ("a.b = x  y \r\n", ("a/b", "x  y"), ("a/b", "x  y"), ("a/b", "x  y")),
        ("a.b = c=d\n", ("a/b", "c=d"), ("a/b", "c=d"), ("a/b", "c=d")),
        ('a.b = "1"\n', ("a/b", '"1"'), ("a/b", '"1"'), ("a/b", '"1"')),
        ("a.b = 1 # c\n", ("a/b", "1 # c"), ("a/b", "1 # c"), ("a/b", "1 # c")),
        ("a.b =\n", ("a/b", ""), ("a/b", ""), None),
        ("-a.b = 1\n", ("a/b", "1"), ("a/b", "1"), ("a/b", "1")),
        ("- a.b = 1\n", ("a/b", "1"), (" a/b", "1"), (" a/b", "1")),
        ("-a.b\n", ("a/b", None), ("a/b", None), None),
        ("a.* = 1\n", ("a/*", "1"), ("a/*", "1"), None),
        ("a/b/ = 1\n", ("a/b", "1"), None, None),
        ("junk\n", None, None, None),
        ("# a.b = 1\n", None, None, None),
        ("  ; a.b = 1\n", None, None, None),
        ("= 1\n", None, None, None),
        ("\n", None, None, None),
    ],
)
def test_each_program_takes_a_line_in_its_way(text: str, systemd: Any, procps: Any, old: Any) -> None:
    for program, expected in ((SYSTEMD, systemd), (PROCPS, procps), (OLD, old)):
        lines = read_lines(program, "/f", text)
        assert [(line.key, line.value) for line in lines] == ([expected] if expected else []), program


def test_lines_are_numbered_as_an_editor_does() -> None:
    text = "# 1\n\na.b = 1\r\nc.d = 2\n\n\ne.f = 3"
    for program in SysctlProgram:
        assert [line.line for line in read_lines(program, "/f", text)] == [3, 4, 7], program
    assert [(line.line, line.value) for line in read_lines(SYSTEMD, "/f", "a.b=1\rc.d=2\0e.f=3\n")] == [
        (1, "1"),
        (1, "2"),
        (1, "3"),
    ]
    assert [line.value for line in read_lines(PROCPS, "/f", "a.b=1\0c.d=2\n")] == ["1"]


@given(st.text(max_size=60))
def test_any_text_can_be_read(text: str) -> None:
    for program in SysctlProgram:
        assert all(line.key and line.line >= 1 for line in read_lines(program, "/f", text))


@pytest.mark.parametrize(
    ("files", "key", "expected"),
    [
        ({}, KEY, (None, None, None)),
        ({"10-a.conf": f"{KEY} = 1\n{KEY} = 2\n"}, KEY, ("2", "2", "2")),
        # By the file's name, not by the directory.
        ({"10-a.conf": f"{KEY}=1", "/usr/lib/sysctl.d/20-b.conf": f"{KEY}=2"}, KEY, ("2", "2", "2")),
        ({"9-a.conf": f"{KEY}=1", "10-b.conf": f"{KEY}=2", "Z.conf": ""}, KEY, ("1", "1", "1")),
        # The same name in a higher directory hides the whole file, also an empty one.
        ({"20-b.conf": "", "/usr/lib/sysctl.d/20-b.conf": f"{KEY}=2"}, KEY, (None, None, None)),
        ({"/run/sysctl.d/a.conf": f"{KEY}=1", "/usr/local/lib/sysctl.d/a.conf": f"{KEY}=2"}, KEY, ("1", "1", "1")),
        ({"zz.conf": f"{KEY}=1", "/etc/sysctl.conf": f"{KEY}=2"}, KEY, ("1", "2", "2")),
        ({".a.conf": f"{KEY}=1"}, KEY, (None, "1", "1")),
        ({"a.conf": f"{KEY}=1\nnet/core/somaxconn=2"}, KEY, ("2", "2", "2")),
        # A named key beats every pattern, wherever it stands.
        ({"a.conf": f"{ALL}=1\n{EACH}=2"}, ALL, ("1", "1", "1")),
        ({"a.conf": f"{ALL}=1\n{EACH}=2"}, LO, ("2", "2", None)),
        ({"a.conf": f"{EACH}=2\n-{LO}"}, LO, (None, None, None)),
        # An exclusion takes the place of a line that names the key, for systemd only.
        ({"a.conf": f"{ALL}=1\n-{ALL}"}, ALL, (None, "1", "1")),
        ({"a.conf": f"-{ALL}\n{ALL}=1"}, ALL, ("1", "1", "1")),
        # Patterns are applied in the order of the lines; one that is repeated keeps its place for systemd.
        ({"a.conf": f"{EACH}=1\nnet.ipv4.conf.l*.rp_filter=2\n{EACH}=1"}, LO, ("2", "1", None)),
        ({"a.conf": f"{EACH}=1\nnet.ipv4.conf.l*.rp_filter=2\n{EACH}=3"}, LO, ("3", "3", None)),
        ({"a.conf": f"{KEY}=1\n{KEY}=\n"}, KEY, ("", "1", "1")),
    ],
)
def test_the_winner(files: Dict[str, str], key: str, expected: Any) -> None:
    assert said(files, key) == expected


def test_what_is_shadowed_is_named_with_the_reason() -> None:
    made = tree(
        {
            "10-a.conf": f"{EACH} = 1\n{LO} = 2\n",
            "20-b.conf": f"\n{LO} = 3\n",
            "/usr/lib/sysctl.d/20-b.conf": f"{LO} = 4\n",
            "/etc/sysctl.conf": f"-{LO}\n",
        }
    )
    outcome = at_boot(made, [LO])[LO]
    assert (outcome.value, outcome.place) == ("3", "/etc/sysctl.d/20-b.conf:2")
    assert [(one.line.place, one.reason.value, one.by) for one in outcome.shadowed] == [
        ("/etc/sysctl.d/10-a.conf:1", "explicit_key", "/etc/sysctl.d/20-b.conf:2"),
        ("/etc/sysctl.d/10-a.conf:2", "later_line", "/etc/sysctl.d/20-b.conf:2"),
        ("/usr/lib/sysctl.d/20-b.conf:1", "hidden_file", "/etc/sysctl.d/20-b.conf"),
    ]
    excluded = at_boot(tree({"a.conf": f"{EACH} = 1\n-{LO}\n"}), [LO])[LO]
    assert (excluded.value, excluded.place) == (None, "/etc/sysctl.d/a.conf:2")
    assert [one.reason.value for one in excluded.shadowed] == ["exclusion"]


def test_an_exclusion_without_anything_to_exclude_decides_nothing() -> None:
    assert at_boot(tree({"a.conf": f"-{LO}\n"}), [LO])[LO].winner is None
    assert by_system(tree({"a.conf": f"-{LO}\n"}), [LO])[LO].winner is None


def test_values_that_the_kernel_refuses_leave_the_one_before() -> None:
    made = tree({"a.conf": f"{KEY} = 1\n{KEY} = many\n"})
    assert by_system(made, [KEY])[KEY].value == "many"
    assert by_system(made, [KEY], 4, lambda _key, value: value.isdigit())[KEY].value == "1"


def test_mentioned_keys_are_those_that_a_line_sets() -> None:
    made = tree({"a.conf": f"{KEY}=1\n-{LO}\n{EACH}=1\nkernel.panic=1\n", "/etc/sysctl.conf": "net.core.x=1\n"})
    assert mentioned_keys(made, SYSTEMD) == ["net/core/somaxconn", "kernel/panic"]
    assert mentioned_keys(made, PROCPS) == ["net/core/somaxconn", "kernel/panic", "net/core/x"]


class TestTree:
    """Reading, and asking what would be."""

    def test_everything_is_read_once_in_order(self, tmp_path: Path) -> None:
        for directory in DIRECTORIES[:-1]:
            (tmp_path / directory.lstrip("/")).mkdir(parents=True)
        (tmp_path / "lib").symlink_to("usr/lib")
        etc, vendor = tmp_path / "etc/sysctl.d", tmp_path / "usr/lib/sysctl.d"
        (vendor / "50.conf").write_text("a.b = 1\n")
        (etc / "60.conf").write_bytes(b"# \xff\na.b = 2\xfe\n")
        (etc / "50.conf").symlink_to("/dev/null")
        (etc / "99-sysctl.conf").symlink_to("../sysctl.conf")
        (etc / "98-gone.conf").symlink_to("nowhere")
        (etc / "97-dir.conf").mkdir()
        os.mkfifo(etc / "96-pipe.conf")
        (etc / "README").write_text("a.b = 3\n")
        (tmp_path / "etc/sysctl.conf").write_text("a.b = 4\n")
        found = read_sysctl_tree(str(tmp_path))
        assert found.directories == DIRECTORIES[:-1]
        assert [file.path.rpartition("/")[2] for file in found.files] == [
            *("50.conf", "60.conf", "96-pipe.conf", "97-dir.conf", "98-gone.conf", "99-sysctl.conf"),
            "50.conf",
        ]
        masked, odd = found.files[0], found.file("/etc/sysctl.d/60.conf")
        assert (masked.masks, masked.text, masked.target) == (True, "", "/dev/null")
        assert odd is not None and odd.text == "# \\xff\na.b = 2\\xfe\n"
        link = found.file("/etc/sysctl.d/99-sysctl.conf")
        assert link == SysctlFile("/etc/sysctl.d/99-sysctl.conf", "a.b = 4\n", "/etc/sysctl.conf")
        assert found.conf == SysctlFile("/etc/sysctl.conf", "a.b = 4\n")
        assert [(problem.path, problem.reason) for problem in found.problems] == [
            ("/etc/sysctl.d/96-pipe.conf", "it is not a regular file"),
            ("/etc/sysctl.d/97-dir.conf", "it is not a regular file"),
            ("/etc/sysctl.d/98-gone.conf", "the link leads to no file"),
        ]
        assert at_boot(found, ["a.b"])["a.b"].place == "/etc/sysctl.d/99-sysctl.conf:1"
        [(hidden, by)] = files_in_order(found, SYSTEMD).hidden
        assert (hidden.path, by.path) == ("/usr/lib/sysctl.d/50.conf", "/etc/sysctl.d/50.conf")

    def test_a_lib_of_its_own_is_read_last(self, tmp_path: Path) -> None:
        for directory in ("usr/lib/sysctl.d", "lib/sysctl.d"):
            (tmp_path / directory).mkdir(parents=True)
            (tmp_path / directory / "a.conf").write_text(f"a.b = {directory}\n")
        found = read_sysctl_tree(str(tmp_path))
        assert found.directories == DIRECTORIES and at_boot(found, ["a.b"])["a.b"].value == "usr/lib/sysctl.d"

    def test_a_host_without_any_has_an_empty_tree(self, tmp_path: Path) -> None:
        assert read_sysctl_tree(str(tmp_path)) == SysctlTree(DIRECTORIES, ())

    def test_what_would_be(self) -> None:
        before = tree({"20-b.conf": f"{KEY} = 1\n"})
        after = before.with_file("/etc/sysctl.d/10-x.conf", f"{KEY} = 2\n")
        assert [file.name for file in after.files] == ["10-x.conf", "20-b.conf"]
        assert at_boot(after, [KEY])[KEY].value == "1" and before.names == ["20-b.conf"]
        assert at_boot(after.with_file("/etc/sysctl.d/20-b.conf", ""), [KEY])[KEY].value == "2"
        assert after.without_file("/etc/sysctl.d/10-x.conf") == before

    def test_links_show_what_they_lead_to(self) -> None:
        link = SysctlFile("/etc/sysctl.d/99-sysctl.conf", "", "/etc/sysctl.conf")
        made = SysctlTree(DIRECTORIES, (link,)).with_file("/etc/sysctl.conf", f"{KEY} = 5\n")
        assert at_boot(made, [KEY])[KEY].value == "5"
        assert at_boot(made.without_file("/etc/sysctl.conf"), [KEY])[KEY].value is None

    @pytest.mark.parametrize("path", ["/etc/sysctl.d/a", "/etc/a.conf", "a.conf", "/etc/sysctl.d/x/a.conf"])
    def test_a_file_that_no_program_reads_is_refused(self, path: str) -> None:
        with pytest.raises(ValueError, match=r"\.conf in /etc/sysctl\.d, /run/sysctl\.d"):
            SysctlTree(DIRECTORIES, ()).with_file(path, "")


class TestWinningName:
    """A name for a file of ours."""

    @pytest.mark.parametrize(
        ("files", "path", "boot_path"),
        [
            ({}, "90", "90"),
            ({"95-x.conf": f"{KEY}=1"}, "99", "99"),
            ({"90-netfit.conf": ""}, "99", "99"),
            ({"/usr/lib/sysctl.d/90-netfit.conf": ""}, "99", "99"),
            ({"99-z.conf": f"{KEY}=1"}, "zz", "zz"),
            ({"zz-zz.conf": f"net/core/*={1}\n-{KEY}"}, "zzz", "zzz"),
            ({"zz-zz.conf": "net.core.*=1"}, "90", "90"),
            ({"/etc/sysctl.conf": f"{KEY}=1"}, None, "90"),
            ({"/etc/sysctl.conf": f"{KEY}=1", "99-z.conf": f"{KEY}=1"}, None, "zz"),
            ({"/etc/sysctl.conf": f"{KEY}=8192"}, "90", "90"),
            ({"99-z.conf": f"{KEY} = 8192"}, "90", "90"),
            ({"é.conf": f"{KEY}=1"}, None, None),
        ],
    )
    def test_the_first_that_wins(self, files: Dict[str, str], path: Optional[str], boot_path: Optional[str]) -> None:
        found = winning_name(tree(files), "/etc/sysctl.d", "netfit", {KEY: "8192", LO: "1"})
        expected = [None if one is None else f"/etc/sysctl.d/{one}-netfit.conf" for one in (path, boot_path)]
        assert [found.path, found.boot_path] == expected
        assert (found.reason is None) == (found.path is not None)

    def test_it_says_what_is_in_the_way(self) -> None:
        found = winning_name(tree({"/etc/sysctl.conf": f"\n{KEY}=1"}), "/etc/sysctl.d", "netfit", [KEY])
        assert [line.place for line in found.in_the_way] == ["/etc/sysctl.conf:2"]
        assert found.reason is not None and "reads /etc/sysctl.conf after all others" in found.reason
        assert f"/etc/sysctl.conf:2 ({KEY} = 1)" in found.reason
        other = winning_name(tree({"é.conf": f"{KEY}=1"}), "/etc/sysctl.d", "netfit", [KEY])
        assert other.reason == f"no name wins against /etc/sysctl.d/é.conf:1 ({KEY} = 1)"
        excluded = winning_name(tree({"é.conf": f"-{KEY}"}), "/etc/sysctl.d", "netfit", [KEY])
        assert excluded.reason == f"no name wins against /etc/sysctl.d/é.conf:1 (-{KEY})"

    def test_without_values_the_same_line_is_in_the_way(self) -> None:
        found = winning_name(tree({"99-z.conf": f"{KEY}=1"}), "/etc/sysctl.d", "netfit", [KEY])
        assert found.path == "/etc/sysctl.d/zz-netfit.conf"

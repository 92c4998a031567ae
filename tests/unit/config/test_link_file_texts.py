# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever the files of links hold: no other line changes, what is set is read back, and a second time nothing does."""

from __future__ import annotations

import configparser
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import List, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.netfit.cluster.plugins.module_utils._config.ini_lines import (
    assignments,
    last_value,
    set_value,
)
from ansible_collections.netfit.cluster.plugins.module_utils._config.interfaces_file import read_stanzas
from ansible_collections.netfit.cluster.plugins.module_utils._config.link_configs import declared_mtu, plan_link_config
from ansible_collections.netfit.cluster.plugins.module_utils._config.netplan import plan_netplan
from ansible_collections.netfit.cluster.plugins.module_utils._config.planned_files import PlannedFiles
from ansible_collections.netfit.cluster.plugins.module_utils._model.link_owner import LinkManager, LinkOwner

MTUS = st.integers(min_value=1280, max_value=65535)
BLANKS = st.sampled_from(["", " ", "  ", "\t"])
COMMENTS = st.sampled_from(["", "# comment", "  # mtu=7", "; [ethernet]", "#[ethernet]"])
WORDS = st.text(alphabet="abcxyz0189_-.", min_size=1, max_size=6)


@st.composite
def ini_lines(draw: st.DrawFn) -> str:
    key = draw(st.sampled_from(["mtu", "MTU", "id", "mtus", "x"]))
    return draw(BLANKS) + key + draw(BLANKS) + "=" + draw(BLANKS) + draw(WORDS)


@st.composite
def ini_texts(draw: st.DrawFn) -> str:
    lines: List[str] = draw(st.lists(COMMENTS, max_size=2))
    for section in draw(st.lists(st.sampled_from(["ethernet", "connection", "ipv4", "wifi"]), max_size=5)):
        lines.append(f"[{section}]")
        lines += draw(st.lists(st.one_of(ini_lines(), COMMENTS), max_size=4))
    return "\n".join(lines) + draw(st.sampled_from(["", "\n", "\n\n"]))


def without_one(long: List[str], short: List[str]) -> bool:
    """Whether some one line, and blank ones and heads of sections, are all that the longer list has more."""
    rest = list(long)
    for line in short:
        if line not in rest:
            return False
        rest = rest[rest.index(line) + 1 :]
    return True


@given(ini_texts(), MTUS)
def test_a_key_of_a_section_is_set_and_no_other_line_changes(text: str, mtu: int) -> None:
    before = assignments(text)
    after = set_value(text, ["ethernet"], "mtu", str(mtu))
    found = last_value(after, "ethernet", "mtu")
    assert found is not None and found.value == str(mtu)
    assert set_value(after, ["ethernet"], "mtu", str(mtu)) == after
    others = [(one.section, one.key, one.value) for one in before if (one.section, one.key) != ("ethernet", "mtu")]
    assert others == [
        (one.section, one.key, one.value) for one in assignments(after) if (one.section, one.key) != ("ethernet", "mtu")
    ]
    old = last_value(text, "ethernet", "mtu")
    lines = [line for index, line in enumerate(text.split("\n")) if old is None or index != old.index]
    kept = [line for line in lines if line.strip()]
    assert without_one([line for line in after.split("\n") if line.strip()], kept)


@pytest.mark.parametrize("text", ["[ethernet]\r\nmtu=1500\r\n", "[ethernet]\r\n", "[x]\r\ny=1\r\n"])
def test_the_ends_of_lines_stay_as_they_are(text: str) -> None:
    after = set_value(text, ["ethernet"], "mtu", "1400")
    assert "mtu=1400\r\n" in after and after.count("\n") == after.count("\r\n")


@given(ini_texts())
def test_what_is_read_is_what_pythons_parser_reads(text: str) -> None:
    parser = configparser.RawConfigParser(strict=False, delimiters=("=",), comment_prefixes=("#", ";"))
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    try:
        parser.read_string("\n".join(line.lstrip() for line in text.split("\n")))
    except configparser.Error:
        return
    for section in parser.sections():
        for key, value in parser.items(section):
            found = last_value(text, section, key)
            assert found is not None and found.value == value


@st.composite
def stanzas(draw: st.DrawFn) -> str:
    others = st.sampled_from(
        [
            "address 192.0.2.1/24",
            "gateway 192.0.2.254",
            "# mtu 9000",
            "",
            "up true",
            "dns-nameservers 192.0.2.53 \\\n\t  ::1",
        ]
    )
    mine = draw(st.lists(others, max_size=4))
    if draw(st.booleans()):
        mine.insert(draw(st.integers(0, len(mine))), f"mtu{draw(st.sampled_from([' ', '   ']))}{draw(MTUS)}")
    before = draw(
        st.sampled_from(
            ["", "auto lo\niface lo inet loopback\n\n", "# first\n\n", "iface eth1 inet manual\n  mtu 9000\n"]
        )
    )
    after = draw(st.sampled_from(["", "\n", "\n\nauto eth2\niface eth2 inet static\n\tmtu 1234\n", "\n# end"]))
    return before + "\n".join(["iface eth0 inet static", *(f"\t{line}" for line in mine)]) + after


@given(stanzas(), MTUS)
def test_a_stanza_of_interfaces(text: str, mtu: int) -> None:
    with TemporaryDirectory() as root:
        file = Path(root, "etc/network/interfaces")
        file.parent.mkdir(parents=True)
        file.write_text(text)
        owner = LinkOwner("eth0", LinkManager.IFUPDOWN, "", ("/etc/network/interfaces",), definition="eth0")
        plan = plan_link_config(root, owner, mtu)
        assert plan.blocked is None
        for change in plan.changes:
            assert change.after is not None
            file.write_text(change.after.text)
        found = declared_mtu(root, owner)
        assert found is not None and found.mtu == mtu
        assert plan_link_config(root, owner, mtu).changes == ()
        now = file.read_text()
        ours = found.line - 1
        lines = now.split("\n")
        if plan.before is None:
            assert "\n".join(lines[:ours] + lines[ours + 1 :]).rstrip("\n") == text.rstrip("\n")
        else:
            old = text.split("\n")
            assert (lines[:ours], lines[ours + 1 :]) == (old[:ours], old[ours + 1 :])
        before = [one for one in _all(text) if one[0] != "eth0"]
        assert before == [one for one in _all(now) if one[0] != "eth0"]


def _all(text: str) -> List[object]:
    with TemporaryDirectory() as root:
        path = Path(root, "etc/network/interfaces")
        path.parent.mkdir(parents=True)
        path.write_text(text)
        found = read_stanzas(PlannedFiles(root), "/etc/network/interfaces")
    return [(one.name, one.method, [(option.name, option.value) for option in one.options]) for one in found]


@given(st.dictionaries(st.from_regex(r"[a-z][a-z0-9.@:-]{0,8}", fullmatch=True), MTUS, min_size=1, max_size=5))
def test_our_file_for_netplan_has_all_links(wanted: object) -> None:
    yaml = pytest.importorskip("yaml")
    assert isinstance(wanted, dict)
    with TemporaryDirectory() as root:
        file = Path(root, "etc/netplan/50.yaml")
        file.parent.mkdir(parents=True)
        entries = "".join(f'    "{name}":\n      dhcp4: {str(mtu % 2 == 0).lower()}\n' for name, mtu in wanted.items())
        file.write_text(f"network:\n  ethernets:\n{entries}")
        files = PlannedFiles(root)
        text = ""
        for name, mtu in wanted.items():
            owner = LinkOwner(name, LinkManager.NETPLAN, "", (), None, name, LinkManager.NETWORKD)
            for change in plan_netplan(files, owner, mtu, []).changes:
                assert change.after is not None
                text = change.after.text
        both = {"dhcp4-overrides": {"use-mtu": False}, "dhcp6-overrides": {"use-mtu": False}}
        assert yaml.safe_load(text)["network"]["ethernets"] == {
            name: {"mtu": mtu, **(both if mtu % 2 == 0 else {})} for name, mtu in wanted.items()
        }


@given(
    st.lists(st.sampled_from(["BOOTPROTO='dhcp'", "# MTU=1", "", 'NAME="a b"', "LLADDR=", "MTU_X=3"]), max_size=5),
    st.sampled_from([None, "MTU=1500", "MTU='1500'", "MTU=", 'MTU="9000"', "MTU=9000   # jumbo"]),
    st.booleans(),
    MTUS,
)
def test_ifcfg(lines: List[str], own: object, wicked: bool, mtu: int) -> None:
    text = "\n".join([*lines, *([str(own)] if own else []), *lines])
    path = "/etc/sysconfig/network/ifcfg-eth0"
    with TemporaryDirectory() as root:
        file = Path(root, path.lstrip("/"))
        file.parent.mkdir(parents=True)
        file.write_text(text)
        owner = LinkOwner("eth0", LinkManager.WICKED if wicked else LinkManager.IFCFG, "", (path,))
        for change in plan_link_config(root, owner, mtu).changes:
            assert change.after is not None
            file.write_text(change.after.text)
        found = declared_mtu(root, owner)
        assert found is not None and found.mtu == mtu and plan_link_config(root, owner, mtu).changes == ()
        others = [line for line in file.read_text().split("\n") if line and not line.startswith("MTU=")]
        assert others == [line for line in lines * 2 if line]


@pytest.mark.parametrize(
    ("line", "before", "after"),
    [
        ("MTU=9000   # comment", 9000, "MTU=1450   # comment"),
        ('MTU="9000" # the "old" one', 9000, 'MTU="1450" # the "old" one'),
        ("MTU='9000'\t#", 9000, "MTU='1450'\t#"),
        ("MTU= # none", None, "MTU=1450 # none"),
        ("MTU=9000#1", None, "MTU=1450"),
        ("MTU=9000  ", 9000, "MTU=1450  "),
    ],
)
@pytest.mark.parametrize("manager", [LinkManager.IFCFG, LinkManager.WICKED])
def test_a_comment_behind_the_mtu_of_an_ifcfg_file(
    tmp_path: Path, manager: LinkManager, line: str, before: Optional[int], after: str
) -> None:
    path = "/etc/sysconfig/network/ifcfg-eth0"
    file = tmp_path / path.lstrip("/")
    file.parent.mkdir(parents=True)
    file.write_text(f"BOOTPROTO=dhcp # office\n{line}\n")
    owner = LinkOwner("eth0", manager, "", (path,))
    found = declared_mtu(str(tmp_path), owner)
    assert (found.mtu if found else None) == before
    plan = plan_link_config(str(tmp_path), owner, 1450)
    assert plan.before == before
    assert plan.changes[0].after is not None
    assert plan.changes[0].after.text == f"BOOTPROTO=dhcp # office\n{after}\n"
    assert any("option 26" in note for note in plan.notes) is (manager is LinkManager.IFCFG)

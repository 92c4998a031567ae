# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module mss_clamp in process, on a host whose table and unit exist only in memory."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any, Callable, Dict, Hashable, List, Optional

import pytest
from ansible.module_utils import basic

from ansible_collections.netfit.cluster.plugins.module_utils._change.file_resource import FileResource
from ansible_collections.netfit.cluster.plugins.module_utils._change.mss_clamp import ClampHost
from ansible_collections.netfit.cluster.plugins.module_utils._change.resource import ChangeError, Target
from ansible_collections.netfit.cluster.plugins.module_utils._change.session import Session
from ansible_collections.netfit.cluster.plugins.module_utils._change.symlink_resource import SymlinkResource
from ansible_collections.netfit.cluster.plugins.module_utils._change.undo import choose_run, plan_undo, undo
from ansible_collections.netfit.cluster.plugins.module_utils._kernel.nft import Table as Name
from ansible_collections.netfit.cluster.plugins.modules import mss_clamp

Run = Callable[..., Dict[str, Any]]
RULES = "/etc/netfit/mss_clamp.nft"
UNIT = "/etc/systemd/system/netfit-mss-clamp.service"
FIREWALL = "/etc/systemd/system/nftables.service.d/90-netfit-mss-clamp.conf"
LINK = "/etc/systemd/system/sysinit.target.wants/netfit-mss-clamp.service"


class Kernel:
    """The table and the unit that loads it: stopping the unit removes the table, as it does on a host."""

    def __init__(self, root: Path) -> None:
        self.table: Optional[str] = None
        self.active = False
        self.broken = False
        self.others: List[Name] = [Name("ip", "filter")]
        self.root = root

    def loaded(self) -> Optional[str]:
        """What the file would give."""
        text = (self.root / RULES.lstrip("/")).read_text()
        return listed(text[text.rindex("table inet netfit_mss {") :])


class Table:
    """A Resource."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel

    def read(self, _target: Target) -> Optional[str]:
        return self.kernel.table

    def write(self, _target: Target, value: Optional[str]) -> None:
        self.kernel.table = value

    def settle(self, _target: Target) -> None: ...

    def identity(self, _target: Target) -> Hashable:
        return "table"

    def describe(self, _target: Target) -> str:
        return "the table"

    def show(self, value: Optional[str]) -> str:
        return str(value)


class State(Table):
    """A Resource."""

    def read(self, _target: Target) -> Any:
        return self.kernel.active

    def write(self, _target: Target, value: Any) -> None:
        if value and self.kernel.broken:
            raise ChangeError("netfit-mss-clamp.service could not be started")
        self.kernel.active = value
        self.kernel.table = self.kernel.loaded() if value else None

    def identity(self, _target: Target) -> Hashable:
        return "unit"


class Ended(Exception):
    """The module has ended. The first argument is its result."""


def listed(text: str) -> str:
    """What a listing does to the text here: something."""
    return text.replace("& (syn | rst) == syn", "syn / syn,rst")


@pytest.fixture
def kernel(tmp_path: Path) -> Kernel:
    return Kernel(tmp_path / "root")


@pytest.fixture
def warned(monkeypatch: pytest.MonkeyPatch) -> List[str]:
    texts: List[str] = []
    monkeypatch.setattr(basic.AnsibleModule, "warn", lambda _self, text: texts.append(text))
    return texts


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kernel: Kernel, warned: List[str]) -> Run:
    """Run the module on a host with systemd below tmp_path / "root"."""
    root = tmp_path / "root"
    (root / "run/systemd/system").mkdir(parents=True)
    (root / "etc/systemd/system/sysinit.target.wants").mkdir(parents=True)
    resources = {"file": FileResource(), "unit_file": FileResource(), "unit_link": SymlinkResource()}
    host = ClampHost(
        str(root),
        {**resources, "nft_table": Table(kernel), "unit_state": State(kernel)},
        "/usr/sbin/nft",
        listed,
        lambda: kernel.others,
    )
    monkeypatch.setattr(mss_clamp, "HOST", host)
    journal = functools.partial(Session, directory=str(tmp_path / "journal"), lock=str(tmp_path / "lock"))
    monkeypatch.setattr(mss_clamp, "Session", journal)

    def end(_self: Any, failed: bool, **result: Any) -> None:
        raise Ended({**result, "failed": failed})

    monkeypatch.setattr(basic.AnsibleModule, "exit_json", functools.partialmethod(end, False))
    monkeypatch.setattr(basic.AnsibleModule, "fail_json", functools.partialmethod(end, True))

    def main(check: bool = False, **arguments: Any) -> Dict[str, Any]:
        given = {**arguments, "_ansible_check_mode": check, "_ansible_diff": True}
        monkeypatch.setattr(basic, "_ANSIBLE_ARGS", json.dumps({"ANSIBLE_MODULE_ARGS": given}).encode())
        monkeypatch.setattr(basic, "_ANSIBLE_PROFILE", "legacy", raising=False)
        with pytest.raises(Ended) as ended:
            mss_clamp.main()
        result: Dict[str, Any] = ended.value.args[0]
        json.dumps(result)
        return result

    return main


def files(root: Path) -> Dict[str, str]:
    """All files and links of the host, with their text or where they lead."""
    found = {}
    for path in sorted(root.rglob("*")):
        if path.is_symlink():
            found[f"/{path.relative_to(root)}"] = str(path.readlink())
        elif path.is_file():
            found[f"/{path.relative_to(root)}"] = path.read_text()
    return found


def test_check_mode_says_what_is_done_then_and_does_nothing(run: Run, kernel: Kernel, tmp_path: Path) -> None:
    planned = run(check=True)
    assert (files(kernel.root), kernel.table, (tmp_path / "journal").exists()) == ({}, None, False)
    done = run(run="one")
    assert {**done, "run": ""} == planned
    assert (done["changed"], done["run"], done["before"], done["persisted"]) == (True, "one", "", True)
    assert done["written"] == [RULES, UNIT, FIREWALL, LINK]
    assert list(files(kernel.root)) == sorted([RULES, UNIT, FIREWALL, LINK])
    assert files(kernel.root)[LINK] == UNIT
    assert kernel.active and kernel.table == done["after"] != ""
    assert [one["after_header"] for one in done["diff"]] == ["table inet netfit_mss", RULES, UNIT, FIREWALL]
    assert done["diff"][0]["after"] == done["after"]
    assert "also after a boot" in done["lasts"] and "state: absent" in done["lasts"]
    assert len(done["limits"]) == 4


def test_the_second_run_changes_nothing(run: Run) -> None:
    run()
    again = run(run="two")
    assert (again["changed"], again["run"], again["written"]) == (False, "", [])
    assert again["before"] == again["after"] != ""


@pytest.mark.parametrize("lost", ["table", "active", RULES, UNIT, FIREWALL, LINK])
def test_whatever_is_lost_is_put_back_and_nothing_else_is_written(run: Run, kernel: Kernel, lost: str) -> None:
    first = run()
    everything = files(kernel.root)
    if lost in everything:
        (kernel.root / lost.lstrip("/")).unlink()
    elif lost == "table":
        kernel.table = None
    else:
        kernel.active = False
    again = run()
    assert again["written"] == ([lost] if lost in everything else [])
    assert again["changed"]
    assert (files(kernel.root), kernel.table, kernel.active) == (everything, first["after"], True)


def test_absent_leaves_nothing_not_even_a_directory(run: Run, kernel: Kernel) -> None:
    run()
    done = run(state="absent")
    assert done["changed"] and done["after"] == "" and done["lasts"] == "" and done["limits"] == []
    assert sorted(done["written"]) == sorted([RULES, UNIT, FIREWALL, LINK])
    assert (files(kernel.root), kernel.table, kernel.active) == ({}, None, False)
    assert not (kernel.root / "etc/netfit").exists()
    assert not (kernel.root / FIREWALL.lstrip("/")).parent.exists()
    assert (kernel.root / LINK.lstrip("/")).parent.exists()
    assert not run(state="absent")["changed"]


def test_live_only_writes_no_file_and_says_how_long_it_lasts(run: Run, kernel: Kernel, warned: List[str]) -> None:
    done = run(persist=False)
    assert (done["persisted"], done["written"], done["reason"], warned) == (False, [], "", [])
    assert done["lasts"].startswith("until the next boot")
    assert kernel.table == done["after"] and not kernel.active and files(kernel.root) == {}


def test_what_was_persistent_becomes_live_only_and_stays_in_force(run: Run, kernel: Kernel) -> None:
    first = run()
    done = run(persist=False)
    assert files(kernel.root) == {} and not kernel.active
    assert kernel.table == first["after"] == done["after"] == done["before"]
    assert not run(persist=False)["changed"]


def test_without_systemd_it_is_live_only_with_a_reason(run: Run, kernel: Kernel, warned: List[str]) -> None:
    (kernel.root / "run/systemd/system").rmdir()
    done = run()
    assert (done["persisted"], done["written"]) == (False, [])
    assert done["reason"].startswith("systemd does not run here") and warned == [done["reason"]]
    assert kernel.table == done["after"]


def test_without_nft_nothing_is_written_and_it_says_what_to_install(
    run: Run, kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    resources = mss_clamp.HOST.resources
    monkeypatch.setattr(mss_clamp, "HOST", ClampHost(str(kernel.root), resources, None, listed))
    failed = run()
    assert failed["failed"] and "install the package nftables" in failed["msg"]
    assert files(kernel.root) == {}
    absent = run(state="absent")
    assert not absent["failed"] and not absent["changed"] and "nft is not installed" in absent["reason"]


def test_a_unit_that_does_not_start_takes_all_of_it_back(run: Run, kernel: Kernel) -> None:
    kernel.broken = True
    failed = run()
    assert failed["failed"] and "could not be started" in failed["msg"] and failed["not_taken_back"] == []
    assert (files(kernel.root), kernel.table, kernel.active) == ({}, None, False)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"interfaces": ["a b"]}, "interfaces: 'a b' is no name of a link"),
        ({"ports": ["80", "0"]}, "ports: '0' is neither a port nor a range"),
        ({"run": "a/b"}, "run is 'a/b'"),
    ],
)
def test_bad_input_is_refused_before_anything_is_written(
    run: Run, kernel: Kernel, arguments: Dict[str, Any], said: str
) -> None:
    failed = run(**arguments)
    assert failed["failed"] and said in failed["msg"]
    assert (files(kernel.root), kernel.table) == ({}, None)


def test_an_interface_that_is_not_there_gives_a_warning(run: Run, warned: List[str]) -> None:
    assert not run(interfaces=["lo", "no-such*"])["failed"]
    assert warned == ["interfaces: no link of this host is no-such* now: it is clamped once there is one"]


def test_tables_that_were_made_by_hand_are_told_and_left(run: Run, kernel: Kernel, warned: List[str]) -> None:
    kernel.others.append(Name("ip6", "netfit_mss_30004"))
    assert run()["by_hand"] == ["ip6 netfit_mss_30004"] and warned == []
    run(state="absent")
    assert [text.split(": ")[1] for text in warned] == ["nft delete table ip6 netfit_mss_30004"]


def test_a_file_of_somebody_else_in_a_link_s_place_is_left_alone(run: Run, kernel: Kernel) -> None:
    place = kernel.root / LINK.lstrip("/")
    place.write_text("mine")
    failed = run()
    assert failed["failed"] and f"{place} is left alone: it is no symbolic link" in failed["msg"]
    assert files(kernel.root) == {LINK: "mine"} and kernel.table is None


@pytest.mark.parametrize("second", [{"ports": ["30004"]}, {"persist": False}, {"state": "absent"}])
def test_runs_are_undone_one_after_the_other(run: Run, kernel: Kernel, tmp_path: Path, second: Dict[str, Any]) -> None:
    journal, resources = str(tmp_path / "journal"), mss_clamp.HOST.resources
    states = [(files(kernel.root), kernel.table, kernel.active)]
    for name, arguments in (("one", {}), ("two", second)):
        assert run(run=name, **arguments)["changed"]
        states.append((files(kernel.root), kernel.table, kernel.active))
    for name in ("two", "one"):
        states.pop()
        chosen = choose_run(name, journal)
        assert chosen is not None
        steps = plan_undo(chosen, resources)
        assert [step.conflict for step in steps if step.conflict] == []
        undo(chosen, steps, resources, journal)
        assert (files(kernel.root), kernel.table, kernel.active) == states[-1]
    assert not (kernel.root / "etc/netfit").exists()

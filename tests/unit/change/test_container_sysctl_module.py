# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module container_sysctl in process: check mode, diff, what is returned, and the way back."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest
from ansible.module_utils import basic

from ansible_collections.netfit.cluster.plugins.module_utils._change.resources import RESOURCES
from ansible_collections.netfit.cluster.plugins.module_utils._change.session import Session
from ansible_collections.netfit.cluster.plugins.module_utils._change.undo import choose_run, plan_undo
from ansible_collections.netfit.cluster.plugins.modules import container_sysctl

Run = Callable[..., Dict[str, Any]]
SOMAXCONN = {"net.core.somaxconn": 4096}
DROP_IN = "/etc/crio/crio.conf.d/90-netfit.conf"


class Ended(Exception):
    """The module has ended. The first argument is its result."""


@pytest.fixture
def warned(monkeypatch: pytest.MonkeyPatch) -> List[str]:
    texts: List[str] = []
    monkeypatch.setattr(basic.AnsibleModule, "warn", lambda _self, text: texts.append(text))
    return texts


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, warned: List[str]) -> Run:
    """Run the module on a host with CRI-O below tmp_path / "root"."""
    (tmp_path / "root/etc/crio").mkdir(parents=True)
    journal = functools.partial(Session, directory=str(tmp_path / "journal"), lock=str(tmp_path / "lock"))
    monkeypatch.setattr(container_sysctl, "Session", journal)
    monkeypatch.setattr(container_sysctl, "ROOT", str(tmp_path / "root"))

    def end(_self: Any, failed: bool, **result: Any) -> None:
        raise Ended({**result, "failed": failed})

    monkeypatch.setattr(basic.AnsibleModule, "exit_json", functools.partialmethod(end, False))
    monkeypatch.setattr(basic.AnsibleModule, "fail_json", functools.partialmethod(end, True))

    def main(check: bool = False, **arguments: Any) -> Dict[str, Any]:
        given = {"sysctls": SOMAXCONN, **arguments, "_ansible_check_mode": check, "_ansible_diff": True}
        monkeypatch.setattr(basic, "_ANSIBLE_ARGS", json.dumps({"ANSIBLE_MODULE_ARGS": given}).encode())
        monkeypatch.setattr(basic, "_ANSIBLE_PROFILE", "legacy", raising=False)
        with pytest.raises(Ended) as ended:
            container_sysctl.main()
        result: Dict[str, Any] = ended.value.args[0]
        json.dumps(result)
        return result

    return main


def test_check_mode_says_what_is_done_then_and_does_nothing(run: Run, tmp_path: Path) -> None:
    planned = run(check=True)
    assert not (tmp_path / "root/etc/crio/crio.conf.d").exists()
    assert not (tmp_path / "journal").exists()
    done = run(run="one")
    assert {**done, "run": ""} == planned
    assert (done["changed"], done["run"], done["written"]) == (True, "one", [DROP_IN])
    assert (done["before"], done["after"]) == ({"crio": {}}, {"crio": {"net.core.somaxconn": "4096"}})
    (diff,) = done["diff"]
    assert (diff["before_header"], diff["before"]) == (DROP_IN, "")
    assert diff["after"] == (tmp_path / "root" / DROP_IN.lstrip("/")).read_text()
    assert done["runtimes"][0]["restart"] == {"unit": "crio.service", "command": "systemctl restart crio"}


def test_the_second_run_changes_nothing_and_needs_no_restart(run: Run) -> None:
    run()
    again = run(run="two")
    assert (again["changed"], again["written"], again["diff"], again["run"]) == (False, [], [], "")
    assert again["runtimes"][0]["restart"] is None
    assert again["before"] == again["after"] == {"crio": {"net.core.somaxconn": "4096"}}


def test_it_can_be_undone_from_the_journal(run: Run, tmp_path: Path) -> None:
    run(run="one")
    chosen = choose_run("one", str(tmp_path / "journal"))
    assert chosen is not None
    (step,) = plan_undo(chosen, RESOURCES)
    assert (step.name, step.value, step.conflict) == (str(tmp_path / "root" / DROP_IN.lstrip("/")), None, None)


def test_absent_removes_our_file_and_then_nothing(run: Run, tmp_path: Path) -> None:
    run()
    gone = run(state="absent")
    assert (gone["changed"], gone["written"], gone["after"]) == (True, [DROP_IN], {"crio": {}})
    assert not (tmp_path / "root" / DROP_IN.lstrip("/")).exists()
    assert run(state="absent")["changed"] is False


def test_a_key_of_the_host_is_left_out_with_a_warning(run: Run, warned: List[str]) -> None:
    result = run(sysctls={**SOMAXCONN, "net.core.netdev_max_backlog": 5000})
    assert list(result["refused"]) == ["net.core.netdev_max_backlog"]
    assert result["after"] == {"crio": {"net.core.somaxconn": "4096"}}
    assert [text.split(":")[0] for text in warned] == ["net.core.netdev_max_backlog was left out"]


def test_what_cannot_be_done_fails_before_anything_is_written(run: Run, tmp_path: Path) -> None:
    failed = run(runtimes=["crio", "cni"])
    assert failed["failed"]
    assert "cni: no CNI configuration is in force for pods: name the file with cni_file" in failed["msg"]
    assert not (tmp_path / "root/etc/crio/crio.conf.d").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sysctls": {}}, "sysctls: it is empty"),
        ({"run": "a b"}, "run is 'a b'; it takes"),
        ({"kubernetes_version": "x"}, "kubernetes_version: 'x' is none"),
    ],
)
def test_bad_options_are_named(run: Run, arguments: Dict[str, Any], message: str) -> None:
    failed = run(**arguments)
    assert failed["failed"]
    assert message in failed["msg"]


def test_a_directory_that_cannot_be_written_leaves_everything_as_it_was(run: Run, tmp_path: Path) -> None:
    (tmp_path / "root/usr/bin").mkdir(parents=True)
    (tmp_path / "root/usr/bin/podman").touch()
    # A file where the directory would have to be: as good as a read-only file system, also for root.
    (tmp_path / "root/etc/containers").symlink_to("/proc/self")
    failed = run()
    assert failed["failed"]
    assert "cannot be written" in failed["msg"]
    assert not (tmp_path / "root/etc/crio/crio.conf.d").exists()


def test_a_host_without_runtimes_is_told(run: Run, tmp_path: Path, warned: List[str]) -> None:
    (tmp_path / "root/etc/crio").rmdir()
    assert run()["runtimes"] == []
    assert warned == ["no container runtime was found: name one with runtimes"]

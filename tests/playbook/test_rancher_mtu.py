# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role rancher_mtu with modules that return what they are told: what it restarts, prints and writes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable, Dict, Optional

import pytest

ROOT = Path(__file__).resolve().parents[2]
PLAYBOOK = str(Path(sys.executable).with_name("ansible-playbook"))
STAND_IN = """
import json
from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):
    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        with open(task_vars["log"], "a", encoding="utf-8") as file:
            file.write(json.dumps([self._task.action, self._task.args, task_vars["inventory_hostname"]]) + "\\n")
        if not self._task.action.endswith("cni_mtu"):
            return {**result, "changed": True}
        wanted = task_vars["planned"]["by_host"].get(task_vars["inventory_hostname"], task_vars["planned"])
        return {**result, **wanted}
"""
SYSTEMCTL = """#!/bin/sh
echo "[\\"systemctl\\", \\"$*\\"]" >> "$NETFIT_LOG"
case "$*" in show*) printf 'Id=k3s.service\\nLoadState=loaded\\nActiveState=active\\n';; esac
"""
STACK = {"stack": "k3s", "reason": "", "running": "", "before_restart": [], "snippets": {}, "patches": []}
K3S = {
    **STACK,
    "restart": {"unit": "k3s.service", "command": "systemctl restart k3s"},
    "keeping": [{"link": "flannel.1", "mtu": 1400}],
}

Play = Callable[..., str]


@pytest.fixture(scope="module")
def collections(tmp_path_factory: pytest.TempPathFactory) -> Path:
    top = tmp_path_factory.mktemp("collections")
    copy = top / "ansible_collections/netfit/cluster"
    shutil.copytree(ROOT / "roles/rancher_mtu", copy / "roles/rancher_mtu")
    shutil.copytree(ROOT / "meta", copy / "meta")
    for kind, text in (("action", STAND_IN), ("modules", "# replaced by the action\n")):
        (copy / "plugins" / kind).mkdir(parents=True)
        for name in ("cni_mtu", "link_mtu"):
            (copy / "plugins" / kind / f"{name}.py").write_text(text, encoding="utf-8")
    return top


@pytest.fixture
def play(collections: Path, tmp_path: Path) -> Play:
    """Run the role; stacks: what the module returns. Gives what is printed."""
    systemctl = tmp_path / "bin/systemctl"
    systemctl.parent.mkdir()
    systemctl.write_text(SYSTEMCTL, encoding="utf-8")
    systemctl.chmod(0o755)

    def run(
        changed: bool,
        *stacks: Dict[str, Any],
        arguments: tuple[str, ...] = (),
        by_host: Optional[Dict[str, Any]] = None,
        **variables: Any,
    ) -> str:
        planned = {"run": "r" if changed else "", "changed": changed, "stacks": list(stacks), "by_host": by_host or {}}
        given = {
            "planned": planned,
            "log": str(tmp_path / "log"),
            "rancher_mtu_pod_mtu": 1400,
            "rancher_mtu_report_dir": str(tmp_path / "report"),
            "ansible_python_interpreter": sys.executable,
            **variables,
        }
        tasks = {"hosts": "all", "gather_facts": False, "connection": "local", "roles": ["netfit.cluster.rancher_mtu"]}
        (tmp_path / "play.yml").write_text(json.dumps([tasks]), encoding="utf-8")
        environment = {
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": str(collections),
            "ANSIBLE_INJECT_FACT_VARS": "False",
            "ANSIBLE_NOCOLOR": "1",
            "NETFIT_LOG": str(tmp_path / "log"),
            "PATH": f"{systemctl.parent}:{os.environ['PATH']}",
            "HOME": str(tmp_path),
            "PYTHONPATH": "",
        }
        inventory = ["-i", ",".join(by_host or ["n1"]) + ",", "-e", json.dumps(given)]
        ended = subprocess.run(
            [PLAYBOOK, "play.yml", *inventory, *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    return run


def done(place: Path) -> list[Any]:
    """What was called but for the plan and systemctl's answers, in order."""
    lines = [json.loads(line) for line in (place / "log").read_text(encoding="utf-8").splitlines()]
    return [line for line in lines if not line[0].endswith("cni_mtu") and not str(line[1]).startswith("show")]


@pytest.mark.parametrize("changed", [True, False])
def test_a_restart_that_is_due_is_made_whether_or_not_files_changed(play: Play, tmp_path: Path, changed: bool) -> None:
    play(changed, K3S, rancher_mtu_restart=True)
    (_link, links, _host), restart = done(tmp_path)
    assert links["links"] == [{"link": "flannel.1", "mtu": 1400}]
    assert restart == ["systemctl", "restart k3s.service"]


@pytest.mark.parametrize(
    ("stack", "leave"), [(K3S, False), ({**K3S, "restart": None}, True), ({**K3S, "restart": None}, False)]
)
def test_nothing_is_restarted_without_leave_or_need(
    play: Play, tmp_path: Path, stack: Dict[str, Any], leave: bool
) -> None:
    printed = play(False, stack, rancher_mtu_restart=leave)
    assert done(tmp_path) == []
    assert "changed=0" in printed
    assert ("To take effect: systemctl restart k3s" in printed) is (stack is K3S)


def test_a_server_is_told_which_other_one_of_its_cluster_has_values(play: Play, tmp_path: Path) -> None:
    places = {"n1": ("", "a"), "n2": ("/m/x.yaml", "b"), "n3": ("/m/y.yaml", "a"), "n4": ("", "c"), "n5": ("", "b")}
    by_host = {
        name: {"changed": False, "run": "", "stacks": [{**STACK, "stack": "rke2", "restart": None, **found}]}
        for name, (file, cluster) in places.items()
        for found in [{"chart_config": file, "cluster": cluster, "host": name}]
    }
    play(False, by_host=by_host, rancher_mtu_run="once")
    lines = [json.loads(line) for line in (tmp_path / "log").read_text(encoding="utf-8").splitlines()]
    given = {host: arguments.get("elsewhere") for _name, arguments, host in lines if "run" in arguments}
    assert given == {"n1": "n3", "n2": None, "n3": None, "n4": None, "n5": "n2"}


def patch_of(number: int) -> Dict[str, Any]:
    """What waits for a cluster's owner, with that many commands."""
    apply = 'kubectl --namespace kube-system patch configmap/c --type merge --patch "$(cat {file})"'
    return {
        "name": "calico",
        "resource": "configmap/c",
        "namespace": "kube-system",
        "file": "calico-c.yaml",
        "patch": 'data:\n  veth_mtu: "1400"\nkind: ConfigMap\n',
        "commands": [apply, *(f"kubectl rollout restart daemonset d{one}" for one in range(1, number))],
    }


@pytest.mark.parametrize("arguments", [(), ("--check",)])
def test_the_commands_are_printed_and_written(play: Play, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    stack = {**STACK, "stack": "calico", "restart": None, "patches": [patch_of(2)]}
    printed = play(False, stack, arguments=arguments).replace('\\"', '"')
    place = tmp_path / "report/cluster-changes/n1"
    for line in (
        f"cd {place}",
        'kubectl --namespace kube-system patch configmap/c --type merge --patch "$(cat calico-c.yaml)"',
        "kubectl rollout restart daemonset d1",
        '  veth_mtu: "1400"',
    ):
        assert f'"{line}"' in printed, printed
    assert "more in" not in printed
    assert (place / "commands.sh").exists() is not bool(arguments)


def test_what_is_printed_has_an_end(play: Play, tmp_path: Path) -> None:
    stack = {**STACK, "stack": "calico", "restart": None, "patches": [patch_of(100)]}
    printed = play(False, stack)
    assert "daemonset d30" in printed and "daemonset d60" not in printed
    assert f"more in {tmp_path}/report/cluster-changes/n1" in printed
    text = (tmp_path / "report/cluster-changes/n1/commands.sh").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line]
    # Four lines are those of the patch, with the name of its file.
    assert f'"and {len(lines) + 4 - 40} more in' in printed

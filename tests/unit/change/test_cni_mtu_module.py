# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module cni_mtu in process: check mode, diff, bad input before any write, the second run, and the way back."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest
from ansible.module_utils import basic

from ansible_collections.netfit.cluster.plugins.module_utils._change import new_pods_mtu
from ansible_collections.netfit.cluster.plugins.module_utils._change.file_resource import FileResource
from ansible_collections.netfit.cluster.plugins.module_utils._change.session import Session
from ansible_collections.netfit.cluster.plugins.module_utils._change.undo import choose_run, plan_undo
from ansible_collections.netfit.cluster.plugins.module_utils._model.mtu_config import MtuWish
from ansible_collections.netfit.cluster.plugins.modules import cni_mtu

Run = Callable[..., Dict[str, Any]]
GENERATED = "var/lib/rancher/k3s/agent/etc/flannel/net-conf.json"
OURS = "/etc/rancher/k3s/netfit-flannel.json"
DROP_IN = "/etc/rancher/k3s/config.yaml.d/90-netfit-flannel.yaml"
CONFLIST = "etc/cni/net.d/10-calico.conflist"


class Ended(Exception):
    """The module has ended. The first argument is its result."""


@pytest.fixture
def warned(monkeypatch: pytest.MonkeyPatch) -> List[str]:
    texts: List[str] = []
    monkeypatch.setattr(basic.AnsibleModule, "warn", lambda _self, text: texts.append(text))
    return texts


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, warned: List[str]) -> Run:
    """Run the module on a node of K3s below tmp_path / "root"."""
    put(tmp_path, GENERATED, '{"Network": "10.42.0.0/16", "Backend": {"Type": "vxlan"}}')
    journal = functools.partial(Session, directory=str(tmp_path / "journal"), lock=str(tmp_path / "lock"))
    monkeypatch.setattr(cni_mtu, "Session", journal)
    monkeypatch.setattr(cni_mtu, "ROOT", str(tmp_path / "root"))

    def end(_self: Any, failed: bool, **result: Any) -> None:
        raise Ended({**result, "failed": failed})

    monkeypatch.setattr(basic.AnsibleModule, "exit_json", functools.partialmethod(end, False))
    monkeypatch.setattr(basic.AnsibleModule, "fail_json", functools.partialmethod(end, True))

    def main(check: bool = False, **arguments: Any) -> Dict[str, Any]:
        given = {"underlay_mtu": 1450, **arguments, "_ansible_check_mode": check, "_ansible_diff": True}
        monkeypatch.setattr(basic, "_ANSIBLE_ARGS", json.dumps({"ANSIBLE_MODULE_ARGS": given}).encode())
        monkeypatch.setattr(basic, "_ANSIBLE_PROFILE", "legacy", raising=False)
        with pytest.raises(Ended) as ended:
            cni_mtu.main()
        result: Dict[str, Any] = ended.value.args[0]
        json.dumps(result)
        return result

    return main


def put(place: Path, path: str, text: str) -> None:
    file = place / "root" / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def texts(place: Path) -> Dict[str, str]:
    root = place / "root"
    return {f"/{path.relative_to(root)}": path.read_text() for path in sorted(root.rglob("*")) if path.is_file()}


def test_check_mode_is_the_plan_that_is_carried_out(run: Run, tmp_path: Path) -> None:
    before = texts(tmp_path)
    planned = run(check=True)
    assert texts(tmp_path) == before and planned["run"] == "" and not (tmp_path / "journal").exists()
    done = run(run="audit-7")
    assert done["run"] == "audit-7"
    assert {**planned, "run": "audit-7"} == done
    assert done["written"] == [OURS, DROP_IN]
    assert {entry["after_header"]: entry["after"] for entry in done["diff"]} == {
        path: text for path, text in texts(tmp_path).items() if path not in before
    }


def test_the_second_run_changes_nothing(run: Run, tmp_path: Path, warned: List[str]) -> None:
    run()
    before = texts(tmp_path)
    again = run()
    assert (again["changed"], again["run"], again["written"], texts(tmp_path)) == (False, "", [], before)
    assert warned == []


def test_the_run_is_undone_as_a_whole(run: Run, tmp_path: Path) -> None:
    before = texts(tmp_path)
    name = run()["run"]
    assert texts(tmp_path) != before
    for step in plan_undo(choose_run(name, str(tmp_path / "journal")), {"file": FileResource()}):
        assert step.conflict is None
        FileResource().write(step.entry.change.target, step.value)
    assert texts(tmp_path) == before
    assert not (tmp_path / "root/etc/rancher").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"underlay_mtu": 67}, "underlay_mtu: 67 is no MTU of IP: 68 to 65535"),
        ({"underlay_mtu": 65536}, "underlay_mtu: 65536 is no MTU of IP"),
        ({"pod_mtu": 0}, "pod_mtu: 0 is no MTU of IP"),
        ({"container_mtu": 70000}, "container_mtu: 70000 is no MTU of IP"),
        ({"pod_mtu": 1451}, "pod_mtu: 1451 is more than the network between the nodes carries (underlay_mtu 1450)"),
        ({"underlay_mtu": None}, "none of underlay_mtu, pod_mtu, container_mtu is given"),
        (
            {"stacks": ["k3s"], "pod_mtu": 1401},
            "stacks: nothing was written, because not all of it can be: k3s: pod_mtu",
        ),
        ({"stacks": ["k3s"], "plugin": "cilium"}, "k3s: plugin: cilium, but K3s brings flannel only"),
        (
            {"stacks": ["k3s"], "rke1_cluster_file": "/a"},
            "rke1_cluster_file: /a is an option of rke1, and this is about k3s",
        ),
        ({"stacks": ["calico"], "plugin": "calico"}, "plugin: calico is an option of rke1, rke2, k3s"),
        ({"stacks": ["k3s"], "cni_file": "/a"}, "cni_file: /a is an option of cni"),
        ({"stacks": ["k3s", "rke1"], "rke1_cluster_file": "/srv/none.yml"}, "/srv/none.yml is not there"),
        ({"run": "../x"}, "run"),
    ],
)
def test_bad_input_is_refused_before_anything_is_written(
    run: Run, tmp_path: Path, arguments: Dict[str, Any], said: str
) -> None:
    before = texts(tmp_path)
    result = run(**arguments)
    assert result["failed"] and said in result["msg"]
    assert texts(tmp_path) == before and not (tmp_path / "journal").exists()


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("run/flannel/subnet.env", "FLANNEL_NETWORK=10.42.0.0/16\nFLANNEL_IPV6_NETWORK=2001:db8::/56\n"),
        (CONFLIST, '{"name": "a", "plugins": [{"type": "calico", "ipam": {"assign_ipv6": "true"}}]}'),
    ],
)
def test_pods_with_ipv6_need_1280(run: Run, tmp_path: Path, path: str, text: str) -> None:
    put(tmp_path, path, text)
    assert not run(pod_mtu=1280, check=True)["failed"]
    result = run(pod_mtu=1279)
    assert result["msg"].startswith("pod_mtu: 1279 is too small, because pods of this node have IPv6 addresses")


def test_what_was_found_and_can_not_be_done_is_warned_of(run: Run, tmp_path: Path, warned: List[str]) -> None:
    put(tmp_path, "etc/rancher/k3s/config.yaml", "flannel-conf: /srv/none.json\n")
    result = run(stacks=["kubernetes"])
    assert (result["failed"], result["changed"], result["stacks"][0]["blocked"]) == (False, False, True)
    assert warned == [f"nothing was written for k3s: {result['stacks'][0]['reason']}"]


def test_a_host_without_any_of_it(run: Run, tmp_path: Path, warned: List[str]) -> None:
    (tmp_path / "root" / GENERATED).unlink()
    for directory in sorted((tmp_path / "root/var").rglob("*"), reverse=True):
        directory.rmdir()
    result = run(stacks=["kubernetes"], plugin="canal")
    assert (result["failed"], result["stacks"]) == (False, [])
    assert warned == []


def test_containers_alone_leave_pods_as_they_are(run: Run) -> None:
    assert [one["stack"] for one in run(stacks=["containers"])["stacks"] if one["stack"] == "k3s"] == []
    assert [one["stack"] for one in run(stacks=["kubernetes"])["stacks"]] == ["k3s"]


def test_a_network_of_containers_with_less_is_raised_only_when_asked(run: Run, tmp_path: Path) -> None:
    network = {"name": "vpn", "nerdctlLabels": {}, "plugins": [{"type": "bridge", "mtu": 1380}]}
    put(tmp_path, "etc/cni/net.d/nerdctl-vpn.conflist", json.dumps(network))
    kept = run(container_mtu=1450, stacks=["nerdctl"])
    assert (kept["changed"], [(one["before"], one["after"]) for one in kept["stacks"][0]["knobs"]]) == (
        False,
        [(1380, 1380)],
    )
    raised = run(container_mtu=1450, stacks=["nerdctl"], **{"raise": True})
    assert raised["written"] == ["/etc/cni/net.d/nerdctl-vpn.conflist"]
    assert json.loads(texts(tmp_path)[raised["written"][0]])["plugins"] == [{"type": "bridge", "mtu": 1450}]


def test_a_file_that_somebody_else_changes_meanwhile(run: Run, tmp_path: Path) -> None:
    run()
    root = str(tmp_path / "root")
    plan = new_pods_mtu.plan_new_pods(MtuWish(underlay_mtu=1500), ["auto"], root)
    put(tmp_path, OURS[1:], "{}")
    session = Session(None, "x", {"file": FileResource()}, str(tmp_path / "j"), str(tmp_path / "l"))
    with session, pytest.raises(new_pods_mtu.ChangeError, match="changed by somebody else meanwhile: run again"):
        new_pods_mtu.carry_out(plan, session, root)
    assert texts(tmp_path)[OURS] == "{}"


def test_what_waits_for_the_owner_of_the_cluster_is_no_change(run: Run, tmp_path: Path) -> None:
    put(tmp_path, CONFLIST, '{"name": "a", "plugins": [{"type": "calico"}]}')
    put(tmp_path, "etc/rancher/k3s/config.yaml", "flannel-backend: none\n")
    result = run(pod_mtu=1400)
    assert (result["changed"], result["written"]) == (False, [])
    stack = next(one for one in result["stacks"] if one["stack"] == "calico")
    assert stack["patches"][0]["patch_type"] == "merge"
    assert stack["patches"][0]["file"] == "calico-calico-config.yaml"

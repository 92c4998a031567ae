# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the audit before to the promise, and from the audit after to what of it holds: the incident, told to its end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional
from unittest.mock import MagicMock

import pytest
from ansible.errors import AnsibleActionFail, AnsibleFilterError

from ansible_collections.netfit.cluster.plugins.action import assess, report
from ansible_collections.netfit.cluster.plugins.filter.mtu_plan import mtu_plan
from ansible_collections.netfit.cluster.plugins.filter.mtu_plan_text import mtu_plan_text
from ansible_collections.netfit.cluster.plugins.filter.mtu_promise import mtu_promise
from ansible_collections.netfit.cluster.tests.unit import builders as b

Facts = Dict[str, Any]
Wrote = Callable[[str, Any], str]


def act(module: Any, arguments: Facts, variables: Facts) -> Facts:
    action = module.ActionModule(
        task=MagicMock(args=arguments, check_mode=False, diff=False, async_val=0),
        connection=MagicMock(),
        play_context=MagicMock(),
        loader=MagicMock(),
        templar=MagicMock(),
        shared_loader_obj=MagicMock(),
    )
    result: Facts = action.run(task_vars=variables)
    return result


def pod_path(size: int, mtu: int, name: str = "gateway") -> Facts:
    """From the host n1 to the pod on n2. size: bytes that get through; mtu: of the pod's link."""
    whole = b.direction(size, link_mtu=1450)
    back = b.direction(size, link_mtu=mtu) if size == mtu else b.black(size)
    return b.path("n2", whole, back, peer=b.pod(name), link_mtu=1450, device="flannel.1", expected_mtu=size)


def host_path(size: int = 1500) -> Facts:
    there = b.direction(size) if size == 1500 else b.black(size)
    return b.path("n3", there, there, link_mtu=1500)


def audited(pod_mtu: int, paths: List[Facts], declared: Optional[int] = None) -> Dict[str, Facts]:
    """The facts of the incident's four nodes, with the assessment of each."""
    found = b.incident(pod_mtu)
    for entry in found["n2"]["netfit_mtu"]["declared"]:
        if declared is not None and entry["stack"] == "canal":
            entry["value"] = declared
    for name, own in found.items():
        arguments = {"paths": paths if name == "n1" else []}
        own.update(act(assess, arguments, {"inventory_hostname": name, "ansible_facts": own})["ansible_facts"])
    return found


def reported(found: Dict[str, Facts], where: Path, **options: Any) -> Facts:
    hostvars = {name: {"ansible_facts": own} for name, own in found.items()}
    variables = {"ansible_play_hosts_all": list(found), "hostvars": hostvars, "ansible_facts": {}}
    return act(report, {"report_dir": str(where), **options}, variables)


@pytest.fixture
def wrote(tmp_path: Path) -> Wrote:
    def write(name: str, content: Any) -> str:
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return str(path)

    return write


@pytest.fixture
def before(tmp_path: Path) -> Facts:
    """The report of the audit before: the pod has 1500, and 1450 get through."""
    reported(audited(1500, [pod_path(1450, 1500), host_path()]), tmp_path)
    found: Facts = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    return found


@pytest.fixture
def plan() -> Facts:
    return mtu_plan(audited(1500, [pod_path(1450, 1500), host_path()]))


def test_the_promise_names_paths_and_findings(before: Facts, plan: Facts) -> None:
    promise = mtu_promise(plan, before)
    assert [(one["key"], one["minimum"], one["sound"]) for one in promise["paths"]] == [
        ("path|host-host||ipv4|n1|n3", 1500, True),
        ("path|host-pod||ipv4|in n2|n1", 1450, True),
    ]
    assert sorted((one["id"], one["host"]) for one in promise["findings"]) == [("MTU-001", "n2"), ("PATH-001", "n1")]
    known = {one["fingerprint"]: one["id"] for one in before["findings"]}
    assert all(known[one["fingerprint"]] == one["id"] for one in promise["findings"])
    assert promise["waiting"] == []


def test_only_what_is_carried_out_is_promised(before: Facts, plan: Facts) -> None:
    promise = mtu_promise(plan, before, parts=["cni"])
    assert [(one["key"], one["minimum"], one["sound"]) for one in promise["paths"]] == [
        ("path|host-host||ipv4|n1|n3", 1500, True),
        ("path|host-pod||ipv4|in n2|n1", 1450, False),
    ]
    assert promise["findings"] == []


@pytest.mark.parametrize("change", [{"link": "eth9"}, {"namespace": "/other"}, {"mtu": 1400}])
def test_a_finding_whose_cure_is_not_planned_is_not_promised(before: Facts, plan: Facts, change: Facts) -> None:
    changed = json.loads(json.dumps(before))
    for finding in changed["findings"]:
        if finding["id"] == "MTU-001":
            finding["remedy"]["variables"]["links"][0].update(change)
    assert [one["id"] for one in mtu_promise(plan, changed)["findings"]] == ["PATH-001"]


def test_a_host_that_sends_more_than_its_paths_carry_promises_size_alone(before: Facts) -> None:
    paths = [pod_path(1350, 1500), host_path(1400)]
    found = audited(1500, paths)
    narrow = {
        **before,
        "paths": [
            {**one, **{way: {**one[way], "path_mtu": 1400} for way in ("forward", "back")}}
            for one in before["paths"]
            if one["class"] == "host-host"
        ],
    }
    kept = mtu_promise(mtu_plan(found), narrow)["paths"]
    lowered = mtu_promise(mtu_plan(found, uplinks="lower"), narrow)["paths"]
    unasked = mtu_promise(mtu_plan(found, uplinks="lower"), narrow, parts=["live"])["paths"]
    assert [(one["minimum"], one["sound"]) for one in [*kept, *lowered, *unasked]] == [
        (1400, False),
        (1400, True),
        (1400, False),
    ]


def test_what_the_clusters_owner_has_to_do_waits(tmp_path: Path, plan: Facts) -> None:
    found = audited(1450, [], declared=1500)
    reported(found, tmp_path)
    document = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    promise = mtu_promise(mtu_plan(found), document)
    assert [one["id"] for one in promise["waiting"]] == ["MTU-009"]
    assert "Kubernetes API" in promise["waiting"][0]["reason"]
    assert promise["findings"] == []


def test_all_that_was_promised_holds(before: Facts, plan: Facts, wrote: Wrote, tmp_path: Path) -> None:
    files = {"before": wrote("before.json", before), "promised": wrote("plan.json", mtu_promise(plan, before))}
    healed = audited(1450, [pod_path(1450, 1450, "gateway-2"), host_path()])
    result = reported(healed, tmp_path, verify=True, **files)
    assert not result.get("failed")
    assert result["comparison"]["broken"] == []
    states = {(one["id"], one["state"]) for one in result["comparison"]["findings"]}
    assert {("MTU-001", "gone"), ("PATH-001", "gone")} <= states
    assert [(one["before"], one["after"], one["promised"]) for one in result["comparison"]["paths"]] == [
        (1500, 1500, 1500),
        (1450, 1450, 1450),
    ]


BROKEN = [
    ("nothing was done", 1500, [pod_path(1450, 1500), host_path()], "MTU-001 on n2 is still there"),
    ("a sender still has to be told", 1500, [pod_path(1450, 1500), host_path()], "promised not to depend on ICMP, and"),
    ("a path carries less", 1450, [pod_path(1400, 1450), host_path()], "1450 promised, carries 1400"),
    ("a path was not measured", 1450, [host_path()], "promised, and not measured"),
    ("hosts' own path is worse", 1450, [pod_path(1450, 1450), host_path(1400)], "1500 promised, carries 1400"),
]


@pytest.mark.parametrize(("pod_mtu", "paths", "message"), [row[1:] for row in BROKEN], ids=[row[0] for row in BROKEN])
def test_a_broken_promise_fails(
    before: Facts, plan: Facts, wrote: Wrote, tmp_path: Path, pod_mtu: int, paths: Any, message: str
) -> None:
    files = {"before": wrote("before.json", before), "promised": wrote("plan.json", mtu_promise(plan, before))}
    result = reported(audited(pod_mtu, paths), tmp_path, verify=True, **files)
    assert result["failed"] is True and result["msg"].startswith("Not verified: ")
    assert any(message in text for text in result["comparison"]["broken"])


def test_a_path_of_which_no_better_was_promised_may_still_depend_on_icmp(
    before: Facts, plan: Facts, wrote: Wrote, tmp_path: Path
) -> None:
    promise = mtu_promise(plan, before, parts=["cni"])
    same = audited(1500, [pod_path(1450, 1500), host_path()])
    result = reported(same, tmp_path, verify=True, promised=wrote("plan.json", promise))
    assert not result.get("failed")
    assert reported(same, tmp_path, verify=True)["failed"] is True


def test_a_finding_that_waits_is_told_apart(wrote: Wrote, tmp_path: Path) -> None:
    found = audited(1450, [pod_path(1450, 1450), host_path()], declared=1500)
    reported(found, tmp_path)
    earlier = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    promise = wrote("plan.json", mtu_promise(mtu_plan(found), earlier))
    result = reported(found, tmp_path, verify=True, before=wrote("before.json", earlier), promised=promise)
    assert not result.get("failed")
    states = [one["state"] for one in result["comparison"]["findings"] if one["id"] == "MTU-009"]
    assert states == ["waiting for the cluster's owner"]


def test_what_is_new_is_told(before: Facts, wrote: Wrote, tmp_path: Path) -> None:
    healthy = {**before, "findings": []}
    worse = audited(1500, [pod_path(1450, 1500), host_path()])
    result = reported(worse, tmp_path, verify=True, before=wrote("before.json", healthy))
    assert {one["state"] for one in result["comparison"]["findings"]} == {"new"}


def test_the_terminal_shows_before_and_after(
    before: Facts, plan: Facts, wrote: Wrote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: List[str] = []
    display = MagicMock(columns=100, display=lambda text, color=None: shown.append(text))
    monkeypatch.setattr(report, "Display", lambda: display)
    healed = audited(1450, [pod_path(1450, 1450), host_path()])
    promise = wrote("plan.json", mtu_promise(plan, before))
    reported(healed, tmp_path, verify=True, before=wrote("before.json", before), promised=promise)
    text = "\n".join(shown)
    assert "  n1 to pod prod/gateway on n2 (expected 1450, promised 1450)" in shown
    assert "    before [####################] 1450 black hole" in shown
    assert "    now    [####################] 1450 ok" in shown
    assert "  1 path is as before" in shown
    assert "  gone: MTU-001 on n2, Pod or container MTU exceeds the overlay that its traffic crosses" in shown
    assert "All that was promised holds." in text
    assert max(len(line) for line in shown) <= 100


FILES = [
    ("no such file", None, "could not be read"),
    ("no JSON", "{", "is not valid JSON"),
    ("something else", {"findings": []}, "not a"),
    ("a list", [], "not a"),
]


@pytest.mark.parametrize("option", ["before", "promised"])
@pytest.mark.parametrize(("content", "message"), [row[1:] for row in FILES], ids=[row[0] for row in FILES])
def test_a_bad_file_is_refused_before_anything_is_written(
    option: str, content: Any, message: str, wrote: Wrote, tmp_path: Path
) -> None:
    path = str(tmp_path / "none.json") if content is None else wrote("file.json", content)
    target = tmp_path / "new"
    with pytest.raises(AnsibleActionFail, match=rf"{option}: .*{message}"):
        reported(audited(1450, []), target, verify=True, **{option: path})
    assert not target.exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"paths": [{"key": "x"}], "findings": []}, "needs key and minimum"),
        ({"paths": [], "findings": [{"id": "MTU-001"}]}, "needs a fingerprint"),
    ],
)
def test_a_promise_without_its_parts_is_refused(content: Any, message: str, wrote: Wrote, tmp_path: Path) -> None:
    with pytest.raises(AnsibleActionFail, match=message):
        reported(audited(1450, []), tmp_path, verify=True, promised=wrote("plan.json", content))


def test_there_is_nothing_to_compare_without_verify(before: Facts, wrote: Wrote, tmp_path: Path) -> None:
    with pytest.raises(AnsibleActionFail, match="before: there is nothing to compare without verify"):
        reported(audited(1450, []), tmp_path, before=wrote("before.json", before))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (({}, {"paths": [], "findings": []}), "the input must be what netfit.cluster.mtu_plan returned"),
        (({"hosts": {}}, {}), "report must be the content of report.json"),
        (({"hosts": {}}, {"paths": [], "findings": []}, ["mtu"]), "parts: mtu; known are live, tunnels"),
    ],
)
def test_the_promise_refuses_bad_input(arguments: Any, message: str) -> None:
    with pytest.raises(AnsibleFilterError, match=message):
        mtu_promise(*arguments)


def test_the_plan_in_words(plan: Facts) -> None:
    lines = mtu_plan_text(plan).splitlines()
    assert lines[0] == (
        "2 links and 1 setting to change on 1 of 4 hosts; pods are to have 1450. What the network carries is"
    )
    assert lines[1] == "  claimed, not measured, on 2 of 4."
    assert max(len(line) for line in lines) <= 100
    body = "\n".join(lines)
    assert "  1. eth0 of pod prod/gateway: 1500 to 1450" in body
    assert "  waits for the cluster's owner: Canal veth_mtu = 1450" in body
    assert "(the path from n1 to n3)" in body
    calm = mtu_plan_text(mtu_plan(audited(1450, [])))
    assert calm.startswith("Nothing to change: what is set fits what the network carries; pods are to have 1450.")


def test_the_text_names_hosts_without_a_plan() -> None:
    text = mtu_plan_text(mtu_plan({"n1": {}}))
    assert text.splitlines() == [
        "There is no host to plan for.",
        "",
        "Not planned: n1, it has no facts: run netfit.cluster.network_facts on it first.",
    ]
    with pytest.raises(AnsibleFilterError, match=r"must be what netfit\.cluster\.mtu_plan returned"):
        mtu_plan_text({})

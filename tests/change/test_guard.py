# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guard on the host: what nobody confirms is undone in time, by a process that needs nobody, whatever happens."""

from __future__ import annotations

import json
import time
from typing import Any, Callable, Dict

import pytest
from private_host import BEGIN, Killed, PrivateHost

SECONDS = 5.0
LATE = 4.0
"""Seconds that the timer may take beyond its time on a busy machine."""
PROFILE = {"name": "shop", "settings": {"net.core.somaxconn": 4096, "net.ipv4.tcp_fin_timeout": {"exact": 30}}}
AFTER = {**BEGIN, "somaxconn": "4096", "tcp_fin_timeout": "30"}
FILE = "/etc/sysctl.d/90-netfit-shop.conf"
PENDING = "/run/netfit/guard/pending.json"


def arm(host: PrivateHost, run: str = "one", **more: Any) -> Dict[str, Any]:
    return host.run("change_guard", state="armed", run=run, timeout=SECONDS, **more)


def change(host: PrivateHost, run: str = "one") -> None:
    assert host.run("sysctl_profile", **PROFILE, run=run)["changed"] is True
    assert host.sysctl() == AFTER and list(host.files()) == [FILE]


def confirm(host: PrivateHost, guard: str) -> Dict[str, Any]:
    return host.run("change_guard", state="confirmed", guard=guard)


def rolled_back(host: PrivateHost, guard: str) -> Dict[str, Any]:
    return host.run("change_guard", state="rolled_back", guard=guard)


def wait_until_undone(host: PrivateHost) -> float:
    """Wait for the values of BEGIN; returns the seconds that it took."""
    began = time.monotonic()
    while host.sysctl() != BEGIN or "netfit" in host.command("ls", PENDING):
        assert time.monotonic() - began < SECONDS + LATE, host.command("cat", PENDING)
        time.sleep(0.05)
        if "No such file" in host.command("ls", PENDING) and host.sysctl() == BEGIN:
            break
    return time.monotonic() - began


def rolled_back_record(host: PrivateHost) -> Any:
    return json.loads(host.command("cat", "/var/lib/netfit/rolled_back.json"))


def test_what_nobody_confirms_is_undone_and_said(host: PrivateHost) -> None:
    armed = arm(host)
    change(host)
    assert 3 < wait_until_undone(host) < SECONDS + LATE
    assert host.files() == {}
    (record,) = rolled_back_record(host)
    assert (record["run"], record["reason"], record["errors"]) == ("one", "it was not confirmed within 5 seconds", [])
    assert record["changes"] == [FILE, "net.ipv4.tcp_fin_timeout of the host", "net.core.somaxconn of the host"]
    told = rolled_back(host, armed["guard"])
    assert (told["outcome"], told["reason"], told["changed"]) == ("rolled back", record["reason"], False)
    assert "rolled back at" in confirm(host, armed["guard"])["msg"]
    assert host.command("ls", "/run/netfit/guard") == "last.json\n"
    assert host.run("change_guard", state="undone", run="one")["undone"] == []


def test_what_is_confirmed_stays(host: PrivateHost) -> None:
    armed = arm(host)
    change(host)
    done = confirm(host, armed["guard"])
    assert (done["outcome"], done["run"], done["changed"], done["changes"]) == ("confirmed", "one", True, 3)
    assert confirm(host, armed["guard"])["changes"] == 3
    time.sleep(SECONDS + 1)
    assert host.sysctl() == AFTER and list(host.files()) == [FILE]
    assert [rolled_back(host, armed["guard"])[name] for name in ("outcome", "changes")] == ["confirmed", 3]
    assert host.sysctl() == AFTER
    host.run("change_guard", state="undone", run="one")
    assert host.sysctl() == BEGIN and host.files() == {}


def test_confirming_tells_what_was_changed_under_this_guard_alone(host: PrivateHost) -> None:
    change(host)
    # Also with a guard that covers what was changed before.
    assert confirm(host, arm(host, since=0)["guard"])["changes"] == 0


def test_no_change_comes_after_the_end_of_its_guard(host: PrivateHost) -> None:
    """Though it was armed when the module began, which had to wait for whoever ended the guard meanwhile."""
    armed = arm(host)
    ending = f"touch /run/lock/held; sleep 2; mv {PENDING} /run/netfit/guard/ended"
    host.command("sh", "-c", f"flock /run/lock/netfit sh -c '{ending}' >/dev/null 2>&1 &")
    while "No such" in host.command("ls", "/run/lock/held"):
        time.sleep(0.01)
    lowered = {"links": [{"link": "lo", "mtu": 1400}], "persist": False, "run": "one", "armed": armed["guard"]}
    refused = host.run("link_mtu", **lowered)
    assert "ended" in host.command("ls", "/run/netfit/guard")
    assert refused["failed"] and "is not armed for run 'one' on this host any more" in refused["msg"]
    assert "mtu 65536" in host.command("ip", "link", "show", "lo")
    host.command("mv", "/run/netfit/guard/ended", PENDING)
    assert host.run("link_mtu", **lowered)["changed"] and "mtu 1400" in host.command("ip", "link", "show", "lo")
    rolled_back(host, armed["guard"])
    assert "mtu 65536" in host.command("ip", "link", "show", "lo")


def test_it_is_undone_at_once_for_who_can_reach_the_host(host: PrivateHost) -> None:
    armed = arm(host)
    change(host)
    told = rolled_back(host, armed["guard"])
    assert host.sysctl() == BEGIN and host.files() == {}
    assert (told["outcome"], told["changed"], told["errors"], len(told["undone"])) == ("rolled back", True, [], 3)
    assert rolled_back(host, armed["guard"])["changed"] is False


def test_a_later_confirmed_change_ends_the_complaint(host: PrivateHost) -> None:
    rolled_back(host, arm(host)["guard"])
    assert [one["run"] for one in rolled_back_record(host)] == ["one"]
    confirm(host, arm(host, run="two")["guard"])
    assert "No such file" in host.command("cat", "/var/lib/netfit/rolled_back.json")


def test_one_at_a_time(host: PrivateHost) -> None:
    armed = arm(host)
    refused = arm(host, run="two")
    assert refused["failed"] and refused["msg"].startswith("run one has a change on this host that is to be confirmed")
    assert "No such" not in host.command("cat", PENDING)
    confirm(host, armed["guard"])
    confirm(host, arm(host, run="two")["guard"])


def test_what_was_there_before_it_was_armed_stays_unless_asked_for(host: PrivateHost) -> None:
    change(host)
    armed = arm(host)
    host.run("sysctl_profile", name="more", settings={"net.ipv4.tcp_keepalive_time": {"exact": 600}}, run="one")
    assert host.sysctl()["tcp_keepalive_time"] == "600"
    rolled_back(host, armed["guard"])
    assert host.sysctl() == AFTER and list(host.files()) == [FILE]
    rolled_back(host, arm(host, since=0)["guard"])
    assert host.sysctl() == BEGIN and host.files() == {}


def test_what_other_runs_change_meanwhile_stays(host: PrivateHost) -> None:
    armed = arm(host)
    change(host, run="two")
    told = rolled_back(host, armed["guard"])
    assert told["undone"] == [] and host.sysctl() == AFTER


def test_a_full_disk_does_not_keep_it_from_being_undone(host: PrivateHost) -> None:
    arm(host)
    change(host)
    host.command("dd", "if=/dev/zero", "of=/var/lib/netfit/full", "bs=64k")
    wait_until_undone(host)
    assert host.sysctl() == BEGIN and host.files() == {}
    last = json.loads(host.command("cat", "/run/netfit/guard/last.json"))
    assert (last["state"], len(last["undone"])) == ("rolled back", 3)
    assert "No such file" in host.command("cat", "/var/lib/netfit/rolled_back.json"), "the disk was not full"


def test_the_check_mode_arms_nothing(host: PrivateHost) -> None:
    assert arm(host, check=True)["changed"] is True
    assert host.command("find", "/run/netfit", "-type", "f") == ""


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"timeout": 4.9}, "timeout is 4.9; it takes 5 to 3600 seconds"),
        ({"timeout": 3601.0}, "timeout is 3601; it takes 5 to 3600 seconds"),
        ({"run": "a b"}, "run is 'a b'; it takes"),
        ({"probe": ["gateway"]}, "probe: 'gateway' is no IP address"),
    ],
)
def test_bad_input_arms_nothing(options: Dict[str, Any], said: str, host: PrivateHost) -> None:
    refused = host.run("change_guard", **{"state": "armed", "run": "one", "timeout": SECONDS, **options})
    assert said in refused["msg"]
    assert host.command("find", "/run/netfit", "-type", "f") == ""


def test_killed_while_it_is_armed_another_one_can_be(host: PrivateHost) -> None:
    total = host.writes("change_guard", state="armed", run="one", timeout=SECONDS)
    assert total > 3
    for moment in range(1, total + 1):
        host.reset()
        with pytest.raises(Killed):
            host.run("change_guard", kill_at=moment, state="armed", run="one", timeout=SECONDS)
        refused = arm(host, run="two")
        if refused.get("failed"):
            assert moment > 3 and "to be confirmed" in refused["msg"]
            time.sleep(SECONDS + 1)
            refused = arm(host, run="two")
        change(host, run="two")
        assert rolled_back(host, refused["guard"])["outcome"] == "rolled back"
        assert host.sysctl() == BEGIN


def test_killed_while_it_is_confirmed_it_is_confirmed_or_undone(host: PrivateHost) -> None:
    outcomes = set()
    total = host.writes("change_guard", state="confirmed", guard=arm(host)["guard"])
    for moment in range(1, total + 1):
        host.reset()
        assert host.sysctl(**BEGIN) == BEGIN
        armed = arm(host)
        change(host)
        with pytest.raises(Killed):
            host.run("change_guard", kill_at=moment, state="confirmed", guard=armed["guard"])
        told = rolled_back(host, armed["guard"])
        outcomes.add(told["outcome"])
        assert host.sysctl() == (AFTER if told["outcome"] == "confirmed" else BEGIN)
    assert outcomes == {"confirmed", "rolled back"}


def test_nothing_is_confirmed_while_a_change_is_being_made(host: PrivateHost) -> None:
    armed = arm(host)
    host.command("sh", "-c", "flock /run/lock/netfit sh -c 'touch /run/lock/held; sleep 2' >/dev/null 2>&1 &")
    while "No such" in host.command("ls", "/run/lock/held"):
        time.sleep(0.01)
    busy = confirm(host, armed["guard"])
    assert busy["failed"] and "not confirmed: a change is being made on this host" in busy["msg"]
    assert rolled_back(host, armed["guard"])["outcome"] == "rolled back"


def outlive_its_timer(host: PrivateHost) -> None:
    """Have the guard's time be over, and its timer killed before."""
    pending = json.loads(host.command("cat", PENDING))
    host.command("kill", "-9", str(pending["timer"]["pid"]))
    host.write(PENDING, json.dumps({**pending, "until": 1.0, "deadline": pending["deadline"] - 3600}))


def arm_another(host: PrivateHost, _guard: str) -> None:
    assert arm(host, run="two", check=True)["overdue"] == ""
    assert host.sysctl() == AFTER
    armed = arm(host, run="two")
    assert armed["overdue"].startswith("what run one had changed was undone only now: it was not confirmed within 5 s")
    assert rolled_back(host, armed["guard"])["outcome"] == "rolled back"


def confirm_late(host: PrivateHost, guard: str) -> None:
    said = confirm(host, guard)
    assert said["failed"] and "were rolled back at" in said["msg"] and "not confirmed within 5 seconds" in said["msg"]


def change_a_link(host: PrivateHost, _guard: str) -> None:
    lowered = {"links": [{"link": "lo", "mtu": 1400}], "persist": False, "run": "two"}
    assert host.run("link_mtu", check=True, **lowered)["overdue"] == "" and host.sysctl() == AFTER
    done = host.run("link_mtu", **lowered)
    assert done["changed"] and "what run one had changed was undone only now" in done["overdue"]
    host.run("change_guard", state="undone", run="two")
    assert "mtu 65536" in host.command("ip", "link", "show", "lo")


@pytest.mark.parametrize("next_one", [arm_another, confirm_late, change_a_link])
def test_who_comes_next_undoes_what_is_overdue(next_one: Callable[[PrivateHost, str], None], host: PrivateHost) -> None:
    guard = arm(host)["guard"]
    change(host)
    outlive_its_timer(host)
    next_one(host, guard)
    assert host.sysctl() == BEGIN and host.files() == {}
    assert rolled_back_record(host)[0]["reason"] == "it was not confirmed within 5 seconds"
    assert "No such file" in host.command("cat", PENDING)

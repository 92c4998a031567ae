# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Links that the real systemd-networkd, NetworkManager, ifupdown and netplan configure: their MTU lasts.

Every host is reached over the very link that is changed. A DHCP server offers each of them another MTU (option 26),
and wants its leases renewed every few seconds.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from netfit_lab import lab

ANSIBLE = Path(sys.executable).parent
WANTED, OFFERED = 1400, 1480
CONFIGURATION = "/etc/systemd/network /etc/NetworkManager /etc/network /etc/netplan /etc/dhcp /etc/dhcpcd.conf"


@dataclass(frozen=True)
class Managed:
    """How a host's link is managed. anew: makes the manager bring the link up anew. written: by us.

    without: a program that the host doesn't have.
    """

    manager: str
    anew: str
    written: tuple[str, ...]
    dhcp: bool = True
    without: str = ""


RECONFIGURED = "until journalctl -b -u systemd-networkd | grep -q 'eth0: Reconfiguring'; do sleep 0.2; done"
RELOAD = f'networkctl reload && timeout 50 sh -c "{RECONFIGURED}"'
"""As its file is another one, the link is configured anew. systemd 252 loses the address for good where a second
"networkctl reconfigure" comes in the middle of it."""
IFUPDOWN = "ifdown eth0; ifup eth0"
DROP_IN = "/etc/systemd/network/20-lan.network.d/90-netfit-mtu.conf"
OF_NETPLAN = "/etc/netplan/90-netfit-mtu.yaml"
PROFILE = "/etc/NetworkManager/system-connections/lan.nmconnection"
OF_NETWORK_MANAGER = "/etc/NetworkManager/conf.d/90-netfit-mtu.conf"
HOSTS = {
    "networkd": Managed("networkd", RELOAD, (DROP_IN,)),
    "networkd-static": Managed("networkd", RELOAD, (DROP_IN,), dhcp=False),
    "profile": Managed("network_manager", "nmcli connection up lan", (PROFILE,)),
    "no-profile": Managed("network_manager", "nmcli connection up 'Wired connection 1'", (OF_NETWORK_MANAGER,)),
    "ifupdown": Managed("ifupdown", IFUPDOWN, ("/etc/dhcp/dhclient-enter-hooks.d/netfit-mtu",)),
    "ifupdown-static": Managed("ifupdown", IFUPDOWN, ("/etc/network/interfaces.d/lan",), dhcp=False),
    "ifupdown-dhcpcd": Managed(
        "ifupdown", IFUPDOWN, ("/etc/network/interfaces", "/etc/dhcpcd.conf"), without="/sbin/dhclient"
    ),
    "netplan": Managed("netplan", RELOAD, (OF_NETPLAN,)),
    "netplan-nm": Managed("netplan", "nmcli connection up netplan-eth0", (OF_NETPLAN,)),
}
"""The hosts of the topology, but for the server."""
DOCUMENT = yaml.safe_load((Path(lab.__file__).resolve().parents[1] / "topologies" / "managers.yml").read_text())


@pytest.fixture(scope="module")
def hosts(real: None) -> Iterator[lab.Lab]:
    name = f"nf-test-managers-{os.getpid()}"
    try:
        running = lab.up(name, "managers", DOCUMENT, print)
        for host, managed in HOSTS.items():
            if managed.without:
                running.host(host).run(["mv", managed.without, f"{managed.without}.none"])
                running.reboot(host)
        yield running
    finally:
        lab.down(name, print)


def ansible(hosts: lab.Lab, module: str, options: Any, *arguments: str) -> dict[str, Any]:
    """Run a module on all managed hosts over SSH and return its results by host."""
    command = ["env", "ANSIBLE_NOCOLOR=1", str(ANSIBLE / "ansible"), ",".join(HOSTS)]
    command += ["-i", str(hosts.paths.directory / "inventory.yml"), "-m", f"netfit.cluster.{module}"]
    command += ["-a", json.dumps(options) if options else "", *arguments]
    done = hosts.controller.run(command, timeout=180, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    found = re.findall(r"^(\S+) \| \w+ => (\{$.*?^\})$", done.stdout, re.MULTILINE | re.DOTALL)
    results = {name: json.loads(result) for name, result in found}
    assert set(results) == set(HOSTS), done.stdout
    return results


def set_mtu(hosts: lab.Lab, mtu: int, *arguments: str) -> dict[str, Any]:
    links = [{"link": "eth0", "mtu": mtu}]
    return ansible(hosts, "link_mtu", {"links": links, "guard": False, "run": "once"}, *arguments)


def live(hosts: lab.Lab, name: str) -> int:
    return int(hosts.host(name).run(["cat", "/sys/class/net/eth0/mtu"]).stdout)


def configuration(hosts: lab.Lab, name: str) -> str:
    command = f'find {CONFIGURATION} -type f -exec sh -c \'stat -c "%a %n" "$1"; cat "$1"\' - {{}} \\; | sort'
    return hosts.host(name).run(["sh", "-c", command]).stdout


def address(name: str) -> str:
    return f"10.62.0.{11 + list(HOSTS).index(name)}"


def leases(hosts: lab.Lab, name: str) -> int:
    """How often the server has given or renewed a host's lease."""
    log = (hosts.host("server").root / "var/log/offers").read_text()
    return sum("DHCPACK" in line and f" {address(name)} " in line for line in log.splitlines())


def wait_until(true: Any, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def answers(hosts: lab.Lab, name: str) -> bool:
    """Whether SSH greets over the link."""
    command = f"exec 3<>/dev/tcp/{address(name)}/22 && head -c 4 <&3"
    return hosts.controller.run(["timeout", "5", "bash", "-c", command], check=False).stdout == "SSH-"


def route_mtus(hosts: lab.Lab, name: str) -> set[int]:
    """The MTUs that routes have of their own: they count more than that of the link."""
    routes = json.loads(hosts.host(name).run(["ip", "-json", "-details", "route"]).stdout)
    return {metric["mtu"] for route in routes for metric in route.get("metrics", []) if "mtu" in metric}


def began(name: str) -> int:
    """The MTU of a link before anything is done: dhcpcd gives the one that is offered to routes only."""
    return OFFERED if HOSTS[name].dhcp and name != "ifupdown-dhcpcd" else 1500


@pytest.fixture(scope="module")
def untouched(hosts: lab.Lab) -> dict[str, str]:
    """The configuration of all hosts as it began, once their links have what they begin with."""
    for name in HOSTS:
        wait_until(lambda name=name: live(hosts, name) == began(name))
    return {name: configuration(hosts, name) for name in HOSTS}


@pytest.fixture(scope="module")
def planned(hosts: lab.Lab, untouched: dict[str, str]) -> dict[str, Any]:
    """What check mode says."""
    found = set_mtu(hosts, WANTED, "--check", "--diff")
    for name in HOSTS:
        assert configuration(hosts, name) == untouched[name] and live(hosts, name) == began(name)
    return found


@pytest.fixture(scope="module")
def changed(hosts: lab.Lab, planned: dict[str, Any]) -> dict[str, Any]:
    """What the module said when it did it."""
    return set_mtu(hosts, WANTED)


@pytest.fixture(scope="module")
def rebooted(hosts: lab.Lab, changed: dict[str, Any]) -> None:
    for name in HOSTS:
        hosts.reboot(name)


@pytest.fixture(scope="module")
def undone(hosts: lab.Lab, rebooted: None) -> dict[str, Any]:
    options = {"state": "undone", "run": "once"}
    return ansible(hosts, "change_guard", options)


@pytest.mark.parametrize("name", HOSTS)
def test_check_mode_names_the_manager_and_its_files(planned: dict[str, Any], name: str) -> None:
    (link,) = planned[name]["links"]
    assert planned[name]["changed"] and planned[name]["run"] == ""
    assert (link["manager"], link["before"], link["after"]) == (HOSTS[name].manager, began(name), WANTED)
    assert link["persisted"] and planned[name]["written"] == link["files"] == list(HOSTS[name].written), link


@pytest.mark.parametrize("name", HOSTS)
def test_the_files_are_written_and_the_link_stays_up(
    hosts: lab.Lab, planned: dict[str, Any], changed: dict[str, Any], name: str
) -> None:
    assert changed[name]["links"] == planned[name]["links"]
    assert live(hosts, name) == WANTED and answers(hosts, name)


def test_a_second_time_nothing_changes(hosts: lab.Lab, changed: dict[str, Any]) -> None:
    again = set_mtu(hosts, WANTED)
    assert {name: (result["changed"], result["written"]) for name, result in again.items()} == {
        name: (False, []) for name in HOSTS
    }
    assert all(result["links"][0]["persisted"] for result in again.values())


@pytest.mark.parametrize("name", HOSTS)
def test_facts_say_which_line_declares_it(
    hosts: lab.Lab, changed: dict[str, Any], declared: dict[str, Any], name: str
) -> None:
    (found,) = [one for one in declared[name] if one["link"] == "eth0"]
    assert (found["stack"], found["value"], found["meaning"]) == (HOSTS[name].manager, WANTED, "interface")
    assert found["source"]["file"] in HOSTS[name].written and found["source"]["line"] > 0


@pytest.fixture(scope="module")
def declared(hosts: lab.Lab, changed: dict[str, Any]) -> dict[str, Any]:
    """What mtu_facts says that files declare."""
    found = ansible(hosts, "mtu_facts", {})
    return {name: result["ansible_facts"]["netfit_mtu"]["declared"] for name, result in found.items()}


@pytest.mark.parametrize("name", [name for name, managed in HOSTS.items() if managed.dhcp])
def test_a_renewed_lease_keeps_it(hosts: lab.Lab, changed: dict[str, Any], name: str) -> None:
    before = leases(hosts, name)
    wait_until(lambda: leases(hosts, name) > before + 1)
    time.sleep(0.5)
    assert live(hosts, name) == WANTED


@pytest.mark.parametrize("name", HOSTS)
def test_a_link_that_is_brought_up_anew_has_it(hosts: lab.Lab, changed: dict[str, Any], name: str) -> None:
    hosts.host(name).run(["sh", "-c", HOSTS[name].anew])
    wait_until(lambda: answers(hosts, name))
    time.sleep(1)
    assert live(hosts, name) == WANTED and max(route_mtus(hosts, name), default=0) <= WANTED


@pytest.mark.parametrize("name", HOSTS)
def test_a_reboot_gives_the_same(hosts: lab.Lab, rebooted: None, name: str) -> None:
    wait_until(lambda: answers(hosts, name))
    time.sleep(1)
    assert live(hosts, name) == WANTED and max(route_mtus(hosts, name), default=0) <= WANTED


def test_after_it_nothing_is_left_to_change(hosts: lab.Lab, rebooted: None) -> None:
    again = set_mtu(hosts, WANTED, "--check")
    assert {name: result["changed"] for name, result in again.items()} == dict.fromkeys(HOSTS, False)


def test_another_mtu_takes_its_place_in_the_same_files(hosts: lab.Lab, rebooted: None) -> None:
    other = set_mtu(hosts, 1420, "--check")
    assert {name: (result["links"][0]["before"], bool(result["written"])) for name, result in other.items()} == {
        name: (WANTED, True) for name in HOSTS
    }


@pytest.mark.parametrize("name", HOSTS)
def test_it_is_undone(hosts: lab.Lab, untouched: dict[str, str], undone: dict[str, Any], name: str) -> None:
    assert undone[name]["changed"] and configuration(hosts, name) == untouched[name]
    assert answers(hosts, name)


@pytest.mark.parametrize("name", HOSTS)
def test_a_reboot_gives_what_it_was(hosts: lab.Lab, undone: dict[str, Any], name: str) -> None:
    hosts.reboot(name)
    wait_until(lambda: live(hosts, name) == began(name) and answers(hosts, name))
    assert live(hosts, name) == began(name)

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
import shutil
import textwrap
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from netfit_lab import lab

ROOT = Path(__file__).resolve().parents[2]
WANTED, OFFERED = 1400, 1480
UTILITIES = "ansible_collections/netfit/cluster/plugins/module_utils"
CONFIGURATION = "/etc/systemd/network /etc/NetworkManager /etc/network /etc/netplan /etc/dhcp"


@dataclass(frozen=True)
class Managed:
    """How a host's link is managed. anew: makes the manager bring the link up anew. written: by us."""

    manager: str
    files: dict[str, str]
    services: tuple[str, ...]
    anew: str
    written: tuple[str, ...]
    dhcp: bool = True
    backend: str | None = None
    packages: tuple[str, ...] = ()


def text(content: str) -> str:
    return textwrap.dedent(content).lstrip("\n")


PROFILE = text("""
    # By hand.
    [connection]
    id=lan
    uuid=6c3ad1a6-4b0c-4ea6-9d67-1c1b2f7a1111
    type=ethernet
    interface-name=eth0

    [ethernet]
    wake-on-lan=0

    [ipv4]
    method=auto
    """)
NETWORK = "/etc/systemd/network/20-lan.network"
DROP_IN = f"{NETWORK}.d/90-netfit-mtu.conf"
INTERFACES = "/etc/network/interfaces"
OF_NETPLAN = "/etc/netplan/90-netfit-mtu.yaml"
PROFILE_PATH = "/etc/NetworkManager/system-connections/lan.nmconnection"
NETWORKD, NETWORK_MANAGER = ("dbus", "systemd-networkd"), ("dbus", "NetworkManager")

HOSTS = {
    "networkd": Managed(
        "networkd",
        {NETWORK: "[Match]\nName=eth0\n[Network]\nDHCP=ipv4\n[DHCPv4]\nUseMTU=yes\nClientIdentifier=mac\n"},
        NETWORKD,
        "networkctl reload && networkctl reconfigure eth0",
        (DROP_IN,),
    ),
    "networkd-static": Managed(
        "networkd",
        {NETWORK: "[Match]\nName=eth0\n[Network]\nAddress=10.62.0.12/24\n"},
        NETWORKD,
        "networkctl reload && networkctl reconfigure eth0",
        (DROP_IN,),
        dhcp=False,
    ),
    "profile": Managed(
        "network_manager", {PROFILE_PATH: PROFILE}, NETWORK_MANAGER, "nmcli connection up lan", (PROFILE_PATH,)
    ),
    "no-profile": Managed(
        "network_manager",
        {},
        NETWORK_MANAGER,
        "nmcli connection up 'Wired connection 1'",
        ("/etc/NetworkManager/conf.d/90-netfit-mtu.conf",),
    ),
    "ifupdown": Managed(
        "ifupdown",
        {INTERFACES: "auto lo\niface lo inet loopback\n\n# The only one.\nauto eth0\niface eth0 inet dhcp\n"},
        ("dbus", "networking"),
        "ifdown eth0; ifup eth0",
        ("/etc/dhcp/dhclient-enter-hooks.d/netfit-mtu",),
    ),
    "ifupdown-static": Managed(
        "ifupdown",
        {
            INTERFACES: "source /etc/network/interfaces.d/*\n",
            "/etc/network/interfaces.d/lan": "auto lo\niface lo inet loopback\n\nauto eth0\n"
            "iface eth0 inet static\n\taddress 10.62.0.16/24\n\t# The end.\n",
        },
        ("dbus", "networking"),
        "ifdown eth0; ifup eth0",
        ("/etc/network/interfaces.d/lan",),
        dhcp=False,
    ),
    "netplan": Managed(
        "netplan",
        {
            "/etc/netplan/50-cloud-init.yaml": "network:\n  version: 2\n  ethernets:\n    primary:\n"
            '      match: {name: "eth0*"}\n      dhcp4: true\n      dhcp-identifier: mac\n'
        },
        NETWORKD,
        "networkctl reload && networkctl reconfigure eth0",
        (OF_NETPLAN,),
        backend="networkd",
        packages=("netplan.io",),
    ),
    "netplan-nm": Managed(
        "netplan",
        {
            "/etc/netplan/01-all.yaml": "network:\n  version: 2\n  renderer: NetworkManager\n  ethernets:\n"
            "    eth0:\n      dhcp4: true\n"
        },
        NETWORK_MANAGER,
        "nmcli connection up netplan-eth0",
        (OF_NETPLAN,),
        backend="network_manager",
        packages=("netplan.io",),
    ),
}
SERVER = {
    "/etc/systemd/system/offers.service": "[Service]\nExecStart=/usr/sbin/dnsmasq -k -C /etc/offers.conf\n",
    "/etc/offers.conf": text(f"""
        port=0
        interface=eth0
        bind-interfaces
        dhcp-authoritative
        log-facility=/var/log/offers
        dhcp-range=10.62.0.100,10.62.0.200,120
        dhcp-option=26,{OFFERED}
        dhcp-option=58,4
        """)
    + "".join(f"dhcp-host=02:6e:66:00:0{number}:00,10.62.0.{11 + number}\n" for number in range(len(HOSTS))),
}
DOCUMENT = {
    "segments": {"lan": {"addresses": "10.62.0.0/24"}},
    "hosts": {
        **{
            name: {
                "segments": {"lan": {"bare": True}},
                "services": list(managed.services),
                "files": managed.files,
                "packages": list(managed.packages),
            }
            for name, managed in HOSTS.items()
        },
        "server": {
            "segments": ["lan"],
            "services": ["offers"],
            "files": SERVER,
            "packages": ["dnsmasq-base", "isc-dhcp-client"],
        },
    },
}
SCRIPT = text(f"""
    import json, subprocess, sys
    sys.path.insert(0, "/opt/netfit")
    from {UTILITIES.replace("/", ".")}._change.link_config_resource import link_config_changes
    from {UTILITIES.replace("/", ".")}._change.resources import RESOURCES
    from {UTILITIES.replace("/", ".")}._change.session import Session
    from {UTILITIES.replace("/", ".")}._change.undo import choose_run, plan_undo, undo
    from {UTILITIES.replace("/", ".")}._config.link_configs import declared_mtu, plan_link_config
    from {UTILITIES.replace("/", ".")}._config.link_owners import find_link_owner

    verb, mtu = sys.argv[1], int(sys.argv[2])
    index = int(open("/sys/class/net/eth0/ifindex").read())
    owner = find_link_owner("/", "eth0", index)
    declared = declared_mtu("/", owner)
    plan = plan_link_config("/", owner, mtu)
    if verb == "undo":
        run = choose_run("once")
        undo(run, plan_undo(run, RESOURCES), RESOURCES)
    else:
        changes = link_config_changes([plan])
        if verb == "change":
            subprocess.run(["ip", "link", "set", "eth0", "mtu", str(mtu)], check=True)
            with Session("once", "link_mtu", RESOURCES) as session:
                session.change_all(changes)
    print(json.dumps({{
        "owner": owner.as_fact(), "declared": declared.as_fact() if declared else None, "plan": plan.as_result(),
    }}))
    """)


@pytest.fixture(scope="module")
def hosts(real: None) -> Iterator[lab.Lab]:
    name = f"nf-test-managers-{os.getpid()}"
    try:
        running = lab.up(name, "managers", DOCUMENT, print)
        for host in HOSTS:
            shutil.copytree(ROOT / "plugins" / "module_utils", running.host(host).root / "opt/netfit" / UTILITIES)
        yield running
    finally:
        lab.down(name, print)


def do(hosts: lab.Lab, name: str, verb: str, mtu: int = WANTED) -> Any:
    done = hosts.host(name).run(["python3", "-c", SCRIPT, verb, str(mtu)])
    return json.loads(done.stdout)


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


BEGUN: dict[str, str] = {}


@pytest.mark.parametrize("name", HOSTS)
def test_the_owner_is_found_and_a_plan_changes_nothing(hosts: lab.Lab, name: str) -> None:
    managed = HOSTS[name]
    BEGUN[name] = configuration(hosts, name)
    wait_until(lambda: live(hosts, name) == (OFFERED if managed.dhcp else 1500))
    found = do(hosts, name, "plan")
    assert (found["owner"]["manager"], found["owner"]["backend"]) == (managed.manager, managed.backend)
    assert found["plan"]["written"] == list(managed.written) and found["plan"]["persisted"], found
    assert found["declared"] is None and found["plan"]["before"] is None
    assert configuration(hosts, name) == BEGUN[name] and live(hosts, name) != WANTED


@pytest.mark.parametrize("name", HOSTS)
def test_the_files_are_written_and_the_link_stays_up(hosts: lab.Lab, name: str) -> None:
    do(hosts, name, "change")
    assert live(hosts, name) == WANTED and answers(hosts, name)
    again = do(hosts, name, "change")
    assert again["plan"]["written"] == [] and again["plan"]["persisted"]
    assert again["declared"]["mtu"] == WANTED and again["declared"]["file"] in HOSTS[name].written


@pytest.mark.parametrize("name", [name for name, managed in HOSTS.items() if managed.dhcp])
def test_a_renewed_lease_keeps_it(hosts: lab.Lab, name: str) -> None:
    before = leases(hosts, name)
    wait_until(lambda: leases(hosts, name) > before + 1)
    time.sleep(0.5)
    assert live(hosts, name) == WANTED


@pytest.mark.parametrize("name", HOSTS)
def test_a_link_that_is_brought_up_anew_has_it(hosts: lab.Lab, name: str) -> None:
    hosts.host(name).run(["sh", "-c", HOSTS[name].anew])
    wait_until(lambda: answers(hosts, name))
    time.sleep(1)
    assert live(hosts, name) == WANTED


@pytest.mark.parametrize("name", HOSTS)
def test_a_reboot_gives_the_same(hosts: lab.Lab, name: str) -> None:
    hosts.reboot(name)
    time.sleep(1)
    assert live(hosts, name) == WANTED and answers(hosts, name)
    found = do(hosts, name, "plan")
    assert found["plan"]["written"] == [] and found["declared"]["mtu"] == WANTED


@pytest.mark.parametrize("name", HOSTS)
def test_another_mtu_takes_its_place(hosts: lab.Lab, name: str) -> None:
    found = do(hosts, name, "plan", 1420)
    assert found["plan"]["written"] == list(HOSTS[name].written) and found["plan"]["before"] == WANTED


@pytest.mark.parametrize("name", HOSTS)
def test_it_is_undone(hosts: lab.Lab, name: str) -> None:
    do(hosts, name, "undo")
    assert configuration(hosts, name) == BEGUN[name]
    assert answers(hosts, name)
    hosts.reboot(name)
    wait_until(lambda: live(hosts, name) == (OFFERED if HOSTS[name].dhcp else 1500))

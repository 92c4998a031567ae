#!/usr/bin/python3
# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in for Calico's CNI plugin, which no Debian package has; it runs on the lab's nodes as /opt/cni/bin/calico.

It wires a pod as Calico does: a veth whose host end is named cali and eleven hexadecimal digits, a /32 address, a
default route to 169.254.1.1 for which the host end answers ARP. It has no policy and no datastore: the pods' range
comes from flannel's subnet.env. The MTU is chosen in Calico's order: `mtu` of the configuration, else
/var/lib/calico/mtu, else the kernel's default for a veth, 1500.

Sources: the CNI specification 0.3.1; projectcalico/calico: cni-plugin/pkg/plugin/plugin.go (MTU),
cni-plugin/pkg/dataplane/linux/dataplane_linux.go (veth, routes, sysctls), libcalico-go workloadendpoint.go (name).
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
import os
import subprocess
import sys
from typing import Any, Dict, List, Optional

GATEWAY = "169.254.1.1"
HOST_HARDWARE_ADDRESS = "ee:ee:ee:ee:ee:ee"
MTU_FILE = "/var/lib/calico/mtu"
SUBNET_FILE = "/run/flannel/subnet.env"
VERSIONS = ["0.2.0", "0.3.0", "0.3.1"]
FAILED = 999


class PluginError(Exception):
    """Something that the runtime is told, and through it the person who looks why a pod does not start."""


def main() -> int:
    """Do what CNI_COMMAND says and return the exit status."""
    command = os.environ.get("CNI_COMMAND", "")
    try:
        if command == "VERSION":
            answer: Optional[Dict[str, Any]] = {"cniVersion": VERSIONS[-1], "supportedVersions": VERSIONS}
        else:
            answer = {"ADD": add, "DEL": delete, "CHECK": check}[command](json.load(sys.stdin))
    except (PluginError, KeyError, ValueError, OSError) as error:
        message = f"calico stand-in, {command}: {error}"
        json.dump({"cniVersion": VERSIONS[-1], "code": FAILED, "msg": message}, sys.stdout)
        return 1
    if answer is not None:
        json.dump(answer, sys.stdout)
    return 0


def add(configuration: Dict[str, Any]) -> Dict[str, Any]:
    """Wire a pod and return the result that the specification asks for."""
    interface, namespace = os.environ["CNI_IFNAME"], os.environ["CNI_NETNS"]
    answer = allocate(configuration, "ADD")
    address = str(ipaddress.ip_interface(answer["ips"][0]["address"]).ip)
    host_end = host_interface()
    wire(host_end, interface, namespace, address, chosen_mtu(configuration))
    return {
        "cniVersion": configuration.get("cniVersion", VERSIONS[-1]),
        "interfaces": [{"name": host_end}, {"name": interface, "sandbox": namespace}],
        "ips": [{"version": "4", "address": f"{address}/32", "interface": 1}],
        "dns": {},
    }


def delete(configuration: Dict[str, Any]) -> None:
    """Take a pod's wiring away; one that is gone already is fine."""
    allocate(configuration, "DEL")
    subprocess.run(["ip", "link", "del", host_interface()], capture_output=True, timeout=20, check=False)


def check(configuration: Dict[str, Any]) -> None:
    """Raise PluginError when a pod's host end is not there."""
    if not os.path.exists(f"/sys/class/net/{host_interface()}"):
        raise PluginError(f"there is no interface {host_interface()}")


def chosen_mtu(configuration: Dict[str, Any]) -> Optional[int]:
    """Return the MTU in bytes that pods get, None for the kernel's default."""
    if configuration.get("mtu"):
        return int(configuration["mtu"])
    if os.path.exists(MTU_FILE):
        with open(MTU_FILE, encoding="ascii") as stream:
            return int(stream.read())
    return None


def host_interface() -> str:
    """Return the name of the host end of the pod that CNI_ARGS names."""
    arguments = dict(item.split("=", 1) for item in os.environ.get("CNI_ARGS", "").split(";") if "=" in item)
    workload = f"{arguments['K8S_POD_NAMESPACE']}.{arguments['K8S_POD_NAME']}"
    return "cali" + hashlib.sha1(workload.encode()).hexdigest()[:11]


def allocate(configuration: Dict[str, Any], command: str) -> Dict[str, Any]:
    """Let the address plugin named in the configuration do its part, and return its answer."""
    addresses = dict(configuration["ipam"])
    if addresses.get("subnet") == "usePodCidr":
        addresses["subnet"] = pod_range()
    request = {
        "cniVersion": configuration.get("cniVersion", VERSIONS[-1]),
        "name": configuration["name"],
        "type": configuration["type"],
        "ipam": addresses,
    }
    for directory in os.environ["CNI_PATH"].split(":"):
        program = os.path.join(directory, addresses["type"])
        if os.path.exists(program):
            done = subprocess.run(
                [program],
                input=json.dumps(request),
                capture_output=True,
                text=True,
                timeout=20,
                check=False,
                env={**os.environ, "CNI_COMMAND": command},
            )
            if done.returncode != 0:
                raise PluginError(f"{program}: {done.stdout}{done.stderr}")
            answer: Dict[str, Any] = json.loads(done.stdout) if done.stdout.strip() else {}
            return answer
    raise PluginError(f"no {addresses['type']} in {os.environ['CNI_PATH']}")


def pod_range() -> str:
    """Return the range of this node's pods, as flannel wrote it down."""
    with open(SUBNET_FILE, encoding="ascii") as stream:
        values = dict(line.strip().split("=", 1) for line in stream if "=" in line)
    return str(ipaddress.ip_interface(values["FLANNEL_SUBNET"]).network)


def wire(host_end: str, interface: str, namespace: str, address: str, mtu: Optional[int]) -> None:
    """Make the veth and what belongs to it, on both sides."""
    size = f"mtu {mtu} " if mtu else ""
    ip(
        [],
        [
            f"link add {host_end} address {HOST_HARDWARE_ADDRESS} {size}type veth"
            f" peer name {interface} {size}netns {namespace}",
        ],
    )
    for path, value in (
        (f"ipv4/conf/{host_end}/proxy_arp", "1"),
        (f"ipv4/neigh/{host_end}/proxy_delay", "0"),
        (f"ipv4/conf/{host_end}/route_localnet", "1"),
        (f"ipv4/conf/{host_end}/forwarding", "1"),
    ):
        with open(f"/proc/sys/net/{path}", "w", encoding="ascii") as stream:
            stream.write(value)
    ip(
        ["nsenter", f"--net={namespace}"],
        [
            f"link set {interface} up",
            f"address add {address}/32 dev {interface}",
            f"route add {GATEWAY} dev {interface} scope link",
            f"route add default via {GATEWAY} dev {interface}",
        ],
    )
    ip([], [f"link set {host_end} up", f"route replace {address} dev {host_end} scope link"])


def ip(prefix: List[str], commands: List[str]) -> None:
    """Run commands of iproute2 in one go, in the network namespace that the prefix enters."""
    done = subprocess.run(
        [*prefix, "ip", "-batch", "-"],
        input="\n".join(commands) + "\n",
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    if done.returncode != 0:
        raise PluginError(f"{commands}: {done.stderr.strip()}")


if __name__ == "__main__":
    sys.exit(main())

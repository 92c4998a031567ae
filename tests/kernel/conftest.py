# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A namespace with every kind of link and route that this kernel can make, and two neighbours."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Iterator

import pytest
from backlog_world import World, free_port
from network_lab import Lab

LINKS = (
    "link add up0 mtu 1600 type veth peer name eth0 mtu 1550 netns {pod}",
    "link add up1 type veth peer name eth1 netns {far}",
    "link add inner0 type veth peer name inner1",
    "link add br0 type bridge",
    "link set br0 mtu 1400",
    "link set inner0 master br0",
    "link add port0 type veth peer name eth1 netns {pod}",
    "link set port0 master br0",
    "link add down0 type veth peer name down1",
    "link add vx4 type vxlan id 1 local 10.1.0.1 remote 10.1.0.2 dev up0 dstport 8472 df set",
    "link add vx6 type vxlan id 2 local fd01::1 remote fd01::2 dev up0 dstport 4789 df inherit",
    "link add vxgroup type vxlan id 3 group 239.1.1.1 dev up1 dstport 4789",
    "link add vxnone type vxlan id 4 dstport 4799 df unset",
    "link add vxlocal type vxlan id 16777215 local fd01::1 dstport 4800",
    "link add vxext type vxlan external dstport 4801",
    "link add vxgpe type vxlan external gpe dstport 4802",
    "link add vxmoved type vxlan id 5 local 10.1.0.1 dev up0 dstport 4803",
    "link set vxmoved netns {pod}",
    "link add mac0 link inner1 type macvlan mode bridge",
    "link add mac1 link inner1 type macvlan mode private",
    "link set mac1 netns {pod}",
)
OPTIONAL_LINKS = (
    "link add link inner1 name vlan5 type vlan id 5",
    "link add link inner1 name ipvlan0 type ipvlan",
    "link add bond0 type bond",
    "link add dummy0 type dummy",
    "link add vrf0 type vrf table 10",
    "link add gen4 type geneve id 7 remote 10.1.0.2",
    "link add gen6 type geneve id 8 remote fd01::2",
    "link add gre4 type gre local 10.1.0.1 remote 10.1.0.2 key 3 ocsum",
    "link add tap4 type gretap local 10.1.0.1 remote 10.1.0.2",
    "link add ipip4 type ipip local 10.1.0.1 remote 10.1.0.2",
    "link add sit4 type sit local 10.1.0.1 remote 10.1.0.2",
    "link add tnl6 type ip6tnl local fd01::1 remote fd01::2",
    "link add gre6 type ip6gre local fd01::1 remote fd01::2",
    "link add wg0 type wireguard",
    "link add ifb7 type ifb",
)
"""Not every kernel has them."""
UP = tuple(f"link set {name} up" for name in ("up0", "up1", "inner0", "inner1", "br0", "port0", "vx4", "vxext", "mac0"))
ADDRESSES = (
    "addr add 10.1.0.1/24 dev up0",
    "addr add fd01::1/64 dev up0 nodad",
    "addr add 10.2.0.1/24 dev up1",
    "addr add 10.2.0.9/32 dev up1 scope host",
    "addr add 10.3.0.1 peer 10.3.0.2/32 dev inner1",
    "addr add fd03::1 peer fd03::2/128 dev inner1 nodad",
    "addr add fd02::1/64 dev up1 nodad",
)
ROUTES = (
    "route add default via 10.1.0.254 metric 50 src 10.1.0.1",
    "route add 10.20.0.0/16 via 10.1.0.2 mtu 1400",
    "route add 10.21.0.0/16 via 10.1.0.2 mtu lock 1300 advmss 1200 proto static",
    "route add 10.22.0.0/16 nexthop via 10.1.0.2 weight 3 nexthop via 10.2.0.2 dev up1 weight 256",
    "route add 10.23.0.0/16 dev up1 table 100",
    "route add 10.24.0.0/16 dev up1 table 70000 scope link",
    "route add blackhole 10.25.0.0/16",
    "route add unreachable 10.26.0.0/16 table 100 metric 7",
    "route add prohibit 10.27.0.0/16",
    "route add throw 10.28.0.0/16 table 100",
    "route add 10.29.0.0/16 via inet6 fd01::9 dev up0",
    "route add 10.30.0.0/16 dev up0 congctl cubic mtu 1450",
    "route add 10.31.0.1/32 via 10.244.0.1 dev vx4 onlink",
    "route add default via fd01::fe dev up0",
    "route add fd20::/64 via fd01::2 mtu lock 1400 advmss 1300",
    "route add fd21::/64 nexthop via fd01::2 dev up0 weight 2 nexthop via fd02::2 dev up1",
    "route add blackhole fd22::/64",
    "route add fd23::/64 dev up1 table 100 metric 9",
    "nexthop add id 1 via 10.1.0.7 dev up0",
    "nexthop add id 2 via 10.2.0.7 dev up1",
    "nexthop add id 10 group 1,3/2,200",
    "route add 10.40.0.0/16 nhid 1",
    "route add 10.41.0.0/16 nhid 10",
)
HOST_SOMAXCONN = "/proc/sys/net/core/somaxconn"


@pytest.fixture(scope="module")
def zoo() -> Iterator[Lab]:
    """Namespaces host (the zoo), pod and far (its neighbours)."""
    with Lab() as lab:
        lab.add("host", "pod", "far")
        lab.ip("host", *LINKS)
        for command in OPTIONAL_LINKS:
            subprocess.run(["ip", "-n", lab.name("host"), *command.split()], capture_output=True, check=False)
        lab.ip("host", *UP)
        lab.ip("pod", "link set eth0 up", "addr add 10.1.0.2/24 dev eth0", "addr add fd01::2/64 dev eth0 nodad")
        lab.ip("pod", "link set eth1 up")
        lab.ip("far", "link set eth1 up", "addr add 10.2.0.2/24 dev eth1", "addr add fd02::2/64 dev eth1 nodad")
        lab.ip("host", *ADDRESSES)
        lab.ip("host", *ROUTES)
        yield lab


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Nothing yet."""
    with Lab() as empty:
        yield empty


@pytest.fixture
def world(lab: Lab, tmp_path: Path) -> Iterator[World]:
    """Namespaces web and other, and a host whose own somaxconn stays what it was."""
    before = Path(HOST_SOMAXCONN).read_text(encoding="ascii")
    lab.add("web", "other")
    lab.sysctl("web", "net.core.somaxconn", "1024")
    tmp_path.chmod(0o755)
    yield World(lab, tmp_path, free_port())
    assert Path(HOST_SOMAXCONN).read_text(encoding="ascii") == before

# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a key does anything on a kernel, and what the kernel reads from a text."""

from __future__ import annotations

from typing import List, Optional, Tuple

import pytest

from ansible_collections.netfit.cluster.plugins.module_utils._model.sysctl_effect import effect_of, interface_of
from ansible_collections.netfit.cluster.plugins.module_utils._model.sysctl_value import kernel_numbers

NAMES = {
    "": ["kernel", "net", "vm"],
    "net": ["core", "ipv4", "unix"],
    "net/core": ["somaxconn", "rmem_max", "netdev_max_backlog"],
    "net/ipv4": ["conf", "neigh", "tcp_rmem", "tcp_adv_win_scale", "ip_forward"],
    "net/ipv4/conf": ["all", "default", "lo"],
    "net/ipv4/conf/lo": ["rp_filter"],
}


def listing(directory: str) -> List[str]:
    return NAMES.get(directory, [])


@pytest.mark.parametrize(
    ("key", "kernel", "kind", "words"),
    [
        ("net/core/somaxconn", "6.1.0", "normal", None),
        ("net/ipv4/tcp_adv_win_scale", "6.5.13", "normal", None),
        ("net/ipv4/tcp_adv_win_scale", "6.6.0-1-amd64", "none", "obsolete since Linux 6.6"),
        ("net/ipv4/tcp_adv_win_scale", "odd", "normal", None),
        ("net/ipv4/tcp_tw_recycle", "6.1.0", "removed", "4.12"),
        ("net/ipv4/ip_conntrack_max", "6.1.0", "removed", "net.netfilter.nf_conntrack_max"),
        ("net/core/somaxcon", "6.1.0", "misspelt", "did you mean net.core.somaxconn?"),
        ("net/cores/somaxconn", "6.1.0", "misspelt", "did you mean net.core.somaxconn?"),
        ("net/ipv4/conf/lo/rp_filtr", "6.1.0", "misspelt", "did you mean net.ipv4.conf.lo.rp_filter?"),
        ("net/ipv4/something_else", "6.1.0", "unknown", "no such parameter"),
        ("net/ipv4/conf/eth7/rp_filter", "6.1.0", "not_yet", "no interface eth7"),
        ("net/netfilter/nf_conntrack_max", "6.1.0", "not_yet", "nf_conntrack"),
        ("net/bridge/bridge-nf-call-iptables", "6.1.0", "not_yet", "br_netfilter"),
        ("net/ipv6/conf/all/disable_ipv6", "6.1.0", "not_yet", "ipv6"),
    ],
)
def test_effect(key: str, kernel: str, kind: str, words: Optional[str]) -> None:
    directory, _slash, name = key.rpartition("/")
    found = effect_of(key, name in listing(directory), kernel, listing)
    assert found.kind.value == kind
    assert (found.reason is None) if words is None else (words in (found.reason or ""))


@pytest.mark.parametrize(
    ("key", "interface"),
    [
        ("net/ipv4/conf/eth0.100/mtu", "eth0.100"),
        ("net/ipv6/neigh/eth0/gc_stale_time", "eth0"),
        ("net/ipv4/conf/all/rp_filter", None),
        ("net/ipv4/conf/default/rp_filter", None),
        ("net/ipv4/tcp_rmem", None),
        ("net/core/somaxconn", None),
    ],
)
def test_interface_of_a_key(key: str, interface: Optional[str]) -> None:
    assert interface_of(key) == interface


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("4096", (4096,)),
        ("4096\t131072 6291456", (4096, 131072, 6291456)),
        ("0x1f", (31,)),
        ("010", (8,)),
        ("-1", (-1,)),
        ("0", (0,)),
        ("45 # why", (45,)),
        ("08", ()),
        ("45x", ()),
        ('"45"', ()),
        ("cubic", ()),
        ("", ()),
        ("+5", ()),
    ],
)
def test_what_the_kernel_reads(text: str, numbers: Tuple[int, ...]) -> None:
    assert kernel_numbers(text) == numbers

# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Programs that set kernel parameters after the files were read: a value at next boot is not yet the one that stays."""

from __future__ import annotations

from dataclasses import replace
from typing import Collection, List, NamedTuple, Optional, Tuple

from .._model.fact import Problem
from .._model.sysctl_effect import interface_of
from .._model.sysctl_file import SysctlWriter
from .._model.sysctl_key import is_pattern, matches
from .reading import FileReader, exists
from .tuned import read_tuned, reads_files_again

UDEV_RULES = ("/etc/udev/rules.d/99-systemd.rules", "/usr/lib/udev/rules.d/99-systemd.rules")
_FORWARDING = (
    ("net/ipv4/ip_forward", "1"),
    ("net/ipv4/conf/all/forwarding", "1"),
)
_BRIDGED = (
    ("net/bridge/bridge-nf-call-iptables", "1"),
    ("net/bridge/bridge-nf-call-ip6tables", "1"),
)
_PROXIED = (
    ("net/ipv4/conf/all/route_localnet", "1"),
    ("net/bridge/bridge-nf-call-iptables", "1"),
    ("net/netfilter/nf_conntrack_max", None),
    ("net/netfilter/nf_conntrack_tcp_timeout_established", None),
    ("net/netfilter/nf_conntrack_tcp_timeout_close_wait", None),
)


class _Program(NamedTuple):
    """processes: names under which it runs. files: its executable, where one tells that it is installed."""

    name: str
    processes: Tuple[str, ...]
    files: Tuple[str, ...]
    settings: Tuple[Tuple[str, Optional[str]], ...]
    reason: str


_PROGRAMS = (
    _Program(
        "dockerd",
        ("dockerd",),
        ("/usr/bin/dockerd", "/usr/sbin/dockerd"),
        (*_FORWARDING, *_BRIDGED),
        "dockerd turns forwarding and the filtering of bridged packets on when it starts",
    ),
    _Program(
        "kube-proxy",
        ("kube-proxy",),
        (),
        _PROXIED,
        "kube-proxy sets it when it starts: local NodePorts, bridged packets, size and timeouts of connection tracking",
    ),
    _Program(
        "k3s",
        ("k3s", "k3s-server", "k3s-agent", "rke2"),
        ("/usr/local/bin/k3s", "/usr/local/bin/rke2"),
        (*_FORWARDING, *_PROXIED),
        "k3s and RKE2 turn forwarding on and set what kube-proxy sets when they start",
    ),
)


def read_writers(root: str, running: Collection[str]) -> Tuple[List[SysctlWriter], List[Problem]]:
    """Return the known writers of the host below ``root``, and what could not be read.

    running: names of the host's processes.
    """
    reader = FileReader(root)
    writers = read_tuned(reader)
    if writers and reads_files_again(reader):
        again = "; then it sets what /run/sysctl.d, /etc/sysctl.d and /etc/sysctl.conf say once more (reapply_sysctl)"
        writers = [replace(writer, reason=writer.reason + again) for writer in writers]
    for program in _PROGRAMS:
        writers.extend(_of_program(root, program, running))
    writers.extend(_udev(root))
    return writers, reader.problems


def writers_of(writers: List[SysctlWriter], key: str) -> List[SysctlWriter]:
    """Return those that set a key (with slashes)."""
    per_interface = interface_of(key) is not None
    return [
        one for one in writers if one.key == key or (is_pattern(one.key) and per_interface and matches(one.key, key))
    ]


def _of_program(root: str, program: _Program, running: Collection[str]) -> List[SysctlWriter]:
    process = next((name for name in program.processes if name in running), None)
    file = next((path for path in program.files if exists(root, path)), None)
    if process is None and file is None:
        return []
    state = f"{process} runs here" if process is not None else "it is installed here"
    reason = f"{program.reason} ({state})"
    return [SysctlWriter(program.name, key, value, reason, file) for key, value in program.settings]


def _udev(root: str) -> List[SysctlWriter]:
    rules = next((path for path in UDEV_RULES if exists(root, path)), None)
    if rules is None:
        return []
    reason = "udev sets what sysctl.d says for an interface again whenever one of that name appears"
    return [
        SysctlWriter("udev", f"net/{family}/{kind}/*/*", None, reason, rules)
        for family in ("ipv4", "ipv6")
        for kind in ("conf", "neigh")
    ]

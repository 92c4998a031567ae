# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Reading the NodePorts that kube-proxy has told the kernel about, in the network namespace of the calling thread.

Nothing is changed, and no part of the kernel is loaded or switched on for it: iptables-legacy-save would register the
table that it is asked for, and each of the programs loads the module that it speaks with. So nft is asked first, and
the others only where their tables are known to be there.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import partial
from typing import Callable, Collection, List, Optional, Sequence, Set, Tuple

from .._model.fact import Problem
from .._model.node_port import NodePort
from .commands import output_of
from .iptables_save import LEGACY, NFT, find_save_command
from .kube_proxy_iptables import ENTRY, parse_nat_table
from .kube_proxy_ipvs import PortSets, parse_port_sets, parse_virtual_servers
from .kube_proxy_nft import TABLE, parse_proxy_table
from .modules import is_in_kernel
from .nft import Table, find_nft, read_tables

SUBJECT = "NodePorts"
SECONDS = 20.0
"""For one command: a large cluster has a hundred thousand rules."""
MOST_ENDPOINTS = 4096
NET = "/proc/thread-self/net"
FAMILIES = {"ipv4": "ip", "ipv6": "ip6"}
"""Ours, and nft's and the kernel's words for them."""
IPVS_LINK = "kube-ipvs0"


@dataclass
class _Look:
    """One look: what was found, and whether kube-proxy left anything at all.

    missing: why some of its modes could not be looked at. failed: what went wrong, which matters only with kube-proxy.
    """

    found: List[NodePort] = field(default_factory=list)
    seen: bool = False
    missing: Set[str] = field(default_factory=set)
    failed: List[str] = field(default_factory=list)
    problems: List[Problem] = field(default_factory=list)

    def attempt(self, read: Callable[[], None]) -> None:
        """Call a reader; what it cannot do is kept, and the rest goes on."""
        try:
            read()
        except (OSError, ValueError) as error:
            self.failed.append(str(error))

    def conclude(self, running: bool) -> None:
        """Make problems of what a host with kube-proxy has to answer for. running: whether it is known to run."""
        if running or self.seen:
            self.problems.extend(Problem(SUBJECT, reason) for reason in self.failed)
        if running and not self.seen and self.missing:
            reason = f"kube-proxy runs here, and its rules cannot be read: {' and '.join(sorted(self.missing))}"
            self.problems.append(Problem(SUBJECT, reason))

    def add(self, ports: Sequence[NodePort]) -> None:
        """Keep what is new: rules that an earlier mode left behind do not come first."""
        known = {(one.family, one.protocol, one.port) for one in self.found}
        self.found.extend(one for one in ports if (one.family, one.protocol, one.port) not in known)


def read_node_ports(
    addresses: Collection[str], links: Collection[str], running: bool
) -> Tuple[List[NodePort], List[Problem]]:
    """Return the NodePorts of this node, with endpoints of which only address, port and share are known.

    addresses: the node's own, without those of kube-ipvs0. links: names of its links. running: whether kube-proxy is
    known to run here; what cannot be read is a problem only then, or where kube-proxy's chains are seen.
    """
    look = _Look()
    tables = _nft_tables(look)
    for family in FAMILIES:
        look.attempt(partial(_read_nftables, look, family, tables))
    for family in FAMILIES:
        look.attempt(partial(_read_iptables_nft, look, family, tables))
        look.attempt(partial(_read_iptables_legacy, look, family))
    look.attempt(partial(_read_ipvs, look, addresses, links))
    look.conclude(running)
    return _bounded(look)


def _nft_tables(look: _Look) -> Optional[List[Table]]:
    """Return the tables of nf_tables, none where it is not in the kernel; None where nobody can tell."""
    if not is_in_kernel("nf_tables"):
        return []
    if find_nft() is None:
        look.missing.add("nft is not installed (package nftables)")
        return None
    try:
        return read_tables()
    except (OSError, ValueError) as error:
        look.missing.add(str(error))
        return None


def _read_nftables(look: _Look, family: str, tables: Optional[List[Table]]) -> None:
    table = Table(FAMILIES[family], TABLE)
    if table not in (tables or ()):
        return
    look.seen = True
    words = ("-j", "list", "table", table.family, table.name)
    text = output_of(find_nft() or "nft", *words, seconds=SECONDS)
    look.add(parse_proxy_table(text, family, f"nft {' '.join(words)}"))


def _read_iptables_nft(look: _Look, family: str, tables: Optional[List[Table]]) -> None:
    table = Table(FAMILIES[family], "nat")
    if tables is not None and table not in tables:
        return
    command = find_save_command(NFT, family)
    try:
        if command is not None:
            _read_saved(look, family, command)
            return
        reason = "iptables-save for nf_tables is not installed (package iptables)"
    except OSError as error:
        reason = str(error)
    if tables is None:
        look.missing.add(reason)
    elif _has_entry_chain(table):
        look.seen = True
        look.problems.append(Problem(SUBJECT, f"kube-proxy's chain {ENTRY} is in table {table}: {reason}"))


def _has_entry_chain(table: Table) -> bool:
    """Tell whether kube-proxy's chain is there; nft cannot tell where rules of iptables lead."""
    text = output_of(find_nft() or "nft", "-j", "list", "chains", table.family, seconds=SECONDS)
    try:
        chains = [entry["chain"] for entry in json.loads(text)["nftables"] if "chain" in entry]
        return any(chain["table"] == table.name and chain["name"] == ENTRY for chain in chains)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"not what nft -j prints: {error}") from error


def _read_iptables_legacy(look: _Look, family: str) -> None:
    if "nat" not in _lines(f"{NET}/{FAMILIES[family]}_tables_names"):
        return
    command = find_save_command(LEGACY, family)
    if command is None:
        look.missing.add("iptables-save for the legacy tables is not installed (package iptables)")
        return
    _read_saved(look, family, command)


def _read_saved(look: _Look, family: str, command: Tuple[str, ...]) -> None:
    words = (*command, "-t", "nat")
    text = output_of(*words, seconds=SECONDS)
    look.seen |= f"\n:{ENTRY} " in text
    names = " ".join([words[0].rsplit("/", 1)[-1], *words[1:]])
    look.add(parse_nat_table(text, family, names))


def _read_ipvs(look: _Look, addresses: Collection[str], links: Collection[str]) -> None:
    """IPVS lists its servers where it is in the kernel; without kube-proxy's link they are somebody else's."""
    lines = _lines(f"{NET}/ip_vs") if IPVS_LINK in links else []
    if not lines:
        return
    look.seen = True
    text = "\n".join(lines)
    if not parse_virtual_servers(text, addresses, None):
        return
    sets: Optional[PortSets] = None
    try:
        sets = parse_port_sets(output_of("ipset", "save", seconds=SECONDS))
    except OSError as error:
        reason = f"kube-proxy's sets cannot be read, so that externalTrafficPolicy is not known: {error}"
        look.problems.append(Problem(SUBJECT, reason))
    look.add(parse_virtual_servers(text, addresses, sets))


def _lines(path: str) -> List[str]:
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return file.read().splitlines()
    except OSError:
        return []


def _bounded(look: _Look) -> Tuple[List[NodePort], List[Problem]]:
    kept: List[NodePort] = []
    size = 0
    for one in look.found:
        size += 1 + len(one.endpoints)
        if size > MOST_ENDPOINTS:
            reason = (
                f"only the first {len(kept)} of {len(look.found)} are listed: with their endpoints they are too many"
            )
            look.problems.append(Problem(SUBJECT, reason))
            break
        kept.append(one)
    return kept, look.problems

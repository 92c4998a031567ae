# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Building the view of one host from its facts."""

from __future__ import annotations

from typing import Dict, Optional, Tuple

from ...module_utils._model.owner import Owner, OwnerKind
from . import plain
from .plain import Record
from .read_node_ports import view_node_ports
from .sysctl_view import view_sysctl_files
from .view import (
    DeclaredView,
    ExceptionView,
    HostView,
    LinkView,
    ListenerView,
    NetworkView,
    PeerEnd,
    ProblemView,
    QueueView,
    RolledBackView,
    RouteView,
    SysctlView,
    Tunnel,
)

FACT_NAMES = ("netfit_mtu", "netfit_sysctl", "netfit_listen_queues")


def _tunnel(fact: Record) -> Optional[Tunnel]:
    if not fact:
        return None
    return Tunnel(
        kind=plain.text(fact, "kind") or "tunnel",
        overhead=plain.whole(fact, "overhead"),
        identifier=plain.whole(fact, "identifier"),
        dont_fragment=plain.text(fact, "dont_fragment"),
        collect_metadata=fact.get("collect_metadata") is True,
        underlay=plain.text(fact, "underlay"),
        underlay_mtu=plain.whole(fact, "underlay_mtu"),
        underlay_family=plain.text(fact, "underlay_family") or "ipv4",
    )


def _peer(fact: Record) -> Optional[PeerEnd]:
    if not fact:
        return None
    return PeerEnd(
        namespace=plain.whole(fact, "namespace"),
        index=plain.whole(fact, "index"),
        name=plain.text(fact, "name"),
        mtu=plain.whole(fact, "mtu"),
    )


def _addresses(fact: Record) -> Tuple[Tuple[str, int], ...]:
    found = [
        (plain.text(entry, "address"), plain.whole(entry, "prefix_length"))
        for entry in plain.records(fact, "addresses")
    ]
    return tuple((address, length) for address, length in found if address is not None and length is not None)


def _links(namespace: int, fact: Record) -> Tuple[LinkView, ...]:
    found = []
    for entry in plain.records(fact, "links"):
        name, mtu = plain.text(entry, "name"), plain.whole(entry, "mtu")
        if name is None or mtu is None:
            continue
        found.append(
            LinkView(
                namespace=namespace,
                index=plain.whole(entry, "index"),
                name=name,
                kind=plain.text(entry, "kind") or "unknown",
                mtu=mtu,
                up=entry.get("up", True) is True,
                operational_state=plain.text(entry, "operational_state") or "unknown",
                master=plain.text(entry, "bridge") or plain.text(entry, "master"),
                peer=_peer(plain.record(entry, "peer")),
                tunnel=_tunnel(plain.record(entry, "encapsulation")),
                addresses=_addresses(entry),
            )
        )
    return tuple(found)


def _routes(fact: Record) -> Tuple[RouteView, ...]:
    found = []
    for entry in plain.records(fact, "routes"):
        destination = plain.text(entry, "destination")
        if destination is None or (plain.text(entry, "type") or "unicast") != "unicast":
            continue
        legs = [entry, *plain.records(entry, "next_hops")]
        devices = [plain.text(leg, "device") for leg in legs]
        gateways = [plain.text(leg, "gateway") for leg in legs]
        found.append(
            RouteView(
                family=plain.text(entry, "family") or ("ipv6" if ":" in destination else "ipv4"),
                destination=destination,
                devices=tuple(device for device in devices if device is not None),
                gateways=tuple(gateway for gateway in gateways if gateway is not None),
                mtu=plain.whole(entry, "mtu") or None,
                priority=plain.whole(entry, "priority") or 0,
                table=plain.whole(entry, "table") or 254,
            )
        )
    return tuple(found)


def _exceptions(fact: Record) -> Tuple[ExceptionView, ...]:
    found = [
        (plain.text(entry, "destination"), plain.whole(entry, "mtu"), plain.text(entry, "device"))
        for entry in plain.records(fact, "path_mtu_exceptions")
    ]
    return tuple(
        ExceptionView(destination, mtu, device)
        for destination, mtu, device in found
        if destination is not None and mtu is not None
    )


def _networks(fact: Record) -> Tuple[NetworkView, ...]:
    found = []
    for entry in plain.records(fact, "namespaces"):
        inode = plain.whole(entry, "inode")
        if inode is not None:
            found.append(
                NetworkView(
                    inode,
                    plain.owner(entry),
                    tuple(plain.texts(entry, "paths")),
                    _links(inode, entry),
                    _routes(entry),
                    _exceptions(entry),
                )
            )
    return tuple(found)


def _declared(fact: Record) -> Tuple[DeclaredView, ...]:
    found = []
    for entry in plain.records(fact, "declared"):
        value, source = plain.whole(entry, "value"), plain.record(entry, "source")
        path, line, key = plain.text(source, "file"), plain.whole(source, "line"), plain.text(source, "key")
        if value is None:
            continue
        place = (path or "unknown file") + (f":{line}" if line is not None else "") + (f" {key}" if key else "")
        found.append(
            DeclaredView(
                stack=plain.text(entry, "stack") or "unknown",
                value=value,
                meaning=plain.text(entry, "meaning") or "",
                source=place,
                path=path,
                link=plain.text(entry, "link"),
                network=plain.text(entry, "network"),
                active=entry.get("active", True) is True,
            )
        )
    return tuple(found)


def _listeners(fact: Record, namespace_owner: Owner) -> Tuple[ListenerView, ...]:
    found = []
    for entry in plain.records(fact, "listeners"):
        address, port = plain.text(entry, "address"), plain.whole(entry, "port")
        backlog = plain.whole(entry, "effective_backlog")
        if address is None or port is None or backlog is None:
            continue
        owner = plain.owner(entry)
        found.append(
            ListenerView(
                family=plain.text(entry, "family") or "ipv4",
                address=address,
                port=port,
                effective_backlog=backlog,
                queue=plain.whole(entry, "queue") or 0,
                syn_queue=plain.whole(entry, "syn_queue") or 0,
                drops=plain.whole(entry, "drops"),
                drop_rate=plain.number(entry, "drop_rate"),
                program=plain.text(plain.record(entry, "process"), "name"),
                unit=plain.text(entry, "unit"),
                owner=owner if owner.kind is not OwnerKind.UNKNOWN else namespace_owner,
            )
        )
    return tuple(found)


def _queues(fact: Record) -> Tuple[QueueView, ...]:
    found = []
    for entry in plain.records(fact, "namespaces"):
        inode, owner = plain.whole(entry, "inode"), plain.owner(entry)
        if inode is not None:
            found.append(
                QueueView(
                    inode,
                    owner,
                    tuple(plain.texts(entry, "paths")),
                    plain.whole(entry, "somaxconn"),
                    plain.whole(entry, "syncookies"),
                    plain.whole(entry, "max_syn_backlog"),
                    _listeners(entry, owner),
                    plain.numbers(entry, "counters"),
                    plain.numbers(entry, "rates"),
                )
            )
    return tuple(found)


def _sysctls(fact: Record) -> Tuple[SysctlView, ...]:
    found = []
    for entry in plain.records(fact, "namespaces"):
        inode, readings = plain.whole(entry, "inode"), plain.record(entry, "values")
        if inode is None:
            continue
        values: Dict[str, str] = {}
        writable: Dict[str, bool] = {}
        for key in readings:
            reading = plain.record(readings, key)
            value = reading.get("value")
            if isinstance(value, (str, int)) and not isinstance(value, bool) and str(value).strip():
                values[str(key)] = str(value).strip()
                writable[str(key)] = reading.get("writable") is not False
        found.append(SysctlView(inode, plain.owner(entry), tuple(plain.texts(entry, "paths")), values, writable))
    return tuple(found)


def _problems(facts: Record) -> Tuple[ProblemView, ...]:
    found = []
    for name in FACT_NAMES:
        for entry in plain.records(plain.record(facts, name), "problems"):
            found.append(
                ProblemView(
                    name,
                    plain.text(entry, "subject") or "something",
                    plain.text(entry, "reason") or "no reason given",
                    plain.text(entry, "path"),
                )
            )
    return tuple(found)


def _rolled_back(guard: Record) -> Tuple[RolledBackView, ...]:
    return tuple(
        RolledBackView(
            plain.text(entry, "run") or "without a name",
            plain.text(entry, "moment"),
            plain.text(entry, "reason") or "no reason given",
            tuple(plain.texts(entry, "changes")),
        )
        for entry in plain.records(guard, "rolled_back")
    )


def view_host(name: str, facts: Record) -> HostView:
    """Turn ``ansible_facts`` of one host into its view. Never raises on what a fact lacks."""
    mtu, sysctl, queues = (plain.record(facts, fact) for fact in FACT_NAMES)
    kernels = [
        plain.text(fact, "kernel") or plain.text(plain.record(fact, "kernel"), "release")
        for fact in (mtu, sysctl, queues)
    ]
    scopes = plain.record(sysctl, "scopes")
    return HostView(
        name=name,
        kernel=next((kernel for kernel in kernels if kernel is not None), ""),
        networks=_networks(mtu),
        declared=_declared(mtu),
        queues=_queues(queues),
        sysctls=_sysctls(sysctl),
        scopes={str(key): str(scopes[key]) for key in scopes},
        problems=_problems(facts),
        missing=tuple(fact for fact in FACT_NAMES if not plain.record(facts, fact)),
        sysctl_files=view_sysctl_files(plain.record(sysctl, "files")),
        rolled_back=_rolled_back(plain.record(mtu, "guard")),
        node_ports=view_node_ports(mtu),
    )

# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a lab consists of, read from YAML and checked before anything is built."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from . import checks
from .errors import BadTopology

DEFAULT_MTU = 1500
FIRST_HOST = 11
"""Hosts get the addresses of a segment from this offset on; routers get those from 1 on."""
CONTROLLER = "controller"
BRIDGE_NAME_LONGEST = 12
"""Characters: a bridge is called nf-<segment>, and the kernel allows 15 (IFNAMSIZ, include/uapi/linux/if.h)."""
TOP_KEYS = ("description", "segments", "routers", "hosts", "controller")
HOST_KEYS = ("groups", "segments", "python", "services", "packages", "files", "variables")
_RANGE = re.compile(r"(.*)\[(\d+):(\d+)\](.*)")


@dataclass(frozen=True)
class Segment:
    """One broadcast domain. mtu: bytes, of its bridge and of the bridge's ports."""

    name: str
    addresses: ipaddress.IPv4Network
    mtu: int = DEFAULT_MTU

    @property
    def controller_address(self) -> ipaddress.IPv4Interface:
        """The controller's address here: the last usable one."""
        return self.interface(self.addresses.num_addresses - 2)

    def interface(self, offset: int) -> ipaddress.IPv4Interface:
        """Return the address at this offset in the range, with the prefix length."""
        return ipaddress.IPv4Interface(f"{self.addresses[offset]}/{self.addresses.prefixlen}")


@dataclass(frozen=True)
class Attachment:
    """A link of a host or router into a segment. mtu: bytes, of the end inside the host. link: eth0, eth1 ...

    bare: it has no address and is down, for a program on the host to configure; its address is kept free for that.
    """

    segment: str
    address: ipaddress.IPv4Interface
    mtu: int
    link: str
    bare: bool = False


@dataclass(frozen=True)
class Router:
    """Forwards between its segments. icmp: False for one that never sends ICMP, as many clouds' do not."""

    name: str
    attachments: tuple[Attachment, ...]
    icmp: bool = True


@dataclass(frozen=True)
class HostPlan:
    """One host. services: systemd units to start at boot. packages: Debian packages that it cannot do without.

    python: absolute path, or a name that is looked up on this machine; the inventory pins it.
    files: what is written before the first boot, text by absolute path. variables: of the host in the inventory.
    """

    name: str
    attachments: tuple[Attachment, ...]
    groups: tuple[str, ...] = ()
    python: str = "/usr/bin/python3"
    services: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, Any] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """The address by which the controller reaches the host: that of its first link."""
        return str(self.attachments[0].address.ip)


@dataclass(frozen=True)
class Topology:
    """Everything that a lab is built from.

    controller: the segments that it is in. extensions: the parts that features build, by key, as the YAML has them.
    """

    name: str
    segments: Mapping[str, Segment]
    routers: Mapping[str, Router]
    hosts: Mapping[str, HostPlan]
    controller: tuple[str, ...]
    description: str = ""
    extensions: Mapping[str, Any] = field(default_factory=dict)


def parse(name: str, document: Any, extension_keys: Collection[str] = ()) -> Topology:
    """Return the topology that a parsed YAML document describes.

    extension_keys: top-level keys that features take care of. Raises BadTopology naming the place and the value.
    """
    checks.name("name of the topology", name)
    top = checks.mapping("topology", document)
    checks.known_keys("topology", top, (*TOP_KEYS, *extension_keys))
    segments = {key: _segment(key, value) for key, value in checks.mapping("segments", top.get("segments")).items()}
    if not segments:
        raise BadTopology("segments: at least one is needed")
    taken = {segment.name: {segment.controller_address.ip: CONTROLLER} for segment in segments.values()}
    builder = _Builder(segments, taken)
    routers = {key: builder.router(key, value) for key, value in checks.mapping("routers", top.get("routers")).items()}
    hosts = {}
    written = _expand(checks.mapping("hosts", top.get("hosts")))
    for key, value in written.items():
        hosts[key] = builder.host(key, value)
    if not hosts:
        raise BadTopology("hosts: at least one is needed")
    for key in (*hosts, *routers):
        if key == CONTROLLER or (key in hosts and key in routers):
            raise BadTopology(f"hosts: the name {key!r} is taken{' by the lab itself' if key == CONTROLLER else ''}")
    description = checks.text("description", top.get("description", ""))
    extensions = {key: top[key] for key in extension_keys if key in top}
    return Topology(name, segments, routers, hosts, _controller(top, segments), description, extensions)


def _controller(top: dict[str, Any], segments: Mapping[str, Segment]) -> tuple[str, ...]:
    """Return the segments of the controller: all, so that no router stands between it and a host, unless it says."""
    fields = checks.mapping("controller", top.get("controller"))
    checks.known_keys("controller", fields, ("segments",))
    wanted = checks.texts("controller.segments", fields.get("segments")) or tuple(segments)
    checks.known_keys("controller.segments", dict.fromkeys(wanted), segments)
    return wanted


def _segment(name: str, value: Any) -> Segment:
    where = f"segments.{checks.name('segments', name, BRIDGE_NAME_LONGEST)}"
    fields = checks.mapping(where, value)
    checks.known_keys(where, fields, ("addresses", "mtu"))
    written = fields.get("addresses")
    try:
        addresses = ipaddress.IPv4Network(checks.text(f"{where}.addresses", written))
    except ValueError as error:
        raise BadTopology(f"{where}.addresses: an IPv4 range such as 10.44.0.0/24 is needed: {error}") from error
    if addresses.prefixlen > 27:
        raise BadTopology(f"{where}.addresses: {written} is too small, a /27 or larger is needed")
    return Segment(name, addresses, checks.mtu(f"{where}.mtu", fields.get("mtu", DEFAULT_MTU)))


def _expand(hosts: dict[str, Any]) -> dict[str, Any]:
    """Write out node[01:60] as node01 ... node60, as Ansible's inventories do."""
    written: dict[str, Any] = {}
    for key, value in hosts.items():
        match = _RANGE.fullmatch(key)
        names = [key]
        if match:
            before, first, last, after = match.groups()
            if int(first) > int(last):
                raise BadTopology(f"hosts: {key!r} ends before it begins")
            names = [f"{before}{number:0{len(first)}d}{after}" for number in range(int(first), int(last) + 1)]
        for name in names:
            if name in written:
                raise BadTopology(f"hosts: {name!r} is there twice")
            written[name] = value
    return written


class _Builder:
    """Gives out addresses while routers and hosts are read, in the order of the file."""

    def __init__(self, segments: dict[str, Segment], taken: dict[str, dict[ipaddress.IPv4Address, str]]) -> None:
        self._segments = segments
        self._taken = taken

    def router(self, name: str, value: Any) -> Router:
        where = f"routers.{checks.name('routers', name)}"
        fields = checks.mapping(where, value)
        checks.known_keys(where, fields, ("segments", "icmp"))
        icmp = fields.get("icmp", "all")
        if icmp not in ("all", "none"):
            raise BadTopology(f"{where}.icmp: 'all' or 'none' is needed, not {icmp!r}")
        attachments = self._attachments(where, name, fields.get("segments"), 1)
        if any(attachment.bare for attachment in attachments):
            raise BadTopology(f"{where}.segments: the links of a router cannot be bare, for nobody configures them")
        return Router(name, attachments, icmp == "all")

    def host(self, name: str, value: Any) -> HostPlan:
        where = f"hosts.{checks.name('hosts', name)}"
        fields = checks.mapping(where, value)
        checks.known_keys(where, fields, HOST_KEYS)
        groups = checks.texts(f"{where}.groups", fields.get("groups"))
        for group in groups:
            if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", group) or group in ("all", "ungrouped"):
                raise BadTopology(f"{where}.groups: {group!r} is no name of a group (letters, digits, _)")
        return HostPlan(
            name,
            self._attachments(where, name, fields.get("segments"), FIRST_HOST),
            groups,
            checks.text(f"{where}.python", fields.get("python", "/usr/bin/python3")),
            checks.texts(f"{where}.services", fields.get("services")),
            checks.texts(f"{where}.packages", fields.get("packages")),
            _files(f"{where}.files", fields.get("files")),
            checks.mapping(f"{where}.variables", fields.get("variables")),
        )

    def _attachments(self, where: str, owner: str, value: Any, first: int) -> tuple[Attachment, ...]:
        where = f"{where}.segments"
        if value is None and len(self._segments) > 1:
            raise BadTopology(f"{where}: there are several segments, say which")
        wanted = list(self._segments) if value is None else value
        written: dict[str, Any] = dict.fromkeys(wanted) if isinstance(wanted, list) else checks.mapping(where, wanted)
        if not written:
            raise BadTopology(f"{where}: at least one is needed")
        checks.known_keys(where, written, self._segments)
        return tuple(
            self._attachment(f"{where}.{name}", owner, self._segments[name], fields, first, f"eth{number}")
            for number, (name, fields) in enumerate(written.items())
        )

    def _attachment(self, where: str, owner: str, segment: Segment, value: Any, first: int, link: str) -> Attachment:
        fields = checks.mapping(where, value)
        checks.known_keys(where, fields, ("address", "mtu", "bare"))
        taken = self._taken[segment.name]
        if "address" in fields:
            address = _address(f"{where}.address", fields["address"], segment)
        else:
            free = (
                offset
                for offset in range(first, segment.addresses.num_addresses - 1)
                if segment.addresses[offset] not in taken
            )
            offset = next(free, None)
            if offset is None:
                raise BadTopology(f"{where}: no address is left in {segment.addresses}")
            address = segment.interface(offset)
        if address.ip in taken:
            raise BadTopology(f"{where}.address: {address.ip} already belongs to {taken[address.ip]}")
        taken[address.ip] = owner
        mtu = checks.mtu(f"{where}.mtu", fields.get("mtu", segment.mtu))
        bare = checks.boolean(f"{where}.bare", fields.get("bare", False))
        return Attachment(segment.name, address, mtu, link, bare)


def _files(where: str, value: Any) -> dict[str, str]:
    files = checks.mapping(where, value)
    for path, text in files.items():
        if not path.startswith("/") or ".." in path.split("/"):
            raise BadTopology(f"{where}: {path!r} is no absolute path")
        checks.text(f"{where}.{path}", text)
    return files


def _address(where: str, value: Any, segment: Segment) -> ipaddress.IPv4Interface:
    try:
        address = ipaddress.IPv4Address(checks.text(where, value))
    except ValueError as error:
        raise BadTopology(f"{where}: an IPv4 address is needed: {error}") from error
    if address not in segment.addresses:
        raise BadTopology(f"{where}: {address} is outside of {segment.addresses}")
    return ipaddress.IPv4Interface(f"{address}/{segment.addresses.prefixlen}")

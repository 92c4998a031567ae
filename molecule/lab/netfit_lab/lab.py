# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab: its hosts and networks as one thing that is brought up, used and taken down."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from . import checks, control_groups, features, inotify, inventory, keeper, network, readiness, requirements, state
from .errors import CommandFailed, HostFailed, LabError, NoSuchThing
from .host import Controller, Host
from .host_files import HostFiles
from .keeper import Keeper
from .processes import identify
from .state import Paths
from .topology import CONTROLLER, Topology, parse

BOOT_TIMEOUT = 60.0
"""Seconds for a few hosts; each further one adds BOOT_TIMEOUT_EACH."""
BOOT_TIMEOUT_EACH = 3.0

Say = Callable[[str], None]


@dataclass(frozen=True)
class Lab:
    """A lab that is up (or was, before something killed its hosts)."""

    paths: Paths
    topology: Topology
    keeper: Keeper

    @property
    def name(self) -> str:
        """The lab's name."""
        return self.paths.name

    @property
    def hosts(self) -> dict[str, Host]:
        """The hosts by name."""
        return {name: Host(plan, self.keeper) for name, plan in self.topology.hosts.items()}

    @property
    def controller(self) -> Controller:
        """Where Ansible runs."""
        return Controller(self.keeper)

    def host(self, name: str) -> Host:
        """Return a host. Raises NoSuchThing."""
        if name not in self.topology.hosts:
            raise NoSuchThing(f"lab {self.name!r} has no host {name!r}{checks.nearest(name, self.topology.hosts)}")
        return Host(self.topology.hosts[name], self.keeper)

    def reboot(self, name: str) -> None:
        """Cut a host's power, and boot it again from the layer that it has written. Raises HostFailed."""
        with state.lock(self.paths):
            host = self.host(name)
            host.kill()
            network.plug_in_again(self.keeper, self.topology, name)
            _boot(self, [host])
            for key, feature in features.installed().items():
                if key in self.topology.extensions:
                    feature.after_reboot(self, self.topology.extensions[key], host)


def read_topology(name: str, document: Any) -> Topology:
    """Return the checked topology of a parsed YAML document, features included. Raises BadTopology."""
    installed = features.installed()
    topology = parse(name, document, tuple(installed))
    hosts = dict(topology.hosts)
    for key, value in topology.extensions.items():
        installed[key].check(value, topology)
        for host, services in installed[key].services(value, topology).items():
            hosts[host] = replace(hosts[host], services=tuple(dict.fromkeys((*hosts[host].services, *services))))
    return replace(topology, hosts=hosts)


def up(name: str, topology_name: str, document: Any, say: Say) -> Lab:
    """Build a lab and wait until it is usable; what was begun is taken down again when that fails. Raises LabError."""
    topology = read_topology(topology_name, document)
    packages = [
        package
        for key, value in topology.extensions.items()
        for package in features.installed()[key].packages(value, topology)
    ]
    requirements.check(topology, packages)
    paths = Paths(checks.name("name of the lab", name))
    with state.lock(paths):
        if any(paths.directory.iterdir()):
            raise LabError(f"lab {name!r} exists; `lab down {name}` removes it")
        try:
            return _build(paths, topology, document, say)
        except BaseException:
            _remove(paths, say)
            raise


def _build(paths: Paths, topology: Topology, document: Any, say: Say) -> Lab:
    begun = time.monotonic()
    raised = inotify.raise_limit(len(topology.hosts) + sum(_recorded_hosts(lab) for lab in state.labs()))
    if raised:
        say(raised)
    record: dict[str, Any] = {
        "topology": topology.name,
        "document": document,
        "hosts": len(topology.hosts),
    }
    state.write_record(paths, record)
    for directory in (paths.keys, paths.private, paths.control_sockets, paths.console("x").parent):
        directory.mkdir(mode=0o700)
    _make_keys(paths, topology)
    unstarted = keeper.prepare(paths, [*topology.hosts, *topology.routers, CONTROLLER])
    identity = identify(unstarted.pid)
    if identity is None:
        raise CommandFailed("the keeper of the lab ended at once")
    state.write_record(paths, {**record, "keeper": state.identity_as_record(identity)})
    unstarted.go()
    lab = Lab(paths, topology, Keeper(identity, paths))
    network.build(lab.keeper, topology)
    say(f"lab {lab.name}: networks are there after {time.monotonic() - begun:.1f} s, booting {len(lab.hosts)} hosts")
    _boot(lab, lab.hosts.values())
    for key, feature in features.installed().items():
        if key in topology.extensions:
            feature.start(lab, topology.extensions[key])
    state.write_record(paths, {**record, "keeper": state.identity_as_record(identity), "complete": True})
    say(f"lab {lab.name}: {len(lab.hosts)} hosts are up after {time.monotonic() - begun:.1f} s")
    return lab


def _recorded_hosts(lab: str) -> int:
    return int(state.read_record(Paths(lab)).get("hosts", 0))


def _make_keys(paths: Paths, topology: Topology) -> None:
    for name in ("id", "host"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"nf-lab-{paths.name}-{name}"]
        subprocess.run([*command, "-f", str(paths.keys / name)], check=True, timeout=30, stdin=subprocess.DEVNULL)
    public = (paths.keys / "host.pub").read_text()
    paths.known_hosts.write_text(inventory.known_hosts(topology, public))
    (paths.directory / "inventory.yml").write_text(inventory.as_yaml(paths, topology))


def _boot(lab: Lab, hosts: Iterable[Host]) -> None:
    keys = lab.paths.keys
    names = "".join(f"{host.address} {host.name}\n" for host in lab.topology.hosts.values())
    booted = list(hosts)
    for host in booted:
        host.boot(
            HostFiles(
                name=host.name,
                services=host.plan.services,
                hosts_file=f"127.0.0.1 localhost\n::1 localhost ip6-localhost\n{names}",
                host_key=(keys / "host").read_text(),
                host_public_key=(keys / "host.pub").read_text(),
                authorized_key=(keys / "id.pub").read_text(),
                files=host.plan.files,
            )
        )
    timeout = BOOT_TIMEOUT + BOOT_TIMEOUT_EACH * len(booted)
    readiness.wait_for_sshd(booted, timeout)
    readiness.wait_for_services(booted, timeout)


def load(name: str) -> Lab:
    """Return a lab that is up. Raises NoSuchThing, or HostFailed when nothing of it runs any more."""
    paths = Paths(name)
    record = state.read_record(paths)
    if not record:
        raise NoSuchThing(f"there is no lab {name!r}{checks.nearest(name, state.labs())}")
    identity = state.identity_from_record(record, "keeper")
    if identity is None or not identity.is_running():
        raise HostFailed(f"lab {name!r} is dead: its keeper is gone; `lab down {name}` removes what is left")
    return Lab(paths, read_topology(record["topology"], record["document"]), Keeper(identity, paths))


def down(name: str, say: Say) -> None:
    """Remove a lab and everything that it made, whatever state it is in; nothing to remove is fine. Raises LabError."""
    paths = Paths(checks.name("name of the lab", name))
    if not paths.directory.exists():
        return
    with state.lock(paths):
        _stop_features(name, say)
        _remove(paths, say)


def _stop_features(name: str, say: Say) -> None:
    """Let features undo what would stay; a lab that is beyond that is removed all the same."""
    try:
        lab = load(name)
        for key, feature in reversed(features.installed().items()):
            if key in lab.topology.extensions:
                feature.stop(lab, lab.topology.extensions[key])
    except (HostFailed, NoSuchThing):
        return
    except (LabError, OSError) as error:
        say(f"lab {name}: {error}")


def _remove(paths: Paths, say: Say) -> None:
    identity = state.identity_from_record(state.read_record(paths), "keeper")
    if identity is not None and not identity.kill():
        raise CommandFailed(f"lab {paths.name}: its keeper (pid {identity.pid}) does not end")
    control_groups.remove(paths)
    mounted = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    for path in mounted:
        if Path(path).is_relative_to(paths.directory):
            raise CommandFailed(f"{path} is mounted; the lab did not do that, so it is not removed")
    shutil.rmtree(paths.directory)
    try:
        os.rmdir(state.ROOT)
    except OSError:
        return  # other labs are there

# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line: parse, one call, one exit status."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, NoReturn

import yaml

from . import checks, inventory, lab, requirements, state
from .errors import BadTopology, LabError, NoSuchThing
from .features import kubernetes
from .host import ENVIRONMENT
from .topology import CONTROLLER

FAILED = 1
BAD_USE = 2


def main(arguments: list[str], topologies: Path) -> int:
    """Run one command and return the exit status: 0 done, 1 failed, 2 wrong use."""
    # So that `lab up` takes down what it has begun also when it is asked to end.
    signal.signal(signal.SIGTERM, _interrupt)
    arguments, command = _split(arguments)
    options = _parser().parse_args(arguments)
    options.command = command
    try:
        requirements.check_rights()
        return int(options.call(options, topologies) or 0)
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return BAD_USE if isinstance(error, BadTopology | NoSuchThing) else FAILED
    except (OSError, subprocess.SubprocessError) as error:
        print(f"lab: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("lab: interrupted", file=sys.stderr)
        return 128 + signal.SIGINT


def _interrupt(number: int, frame: Any) -> NoReturn:
    raise KeyboardInterrupt


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="lab", description="Hosts that Ansible cannot tell from machines.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    command = commands.add_parser("up", help="build a lab and wait until its hosts answer")
    command.add_argument("topology", help="a name below topologies/, or the path of a YAML file")
    command.add_argument("--name", help="name of the lab; by default that of the topology")
    command.set_defaults(call=_up)
    command = commands.add_parser("down", help="remove a lab and everything that it made")
    command.add_argument("name", nargs="?", help="the lab; may be left out when there is one")
    command.add_argument("--all", action="store_true", help="remove all labs")
    command.set_defaults(call=_down)
    command = commands.add_parser("status", help="say which hosts run")
    command.add_argument("name", nargs="?", help="the lab; all by default")
    command.set_defaults(call=_status)
    command = commands.add_parser("exec", help="run a command on a host, or as the controller")
    command.add_argument("where", nargs="+", metavar="[NAME] HOST -- COMMAND", help=f"HOST may be {CONTROLLER!r}")
    command.set_defaults(call=_exec)
    command = commands.add_parser("reboot", help="cut a host's power and boot it again")
    command.add_argument("where", nargs="+", metavar="[NAME] HOST", help="the lab may be left out when there is one")
    command.set_defaults(call=_reboot)
    command = commands.add_parser("rke-up", help="do what `rke up` does with the MTU in the cluster's cluster.yml")
    command.add_argument("name", nargs="?", help="the lab; may be left out when there is one")
    command.set_defaults(call=_rke_up)
    command = commands.add_parser("inventory", help="print the inventory for Ansible")
    command.add_argument("name", nargs="?", help="the lab; may be left out when there is one")
    command.add_argument("--path", action="store_true", help="print the path of the file that has it instead")
    command.set_defaults(call=_inventory)
    return parser


def _say(message: str) -> None:
    print(message, flush=True)


def _only_lab(name: str | None) -> str:
    if name is not None:
        return name
    existing = state.labs()
    if len(existing) == 1:
        return existing[0]
    raise NoSuchThing(f"say which lab: {', '.join(existing)}" if existing else "no lab is up")


def _up(options: argparse.Namespace, topologies: Path) -> None:
    path = Path(options.topology)
    if not path.suffix:
        path = topologies / f"{options.topology}.yml"
    try:
        document = yaml.safe_load(path.read_text())
    except FileNotFoundError:
        known = [item.stem for item in topologies.glob("*.yml")]
        raise NoSuchThing(f"there is no topology {options.topology!r}{checks.nearest(path.stem, known)}") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise BadTopology(f"{path}: {error}") from error
    name = checks.name("name of the lab", options.name or path.stem)
    try:
        lab.up(name, path.stem, document, _say)
    except BadTopology as error:
        raise BadTopology(f"{path}: {error}") from error


def _down(options: argparse.Namespace, topologies: Path) -> None:
    existing = state.labs()
    if options.name and options.all:
        raise NoSuchThing("either the name of a lab or --all")
    if existing and not options.all:
        existing = [_only_lab(options.name)]
    for name in existing:
        lab.down(name, _say)


def _status(options: argparse.Namespace, topologies: Path) -> int:
    status = 0
    names = [options.name] if options.name else state.labs()
    if not names:
        _say("no lab is up")
    for name in names:
        try:
            loaded = lab.load(name)
        except NoSuchThing:
            if options.name:
                raise
            _say(f"{name}: cut off while it was built; `lab down {name}` removes it")
            status = FAILED
            continue
        except LabError as error:
            _say(str(error))
            status = FAILED
            continue
        complete = state.read_record(loaded.paths).get("complete", False)
        _say(f"{name}: topology {loaded.topology.name}{'' if complete else ', not complete'}")
        for host in loaded.hosts.values():
            running = host.is_running
            status = status if running else FAILED
            _say(f"  {host.name:<16} {host.plan.address:<16} {f'pid {host.namespace_pid}' if running else 'down'}")
    return status


def _exec(options: argparse.Namespace, topologies: Path) -> NoReturn:
    command = options.command
    if not command:
        raise NoSuchThing("a command is needed: lab exec [NAME] HOST -- COMMAND")
    name, host = _place(options.where)
    loaded = lab.load(name)
    if host == CONTROLLER:
        argv = loaded.controller.argv(command)
        os.execvp(argv[0], argv)
    argv = loaded.host(host).argv(command)
    os.execvpe(argv[0], argv, {**ENVIRONMENT, "TERM": os.environ.get("TERM", "dumb")})


def _split(words: list[str]) -> tuple[list[str], list[str]]:
    """Return what stands before and after `--`, which argparse would lose."""
    position = words.index("--") if "--" in words else len(words)
    return words[:position], words[position + 1 :]


def _place(words: list[str]) -> tuple[str, str]:
    """Return lab and host from `[NAME] HOST`."""
    if not 1 <= len(words) <= 2:
        raise NoSuchThing("a host is needed, or a lab and a host")
    return (words[0] if len(words) == 2 else _only_lab(None)), words[-1]


def _reboot(options: argparse.Namespace, topologies: Path) -> None:
    name, host = _place(options.where)
    lab.load(name).reboot(host)


def _rke_up(options: argparse.Namespace, topologies: Path) -> None:
    mtu = kubernetes.rke_up(lab.load(_only_lab(options.name)))
    _say(f"new pods get MTU {mtu}" if mtu else "new pods get the MTU that the kernel gives to any link")


def _inventory(options: argparse.Namespace, topologies: Path) -> None:
    loaded = lab.load(_only_lab(options.name))
    if options.path:
        _say(str(loaded.paths.directory / "inventory.yml"))
    else:
        sys.stdout.write(inventory.as_yaml(loaded.paths, loaded.topology))

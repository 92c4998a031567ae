# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What packet_trace_info does in each of its phases, from parameters to results."""

from __future__ import annotations

import os
import secrets
from typing import Any, Dict, List, Mapping, NoReturn, Optional, Protocol, Sequence, Tuple

from .._facts.census import Census, take_census
from .._facts.sources import NoSuchSource, Source, choose
from .._kernel.visiting import visit
from .._locate.locate import locate
from .._model.fact import Problem, as_plain
from .._model.sighting import Burst
from . import daemon
from .packet_filter import TunnelPorts
from .sender import BurstOptions, CannotSend, resolve, send_burst
from .tag import make_tag
from .watcher import Watcher

MAX_LIFETIME = 600
MAX_PORTS = 8
Result = Dict[str, Any]


class Module(Protocol):
    """What is needed of an AnsibleModule."""

    params: Dict[str, Any]

    def exit_json(self, **result: Any) -> NoReturn:
        """End with success."""

    def fail_json(self, msg: str, **result: Any) -> NoReturn:
        """End with failure."""


def run_trace_module(module: Module) -> None:
    """Do the phase that is asked for and exit with its result."""
    try:
        trace = _Trace(module.params)
        result = {"watch": trace.watch, "send": trace.send, "collect": trace.collect, "all": trace.all}[
            module.params["phase"]
        ]()
    except (ValueError, daemon.CannotWatch) as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, **result)


class _Trace:
    """The options, checked. Raises ValueError for bad ones."""

    def __init__(self, params: Mapping[str, Any]) -> None:
        self._run = str(params["run"] or f"netfit-{secrets.token_hex(8)}")
        if params["run"] is None and params["phase"] != "all":
            raise ValueError(f"run: phase {params['phase']} needs the name of the trace, the same in all phases")
        self._tag = make_tag(self._run)
        self._lifetime = int(params["lifetime"])
        if not 1 <= self._lifetime <= MAX_LIFETIME:
            raise ValueError(f"lifetime is {self._lifetime}; it takes 1 to {MAX_LIFETIME} seconds")
        self._ports = TunnelPorts(_ports(params, "vxlan_ports"), _ports(params, "geneve_ports"))
        self._wanted: Optional[Mapping[str, Any]] = params["source"]
        self._burst = _burst_options(params) if params["phase"] in ("send", "all") else None

    def watch(self) -> Result:
        """Start the watcher."""
        census = take_census("/")
        started = daemon.start(self._run, self._lifetime, lambda: self._watcher(census), _host_inodes(census))
        problems = [*started["problems"], *as_plain(list(census.problems))]
        return {"run": self._run, "watched": started["watched"], "problems": problems}

    def send(self) -> Result:
        """Send the packets."""
        census = take_census("/")
        burst = self._send(self._source(census))
        return {"run": self._run, "burst": burst.as_fact(), "problems": as_plain(list(census.problems))}

    def collect(self) -> Result:
        """Fetch what the watcher saw."""
        trace = daemon.collect(self._run)
        return {"run": self._run, "trace": trace, "problems": trace.get("problems", [])}

    def all(self) -> Result:
        """Watch, send and locate on this host alone."""
        census = take_census("/")
        source = self._source(census)
        watcher = self._watcher(census)
        try:
            burst = self._send(source)
            watcher.rest()
            trace = watcher.finish([*_host_inodes(census), source.namespace.inode])
        finally:
            watcher.close()
        answer = locate({trace.host: trace}, burst, trace.host)
        return {
            "run": self._run,
            "burst": burst.as_fact(),
            "trace": trace.as_fact(),
            "steps": as_plain(answer.steps),
            "drops": [answer.drop.as_fact()],
            "problems": as_plain([*census.problems, *trace.problems]),
        }

    def _source(self, census: Census) -> Source:
        try:
            return choose(census, self._wanted)
        except NoSuchSource as error:
            raise ValueError(str(error)) from error

    def _watcher(self, census: Census) -> Watcher:
        sources = [Source(namespace, census.owners.of_namespace(namespace)) for namespace in census.namespaces]
        return Watcher(self._run, os.uname().nodename, sources, self._ports)

    def _send(self, source: Source) -> Burst:
        options = self._burst
        if options is None:
            raise LookupError("there is nothing to send in this phase")
        ((_namespace, result),) = visit(
            [source.namespace], lambda one: send_burst(self._tag, self._run, options, one.inode)
        )
        if isinstance(result, Problem):
            raise CannotSend(f"source: {result.reason}")
        return result


def _burst_options(params: Mapping[str, Any]) -> BurstOptions:
    if not params["target"]:
        raise CannotSend(f"target: phase {params['phase']} needs one")
    protocol = params["protocol"]
    if protocol == "auto":
        protocol = "icmp" if resolve(params["target"])[1] == "ipv4" else "udp"
    options = BurstOptions(
        target=params["target"],
        protocol=protocol,
        port=params["port"],
        size=params["size"],
        passing_size=params["passing_size"],
        count=params["count"],
        hops=params["hops"],
    )
    options.validate()
    return options


def _ports(params: Mapping[str, Any], name: str) -> Tuple[int, ...]:
    ports: Sequence[int] = params[name]
    if len(ports) > MAX_PORTS or not all(1 <= port <= 65535 for port in ports):
        raise ValueError(f"{name} is {list(ports)}; it takes up to {MAX_PORTS} ports from 1 to 65535")
    return tuple(ports)


def _host_inodes(census: Census) -> List[int]:
    return [namespace.inode for namespace in census.namespaces if namespace.host]

# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One slice's part in an audit, on the controller. Documentation: plugins/modules/slice.py."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Dict, List, Optional

import yaml
from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ..plugin_utils._mesh.peers import Peer, PeerError, parse_peers
from ..plugin_utils._report.document import describe_policy, write_atomically
from ..plugin_utils._rules.assessment import current_assessment, current_facts
from ..plugin_utils._rules.plain import plain_copy, raw_variables
from ..plugin_utils._rules.policy import PolicyError, load_policy
from ..plugin_utils._slices.exchange import ANSWERING, MEASURED, Exchange, SliceError
from ..plugin_utils._slices.result import describe_host_result, describe_slice, file_name, without_facts
from .mesh_plan import ARGUMENTS as MESH
from .mesh_plan import describe_host, member_names

GALAXY = Path(__file__).resolve().parents[2]
LONGEST_WAIT = 3600
ARGUMENTS = {
    "phase": {"type": "str", "choices": ["check", "meet", "answering", "measured", "result"], "required": True},
    "name": {"type": "str", "required": True},
    "directory": {"type": "str", "default": "netfit-report"},
    "run": {"type": "str", "default": ""},
    "wait": {"type": "float", "default": 60.0},
    "policy": {"type": "raw"},
    **{name: MESH[name] for name in ("hosts", "peers", "vantage_group", "gathered_in")},
    **{name: MESH[name] for name in ("probe", "node_ports", "expect", "expected_mtu")},
}


class ActionModule(ActionBase):
    """The action behind netfit.cluster.slice. Touches no target."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True
    _supports_diff = False

    def run(self, tmp: Any = None, task_vars: Optional[Dict[str, Any]] = None) -> Dict[str, Any]:
        """Validate the options and do what the phase says. In check mode nothing is written and nobody waited for."""
        result: Dict[str, Any] = super().run(tmp, task_vars)
        _validation, options = self.validate_argument_spec(ARGUMENTS)
        directory = Path(options["directory"]).expanduser().absolute()
        result["changed"] = False
        try:
            check_wait(options["wait"])
            exchange, peers = (
                Exchange(directory, options["name"], options["run"]),
                parse_peers(plain_copy(options["peers"])),
            )
            phase = options["phase"]
            if phase == "check" or self._task.check_mode:
                return result
            if phase == "meet":
                result.update(meet(exchange, task_vars or {}, options, peers))
            elif phase == "result":
                result["file"] = self._write(directory, task_vars or {}, options, peers)
                exchange.leave()
            else:
                result.update(mark(exchange, {"answering": ANSWERING, "measured": MEASURED}[phase], options["wait"]))
        except (PeerError, PolicyError, SliceError) as error:
            raise AnsibleActionFail(str(error)) from error
        except OSError as error:
            raise AnsibleActionFail(f"netfit_report_dir: {directory} cannot be used by slices: {error}") from error
        return result

    def _write(
        self, directory: Path, variables: Mapping[str, Any], options: Mapping[str, Any], peers: List[Peer]
    ) -> str:
        path = directory / file_name(options["name"])
        content = slice_content(variables, options, peers)
        write_atomically(path, json.dumps(content, separators=(",", ":"), sort_keys=True) + "\n")
        return str(path)


def mark(exchange: Exchange, name: str, wait: float) -> Dict[str, Any]:
    """Mark how far this slice is, and wait for the others. Where that cannot be done, it measures all the same."""
    try:
        exchange.mark(name)
    except OSError as error:
        return {"missing": [], "warnings": [f"other slices cannot be told how far this one is: {error}"]}
    return {"missing": sorted(exchange.wait_for_mark(name, wait))}


def check_wait(seconds: float) -> None:
    """Raise SliceError for a time that nobody can wait."""
    if not 0 <= seconds <= LONGEST_WAIT:
        raise SliceError(f"netfit_slice_wait is {seconds}, but must be a number of seconds from 0 to {LONGEST_WAIT}")


def meet(
    exchange: Exchange, variables: Mapping[str, Any], options: Mapping[str, Any], peers: List[Peer]
) -> Dict[str, Any]:
    """Tell the other slices of this one's hosts, and wait for what they tell."""
    playing = {str(name) for name in variables.get("ansible_play_hosts_all", [])}
    nodes = describe_nodes(variables, options, peers)
    exchange.tell({name: node for name, node in nodes.items() if name in playing})
    others = {name for name in nodes if name not in playing} | {peer.name for peer in peers if peer.audited} - playing
    token_file = str(exchange.share_token())
    return {"missing": sorted(exchange.wait_for_hosts(others, options["wait"])), "token_file": token_file}


def describe_nodes(
    variables: Mapping[str, Any], options: Mapping[str, Any], peers: List[Peer]
) -> Dict[str, Dict[str, Any]]:
    """Return what the plan needs to know of each node of the inventory, as plain values."""
    vantages = {str(name) for name in variables.get("groups", {}).get(options["vantage_group"], [])}
    given = {peer.name: peer for peer in peers}
    return {
        name: plain_copy(describe_host(name, variables["hostvars"], given.get(name), options["gathered_in"]))
        for name in member_names(variables, options, vantages)
    }


def slice_content(variables: Mapping[str, Any], options: Mapping[str, Any], peers: List[Peer]) -> Dict[str, Any]:
    """Return the content of this slice's file."""
    hostvars, hosts = variables["hostvars"], {}
    vantages = {str(name) for name in variables.get("groups", {}).get(options["vantage_group"], [])}
    nodes = {name: without_facts(node, True) for name, node in describe_nodes(variables, options, peers).items()}
    for peer in peers:
        kept = {"stated": None, "login": None, "zone": peer.zone, "address": peer.address, "audited": peer.audited}
        nodes.setdefault(peer.name, {**kept, "pods": [dict(pod) for pod in peer.pods]})
    for name in sorted(str(name) for name in variables.get("ansible_play_hosts_all", [])):
        raw = raw_variables(hostvars, name)
        assessment = current_assessment(raw)
        hosts[name] = describe_host_result(current_facts(raw, assessment), assessment, name in vantages)
    return describe_slice(
        options["name"],
        options["run"],
        datetime.now(timezone.utc),
        collection_version(),
        describe_policy(load_policy(plain_copy(options["policy"]))),
        options,
        nodes,
        hosts,
    )


def collection_version() -> str:
    """Return the version of this collection: of its checkout, or as it is installed."""
    for name, keys in (("MANIFEST.json", ("collection_info", "version")), ("galaxy.yml", ("version",))):
        try:
            content = yaml.safe_load((GALAXY / name).read_text(encoding="utf-8"))
            for key in keys:
                content = content[key]
        except (OSError, yaml.YAMLError, KeyError, TypeError):
            continue
        return str(content)
    return "unknown"

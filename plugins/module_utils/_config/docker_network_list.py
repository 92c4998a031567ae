# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The networks of Docker that are this host's own, from its database."""

from __future__ import annotations

from typing import Dict, List, Optional

from .._model.docker_network import AddressPool, DockerNetwork
from .declarations import Declarations
from .docker_networks import driver_options, network_records
from .json_text import JsonError, JsonNode, parse_json


def list_docker_networks(declarations: Declarations, data_root: str) -> List[DockerNetwork]:
    """Return the networks in the order of their names; what can't be read becomes a problem.

    data_root: Docker's directory. Networks of a swarm are not in its database. Source: moby 20.10 libnetwork
    network.go MarshalJSON; recorded files in the tests.
    """
    found = [_network(record) for _key, record in network_records(declarations, data_root)]
    return sorted(found, key=lambda network: network.name)


def _network(record: JsonNode) -> DockerNetwork:
    return DockerNetwork(
        name=record.text("name") or "",
        driver=record.text("networkType") or "",
        scope=record.text("scope") or "local",
        options=_strings(driver_options(record)),
        labels=_strings(record.get("labels")),
        pools=(*_pools(record, "ipamV4Config", "ipamV4Info"), *_pools(record, "ipamV6Config", "ipamV6Info")),
        internal=_true(record, "internal"),
        attachable=_true(record, "attachable"),
        ipv6=_true(record, "enableIPv6"),
        ingress=_true(record, "ingress"),
        address_driver=record.text("ipamType") or "default",
        address_options=_strings(record.get("ipamOptions")),
        config_only=_true(record, "configOnly"),
        config_from=record.text("configFrom") or None,
    )


def _true(record: JsonNode, key: str) -> bool:
    node = record.get(key)
    return node is not None and node.scalar is True


def _strings(node: Optional[JsonNode]) -> Dict[str, str]:
    members = node.members if node is not None else ()
    return {key: value.scalar for key, value in members if isinstance(value.scalar, str)}


def _pools(record: JsonNode, wanted: str, given: str) -> List[AddressPool]:
    """Return what was asked for; the range that Docker chose where none was. Each is JSON within JSON."""
    try:
        asked = parse_json(record.text(wanted) or "[]").items
        chosen = parse_json(record.text(given) or "[]").items
        return [_pool(one, other) for one, other in zip(asked, chosen)]
    except JsonError:
        return []


def _pool(asked: JsonNode, chosen: JsonNode) -> AddressPool:
    subnet = asked.text("PreferredPool") or parse_json(chosen.text("IPAMData") or "null").text("Pool")
    return AddressPool(
        subnet or "",
        range=asked.text("SubPool") or None,
        gateway=asked.text("Gateway") or None,
        auxiliary=_strings(asked.get("AuxAddresses")),
    )

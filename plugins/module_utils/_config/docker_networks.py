# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Docker's own networks: the MTU that each was created with."""

from __future__ import annotations

import re
from typing import Iterator, List, Optional, Tuple

from .._model.declared import MtuMeaning
from .._model.docker_network import DOCKER_MTU_OPTION
from .._model.fact import Source
from .bolt import BoltError, read_bucket
from .bolt_file import read_snapshot
from .declarations import Declarations, network_of
from .json_text import JsonError, JsonNode, parse_json
from .reading import UnreadableFile

# Meaning of that option for each driver; an overlay network subtracts its encapsulation from it.
MEANING_OF_DRIVER = {
    "bridge": MtuMeaning.INTERFACE,
    "macvlan": MtuMeaning.INTERFACE,
    "ipvlan": MtuMeaning.INTERFACE,
    "overlay": MtuMeaning.UNDERLAY,
}
_SUBJECT = "docker networks"
_DATABASE = "network/files/local-kv.db"
_BUCKET = b"libnetwork"
_RECORD = re.compile(rb"docker/network/v1\.0/network/([0-9a-z]+)/\Z")
# The key-value layer puts a counter of this many bytes before each value.
_COUNTER_BYTES = 8
# A network takes about 1 KiB, an endpoint another; Docker's own limit on address ranges comes long before this.
_LIMIT = 32 * 1024 * 1024


def read_docker_networks(declarations: Declarations, data_root: str) -> None:
    """Add the MTU of every network that was created with one (``docker network create -o ...mtu=N``).

    data_root: Docker's directory, /var/lib/docker by default. The default network "bridge" is left out: its MTU is that
    of the daemon. Networks of a swarm are not in this file. Source: moby 20.10 libnetwork store and network.go
    MarshalJSON; a recorded file in the tests.
    """
    path = f"{data_root}/{_DATABASE}"
    for key, record in network_records(declarations, data_root):
        _declare_network(declarations, path, key, record)


def network_records(declarations: Declarations, data_root: str) -> Iterator[Tuple[str, JsonNode]]:
    """Yield key and content of the record of every network that is this host's own; what can't be read is noted."""
    path = f"{data_root}/{_DATABASE}"
    try:
        content = read_snapshot(declarations.root, path, _LIMIT)
        entries = list(read_bucket(content, _BUCKET)) if content is not None else []
    except UnreadableFile as error:
        declarations.problems.append(error.problem(_SUBJECT))
        return
    except BoltError as error:
        declarations.problem(_SUBJECT, str(error), path)
        return
    for key, value in entries:
        if _RECORD.match(key):
            name = key.decode("ascii")
            try:
                yield name, parse_json(value[_COUNTER_BYTES:].decode("utf-8", errors="replace"))
            except JsonError as error:
                declarations.problem(_SUBJECT, f"the record {name} is not valid JSON: {error}", path)


def driver_options(record: JsonNode) -> Optional[JsonNode]:
    """Return the options that the driver was given."""
    generic = record.get("generic")
    return generic.get("com.docker.network.generic") if generic else None


def _declare_network(declarations: Declarations, path: str, key: str, record: JsonNode) -> None:
    driver = record.text("networkType") or ""
    options = driver_options(record)
    mtu = options.get(DOCKER_MTU_OPTION) if options else None
    if mtu is None or options is None or driver not in MEANING_OF_DRIVER or _is_default_bridge(options):
        return
    declarations.declare(
        "docker",
        mtu.scalar_or_kind(),
        MEANING_OF_DRIVER[driver],
        Source(path, None, key + DOCKER_MTU_OPTION),
        subject=_SUBJECT,
        as_text=True,
        link=_bridge_name(record, options) if driver == "bridge" else None,
        network=_first_pool(record),
        name=record.text("name"),
    )


def _is_default_bridge(options: JsonNode) -> bool:
    node = options.get("com.docker.network.bridge.default_bridge")
    return node is not None and node.scalar == "true"


def _bridge_name(record: JsonNode, options: JsonNode) -> Optional[str]:
    node = options.get("com.docker.network.bridge.name")
    if node is not None and isinstance(node.scalar, str) and node.scalar:
        return node.scalar
    identifier = record.text("id")
    return f"br-{identifier[:12]}" if identifier else None


def _first_pool(record: JsonNode) -> Optional[str]:
    """Return the address range, which lies in JSON within JSON within JSON; None where it isn't found."""
    try:
        entries: List[JsonNode] = list(parse_json(record.text("ipamV4Info") or "null").items)
        return network_of(parse_json(entries[0].text("IPAMData") or "null").text("Pool")) if entries else None
    except JsonError:
        return None

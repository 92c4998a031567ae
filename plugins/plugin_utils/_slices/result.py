# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The result of a slice as a file: all that it takes to assess its hosts anew, together with those of other slices."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from glob import glob
from pathlib import Path
from typing import Any, Dict, Iterable, List, Optional, Sequence, Union

from .._mesh.nodes import describe_node
from .._rules import plain
from .._rules.assessment import AUDITED, MEASURED
from .._rules.read_view import FACT_NAMES
from .exchange import SliceError

KIND = "netfit slice"
SCHEMA_VERSION = 1
SCHEMA_FILE = Path(__file__).with_name("slice.schema.json")
SETTINGS = ("probe", "expect", "expected_mtu", "node_ports")
"""What all slices of an audit have to agree on, beside the policy."""
NOT_ASSESSED = {"status": "not_assessed", "reason": "the audit did not get as far as this host"}


@dataclass(frozen=True)
class SliceResult:
    """A slice's result. digest: of the policy. written_at: by the clock of its controller, in UTC, sortable as text.

    nodes: what every slice knows of all nodes of the plan, hosts: what this one found on its own.
    """

    source: str
    name: str
    run: str
    written_at: str
    version: str
    policy: plain.Record
    settings: plain.Record
    nodes: Mapping[str, plain.Record]
    hosts: Mapping[str, plain.Record]


def file_name(name: str) -> str:
    """Return the name of the file of a slice."""
    return f"slice-{name}.json"


def describe_slice(
    name: str,
    run: str,
    moment: datetime,
    version: str,
    policy: Mapping[str, Any],
    settings: Mapping[str, Any],
    nodes: Mapping[str, Any],
    hosts: Mapping[str, Any],
) -> Dict[str, Any]:
    """Return the content of a slice's file. moment: in UTC."""
    return {
        "kind": KIND,
        "schema_version": SCHEMA_VERSION,
        "collection_version": version,
        "slice": name,
        "run": run,
        "written_at": moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "policy": dict(policy),
        "settings": {option: settings.get(option) for option in SETTINGS},
        "nodes": dict(nodes),
        "hosts": dict(hosts),
    }


def describe_host_result(facts: plain.Record, assessment: Optional[plain.Record], vantage: bool) -> Dict[str, Any]:
    """Return what a slice found on one of its hosts. assessment: None where it did not get as far."""
    known = NOT_ASSESSED if assessment is None else assessment
    return {
        "status": known["status"],
        "reason": known.get("reason"),
        "vantage": vantage,
        "facts": {name: facts[name] for name in FACT_NAMES if name in facts} if known["status"] == AUDITED else {},
        **{option: plain.records(known, option) for option in MEASURED},
    }


def without_facts(node: Mapping[str, Any], slice_host: bool) -> Dict[str, Any]:
    """Return a node's description (see nodes.describe_node) as it is kept for every node. slice_host: it is audited."""
    kept = {field: node[field] for field in describe_node({}, None, None, None, None) if field != "facts"}
    return {**kept, "audited": slice_host}


def find_files(given: Union[str, Sequence[Any], None], directory: Optional[Path] = None) -> List[Path]:
    """Return the files that netfit_slices names: files, directories with slices' files in them, or patterns.

    directory: what relative ones are relative to (default: the current one).
    Raises SliceError for one that is not there.
    """
    places = [given] if isinstance(given, str) else list(given or ())
    if not places or not all(isinstance(place, str) and place.strip() for place in places):
        raise SliceError(f"netfit_slices is {given!r}, but must be files, directories or patterns of slices' results")
    found: Dict[Path, None] = {}
    for place in places:
        path = (directory or Path.cwd()) / Path(str(place)).expanduser()
        if path.is_dir():
            paths = sorted(path.glob(file_name("*")))
        else:
            paths = [path] if path.is_file() else sorted(Path(one) for one in glob(str(path)) if Path(one).is_file())
        if not paths:
            raise SliceError(
                f"netfit_slices: there is no result of a slice at {path}; a slice writes {file_name('NAME')}"
            )
        found.update(dict.fromkeys(paths))
    return list(found)


def read_slices(paths: Iterable[Path]) -> List[SliceResult]:
    """Read the files of slices. Raises SliceError where one is no such file."""
    return [read_slice(_content(path), str(path)) for path in paths]


def read_slice(content: Any, source: str) -> SliceResult:
    """Check the content of a slice's file. source: its name. Raises SliceError."""
    if not isinstance(content, Mapping) or content.get("kind") != KIND:
        wrong = "is a report" if isinstance(content, Mapping) and "findings" in content else "is no result of a slice"
        raise SliceError(
            f"netfit_slices: {source} {wrong}; slices are merged from the {file_name('NAME')} that each wrote"
        )
    if content.get("schema_version") != SCHEMA_VERSION:
        raise SliceError(
            f"netfit_slices: {source} has schema_version {content.get('schema_version')!r}, but this version of the"
            f" collection reads {SCHEMA_VERSION}: audit with the version that merges"
        )
    texts = {field: plain.text(content, field) for field in ("slice", "written_at", "collection_version")}
    missing = [field for field, value in texts.items() if value is None]
    missing += [
        field for field in ("policy", "settings", "nodes", "hosts") if not isinstance(content.get(field), Mapping)
    ]
    if missing:
        raise SliceError(f"netfit_slices: {source} has no usable {', '.join(missing)}: the slice has to be run again")
    nodes, hosts = plain.record(content, "nodes"), plain.record(content, "hosts")
    strange = [name for name, entry in [*hosts.items(), *nodes.items()] if not isinstance(entry, Mapping)]
    if strange:
        raise SliceError(f"netfit_slices: {source} says nothing usable of {strange[0]}: the slice has to be run again")
    return SliceResult(
        source,
        str(texts["slice"]),
        plain.text(content, "run") or "",
        str(texts["written_at"]),
        str(texts["collection_version"]),
        plain.record(content, "policy"),
        plain.record(content, "settings"),
        nodes,
        hosts,
    )


def _content(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SliceError(f"netfit_slices: {path} could not be read: {error}") from error

# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Several containers and pods at once, chosen by name, pod, Kubernetes namespace or label."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any, Callable, Dict, Iterable, List, Mapping, Sequence, Tuple

from .._model.fact import Problem
from .._model.owner import ContainerRecord
from .owners import SHORT_ID, owner_of_record
from .sources import NoSuchSource, Source
from .survey import Census

SELECTION_OPTIONS: Dict[str, Any] = {
    "container": {"type": "str"},
    "pod": {"type": "str"},
    "pod_namespace": {"type": "str"},
    "label": {"type": "str"},
}
"""The suboptions of an entry of a module's list of containers: at least one of them."""

_LISTED = 20
"""How many of those that are there an error names."""

_SHARES = "shares the host's network, whose settings are the host's"

_Records = Sequence[ContainerRecord]


def select(census: Census, wanted: Sequence[Mapping[str, Any]], option: str = "containers") -> List[Source]:
    """Return the network namespaces of the running containers and pods that are meant, by name, each once.

    wanted: entries add up; the keys of one entry narrow. {"container": name or id (12 digits or more)}, of a container
    or of one in a pod; {"pod": "namespace/name"}; {"pod_namespace": name}: these may be patterns with * ? []. {"label":
    "key=value" or "key"}: of a container or a pod. The host is never meant, nor is what shares its network: see
    left_out. option: that of the module, for errors. Raises NoSuchSource: for an entry that means nothing that is here;
    a pattern may.
    """
    found: Dict[int, Source] = {}
    for number, entry in enumerate(wanted):
        where = f"{option}[{number}]"
        asked = _asked(where, entry)
        sources = [source for source, records in _inhabited(census) if _means(asked, records)]
        if not sources and not _is_pattern(asked):
            raise NoSuchSource(_reason(where, asked, census))
        found.update((source.namespace.inode, source) for source in sources)
    return sorted(found.values(), key=_sorting)


def left_out(census: Census, wanted: Sequence[Mapping[str, Any]], option: str = "containers") -> List[Problem]:
    """Return why containers and pods that are meant are not among those of select(): they share the host's network."""
    asked = [_asked(f"{option}[{number}]", entry) for number, entry in enumerate(wanted)]
    names = [_name(records[0]) for records in _on_host_network(census) if any(_means(one, records) for one in asked)]
    return [Problem(name, f"left out: it {_SHARES}") for name in sorted(names)]


def _asked(where: str, entry: Mapping[str, Any]) -> Dict[str, str]:
    asked = {key: str(value) for key, value in entry.items() if value is not None}
    unknown = sorted(set(asked) - set(SELECTION_OPTIONS))
    if unknown:
        raise NoSuchSource(f"{where}: {unknown[0]!r} is none of {', '.join(SELECTION_OPTIONS)}")
    if not asked:
        raise NoSuchSource(f"{where}: one of {', '.join(SELECTION_OPTIONS)} is needed")
    for key, value in asked.items():
        if not value or (key == "label" and value.startswith("=")):
            raise NoSuchSource(f"{where}.{key}: {value!r} names nothing")
    if asked.get("pod", "/").count("/") != 1:
        raise NoSuchSource(f"{where}.pod: {asked['pod']!r} is not of the form namespace/name")
    return asked


def _is_pattern(asked: Mapping[str, str]) -> bool:
    return any(mark in value for key, value in asked.items() if key != "label" for mark in "*?[")


def _inhabited(census: Census) -> Iterable[Tuple[Source, _Records]]:
    """Return the namespaces of containers and pods, each with the records of all that are in it, its owner's first."""
    for namespace in census.namespaces:
        records = census.owners.records_in(namespace)
        if records and not namespace.host:
            yield Source(namespace, census.owners.of_namespace(namespace)), records


def _on_host_network(census: Census) -> List[_Records]:
    """Return the records of what shares the host's network: those of each pod, and that of each container."""
    groups: Dict[str, List[ContainerRecord]] = {}
    joined = [record for one in census.namespaces if one.host for record in census.owners.records_in(one)]
    for record in (*census.owners.on_host_network(), *joined):
        groups.setdefault(record.sandbox_id or record.container_id, []).append(record)
    return list(groups.values())


def _means(asked: Mapping[str, str], records: _Records) -> bool:
    """Tell whether an entry means what these records describe: each key has to fit one of them."""
    return all(any(_MATCHES[key](record, value) for record in records) for key, value in asked.items())


def _is_container(record: ContainerRecord, value: str) -> bool:
    by_id = len(value) >= SHORT_ID and record.container_id.startswith(value)
    return by_id or (not record.sandbox and fnmatchcase(record.name, value))


def _is_pod(record: ContainerRecord, value: str) -> bool:
    namespace, _slash, name = value.partition("/")
    return record.pod is not None and fnmatchcase(record.pod, name) and _is_in(record, namespace)


def _is_in(record: ContainerRecord, value: str) -> bool:
    return record.pod is not None and fnmatchcase(record.pod_namespace or "", value)


def _has_label(record: ContainerRecord, value: str) -> bool:
    key, equals, wanted = value.partition("=")
    labels = record.labels or {}
    return key in labels and (not equals or labels[key] == wanted)


_MATCHES: Dict[str, Callable[[ContainerRecord, str], bool]] = {
    "container": _is_container,
    "pod": _is_pod,
    "pod_namespace": _is_in,
    "label": _has_label,
}


def _reason(where: str, asked: Mapping[str, str], census: Census) -> str:
    """Return why an entry means nothing, and what there is."""
    what = ", ".join(f"{key} {value}" for key, value in asked.items())
    on_host = [_name(records[0]) for records in _on_host_network(census) if _means(asked, records)]
    if on_host:
        return f"{where}: {what}: {_listed(on_host)} {_SHARES}"
    inhabited = [records for _source, records in _inhabited(census)]
    there = f"there are {_listed(_name(records[0]) for records in inhabited)}"
    if "label" not in asked:
        return f"{where}: {what} is not here; {there}"
    everyone = [record for records in inhabited for record in records]
    labels = {f"{key}={value}" for record in everyone for key, value in (record.labels or {}).items()}
    unknown = [_name(record) for record in everyone if record.labels is None]
    unread = f"; the labels of {_listed(unknown)} could not be read" if unknown else ""
    return f"{where}: {what} is not here; {there}; with the labels {_listed(labels)}{unread}"


def _listed(names: Iterable[str]) -> str:
    """Return names for a message: sorted, each once, and not without end."""
    ordered = sorted(set(names))
    more = f" and {len(ordered) - _LISTED} more" if len(ordered) > _LISTED else ""
    return (", ".join(ordered[:_LISTED]) or "none") + more


def _name(record: ContainerRecord) -> str:
    owner = owner_of_record(record)
    return f"{owner.kind.value} {owner.name}"


def _sorting(source: Source) -> Tuple[str, int]:
    return source.owner.name or "", source.namespace.inode

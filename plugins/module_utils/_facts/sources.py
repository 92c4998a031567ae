# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Network namespaces chosen by those whom they belong to, as the facts name them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from .._model.owner import Namespace, Owner, OwnerKind
from .census import Census

SOURCE_OPTIONS: Dict[str, Any] = {
    "pod": {"type": "str"},
    "container": {"type": "str"},
    "namespace": {"type": "str"},
}
"""The suboptions of a module's O(source): at most one of them; none of them means the host itself."""


class NoSuchSource(ValueError):
    """Nothing, or more than one namespace, is meant by a source; the message says what there is."""


@dataclass(frozen=True)
class Source:
    """A network namespace to work in, and whose it is."""

    namespace: Namespace
    owner: Owner


def choose(census: Census, wanted: Optional[Mapping[str, Any]]) -> Source:
    """Return the one namespace that is meant.

    wanted: {"pod": "namespace/name"}, {"container": name or id}, {"namespace": inode or path}; None, or nothing set in
    it: the host. Raises NoSuchSource.
    """
    asked = {kind: str(value) for kind, value in (wanted or {}).items() if value is not None}
    sources = [Source(namespace, census.owners.of_namespace(namespace)) for namespace in census.namespaces]
    if len(asked) > 1:
        raise NoSuchSource(f"source: one of {', '.join(sorted(asked))} can be chosen, not several")
    if not asked:
        return _only("the host", [one for one in sources if one.namespace.host], sources)
    ((kind, value),) = asked.items()
    if kind not in SOURCE_OPTIONS:
        raise NoSuchSource(f"source: {kind!r} is none of {', '.join(SOURCE_OPTIONS)}")
    return _only(f"{kind} {value}", [one for one in sources if _is(one, kind, value)], sources)


def _is(source: Source, kind: str, value: str) -> bool:
    owner, namespace = source.owner, source.namespace
    if kind == "namespace":
        return value == str(namespace.inode) or value in namespace.paths
    if kind == "pod":
        return owner.kind is OwnerKind.POD and owner.name == value
    by_id = len(value) >= 12 and (owner.container_id or "").startswith(value)
    return owner.kind is OwnerKind.CONTAINER and (owner.name == value or by_id)


def _only(what: str, found: Sequence[Source], sources: Sequence[Source]) -> Source:
    if len(found) == 1:
        return found[0]
    names: List[Tuple[str, str]] = sorted(
        (one.owner.kind.value, one.owner.name or str(one.namespace.inode)) for one in found or sources
    )
    listed = ", ".join(f"{kind} {name}" for kind, name in names[:20]) or "none"
    problem = f"is not unique: {listed}" if found else f"is not here; there are {listed}"
    raise NoSuchSource(f"source: {what} {problem}")

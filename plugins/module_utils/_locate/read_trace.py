# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Make observations of the plain values that came over the wire, as ``as_fact()`` wrote them."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, Dict, Mapping, Optional, Tuple, Type, TypeVar

from .._model.fact import Problem
from .._model.owner import Owner, OwnerKind
from .._model.sighting import (
    Burst,
    FirewallRule,
    HostTrace,
    IcmpMessage,
    KernelDrop,
    Sighting,
    SightingKind,
    WatchedLink,
    WatchedNamespace,
)

Thing = TypeVar("Thing")


class NotATrace(ValueError):
    """Values that no trace of this collection's version has; the message says what is wrong."""


def read_trace(plain: Mapping[str, Any]) -> HostTrace:
    """Return what one host saw. Raises NotATrace."""
    try:
        known = _known(HostTrace, plain)
        known["sightings"] = tuple(_sighting(entry) for entry in plain["sightings"])
        known["namespaces"] = tuple(_namespace(entry) for entry in plain["namespaces"])
        known["rules"] = tuple(_make(FirewallRule, entry) for entry in plain["rules"])
        known["kernel_drops"] = tuple(_make(KernelDrop, entry) for entry in plain["kernel_drops"])
        known["problems"] = tuple(_make(Problem, entry) for entry in plain["problems"])
        return HostTrace(**known)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise NotATrace(f"not the trace of a host: {type(error).__name__}: {error}") from error


def read_burst(plain: Mapping[str, Any]) -> Burst:
    """Return what was sent. Raises NotATrace."""
    try:
        known = _known(Burst, plain)
        first, second = plain["sent"]
        known["sent"] = (int(first), int(second))
        burst = Burst(**known)
        burst.numbers(True)
        return burst
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise NotATrace(f"not what phase send returns: {type(error).__name__}: {error}") from error


def _known(kind: Type[Thing], plain: Mapping[str, Any]) -> Dict[str, Any]:
    """Return the fields that a dataclass has; what a newer version adds is left out, lists become tuples."""
    names = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    return {
        str(name): tuple(value) if isinstance(value, list) else value for name, value in plain.items() if name in names
    }


def _make(kind: Type[Thing], plain: Mapping[str, Any]) -> Thing:
    return kind(**_known(kind, plain))


def _sighting(plain: Mapping[str, Any]) -> Sighting:
    known = _known(Sighting, plain)
    known["kind"] = SightingKind(plain["kind"])
    known["error"] = _error(plain.get("error"))
    return Sighting(**known)


def _error(plain: Optional[Mapping[str, Any]]) -> Optional[IcmpMessage]:
    return None if plain is None else _make(IcmpMessage, plain)


def _namespace(plain: Mapping[str, Any]) -> WatchedNamespace:
    links: Tuple[WatchedLink, ...] = tuple(_make(WatchedLink, entry) for entry in plain["links"])
    owner = _known(Owner, plain["owner"])
    owner["kind"] = OwnerKind(plain["owner"]["kind"])
    return WatchedNamespace(int(plain["inode"]), Owner(**owner), links, dict(plain["counters"]))

# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading plain facts without trusting them: a field that is missing or of another type is None or empty."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Dict, List, Optional

from ...module_utils._model.owner import Owner, OwnerKind

Record = Mapping[str, Any]
KINDS = {kind.value: kind for kind in OwnerKind}
MAPPINGS = (dict, Mapping)
"""To ask whether something is a mapping: dict first, for which that takes a third of the time."""
PLAIN = frozenset({str, int, float, bool, type(None)})
"""Exact classes of values that nobody can change, so that a copy may share them."""


def text(record: Record, name: str) -> Optional[str]:
    """Return a text field, None where it is missing, empty or no text."""
    value = record.get(name)
    return str(value) if isinstance(value, str) and value else None


def whole(record: Record, name: str) -> Optional[int]:
    """Return a whole number, None where it is missing or no number."""
    value = record.get(name)
    return int(value) if isinstance(value, int) and not isinstance(value, bool) else None


def number(record: Record, name: str) -> Optional[float]:
    """Return a number, None where it is missing or no number."""
    value = record.get(name)
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def record(parent: Record, name: str) -> Record:
    """Return a nested record, an empty one where it is missing."""
    value = parent.get(name)
    return value if isinstance(value, MAPPINGS) else {}


def records(parent: Record, name: str) -> List[Record]:
    """Return a list of records, without the entries that are none."""
    value = parent.get(name)
    if not isinstance(value, (list, tuple)):
        return []
    return [entry for entry in value if isinstance(entry, MAPPINGS)]


def texts(parent: Record, name: str) -> List[str]:
    """Return a list of texts, without the entries that are none."""
    value = parent.get(name)
    if not isinstance(value, (list, tuple)):
        return []
    return [str(entry) for entry in value if isinstance(entry, str)]


def numbers(parent: Record, name: str) -> Dict[str, float]:
    """Return a mapping of names to numbers (counters, rates), without the entries that are none."""
    return {
        str(key): float(value)
        for key, value in record(parent, name).items()
        if isinstance(value, (int, float)) and not isinstance(value, bool)
    }


def owner(parent: Record) -> Owner:
    """Return the owner of a namespace or listener; of unknown kind where the fact says nothing usable."""
    nested = record(parent, "owner")
    return Owner(
        kind=KINDS.get(text(nested, "kind") or "", OwnerKind.UNKNOWN),
        name=text(nested, "name"),
        pod=text(nested, "pod"),
        pod_namespace=text(nested, "pod_namespace"),
        container_id=text(nested, "container_id"),
        runtime=text(nested, "runtime"),
        pid=whole(nested, "pid"),
    )


def raw_variables(hostvars: Any, name: str) -> Record:
    """Return the variables of another host of the play as they came: facts, and what tasks have registered.

    These are values, never templates. By way of hostvars[name] Ansible would look for templates in every one of them,
    which takes several times as long as all that is done with them afterwards.
    """
    variables: Record = getattr(hostvars, "raw_get", hostvars.__getitem__)(name)
    return variables


def plain_copy(value: Any) -> Any:
    """Copy mappings, lists and texts, whatever their class (Ansible has its own), into plain dicts, lists and texts."""
    if isinstance(value, MAPPINGS):
        return {str(key): entry if entry.__class__ in PLAIN else plain_copy(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [entry if entry.__class__ in PLAIN else plain_copy(entry) for entry in value]
    return str(value) if isinstance(value, str) else value

# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading and checking what a user gives as waivers, before any host is touched."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, List, Optional, Tuple, Union

import yaml

from . import plain
from .catalogue import CATALOGUE
from .policy_check import nearest
from .waivers import TARGET_FIELDS, Waiver, Waivers

NEEDED = ("rule", "target", "justification")
FIELDS = (*NEEDED, "by", "expires")


class WaiverError(ValueError):
    """A waiver says something that is not allowed; the text names the place, the value and what is."""


def load_waivers(given: Union[str, List[Any], None] = None, directory: Optional[Path] = None) -> Waivers:
    """Read waivers: a list, or the path of a YAML file that holds one. None and "" are no waivers.

    directory: what a relative path is relative to (default: the current one).
    Raises WaiverError where the file cannot be read or says something that is not allowed.
    """
    if given is None or (isinstance(given, (str, list)) and not given):
        return Waivers()
    if isinstance(given, str):
        path = (directory or Path.cwd()) / Path(str(given)).expanduser()
        return Waivers(str(path), _waivers(_content(path), f" ({path})"))
    if not isinstance(given, (list, tuple)):
        raise WaiverError(f"netfit_waivers: {given!r} is neither a list nor the path of a YAML file")
    return Waivers("netfit_waivers", _waivers(given, ""))


def _content(path: Path) -> Any:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise WaiverError(f"netfit_waivers: {path} could not be read: {error}") from error
    except (yaml.YAMLError, ValueError) as error:
        raise WaiverError(f"netfit_waivers: {path} is not valid YAML: {error}") from error
    if content is not None and not isinstance(content, list):
        raise WaiverError(f"netfit_waivers: {path} must be a list of waivers, each with {', '.join(NEEDED)}")
    return content or []


def _waivers(entries: Any, place: str) -> Tuple[Waiver, ...]:
    try:
        return tuple(_waiver(f"waiver {number}", entry) for number, entry in enumerate(entries, 1))
    except WaiverError as error:
        raise WaiverError(f"netfit_waivers{place}: {error}") from None


def _waiver(place: str, entry: Any) -> Waiver:
    if not isinstance(entry, Mapping):
        raise WaiverError(f"{place} is {entry!r}, but must be a mapping with {', '.join(NEEDED)}")
    for name in entry:
        if name not in FIELDS:
            raise WaiverError(f"{place}: {name} is no setting of a waiver{nearest(str(name), FIELDS)}")
    for name in NEEDED:
        if name not in entry:
            raise WaiverError(f"{place} has no {name}; a waiver needs {', '.join(NEEDED)}")
    return Waiver(
        rule=_rule(f"{place}: rule", entry["rule"]),
        target=_target(f"{place}: target", entry["target"]),
        justification=_text(f"{place}: justification", entry["justification"]),
        by=None if entry.get("by") is None else _text(f"{place}: by", entry["by"]),
        expires=_expires(f"{place}: expires", entry.get("expires")),
    )


def _rule(place: str, value: Any) -> str:
    text = _text(place, value)
    if not any(fnmatchcase(known, text) for known in CATALOGUE):
        raise WaiverError(f"{place} is {text!r}, but must be a rule, or a pattern of rules{nearest(text, CATALOGUE)}")
    return text


def _target(place: str, value: Any) -> Tuple[Tuple[str, str], ...]:
    if not isinstance(value, Mapping) or not value:
        raise WaiverError(
            f"{place} is {plain.plain_copy(value)!r}, but must be a mapping with some of {', '.join(TARGET_FIELDS)} "
            '(host: "*" is every target)'
        )
    for name in value:
        if name not in TARGET_FIELDS:
            raise WaiverError(f"{place}.{name} is no part of a target{nearest(str(name), TARGET_FIELDS)}")
    return tuple((name, _text(f"{place}.{name}", value[name])) for name in TARGET_FIELDS if name in value)


def _text(place: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise WaiverError(f"{place} is {value!r}, but must be a text")
    return str(value).strip()


def _expires(place: str, value: Any) -> Optional[date]:
    """Read a day; YAML makes a date of what looks like one, unless it stands in quotes."""
    if value is None:
        return None
    if isinstance(value, date) and not isinstance(value, datetime):
        return date(value.year, value.month, value.day)
    try:
        return datetime.strptime(value, "%Y-%m-%d").date() if isinstance(value, str) else _refuse(place, value)
    except ValueError:
        return _refuse(place, value)


def _refuse(place: str, value: Any) -> date:
    raise WaiverError(f"{place} is {str(value)!r}, but must be a date, such as 2027-01-31") from None

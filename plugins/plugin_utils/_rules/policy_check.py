# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checking what a user's policy says, before anything is touched."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any, Callable, Dict

from ...module_utils._model.finding import Severity
from ...module_utils._model.sysctl_value import Comparison, SysctlValue
from .catalogue import CATALOGUE

SEVERITIES = tuple(severity.value for severity in Severity)
APPLIES_TO = ("host", "namespace", "both")
SYSCTL_FIELDS = (
    "minimum",
    "maximum",
    "exact",
    "recommended",
    "reason",
    "source",
    "applies_to",
    "since",
    "until",
    "only_when",
    "kernel_default",
    "kernel_range",
    "severity",
    "severity_with_symptom",
    "symptom",
    "enabled",
)

Check = Callable[[str, Any], None]


class PolicyError(ValueError):
    """The user's policy says something that is not allowed; the text names the place, the value and what is."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Return "; did you mean X?" for the known name nearest to this one, or the list of those that are known."""
    names = sorted(known)
    matches = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if matches:
        return f"; did you mean {matches[0]}?"
    shown = ", ".join(names[:20])
    return f"; known are: {shown}" + (" ..." if len(names) > 20 else "")


def check_policy(overrides: Mapping[str, Any], defaults: Mapping[str, Any], source: str) -> None:
    """Check a user's policy against the defaults that it is merged over. Raises PolicyError at the first fault."""
    try:
        _check_names("", overrides, defaults, "part of a policy")
        parts = {"rules": _check_rules, "listeners": _check_listeners, "paths": _check_paths}
        parts.update(http=_check_http, mtu=_check_mtu)
        for name, check in parts.items():
            if name in overrides:
                check(_mapping(name, overrides[name]), defaults)
        symptoms = _mapping("symptoms", overrides.get("symptoms", {}))
        for name, counters in symptoms.items():
            _list_of(str)(f"symptoms.{name}", counters)
        known_symptoms = {*defaults["symptoms"], *symptoms}
        for key, entry in _mapping("breaking", overrides.get("breaking", {})).items():
            _check_breaking(key, _mapping(f"breaking.{key}", entry), defaults["breaking"])
        for key, entry in _mapping("sysctls", overrides.get("sysctls", {})).items():
            _check_sysctl(key, _mapping(f"sysctls.{key}", entry), defaults["sysctls"], known_symptoms)
    except PolicyError as error:
        place = "" if source == "netfit_policy" else f" ({source})"
        raise PolicyError(f"netfit_policy{place}: {error}") from None


def _mapping(place: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise PolicyError(f"{place} is {value!r}, but must be a mapping")
    return value


def _check_names(place: str, given: Mapping[str, Any], known: Iterable[str], what: str) -> None:
    names = list(known)
    for name in given:
        if name not in names:
            where = f"{place}.{name}" if place else name
            raise PolicyError(f"{where} is no {what}{nearest(name, names)}")


def _one_of(allowed: Iterable[str]) -> Check:
    choices = list(allowed)

    def check(place: str, value: Any) -> None:
        if value not in choices:
            hint = "" if not isinstance(value, str) else nearest(value, choices)
            raise PolicyError(f"{place} is {value!r}, but must be one of {', '.join(choices)}{hint}")

    return check


def _boolean(place: str, value: Any) -> None:
    if not isinstance(value, bool):
        raise PolicyError(f"{place} is {value!r}, but must be true or false")


def _text(place: str, value: Any) -> None:
    if not isinstance(value, str) or not value:
        raise PolicyError(f"{place} is {value!r}, but must be a text")


def _backlog(place: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 2147483647:
        raise PolicyError(f"{place} is {value!r}, but must be a whole number from 0 to 2147483647 (connections)")


def _percent(place: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 100:
        raise PolicyError(f"{place} is {value!r}, but must be a number from 0 to 100 (percent)")


def _number(least: float, most: float, unit: str) -> Check:
    def check(place: str, value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= most:
            raise PolicyError(f"{place} is {value!r}, but must be a number from {least:g} to {most:g} ({unit})")

    return check


def _packets(place: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 1000000:
        raise PolicyError(f"{place} is {value!r}, but must be a whole number from 1 to 1000000 (packets)")


def _kernel(place: str, value: Any) -> None:
    if not isinstance(value, str) or not re.fullmatch(r"\d+\.\d+(\.\d+)?", value):
        raise PolicyError(f'{place} is {value!r}, but must be a kernel version as a text, such as "5.10"')


def _range(place: str, value: Any) -> None:
    _list_of(int)(place, value)
    if len(value) != 2 or value[0] > value[1]:
        raise PolicyError(f"{place} is {value!r}, but must be the smallest and the largest value")


def _list_of(kind: type) -> Check:
    def check(place: str, value: Any) -> None:
        if not isinstance(value, list) or not all(
            isinstance(entry, kind) and not isinstance(entry, bool) for entry in value
        ):
            words = {str: "texts", int: "whole numbers"}[kind]
            raise PolicyError(f"{place} is {value!r}, but must be a list of {words}")

    return check


def _check_rules(rules: Mapping[str, Any], defaults: Mapping[str, Any]) -> None:
    _check_names("rules", rules, CATALOGUE, "rule")
    checks: Dict[str, Check] = {"enabled": _boolean, "severity": _one_of(SEVERITIES)}
    for rule, entry in rules.items():
        place = f"rules.{rule}"
        _check_names(place, _mapping(place, entry), checks, "setting of a rule")
        for name, value in entry.items():
            checks[name](f"{place}.{name}", value)


def _check_listeners(listeners: Mapping[str, Any], defaults: Mapping[str, Any]) -> None:
    severity = _one_of(SEVERITIES)
    checks: Dict[str, Check] = {
        "minimum_backlog": _backlog,
        "reason": _text,
        "source": _text,
        "severity": severity,
        "severity_with_symptom": severity,
        "severity_minor": severity,
        "minor_programs": _list_of(str),
        "programs": _check_programs,
        "kernel_default_somaxconn": _list_of(int),
    }
    _check_names("listeners", listeners, defaults["listeners"], "setting of listeners")
    for name, value in listeners.items():
        checks[name](f"listeners.{name}", value)


def _check_paths(paths: Mapping[str, Any], defaults: Mapping[str, Any]) -> None:
    checks: Dict[str, Check] = {"loss_percent": _percent, "lost_packets": _packets, "reason": _text, "source": _text}
    _check_names("paths", paths, checks, "setting of paths")
    for name, value in paths.items():
        checks[name](f"paths.{name}", value)


def _check_http(http: Mapping[str, Any], defaults: Mapping[str, Any]) -> None:
    checks: Dict[str, Check] = {
        "significance": _number(1e-12, 0.05, "probability"),
        "failure_percent": _percent,
        "idle_margin_seconds": _number(0, 600, "seconds"),
        "reason": _text,
        "source": _text,
    }
    _check_names("http", http, checks, "setting of HTTP requests")
    for name, value in http.items():
        checks[name](f"http.{name}", value)


def _check_mtu(mtu: Mapping[str, Any], defaults: Mapping[str, Any]) -> None:
    checks: Dict[str, Check] = {"uplinks": _uplinks, "raise": _boolean, "underlay_mtu": _bytes_or_null}
    _check_names("mtu", mtu, checks, "setting of MTU plans")
    for name, value in mtu.items():
        checks[name](f"mtu.{name}", value)


def _uplinks(place: str, value: Any) -> None:
    if value not in ("keep", "lower") and not _is_size(value):
        raise PolicyError(f"{place} is {value!r}, but must be keep, lower or a whole number from 68 to 65535 (bytes)")


def _bytes_or_null(place: str, value: Any) -> None:
    if value is not None and not _is_size(value):
        raise PolicyError(f"{place} is {value!r}, but must be null or a whole number from 68 to 65535 (bytes)")


def _is_size(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 68 <= value <= 65535


def _check_programs(place: str, programs: Any) -> None:
    for name, entry in _mapping(place, programs).items():
        where = f"{place}.{name}"
        _check_names(where, _mapping(where, entry), ("backlog", "source"), "setting of a program")
        if entry.get("backlog") != "somaxconn":
            _backlog(f"{where}.backlog", entry.get("backlog"))


def _check_sysctl(key: str, entry: Mapping[str, Any], known: Mapping[str, Any], symptoms: Iterable[str]) -> None:
    place = f"sysctls.{key}"
    if key not in known:
        _check_own_key(key, entry, known)
    _check_names(place, entry, SYSCTL_FIELDS, "setting of a kernel parameter")
    checks: Dict[str, Check] = {
        "enabled": _boolean,
        "applies_to": _one_of(APPLIES_TO),
        "severity": _one_of(SEVERITIES),
        "severity_with_symptom": _one_of(SEVERITIES),
        "symptom": _one_of(symptoms),
        "since": _kernel,
        "until": _kernel,
        "reason": _text,
        "source": _text,
        "kernel_range": _range,
        "only_when": _check_mapping,
        "kernel_default": _check_list,
    }
    for name, value in entry.items():
        if name in checks:
            checks[name](f"{place}.{name}", value)
    _check_values(place, entry, known.get(key, {}))


def _check_breaking(key: str, entry: Mapping[str, Any], known: Mapping[str, Any]) -> None:
    place = f"breaking.{key}"
    conditions = {comparison.value for comparison in Comparison} | {"never", "node_ports"}
    if key not in known and ("reason" not in entry or conditions.isdisjoint(entry)):
        raise PolicyError(
            f"{place} is no key of the default policy{nearest(key, known)} "
            f"(a key of your own needs reason and one of {', '.join(sorted(conditions))})"
        )
    checks: Dict[str, Check] = {
        "enabled": _boolean,
        "live": _boolean,
        "where": _one_of(("host", "both")),
        "needs": _one_of(("containers", "nothing")),
        "severity": _one_of(SEVERITIES),
        "reason": _text,
        "source": _text,
        "never": _list_of(int),
        "node_ports": _range,
    }
    _check_names(place, entry, [*checks, *conditions], "setting of a value that breaks")
    for name, value in entry.items():
        if name in checks:
            checks[name](f"{place}.{name}", value)
    _check_values(place, entry, known.get(key, {}))


def _check_own_key(key: str, entry: Mapping[str, Any], known: Mapping[str, Any]) -> None:
    """A key that the defaults lack is taken for a typo, unless it is described in full."""
    missing = [name for name in ("reason", "applies_to") if name not in entry]
    if not any(comparison.value in entry for comparison in Comparison):
        missing.append("minimum (or maximum, or exact)")
    if missing:
        raise PolicyError(
            f"sysctls.{key} is no key of the default policy{nearest(key, known)} "
            f"(a key of your own also needs {', '.join(missing)})"
        )


def _check_mapping(place: str, value: Any) -> None:
    _mapping(place, value)


def _check_list(place: str, value: Any) -> None:
    if not isinstance(value, list):
        raise PolicyError(f"{place} is {value!r}, but must be a list")


def _check_values(place: str, entry: Mapping[str, Any], default: Mapping[str, Any]) -> None:
    given = [comparison for comparison in Comparison if comparison.value in entry]
    if len(given) > 1:
        names = " and ".join(comparison.value for comparison in given)
        raise PolicyError(f"{place} has {names}, but may have only one of minimum, maximum and exact")
    for comparison in given:
        where, value = f"{place}.{comparison.value}", entry[comparison.value]
        try:
            wanted = SysctlValue.parse(value)
        except ValueError as error:
            raise PolicyError(f"{where} is {value!r}: {error}") from None
        _check_numbers(where, value, wanted, entry, default)


def _check_numbers(
    where: str,
    value: Any,
    wanted: SysctlValue,
    entry: Mapping[str, Any],
    default: Mapping[str, Any],
) -> None:
    lowest_highest = entry.get("kernel_range", default.get("kernel_range"))
    if wanted.numbers is None:
        if lowest_highest is not None or not where.endswith(".exact"):
            raise PolicyError(f"{where} is {value!r}, but must be a number, or numbers for a vector")
        return
    usual = next((SysctlValue.parse(default[name.value]) for name in Comparison if name.value in default), None)
    if usual is not None and usual.numbers is not None and len(usual.numbers) != len(wanted.numbers):
        raise PolicyError(f"{where} is {value!r}, but must have {len(usual.numbers)} number(s), such as {usual.text}")
    if lowest_highest is None:
        return
    lowest, highest = lowest_highest
    if any(not lowest <= one <= highest for one in wanted.numbers):
        raise PolicyError(f"{where} is {value!r}, but the kernel takes {lowest} to {highest}")

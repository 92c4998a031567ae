# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The policy: what should be. Defaults from policy.yml, the user's values merged over them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple, Union

import yaml

from ...module_utils._model.finding import Severity
from ...module_utils._model.sysctl_setting import parse_kernel
from ...module_utils._model.sysctl_value import Comparison, SysctlValue
from . import plain
from .own_data import own_yaml
from .policy_breaking import RESERVED_PORTS, BreakingPolicy, read_breaking
from .policy_check import PolicyError, check_policy

DEFAULT_FILE = Path(__file__).with_name("policy.yml")

__all__ = ["Policy", "PolicyError", "ProgramPolicy", "SysctlPolicy", "load_policy"]


@dataclass(frozen=True)
class ProgramPolicy:
    """What a program asks for. backlog: connections, None for "somaxconn". source: who says so."""

    backlog: Optional[int]
    source: str


@dataclass(frozen=True)
class SysctlPolicy:
    """One key. since, until: kernel (major, minor), the latter no longer included."""

    key: str
    comparison: Comparison
    wanted: SysctlValue
    reason: str
    source: str
    applies_to: str
    severity: Severity
    severity_with_symptom: Severity
    symptom: Optional[str]
    only_when: Mapping[str, str]
    kernel_default: Tuple[str, ...]
    since: Optional[Tuple[int, int]]
    until: Optional[Tuple[int, int]]

    def concerns(self, kernel: str) -> bool:
        """Tell whether the key matters on that kernel release; True where the release is not understood."""
        version = parse_kernel(kernel)
        if version is None:
            return True
        return (self.since is None or version >= self.since) and (self.until is None or version < self.until)

    @property
    def expected(self) -> str:
        """Return the wanted value in words."""
        words = {Comparison.AT_LEAST: "at least ", Comparison.AT_MOST: "at most ", Comparison.EXACT: ""}
        return words[self.comparison] + self.wanted.text


@dataclass(frozen=True)
class Policy:
    """The policy in force. source: where the user's part came from; overrides: that part; merged: all of it."""

    source: str
    overrides: Mapping[str, Any]
    merged: Mapping[str, Any]
    sysctls: Tuple[SysctlPolicy, ...]
    programs: Mapping[str, ProgramPolicy]
    breaking: Tuple[BreakingPolicy, ...] = ()

    def enabled(self, rule: str) -> bool:
        """Tell whether a rule is to be applied."""
        return self.merged["rules"].get(rule, {}).get("enabled", True) is True

    def severity(self, rule: str, default: Severity) -> Severity:
        """Return the severity that the policy gives to a rule, or the default."""
        override = self.merged["rules"].get(rule, {}).get("severity")
        return default if override is None else Severity(override)

    def listener_severity(self, name: str) -> Severity:
        """Return the severity of that name from the listeners' part."""
        return Severity(self.merged["listeners"][name])

    @property
    def minimum_backlog(self) -> int:
        """Connections that a listener's effective backlog must hold."""
        return int(self.merged["listeners"]["minimum_backlog"])

    @property
    def minor_programs(self) -> Tuple[str, ...]:
        """Programs that serve few clients by design, by the name of their process."""
        return tuple(self.merged["listeners"]["minor_programs"])

    @property
    def kernel_default_somaxconn(self) -> Tuple[int, ...]:
        """The somaxconn values that untouched kernels have had."""
        return tuple(self.merged["listeners"]["kernel_default_somaxconn"])

    @property
    def loss_percent(self) -> float:
        """Percent of packets lost, from which a path counts as lossy."""
        return float(self.merged["paths"]["loss_percent"])

    @property
    def lost_packets(self) -> int:
        """Packets that must be lost before a path counts as lossy."""
        return int(self.merged["paths"]["lost_packets"])

    @property
    def http_significance(self) -> float:
        """Probability below which chance no longer explains a difference between requests."""
        return float(self.merged["http"]["significance"])

    @property
    def http_failure_rate(self) -> float:
        """Share of requests, 0 to 1, from which failures count."""
        return float(self.merged["http"]["failure_percent"]) / 100

    @property
    def http_idle_margin(self) -> float:
        """Seconds by which a server has to keep idle connections for longer than the load balancer."""
        return float(self.merged["http"]["idle_margin_seconds"])

    @property
    def mtu(self) -> Mapping[str, Any]:
        """The part about MTU plans: uplinks, raise, underlay_mtu."""
        part: Mapping[str, Any] = self.merged["mtu"]
        return part

    def symptom_counters(self, symptom: Optional[str]) -> Tuple[str, ...]:
        """Return the counters whose rise is that symptom."""
        return tuple(self.merged["symptoms"].get(symptom, ())) if symptom is not None else ()

    @property
    def sysctl_keys(self) -> List[str]:
        """The keys that the rules need to know, sorted."""
        keys = {key for entry in self.sysctls for key in (entry.key, *entry.only_when)}
        return sorted(keys | {entry.key for entry in self.breaking} | {RESERVED_PORTS})

    @property
    def digest(self) -> str:
        """Hex SHA-256 of the merged policy: equal digests, equal policies."""
        return hashlib.sha256(json.dumps(self.merged, sort_keys=True).encode("utf-8")).hexdigest()


def load_policy(given: Union[str, Mapping[str, Any], None] = None, directory: Optional[Path] = None) -> Policy:
    """Load the defaults and merge what the user gave: a mapping, or the path of a YAML file.

    directory: what a relative path is relative to (default: the current one).
    Raises PolicyError where the file cannot be read or says something that is not allowed.
    """
    defaults = own_yaml(DEFAULT_FILE)
    source, overrides = _overrides(given, directory or Path.cwd())
    check_policy(overrides, defaults, source)
    merged = _merge(defaults, overrides)
    sysctls = [_sysctl(key, entry) for key, entry in sorted(merged["sysctls"].items()) if entry.get("enabled", True)]
    programs = {
        name: ProgramPolicy(None if entry["backlog"] == "somaxconn" else entry["backlog"], entry.get("source", source))
        for name, entry in merged["listeners"]["programs"].items()
    }
    return Policy(source, overrides, merged, tuple(sysctls), programs, read_breaking(merged["breaking"]))


def _overrides(given: Union[str, Mapping[str, Any], None], directory: Path) -> Tuple[str, Dict[str, Any]]:
    if given is None or (isinstance(given, str) and not given.strip()):
        return "defaults", {}
    if isinstance(given, Mapping):
        return "netfit_policy", plain.plain_copy(given)
    if not isinstance(given, str):
        raise PolicyError(f"netfit_policy: {given!r} is neither a mapping nor the path of a YAML file")
    path = directory / Path(str(given)).expanduser()
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError(f"netfit_policy: {path} could not be read: {error}") from error
    except yaml.YAMLError as error:
        raise PolicyError(f"netfit_policy: {path} is not valid YAML: {error}") from error
    if content is None:
        return str(path), {}
    if not isinstance(content, Mapping):
        raise PolicyError(
            f"netfit_policy: {path} must be a mapping with rules, sysctls, breaking, listeners, paths, http, mtu "
            "or symptoms"
        )
    return str(path), plain.plain_copy(content)


def _merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> Dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        if isinstance(old, Mapping) and isinstance(value, Mapping):
            merged[key] = _merge(old, value)
        else:
            merged[key] = value
    if any(comparison.value in above for comparison in Comparison):
        for comparison in Comparison:
            if comparison.value not in above:
                merged.pop(comparison.value, None)
    return merged


def _sysctl(key: str, entry: Mapping[str, Any]) -> SysctlPolicy:
    comparison = next(comparison for comparison in Comparison if comparison.value in entry)
    severity = Severity(entry.get("severity", "low"))
    defaults: List[Any] = entry.get("kernel_default", [])
    since, until = (parse_kernel(str(entry[name])) if name in entry else None for name in ("since", "until"))
    return SysctlPolicy(
        key=key,
        comparison=comparison,
        wanted=SysctlValue.parse(entry[comparison.value]),
        reason=entry["reason"],
        source=entry.get("source", "netfit_policy"),
        applies_to=entry["applies_to"],
        severity=severity,
        severity_with_symptom=Severity(entry.get("severity_with_symptom", severity.value)),
        symptom=entry.get("symptom"),
        only_when={name: str(value) for name, value in entry.get("only_when", {}).items()},
        kernel_default=tuple(str(value) for value in defaults),
        since=since,
        until=until,
    )

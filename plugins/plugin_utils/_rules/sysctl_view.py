# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What files make of the host's kernel parameters, as the rules see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional, Tuple

from . import plain
from .plain import Record

PROGRAMS = (("next_boot", "the next boot"), ("system", '"sysctl --system"'))
"""The names of both programs in the fact, and in words."""


@dataclass(frozen=True)
class SettingView:
    """What one program sets. value: None where it sets nothing; place: file:line of what decides, None for none."""

    value: Optional[str]
    place: Optional[str]


@dataclass(frozen=True)
class ShadowedView:
    """See ShadowedLine in the model. program: next_boot or system; path: the line's file, place: with the line."""

    program: str
    value: str
    path: str
    place: str
    reason: str
    by: str


@dataclass(frozen=True)
class WriterView:
    """See SysctlWriter in the model."""

    program: str
    value: Optional[str]
    reason: str
    source: Optional[str]


@dataclass(frozen=True)
class FiledKey:
    """One key. live: the host's value now, None where it has none. effect: see Effect in the model."""

    key: str
    live: Optional[str]
    next_boot: SettingView
    system: SettingView
    shadowed: Tuple[ShadowedView, ...]
    writers: Tuple[WriterView, ...]
    effect: str
    effect_reason: Optional[str]

    def setting(self, program: str) -> SettingView:
        """Return what one of the programs sets."""
        return self.next_boot if program == "next_boot" else self.system


@dataclass(frozen=True)
class SysctlFilesView:
    """boots, systems: whether the host has these programs. conf_at_boot: whether /etc/sysctl.conf is read."""

    boots: bool = False
    systems: bool = False
    conf_at_boot: Optional[bool] = None
    keys: Tuple[FiledKey, ...] = ()

    def key(self, name: str) -> Optional[FiledKey]:
        """Return what is known of a key, None where the fact lacks it."""
        return next((one for one in self.keys if one.key == name), None)


def view_sysctl_files(fact: Record) -> SysctlFilesView:
    """Turn the part ``files`` of netfit_sysctl into its view. Never raises on what it lacks."""
    programs, keys = plain.record(fact, "programs"), plain.record(fact, "parameters")
    at_boot = fact.get("conf_at_boot")
    return SysctlFilesView(
        boots=plain.text(programs, "next_boot") is not None,
        systems=plain.text(programs, "system") is not None,
        conf_at_boot=at_boot if isinstance(at_boot, bool) else None,
        keys=tuple(_key(str(name), plain.record(keys, name)) for name in sorted(keys, key=str)),
    )


def _key(name: str, entry: Record) -> FiledKey:
    effect = plain.record(entry, "effect")
    return FiledKey(
        key=name,
        live=plain.text(entry, "live"),
        next_boot=_setting(plain.record(entry, "next_boot")),
        system=_setting(plain.record(entry, "system")),
        shadowed=tuple(_shadowed(one) for one in plain.records(entry, "shadowed")),
        writers=tuple(_writer(one) for one in plain.records(entry, "writers")),
        effect=plain.text(effect, "kind") or "normal",
        effect_reason=plain.text(effect, "reason"),
    )


def _setting(fact: Record) -> SettingView:
    path, place = _place(fact)
    value = fact.get("value")
    return SettingView(str(value) if isinstance(value, str) else None, place if path else None)


def _shadowed(fact: Record) -> ShadowedView:
    path, place = _place(fact)
    return ShadowedView(
        program=plain.text(fact, "program") or "",
        value=plain.text(fact, "value") or "",
        path=path,
        place=place,
        reason=plain.text(fact, "reason") or "",
        by=plain.text(fact, "by") or "another line",
    )


def _writer(fact: Record) -> WriterView:
    return WriterView(
        program=plain.text(fact, "program") or "another program",
        value=plain.text(fact, "value"),
        reason=plain.text(fact, "reason") or "",
        source=plain.text(fact, "source"),
    )


def _place(fact: Record) -> Tuple[str, str]:
    """Return the file of a source, and file:line."""
    source = plain.record(fact, "source")
    path, line = plain.text(source, "file") or "", plain.whole(source, "line")
    return path, path if line is None else f"{path}:{line}"

# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What tuned sets: the parameters of its active profile, and whether it reads sysctl.d again.

Source: tuned doc tuned-profiles.7, tuned/profiles/loader.py and tuned/plugins/plugin_sysctl.py.
"""

from __future__ import annotations

import re
from typing import Dict, Iterator, List, Optional, Set, Tuple

from .._model.sysctl_file import SysctlWriter
from .._model.sysctl_key import key_of
from .reading import FileReader

ACTIVE_PROFILE = "/etc/tuned/active_profile"
MAIN_CONFIGURATION = "/etc/tuned/tuned-main.conf"
# Later directories override; tuned 2.23 moved profiles one level down.
PROFILE_DIRECTORIES = ("/etc/tuned/profiles", "/etc/tuned", "/usr/lib/tuned/profiles", "/usr/lib/tuned")
_SUBJECT = "tuned profile"
_MOST_PROFILES = 32
_TRUE = ("1", "true", "yes", "on", "y", "t")


def read_tuned(reader: FileReader) -> List[SysctlWriter]:
    """Return what the active profile of tuned sets, included profiles first, each key once."""
    active = (reader.text(ACTIVE_PROFILE, "tuned's active profile") or "").split()
    writers: Dict[str, SysctlWriter] = {}
    seen: Set[str] = set()
    for profile in active:
        for path, number, name, value in _settings(reader, profile, seen):
            reason = f"tuned sets it when it starts, by its profile {' '.join(active)}"
            key = key_of(name)
            writers[key] = SysctlWriter("tuned", key, value, reason, f"{path}:{number}")
    return list(writers.values())


def reads_files_again(reader: FileReader) -> bool:
    """Tell whether tuned, when it has set its own, sets those of sysctl.d once more (reapply_sysctl, on by default)."""
    text = reader.text(MAIN_CONFIGURATION, "tuned's configuration") or ""
    found = re.findall(r"^[ \t]*reapply_sysctl[ \t]*=[ \t]*(\S*)", text, re.MULTILINE)
    return not found or found[-1].lower() in _TRUE


def _settings(reader: FileReader, profile: str, seen: Set[str]) -> Iterator[Tuple[str, int, str, str]]:
    """Yield file, line, name and value of what a profile sets, after that of the profiles that it includes."""
    if profile in seen or len(seen) >= _MOST_PROFILES or not re.fullmatch(r"[\w.+-]+", profile):
        return
    seen.add(profile)
    path, text = _profile(reader, profile)
    if text is None:
        return
    entries = list(_entries(text))
    for section, _number, name, value in entries:
        if section == "main" and name == "include":
            for included in re.split(r"[,;\s]+", value):
                yield from _settings(reader, included.lstrip("-"), seen)
    for section, number, name, value in entries:
        if section == "sysctl" and name not in ("type", "enabled", "replace", "priority"):
            # "=>N" and "=<N" only raise and only lower.
            yield path, number, name, value.lstrip("=<>").strip()


def _profile(reader: FileReader, profile: str) -> Tuple[str, Optional[str]]:
    for directory in PROFILE_DIRECTORIES:
        path = f"{directory}/{profile}/tuned.conf"
        text = reader.text(path, _SUBJECT)
        if text is not None:
            return path, text
    return "", None


def _entries(text: str) -> Iterator[Tuple[str, int, str, str]]:
    """Yield section, line, name and value of each setting of a file in tuned's format."""
    section = ""
    for number, line in enumerate(text.split("\n"), start=1):
        line = line.strip()
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1].strip()
        elif "=" in line and line[0] not in "#;":
            name, _equals, value = line.partition("=")
            yield section, number, name.strip(), value.strip()

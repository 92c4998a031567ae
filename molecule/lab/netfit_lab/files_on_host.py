# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Putting files on a running host of the lab."""

from __future__ import annotations

from .host import Host

_WRITE = 'mkdir -p "${1%/*}" && rm -f "$1" && cat >"$1" && chmod "$2" "$1"'


def write(host: Host, path: str, content: str, mode: int = 0o644) -> None:
    """Write a file whole. Through the host itself, so that links in the path are the host's. Raises CommandFailed."""
    host.run(["sh", "-c", _WRITE, "sh", path, f"{mode:o}"], input=content)

# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What names a path of a report in every run, whichever end measured it and whatever its pods are called by then."""

from __future__ import annotations

from typing import Optional, Tuple

from .plain import Record, record, text, whole


def path_key(entry: Record) -> str:
    """Return the key of a path as report.json holds it.

    Of each end count the host and whether it is the host itself: pods get other names when they are made again, and of
    each host and network one pod takes part. An end that is no host of the inventory counts by its name.
    """
    ends = [_end(record(entry, "source")), _end(record(entry, "peer"))]
    if text(entry, "kind") != "tcp":
        ends.sort()
    port = whole(entry, "port")
    parts = [text(entry, "kind"), text(entry, "class"), text(entry, "network"), text(entry, "family"), *ends]
    return "|".join([str(part or "") for part in parts] + ([str(port)] if port is not None else []))


def carried(entry: Record) -> Optional[int]:
    """Return the bytes that a path of a report carries for certain, the narrower of its directions; None: not known."""
    directions = [entry] if text(entry, "kind") == "tcp" else [record(entry, "forward"), record(entry, "back")]
    sizes = [whole(direction, "path_mtu") or whole(direction, "at_least") or 0 for direction in directions]
    return min(sizes) or None


def end_hosts(entry: Record) -> Tuple[Optional[str], Optional[str]]:
    """Return the hosts at both ends of a path, None for an end that is not in the inventory."""
    return text(record(entry, "source"), "host"), text(record(entry, "peer"), "host")


def is_host_end(end: Record) -> bool:
    """Tell whether an end is a host itself."""
    return text(record(end, "owner"), "kind") == "host"


def _end(end: Record) -> str:
    host = text(end, "host")
    if host is None:
        return text(end, "name") or ""
    return host if is_host_end(end) else f"in {host}"

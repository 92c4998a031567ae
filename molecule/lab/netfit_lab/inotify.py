# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one limit of this machine that the lab may raise: inotify instances of a user.

The kernel counts them for root over all namespaces together, and gives a user 128 (fs/notify/inotify/inotify_user.c,
inotify_user_setup); each host's systemd, dbus and container daemons take several.
"""

from __future__ import annotations

from pathlib import Path

LIMIT = Path("/proc/sys/fs/inotify/max_user_instances")
RESERVE = 64
FOR_EACH_HOST = 16


def raised_limit(now: int, hosts: int) -> int:
    """Return the limit needed for so many hosts, or the present one when that is enough."""
    return max(now, RESERVE + FOR_EACH_HOST * hosts)


def raise_limit(hosts: int, path: Path = LIMIT) -> str | None:
    """Raise the limit when it is too low. hosts: of all labs together. Returns what was done, None when nothing."""
    now = int(path.read_text())
    needed = raised_limit(now, hosts)
    if needed == now:
        return None
    path.write_text(str(needed))
    return f"raised fs.inotify.max_user_instances of this machine from {now} to {needed}, for {hosts} hosts; it stays"

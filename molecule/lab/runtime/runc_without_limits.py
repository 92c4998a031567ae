#!/usr/bin/python3
# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""runc for nodes on a machine that keeps its controllers in cgroup v1: containers' limits are left out.

containerd gives every sandbox a CPU weight, and runc refuses to start what it cannot weigh. The control groups
themselves, and with them the paths that say which pod a process belongs to, are made as always.
"""

from __future__ import annotations

import json
import os
import sys

RUNC = "/usr/sbin/runc"
LIMITS = ("cpu", "memory", "pids", "hugepageLimits", "unified")


def main() -> None:
    """Take the limits out of the bundle that is to be created, and become runc."""
    arguments = sys.argv[1:]
    if "create" in arguments and "--bundle" in arguments:
        path = os.path.join(arguments[arguments.index("--bundle") + 1], "config.json")
        with open(path, encoding="utf-8") as stream:
            configuration = json.load(stream)
        resources = configuration.get("linux", {}).get("resources", {})
        for limit in LIMITS:
            resources.pop(limit, None)
        with open(path, "w", encoding="utf-8") as stream:
            json.dump(configuration, stream)
    os.execv(RUNC, ["runc", *arguments])


if __name__ == "__main__":
    main()

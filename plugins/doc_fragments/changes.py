# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the modules that change something have in common."""

from __future__ import annotations


class ModuleDocFragment:
    """Fragment netfit.cluster.changes."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and return changed status prediction without modifying target.
    support: full
    details: [What it returns is the plan that a real run carries out.]
  diff_mode:
    description: >-
      Will return details on what has changed (or possibly needs changing in C(check_mode)), when in diff mode.
    support: full
  platform:
    description: Target OS/families that can be operated against.
    support: full
    platforms: linux
requirements:
  - Linux 5.10 or newer on the target
  - Python 3.8 or newer on the target
notes:
  - Needs root (C(become=true)).
  - One run at a time changes a host; another one waits for up to 30 seconds and then fails.
author:
  - The netfit team (@netfit)
"""

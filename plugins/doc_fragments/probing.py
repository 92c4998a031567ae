# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation that the modules share which send something and see what comes back."""

from __future__ import annotations


class ModuleDocFragment:
    """Fragments: the plain name is what each of them has, the other one an option."""

    DOCUMENTATION = r"""
options: {}
attributes:
  diff_mode:
    description: >-
      Will return details on what has changed (or possibly needs changing in C(check_mode)), when in diff mode.
    support: none
    details: [There is never a difference to show.]
  platform:
    description: Target OS/families that can be operated against.
    support: full
    platforms: linux
"""

    FAMILY = r"""
options:
  family:
    description: The addresses to take of a name that has several.
    type: str
    choices: [any, ipv4, ipv6]
    default: any
"""

# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation that all facts modules share."""

from __future__ import annotations


class ModuleDocFragment:
    """Fragments: the plain name is what every facts module has, the others one option each."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and return changed status prediction without modifying target.
    support: full
    details: [Facts modules never change anything.]
  diff_mode:
    description: >-
      Will return details on what has changed (or possibly needs changing in C(check_mode)), when in diff mode.
    support: none
    details: [There is never a difference to show.]
  facts:
    description: Action returns an C(ansible_facts) dictionary that will update existing host facts.
    support: full
  platform:
    description: Target OS/families that can be operated against.
    support: full
    platforms: linux
requirements:
  - Linux 5.10 or newer
  - Python 3.8 or newer, nothing but its standard library
  - the right to enter network namespaces (root). Without it only the host's own network namespace is read,
    and what is missing is listed under C(problems).
notes:
  - Nothing on the host changes. The kernel loads its C(inet_diag) modules on the first question about listening
    sockets, as it does for C(ss).
  - A network namespace that neither a process nor a bind mount holds, only an open file or a socket, cannot be found.
author:
  - The netfit team (@netfit)
"""

    ROUTE_LIMIT = r"""
options:
  route_limit:
    description:
      - The largest number of routes to return of one network namespace.
      - Where there are more, the rest is left out and a problem says so.
    type: int
    default: 4096
"""

    SAMPLE_INTERVAL = r"""
options:
  sample_interval:
    description:
      - Seconds between two readings of the counters and of the sockets' drops, from which rates are made.
      - V(0) reads once and gives no rates. At most 60.
    type: float
    default: 1.0
"""

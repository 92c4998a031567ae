#!/usr/bin/python
# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts about sysctls."""

from __future__ import annotations

DOCUMENTATION = r"""
module: sysctl_facts
short_description: Gather live sysctl values of every network namespace, the scope of each key, and what files say
description:
  - Reads the live values of network sysctls for the host and for every network namespace on it, and says whose
    network namespace it is.
  - Finds out the scope of each key by looking, not by the kernel's version. A key that other network namespaces
    lack, or show read-only, can be set on the host only. A key that they can write belongs to each of them, and
    the host's value says nothing about a container's.
  - Reads all files from which the host's sysctls are set, once, and says what the next boot makes of them by the rules
    of C(systemd-sysctl), what C(sysctl --system) makes of them by those of procps, which differ, which line decides,
    and which lines it shadows. No command is run.
  - Names the programs that are known to set a key later (tuned, dockerd, kube-proxy, k3s, udev), and keys that do
    nothing on this kernel.
version_added: 0.1.0
extends_documentation_fragment:
  - netfit.cluster.facts
options:
  keys:
    description:
      - The sysctls to read, with dots or with slashes as separators. Only those below C(net) are known here.
      - By default those that decide about listen queues, buffers, keep-alive and path MTU.
      - Below RV(ansible_facts.netfit_sysctl.files) are also all keys below C(net) that a file names.
    type: list
    elements: str
seealso:
  - module: netfit.cluster.network_facts
    description: Gathers these, MTUs and listen queues in one visit to each network namespace.
"""

EXAMPLES = r"""
---
- name: Read the sysctls of the host and of all containers
  netfit.cluster.sysctl_facts:

- name: Read two of them
  netfit.cluster.sysctl_facts:
    keys:
      - net.core.somaxconn
      - net.ipv4.tcp_keepalive_time
"""

RETURN = r"""
ansible_facts:
  description: Facts to add to ansible_facts.
  returned: always
  type: dict
  contains:
    netfit_sysctl:
      description: Live values and scopes.
      returned: always
      type: dict
      contains:
        kernel:
          description: The kernel's release.
          returned: always
          type: str
          sample: 6.1.0-28-amd64
        scopes:
          description: >-
            Of each key that the host has, V(namespace) (each network namespace has its own value), V(host) (only the
            host's can be set) or V(unknown) (there was no second network namespace to look into).
          returned: always
          type: dict
          sample: {net.core.somaxconn: namespace, net.core.netdev_max_backlog: host}
        namespaces:
          description: >-
            The network namespaces, the host's first, with C(inode), C(owner), C(paths) and C(values), a dict from key
            to C(value) (text, blanks folded), C(writable) and C(error) (why there is no value). A key that a network
            namespace does not have is not in it.
          returned: always
          type: list
          elements: dict
          sample: [{inode: 4026531840, owner: {kind: host, name: n1},
                    values: {net.core.somaxconn: {value: "4096", writable: true, error: null}}}]
        files:
          description: What files make of the host's own sysctls. Containers have none of it.
          returned: always
          type: dict
          contains:
            programs:
              description: >-
                The programs of this host whose rules were applied, V(systemd-sysctl) as C(next_boot), V(procps 3) or
                V(procps 4) as C(system); V(null) where it lacks one, and then nothing is said of what that would do.
              returned: always
              type: dict
              sample: {next_boot: systemd-sysctl, system: procps 4}
            conf_at_boot:
              description: >-
                Whether the next boot reads C(/etc/sysctl.conf), which it does only where a link in C(sysctl.d) leads
                to it, as Debian 13 has none; V(null) where there is no such file.
              returned: always
              type: bool
              sample: true
            parameters:
              description: >-
                From key to C(live) (the host's value, blanks folded, V(null) without one), C(next_boot) and C(system)
                (each with C(value) and C(source), the C(file), C(line) and C(key) of the line that decides; a source
                without a value is an exclusion, V(null) for both means that no line speaks of the key), C(shadowed)
                (lines without a say, with C(program), C(value), C(source), C(reason), one of V(later_line),
                V(explicit_key), V(exclusion) and V(hidden_file), and C(by), the line or file that stands against it),
                C(writers) (programs that set it after the files were read, with C(program), C(value), C(reason) and
                C(source)) and C(effect) (with C(kind), one of V(normal), V(none), V(removed), V(misspelt), V(unknown)
                and V(not_yet), and C(reason)).
              returned: always
              type: dict
              sample:
                net.core.somaxconn:
                  live: "4096"
                  next_boot: {value: "4096", source: {file: /etc/sysctl.d/99-z.conf, line: 2, key: net.core.somaxconn}}
                  system: {value: "1024", source: {file: /etc/sysctl.conf, line: 7, key: net/core/somaxconn}}
                  shadowed:
                    - program: system
                      value: "4096"
                      source: {file: /etc/sysctl.d/99-z.conf, line: 2, key: net.core.somaxconn}
                      reason: later_line
                      by: /etc/sysctl.conf:7
                  writers: []
                  effect: {kind: normal, reason: null}
        problems:
          description: What could not be read, with C(subject), C(reason), C(path) and C(namespace).
          returned: always
          type: list
          elements: dict
          sample: []
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.netfit.cluster.plugins.module_utils._facts.arguments import SYSCTL_KEYS, run_facts_module
from ansible_collections.netfit.cluster.plugins.module_utils._facts.options import Subset


def main() -> None:
    """Gather and exit."""
    module = AnsibleModule(argument_spec={"keys": SYSCTL_KEYS}, supports_check_mode=True)
    run_facts_module(module, {Subset.SYSCTL})


if __name__ == "__main__":
    main()

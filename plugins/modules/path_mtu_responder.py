#!/usr/bin/python
# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The far end of path MTU measurements."""

from __future__ import annotations

DOCUMENTATION = r"""
module: path_mtu_responder
short_description: Start and stop the far end that exact path MTU measurements by UDP need
description:
  - Starts one process on the host that answers the probes of M(netfit.cluster.path_mtu_info) with its
    O(ignore:method=udp), on one UDP port, IPv4 and IPv6, in the network namespaces that O(sources) names.
  - It ends by itself after O(lifetime), also when the controller or the connection dies. A timer of the kernel ends it
    a few seconds later should it hang.
  - It answers only datagrams that carry a tag made with O(token); everything else, and every datagram that it has seen
    before, gets no answer at all. To no session does it send more bytes than that session has sent, so that it cannot
    be used to amplify. It sends at most 20000 packets and 32 MiB in a second after a burst of at most 8192 packets and
    16 MiB, and remembers at most 4096 sessions.
  - It neither reads nor writes files while it serves, runs no command, and leaves no path MTU exception in the kernel.
    A record without secrets is kept in C(/run/netfit) while it runs.
  - A network namespace that ends while it is served is let go within seconds.
  - Firewall rules are not touched. Where the port is filtered, measuring reports the path as unreachable.
version_added: 0.2.0
options:
  state:
    description:
      - Whether the responder of O(run) shall run.
      - With V(started) a responder that already answers for O(run) with O(token) in the same namespaces is left alone,
        and keeps the end that it has. It is started anew where anything of these differs.
    type: str
    choices: [started, stopped]
    default: started
  run:
    description:
      - Name of the run that the responder is for. Several runs can have one each on the same host.
      - 1 to 64 letters, digits, dots, dashes and underscores. Required with O(state=started).
      - Empty with O(state=stopped) stops those of all runs.
    type: str
    default: ""
  token:
    description:
      - The secret that probers and responder of a run share, of 8 bytes or more. Choose a new random one for each run.
      - Required with O(state=started).
    type: str
  port:
    description: UDP port, 1024 to 65535. With V(0) the kernel chooses one that is free in all chosen namespaces.
    type: int
    default: 0
  sources:
    description:
      - The network namespaces to answer in, one entry for each. An entry without any option is the host itself.
      - By default only the host.
    type: list
    elements: dict
    default: []
    suboptions:
      pod:
        description: A pod, as C(namespace/name).
        type: str
      container:
        description: A container, by its name or by 12 or more digits of its id.
        type: str
      namespace:
        description: A network namespace, by its inode or by a path that leads to it.
        type: str
  lifetime:
    description: Seconds after which it ends, 1 to 3600.
    type: int
    default: 120
  idle:
    description: Seconds without a datagram of this run after which it ends earlier. By default it doesn't.
    type: int
attributes:
  check_mode:
    description: Says whether a responder would be started or stopped, and does neither.
    support: full
  diff_mode:
    description: There is no content that could be compared.
    support: none
  platform:
    description: Target OS/families that can be operated against.
    support: full
    platforms: linux
requirements:
  - Linux 5.10 or newer
  - Python 3.8 or newer, nothing but its standard library
  - root, to enter network namespaces (CAP_SYS_ADMIN) and to send whole packets (CAP_NET_RAW)
author:
  - The netfit team (@netfit)
seealso:
  - module: netfit.cluster.path_mtu_info
    description: Measures, with this at the far end.
"""

EXAMPLES = r"""
---
- name: Answer on the host and in one pod for two minutes
  netfit.cluster.path_mtu_responder:
    run: "{{ netfit_run }}"
    token: "{{ netfit_token }}"
    sources:
      - {}
      - pod: prod/gateway
  register: responder

- name: Stop it
  netfit.cluster.path_mtu_responder:
    state: stopped
    run: "{{ netfit_run }}"

- name: Stop all responders on the host, whatever run they are of
  netfit.cluster.path_mtu_responder:
    state: stopped
"""

RETURN = r"""
run:
  description: Name of the run.
  returned: always
  type: str
  sample: audit-20260101-1
port:
  description: UDP port that it answers on, V(0) in check mode where the kernel is to choose it.
  returned: when O(state=started)
  type: int
  sample: 41873
pid:
  description: Its process. V(null) in check mode.
  returned: when O(state=started)
  type: int
  sample: 4242
expires:
  description: When it ends at the latest, in seconds since 1970.
  returned: when O(state=started)
  type: int
  sample: 1767268800
namespaces:
  description: Where it answers.
  returned: when O(state=started)
  type: list
  elements: dict
  contains:
    inode:
      description: Inode of the network namespace.
      returned: always
      type: int
      sample: 4026531840
    owner:
      description: Whose it is, with C(kind), C(name), C(pod), C(pod_namespace), C(container_id), C(runtime), C(pid).
      returned: always
      type: dict
      sample: {kind: host, name: node1}
    addresses:
      description: Its global addresses on links that are up.
      returned: always
      type: list
      elements: str
      sample: [192.0.2.10, "2001:db8::10"]
problems:
  description: Sources that are not there or could not be entered, with C(subject), C(reason), C(path), C(namespace).
  returned: when O(state=started)
  type: list
  elements: dict
  sample: []
stopped:
  description: The responders that were stopped.
  returned: when O(state=stopped)
  type: list
  elements: dict
  contains:
    run:
      description: Name of the run.
      returned: always
      type: str
      sample: audit-20260101-1
    pid:
      description: Its process.
      returned: always
      type: int
      sample: 4242
    port:
      description: UDP port that it answered on.
      returned: always
      type: int
      sample: 41873
"""

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.netfit.cluster.plugins.module_utils._facts.sources import SOURCE_OPTIONS
from ansible_collections.netfit.cluster.plugins.module_utils._probe.responder_control import (
    NotStarted,
    Wanted,
    start,
    stop,
)


def main() -> None:
    """Start or stop, and exit."""
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["started", "stopped"], "default": "started"},
            "run": {"type": "str", "default": ""},
            "token": {"type": "str", "no_log": True},
            "port": {"type": "int", "default": 0},
            "sources": {"type": "list", "elements": "dict", "options": SOURCE_OPTIONS, "default": []},
            "lifetime": {"type": "int", "default": 120},
            "idle": {"type": "int"},
        },
        required_if=[("state", "started", ["run", "token"])],
        supports_check_mode=True,
    )
    work = start_one if module.params["state"] == "started" else stop_some
    try:
        result = work(module.params, module.check_mode)
    except NotStarted as error:
        module.fail_json(msg=str(error), problems=[problem.as_fact() for problem in error.problems])
    except (OSError, ValueError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result)


def start_one(params: Dict[str, Any], check_only: bool) -> Dict[str, Any]:
    """Start the responder of a run and return the result. Raises ValueError, NotStarted, OSError."""
    wanted = Wanted(
        run=params["run"],
        token=params["token"],
        port=params["port"],
        sources=tuple(params["sources"]),
        lifetime=params["lifetime"],
        idle=params["idle"],
    )
    wanted.validate()
    changed, running = start(wanted, check_only)
    return {"changed": changed, **running.as_fact()}


def stop_some(params: Dict[str, Any], check_only: bool) -> Dict[str, Any]:
    """Stop the responder of a run, or all, and return the result. Raises OSError."""
    stopped = stop(params["run"], check_only=check_only)
    listed = [{"run": one.run, "pid": one.pid, "port": one.port} for one in stopped]
    return {"changed": bool(stopped), "run": params["run"], "stopped": listed}


if __name__ == "__main__":
    main()

#!/usr/bin/python
# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A larger backlog for listeners that run."""

from __future__ import annotations

DOCUMENTATION = r"""
module: listen_backlog
short_description: Make running listeners take a larger backlog, without a restart
description:
  - Raises the backlog of TCP listeners on the host and in its containers and pods while their programs run. It borrows
    the listening socket for a moment and calls listen on it again; the process, its connections and those that
    wait are not touched.
  - Where net.core.somaxconn of a listener's network namespace caps the backlog, that is raised first.
  - Only raises. A listener with more is left alone.
  - Reads back each socket; a backlog that did not hold is an error that says what was read.
  - A raised backlog lasts as long as the socket. For each listener RV(listeners[].next_start) says what has to be set
    so that its program asks for as much at its next start.
  - Where the kernel does not allow it, RV(listeners[].restart) says which restart would do instead. A warning says so,
    too; the module does not fail for that.
  - Unix sockets are left alone.
  - Every change is recorded on the host before it happens, and can be undone.
version_added: 0.3.0
options:
  backlog:
    description: Connections that may wait to be accepted, 1 to 2147483647.
    type: int
    required: true
  ports:
    description:
      - Listeners on these TCP ports.
      - O(ports), O(processes), O(units), O(containers), O(pods) and O(below) narrow each other. One of them is
        required.
    type: list
    elements: int
    default: []
  processes:
    description: Listeners of these programs, by the name of the process or of its executable.
    type: list
    elements: str
    default: []
  units:
    description: Listeners of these systemd units of the host. V(nginx) means V(nginx.service).
    type: list
    elements: str
    default: []
  containers:
    description: Listeners of these containers, by name or by 12 or more digits of the id.
    type: list
    elements: str
    default: []
  pods:
    description: Listeners of these pods, as C(namespace/name).
    type: list
    elements: str
    default: []
  below:
    description: Every listener whose backlog is smaller than O(backlog).
    type: bool
    default: false
  except_processes:
    description: Programs whose listeners are left alone, named as for O(processes).
    type: list
    elements: str
    default: []
  loopback:
    description: Whether listeners that only the host or pod itself can reach are included, whatever chooses them.
    type: bool
    default: false
  restart:
    description:
      - Whether a systemd unit may be restarted where the backlog of its listener cannot be raised otherwise.
      - Containers and pods are never restarted.
    type: bool
    default: false
  run:
    description:
      - Name of the run in the host's journal that this belongs to, 1 to 64 letters, digits, dots, dashes, underscores.
      - By default a new run.
    type: str
attributes:
  check_mode:
    description: Says what would be done, and does nothing. Whether the kernel allows it is tried out.
    support: full
  diff_mode:
    description: Shows the backlogs and somaxconn, before and after.
    support: full
  platform:
    description: Target OS/families that can be operated against.
    support: full
    platforms: linux
requirements:
  - Linux 5.10 or newer; on 5.6 and newer no restart is needed
  - Python 3.8 or newer, nothing but its standard library
  - root with CAP_SYS_ADMIN and CAP_SYS_PTRACE
author:
  - The netfit team (@netfit)
seealso:
  - module: netfit.cluster.listen_queue_facts
    description: Shows every listener with its backlog and its drops.
"""

EXAMPLES = r"""
---
- name: Let the gateway's pod keep more connections waiting
  netfit.cluster.listen_backlog:
    pods: [prod/gateway]
    backlog: 4096

- name: Raise every listener that others can reach and that has less than 511
  netfit.cluster.listen_backlog:
    below: true
    backlog: 511
  register: queues

- name: Show what each program needs before its next start
  ansible.builtin.debug:
    msg: "{{ item.process.name }}: {{ item.next_start }}"
  loop: "{{ queues.listeners }}"

- name: Restart the unit where nothing else helps
  netfit.cluster.listen_backlog:
    units: [nginx]
    ports: [80, 443]
    backlog: 8192
    restart: true
"""

RETURN = r"""
run:
  description: Name of the run in the host's journal; V(null) in check mode.
  returned: always
  type: str
  sample: 20260101T120000Z-0a1b2c
before:
  description: What was changed, as it was.
  returned: always
  type: dict
  sample: {"net.core.somaxconn of prod/gateway": 128, "prod/gateway 0.0.0.0:8080 java[4242] socket 33412": 50}
after:
  description: The same as it is now, read back; in check mode as it would be.
  returned: always
  type: dict
  sample: {"net.core.somaxconn of prod/gateway": 4096, "prod/gateway 0.0.0.0:8080 java[4242] socket 33412": 4096}
listeners:
  description: The listeners that were chosen. Each socket of a group that shares a port is one of its own.
  returned: always
  type: list
  elements: dict
  contains:
    owner:
      description: Whose it is, with C(kind), C(name), C(pod), C(pod_namespace), C(container_id), C(runtime), C(pid).
      returned: always
      type: dict
      sample: {kind: pod, name: prod/gateway}
    namespace:
      description: Inode of its network namespace.
      returned: always
      type: int
      sample: 4026532001
    address:
      description: Address that it is bound to.
      returned: always
      type: str
      sample: 0.0.0.0
    port:
      description: TCP port.
      returned: always
      type: int
      sample: 8080
    process:
      description: The process, with C(pid) and C(name). The C(pid) is V(null) where no process was found.
      returned: always
      type: dict
      sample: {pid: 4242, name: java}
    unit:
      description: Its systemd unit on the host.
      returned: always
      type: str
      sample: nginx.service
    before:
      description: Effective backlog before.
      returned: always
      type: int
      sample: 50
    after:
      description: Effective backlog now, in check mode as it would be. V(null) for one that was closed meanwhile.
      returned: always
      type: int
      sample: 4096
    wanted:
      description: The backlog that was asked for.
      returned: always
      type: int
      sample: 4096
    outcome:
      description: >-
        V(raised), V(already) (it has as much or more), V(needs_restart), V(gone) (closed meanwhile), or V(failed).
      returned: always
      type: str
      sample: raised
    reason:
      description: Why, where it was not simply raised.
      returned: always
      type: str
      sample: ""
    restart:
      description: What restarts its program, where that is what it needs.
      returned: always
      type: str
      sample: docker restart shop
    next_start:
      description: What has to be set so that its program asks for as much when it starts the next time.
      returned: always
      type: str
      sample: >-
        Tomcat (Spring Boot MVC) asks for 100 unless configured otherwise: acceptCount of the Connector in server.xml,
        server.tomcat.accept-count in Spring Boot, as in "server.tomcat.accept-count=4096". Before it starts,
        net.core.somaxconn of its network namespace has to be 4096 or more.
sysctls:
  description: Network namespaces whose net.core.somaxconn was raised, with C(key), C(owner), C(before) and C(after).
  returned: always
  type: list
  elements: dict
  sample: [{key: net.core.somaxconn, owner: {kind: pod, name: prod/gateway}, before: 128, after: 4096}]
restarted:
  description: Units that were restarted.
  returned: always
  type: list
  elements: str
  sample: []
unmatched:
  description: What of the options means no listener at all. A warning says so, too.
  returned: always
  type: list
  elements: str
  sample: ["ports: nothing listens for 8081"]
problems:
  description: What could not be read, with C(subject), C(reason), C(path) and C(namespace).
  returned: always
  type: list
  elements: dict
  sample: []
"""

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.netfit.cluster.plugins.module_utils._change.backlog_result import (
    as_result,
    failures,
    read_programs,
    warnings,
)
from ansible_collections.netfit.cluster.plugins.module_utils._change.raise_backlogs import (
    carry_out,
    expected,
    prepare,
)
from ansible_collections.netfit.cluster.plugins.module_utils._change.resource import ChangeError
from ansible_collections.netfit.cluster.plugins.module_utils._change.resources import RESOURCES
from ansible_collections.netfit.cluster.plugins.module_utils._change.session import Session
from ansible_collections.netfit.cluster.plugins.module_utils._change.unit_restart import Restarter
from ansible_collections.netfit.cluster.plugins.module_utils._model.backlog import Selection

NAMES: Dict[str, Any] = {"type": "list", "elements": "str", "default": []}


def main() -> None:
    """Plan, change unless in check mode, and exit."""
    module = AnsibleModule(
        argument_spec={
            "backlog": {"type": "int", "required": True},
            "ports": {"type": "list", "elements": "int", "default": []},
            "processes": NAMES,
            "units": NAMES,
            "containers": NAMES,
            "pods": NAMES,
            "except_processes": NAMES,
            "below": {"type": "bool", "default": False},
            "loopback": {"type": "bool", "default": False},
            "restart": {"type": "bool", "default": False},
            "run": {"type": "str"},
        },
        supports_check_mode=True,
    )
    try:
        selection = selection_of(module.params)
        selection.validate()
        result = plan_only(selection, module.params) if module.check_mode else change(selection, module.params)
    except (ChangeError, ValueError, OSError) as error:
        module.fail_json(msg=str(error))
    told, wrong = result.pop("told"), result.pop("wrong")
    for sentence in told:
        module.warn(sentence)
    if wrong:
        module.fail_json(msg="; ".join(wrong), **result)
    module.exit_json(**result)


def selection_of(params: Dict[str, Any]) -> Selection:
    """Return which listeners a module's parameters mean."""
    lists = ("ports", "processes", "units", "containers", "pods", "except_processes")
    chosen: Dict[str, Any] = {name: tuple(params[name]) for name in lists}
    return Selection(backlog=params["backlog"], below=params["below"], loopback=params["loopback"], **chosen)


def plan_only(selection: Selection, params: Dict[str, Any]) -> Dict[str, Any]:
    """Return the result of a run that goes well, and change nothing. Raises OSError."""
    prepared = prepare(selection, params["restart"])
    done = expected(prepared)
    result = as_result(prepared, done, read_programs(prepared))
    return {"run": None, **result, "told": warnings(prepared, done), "wrong": failures(done)}


def change(selection: Selection, params: Dict[str, Any]) -> Dict[str, Any]:
    """Change, and return the result. Raises ChangeError, ValueError, OSError."""
    with Session(params["run"], "listen_backlog", RESOURCES) as session:
        prepared = prepare(selection, params["restart"])
        programs = read_programs(prepared)
        done = carry_out(prepared, session, Restarter())
        result = as_result(prepared, done, programs)
        name = session.run
    return {"run": name, **result, "told": warnings(prepared, done), "wrong": failures(done)}


if __name__ == "__main__":
    main()

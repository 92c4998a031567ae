#!/usr/bin/python
# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sysctls of new containers."""

from __future__ import annotations

DOCUMENTATION = r"""
module: container_sysctl
short_description: Give sysctls to new containers, by what each runtime offers
description:
  - A container does not inherit the sysctls of its host. This writes what the runtimes of the host really offer, and
    says plainly where one offers nothing, with the text to use instead.
  - CRI-O and podman get a file of their own with C(default_sysctls). A list takes the place of those in the files
    before it, so that it repeats them.
  - A CNI configuration that is the administrator's gets the plugin C(tuning) at the end of its chain. Those that a
    network add-on writes (Calico, Canal, flannel, Cilium, K3s and others) are refused, because the change would be
    lost.
  - The kubelets of RKE1, RKE2, K3s and kubeadm are told to allow the keys, C(allowed-unsafe-sysctls). A pod then has
    to ask for them, with the text that is returned. Keys that kubelet calls safe get no entry.
  - Docker and containerd offer nothing for all containers. The texts for C(docker run), compose, pods and Helm are
    returned.
  - Keys that belong to the host are refused. Whose a key is, is found by looking into a new network namespace, which
    is made for that and ends at once. By the keys' names it is told only where none can be made.
  - Nothing is restarted. What has to be restarted is returned, and so is what becomes of containers that run.
  - Every file is recorded in the journal of netfit before it is written.
version_added: 0.3.0
options:
  sysctls:
    description:
      - The keys, with dots or slashes, each with its value. A vector is a list, or its numbers with blanks between
        them.
      - Files of netfit's own hold just these keys afterwards, and what they repeat of other files. In files of others
        the keys are set and everything else stays.
      - With O(state=absent) files of netfit's own are removed. Out of files of others these keys are taken, from a
        CNI configuration only where they have these values.
    type: dict
    default: {}
  runtimes:
    description:
      - What to configure. V(auto) stands for the runtimes that the host has.
      - V(cni) is among these only where a configuration for pods is in force and there is no CRI-O. V(rke1) is among
        them where O(rke1_cluster_file) is given.
      - Where what is asked for can't be done with a runtime that is named, the module fails and nothing is written.
        Where V(auto) found it, it is said in RV(runtimes).
    type: list
    elements: str
    choices: [auto, crio, podman, cni, rke1, rke2, k3s, kubelet, docker, containerd]
    default: [auto]
  cni_file:
    description: The CNI configuration, a C(.conflist). By default the one that is in force for pods.
    type: path
  rke1_cluster_file:
    description:
      - The C(cluster.yml) of RKE1, on the machine where C(rke up) is run.
      - It takes effect with the next C(rke up).
    type: path
  kubelet_config_directory:
    description:
      - The directory of kubelet's option C(--config-dir), from Kubernetes 1.28 on.
      - By default the one that kubelet's unit names. Where it names none, C(KUBELET_EXTRA_ARGS) is changed in
        C(/etc/default/kubelet) or C(/etc/sysconfig/kubelet).
    type: path
  kubernetes_version:
    description:
      - The version of the kubelets, as in V(1.29). Keys that are safe in it need no entry.
      - By default only those count as safe that were in 1.22 already. To allow a safe key does no harm.
    type: str
  state:
    description: Whether new containers shall have the sysctls.
    type: str
    choices: [present, absent]
    default: present
  run:
    description:
      - Name of the run that the changes are recorded under, for undoing them together.
      - By default a new one.
    type: str
    default: ""
attributes:
  check_mode:
    description: The plan is the same, and nothing is written.
    support: full
  diff_mode:
    description: Shows each file as it is and as it is to be.
    support: full
  platform:
    description: Target OS/families that can be operated against.
    support: full
    platforms: linux
requirements:
  - Linux 5.10 or newer
  - Python 3.8 or newer, nothing but its standard library
  - root, to write the files and to look into a new network namespace (CAP_SYS_ADMIN)
author:
  - The netfit team (@netfit)
seealso:
  - module: netfit.cluster.sysctl_facts
    description: Shows the values that running containers have.
"""

EXAMPLES = r"""
---
- name: Give a longer listen queue to all new containers of whatever the host has
  netfit.cluster.container_sysctl:
    sysctls:
      net.core.somaxconn: 4096
  register: container_sysctl

- name: Let pods of RKE2 ask for it, and for keepalive that is not safe in Kubernetes before 1.29
  netfit.cluster.container_sysctl:
    sysctls:
      net.core.somaxconn: 4096
      net.ipv4.tcp_keepalive_time: 300
    runtimes: [rke2]
    kubernetes_version: "1.28"

- name: Change the cluster file of RKE1 where rke up is run
  netfit.cluster.container_sysctl:
    sysctls:
      net.core.somaxconn: 4096
    runtimes: [rke1]
    rke1_cluster_file: /srv/rke/cluster.yml
  delegate_to: localhost

- name: Take it back
  netfit.cluster.container_sysctl:
    sysctls:
      net.core.somaxconn: 4096
    state: absent
"""

RETURN = r"""
run:
  description: Name of the run in the journal, empty when nothing was written.
  returned: success
  type: str
  sample: audit-20260101-1
written:
  description: The files that were written or removed, in check mode those that would be.
  returned: success
  type: list
  elements: str
  sample: [/etc/crio/crio.conf.d/90-netfit.conf]
before:
  description: For each runtime the sysctls that its files gave to new containers, for kubelets those they allowed.
  returned: success
  type: dict
  sample: {crio: {}}
after:
  description: The same, after the change.
  returned: success
  type: dict
  sample: {crio: {net.core.somaxconn: "4096"}}
refused:
  description: Keys that no container can have, each with the reason.
  returned: success
  type: dict
  sample: {}
runtimes:
  description: What became of each runtime.
  returned: success
  type: list
  elements: dict
  contains:
    runtime:
      description: Its name.
      returned: always
      type: str
      sample: crio
    found:
      description: Whether the host has it.
      returned: always
      type: bool
      sample: true
    written:
      description: Its file that was written or removed.
      returned: always
      type: list
      elements: str
      sample: [/etc/crio/crio.conf.d/90-netfit.conf]
    reason:
      description: Why nothing was written, or what is noteworthy about what was.
      returned: always
      type: str
      sample: ""
    blocked:
      description: Whether what is asked for can't be had here. RV(runtimes[].reason) says what to do about it.
      returned: always
      type: bool
      sample: false
    before:
      description: The sysctls that its files gave to new containers.
      returned: always
      type: dict
      sample: {}
    after:
      description: The same, after the change.
      returned: always
      type: dict
      sample: {net.core.somaxconn: "4096"}
    refused:
      description: Keys that just this runtime can't set, each with the reason.
      returned: always
      type: dict
      sample: {}
    restart:
      description: What has to be done for the change to take effect. V(null) where nothing is.
      returned: always
      type: dict
      contains:
        unit:
          description: The service, V(null) where it isn't known.
          returned: always
          type: str
          sample: crio.service
        command:
          description: The command.
          returned: always
          type: str
          sample: systemctl restart crio
    running:
      description: What becomes of containers that run.
      returned: always
      type: str
      sample: Pods that run keep the sysctls that they have.
    snippets:
      description: Texts for the description of a container, by kind, C(docker_run), C(compose), C(pod) or C(helm).
      returned: always
      type: dict
      sample: {docker_run: "docker run --sysctl net.core.somaxconn=4096 IMAGE\n"}
"""

from typing import Any, Dict, List

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.netfit.cluster.plugins.module_utils._change.file_resource import FileResource
from ansible_collections.netfit.cluster.plugins.module_utils._change.new_containers import (
    ContainersPlan,
    carry_out,
    parse_version,
    plan_containers,
)
from ansible_collections.netfit.cluster.plugins.module_utils._change.resource import ChangeError
from ansible_collections.netfit.cluster.plugins.module_utils._change.session import Session
from ansible_collections.netfit.cluster.plugins.module_utils._config.reading import UnreadableFile
from ansible_collections.netfit.cluster.plugins.module_utils._model.container_sysctl import Runtime, Wanted

ROOT = "/"
NAME = "container_sysctl"
RUNTIMES = ["auto", "crio", "podman", "cni", "rke1", "rke2", "k3s", "kubelet", "docker", "containerd"]


def main() -> None:
    """Plan, write, and exit."""
    module = AnsibleModule(
        argument_spec={
            "sysctls": {"type": "dict", "default": {}, "no_log": False},
            "runtimes": {"type": "list", "elements": "str", "choices": RUNTIMES, "default": ["auto"]},
            "cni_file": {"type": "path"},
            "rke1_cluster_file": {"type": "path"},
            "kubelet_config_directory": {"type": "path"},
            "kubernetes_version": {"type": "str"},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "run": {"type": "str", "default": ""},
        },
        supports_check_mode=True,
    )
    try:
        session = Session(module.params["run"], NAME, {"file": FileResource()})
        plan = plan_containers(wanted(module.params), module.params["runtimes"], ROOT)
    except (ValueError, UnreadableFile) as error:
        module.fail_json(msg=str(error))
    run = ""
    if plan.changes and not module.check_mode:
        run = session.run
        try:
            with session:
                carry_out(plan, session, ROOT)
        except ChangeError as error:
            module.fail_json(msg=str(error), not_taken_back=session.not_taken_back, run=run)
    for text in warnings(plan):
        module.warn(text)
    module.exit_json(run=run, **plan.as_result())


def wanted(params: Dict[str, Any]) -> Wanted:
    """Return what is asked for. Raises ValueError."""
    return Wanted(
        sysctls=params["sysctls"],
        present=params["state"] == "present",
        cni_file=params["cni_file"],
        rke1_cluster_file=params["rke1_cluster_file"],
        kubelet_config_directory=params["kubelet_config_directory"],
        kubernetes=parse_version(params["kubernetes_version"]),
    )


def warnings(plan: ContainersPlan) -> List[str]:
    """Return what was asked for and is not done."""
    texts = [f"{key} was left out: {reason}" for key, reason in plan.refused.items()]
    for runtime in plan.runtimes:
        name = runtime.runtime.value
        texts += [f"{key} was left out for {name}: {reason}" for key, reason in runtime.refused.items()]
        # That a network add-on owns its configuration is as it should be, and said in the result.
        if runtime.blocked and runtime.runtime is not Runtime.CNI:
            texts.append(f"nothing was written for {name}: {runtime.reason}")
    return texts if plan.runtimes else [*texts, "no container runtime was found: name one with runtimes"]


if __name__ == "__main__":
    main()

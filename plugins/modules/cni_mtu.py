#!/usr/bin/python
# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The MTU of new pods and containers."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cni_mtu
short_description: Give new pods and containers the right MTU, in each stack's own terms
description:
  - Pods get their MTU from the configuration of their network, not from the host. This writes that configuration where
    it is a file of this host, and returns the commands for the cluster's owner where only the Kubernetes API has it.
  - The word mtu means different things. A setting that means the network between the nodes gets O(underlay_mtu), one
    that means the final MTU of pods gets O(pod_mtu), and plain bridges of container runtimes get O(container_mtu).
  - For RKE1 C(network.mtu) in O(rke1_cluster_file) is set. With its plugin flannel RKE1 refuses the setting, and so
    does this.
  - For RKE2 the values of canal, calico, flannel or cilium are set in a C(HelmChartConfig) on server nodes. Where
    Rancher has made the cluster and has values for that chart, nothing is written, and RV(stacks[].patches) has a patch
    for C(spec.rkeConfig.chartValues) of the cluster in Rancher.
  - For K3s flannel gets a C(net-conf.json) of its own, by the option C(flannel-conf).
  - flannel, Canal, Calico, its operator and Cilium by their own manifests are settings in the Kubernetes API. Nothing
    is written then, and RV(stacks[].patches) has patches and C(kubectl) commands, when the node shows that they are
    needed.
  - flannel is told a number less than O(underlay_mtu) where O(pod_mtu) is smaller than flannel would make it, as with
    IPv6 between the nodes, for which flannel subtracts too little.
  - For RKE2 and K3s nothing is written where the node shows that new pods get the right MTU by themselves, and no file
    says otherwise.
  - Files of others are merged. Lines and comments of theirs stay.
  - Nothing is restarted, and pods that run keep their MTU. What is left to do is returned.
  - Every file is recorded in the journal of netfit before it is written.
version_added: 0.4.0
extends_documentation_fragment: [netfit.cluster.changes]
options:
  stacks:
    description:
      - What to configure. V(auto) stands for all that the host has, V(kubernetes) for those of them that give pods
        their MTU, V(containers) for the others.
      - The network that RKE1, RKE2 or K3s brings is configured with it. V(rke1) is found also where
        O(rke1_cluster_file) is given.
      - Where what is asked for can't be done with a stack that is named, the module fails and nothing is written.
        Where it was found, it is said in RV(stacks) with a warning.
    type: list
    elements: str
    choices:
      - auto
      - kubernetes
      - containers
      - rke1
      - rke2
      - k3s
      - canal
      - flannel
      - calico
      - calico_operator
      - cilium
      - cni
      - docker
      - podman
      - nerdctl
    default: [auto]
  underlay_mtu:
    description:
      - What the network between the nodes carries, in bytes, from V(68) to V(65535). It has to be measured, because an
        interface may claim more than the path carries.
    type: int
  pod_mtu:
    description:
      - The largest IP packet of a pod, in bytes, with what the encapsulation takes already subtracted.
      - At least V(1280) where pods have IPv6 addresses, and no more than O(underlay_mtu).
    type: int
  container_mtu:
    description: The same for containers behind a plain bridge.
    type: int
  raise:
    description:
      - Whether networks of Docker, podman, nerdctl and CNI configurations of the administrator that give containers
        less than what is asked for get more.
      - Without it each of them is lowered where it gives more, and left alone where it gives less or the same, also
        where it does so without a setting.
      - The settings of Kubernetes' networks are one for the whole cluster, and get what is asked for.
    type: bool
    default: false
    version_added: 0.6.0
  plugin:
    description:
      - The network plugin that RKE1, RKE2 or K3s is expected to have. By default what their files say.
      - Another one than theirs is refused.
    type: str
  rke1_cluster_file:
    description: The C(cluster.yml) of RKE1, on the machine where C(rke up) is run.
    type: path
  cni_file:
    description: The CNI configuration of V(cni). By default the one that is in force for pods.
    type: path
  elsewhere:
    description:
      - Name of another server of the same RKE2 cluster that has a C(HelmChartConfig) for the network's chart in a file,
        as RV(stacks[].chart_config) has it.
      - No new one is written on this server then, because it would take the other's place in the cluster.
    type: str
    version_added: 0.6.0
  state:
    description: Only V(present). To take changes back, undo their run.
    type: str
    choices: [present]
    default: present
  run:
    description:
      - Name of the run that the changes are recorded under, for undoing them together.
      - By default a new one.
    type: str
    default: ""
seealso:
  - module: netfit.cluster.mtu_facts
    description: Shows the MTUs that pods and links have, and what files declare.
  - module: netfit.cluster.change_guard
    description: Takes a run back.
"""

EXAMPLES = r"""
---
- name: Give new pods what a network of 1450 bytes carries over VXLAN
  netfit.cluster.cni_mtu:
    stacks: [kubernetes]
    underlay_mtu: 1450
    pod_mtu: 1400
  register: cni_mtu

- name: Show what is left to the cluster's owner
  ansible.builtin.debug:
    msg: "{{ cni_mtu.stacks | map(attribute='patches') | flatten | map(attribute='commands') | flatten }}"

- name: Change the cluster file of RKE1 where rke up is run
  netfit.cluster.cni_mtu:
    pod_mtu: 1400
    stacks: [rke1]
    rke1_cluster_file: /srv/rke/cluster.yml
  delegate_to: localhost
"""

RETURN = r"""
run:
  description: Name of the run in the journal, empty when nothing was written.
  returned: success
  type: str
  sample: audit-20260101-1
written:
  description: The files that were written, in check mode those that would be.
  returned: success
  type: list
  elements: str
  sample: [/var/lib/rancher/rke2/server/manifests/rke2-canal-config.yaml]
stacks:
  description: What became of each stack.
  returned: success
  type: list
  elements: dict
  contains:
    stack:
      description: Its name.
      returned: always
      type: str
      sample: rke2
    found:
      description: Whether the host has it.
      returned: always
      type: bool
      sample: true
    knobs:
      description: Its settings, each with its name, its meaning (underlay, overlay or interface), before and after.
      returned: always
      type: list
      elements: dict
      sample:
        - name: "HelmChartConfig rke2-canal: calico.vethuMTU"
          meaning: interface
          before: null
          after: 1400
    written:
      description: Its files that were written.
      returned: always
      type: list
      elements: str
      sample: [/var/lib/rancher/rke2/server/manifests/rke2-canal-config.yaml]
    reason:
      description: Why nothing was written, or what is noteworthy about what was.
      returned: always
      type: str
      sample: ""
    blocked:
      description: Whether what is asked for can't be had here. RV(stacks[].reason) says what to do about it.
      returned: always
      type: bool
      sample: false
    patches:
      description: What waits for the cluster's owner. Empty where the cluster has it already, as far as the node shows.
      returned: always
      type: list
      elements: dict
      contains:
        name:
          description: Its name.
          returned: always
          type: str
          sample: calico
        resource:
          description: What is changed or restarted, as C(kubectl) names it.
          returned: always
          type: str
          sample: configmap/calico-config
        namespace:
          description: Its namespace, V(null) for what is in none.
          returned: always
          type: str
          sample: kube-system
        patch_type:
          description: C(merge) or C(strategic), empty where there are commands and nothing to patch.
          returned: always
          type: str
          sample: merge
        file:
          description: A name for the file with the patch, empty where there is none.
          returned: always
          type: str
          sample: calico-calico-config.yaml
        patch:
          description: Its text, in YAML.
          returned: always
          type: str
          sample: |
            data:
              veth_mtu: "1400"
        commands:
          description:
            - All commands in their order, that which applies the patch among them. C({file}) in it stands for the
              file's path. What begins with C(#) is for reading.
          returned: always
          type: list
          elements: str
          sample: ["kubectl --namespace kube-system rollout restart daemonset calico-node"]
    restart:
      description:
        - What has to be done for the files to take effect, also when they were right already and what runs was started
          with something else. V(null) where nothing is.
      returned: always
      type: dict
      contains:
        unit:
          description: The service, V(null) where it isn't known.
          returned: always
          type: str
          sample: k3s.service
        command:
          description: The command.
          returned: always
          type: str
          sample: systemctl restart k3s
    before_restart:
      description: Commands that have to come before RV(stacks[].restart), for what would keep its MTU over it.
      returned: always
      type: list
      elements: str
      sample: [ip link set dev flannel.1 mtu 1400]
    keeping:
      description: The same as links of M(netfit.cluster.link_mtu), which undoing the run gives back what they had.
      returned: always
      type: list
      elements: dict
      sample: [{link: flannel.1, mtu: 1400}]
    running:
      description: What becomes of pods and containers that run.
      returned: always
      type: str
      sample: Pods that run keep their MTU until they are made anew.
    snippets:
      description: Texts for people to use, by what they are for.
      returned: always
      type: dict
      sample: {}
    chart_config:
      description: The file that has values for the chart of RKE2's network, before this run. Empty where there is none.
      returned: always
      type: str
      sample: /var/lib/rancher/rke2/server/manifests/rke2-canal-config.yaml
    cluster:
      description: What servers of RKE2 of the same cluster have in common. Empty where it isn't known.
      returned: always
      type: str
      sample: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
"""

from typing import Any, Dict, List

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.netfit.cluster.plugins.module_utils._change.file_resource import FileResource
from ansible_collections.netfit.cluster.plugins.module_utils._change.new_pods_mtu import (
    AUTO,
    GROUPS,
    PodsPlan,
    carry_out,
    plan_new_pods,
)
from ansible_collections.netfit.cluster.plugins.module_utils._change.resource import ChangeError
from ansible_collections.netfit.cluster.plugins.module_utils._change.session import Session
from ansible_collections.netfit.cluster.plugins.module_utils._config.reading import UnreadableFile
from ansible_collections.netfit.cluster.plugins.module_utils._model.mtu_config import MtuWish, Stack

ROOT = "/"
NAME = "cni_mtu"
WISHES = ("underlay_mtu", "pod_mtu", "container_mtu", "plugin", "rke1_cluster_file", "cni_file", "elsewhere")


def main() -> None:
    """Plan, write, and exit."""
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    try:
        session = Session(module.params["run"], NAME, {"file": FileResource()})
        wish = MtuWish(**{name: module.params[name] for name in WISHES}, raising=module.params["raise"])
        plan = plan_new_pods(wish, module.params["stacks"], ROOT)
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


def argument_spec() -> Dict[str, Any]:
    """Return the options."""
    return {
        "stacks": {
            "type": "list",
            "elements": "str",
            "choices": [AUTO, *GROUPS, *(stack.value for stack in Stack)],
            "default": [AUTO],
        },
        "underlay_mtu": {"type": "int"},
        "pod_mtu": {"type": "int"},
        "container_mtu": {"type": "int"},
        "raise": {"type": "bool", "default": False},
        "plugin": {"type": "str"},
        "rke1_cluster_file": {"type": "path"},
        "cni_file": {"type": "path"},
        "elsewhere": {"type": "str"},
        "state": {"type": "str", "choices": ["present"], "default": "present"},
        "run": {"type": "str", "default": ""},
    }


def warnings(plan: PodsPlan) -> List[str]:
    """Return what was asked for and is not done."""
    return [f"nothing was written for {one.stack.value}: {one.reason}" for one in plan.stacks if one.blocked]


if __name__ == "__main__":
    main()

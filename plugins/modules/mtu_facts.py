#!/usr/bin/python
# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts about MTUs."""

from __future__ import annotations

DOCUMENTATION = r"""
module: mtu_facts
short_description: Gather links, routes, learned path MTUs and declared MTUs of every network namespace
description:
  - Reads, for the host and for every network namespace on it, the links with their MTU and kind, both ends of each
    veth pair, tunnels with their overhead and underlay, routes with their MTU, and the path MTUs that the kernel
    has learned.
  - Every network namespace has an owner, the host, a pod, a container, or unknown.
  - Reads the MTUs that the files of flannel, CNI plugins, Calico, Docker and Podman declare, with file and line.
  - Reads from kube-proxy's rules on the host, in its iptables, nftables and IPVS modes, which pods each NodePort of
    Kubernetes leads to.
  - Speaks netlink from within one process. No command is run but C(nft), C(iptables-save) and C(ipset) for the rules of
    kube-proxy; each only where its tables are in the kernel already, so that nothing is loaded for it.
version_added: 0.1.0
extends_documentation_fragment:
  - netfit.cluster.facts
  - netfit.cluster.facts.route_limit
seealso:
  - module: netfit.cluster.network_facts
    description: Gathers these, sysctls and listen queues in one visit to each network namespace.
"""

EXAMPLES = r"""
---
- name: Read what is known about MTUs
  netfit.cluster.mtu_facts:

- name: Show the MTU of every link in every pod
  ansible.builtin.debug:
    msg: "{{ item.0.owner.name }} {{ item.1.name }} {{ item.1.mtu }}"
  loop: >-
    {{ ansible_facts['netfit_mtu'].namespaces | selectattr('owner.kind', 'equalto', 'pod') | subelements('links') }}
  loop_control:
    label: "{{ item.0.owner.name }}"
"""

RETURN = r"""
ansible_facts:
  description: Facts to add to ansible_facts.
  returned: always
  type: dict
  contains:
    netfit_mtu:
      description: What the kernel has and what files declare.
      returned: always
      type: dict
      contains:
        kernel:
          description: The kernel's release.
          returned: always
          type: str
          sample: 6.1.0-28-amd64
        namespaces:
          description: The network namespaces, the host's first.
          returned: always
          type: list
          elements: dict
          contains:
            inode:
              description: Inode of the network namespace. It names it.
              returned: always
              type: int
              sample: 4026531840
            owner:
              description: >-
                Whose it is. RV(ignore:kind) is V(host), V(pod), V(container) or V(unknown), with C(name), C(pod),
                C(pod_namespace), C(container_id), C(runtime) and C(pid).
              returned: always
              type: dict
              sample: {kind: pod, name: prod/gateway, pod: gateway, pod_namespace: prod, runtime: containerd, pid: 4242}
            paths:
              description: Its names in the file system.
              returned: always
              type: list
              elements: str
              sample: [/run/netns/cni-1f1c9c80-1a8c-4a4f-8ac5-8d8d5d1a2f3b]
            links:
              description: >-
                The links with C(index), C(name), C(kind), C(mtu), C(min_mtu), C(max_mtu), C(up), C(operational_state),
                C(lower), C(bridge), C(peer) (the other end of a veth pair, with namespace, name and MTU),
                C(encapsulation) (kind, overhead in bytes, underlay and its MTU) and C(addresses).
              returned: always
              type: list
              elements: dict
              sample: [{index: 2, name: eth0, kind: veth, mtu: 1500}]
            routes:
              description: >-
                The routes of all tables but C(local), with C(destination), C(gateway), C(device), C(table), C(mtu),
                C(mtu_locked) and C(advertised_mss).
              returned: always
              type: list
              elements: dict
              sample: [{destination: 10.42.1.0/24, gateway: 10.42.1.0, device: flannel.1, table: 254, mtu: null}]
            path_mtu_exceptions:
              description: >-
                The path MTUs that the kernel has learned, with C(destination), C(mtu) and C(expires_seconds).
              returned: always
              type: list
              elements: dict
              sample: [{destination: 10.42.2.5, mtu: 1450, expires_seconds: 583.0}]
        declared:
          description: >-
            The MTUs that files declare, with C(stack), C(value), C(meaning) (V(underlay), V(overlay) or V(interface)),
            the C(link) that ought to have it, and the C(source) (file, line and key).
          returned: always
          type: list
          elements: dict
          sample: [{stack: flannel, value: 1450, meaning: overlay, link: flannel.1,
                    source: {file: /run/flannel/subnet.env, line: 3, key: FLANNEL_MTU}}]
        node_ports:
          description: >-
            The NodePorts of Kubernetes as kube-proxy's rules on this host have them, with C(family), C(protocol),
            C(port), C(service) (namespace, name and port; V(null) where the rules don't tell),
            C(external_traffic_policy) (V(cluster), V(local) or V(unknown)), C(mode) (V(iptables), V(nftables) or
            V(ipvs)), C(source), and C(endpoints) with C(address), C(port), C(share) (of this host's requests, 0 to 1),
            C(local) (whether it is on this host, V(null) where that is not known) and C(device) (by which this host
            sends there).
          returned: always
          type: list
          elements: dict
          version_added: 0.5.0
          sample: [{family: ipv4, protocol: tcp, port: 30004, service: "prod/gateway:http",
                    external_traffic_policy: cluster, mode: iptables,
                    source: "iptables-nft-save -t nat, chain KUBE-NODEPORTS",
                    endpoints: [{address: 10.42.2.5, port: 8081, share: 1.0, local: false, device: flannel.1}]}]
        problems:
          description: What could not be read, with C(subject), C(reason), C(path) and C(namespace).
          returned: always
          type: list
          elements: dict
          sample: []
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.netfit.cluster.plugins.module_utils._facts.arguments import ROUTE_LIMIT, run_facts_module
from ansible_collections.netfit.cluster.plugins.module_utils._facts.options import Subset


def main() -> None:
    """Gather and exit."""
    module = AnsibleModule(argument_spec={"route_limit": ROUTE_LIMIT}, supports_check_mode=True)
    run_facts_module(module, {Subset.MTU})


if __name__ == "__main__":
    main()

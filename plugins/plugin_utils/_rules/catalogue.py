# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The catalogue: every rule's id, title, why it matters, default severity and references."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Tuple

from ...module_utils._model.finding import Severity

RFC_PATH_MTU = "RFC 1191: path MTU discovery"
RFC_PATH_MTU_6 = "RFC 8201: path MTU discovery for IPv6"
RFC_PROBING = "RFC 8899: packetization layer path MTU discovery for datagram transports"
RFC_BLACK_HOLE = "RFC 2923: TCP problems with path MTU discovery"
KERNEL_SYSCTL = "Linux Documentation/networking/ip-sysctl.rst"
KERNEL_LISTEN = "Linux net/ipv4/af_inet.c __inet_listen_sk: the backlog is fixed when listen() is called"


@dataclass(frozen=True)
class Rule:
    """One rule. why: what happens to traffic, for a person on call. severity: unless the finding knows better."""

    id: str
    title: str
    why: str
    severity: Severity
    references: Tuple[str, ...]


RULES: Tuple[Rule, ...] = (
    Rule(
        "MTU-001",
        "Pod or container MTU exceeds the overlay that its traffic crosses",
        'Large uploads through a NodePort or load balancer hang (504) unless ICMP "fragmentation needed" reaches the '
        "sender, and cloud load balancers ignore it. Small requests, responses and pod-to-pod tests all pass.",
        Severity.CRITICAL,
        (
            RFC_PATH_MTU,
            RFC_BLACK_HOLE,
            "RFC 7348: VXLAN",
            "https://github.com/rancher/rancher/issues/13984",
            "https://github.com/rancher/rancher/issues/24096",
        ),
    ),
    Rule(
        "MTU-002",
        "Overlay MTU exceeds its underlay less the overhead",
        "Full-size packets do not fit into the underlay once they are encapsulated: they are fragmented, or, where the "
        "outer header forbids it, dropped without a word to the sender.",
        Severity.HIGH,
        (
            RFC_PATH_MTU,
            "RFC 7348 section 4.3: VTEPs must not fragment",
            "Linux net/ipv4/ip_tunnel_core.c skb_tunnel_check_pmtu",
            "https://github.com/moby/libnetwork/issues/1021",
        ),
    ),
    Rule(
        "MTU-003",
        "Members of one bridged segment disagree on the MTU",
        "A bridge forwards no frame that is larger than the way out, sends no ICMP and counts no drop. TCP between the "
        "members adapts when it connects; UDP and traffic that is routed through the segment do not.",
        Severity.MEDIUM,
        ("Linux include/linux/netdevice.h __is_skb_forwardable", "Linux net/bridge/br_if.c br_mtu_auto_adjust"),
    ),
    Rule(
        "MTU-004",
        "The two ends of a veth pair have different MTUs",
        "What the larger end sends and the smaller end cannot take vanishes without ICMP.",
        Severity.MEDIUM,
        ("Linux include/linux/netdevice.h __is_skb_forwardable", "https://github.com/rancher/rancher/issues/10498"),
    ),
    Rule(
        "MTU-005",
        "Declared MTU differs from the live one",
        "What runs is not what the files say: it was made before they changed, or by something else. The next restart "
        "changes the MTU of this link, for better or worse.",
        Severity.MEDIUM,
        (
            "https://github.com/flannel-io/flannel/issues/1775",
            "https://github.com/rancher/rke2-charts/pull/670",
            "https://github.com/moby/moby/issues/34981",
        ),
    ),
    Rule(
        "MTU-006",
        "Nodes disagree on the MTU of the same kind of link",
        "Pods of the node with the larger MTU send, or invite, packets that the other nodes cannot carry.",
        Severity.HIGH,
        (RFC_PATH_MTU, "https://github.com/flannel-io/flannel/issues/1011"),
    ),
    Rule(
        "MTU-007",
        "Container MTU exceeds the host's uplink MTU",
        "The container invites packets that the uplink cannot carry: downloads and TLS handshakes hang wherever ICMP "
        '"fragmentation needed" is filtered on the way.',
        Severity.HIGH,
        (RFC_PATH_MTU, RFC_BLACK_HOLE, "https://github.com/moby/moby/issues/22297"),
    ),
    Rule(
        "MTU-008",
        "A guarded change of an MTU was rolled back",
        "The host was cut off, or did not carry full-size packets, and has undone the change by itself: nothing of it "
        "is in force, and what it was to heal is as before.",
        Severity.HIGH,
        (RFC_PATH_MTU, RFC_BLACK_HOLE),
    ),
    Rule(
        "MTU-009",
        "Declared MTU will break at the next restart or with the next pod",
        "All is right now, and what the files say is not: the fault comes with the next boot, the next restart of the "
        "network, or the next pod that is made, when nobody thinks of the MTU.",
        Severity.HIGH,
        (
            RFC_PATH_MTU,
            "https://github.com/rancher/rke2-charts/pull/670",
            "https://github.com/rancher/rancher/issues/24096",
        ),
    ),
    Rule(
        "MTU-010",
        "An MTU was given in another meaning than its setting has",
        "The same word stands for the network below, for the packets of pods, or for an interface. A number that is "
        "taken for the wrong one makes packets too large for the overlay, or smaller than they could be.",
        Severity.HIGH,
        (
            "https://docs.tigera.io/calico/latest/networking/configuring/mtu",
            "https://github.com/flannel-io/flannel/issues/1775",
            "https://docs.docker.com/engine/network/drivers/overlay/",
        ),
    ),
    Rule(
        "QUEUE-001",
        "Listen backlog is below the policy",
        "When more connections arrive at once than the backlog holds, their handshakes are dropped: clients retry "
        "after 1, 3 and 7 seconds, and load balancers answer 502 or 504.",
        Severity.LOW,
        (KERNEL_SYSCTL + " somaxconn", KERNEL_LISTEN, "listen(2)"),
    ),
    Rule(
        "QUEUE-002",
        "Listen backlog is stale: somaxconn was raised after listen()",
        "The process still has the backlog that it got when it started to listen; raising somaxconn does not change "
        "that until it calls listen() again.",
        Severity.LOW,
        (KERNEL_LISTEN, KERNEL_SYSCTL + " somaxconn", "https://github.com/kubernetes/kubernetes/issues/29572"),
    ),
    Rule(
        "QUEUE-003",
        "Accept queue overflows",
        "Connections that the kernel had completed, or was about to, are dropped because the program does not accept "
        "them fast enough for its backlog.",
        Severity.HIGH,
        (
            "Linux net/ipv4/tcp_input.c tcp_conn_request",
            "Linux include/net/sock.h sk_acceptq_is_full",
            KERNEL_SYSCTL + " tcp_abort_on_overflow",
        ),
    ),
    Rule(
        "QUEUE-004",
        "SYN queue overflows or SYN cookies are sent",
        "More handshakes are under way than the queue holds. With cookies they survive with fewer TCP options; without "
        "them they are dropped.",
        Severity.MEDIUM,
        ("RFC 4987: TCP SYN flooding and common mitigations", "Linux net/ipv4/tcp_input.c tcp_conn_request"),
    ),
    Rule(
        "SYSCTL-001",
        "Kernel parameter is outside the policy",
        "The value is one that is known to hold connections back; the policy names its reason and source.",
        Severity.LOW,
        (KERNEL_SYSCTL,),
    ),
    Rule(
        "SYSCTL-002",
        "The host is tuned, the container is not",
        "A new network namespace starts with the kernel's own defaults for these keys: what was set on the host never "
        "reached this one.",
        Severity.MEDIUM,
        (
            "Linux net/core/net_namespace.c setup_net",
            "https://github.com/kubernetes/kubernetes/issues/54132",
            "https://github.com/docker/for-linux/issues/1068",
        ),
    ),
    Rule(
        "SYSCTL-003",
        "The next boot sets another value than the live one",
        "What was tried out by hand is lost at the next boot, or what is written in a file never came into force: the "
        "host changes its behaviour on the day when it restarts.",
        Severity.MEDIUM,
        ("sysctl.d(5)", "systemd-sysctl.service(8)", KERNEL_SYSCTL),
    ),
    Rule(
        "SYSCTL-004",
        "A line for a kernel parameter is shadowed by another one",
        "The file says one thing and the host does another: whoever reads, or changes, the shadowed line is misled.",
        Severity.LOW,
        ("sysctl.d(5) configuration directories and precedence", "sysctl(8) system file precedence"),
    ),
    Rule(
        "SYSCTL-005",
        "A file sets a kernel parameter that does nothing on this kernel",
        "The parameter was removed, is ignored, or its name is misspelt. Neither systemd-sysctl nor sysctl --system "
        "says so, and both end well.",
        Severity.LOW,
        (
            KERNEL_SYSCTL,
            "Linux commit dfa2f0483360: tcp: get rid of sysctl_tcp_adv_win_scale",
            "Linux commit 4396e46187ca: tcp: remove tcp_tw_recycle",
        ),
    ),
    Rule(
        "SYSCTL-006",
        "A value that is known to break container hosts",
        "Hardening guides and old tuning lists still carry it. Connections fail, or fail for some clients only, and "
        "nothing in the cluster points to a kernel parameter.",
        Severity.HIGH,
        (
            KERNEL_SYSCTL,
            "https://github.com/redhat-performance/tuned/issues/816",
            "https://kubernetes.io/docs/setup/production-environment/container-runtimes/",
        ),
    ),
    Rule(
        "PATH-001",
        "Black hole: full-size packets vanish without a word",
        "Whatever is larger than the path carries is dropped and the sender is never told: small requests work, large "
        "ones hang until they time out (504), and pings with their 84 bytes see nothing.",
        Severity.CRITICAL,
        (RFC_BLACK_HOLE, RFC_PATH_MTU, RFC_PROBING),
    ),
    Rule(
        "PATH-002",
        "Path is narrower than the sender's MTU; ICMP says so",
        "Senders learn the smaller size from ICMP, lose the first full-size packets again every ten minutes, and hang "
        "on the day when a firewall filters that ICMP.",
        Severity.MEDIUM,
        (RFC_PATH_MTU, RFC_PATH_MTU_6),
    ),
    Rule(
        "PATH-003",
        "The two directions of a path carry different sizes",
        "Requests and responses meet different limits: a test of one direction passes while the other one fails. "
        "TCP agrees on an MSS for each direction by the ends' links, not by what lies between them.",
        Severity.MEDIUM,
        (RFC_PATH_MTU, "RFC 2923 section 2.3"),
    ),
    Rule(
        "PATH-004",
        "Path is unreachable or loses packets",
        "Packets of any size are lost, so the fault is not one of the MTU. Each loss costs TCP a retransmission, and "
        "in a handshake a second.",
        Severity.HIGH,
        ("RFC 6298: computing TCP's retransmission timer", "RFC 9293 section 3.8"),
    ),
    Rule(
        "PATH-005",
        "Path works only because ICMP arrives, or because it did",
        "Full-size packets do not fit, and what is sent now fits only because this sender has been told. A sender that "
        "ignores ICMP, as cloud load balancers do, meets a black hole on the same path; what was learned is forgotten "
        "after ten minutes.",
        Severity.HIGH,
        (RFC_PATH_MTU, RFC_BLACK_HOLE, KERNEL_SYSCTL + " mtu_expires"),
    ),
    Rule(
        "PATH-006",
        'ICMP "fragmentation needed" or "packet too big" is filtered',
        "This host drops packets for their size, and the message that would have told their sender is dropped as well: "
        "that is what makes a black hole out of a narrow path.",
        Severity.HIGH,
        (
            "RFC 4890 section 4.3.1: ICMPv6 that must not be dropped",
            RFC_BLACK_HOLE,
            "Linux net/ipv4/icmp.c icmp_send, net/ipv4/ip_forward.c",
        ),
    ),
    Rule(
        "PATH-007",
        "Measured path MTU is below what the configuration assumes",
        "Links, overlays and CNI configuration were set for more than the path carries: every device on it believes "
        "that full-size packets fit.",
        Severity.HIGH,
        (RFC_PATH_MTU, RFC_PROBING),
    ),
    Rule(
        "PATH-008",
        "A learned path MTU is out of date",
        "The kernel still holds a smaller path MTU than the path has by now, so this sender's packets stay small, and "
        "tools that ask the kernel (ping -M do, tracepath) report a fault that is gone, until it expires.",
        Severity.LOW,
        (KERNEL_SYSCTL + " mtu_expires", "RFC 1191 section 6.3: purging stale PMTU information"),
    ),
    Rule(
        "MSS-001",
        "Advertised MSS exceeds what the path carries",
        "The far end invites segments that do not fit: each client that follows the invitation depends on ICMP. "
        "Uploads hang where it is filtered; responses survive.",
        Severity.HIGH,
        (
            "RFC 9293 section 3.7.1: maximum segment size option",
            "RFC 6691: TCP options and MSS",
            RFC_BLACK_HOLE,
        ),
    ),
    Rule(
        "NODEPORT-001",
        "Requests to a NodePort cross the overlay",
        "A load balancer that spreads requests over all nodes sends most of them by way of a node without the pod, and "
        "from there through the overlay: they depend on its MTU, and on ICMP where the pod's MTU is larger (MTU-001).",
        Severity.INFO,
        (
            "https://kubernetes.io/docs/reference/networking/virtual-ips/#external-traffic-policy",
            "kubernetes pkg/proxy/iptables/proxier.go syncProxyRules",
        ),
    ),
    Rule(
        "HTTP-001",
        "Requests fail more often the larger their body is",
        "Uploads end in 504 or hang while small requests, health checks and responses are fine. Something on the way "
        "loses full-size packets, or a buffer or time limit ends what takes longer to send.",
        Severity.HIGH,
        (RFC_BLACK_HOLE, RFC_PATH_MTU, "https://github.com/rancher/rancher/issues/13984"),
    ),
    Rule(
        "HTTP-002",
        "Requests fail by some nodes and not by others",
        "A load balancer spreads requests over all nodes, so that a fixed share of them fails and a repetition may "
        "pass. Only the node that has the pod reaches it without the overlay.",
        Severity.HIGH,
        (
            RFC_BLACK_HOLE,
            "Kubernetes, Services: external traffic policy",
            "Kubernetes, Virtual IPs and service proxies",
        ),
    ),
    Rule(
        "HTTP-003",
        "A server closes idle connections sooner than the load balancer does",
        "The load balancer sends a request on a connection that the server closes in the same moment, and answers its "
        "client with a 502: now and then, whatever the load, and more often where there is little traffic.",
        Severity.HIGH,
        (
            "RFC 9112 section 9.5: either end may close at any time",
            "AWS, Troubleshoot your Application Load Balancers: HTTP 502",
            "Google Cloud, External Application Load Balancer: backend keep-alive",
        ),
    ),
    Rule(
        "AUDIT-001",
        "Something could not be read or measured",
        "This part was not checked, so nothing is known about it: neither good nor bad.",
        Severity.LOW,
        (),
    ),
    Rule(
        "AUDIT-002",
        "The host could not be audited",
        "Nothing is known about this host: neither good nor bad.",
        Severity.LOW,
        (),
    ),
)

CATALOGUE = {rule.id: rule for rule in RULES}

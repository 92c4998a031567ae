# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A layer-7 load balancer as clouds have them: nginx, whose host ignores ICMP "fragmentation needed"; pure text."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

CONFIGURATION_FILE = "/etc/nginx/nginx.conf"
FILTER_FILE = "/etc/nginx/ignore-icmp.nft"
UNIT_FILE = "/etc/systemd/system/nginx.service.d/ignore-icmp.conf"
ACCESS_LOG = "/var/log/nginx/access.log"
UNIT = f"[Service]\nExecStartPre=/usr/sbin/nft -f {FILTER_FILE}\n"
FILTER = """\
table inet cloud
delete table inet cloud
table inet cloud {
  chain input {
    type filter hook input priority filter
    icmp type destination-unreachable icmp code frag-needed drop
    icmpv6 type packet-too-big drop
  }
}
"""


@dataclass(frozen=True)
class LoadBalancer:
    """One load balancer. listen, port: TCP ports, of its own and of its targets. timeout: seconds."""

    listen: int
    targets: tuple[ipaddress.IPv4Address, ...]
    port: int
    timeout: int
    ignores_icmp: bool


def configuration(balancer: LoadBalancer) -> str:
    """Return nginx.conf.

    One worker and targets that are never taken out: so requests go round robin exactly. No second try at another
    target: a request that fails must be seen. HTTP/1.0 to the targets, nginx's default: every request is a connection.
    """
    return f"""\
# Written by the lab.
user www-data;
worker_processes 1;
pid /run/nginx.pid;
error_log /var/log/nginx/error.log;
events {{ worker_connections 1024; }}
http {{
  log_format upstreams '$status $request_length $upstream_addr $upstream_status $upstream_response_time';
  access_log {ACCESS_LOG} upstreams;
  client_max_body_size 0;
  upstream nodes {{
{_servers(balancer.targets, balancer.port)}  }}
  server {{
    listen {balancer.listen};
    location / {{
      proxy_pass http://nodes;
      proxy_next_upstream off;
      proxy_connect_timeout {balancer.timeout}s;
      proxy_send_timeout {balancer.timeout}s;
      proxy_read_timeout {balancer.timeout}s;
    }}
  }}
}}
"""


def _servers(targets: Sequence[ipaddress.IPv4Address], port: int) -> str:
    return "".join(f"    server {target}:{port} max_fails=0;\n" for target in targets)

# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""For how long load balancers and servers keep idle connections by default. Data; idle_timeouts.py compares them.

Sources name the file or the page of the product's own documentation that says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional, Tuple


@dataclass(frozen=True)
class LoadBalancer:
    """key: by which it is named in options. idle_seconds: for which it keeps an idle connection to a server; None where
    that is not documented or has no limit (the note says which). range: to which it can be set, None where it is fixed
    or not documented. layer: 7 where it opens connections of its own, 4 where it passes the clients' on.
    """

    key: str
    name: str
    idle_seconds: Optional[float]
    source: str
    range: Optional[Tuple[int, int]] = None
    layer: int = 7
    note: str = ""


@dataclass(frozen=True)
class Server:
    """keep_seconds: for which it keeps an idle connection by default; None where another setting says so.

    requests: on one connection.

    setting: what raises it; SECONDS stands for the number. header: regular expression for its Server header, empty
    where it sends none. note: what else there is to know.
    """

    name: str
    keep_seconds: Optional[float]
    setting: str
    source: str
    requests: Optional[int] = None
    header: str = ""
    note: str = ""


LOAD_BALANCERS: Tuple[LoadBalancer, ...] = (
    LoadBalancer(
        "alibaba_alb",
        "Alibaba Cloud ALB",
        15,
        "cloud-provider-alibaba-cloud pkg/util/constant.go, the controller's default",
        note="60 s for a request",
    ),
    LoadBalancer(
        "alibaba_clb",
        "Alibaba Cloud CLB (SLB), HTTP",
        15,
        "cloud-provider-alibaba-cloud pkg/controller/service/clbv1/listeners.go, IdleTimeout",
        (1, 60),
        note="60 s for a request, 1 to 180",
    ),
    LoadBalancer(
        "aws_alb",
        "AWS Application Load Balancer",
        60,
        "AWS, Edit attributes for your Application Load Balancer: connection idle timeout",
        (1, 4000),
        note="asks itself that servers keep connections for longer",
    ),
    LoadBalancer(
        "aws_clb",
        "AWS Classic Load Balancer",
        60,
        "AWS, Configure the idle connection timeout for your Classic Load Balancer",
        (1, 3600),
        note="TCP keep-alive probes do not count as traffic",
    ),
    LoadBalancer(
        "aws_nlb",
        "AWS Network Load Balancer, TCP",
        350,
        "AWS, Network Load Balancer: TCP idle timeout",
        (60, 6000),
        layer=4,
    ),
    LoadBalancer(
        "azure_lb",
        "Azure Load Balancer",
        240,
        "Microsoft, Load Balancer TCP reset and idle timeout",
        (240, 1800),
        layer=4,
        note="drops in silence, unless TCP reset is switched on",
    ),
    LoadBalancer(
        "gcp_alb",
        "Google Cloud external Application Load Balancer",
        600,
        "Google Cloud, External Application Load Balancer: timeouts and retries",
        note="fixed; servers need more, 620 s for instance; 30 s for an answer by default, which ends large uploads",
    ),
    LoadBalancer(
        "huawei_elb",
        "Huawei Cloud ELB",
        None,
        "Huawei Cloud, ELB: timeout durations",
        note="not documented towards servers; 60 s towards clients",
    ),
    LoadBalancer("kingsoft_slb", "Kingsoft Cloud SLB, HTTP", 300, "docs.ksyun.com, SLB 1150"),
    LoadBalancer(
        "oracle_lb",
        "Oracle Cloud Load Balancer",
        300,
        "Oracle Cloud, Load Balancer connection reuse",
        note="servers need 310 s at least",
    ),
    LoadBalancer("ucloud_clb", "UCloud CLB", 60, "UCloud, load balancer documentation"),
    LoadBalancer(
        "envoy",
        "Envoy as a proxy",
        3600,
        "Envoy, FAQ: how do I configure timeouts (common_http_protocol_options.idle_timeout)",
        note="15 s for an answer by default",
    ),
    LoadBalancer(
        "haproxy",
        "HAProxy as a proxy",
        5,
        "HAProxy configuration.txt, pool-purge-delay",
        note="then half of the idle connections are closed, and so on",
    ),
    LoadBalancer(
        "ingress_nginx",
        "ingress-nginx",
        60,
        "ingress-nginx docs/user-guide/nginx-configuration/configmap.md, upstream-keepalive-timeout",
    ),
    LoadBalancer(
        "nginx",
        "nginx as a proxy",
        60,
        "nginx ngx_http_upstream_module, keepalive_timeout",
        note="keeps connections only with `keepalive`, which is on by default since 1.29.7",
    ),
    LoadBalancer(
        "spring_cloud_gateway",
        "Spring Cloud Gateway as a proxy",
        None,
        "Spring Cloud Gateway, spring.cloud.gateway.server.webflux.httpclient.pool.max-idle-time",
        note="no limit: any server that closes may be met; set max-idle-time below what the servers keep",
    ),
    LoadBalancer(
        "traefik",
        "Traefik as a proxy",
        90,
        "Traefik, serversTransport.forwardingTimeouts.idleConnTimeout",
    ),
)

WITHOUT_LIMIT = float("inf")

SERVERS: Tuple[Server, ...] = (
    Server(
        "nginx",
        75,
        "keepalive_timeout SECONDSs;",
        "nginx ngx_http_core_module, keepalive_timeout",
        1000,
        r"^(nginx|openresty)\b",
        "and ends each after keepalive_time, 1 h",
    ),
    Server(
        "ingress-nginx",
        75,
        'keep-alive: "SECONDS" in its ConfigMap',
        "ingress-nginx docs/user-guide/nginx-configuration/configmap.md, keep-alive",
        1000,
    ),
    Server(
        "Apache httpd",
        5,
        "KeepAliveTimeout SECONDS",
        "Apache httpd docs/manual/mod/core, KeepAliveTimeout",
        100,
        r"^Apache(/|$)",
    ),
    Server(
        "Tomcat (server.xml as shipped)",
        20,
        'keepAliveTimeout="SECONDS000" of the Connector in server.xml (milliseconds)',
        "Tomcat conf/server.xml, connectionTimeout, which keepAliveTimeout follows",
        100,
    ),
    Server(
        "Tomcat in Spring Boot",
        60,
        "server.tomcat.keep-alive-timeout=SECONDSs",
        "Tomcat java/org/apache/coyote/http11/Constants.java, DEFAULT_CONNECTION_TIMEOUT",
        100,
    ),
    Server(
        "Spring Cloud Gateway, reactor-netty",
        WITHOUT_LIMIT,
        "server.netty.idle-timeout=SECONDSs",
        "reactor-netty HttpServer.java, idleTimeout",
    ),
    Server(
        "Envoy", 3600, "common_http_protocol_options.idle_timeout: SECONDSs", "Envoy, FAQ on timeouts", None, "^envoy"
    ),
    Server(
        "HAProxy",
        None,
        "timeout http-keep-alive SECONDSs",
        "HAProxy configuration.txt, timeout http-keep-alive",
        note="as `timeout http-request`, else `timeout client`, says",
    ),
    Server(
        "Node.js",
        5,
        "server.keepAliveTimeout = SECONDS000 (milliseconds), and headersTimeout above it",
        "Node.js http.Server keepAliveTimeout; 65 s in releases after 25",
    ),
    Server(
        "gunicorn",
        2,
        "--keep-alive SECONDS",
        "gunicorn gunicorn/config.py, Keepalive",
        None,
        "^gunicorn",
        "sync workers keep none",
    ),
    Server(
        "uvicorn",
        5,
        "--timeout-keep-alive SECONDS",
        "uvicorn uvicorn/config.py, timeout_keep_alive",
        None,
        "^uvicorn",
    ),
    Server(
        "Traefik",
        180,
        "entryPoints.NAME.transport.respondingTimeouts.idleTimeout: SECONDSs",
        "Traefik pkg/config/static/static_config.go, DefaultIdleTimeout",
    ),
)

# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Servers and their settings for the backlog. Data; next_start.py reads it.

Sources name the file or the page of the server's own documentation that says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Tuple

GO_SOURCE = "Go src/net/sock_linux.go, maxListenerBacklog"


@dataclass(frozen=True)
class Server:
    """A server that is recognised by name or by signs.

    default: what it asks for when nobody has set anything; somaxconn is that of its network namespace, as it is then.
    setting: where the backlog is set. example: one line, in which BACKLOG stands for the number.
    programs: patterns of the names of its process or executable. runtime: patterns of the one that has to run it.
    signs: regular expression, searched for in its command line and in the names of what it has loaded.
    """

    name: str
    default: str
    setting: str
    example: str
    source: str
    programs: Tuple[str, ...] = ()
    runtime: Tuple[str, ...] = ()
    signs: str = ""
    is_go: bool = False


JAVA = ("java", "jsvc")
PYTHON = ("python*", "pypy*")
RUBY = ("ruby*", "jruby*")

SERVERS: Tuple[Server, ...] = (
    Server(
        "Kafka",
        "50",
        "socket.listen.backlog.size in server.properties",
        "socket.listen.backlog.size=BACKLOG",
        "Kafka, broker configuration",
        runtime=JAVA,
        signs=r"\bkafka\.Kafka\b|kafka-server-start",
    ),
    Server(
        "Spring Cloud Gateway (Netty)",
        "somaxconn",
        "Netty reads somaxconn once, when the JVM starts; else ChannelOption.SO_BACKLOG by a NettyServerCustomizer",
        "httpServer.option(ChannelOption.SO_BACKLOG, BACKLOG)",
        "Netty common/src/main/java/io/netty/util/NetUtil.java, SOMAXCONN",
        runtime=JAVA,
        signs=r"spring-cloud-gateway-(core|server-webflux|server-\d)|spring-cloud-starter-gateway-(server-webflux|\d)",
    ),
    Server(
        "Tomcat (Spring Boot MVC)",
        "100",
        "acceptCount of the Connector in server.xml, server.tomcat.accept-count in Spring Boot",
        "server.tomcat.accept-count=BACKLOG",
        "Tomcat java/org/apache/tomcat/util/net/AbstractEndpoint.java, acceptCount",
        runtime=JAVA,
        signs=r"org\.apache\.catalina|org/apache/catalina|tomcat-embed-core|\bcatalina\.jar|tomcat-coyote",
    ),
    Server(
        "Undertow (WildFly, Spring Boot)",
        "1000",
        "Options.BACKLOG of its builder (in Spring Boot by an UndertowBuilderCustomizer), in WildFly tcp-backlog of "
        "the listener",
        "builder.setSocketOption(Options.BACKLOG, BACKLOG)",
        "Undertow core/src/main/java/io/undertow/Undertow.java",
        runtime=JAVA,
        signs=r"undertow-core|io\.undertow|io/undertow|jboss-modules",
    ),
    Server(
        "Jetty",
        "50",
        "acceptQueueSize of the ServerConnector, jetty.http.acceptQueueSize in start.d",
        "jetty.http.acceptQueueSize=BACKLOG",
        "Jetty ServerConnector.java; 0 means the 50 of the JDK",
        runtime=JAVA,
        signs=r"jetty-server|org\.eclipse\.jetty|org/eclipse/jetty",
    ),
    Server(
        "Netty",
        "somaxconn",
        "Netty reads somaxconn once, when the JVM starts; else ChannelOption.SO_BACKLOG of the ServerBootstrap",
        "bootstrap.option(ChannelOption.SO_BACKLOG, BACKLOG)",
        "Netty common/src/main/java/io/netty/util/NetUtil.java, SOMAXCONN",
        runtime=JAVA,
        signs=r"\bnetty-(transport|common|all)|reactor-netty|io/netty/|io\.netty|vertx-core",
    ),
    Server(
        "Java (JDK sockets)",
        "50",
        "the backlog that its code passes to new ServerSocket(port, backlog), bind(address, backlog) or "
        "HttpServer.create(address, backlog)",
        "new ServerSocket(port, BACKLOG)",
        "JDK java/net/ServerSocket.java",
        programs=JAVA,
    ),
    Server(
        "gunicorn",
        "2048",
        "--backlog, or backlog in gunicorn.conf.py",
        "gunicorn --backlog BACKLOG",
        "gunicorn gunicorn/config.py, Backlog",
        programs=("gunicorn*",),
        runtime=(*PYTHON, "gunicorn*"),
        signs=r"(?:^|[ /:])gunicorn\b",
    ),
    Server(
        "uvicorn",
        "2048",
        "--backlog, or backlog of uvicorn.run()",
        "uvicorn --backlog BACKLOG",
        "uvicorn uvicorn/config.py, backlog",
        programs=("uvicorn*",),
        runtime=(*PYTHON, "uvicorn*"),
        signs=r"(?:^|[ /:])uvicorn\b",
    ),
    Server(
        "hypercorn",
        "100",
        "--backlog",
        "hypercorn --backlog BACKLOG",
        "Hypercorn, configuring",
        programs=("hypercorn*",),
        runtime=(*PYTHON, "hypercorn*"),
        signs=r"(?:^|[ /:])hypercorn\b",
    ),
    Server(
        "uWSGI",
        "100",
        "listen; it refuses to start where this exceeds somaxconn",
        "listen = BACKLOG",
        "uWSGI core/socket.c",
        programs=("uwsgi*",),
    ),
    Server(
        "Python",
        "128",
        "the backlog that its code passes to listen(): 128 by socket.listen(), 100 by asyncio.start_server(), 5 by "
        "socketserver (request_queue_size)",
        "asyncio.start_server(handler, host, port, backlog=BACKLOG)",
        "Python socket, asyncio and socketserver documentation",
        programs=PYTHON,
    ),
    Server(
        "Puma",
        "1024",
        "backlog in the address that it binds to",
        "bind 'tcp://0.0.0.0:9292?backlog=BACKLOG'",
        "Puma lib/puma/binder.rb",
        programs=("puma*",),
        runtime=(*RUBY, "puma*"),
        signs=r"(?:^|[ /])puma\b",
    ),
    Server(
        "Unicorn",
        "1024",
        ":backlog of listen in its configuration",
        "listen 8080, :backlog => BACKLOG",
        "Unicorn lib/unicorn/socket_helper.rb",
        programs=("unicorn*",),
        runtime=(*RUBY, "unicorn*"),
        signs=r"(?:^|[ /])unicorn\b",
    ),
    Server(
        "Node.js",
        "511",
        "backlog of server.listen()",
        "server.listen({ port, backlog: BACKLOG })",
        "Node.js net, server.listen()",
        programs=("node", "nodejs", "node-*"),
    ),
    Server(
        "nginx",
        "511",
        "backlog of listen; a reload opens the queue anew when this number has changed (ingress-nginx takes somaxconn "
        "when it starts)",
        "listen 80 backlog=BACKLOG;",
        "nginx src/os/unix/ngx_linux_config.h, NGX_LISTEN_BACKLOG",
        programs=("nginx", "openresty", "angie"),
    ),
    Server(
        "Apache httpd",
        "511",
        "ListenBackLog",
        "ListenBackLog BACKLOG",
        "Apache httpd, mpm_common",
        programs=("apache2", "httpd"),
    ),
    Server(
        "HAProxy",
        "its maxconn, or 1024,",
        "backlog in the frontend or of bind",
        "backlog BACKLOG",
        "HAProxy src/listener.c, listener_backlog",
        programs=("haproxy",),
    ),
    Server(
        "Envoy",
        "somaxconn",
        "tcp_backlog_size of the listener",
        "tcp_backlog_size: BACKLOG",
        "Envoy api/envoy/config/listener/v3/listener.proto",
        programs=("envoy",),
    ),
    Server(
        "PHP-FPM",
        "511",
        "listen.backlog of the pool",
        "listen.backlog = BACKLOG",
        "PHP-FPM www.conf",
        programs=("php-fpm*",),
    ),
    Server(
        "Redis",
        "511",
        "tcp-backlog",
        "tcp-backlog BACKLOG",
        "Redis src/config.c",
        programs=("redis-server", "redis-sentinel", "valkey-server", "keydb-server"),
    ),
    Server(
        "memcached",
        "1024",
        "-b",
        "memcached -b BACKLOG",
        "memcached(1)",
        programs=("memcached",),
    ),
    Server(
        "MySQL, MariaDB",
        "about max_connections",
        "back_log",
        "back_log = BACKLOG",
        "MySQL, server system variables",
        programs=("mysqld", "mariadbd"),
    ),
    Server(
        "PostgreSQL",
        "twice max_connections",
        "max_connections: it has no setting of its own",
        "",
        "PostgreSQL src/backend/libpq/pqcomm.c",
        programs=("postgres", "postmaster"),
    ),
    Server(
        "OpenSSH",
        "128",
        "it has no setting of its own",
        "",
        "OpenSSH, SSH_LISTEN_BACKLOG",
        programs=("sshd",),
    ),
    Server(
        "Kestrel (.NET)",
        "512",
        "Backlog of SocketTransportOptions",
        "builder.WebHost.UseSockets(options => options.Backlog = BACKLOG);",
        ".NET, SocketTransportOptions.Backlog",
        programs=("dotnet",),
    ),
    Server(
        "systemd (socket activation)",
        "the SOMAXCONN that it was built with",
        "Backlog in [Socket] of the unit's .socket file",
        "Backlog=BACKLOG",
        "systemd.socket(5)",
        programs=("systemd",),
    ),
    Server(
        "Go",
        "somaxconn",
        "the standard library takes somaxconn when it opens the socket, and has no setting of its own",
        "",
        GO_SOURCE,
        programs=(
            "caddy",
            "containerd",
            "coredns",
            "docker-proxy",
            "dockerd",
            "etcd",
            "k3s-server",
            "kube-apiserver",
            "kube-proxy",
            "kubelet",
            "node_exporter",
            "prometheus",
            "traefik",
        ),
        is_go=True,
    ),
)
"""The most special first: what runs in a JVM or an interpreter before the runtime itself."""

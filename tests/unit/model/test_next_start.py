# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers are recognised by what their processes show, and each has a setting to name."""

from __future__ import annotations

import re
from typing import Optional

import pytest

from ansible_collections.netfit.cluster.plugins.module_utils._model.next_start import Program, next_start, recognise
from ansible_collections.netfit.cluster.plugins.module_utils._model.servers import SERVERS, Server

SPRING = "BOOT-INF/lib/spring-boot-3.2.0.jar BOOT-INF/lib/"


def java(line: str = "java -jar /app.jar", parts: str = "") -> Program:
    return Program(("java",), line, parts)


@pytest.mark.parametrize(
    ("program", "name"),
    [
        (Program(("nginx",)), "nginx"),
        (Program(("MainThread", "node"), "node server.js"), "Node.js"),
        (Program(("node-MainThread", "node")), "Node.js"),
        (Program(("php-fpm8.2", "php-fpm")), "PHP-FPM"),
        (Program(("redis-server",)), "Redis"),
        (Program(("apache2",)), "Apache httpd"),
        (Program(("haproxy",)), "HAProxy"),
        (Program(("envoy",)), "Envoy"),
        (Program(("postgres",)), "PostgreSQL"),
        (Program(("systemd",)), "systemd (socket activation)"),
        (Program(("gunicorn", "python3.11")), "gunicorn"),
        (
            Program(("python3", "python3.11"), "python3 /srv/venv/bin/gunicorn -k uvicorn.workers.UvicornWorker a"),
            "gunicorn",
        ),
        (Program(("python3", "python3.11"), "python3 -m uvicorn app:app"), "uvicorn"),
        (Program(("uvicorn", "python3.11"), "/usr/bin/python3 /usr/bin/uvicorn app:app"), "uvicorn"),
        (Program(("uwsgi",)), "uWSGI"),
        (Program(("python3", "python3.11"), "python3 serve.py"), "Python"),
        (Program(("python3",), "python3 /srv/gunicorned.py"), "Python"),
        (Program(("ruby", "puma"), "puma 6.4.0 (tcp://0.0.0.0:9292) [shop]"), "Puma"),
        (Program(("ruby",), "ruby /usr/bin/unicorn -c x"), "Unicorn"),
        (java("java -Xmx1g kafka.Kafka /etc/kafka/server.properties"), "Kafka"),
        (
            java(parts=SPRING + "spring-cloud-gateway-server-4.1.0.jar netty-transport-4.1.jar"),
            "Spring Cloud Gateway (Netty)",
        ),
        (
            java(parts=SPRING + "spring-cloud-gateway-server-mvc-4.1.0.jar tomcat-embed-core-10.1.jar"),
            "Tomcat (Spring Boot MVC)",
        ),
        (java(parts=SPRING + "tomcat-embed-core-10.1.16.jar reactor-netty-http-1.1.jar"), "Tomcat (Spring Boot MVC)"),
        (java("java org.apache.catalina.startup.Bootstrap start"), "Tomcat (Spring Boot MVC)"),
        (java(parts=SPRING + "undertow-core-2.3.jar"), "Undertow (WildFly, Spring Boot)"),
        (java(parts=SPRING + "jetty-server-12.0.jar"), "Jetty"),
        (java(parts="io/netty/channel/Channel.class"), "Netty"),
        (java(parts="com/example/Main.class"), "Java (JDK sockets)"),
        (Program(("traefik",), is_go=True), "Go"),
        (Program(("my-service",), is_go=True), "Go"),
        (Program(("coredns",)), "Go"),
        (Program(("vim",), "vim gunicorn.conf.py kafka.Kafka"), None),
        (Program(("my-service",)), None),
        (Program(()), None),
    ],
)
def test_who_it_is(program: Program, name: Optional[str]) -> None:
    server = recognise(program)
    assert (server.name if server is not None else None) == name


def test_the_setting_is_named_with_the_number_and_the_cap() -> None:
    assert next_start(Program(("nginx",)), 4096) == (
        "nginx asks for 511 unless configured otherwise: backlog of listen; a reload opens the queue anew when this "
        'number has changed (ingress-nginx takes somaxconn when it starts), as in "listen 80 backlog=4096;". '
        "Before it starts, net.core.somaxconn of its network namespace has to be 4096 or more."
    )


@pytest.mark.parametrize("program", [None, Program(("my-service",))])
def test_a_server_that_nobody_described_gets_a_general_answer(program: Optional[Program]) -> None:
    told = next_start(program, 2000)
    assert told.startswith("its own setting for the backlog that it passes to listen() has to ask for 2000")
    assert "net.core.somaxconn of its network namespace has to be 2000 or more" in told


@pytest.mark.parametrize("server", SERVERS, ids=lambda server: server.name)
def test_an_entry_is_complete(server: Server) -> None:
    assert server.name and server.default and server.setting and server.source
    assert server.programs or server.signs
    assert "BACKLOG" in server.example or "no setting of its own" in server.setting
    re.compile(server.signs)


def test_every_entry_can_be_reached() -> None:
    for server in SERVERS:
        if server.programs:
            name = server.programs[0].replace("*", "")
            assert recognise(Program((name, *(one.replace("*", "") for one in server.runtime[:1])))) is server

# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""For how long real servers keep idle connections, and what nginx does with requests, on the loopback address."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Sequence

import pytest

from ansible_collections.netfit.cluster.plugins.module_utils._probe.http_options import send_ordered, watch_ordered

REQUESTS: Dict[str, Any] = {
    "method": "POST",
    "body_sizes": [0, 3000],
    "requests": 5,
    "max_requests": 1000,
    "expect": [],
    "timeout": 5.0,
    "total_timeout": 30.0,
    "interval": 0.0,
    "parallel": 2,
    "family": "any",
}
IDLE: Dict[str, Any] = {
    "connections": 2,
    "longest": 9.0,
    "timeout": 5.0,
    "load_balancer": "aws_alb",
    "lb_idle_timeout": None,
    "margin": 10.0,
    "family": "any",
}
NGINX = """\
daemon off;
worker_processes 1;
pid {folder}/pid;
error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  client_max_body_size 2000;
  keepalive_timeout 2s 2s;
  server {{
    listen 127.0.0.1:{port};
    location / {{ return 200 "ok"; }}
    location /upload {{ proxy_pass http://127.0.0.1:{closed}/; }}
  }}
}}
"""
WSGI = """\
def application(environ, start_response):
    environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
"""
ASGI = """\
async def application(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})
"""
NODE = 'require("http").createServer((request, answer) => answer.end("ok")).listen(%d, "127.0.0.1")'
Start = Callable[..., None]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a server that listens on that port, and end it afterwards."""
    running: List[subprocess.Popen[bytes]] = []

    def run(command: Sequence[str], port: int) -> None:
        assert shutil.which(command[0]), f"{command[0]} is not installed; the job installs SERVER_PACKAGES"
        with (tmp_path / "output").open("wb") as output:
            running.append(subprocess.Popen(command, stdout=output, stderr=output, cwd=tmp_path))
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            assert running[-1].poll() is None, (tmp_path / "output").read_text()
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        pytest.fail(f"{command[0]} does not listen")

    yield run
    for process in running:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=20)


def start_nginx(start: Start, folder: Path) -> int:
    port = free_port()
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port, closed=free_port()))
    start(["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")], port)
    return port


def watched(port: int, **options: Any) -> Any:
    (found,) = watch_ordered({**IDLE, "targets": [f"http://127.0.0.1:{port}/"], **options})
    return found


def test_nginx_keeps_what_it_announces_and_names_itself(start: Start, tmp_path: Path) -> None:
    found = watched(start_nginx(start, tmp_path))
    assert found.ended.value == "fin" and 1.9 < found.kept_seconds < 3.0
    assert found.announced_timeout == 2 and found.server.startswith("nginx")
    assert found.verdict == "too short"


def test_gunicorn_s_threads_keep_two_seconds_and_its_sync_workers_nothing(start: Start, tmp_path: Path) -> None:
    (tmp_path / "made.py").write_text(WSGI)
    threads, sync = free_port(), free_port()
    start(["gunicorn", "--threads", "2", "--bind", f"127.0.0.1:{threads}", "made:application"], threads)
    start(["gunicorn", "--bind", f"127.0.0.1:{sync}", "made:application"], sync)
    first, second = watched(threads), watched(sync)
    assert first.ended.value == "fin" and 1.9 < first.kept_seconds < 4.5
    assert (first.server, first.verdict) == ("gunicorn", "too short")
    assert (second.ended.value, second.verdict) == ("not kept", "long enough")


def test_node_keeps_five_seconds(start: Start) -> None:
    port = free_port()
    start(["node", "-e", NODE % port], port)
    found = watched(port, connections=1)
    assert found.ended.value == "fin" and 4.9 < found.kept_seconds < 7.5
    assert found.announced_timeout == 5 and found.verdict == "too short"


def test_uvicorn_keeps_five_seconds(start: Start, tmp_path: Path) -> None:
    pytest.importorskip("uvicorn")
    (tmp_path / "made.py").write_text(ASGI)
    port = free_port()
    start([sys.executable, "-m", "uvicorn", "--port", str(port), "made:application"], port)
    found = watched(port, connections=1)
    assert found.ended.value == "fin" and 4.9 < found.kept_seconds < 6.5
    assert found.server == "uvicorn"


def test_bodies_that_nginx_refuses_and_servers_that_are_gone(start: Start, tmp_path: Path) -> None:
    port = start_nginx(start, tmp_path)
    targets = [f"http://127.0.0.1:{port}/upload"]
    (found,) = send_ordered({**REQUESTS, "targets": targets, "body_sizes": [0, 1500, 3000]}, False)
    assert [size.statuses for size in found.sizes] == [{"502": 5}, {"502": 5}, {"413": 5}]
    assert [size.failed for size in found.sizes] == [5, 5, 0]
    assert found.sizes[0].latency is not None and 0 < found.sizes[0].latency.median_ms < 1000

# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests and idle connections to real sockets on the loopback address: how each ends, and what is counted."""

from __future__ import annotations

import itertools
import math
import shutil
import socket
import ssl
import subprocess
import time
from pathlib import Path
from typing import Any, Dict, List, NoReturn, Tuple

import pytest

from ansible_collections.netfit.cluster.plugins.module_utils._model.http_target import TARGETS_AT_MOST
from ansible_collections.netfit.cluster.plugins.module_utils._probe.http_options import (
    run_http_request_info,
    run_keepalive_info,
)
from ansible_collections.netfit.cluster.tests.unit.target import http_servers as servers

REQUESTS: Dict[str, Any] = {
    "method": "POST",
    "body_sizes": [0, 3000],
    "requests": 4,
    "max_requests": 1000,
    "expect": [],
    "timeout": 5.0,
    "total_timeout": 20.0,
    "interval": 0.0,
    "parallel": 4,
    "family": "any",
}
IDLE: Dict[str, Any] = {
    "connections": 2,
    "longest": 2.0,
    "timeout": 5.0,
    "load_balancer": None,
    "lb_idle_timeout": None,
    "margin": 10.0,
    "family": "any",
}


class Done(Exception):
    """The module has ended. result: what it returned; failed: whether it failed."""

    def __init__(self, failed: bool, result: Dict[str, Any]) -> None:
        super().__init__(str(result))
        self.failed = failed
        self.result = result


class Module:
    """What an AnsibleModule is for the code below it."""

    def __init__(self, params: Dict[str, Any], check_mode: bool = False) -> None:
        self.params = params
        self.check_mode = check_mode

    def exit_json(self, **result: Any) -> NoReturn:
        raise Done(False, result)

    def fail_json(self, msg: str, **result: Any) -> NoReturn:
        raise Done(True, {"msg": msg, **result})


def ask(targets: Any, check_mode: bool = False, **options: Any) -> List[Dict[str, Any]]:
    with pytest.raises(Done) as done:
        run_http_request_info(Module({**REQUESTS, "targets": targets, **options}, check_mode))
    assert not done.value.failed, done.value.result
    assert done.value.result["changed"] is False
    found: List[Dict[str, Any]] = done.value.result["targets"]
    return found


def watch(targets: Any, **options: Any) -> List[Dict[str, Any]]:
    with pytest.raises(Done) as done:
        run_keepalive_info(Module({**IDLE, "targets": targets, **options}))
    assert not done.value.failed, done.value.result
    found: List[Dict[str, Any]] = done.value.result["targets"]
    return found


def refused(run: Any, **params: Any) -> str:
    with pytest.raises(Done) as done:
        run(Module(params))
    assert done.value.failed
    message: str = done.value.result["msg"]
    return message


def url(port: int, path: str = "/") -> str:
    return f"http://127.0.0.1:{port}{path}"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Tuple[Path, ssl.SSLContext]:
    if shutil.which("openssl") is None:
        pytest.skip("openssl makes the certificate")
    folder = tmp_path_factory.mktemp("tls")
    key, made = folder / "key.pem", folder / "certificate.pem"
    names = ["-subj", "/CN=shop.example.org", "-addext", "subjectAltName=DNS:shop.example.org"]
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    subprocess.run(
        [*command, "-keyout", str(key), "-out", str(made), "-days", "1", *names],
        check=True, capture_output=True, timeout=30,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(str(made), str(key))
    return made, context


@pytest.mark.parametrize(
    "above, outcome",
    [(servers.silent, "timed out"), (servers.reset, "reset"), (servers.closing, "closed")],
)
def test_large_requests_end_as_the_server_ends_them(above: Any, outcome: str) -> None:
    with servers.serve(servers.by_size(1300, above)) as port:
        (found,) = ask([url(port)], body_sizes=[3000, 0, 1300], timeout=0.5)
    assert [size["body_bytes"] for size in found["sizes"]] == [0, 1300, 3000]
    assert [size["failed"] for size in found["sizes"]] == [0, 0, 4]
    assert found["sizes"][0]["statuses"] == {"200": 4} and found["sizes"][0]["outcomes"] == {"answered": 4}
    assert found["sizes"][2]["outcomes"] == {outcome: 4} and found["sizes"][2]["statuses"] == {}
    assert (found["planned"], found["sent"], found["failed"], found["complete"]) == (12, 12, 4, True)
    assert found["sizes"][2]["failure_rate"] == 1.0 and 0.5 < found["sizes"][2]["interval"][0] < 0.52
    assert found["sizes"][0]["kernel_path_mtu"] > 1500


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    (found,) = ask([url(port)], body_sizes=[0])
    assert found["sizes"][0]["outcomes"] == {"refused": 4} and found["sizes"][0]["latency"] is None


def test_a_full_queue_is_no_connection() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        port = listener.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            (found,) = ask([url(port)], body_sizes=[0], timeout=0.3)
    assert found["sizes"][0]["outcomes"] == {"not connected": 4}


def test_something_else_than_http_answers() -> None:
    with servers.serve(servers.answering(b"SSH-2.0-OpenSSH_9.2p1\r\n")) as port:
        (found,) = ask([url(port)], body_sizes=[0])
    assert found["sizes"][0]["outcomes"] == {"no http": 4}


def test_what_is_sent_says_who_sends_it() -> None:
    seen: List[Dict[str, str]] = []
    with servers.serve(servers.answering(servers.OK, seen)) as port:
        ask([{"url": url(port, "/echo?a=b"), "host": "shop.example.org"}], body_sizes=[7], requests=1)
        ask([{"address": "127.0.0.1", "port": port, "path": "/health", "method": "GET"}], requests=1)
    post, get = seen
    assert (post[":line"], post["host"], post["content-length"]) == ("POST /echo?a=b HTTP/1.1", "shop.example.org", "7")
    assert (get[":line"], get["host"]) == ("GET /health HTTP/1.1", f"127.0.0.1:{port}")
    assert {one["user-agent"] for one in seen} == {"netfit"} and {one["connection"] for one in seen} == {"close"}


@pytest.mark.parametrize(
    "status, expect, failed", [(404, [], 0), (500, [], 4), (404, [200], 4), (302, [302], 0), (200, [204], 4)]
)
def test_which_statuses_count_as_good(status: int, expect: List[int], failed: int) -> None:
    answer = f"HTTP/1.1 {status} X\r\nLocation: http://192.0.2.1/\r\nContent-Length: 0\r\n\r\n".encode()
    with servers.serve(servers.answering(answer)) as port:
        (found,) = ask([url(port)], expect=expect, body_sizes=[0])
    assert found["failed"] == failed and found["sizes"][0]["statuses"] == {str(status): 4}


def test_an_answer_whose_end_is_missing_has_failed() -> None:
    with servers.serve(servers.answering(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")) as port:
        (found,) = ask([url(port)], body_sizes=[0], timeout=0.4)
    assert found["sizes"][0]["outcomes"] == {"timed out": 4}


def test_what_was_counted_is_kept_when_the_time_is_over() -> None:
    with servers.serve(servers.by_size(1300, servers.silent)) as port:
        started = time.monotonic()
        (found,) = ask([url(port)], requests=200, interval=0.05, timeout=30.0, total_timeout=1.0)
        took = time.monotonic() - started
    assert took < 3
    assert 0 < found["sent"] < found["planned"] and found["complete"] is False
    assert "total time" in found["reason"]
    assert found["sizes"][0]["failed"] == 0 and found["sizes"][1]["failure_rate"] == 1.0


def test_the_end_of_all_cuts_no_request_short() -> None:
    """Else those that are quick would count to the end, and those that time out would not."""
    turns = itertools.count()

    def one_of_four(connection: socket.socket) -> None:
        servers.read_request(connection)
        if next(turns) % 4:
            servers.silent(connection)
        else:
            connection.sendall(servers.OK)

    with servers.serve(one_of_four) as port:
        (found,) = ask([url(port)], body_sizes=[0], requests=200, parallel=1, timeout=0.3, total_timeout=2.0)
    assert 0 < found["sent"] < found["planned"]
    assert found["failed"] == found["sent"] - math.ceil(found["sent"] / 4)


def test_targets_and_sizes_take_turns() -> None:
    seen: List[Dict[str, str]] = []
    with servers.serve(servers.answering(servers.OK, seen)) as one, servers.serve(
        servers.answering(servers.OK, seen)
    ) as other:
        ask([url(one, "/one"), url(other, "/other")], requests=2, parallel=1)
    turn = ["0 /one", "0 /other", "3000 /one", "3000 /other"]
    assert [f"{request['content-length']} {request[':line'].split()[1]}" for request in seen] == turn * 2


def test_a_post_is_not_sent_in_check_mode() -> None:
    seen: List[Dict[str, str]] = []
    with servers.serve(servers.answering(servers.OK, seen)) as port:
        post, get = ask([url(port), {"url": url(port), "method": "GET", "name": "get"}], check_mode=True)
    assert {request[":line"].split()[0] for request in seen} == {"GET"}
    assert (post["sent"], post["complete"]) == (0, False) and "check mode" in post["reason"]
    assert get["sent"] == 4 and len(get["sizes"]) == 1


def test_a_name_without_an_address_has_a_reason() -> None:
    (found,) = ask(["http://nowhere.invalid/"], timeout=5.0)
    assert found["sent"] == 0 and found["address"] is None
    assert "resolve" in found["reason"]


def test_tls_and_its_certificate(certificate: Tuple[Path, ssl.SSLContext]) -> None:
    with servers.serve(servers.by_size(1300, servers.silent), certificate[1]) as port:
        place = {"url": "https://shop.example.org/", "address": "127.0.0.1", "port": port}
        checked = {**place, "name": "strict", "verify": True, "path": None, "host": "shop.example.org:443"}
        lax, strict = ask([{**place, "name": "lax"}, checked], timeout=1.0)
    assert [size["outcomes"] for size in lax["sizes"]] == [{"answered": 4}, {"timed out": 4}]
    assert [size["outcomes"] for size in strict["sizes"]] == [{"tls failed": 4}, {"tls failed": 4}]


@pytest.mark.parametrize(
    "options, says",
    [
        ({"targets": []}, "at least one URL"),
        ({"targets": ["ftp://a/"]}, "http://host/path"),
        ({"targets": [{"address": "224.0.0.1"}]}, "no host's address"),
        ({"targets": [{"url": "http://a/", "port": 70000}]}, "port is 70000; it takes 1 to 65535"),
        ({"targets": [{"url": "http://a/", "prot": 1}]}, "prot is not known"),
        ({"targets": [{"url": "http://a/", "host": "b/c"}]}, "host is 'b/c'"),
        ({"targets": [{"url": "http://a/", "host": "b\r\nX: y"}]}, "host is"),
        ({"targets": [{"address": "a", "path": "x"}]}, "begins with /"),
        ({"targets": [{"url": "http://a/", "method": "PUT"}]}, "method is 'PUT'"),
        ({"targets": ["http://a/", "http://a/"]}, "are the same"),
        ({"targets": [f"http://a{one}/" for one in range(TARGETS_AT_MOST + 1)]}, "500 at most"),
        ({"targets": ["http://a/"], "body_sizes": [1, 1]}, "different ones"),
        ({"targets": ["http://a/"], "requests": 501}, "max_requests allows 1000"),
        ({"targets": ["http://a/"], "requests": 100, "body_sizes": [64 << 20]}, "bytes together"),
        ({"targets": ["http://a/"], "expect": [99]}, "expect is 99"),
        ({"targets": ["http://a/"], "parallel": 33}, "1 to 32"),
        ({"targets": ["http://a/"], "total_timeout": 0.5}, "1 to 3600 seconds"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_sent(options: Any, says: str) -> None:
    assert says in refused(run_http_request_info, **{**REQUESTS, **options})


@pytest.mark.parametrize(
    "options, says",
    [
        ({"load_balancer": "aws"}, "known are alibaba_alb"),
        ({"load_balancer": "huawei_elb"}, "set lb_idle_timeout"),
        ({"lb_idle_timeout": 0.5}, "1 to 86400"),
        ({"longest": 4000}, "longest is 4000; it takes 1 to 3600 seconds"),
        ({"connections": 11}, "1 to 10"),
        ({"targets": [{"url": "http://a/", "method": "POST"}]}, "GET or HEAD"),
    ],
)
def test_what_makes_no_sense_of_idle_connections_is_refused(options: Any, says: str) -> None:
    assert says in refused(run_keepalive_info, **{**IDLE, "targets": ["http://a/"], **options})


@pytest.mark.parametrize("end, how", [(servers.closing, "fin"), (servers.reset, "reset")])
def test_for_how_long_a_connection_is_kept_and_how_it_ends(end: Any, how: str) -> None:
    announced = b"Keep-Alive: timeout=5, max=100\r\nServer: made-up/1\r\n"
    with servers.serve(servers.keeping(0.6, end, announced)) as port:
        (found,) = watch([url(port)], load_balancer="aws_alb")
    assert found["ended"] == how
    assert 0.55 < found["kept_seconds"] < 1.0
    assert (found["announced_timeout"], found["announced_requests"], found["server"]) == (5, 100, "made-up/1")
    assert (found["load_balancer"], found["idle_seconds"]) == ("AWS Application Load Balancer", 60.0)
    assert found["verdict"] == "too short"
    assert [one["status"] for one in found["connections"]] == [200, 200]


def test_many_servers_are_watched_at_once() -> None:
    with servers.serve(servers.keeping(0.4)) as hasty, servers.serve(servers.keeping(9.0)) as patient:
        started = time.monotonic()
        one, other = watch([url(hasty), url(patient)], longest=1.5, lb_idle_timeout=1.0, margin=0.2)
        took = time.monotonic() - started
    assert took < 3
    assert (one["ended"], other["ended"]) == ("fin", "still open")
    assert (one["verdict"], other["verdict"]) == ("too short", "long enough")
    assert other["kept_seconds"] is None and 1.5 <= other["at_least_seconds"] < 2


@pytest.mark.parametrize("silent_ones", [1, 5])
def test_what_others_wait_for_is_not_counted(silent_ones: int) -> None:
    """With five there are more connections than are opened at once, before and after."""
    with servers.serve(servers.keeping(0.5)) as hasty, servers.serve(servers.silent) as silent:
        targets = [url(hasty), *(url(silent, f"/{number}") for number in range(silent_ones)), url(hasty, "/again")]
        found = watch(targets, connections=8, longest=3.0, timeout=2.0, lb_idle_timeout=1.0, margin=0.2)
    for one in (found[0], found[-1]):
        assert one["ended"] == "fin" and 0.45 < one["kept_seconds"] < 1.5 and one["verdict"] == "too short"
    assert {one["ended"] for one in found[1:-1]} == {"failed"}


def test_a_connection_that_was_forgotten_on_the_way_is_no_open_one() -> None:
    def forgetful(connection: socket.socket) -> None:
        servers.read_request(connection)
        connection.sendall(servers.OK)
        servers.silent(connection)

    with servers.serve(forgetful) as port:
        (found,) = watch([url(port)], longest=1.0, timeout=0.5, lb_idle_timeout=60)
    assert found["ended"] == "silent drop" and "timed out" in found["reason"]
    assert found["verdict"] == "too short"


def test_an_answer_that_ends_its_connection_is_told_apart() -> None:
    answer = servers.OK.replace(b"Content-Length", b"Connection: close\r\nContent-Length")
    with servers.serve(servers.answering(answer)) as port:
        (found,) = watch([url(port)], lb_idle_timeout=60)
    assert (found["ended"], found["kept_seconds"], found["verdict"]) == ("not kept", None, "long enough")


def test_a_server_that_does_not_answer_has_failed() -> None:
    with servers.serve(servers.silent) as port:
        (found,) = watch([url(port)], timeout=0.4, lb_idle_timeout=60)
    assert (found["ended"], found["verdict"]) == ("failed", "not known")
    assert found["reason"] == "timed out"


def test_idle_connections_with_tls(certificate: Tuple[Path, ssl.SSLContext]) -> None:
    with servers.serve(servers.keeping(0.6), certificate[1]) as port:
        (found,) = watch([{"address": "127.0.0.1", "port": port, "tls": True}])
    assert found["ended"] == "fin" and 0.55 < found["kept_seconds"] < 1.0


def test_without_a_load_balancer_there_is_no_verdict() -> None:
    with servers.serve(servers.keeping(0.3)) as port:
        (found,) = watch([url(port)])
    assert (found["verdict"], found["load_balancer"], found["idle_seconds"]) == (None, None, None)

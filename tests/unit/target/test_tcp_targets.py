# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Targets, URLs and bounds of tcp_path_info: what is meant, and what is refused."""

from __future__ import annotations

from typing import Any, List

import pytest

from ansible_collections.netfit.cluster.plugins.module_utils._probe.http_answer import parse_status
from ansible_collections.netfit.cluster.plugins.module_utils._probe.http_exchange import Request
from ansible_collections.netfit.cluster.plugins.module_utils._probe.tcp_info import parse_tcp_info
from ansible_collections.netfit.cluster.plugins.module_utils._probe.tcp_targets import (
    BadInput,
    check_bounds,
    parse_targets,
    parse_url,
)


def test_the_three_ways_to_name_a_target() -> None:
    given: List[Any] = [
        "192.0.2.1:80",
        "[2001:db8::1]:443",
        {"host": "gateway", "port": 30004, "name": "front", "expected_mtu": "1450", "about": {"class": "outside"}},
    ]
    plain, six, full = parse_targets(given, 1400)
    assert (plain.host, plain.port, plain.name, plain.expected_mtu) == ("192.0.2.1", 80, "192.0.2.1:80", 1400)
    assert (six.host, six.port, six.text) == ("2001:db8::1", 443, "[2001:db8::1]:443")
    assert (full.name, full.expected_mtu, full.about) == ("front", 1450, {"class": "outside"})


@pytest.mark.parametrize(
    "given, says",
    [
        ([], "empty"),
        (["192.0.2.1"], "not host:port"),
        (["2001:db8::1:80"], "brackets"),
        (["192.0.2.1:0"], "1 to 65535"),
        (["192.0.2.1:x"], "1 to 65535"),
        (["127.0.0.1:80"], "this host itself"),
        (["[::1]:80"], "this host itself"),
        (["224.0.0.1:80"], "multicast"),
        (["255.255.255.255:80"], "no host's address"),
        (["0.0.0.0:80"], "no host's address"),
        (["192.0.2.1:80", {"host": "192.0.2.1", "port": 80}], "named twice"),
        ([{"host": "192.0.2.1"}], "needs host and port"),
        ([{"host": "192.0.2.1", "port": 80, "mtu": 1}], "mtu is not known"),
        ([{"host": "192.0.2.1", "port": 80, "expected_mtu": 20}], "68 to 65535"),
        ([{"host": "192.0.2.1", "port": 80, "source": "pod"}], "takes a dictionary"),
        ([7], "neither"),
    ],
)
def test_targets_that_make_no_sense_are_refused(given: List[Any], says: str) -> None:
    with pytest.raises(BadInput, match=says):
        parse_targets(given)


def test_a_url_has_a_default_port_and_path() -> None:
    url = parse_url("https://gateway.example.org?a=b", [1])
    assert url is not None
    assert (url.secure, url.host, url.port, url.path) == (True, "gateway.example.org", 443, "/?a=b")
    head = Request("POST", url.path, url.authority, 5).head
    assert b"Host: gateway.example.org\r\n" in head
    assert head.startswith(b"POST /?a=b HTTP/1.1\r\n")


@pytest.mark.parametrize(
    "url", ["ftp://a/", "gateway", "http://", "http://a:99999/", "http://u@a/", "http://a/\r\nX: y"]
)
def test_urls_that_make_no_sense_are_refused(url: str) -> None:
    with pytest.raises(BadInput, match="url"):
        parse_url(url, [1])


@pytest.mark.parametrize("sizes", [[], [-1], [1 << 40], [1] * 21])
def test_body_sizes_are_bounded(sizes: List[int]) -> None:
    with pytest.raises(BadInput, match="body_sizes"):
        parse_url("http://a/", sizes)


@pytest.mark.parametrize("name, value", [("connections", 5), ("max_packets", 1), ("timeout", 0)])
def test_bounds_are_checked(name: str, value: int) -> None:
    with pytest.raises(BadInput, match=name):
        check_bounds({"connections": 4, "max_packets": 300, "timeout": 5.0, name: value})


@pytest.mark.parametrize("head, status", [(b"HTTP/1.1 502 Bad Gateway\r\n", 502), (b"HTTP/1.1 20", None)])
def test_the_status_of_an_answer(head: bytes, status: int) -> None:
    assert parse_status(head) == status


def test_what_is_no_answer_is_refused() -> None:
    with pytest.raises(ValueError, match="HTTP"):
        parse_status(b"SSH-2.0-x\r\n")


def test_tcp_info_of_an_old_kernel_is_shorter() -> None:
    content = bytearray(104)
    content[0], content[5] = 1, 1
    content[16:20], content[60:64] = (1448).to_bytes(4, "little"), (1500).to_bytes(4, "little")
    for length in (104, 64):
        info = parse_tcp_info(bytes(content[:length]))
        assert (info.state, info.send_mss, info.path_mtu, info.retransmits) == (1, 1448, 1500, 0)
        assert (info.timestamps, info.selective, info.option_bytes) == (True, False, 12)

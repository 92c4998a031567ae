# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What requests would be sent, as the controller sees it before."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.netfit.cluster.plugins.filter.http_plan import http_plan

TARGET = {"address": "192.0.2.11", "port": 30004, "path": "/echo", "node": "n1", "host": "shop.example.org"}


def test_the_plan_says_what_goes_where() -> None:
    post, get = http_plan([TARGET, {"url": "https://shop.example.org", "method": "GET"}], [0, 3000], "5")
    assert post == {
        "name": "http://192.0.2.11:30004/echo",
        "url": "http://192.0.2.11:30004/echo",
        "method": "POST",
        "host": "shop.example.org",
        "node": "n1",
        "address": "192.0.2.11",
        "port": 30004,
        "planned": 10,
    }
    assert (get["port"], get["planned"], get["host"]) == (443, 5, "shop.example.org")


def test_idle_connections_get_no_body() -> None:
    (entry,) = http_plan([TARGET], idle=True, load_balancer="aws_alb")
    assert (entry["method"], entry["planned"]) == ("GET", 0)


@pytest.mark.parametrize(
    "targets, options, says",
    [
        ("http://a/", {}, "mine: targets is empty or no list"),
        (["ftp://a/"], {}, "mine: url is 'ftp://a/'"),
        (["http://a/"], {"requests": "many"}, "mine: requests is 'many'; it takes whole numbers"),
        (["http://a/"], {"requests": True}, "mine: requests is True"),
        (["http://a/"], {"requests": 400}, "max_requests allows 1000"),
        (["http://a/"], {"body_sizes": ["x"]}, "body_sizes is 'x'"),
        (["http://a/"], {"body_sizes": 5}, "mine: "),
        (["http://a/"], {"idle": True, "load_balancer": "aws"}, "load_balancer is 'aws'; known are alibaba_alb"),
        (["http://a/"], {"idle": True, "lb_idle_timeout": "soon"}, "mine: "),
        ([{"url": "http://a/", "method": "POST"}], {"idle": True}, "GET or HEAD"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_variable_s_name(targets: Any, options: Any, says: str) -> None:
    with pytest.raises(AnsibleFilterError) as error:
        http_plan(targets, **options, called="mine")
    assert says in str(error.value) and str(error.value).startswith("mine: ")

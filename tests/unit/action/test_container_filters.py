# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filters of the role container_runtime_mtu: what they return, and what they refuse."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.netfit.cluster.plugins.filter import container_links, docker_recreation, docker_restart

DATA = Path(__file__).resolve().parent.parent / "data" / "docker-inspect"
NETWORKS = json.loads((DATA / "networks.json").read_text())
CONTAINERS = json.loads((DATA / "containers.json").read_text())


def call(module: Any, name: str, *arguments: Any, **options: Any) -> Any:
    return module.FilterModule().filters()[name](*arguments, **options)


def test_recreations_are_plain_values() -> None:
    found = call(docker_recreation, "docker_recreation", NETWORKS, containers=CONTAINERS, mtu="1390")
    assert json.loads(json.dumps(found)) == found
    assert [one["network"] for one in found["recreate"]] == ["aux", "own", "plain", "shop", "six"]
    assert found["recreate"][1]["containers"] == ["c1", "c2", "c3"]
    assert [one["network"] for one in found["left"]] == ["docker_gwbridge", "p_default"]


@pytest.mark.parametrize("networks", [5, [5], [{}], [{"Name": "a", "IPAM": {"Config": [{"Subnet": "x"}, 5]}}]])
def test_what_docker_does_not_print_is_refused(networks: Any) -> None:
    with pytest.raises(AnsibleFilterError, match="not what docker inspect prints"):
        call(docker_recreation, "docker_recreation", networks, containers=[], mtu=1450)


def test_a_restart_of_the_recorded_host() -> None:
    options = {"networks": NETWORKS, "live_restore": True, "mtu": 1390}
    found = call(docker_restart, "docker_restart", CONTAINERS, **options)
    assert found["needed"] is True and found["refused"] == ""
    assert found["stops"] == found["start"] == ["c1", "c2", "c3", "ovc", "side", "web"]
    assert call(docker_restart, "docker_restart", CONTAINERS, **{**options, "mtu": 1400})["needed"] is False
    more = {**options, "mtu": 9001}
    assert call(docker_restart, "docker_restart", CONTAINERS, **more)["needed"] is False
    assert call(docker_restart, "docker_restart", CONTAINERS, **more, **{"raise": True})["needed"] is True
    with pytest.raises(AnsibleFilterError, match="docker_restart: rise; allowed is raise"):
        call(docker_restart, "docker_restart", CONTAINERS, **more, rise=True)
    with pytest.raises(AnsibleFilterError, match="not what docker inspect prints"):
        call(docker_restart, "docker_restart", [5], **options)


def test_links_need_facts_and_an_mtu() -> None:
    assert call(container_links, "container_links", {"netfit_mtu": {}}, 1450) == []
    with pytest.raises(AnsibleFilterError, match=r"gather it with netfit\.cluster\.mtu_facts"):
        call(container_links, "container_links", {}, 1450)
    for mtu in (67, 65536, "x", None, 1450.5):
        with pytest.raises(AnsibleFilterError, match="write a number from 68 to 65535"):
            call(container_links, "container_links", {"netfit_mtu": {}}, mtu)

# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A network namespace is chosen by whose it is."""

from __future__ import annotations

from typing import Any, Dict, Optional

import pytest

from ansible_collections.netfit.cluster.plugins.module_utils._facts.census import Census
from ansible_collections.netfit.cluster.plugins.module_utils._facts.owners import Owners
from ansible_collections.netfit.cluster.plugins.module_utils._facts.sources import NoSuchSource, choose
from ansible_collections.netfit.cluster.plugins.module_utils._model.owner import ContainerRecord, Namespace

GATEWAY, OTHER, WEB, TWIN = "a" * 64, "b" * 64, "c" * 64, "d" * 64
PATHS = {"/run/netns/cni-1": 10, "/run/netns/cni-2": 11, "/run/docker/netns/web": 12, "/run/docker/netns/twin": 13}


def pod(container_id: str, name: str, path: str) -> ContainerRecord:
    return ContainerRecord(
        "containerd",
        container_id,
        name,
        sandbox=True,
        pod=name,
        pod_namespace="prod",
        network_namespace_path=path,
    )


def container(container_id: str, name: str, path: str) -> ContainerRecord:
    return ContainerRecord("docker", container_id, name, network_namespace_path=path)


RECORDS = [
    pod(GATEWAY, "gateway", "/run/netns/cni-1"),
    pod(OTHER, "web", "/run/netns/cni-2"),
    container(WEB, "web", "/run/docker/netns/web"),
    container(TWIN, "twin", "/run/docker/netns/twin"),
]
NAMESPACES = [
    Namespace(1, pid=1, host=True),
    *(Namespace(inode, (path,)) for path, inode in PATHS.items()),
    Namespace(14, ("/run/netns/mine",)),
]


def census(host: bool = True, **more: Any) -> Census:
    owners = Owners("n1", more.get("records", RECORDS), {}, {}, PATHS.get)
    return Census([one for one in NAMESPACES if host or not one.host], owners, {}, [])


@pytest.mark.parametrize(
    ("wanted", "inode"),
    [
        (None, 1),
        ({}, 1),
        ({"pod": None, "container": None}, 1),
        ({"pod": "prod/gateway"}, 10),
        ({"pod": "prod/web"}, 11),
        ({"container": "web"}, 12),
        ({"container": WEB}, 12),
        ({"container": TWIN[:12]}, 13),
        ({"namespace": "14"}, 14),
        ({"namespace": "/run/netns/mine"}, 14),
        ({"namespace": "/run/netns/cni-2"}, 11),
    ],
)
def test_one_is_chosen(wanted: Optional[Dict[str, Any]], inode: int) -> None:
    assert choose(census(), wanted).namespace.inode == inode


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"pod": "prod/none"}, "pod prod/none is not here; there are container twin, container web, host n1"),
        ({"pod": "gateway"}, "is not here"),
        ({"container": "prod/gateway"}, "is not here"),
        ({"container": "ccc"}, "is not here"),
        ({"namespace": "15"}, "is not here"),
        ({"pod": "prod/web", "container": "web"}, "one of container, pod"),
        ({"colour": "red"}, "'colour' is none of pod, container, namespace"),
    ],
)
def test_what_is_not_there_is_said_with_what_is(wanted: Dict[str, Any], message: str) -> None:
    with pytest.raises(NoSuchSource, match=r"^source: ") as failure:
        choose(census(), wanted)
    assert message in str(failure.value)


def test_two_of_the_same_name_are_not_guessed_between() -> None:
    twins = [*RECORDS[:2], RECORDS[2], container(TWIN, "web", "/run/docker/netns/twin")]
    with pytest.raises(NoSuchSource, match="container web is not unique: container web, container web"):
        choose(census(records=twins), {"container": "web"})


def test_a_host_that_cannot_be_found_is_no_source() -> None:
    with pytest.raises(NoSuchSource, match="the host is not here"):
        choose(census(host=False), None)

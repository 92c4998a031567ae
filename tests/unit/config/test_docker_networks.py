# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Docker's own networks, from a database that dockerd 20.10 wrote, whole and damaged."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Callable, Dict, List, Tuple, Union

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.netfit.cluster.plugins.module_utils._config import bolt_file
from ansible_collections.netfit.cluster.plugins.module_utils._config.bolt import BoltError, read_bucket, transaction_of
from ansible_collections.netfit.cluster.plugins.module_utils._config.declared import read_declared_mtus
from ansible_collections.netfit.cluster.plugins.module_utils._model.declared import DeclaredMtu, MtuMeaning
from ansible_collections.netfit.cluster.plugins.module_utils._model.fact import Source

DATA = Path(__file__).resolve().parent.parent / "data"
PATH = "/var/lib/docker/network/files/local-kv.db"
DATABASE = (DATA / "docker-20.10" / PATH[1:]).read_bytes()
ENTRIES = dict(read_bucket(DATABASE, b"libnetwork"))
PAGE = 4096
SHOP = "340f22d45ec0"


def docker_mtus(root: str) -> Dict[str, DeclaredMtu]:
    mtus, problems = read_declared_mtus(root)
    assert problems == []
    return {str(mtu.name): mtu for mtu in mtus if mtu.source.file == PATH}


def newest_meta_offset(content: bytes) -> int:
    transactions = [struct.unpack_from("<Q", content, start + 64)[0] for start in (0, PAGE)]
    return PAGE * transactions.index(max(transactions))


def test_recorded_networks_have_the_mtu_that_they_were_created_with(recorded: Callable[[str], str]) -> None:
    found = docker_mtus(recorded("docker-20.10"))
    expected = {f"many{number}": 1410 + number for number in range(1, 13)}
    expected.update({"shop": 1450, "named": 1450, "wire": 1400})
    assert {name: mtu.value for name, mtu in found.items()} == expected
    assert {mtu.meaning for mtu in found.values()} == {MtuMeaning.INTERFACE}


def test_recorded_network_names_its_bridge_range_and_record(recorded: Callable[[str], str]) -> None:
    found = docker_mtus(recorded("docker-20.10"))
    key = next(key.decode() for key in ENTRIES if key.startswith(b"docker/network/v1.0/network/" + SHOP.encode()))
    assert found["shop"] == DeclaredMtu(
        "docker",
        1450,
        MtuMeaning.INTERFACE,
        Source(PATH, None, key + "com.docker.network.driver.mtu"),
        link=f"br-{SHOP}",
        network="172.18.0.0/16",
        name="shop",
    )
    assert (found["named"].link, found["named"].network) == ("shop-bridge", "10.99.0.0/24")
    assert found["wire"].link is None


def test_recorded_database_is_larger_than_one_page_of_entries() -> None:
    assert len(ENTRIES) > 40
    assert all(key.startswith(b"docker/") for key in ENTRIES)
    assert list(ENTRIES) == sorted(ENTRIES)


def test_data_directory_may_be_moved(host: Callable[[str, Union[str, bytes]], str]) -> None:
    host("/etc/docker/daemon.json", '{"data-root": "/srv/docker/"}')
    root = host("/srv/docker/network/files/local-kv.db", DATABASE)
    mtus, problems = read_declared_mtus(root)
    assert (len(mtus), problems) == (15, [])
    assert {mtu.source.file for mtu in mtus} == {"/srv/docker/network/files/local-kv.db"}


def test_absent_bucket_gives_nothing() -> None:
    assert list(read_bucket(DATABASE, b"other")) == []


def test_damaged_newest_meta_page_falls_back_to_the_transaction_before() -> None:
    offset = newest_meta_offset(DATABASE)
    damaged = bytearray(DATABASE)
    damaged[offset + 30] ^= 0xFF
    assert transaction_of(bytes(damaged)) == transaction_of(DATABASE) - 1


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no valid meta page"),
        (b"\0" * 70000, "no valid meta page"),
        (b"not a database at all", "no valid meta page"),
        (DATABASE[: 2 * PAGE], "behind the end of the file"),
    ],
)
def test_file_that_is_no_whole_database_is_a_problem(
    content: bytes, reason: str, host: Callable[[str, Union[str, bytes]], str]
) -> None:
    mtus, problems = read_declared_mtus(host(PATH, content))
    assert mtus == []
    assert [(problem.subject, problem.path) for problem in problems] == [("docker networks", PATH)]
    assert reason in problems[0].reason


def test_page_of_another_id_is_refused() -> None:
    offset = newest_meta_offset(DATABASE)
    root = struct.unpack_from("<Q", DATABASE, offset + 32)[0]
    damaged = bytearray(DATABASE)
    damaged[root * PAGE] ^= 1
    with pytest.raises(BoltError, match=f"header of page {root} is damaged"):
        list(read_bucket(bytes(damaged), b"libnetwork"))


def test_tree_that_leads_in_a_circle_is_refused() -> None:
    offset = newest_meta_offset(DATABASE)
    root = struct.unpack_from("<Q", DATABASE, offset + 32)[0]
    damaged = bytearray(DATABASE)
    struct.pack_into("<QHHI", damaged, root * PAGE, root, 0x01, 1, 0)
    struct.pack_into("<IIQ", damaged, root * PAGE + 16, 16, 0, root)
    with pytest.raises(BoltError, match="more than one way"):
        list(read_bucket(bytes(damaged), b"libnetwork"))


def test_file_that_changes_all_the_time_is_a_problem(
    host: Callable[[str, Union[str, bytes]], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    older = bytearray(DATABASE)
    older[newest_meta_offset(DATABASE) + 30] ^= 0xFF
    versions = [DATABASE, bytes(older)] * 20
    monkeypatch.setattr(bolt_file, "read_bytes", lambda *_arguments: versions.pop())
    mtus, problems = read_declared_mtus(host("/etc/hostname", "node-1\n"))
    assert mtus == []
    assert [problem.reason for problem in problems] == ["it changed during each of 5 attempts to read it"]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.integers(0, len(DATABASE) - 1), st.integers(1, 255)), min_size=1, max_size=40))
def test_damage_never_raises_anything_but_its_own_error(flips: List[Tuple[int, int]]) -> None:
    damaged = bytearray(DATABASE)
    for position, bits in flips:
        damaged[position] ^= bits
    try:
        found = dict(read_bucket(bytes(damaged), b"libnetwork"))
    except BoltError:
        return
    assert sum(len(key) + len(value) for key, value in found.items()) <= len(DATABASE)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300), st.integers(0, len(DATABASE)))
def test_torn_or_foreign_bytes_never_raise_anything_but_its_own_error(noise: bytes, length: int) -> None:
    for content in (noise, DATABASE[:length], DATABASE[:length] + noise):
        try:
            entries = dict(read_bucket(content, b"libnetwork"))
        except BoltError:
            continue
        # No page that the database uses was missing.
        assert entries == ENTRIES

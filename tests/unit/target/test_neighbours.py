# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pairing of links across network namespaces."""

from __future__ import annotations

from typing import Dict, List, Mapping, Sequence, Tuple

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.netfit.cluster.plugins.module_utils._facts.neighbours import connect
from ansible_collections.netfit.cluster.plugins.module_utils._model.link import Link

HOST = 1


def link(index: int, kind: str = "veth", lower: int | None = None, nsid: int | None = None, mtu: int = 1500) -> Link:
    return Link(
        index=index,
        name=f"{kind}{index}",
        kind=kind,
        mtu=mtu,
        min_mtu=68,
        max_mtu=65535,
        hardware_address=None,
        up=True,
        operational_state="up",
        lower_index=lower,
        link_netnsid=nsid,
    )


class Kernel:
    """Answers as RTM_GETNSID does, and counts the questions."""

    def __init__(self, ids: Mapping[int, Mapping[int, int]]) -> None:
        self.ids = ids
        self.questions: List[Tuple[int, Tuple[int, ...]]] = []

    def ask(self, viewer: int, candidates: Sequence[int]) -> Dict[int, int]:
        self.questions.append((viewer, tuple(candidates)))
        return {inode: self.ids[viewer][inode] for inode in candidates if inode in self.ids[viewer]}


def test_both_ends_of_a_pair_are_settled_by_asking_the_host_once() -> None:
    kernel = Kernel({HOST: {2: 0, 3: 1}, 2: {HOST: 0}, 3: {HOST: 0}})
    links = {
        HOST: [link(10, lower=2, nsid=0, mtu=1450), link(11, lower=2, nsid=1)],
        2: [link(2, lower=10, nsid=0, mtu=1500)],
        3: [link(2, lower=11, nsid=0)],
    }
    connected = connect(links, [HOST], kernel.ask)
    peer = connected[2][0].peer
    assert peer is not None and (peer.namespace, peer.index, peer.name, peer.mtu) == (HOST, 10, "veth10", 1450)
    host_peers = [host_link.peer for host_link in connected[HOST]]
    assert [(peer.namespace, peer.mtu) for peer in host_peers if peer] == [(2, 1500), (3, 1500)]
    assert kernel.questions == [(HOST, (2, 3))]


def test_equal_indexes_in_two_namespaces_are_told_apart_by_their_ids() -> None:
    kernel = Kernel({HOST: {}, 2: {4: 7}, 3: {5: 7}, 4: {2: 0}, 5: {3: 0}})
    links = {
        HOST: [],
        2: [link(9, lower=2, nsid=7)],
        3: [link(9, lower=2, nsid=7)],
        4: [link(2, lower=9, nsid=0)],
        5: [link(2, lower=9, nsid=0)],
    }
    connected = connect(links, [HOST], kernel.ask)
    found = {inode: (row[0].peer.namespace if row and row[0].peer else None) for inode, row in connected.items()}
    assert found == {HOST: None, 2: 4, 3: 5, 4: 2, 5: 3}


def test_a_pair_within_one_namespace_needs_no_question() -> None:
    kernel = Kernel({HOST: {}})
    connected = connect({HOST: [link(2, lower=3), link(3, lower=2, mtu=9000)]}, [HOST], kernel.ask)
    peer = connected[HOST][0].peer
    assert peer is not None and (peer.namespace, peer.mtu) == (HOST, 9000)
    assert kernel.questions == []


def test_the_other_end_in_a_namespace_that_was_not_found_keeps_its_index_and_says_no_more() -> None:
    connected = connect({HOST: [link(10, lower=2, nsid=4)]}, [HOST], Kernel({HOST: {}}).ask)
    peer = connected[HOST][0].peer
    assert peer is not None and (peer.namespace, peer.index, peer.name, peer.mtu) == (None, 2, None, None)


def test_an_id_that_was_never_assigned_leads_nowhere() -> None:
    kernel = Kernel({HOST: {2: 0}, 2: {}, 3: {}})
    links = {
        HOST: [link(10, lower=2, nsid=0)],
        2: [link(2, lower=10, nsid=-1), link(3, lower=7, nsid=-1)],
        3: [link(7, lower=3, nsid=4)],
    }
    connected = connect(links, [HOST], kernel.ask)
    assert [row.peer.namespace for row in connected[2] if row.peer] == [None, None]


def test_a_device_that_moved_finds_the_namespace_where_its_lower_device_stayed() -> None:
    kernel = Kernel({HOST: {2: 3}, 2: {HOST: 5}})
    links = {HOST: [link(2, kind="physical")], 2: [link(7, kind="vxlan", lower=2, nsid=5)]}
    moved = connect(links, [HOST], kernel.ask)[2][0]
    assert (moved.lower, moved.lower_namespace) == ("physical2", HOST)


def test_a_lower_device_in_the_same_namespace_is_named() -> None:
    vlan = connect({HOST: [link(2, kind="physical"), link(3, kind="vlan", lower=2)]}, [HOST], Kernel({HOST: {}}).ask)
    assert vlan[HOST][1].lower == "physical2"


@given(st.permutations(range(2, 10)), st.data())
def test_every_pair_is_found_whatever_ids_the_kernel_gave(namespaces: List[int], data: st.DataObject) -> None:
    """Namespaces in a ring, each with one pair to the next, all with colliding indexes."""
    size = len(namespaces)
    ids: Dict[int, Dict[int, int]] = {inode: {} for inode in namespaces}
    links: Dict[int, List[Link]] = {inode: [] for inode in namespaces}
    for position, inode in enumerate(namespaces):
        following = namespaces[(position + 1) % size]
        for viewer, seen in ((inode, following), (following, inode)):
            taken = set(ids[viewer].values())
            ids[viewer][seen] = data.draw(st.integers(0, 20).filter(lambda number, taken=taken: number not in taken))
    for position, inode in enumerate(namespaces):
        following, previous = namespaces[(position + 1) % size], namespaces[position - 1]
        links[inode] = [link(2, lower=3, nsid=ids[inode][following]), link(3, lower=2, nsid=ids[inode][previous])]
    connected = connect(links, [namespaces[0]], Kernel(ids).ask)
    for position, inode in enumerate(namespaces):
        peers = [row.peer.namespace for row in connected[inode] if row.peer]
        assert peers == [namespaces[(position + 1) % size], namespaces[position - 1]]

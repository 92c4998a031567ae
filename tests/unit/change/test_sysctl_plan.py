# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a profile means for live values and for the file of the next boot."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.netfit.cluster.plugins.module_utils._change.sysctl_file_plan import (
    HEADER,
    FilePlan,
    check_name,
    keys_in,
    plan_file,
    plan_removal,
)
from ansible_collections.netfit.cluster.plugins.module_utils._change.sysctl_plan import (
    Circumstances,
    LivePlan,
    Place,
    plan_live,
)
from ansible_collections.netfit.cluster.plugins.module_utils._config.sysctl_precedence import at_boot
from ansible_collections.netfit.cluster.plugins.module_utils._model.sysctl import SysctlReading
from ansible_collections.netfit.cluster.plugins.module_utils._model.sysctl_file import SysctlFile, SysctlTree
from ansible_collections.netfit.cluster.plugins.module_utils._model.sysctl_setting import parse_settings

SOMAXCONN, RMEM, BACKLOG = "net.core.somaxconn", "net.ipv4.tcp_rmem", "net.core.netdev_max_backlog"
DIRECTORIES = ("/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d")
POD = {"inode": 7, "pid": 1, "paths": [], "boot": "b", "cookie": 5}
SIX = Circumstances((6, 1))


def place(namespace: Optional[Dict[str, Any]] = None, read_only: Tuple[str, ...] = (), **values: str) -> Place:
    names = {"somaxconn": SOMAXCONN, "rmem": RMEM, "backlog": BACKLOG}
    readings = {names[name]: SysctlReading(value, name not in read_only) for name, value in values.items()}
    return Place("the host" if namespace is None else "pod prod/web", namespace, readings)


def live(settings: Dict[str, Any], where: Place, circumstances: Circumstances = SIX, originals: Any = None) -> LivePlan:
    return plan_live(parse_settings(settings), where, circumstances, originals or {})


def moves(plan: LivePlan) -> List[Tuple[str, str, str]]:
    return [(step.key, step.before, step.after) for step in plan.steps]


def test_only_what_is_too_small_is_raised_element_by_element() -> None:
    where = place(somaxconn="128", rmem="4096 131072 33554432", backlog="5000")
    plan = live({SOMAXCONN: 4096, RMEM: [8192, 87380, 16777216], BACKLOG: 1000}, where)
    assert moves(plan) == [(SOMAXCONN, "128", "4096"), (RMEM, "4096 131072 33554432", "8192 131072 33554432")]
    assert plan.reached == {SOMAXCONN: "4096", RMEM: "8192 131072 33554432", BACKLOG: "5000"}


def test_a_key_that_the_kernel_lacks_is_a_fault_unless_it_is_optional() -> None:
    plan = live({"net.core.somaxcon": 1, SOMAXCONN: 1}, place(somaxconn="5"))
    assert "net.core.somaxcon: this kernel has no such parameter" in plan.faults[0]
    plan = live({"net.bridge.x": {"exact": 1, "optional": True}}, place())
    assert plan.faults == () and plan.skipped[0].key == "net.bridge.x"


@pytest.mark.parametrize("there", [True, False])
def test_a_key_of_the_host_is_never_set_in_a_pod(there: bool) -> None:
    values = {"backlog": "1000"} if there else {}
    where = place(POD, read_only=("backlog",), somaxconn="128", **values)
    plan = live({BACKLOG: 4096}, where)
    assert plan.steps == () and "is the host's alone" in plan.faults[0] and "prod/web" in plan.faults[0]
    plan = live({BACKLOG: {"at_least": 4096, "scope": "host"}, SOMAXCONN: 4096}, where)
    assert moves(plan) == [(SOMAXCONN, "128", "4096")]
    assert plan.skipped[0].reason == "it is meant for the host only"


def test_a_key_of_pods_is_never_set_on_the_host() -> None:
    plan = live({SOMAXCONN: {"at_least": 4096, "scope": "namespace"}}, place(somaxconn="128"))
    assert plan.steps == () and plan.reached == {}


def test_another_kernel_s_keys_are_skipped() -> None:
    plan = live({SOMAXCONN: {"at_least": 4096, "since": "6.6"}}, place(somaxconn="128"))
    assert plan.steps == () and plan.skipped[0].reason == "it does not matter on this kernel"


@pytest.mark.parametrize("wanted", [{"exact": [1, 2]}, [1, 2, 3, 4], {"at_least": "1 2 3 4"}])
def test_a_vector_of_the_wrong_length_is_a_fault(wanted: Any) -> None:
    plan = live({RMEM: wanted}, place(rmem="1 2 3"))
    assert len(plan.faults) == 1 and "elements" in plan.faults[0]


def test_buffers_stay_within_the_memory_that_there_is_for_tcp() -> None:
    wanted = {RMEM: {"at_least": [4096, 131072, 16777216], "memory_connections": 64}}
    plan = live(wanted, place(rmem="4096 131072 6291456"), Circumstances((6, 1), tcp_memory=64 * 8000000))
    assert moves(plan)[0][2] == "4096 131072 8000000" and "512000000 bytes" in plan.steps[0].limited
    plan = live(wanted, place(rmem="4096 131072 33554432"), Circumstances((6, 1), tcp_memory=64 * 8000000))
    assert plan.steps == ()


def test_giving_up_puts_back_what_was_there_before_us() -> None:
    originals = {("net/core/somaxconn", None): ("128", "4096"), ("net/ipv4/tcp_rmem", None): ("1 2 3", "4 5 6")}
    settings = {SOMAXCONN: {"absent": True}, RMEM: {"absent": True}, BACKLOG: {"absent": True}}
    plan = live(settings, place(somaxconn="4096", rmem="7 8 9", backlog="1000"), SIX, originals)
    assert moves(plan) == [(SOMAXCONN, "4096", "128")]
    assert {one.key: one.reason for one in plan.skipped} == {
        RMEM: "it was 4 5 6 when we set it and is 7 8 9: left alone",
        BACKLOG: "it is as nobody here has changed it",
    }


# The file


def tree(**files: str) -> SysctlTree:
    """Files by directory and name: etc_99_x for /etc/sysctl.d/99-x.conf; conf for /etc/sysctl.conf."""
    found, conf = [], None
    for name, text in files.items():
        if name == "conf":
            conf = SysctlFile("/etc/sysctl.conf", text)
            continue
        directory, _mark, rest = name.partition("_")
        path = {"etc": "/etc/sysctl.d/", "usr": "/usr/lib/sysctl.d/"}[directory] + rest.replace("_", "-") + ".conf"
        found.append(SysctlFile(path, text))
    return SysctlTree(DIRECTORIES, in_order(found), conf)


def in_order(files: List[SysctlFile]) -> Tuple[SysctlFile, ...]:
    """Files as a tree has them: by directory, then by name."""
    return tuple(sorted(files, key=lambda one: (DIRECTORIES.index(one.path.rpartition("/")[0]), one.order)))


def planned(
    settings: Dict[str, Any], reached: Dict[str, str], files: SysctlTree, ensure: bool = False, name: str = "shop"
) -> FilePlan:
    return plan_file(name, parse_settings(settings), reached, files, ensure)


def written(plan: FilePlan) -> Dict[str, str]:
    (step,) = plan.steps
    assert step.after is not None
    return keys_in(SysctlFile(step.path, step.after))


def test_a_new_file_says_who_wrote_it_and_why() -> None:
    plan = planned({SOMAXCONN: {"at_least": 1, "reason": "why", "source": "who"}}, {SOMAXCONN: "4096"}, tree())
    (step,) = plan.steps
    assert (step.path, step.before) == ("/etc/sysctl.d/90-netfit-shop.conf", None)
    assert step.after is not None and step.after.startswith(HEADER.format(name="shop"))
    assert "\n# why (who)\nnet.core.somaxconn = 4096\n" in step.after


def test_a_second_time_nothing_is_written() -> None:
    settings, reached = {SOMAXCONN: 4096, RMEM: [1, 2, 3]}, {SOMAXCONN: "4096", RMEM: "1 2 3"}
    first = planned(settings, reached, tree())
    again = planned(settings, reached, tree().with_file(first.path or "", first.steps[0].after or ""))
    assert again.steps == () and again.path == first.path


def test_what_other_files_give_more_of_stays() -> None:
    files = tree(usr_10_big=f"{SOMAXCONN} = 65535\n{RMEM} = 1 9 1\n")
    plan = planned({SOMAXCONN: 4096, RMEM: [2, 2, 2]}, {SOMAXCONN: "4096", RMEM: "2 2 2"}, files)
    assert written(plan) == {SOMAXCONN: "65535", RMEM: "2 9 2"}


def test_a_comment_behind_a_value_of_others_is_none_of_it() -> None:
    files = tree(usr_10_big=f"{SOMAXCONN} = 65535 # much\n", etc_99_y=f"{BACKLOG} = 9000 ; fine\n")
    plan = planned({SOMAXCONN: 4096, BACKLOG: 5000}, {SOMAXCONN: "4096", BACKLOG: "5000"}, files)
    assert written(plan) == {SOMAXCONN: "65535", BACKLOG: "9000"} and plan.faults == ()


def test_a_line_of_ours_that_will_do_stays_as_it_is() -> None:
    first = planned({SOMAXCONN: 4096}, {SOMAXCONN: "8192"}, tree())
    files = tree().with_file(first.path or "", first.steps[0].after or "")
    assert planned({SOMAXCONN: 4096}, {SOMAXCONN: "4096"}, files).steps == ()
    assert written(planned({SOMAXCONN: 9000}, {SOMAXCONN: "9000"}, files)) == {SOMAXCONN: "9000"}


def test_a_later_line_that_gives_less_is_named_and_nothing_is_written() -> None:
    files = tree(etc_99_hardening=f"a = 1\n{SOMAXCONN} = 128\n")
    plan = planned({SOMAXCONN: 4096}, {SOMAXCONN: "4096"}, files)
    assert plan.steps == ()
    assert plan.faults == ("net.core.somaxconn is set to 128 by /etc/sysctl.d/99-hardening.conf:2 (next boot)",)


def test_a_later_line_that_gives_enough_is_no_fault() -> None:
    plan = planned({SOMAXCONN: 4096}, {SOMAXCONN: "4096"}, tree(etc_99_hardening=f"{SOMAXCONN} = 8192\n"))
    assert plan.faults == () and plan.shadowed == ()


def test_precedence_can_be_ensured_by_a_name() -> None:
    files = tree(etc_99_hardening=f"{SOMAXCONN} = 128\n")
    plan = planned({SOMAXCONN: 4096}, {SOMAXCONN: "4096"}, files, ensure=True)
    assert plan.faults == () and plan.path is not None
    (step,) = plan.steps
    after = files.with_file(step.path, step.after or "")
    assert at_boot(after, [SOMAXCONN])[SOMAXCONN].value == "4096"
    assert planned({SOMAXCONN: 4096}, {SOMAXCONN: "4096"}, after, ensure=True).steps == ()


def test_a_file_that_lost_its_say_moves_to_a_name_that_has_it() -> None:
    first = planned({SOMAXCONN: 4096}, {SOMAXCONN: "4096"}, tree())
    files = tree(etc_99_hardening=f"{SOMAXCONN} = 128\n").with_file(first.path or "", first.steps[0].after or "")
    plan = planned({SOMAXCONN: 4096}, {SOMAXCONN: "4096"}, files, ensure=True)
    gone, come = plan.steps
    assert (gone.path, gone.after) == (first.path, None)
    assert come.path != first.path and come.before is None


def test_what_only_sysctl_system_sees_otherwise_is_told() -> None:
    plan = planned({SOMAXCONN: 4096}, {SOMAXCONN: "4096"}, tree(conf=f"{SOMAXCONN} = 128\n"))
    assert plan.faults == () and len(plan.steps) == 1
    (told,) = plan.shadowed
    assert (told.program, told.by, told.value) == ("sysctl --system", "/etc/sysctl.conf:1", "128")


def test_a_foreign_file_of_our_name_is_left_alone() -> None:
    plan = planned({SOMAXCONN: 4096}, {SOMAXCONN: "4096"}, tree(etc_90_netfit_shop="x = 1\n"))
    assert plan.steps == () and "is there and not ours" in plan.faults[0]


def test_removing_takes_our_file_and_no_other() -> None:
    first = planned({SOMAXCONN: 4096}, {SOMAXCONN: "4096"}, tree())
    files = tree(etc_90_netfit_other="x = 1\n").with_file(first.path or "", first.steps[0].after or "")
    (step,) = plan_removal(files, "shop").steps
    assert (step.path, step.after) == (first.path, None)
    assert plan_removal(files, "other").steps == ()
    assert planned({SOMAXCONN: {"absent": True}}, {}, files).steps == (step,)


@pytest.mark.parametrize("bad", ["", "Shop", "a/b", "../x", "a.b", "-x", "x" * 42])
def test_a_name_is_part_of_a_file_s_name(bad: str) -> None:
    with pytest.raises(ValueError, match="name is"):
        check_name(bad)


KEYS = st.sampled_from([SOMAXCONN, BACKLOG, "net.ipv4.tcp_fin_timeout"])
LINES = st.lists(st.tuples(KEYS, st.integers(0, 9)), max_size=4)
NAMES = st.sampled_from(["10-a", "90-netfit-aaa", "91-x", "99-sysctl", "zz-top", "zzzz"])
FILES = st.dictionaries(st.tuples(st.sampled_from(DIRECTORIES), NAMES), LINES, max_size=6)


@given(FILES, st.dictionaries(KEYS, st.integers(0, 9), min_size=1), st.booleans())
def test_what_is_written_holds_at_the_next_boot_whatever_else_is_there(
    files: Dict[Any, Any], wanted: Dict[str, int], ensure: bool
) -> None:
    found = [
        SysctlFile(f"{directory}/{name}.conf", "".join(f"{key} = {value}\n" for key, value in lines))
        for (directory, name), lines in files.items()
    ]
    host = SysctlTree(DIRECTORIES, in_order(found))
    plan = planned(dict(wanted), {key: str(value) for key, value in wanted.items()}, host, ensure)
    assert bool(plan.faults) != bool(plan.steps)
    for step in plan.steps:
        host = host.with_file(step.path, step.after or "")
    if plan.steps:
        outcomes = at_boot(host, wanted)
        assert all(int(outcomes[key].value or -1) >= value for key, value in wanted.items())
    else:
        assert not ensure

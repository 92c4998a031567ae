# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module sysctl_profile against the real /proc/sys: changed, held, persisted, taken back, also after accidents."""

from __future__ import annotations

from typing import Any, Dict

import pytest
from private_host import BEGIN, Killed, PrivateHost

SETTINGS = {
    "net.core.somaxconn": 4096,
    "net.ipv4.tcp_rmem": [4096, 131072, 4194304],
    "net.ipv4.tcp_keepalive_time": {"at_most": 600, "reason": "why", "source": "who"},
    "net.ipv4.tcp_abort_on_overflow": {"exact": 0},
}
AFTER = {
    **BEGIN,
    "somaxconn": "4096",
    "tcp_rmem": "4096 131072 6291456",
    "tcp_keepalive_time": "600",
    "tcp_abort_on_overflow": "0",
}
FILE = "/etc/sysctl.d/90-netfit-shop.conf"
RUN = {"name": "shop", "settings": SETTINGS, "run": "one"}


def apply(host: PrivateHost, **more: Any) -> Dict[str, Any]:
    return host.run("sysctl_profile", **{**RUN, **more})


def undo(host: PrivateHost, **more: Any) -> Dict[str, Any]:
    return host.run("change_guard", state="undone", **more)


def test_all_of_it_at_once_and_then_nothing(host: PrivateHost) -> None:
    planned = apply(host, check=True)
    assert host.sysctl() == BEGIN and host.files() == {}
    done = apply(host)
    assert host.sysctl() == AFTER
    assert {**done, "run": ""} == planned and done["run"] == "one"
    assert list(host.files()) == [FILE] == done["written"]
    assert done["before"] == {
        "the host": {
            "net.core.somaxconn": "128",
            "net.ipv4.tcp_abort_on_overflow": "1",
            "net.ipv4.tcp_keepalive_time": "7200",
            "net.ipv4.tcp_rmem": "4096 87380 6291456",
        }
    }
    again = apply(host)
    assert again["changed"] is False and again["diff"] == []
    assert host.command("ls", "/var/lib/netfit/journal") == "one.jsonl\n"


def test_the_diff_shows_live_values_and_the_file(host: PrivateHost) -> None:
    live, file = apply(host, check=True)["diff"]
    assert live["before"].splitlines()[0] == "net.core.somaxconn = 128"
    assert live["after"].splitlines()[0] == "net.core.somaxconn = 4096"
    assert file["before"] == "" and "# why (who)\nnet.ipv4.tcp_keepalive_time = 600\n" in file["after"]


def test_the_real_systemd_sysctl_makes_the_same_of_the_file(host: PrivateHost) -> None:
    host.write("/etc/sysctl.d/99-hardening.conf", "net.core.somaxconn = 128\n")
    assert apply(host, precedence="ensure")["changed"]
    host.sysctl(**BEGIN)
    host.command("/lib/systemd/systemd-sysctl")
    assert host.sysctl() == AFTER
    host.sysctl(**BEGIN)
    host.command("sysctl", "--system")
    assert host.sysctl() == AFTER
    assert apply(host, precedence="ensure")["changed"] is False


def test_a_line_in_the_way_is_named_before_anything_is_changed(host: PrivateHost) -> None:
    host.write("/etc/sysctl.d/99-hardening.conf", "# x\nnet.core.somaxconn = 128\n")
    failed = apply(host)
    assert failed["failed"] and "nothing was changed" in failed["msg"]
    assert "net.core.somaxconn is set to 128 by /etc/sysctl.d/99-hardening.conf:2" in failed["msg"]
    assert host.sysctl() == BEGIN and list(host.files()) == ["/etc/sysctl.d/99-hardening.conf"]


def test_absent_takes_the_file_and_puts_back_what_was_there(host: PrivateHost) -> None:
    apply(host)
    planned = host.run("sysctl_profile", check=True, name="shop", state="absent")
    done = host.run("sysctl_profile", name="shop", state="absent", run="two")
    assert {**done, "run": ""} == planned
    assert host.sysctl() == BEGIN and host.files() == {}
    assert host.run("sysctl_profile", name="shop", state="absent")["changed"] is False


def test_absent_leaves_what_somebody_has_changed_since(host: PrivateHost) -> None:
    apply(host)
    host.sysctl(somaxconn="9999")
    done = host.run("sysctl_profile", name="shop", state="absent")
    assert host.sysctl() == {**BEGIN, "somaxconn": "9999"}
    assert done["left_alone"][0]["reason"] == "it was 4096 when we set it and is 9999: left alone"


def test_one_key_is_given_up(host: PrivateHost) -> None:
    apply(host)
    settings = {**SETTINGS, "net.core.somaxconn": {"absent": True}}
    apply(host, settings=settings, run="two")
    assert host.sysctl() == {**AFTER, "somaxconn": "128"}
    assert "somaxconn" not in host.files()[FILE] and "tcp_rmem" in host.files()[FILE]


def test_a_run_is_undone_and_that_is_idempotent(host: PrivateHost) -> None:
    apply(host)
    planned = undo(host, check=True)
    assert host.sysctl() == AFTER
    done = undo(host)
    assert done == planned and done["changed"] and done["run"] == "one"
    assert host.sysctl() == BEGIN and host.files() == {}
    assert undo(host)["changed"] is False


def test_undoing_refuses_what_was_changed_since_unless_it_is_forced(host: PrivateHost) -> None:
    apply(host)
    host.sysctl(somaxconn="9999")
    host.write(FILE, "# mine now\n")
    failed = undo(host)
    assert failed["failed"] and len(failed["conflicts"]) == 2
    assert host.sysctl() == {**AFTER, "somaxconn": "9999"}
    assert undo(host, force=True)["changed"]
    assert host.sysctl() == BEGIN and host.files() == {}


def test_two_runs_are_undone_one_after_the_other(host: PrivateHost) -> None:
    apply(host)
    apply(host, settings={**SETTINGS, "net.core.somaxconn": 8192}, run="two")
    assert undo(host, run="one")["failed"]
    assert undo(host, run="two")["changed"] and host.sysctl() == AFTER
    assert undo(host, run="one")["changed"] and host.sysctl() == BEGIN


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"settings": {"net.core.somaxcon": 1}}, "this kernel has no such parameter: it is misspelt"),
        ({"settings": {"net.core.somaxconn": 2**31}}, "cannot be set to 2147483648: the kernel refuses this value"),
        ({"settings": {"net.ipv4.tcp_rmem": {"exact": [1, 2]}}}, "has 3 elements"),
        ({"settings": {"net.core.somaxconn": {"exact": 1, "at_most": 2}}}, "exactly one of"),
        ({"settings": {}}, "settings is empty"),
        ({"name": "Shop"}, "name is 'Shop'"),
        ({"run": "../x"}, "run is '../x'"),
        ({"live": False, "persist": False}, "nothing is left to do"),
        ({"containers": [{"container": "no-such-thing"}]}, "no-such-thing"),
    ],
)
def test_bad_input_changes_nothing_and_says_what_to_do(host: PrivateHost, more: Dict[str, Any], said: str) -> None:
    failed = apply(host, **more)
    assert failed["failed"] and said in failed["msg"], failed["msg"]
    assert host.sysctl() == BEGIN and host.files() == {}


def test_what_the_kernel_refuses_takes_back_what_was_set_before_it(host: PrivateHost) -> None:
    settings = {**SETTINGS, "net.ipv4.tcp_fin_timeout": 2**40}
    failed = apply(host, settings=settings)
    assert "net.ipv4.tcp_fin_timeout of the host cannot be set" in failed["msg"]
    assert "what was changed before is taken back" in failed["msg"]
    assert host.sysctl() == BEGIN and host.files() == {}
    assert undo(host)["changed"] is False


def test_a_value_that_does_not_hold_is_an_error_that_says_what_was_read(host: PrivateHost) -> None:
    """Kernels that count time in more than a millisecond round this one up."""
    host.command("sh", "-c", "echo 1003 > /proc/sys/net/ipv4/icmp_ratelimit")
    read = host.command("cat", "/proc/sys/net/ipv4/icmp_ratelimit").strip()
    host.command("sh", "-c", "echo 1000 > /proc/sys/net/ipv4/icmp_ratelimit")
    if read == "1003":
        pytest.skip("this kernel keeps milliseconds exactly: it has no parameter that rounds")
    failed = apply(host, settings={**SETTINGS, "net.ipv4.icmp_ratelimit": 1003})
    assert f"net.ipv4.icmp_ratelimit of the host was set to 1003, and reads {read}" in failed["msg"]
    assert host.sysctl() == BEGIN and host.files() == {}
    assert host.command("cat", "/proc/sys/net/ipv4/icmp_ratelimit") == "1000\n"


def test_a_read_only_etc(host: PrivateHost) -> None:
    host.command("mount", "-o", "remount,ro", "/etc/sysctl.d")
    try:
        failed = apply(host)
    finally:
        host.command("mount", "-o", "remount,rw", "/etc/sysctl.d")
    assert f"{FILE} cannot be written: Read-only file system; it is as it was" in failed["msg"]
    assert host.sysctl() == BEGIN and host.files() == {}


@pytest.mark.parametrize(
    ("full", "said"),
    [
        ("/etc/sysctl.d", f"{FILE} cannot be written: No space left on device; it is as it was"),
        ("/var/lib/netfit", "cannot be written: No space left on device; without it nothing is changed"),
    ],
)
def test_a_full_disk(host: PrivateHost, full: str, said: str) -> None:
    filler = f"{full}/filler"
    host.command("sh", "-c", f"mkdir -p {full}/journal; head -c 8m /dev/zero > {filler}")
    failed = apply(host)
    assert said in failed["msg"], failed["msg"]
    host.command("rm", "-rf", filler, f"{full}/journal" if "etc" in full else filler)
    assert host.sysctl() == BEGIN and host.files() == {}
    assert apply(host)["changed"] and host.sysctl() == AFTER


# Killed at every write


@pytest.fixture(scope="module")
def undisturbed(private_host: PrivateHost) -> Dict[str, Any]:
    """What a run that nobody disturbs leaves, and in how many writing calls."""
    private_host.reset()
    private_host.sysctl(**BEGIN)
    count = private_host.writes("sysctl_profile", **RUN)
    files = private_host.files()
    return {"writes": count, "undoing": private_host.writes("change_guard", state="undone"), "files": files}


def killed_at(host: PrivateHost, module: str, number: int, **arguments: Any) -> None:
    with pytest.raises(Killed):
        host.run(module, kill_at=number, **arguments)


WRITES, WRITES_OF_UNDOING = 17, 19


def test_how_many_writing_calls_there_are(undisturbed: Dict[str, Any]) -> None:
    """So that the tests below are at all of them."""
    assert (undisturbed["writes"], undisturbed["undoing"]) == (WRITES, WRITES_OF_UNDOING)


@pytest.mark.parametrize("number", range(1, WRITES + 1))
def test_killed_at_a_write_the_next_run_ends_where_an_undisturbed_one_does(
    host: PrivateHost, undisturbed: Dict[str, Any], number: int
) -> None:
    killed_at(host, "sysctl_profile", number, **RUN)
    assert {path: text for path, text in host.files().items() if path.endswith(".conf")} in ({}, undisturbed["files"])
    apply(host)
    assert host.sysctl() == AFTER and host.files() == undisturbed["files"]
    undo(host, run="one")
    assert host.sysctl() == BEGIN and host.files() == {}


@pytest.mark.parametrize("number", range(1, WRITES + 1))
def test_killed_at_a_write_the_journal_undoes_it_all(host: PrivateHost, number: int) -> None:
    killed_at(host, "sysctl_profile", number, **RUN)
    done = undo(host)
    assert not done.get("failed"), done
    assert host.sysctl() == BEGIN and host.files() == {}


@pytest.mark.parametrize("number", range(1, WRITES_OF_UNDOING + 1))
def test_killed_while_it_undoes_the_next_one_finishes(host: PrivateHost, number: int) -> None:
    apply(host)
    killed_at(host, "change_guard", number, state="undone")
    undo(host)
    assert host.sysctl() == BEGIN and host.files() == {}


def test_without_root_it_says_what_it_needs(host: PrivateHost) -> None:
    """Nobody may look, but not touch."""
    failed = host.run("sysctl_profile", as_nobody=True, **RUN)
    assert "/run/lock/netfit cannot be locked: Permission denied; run as root (become: true)" in failed["msg"]
    assert host.sysctl() == BEGIN and host.files() == {}

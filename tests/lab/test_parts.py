# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts of the lab that need neither root nor namespaces."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml
from netfit_lab import host_files, inotify, inventory, processes, requirements, state, topology
from netfit_lab.errors import LabError

SINGLE = {"segments": {"lan": {"addresses": "10.44.0.0/24"}}, "hosts": {"one": {"groups": ["nodes"]}}}
FILES = host_files.HostFiles("one", ("docker",), "127.0.0.1 localhost\n", "PRIVATE", "PUBLIC", "AUTHORIZED")


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """The files of a machine that starts docker, nginx and a timer, as Debian's packages enable them."""
    vendor = tmp_path / "usr/lib/systemd/system"
    for unit in ("docker.service", "nginx.service", "ssh.service", "apt-daily.timer", "systemd-modules-load.service"):
        (vendor / unit).parent.mkdir(parents=True, exist_ok=True)
        (vendor / unit).touch()
    enabled = {"docker.service": "multi-user", "nginx.service": "multi-user", "apt-daily.timer": "timers"}
    for unit, wants in enabled.items():
        directory = tmp_path / f"etc/systemd/system/{wants}.target.wants"
        directory.mkdir(parents=True, exist_ok=True)
        (directory / unit).symlink_to(f"/usr/lib/systemd/system/{unit}")
    static = vendor / "sysinit.target.wants"
    static.mkdir()
    for unit in ("systemd-modules-load.service", "systemd-sysctl.service"):
        (static / unit).symlink_to(f"../{unit}")
    (tmp_path / "etc/rc3.d").mkdir()
    (tmp_path / "etc/rc3.d/S01nginx").touch()
    (tmp_path / "etc/ssh").mkdir()
    (tmp_path / "etc/ssh/ssh_host_rsa_key").write_text("the machine's own")
    (tmp_path / "etc/elsewhere").write_text("the machine's own")
    (tmp_path / "etc/resolv.conf").symlink_to("elsewhere")
    (tmp_path / "root/.ssh").mkdir(parents=True)
    (tmp_path / "root/.ssh/id_rsa").write_text("the machine's own")
    return tmp_path


def test_only_what_the_topology_asks_for_is_started(machine: Path) -> None:
    host_files.write(machine, FILES)
    units = machine / "etc/systemd/system"
    started = sorted(path.name for path in (units / "multi-user.target.wants").iterdir())
    assert started == ["docker.service", "ssh.service"]
    assert list((units / "timers.target.wants").iterdir()) == []
    assert os.readlink(units / "systemd-modules-load.service") == "/dev/null"
    assert not os.path.lexists(units / "systemd-sysctl.service")
    assert list((machine / "etc/rc3.d").iterdir()) == []


def test_keys_of_the_machine_are_not_those_of_the_host(machine: Path) -> None:
    host_files.write(machine, FILES)
    assert [path.name for path in sorted((machine / "root/.ssh").iterdir())] == ["authorized_keys"]
    assert not (machine / "etc/ssh/ssh_host_rsa_key").exists()
    assert (machine / "etc/ssh/ssh_host_ed25519_key").stat().st_mode & 0o777 == 0o600


def test_a_link_is_replaced_and_not_followed(machine: Path) -> None:
    host_files.write(machine, FILES)
    assert (machine / "etc/elsewhere").read_text() == "the machine's own"
    assert "192.0.2.53" in (machine / "etc/resolv.conf").read_text()


def test_the_second_boot_leaves_the_files_alone(machine: Path) -> None:
    host_files.write(machine, FILES)
    (machine / "etc/hostname").write_text("renamed\n")
    host_files.write(machine, FILES)
    assert (machine / "etc/hostname").read_text() == "renamed\n"


def test_a_masked_unit_that_the_topology_asks_for_is_unmasked(machine: Path) -> None:
    asked = host_files.HostFiles("one", ("systemd-modules-load",), "", "", "", "")
    host_files.write(machine, asked)
    wanted = machine / "etc/systemd/system/multi-user.target.wants/systemd-modules-load.service"
    assert os.readlink(wanted) == "/usr/lib/systemd/system/systemd-modules-load.service"


def test_missing_tools_units_and_packages_are_named_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requirements, "_PATH", str(tmp_path))
    document = {"segments": SINGLE["segments"], "hosts": {"one": {"services": ["docker"], "packages": ["nf-none"]}}}
    missing = requirements.missing_packages(topology.parse("x", document), ["nf-other"], root=tmp_path)
    for expected in (
        "iproute2 (ip)", "nftables (nft)", "util-linux (nsenter)", "openssh-server (sshd)",
        "docker.io (unit docker.service)", "openssh-server (unit ssh.service)",
        "nf-none (the topology asks for it)", "nf-other (the topology asks for it)",
    ):  # fmt: skip
        assert expected in missing


@pytest.mark.parametrize(("now", "hosts", "then"), [(128, 4, 128), (128, 5, 144), (128, 60, 1024), (8192, 60, 8192)])
def test_the_inotify_limit_is_raised_only_when_it_is_too_low(now: int, hosts: int, then: int, tmp_path: Path) -> None:
    path = tmp_path / "max_user_instances"
    path.write_text(f"{now}\n")
    said = inotify.raise_limit(hosts, path)
    assert int(path.read_text()) == then
    assert (said is None) == (now == then)
    if said:
        assert f"from {now} to {then}" in said


def test_the_inventory_pins_keys_hosts_and_interpreter() -> None:
    document = yaml.safe_load(inventory.as_yaml(state.Paths("x"), topology.parse("x", SINGLE)))["all"]
    assert document["hosts"]["one"]["ansible_host"] == "10.44.0.11"
    assert document["hosts"]["one"]["ansible_python_interpreter"] == "/usr/bin/python3"
    assert document["children"] == {"nodes": {"hosts": {"one": {}}}}
    assert document["vars"]["ansible_ssh_private_key_file"] == "/run/nf-lab/x/keys/id"
    assert "StrictHostKeyChecking=yes" in document["vars"]["ansible_ssh_common_args"]
    assert inventory.known_hosts(topology.parse("x", SINGLE), "ssh-ed25519 AAAA comment\n") == (
        "one ssh-ed25519 AAAA\n10.44.0.11 ssh-ed25519 AAAA\n"
    )


def test_a_process_that_has_got_a_recycled_number_is_not_killed() -> None:
    own = processes.identify(os.getpid())
    assert own is not None and own.is_running()
    other = processes.ProcessIdentity(own.pid, own.start_time - 1)
    assert not other.is_running()
    assert other.kill()


def test_a_lab_is_changed_by_one_process_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "ROOT", tmp_path)
    paths = state.Paths("x")
    with state.lock(paths), pytest.raises(LabError, match="being changed by another process"), state.lock(paths, 0):
        raise AssertionError("both had the lock")
    with state.lock(paths):
        assert paths.directory.is_dir()


def test_a_record_that_was_cut_off_reads_as_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "ROOT", tmp_path)
    paths = state.Paths("x")
    assert state.read_record(paths) == {}
    paths.directory.mkdir()
    paths.record.write_text('{"keeper": {')
    assert state.read_record(paths) == {}

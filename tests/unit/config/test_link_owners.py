# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who configures a link, on recorded hosts and on those that a test writes; and what is written for an MTU there."""

from __future__ import annotations

from pathlib import Path
from typing import Callable, Dict, Optional, Tuple

import pytest

from ansible_collections.netfit.cluster.plugins.module_utils._config.declared import read_declared_mtus
from ansible_collections.netfit.cluster.plugins.module_utils._config.link_configs import (
    declared_mtu,
    plan_link_config,
    plan_link_configs,
)
from ansible_collections.netfit.cluster.plugins.module_utils._config.link_owners import find_link_owner
from ansible_collections.netfit.cluster.plugins.module_utils._config.planned_files import MARK
from ansible_collections.netfit.cluster.plugins.module_utils._model.link_owner import (
    LinkConfigPlan,
    LinkManager,
    LinkOwner,
    Reload,
)

DATA = Path(__file__).resolve().parent.parent / "data" / "link-managers"
NETWORK = "/etc/systemd/network/20-lan.network"
DROP_IN = f"{NETWORK}.d/90-netfit-mtu.conf"
RUN_DROP_IN = "/run/systemd/network/20-lan.network.d"
PROFILE = "/etc/NetworkManager/system-connections/lan.nmconnection"
NM_DEFAULTS = "/etc/NetworkManager/conf.d/90-netfit-mtu.conf"
LAN = "/etc/network/interfaces.d/lan"
OF_NETPLAN = "/etc/netplan/90-netfit-mtu.yaml"
HOOK = "/etc/dhcp/dhclient-enter-hooks.d/netfit-mtu"
NETPLAN_TEXT = f"""{MARK}
network:
  version: 2
  ethernets:
    "primary":
      mtu: 1400
      dhcp4-overrides: {{use-mtu: false}}
      dhcp6-overrides: {{use-mtu: false}}
"""

# System: manager, backend, files, what is written with its reload.
SYSTEMS: Dict[str, Tuple[LinkManager, Optional[LinkManager], Tuple[str, ...], Dict[str, str], Reload]] = {
    "networkd-252": (
        LinkManager.NETWORKD,
        None,
        (NETWORK,),
        {DROP_IN: f"{MARK}\n[Link]\nMTUBytes=1400\n\n[DHCPv4]\nUseMTU=no\n"},
        Reload.NOTHING,
    ),
    "network-manager-1.42": (
        LinkManager.NETWORK_MANAGER,
        None,
        (PROFILE,),
        {PROFILE: "[ethernet]\nmtu=1400\nwake-on-lan=0\n"},
        Reload.NETWORK_MANAGER_PROFILE,
    ),
    "network-manager-1.42-generated": (
        LinkManager.NETWORK_MANAGER,
        None,
        ("/run/NetworkManager/system-connections/Wired connection 1.nmconnection",),
        {NM_DEFAULTS: f"{MARK}\n\n[connection-netfit-eth0]\nethernet.mtu=1400\nmatch-device=interface-name:=eth0\n"},
        Reload.NETWORK_MANAGER_SETTINGS,
    ),
    "ifupdown-0.8.41": (
        LinkManager.IFUPDOWN,
        None,
        ("/etc/network/interfaces",),
        {"/etc/network/interfaces": "iface eth0 inet dhcp\n    post-up ip link set dev $IFACE mtu 1400\n"},
        Reload.NOTHING,
    ),
    "ifupdown-0.8.41-static": (
        LinkManager.IFUPDOWN,
        None,
        (LAN,),
        {LAN: "\taddress 10.62.0.16/24\n\tmtu 1400\n\t# The end.\n"},
        Reload.NOTHING,
    ),
    "netplan-0.106": (
        LinkManager.NETPLAN,
        LinkManager.NETWORKD,
        ("/etc/netplan/50-cloud-init.yaml",),
        {OF_NETPLAN: NETPLAN_TEXT},
        Reload.NETPLAN_NETWORKD,
    ),
    "netplan-0.106-nm": (
        LinkManager.NETPLAN,
        LinkManager.NETWORK_MANAGER,
        ("/etc/netplan/01-all.yaml",),
        {OF_NETPLAN: f'{MARK}\nnetwork:\n  version: 2\n  ethernets:\n    "eth0":\n      mtu: 1400\n'},
        Reload.NETPLAN_NETWORK_MANAGER,
    ),
    "ifcfg-scripts": (
        LinkManager.IFCFG,
        None,
        ("/etc/sysconfig/network-scripts/ifcfg-eth0",),
        {"/etc/sysconfig/network-scripts/ifcfg-eth0": "TYPE=Ethernet\nMTU=1400\n"},
        Reload.NOTHING,
    ),
    "ifcfg-network-manager": (
        LinkManager.IFCFG,
        None,
        ("/etc/sysconfig/network-scripts/ifcfg-eth0",),
        {"/etc/sysconfig/network-scripts/ifcfg-eth0": "PREFIX=24\nMTU=1400\n"},
        Reload.NETWORK_MANAGER_PROFILE,
    ),
    "wicked": (
        LinkManager.WICKED,
        None,
        ("/etc/sysconfig/network/ifcfg-eth0",),
        {"/etc/sysconfig/network/ifcfg-eth0": "# the cloud's\nMTU='1400'\n"},
        Reload.NOTHING,
    ),
}


def plan(root: str, mtu: int = 1400, link: str = "eth0", index: int = 2) -> LinkConfigPlan:
    return plan_link_config(root, find_link_owner(root, link, index), mtu)


def write(root: Path, planned: LinkConfigPlan) -> None:
    for change in planned.changes:
        path = root / change.path.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        assert change.after is not None
        path.write_bytes(change.after.text.encode())


@pytest.fixture
def copied(tmp_path: Path) -> Callable[..., Path]:
    """Copy a recorded host, with files of the test's own beside."""

    def copy(system: str, **files: str) -> Path:
        for source in (path for path in (DATA / system).rglob("*") if path.is_file()):
            target = tmp_path / source.relative_to(DATA / system)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read_bytes())
        return tmp_path

    return copy


def put(root: Path, path: str, text: str) -> None:
    file = root / path.lstrip("/")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


@pytest.mark.parametrize("system", SYSTEMS)
def test_owner_and_plan_of_recorded_hosts(system: str, copied: Callable[..., Path]) -> None:
    manager, backend, files, written, reload = SYSTEMS[system]
    root = copied(system)
    owner = find_link_owner(str(root), "eth0", 2)
    assert (owner.manager, owner.backend, owner.files) == (manager, backend, files)
    assert owner.evidence
    planned = plan_link_config(str(root), owner, 1400)
    assert planned.blocked is None and planned.reload is reload
    assert [change.path for change in planned.changes] == list(written)
    for change in planned.changes:
        assert change.after is not None
        assert written[change.path] in change.after.text
        if change.before is not None:
            kept = [line for line in change.before.text.splitlines() if not line.startswith("MTU")]
            assert [line for line in change.after.text.splitlines() if line in kept] == kept
    write(root, planned)
    again = plan(str(root))
    assert (again.changes, again.before, again.blocked) == ((), 1400, None)
    found = declared_mtu(str(root), owner if owner.files else find_link_owner(str(root), "eth0", 2))
    assert found is None or found.mtu == 1400
    declared, problems = read_declared_mtus(str(root))
    assert [(one.stack, one.value, one.link) for one in declared] == [(manager.value, 1400, "eth0")] and not problems
    source = declared[0].source
    line = (root / source.file.lstrip("/")).read_text().splitlines()[(source.line or 0) - 1]
    assert "1400" in line and source.key.lower() in line.lower()


@pytest.mark.parametrize("system", SYSTEMS)
def test_another_value_takes_the_place_of_the_first(system: str, copied: Callable[..., Path]) -> None:
    root = copied(system)
    write(root, plan(str(root)))
    other = plan(str(root), 1420)
    assert other.before == 1400 and len(other.changes) == 1
    change = other.changes[0]
    assert change.before is not None and change.after is not None
    assert change.after.text == change.before.text.replace("1400", "1420")


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_link_that_they_leave_alone_has_no_owner(system: str) -> None:
    owner = find_link_owner(str(DATA / system), "veth9", 9)
    assert owner.manager is None and "whoever made it" in owner.evidence
    planned = plan_link_config(str(DATA / system), owner, 1400)
    assert planned.blocked and "until the link or the host restarts" in planned.blocked and not planned.persisted


def test_a_link_that_network_manager_only_watches_is_not_its_own() -> None:
    assert find_link_owner(str(DATA / "network-manager-1.42"), "lo", 1).manager is None


def test_a_profile_without_uuid_is_found_by_the_one_made_of_its_name() -> None:
    owner = find_link_owner(str(DATA / "netplan-0.106-nm"), "eth0", 2)
    assert owner.connection == "626dd384-8b3d-3690-9511-192b2c79b3fd" and owner.definition == "eth0"


class TestNetworkd:
    def test_a_file_for_several_links_is_refused_unless_all_get_the_same(self, copied: Callable[..., Path]) -> None:
        root = copied("networkd-252")
        put(root, "/sys/class/net/eth1/ifindex", "3\n")
        put(root, "/run/systemd/netif/links/3", (root / "run/systemd/netif/links/2").read_text())
        blocked = plan(str(root)).blocked
        assert blocked and f"{NETWORK} is for eth1 too" in blocked
        owners = [find_link_owner(str(root), "eth0", 2), find_link_owner(str(root), "eth1", 3)]
        first, second = plan_link_configs(str(root), [(owner, 1400) for owner in owners])
        assert [change.path for change in first.changes] == [DROP_IN] and second.changes == () and second.persisted
        different = plan_link_configs(str(root), [(owners[0], 1400), (owners[1], 1450)])
        assert all(one.blocked for one in different)

    def test_a_drop_in_that_is_read_later_is_named(self, copied: Callable[..., Path]) -> None:
        root = copied("networkd-252")
        put(root, f"{RUN_DROP_IN}/95-admin.conf", "[Link]\n# mine\nMTUBytes=1500\n")
        blocked = plan(str(root)).blocked
        assert blocked and f"{RUN_DROP_IN}/95-admin.conf:3 sets 1500" in blocked
        assert plan(str(root), 1500).persisted and plan(str(root), 1500).before == 1500

    def test_an_mtu_for_ipv6_above_it_comes_down_with_it(self, copied: Callable[..., Path]) -> None:
        root = copied("networkd-252")
        put(root, f"{NETWORK}.d/10-six.conf", "[Network]\nIPv6MTUBytes=1500\n")
        planned = plan(str(root))
        after = planned.changes[0].after
        assert after is not None and "[Network]\nIPv6MTUBytes=1400\n" in after.text
        put(root, f"{NETWORK}.d/10-six.conf", "[Network]\nIPv6MTUBytes=1280\n")
        after = plan(str(root)).changes[0].after
        assert after is not None and "IPv6MTUBytes" not in after.text

    @pytest.mark.parametrize(
        "value, expected", [("1500", 1500), ("9K", 9216), ("1500B", 1500), ("", None), ("big", None)]
    )
    def test_sizes_are_read_as_systemd_does(
        self, copied: Callable[..., Path], value: str, expected: Optional[int]
    ) -> None:
        root = copied("networkd-252")
        put(root, f"{NETWORK}.d/10.conf", f"[Link]\nMTUBytes=1300\nMTUBytes={value}\n")
        assert plan(str(root)).before == expected

    def test_a_hidden_drop_in_counts_for_nothing(self, copied: Callable[..., Path]) -> None:
        root = copied("networkd-252")
        put(root, f"/usr/lib/systemd/network/{NETWORK[20:]}.d/10.conf", "[Link]\nMTUBytes=1300\n")
        assert find_link_owner(str(root), "eth0", 2).files[1:] != () and plan(str(root)).before == 1300
        put(root, f"{NETWORK}.d/10.conf", "")
        assert plan(str(root)).before is None

    def test_an_mtu_that_networkd_would_raise_is_refused(self) -> None:
        blocked = plan(str(DATA / "networkd-252"), 1279).blocked
        assert blocked and "1280" in blocked

    def test_somebody_elses_file_of_that_name_is_left_alone(self, copied: Callable[..., Path]) -> None:
        root = copied("networkd-252")
        put(root, DROP_IN, "[Link]\nMTUBytes=1300\n")
        blocked = plan(str(root)).blocked
        assert blocked and "was not written by netfit" in blocked


class TestNetworkManager:
    @pytest.mark.parametrize(
        "kind, section",
        [("802-3-ethernet", "ethernet"), ("bridge", "ethernet"), ("vlan", "ethernet"), ("wifi", "wifi")],
    )
    def test_the_section_is_that_of_the_type(self, copied: Callable[..., Path], kind: str, section: str) -> None:
        root = copied("network-manager-1.42")
        put(root, PROFILE, f"[connection]\nuuid=6c3ad1a6-4b0c-4ea6-9d67-1c1b2f7a1111\ntype={kind}\n\n[ipv4]\nmtu=7\n")
        after = plan(str(root)).changes[0].after
        assert after is not None and after.text.endswith(f"[ipv4]\nmtu=7\n\n[{section}]\nmtu=1400\n")

    def test_the_old_name_of_a_section_is_kept(self, copied: Callable[..., Path]) -> None:
        root = copied("network-manager-1.42")
        text = (root / PROFILE.lstrip("/")).read_text().replace("[ethernet]\n", "[802-3-ethernet]\nmtu = 1500\n")
        put(root, PROFILE, text)
        planned = plan(str(root))
        after = planned.changes[0].after
        assert planned.before == 1500
        assert after is not None and after.text == text.replace("mtu = 1500", "mtu = 1400")

    def test_a_type_without_mtu_is_refused(self, copied: Callable[..., Path]) -> None:
        root = copied("network-manager-1.42")
        put(root, PROFILE, "[connection]\nuuid=6c3ad1a6-4b0c-4ea6-9d67-1c1b2f7a1111\ntype=gsm\n")
        blocked = plan(str(root)).blocked
        assert blocked and "'gsm'" in blocked

    def test_an_mtu_in_a_profile_that_is_no_file_of_the_administrator_is_refused(
        self, copied: Callable[..., Path]
    ) -> None:
        root = copied("network-manager-1.42-generated")
        path = "/run/NetworkManager/system-connections/Wired connection 1.nmconnection"
        text = (root / path.lstrip("/")).read_text()
        put(root, path, text.replace("[ethernet]\n", "[ethernet]\nmtu=1500\n"))
        blocked = plan(str(root)).blocked
        assert blocked and "nmcli connection modify" in blocked

    def test_the_defaults_of_two_links_share_a_file(self, copied: Callable[..., Path]) -> None:
        root = copied("network-manager-1.42-generated")
        one = find_link_owner(str(root), "eth0", 2)
        two = LinkOwner("eth1", one.manager, one.evidence, (), "another")
        first, second = plan_link_configs(str(root), [(one, 1400), (two, 1410)])
        assert first.changes[0].after == second.changes[0].before
        after = second.changes[0].after
        assert after is not None and after.text.startswith(f"{MARK}\n")
        assert "ethernet.mtu=1400\nmatch-device=interface-name:=eth0" in after.text
        assert "ethernet.mtu=1410\nmatch-device=interface-name:=eth1" in after.text


class TestNetplan:
    def test_a_later_file_that_sets_another_mtu_is_named(self, copied: Callable[..., Path]) -> None:
        root = copied("netplan-0.106")
        put(root, "/etc/netplan/99-last.yaml", "network:\n  ethernets:\n    primary:\n      mtu: 1500\n")
        blocked = plan(str(root)).blocked
        assert blocked and "/etc/netplan/99-last.yaml:4 sets 1500" in blocked

    def test_a_later_file_that_cant_be_understood_may_set_one(self, copied: Callable[..., Path]) -> None:
        root = copied("netplan-0.106")
        put(root, "/etc/netplan/99-last.yaml", "network: {ethernets: {primary: {mtu: 1500}}}\n")
        blocked = plan(str(root)).blocked
        assert blocked and "99-last.yaml: line 1" in blocked and "may set another MTU" in blocked

    def test_the_same_name_in_run_hides_the_one_in_etc(self, copied: Callable[..., Path]) -> None:
        root = copied("netplan-0.106")
        put(root, "/etc/netplan/60.yaml", "network:\n  ethernets:\n    primary:\n      mtu: 1500\n")
        assert plan(str(root)).before == 1500
        put(root, "/run/netplan/60.yaml", "network:\n  ethernets:\n    primary: {}\n")
        assert plan(str(root)).before is None

    def test_our_other_links_stay_in_our_file(self, copied: Callable[..., Path]) -> None:
        root = copied("netplan-0.106")
        write(root, plan(str(root)))
        put(
            root,
            "/etc/netplan/60-bond.yaml",
            "network:\n  bonds:\n    bond0:\n      interfaces: [a, b]\n      addresses: [192.0.2.1/24]\n",
        )
        owner = find_link_owner(str(root), "eth0", 2)
        bond = LinkOwner("bond0", owner.manager, "", (), None, "bond0", owner.backend)
        after = plan_link_config(str(root), bond, 1350).changes[0].after
        assert after is not None and after.text == NETPLAN_TEXT.replace(
            "  ethernets", '  bonds:\n    "bond0":\n      mtu: 1350\n  ethernets'
        )

    def test_a_wireless_profile_is_named_after_its_network_too(self, copied: Callable[..., Path]) -> None:
        root = copied("netplan-0.106-nm")
        put(root, "/etc/netplan/01-all.yaml", "network:\n  wifis:\n    wl:\n      access-points:\n        home: {}\n")
        old, new = (f"/run/NetworkManager/system-connections/netplan-{one}.nmconnection" for one in ("eth0", "wl-home"))
        text = (root / old.lstrip("/")).read_text()
        put(root, new, text.replace("[connection]", "[connection]\nuuid=626dd384-8b3d-3690-9511-192b2c79b3fd"))
        (root / old.lstrip("/")).unlink()
        owner = find_link_owner(str(root), "eth0", 2)
        assert (owner.definition, owner.generated) == ("wl", new)
        after = plan(str(root)).changes[0].after
        assert after is not None and '  wifis:\n    "wl":\n      mtu: 1400\n' in after.text

    def test_only_flow_style_is_refused(self, copied: Callable[..., Path]) -> None:
        root = copied("netplan-0.106")
        put(root, "/etc/netplan/50-cloud-init.yaml", "network: {ethernets: {primary: {dhcp4: true}}}\n")
        blocked = plan(str(root)).blocked
        assert blocked and "not written as keys on lines of their own" in blocked

    def test_our_file_changed_by_hand_is_refused(self, copied: Callable[..., Path]) -> None:
        root = copied("netplan-0.106")
        put(root, OF_NETPLAN, f"{MARK}\nnetwork:\n  ethernets: [\n")
        blocked = plan(str(root)).blocked
        assert blocked and OF_NETPLAN in blocked


class TestIfupdown:
    def test_with_dhclient_a_hook_keeps_its_hands_off(self, copied: Callable[..., Path]) -> None:
        root = copied("ifupdown-0.8.41")
        put(root, "/sbin/dhclient", "")
        planned = plan(str(root))
        assert [change.path for change in planned.changes] == [HOOK]
        after = planned.changes[0].after
        assert after is not None and after.text.splitlines()[2:] == [
            'case "$interface" in',
            "eth0) new_interface_mtu=1400 ;;",
            "esac",
        ]
        write(root, planned)
        assert plan(str(root)).changes == () and plan(str(root)).before == 1400

    def test_dhcpcd_is_kept_from_the_routes(self, copied: Callable[..., Path]) -> None:
        root = copied("ifupdown-0.8.41")
        put(root, "/usr/sbin/dhcpcd", "")
        put(root, "/etc/dhcpcd.conf", "option interface_mtu\nssid home\nnooption interface_mtu")
        planned = plan(str(root))
        assert [change.path for change in planned.changes] == ["/etc/network/interfaces", "/etc/dhcpcd.conf"]
        after = planned.changes[1].after
        assert after is not None and after.text == (
            "option interface_mtu\nssid home\nnooption interface_mtu\n\ninterface eth0\nnooption interface_mtu\n"
        )
        write(root, planned)
        assert plan(str(root)).changes == ()

    @pytest.mark.parametrize(
        "command, after",
        [
            ("up ip link set eth0 mtu 1500", "up ip link set eth0 mtu 1400"),
            ("post-up /sbin/ip link set dev $IFACE mtu 1500", "post-up /sbin/ip link set dev $IFACE mtu 1400"),
            ("up ifconfig $IFACE mtu 1500", None),
            ("up ip link set eth1 mtu 1500", None),
            ("mtu 1500 \\\n  ", None),
        ],
    )
    def test_commands(self, copied: Callable[..., Path], command: str, after: Optional[str]) -> None:
        root = copied("ifupdown-0.8.41-static")
        text = (root / LAN.lstrip("/")).read_text()
        put(root, LAN, f"{text}\t{command}\n")
        planned = plan(str(root))
        if after is None:
            assert planned.blocked and LAN in planned.blocked and planned.changes == ()
        else:
            assert planned.changes[0].after is not None
            assert planned.changes[0].after.text == f"{text}\t{after}\n"

    def test_ipv6_that_would_raise_the_link_comes_down_and_less_stays(self, copied: Callable[..., Path]) -> None:
        root = copied("ifupdown-0.8.41-static")
        text = (root / LAN.lstrip("/")).read_text()
        for other, expected in ((1500, 1400), (1300, 1300)):
            put(root, LAN, f"{text}\niface eth0 inet6 static\n\taddress 2001:db8::1/64\n\tmtu {other}\n")
            changed = {change.path: change.after for change in plan(str(root)).changes}[LAN]
            planned = plan(str(root)).changes[-1].after
            assert changed is not None and planned is not None
            assert f"address 2001:db8::1/64\n\tmtu {expected}\n" in planned.text
            assert "address 10.62.0.16/24\n\tmtu 1400\n" in planned.text

    def test_an_option_that_dhcp_does_nothing_with_is_not_enough(self, copied: Callable[..., Path]) -> None:
        root = copied("ifupdown-0.8.41")
        put(root, "/etc/network/interfaces", "iface eth0 inet dhcp\n  mtu 1400")
        after = plan(str(root)).changes[0].after
        assert after is not None
        assert after.text == "iface eth0 inet dhcp\n  mtu 1400\n  post-up ip link set dev $IFACE mtu 1400\n"

    def test_a_stanza_by_pattern_is_refused(self, copied: Callable[..., Path]) -> None:
        root = copied("ifupdown-0.8.41")
        put(root, "/etc/network/interfaces", "iface /eth* inet dhcp\n")
        blocked = plan(str(root)).blocked
        assert blocked and "no stanza 'iface eth0'" in blocked

    def test_what_is_sourced_by_shell_words_is_refused(self, copied: Callable[..., Path]) -> None:
        root = copied("ifupdown-0.8.41-static")
        put(root, "/etc/network/interfaces", "source $HOME/interfaces\n")
        declared, problems = read_declared_mtus(str(root))
        assert declared == [] and "beyond what is read here" in problems[0].reason

    def test_source_directory_takes_plain_names_only(self, copied: Callable[..., Path]) -> None:
        root = copied("ifupdown-0.8.41-static")
        put(root, "/etc/network/interfaces", "source-directory interfaces.d\n")
        put(root, f"{LAN}.bak", "iface eth0 inet static\n\tmtu 1300\n")
        assert find_link_owner(str(root), "eth0", 2).files == (LAN,)


def test_quotes_within_an_ifcfg_file_are_refused(copied: Callable[..., Path]) -> None:
    root = copied("wicked")
    path = "/etc/sysconfig/network/ifcfg-eth0"
    put(root, path, "MTU='15''00'\n")
    blocked = plan(str(root)).blocked
    assert blocked and path in blocked

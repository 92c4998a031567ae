# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The MTU of new containers: what is refused and why, what is said, and what never changes beside it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Callable, Dict, Union

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.netfit.cluster.plugins.module_utils._config.conflist_mtu import with_mtu
from ansible_collections.netfit.cluster.plugins.module_utils._config.declarations import Declarations
from ansible_collections.netfit.cluster.plugins.module_utils._config.docker_network_list import list_docker_networks
from ansible_collections.netfit.cluster.plugins.module_utils._config.drop_ins import Blocked
from ansible_collections.netfit.cluster.plugins.module_utils._config.json_edit import with_member
from ansible_collections.netfit.cluster.plugins.module_utils._config.json_text import JsonError
from ansible_collections.netfit.cluster.plugins.module_utils._config.mtu_cni import plan_cni_mtu, plan_nerdctl_mtu
from ansible_collections.netfit.cluster.plugins.module_utils._config.mtu_docker import plan_docker_mtu
from ansible_collections.netfit.cluster.plugins.module_utils._config.mtu_podman import default_network, plan_podman_mtu
from ansible_collections.netfit.cluster.plugins.module_utils._config.mtu_runtimes import RUNTIME_PLANNERS
from ansible_collections.netfit.cluster.plugins.module_utils._model.docker_network import DockerNetwork, NetworkKind
from ansible_collections.netfit.cluster.plugins.module_utils._model.mtu_config import MtuWish, StackPlan

Host = Callable[[str, Union[str, bytes]], str]
DAEMON = "/etc/docker/daemon.json"
OPTION = "com.docker.network.driver.mtu"
WISH = MtuWish(underlay_mtu=1460, pod_mtu=1400, container_mtu=1450, docker_version=(20, 10))
UNIT = "/lib/systemd/system/docker.service"


def after(planned: StackPlan) -> Any:
    assert len(planned.changes) == 1, planned.reason
    change = planned.changes[0]
    assert change.after is not None
    return json.loads(change.after.text)


@pytest.mark.parametrize("text", ["{", "[]", "5", '{"mtu": NaN}', '{"mtu": 1} x', "// ours\n{}"])
def test_a_daemon_json_that_is_none_is_refused(host: Host, text: str) -> None:
    with pytest.raises(Blocked, match=r"daemon\.json .*correct it"):
        plan_docker_mtu(host(DAEMON, text), WISH)


@pytest.mark.parametrize("text", ["", " \n"])
def test_an_empty_daemon_json_is_one_without_settings(host: Host, text: str) -> None:
    assert after(plan_docker_mtu(host(DAEMON, text), WISH)) == {"mtu": 1450}


@pytest.mark.parametrize("value", ['"1450"', "1450.0", "null", "1500", "[1]", "true"])
def test_another_value_is_replaced(host: Host, value: str) -> None:
    assert after(plan_docker_mtu(host(DAEMON, f'{{"mtu": {value}}}'), WISH)) == {"mtu": 1450}


@pytest.mark.parametrize("defaults", ["5", '"x"', "[]", '{"bridge": 5}', '{"bridge": [1]}'])
def test_defaults_that_are_no_objects_are_refused(host: Host, defaults: str) -> None:
    root = host(DAEMON, f'{{"default-network-opts": {defaults}}}')
    with pytest.raises(Blocked, match="is no object"):
        plan_docker_mtu(root, replace(WISH, docker_version=(24, 0)))


@pytest.mark.parametrize(
    ("path", "text", "said"),
    [
        ("/etc/default/docker", '# --mtu=1\nDOCKER_OPTS="--mtu 1500"\n', "/etc/default/docker line 2"),
        (UNIT, "[Service]\nExecStart=/usr/sbin/dockerd --mtu=1500\n", f"{UNIT} line 2"),
        (
            "/etc/systemd/system/docker.service.d/override.conf",
            "[Service]\nExecStart=\nExecStart=/usr/sbin/dockerd \\\n -H fd:// \\\n --mtu=1500\n",
            "override.conf line 5",
        ),
    ],
)
def test_dockerd_with_another_mtu_option_would_not_start(host: Host, path: str, text: str, said: str) -> None:
    with pytest.raises(Blocked, match=said):
        plan_docker_mtu(host(path, text), WISH)


OPTIONS = "/etc/default/docker"
CE = "[Service]\nExecStart=/usr/bin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock\n"
DEBIAN = f"[Service]\nEnvironmentFile=-{OPTIONS}\nExecStart=/usr/sbin/dockerd -H fd:// $DOCKER_OPTS\n"
DROP_IN = "/etc/systemd/system/docker.service.d/options.conf"


@pytest.mark.parametrize(
    ("files", "counts"),
    [
        ({}, True),
        ({UNIT: CE}, False),
        ({"/usr/lib/systemd/system/docker.service": CE}, False),
        ({UNIT: DEBIAN}, True),
        ({UNIT: DEBIAN.replace("$DOCKER_OPTS", "${DOCKER_OPTS}")}, True),
        ({UNIT: DEBIAN.replace("$DOCKER_OPTS", "$DOCKER_OPTS_2")}, False),
        ({UNIT: DEBIAN.replace(f"-{OPTIONS}", "/etc/default/other")}, False),
        ({UNIT: DEBIAN, "/etc/systemd/system/docker.service": CE}, False),
        ({UNIT: CE, DROP_IN: DEBIAN.replace("ExecStart=", "ExecStart=\nExecStart=")}, True),
        ({UNIT: CE, DROP_IN: f"[Service]\nEnvironmentFile={OPTIONS}\n"}, False),
        ({UNIT: DEBIAN, DROP_IN: "[Service]\nEnvironmentFile=\n"}, False),
        ({UNIT: CE, DROP_IN.replace("/etc/", "/usr/lib/"): DEBIAN}, True),
    ],
)
def test_a_file_of_options_counts_where_the_unit_reads_it(host: Host, files: Dict[str, str], counts: bool) -> None:
    root = host(OPTIONS, 'DOCKER_OPTS="--mtu=1500"\n')
    for path, text in files.items():
        host(path, text)
    if counts:
        with pytest.raises(Blocked, match=f"{OPTIONS} line 1"):
            plan_docker_mtu(root, WISH)
    else:
        assert after(plan_docker_mtu(root, WISH)) == {"mtu": 1450}


def test_the_right_mtu_option_is_left_and_the_file_too(host: Host) -> None:
    root = host("/etc/default/docker", 'DOCKER_OPTS="--mtu 1450"\n')
    planned = plan_docker_mtu(root, WISH)
    assert planned.changes == ()
    assert [(knob.before, knob.after) for knob in planned.knobs] == [(1450, 1450)]
    host(DAEMON, '{"mtu": 1450}')
    with pytest.raises(Blocked, match="with both it does not start"):
        plan_docker_mtu(root, WISH)


def test_options_that_stand_against_the_file_are_refused(host: Host) -> None:
    root = host(UNIT, f"ExecStart=/usr/bin/dockerd --default-network-opt=bridge={OPTION}=1400\n")
    assert after(plan_docker_mtu(root, WISH)) == {"mtu": 1450}
    with pytest.raises(Blocked, match="--default-network-opt and would not start"):
        plan_docker_mtu(root, replace(WISH, docker_version=(28, 1)))
    host(UNIT, "ExecStart=/usr/bin/dockerd --config-file /srv/docker.json\n")
    with pytest.raises(Blocked, match=r"does not read /etc/docker/daemon\.json"):
        plan_docker_mtu(root, WISH)


@pytest.mark.parametrize(
    ("version", "defaults", "said"),
    [
        (None, False, "not known"),
        ((20, 10), False, "20.10 has no default-network-opts"),
        ((23, 0), False, "23.0 has no"),
        ((24, 0), True, None),
        ((28, 2), True, None),
    ],
)
def test_defaults_are_for_releases_that_know_them(host: Host, version: Any, defaults: bool, said: Any) -> None:
    planned = plan_docker_mtu(host(DAEMON, "{}"), replace(WISH, docker_version=version))
    assert ("default-network-opts" in after(planned)) == defaults
    assert said is None or said in planned.reason


def test_overlay_networks_get_the_underlay_and_only_where_it_is_given(host: Host) -> None:
    root = host(DAEMON, "{}")
    known = replace(WISH, docker_version=(24, 0))
    assert after(plan_docker_mtu(root, known))["default-network-opts"]["overlay"] == {OPTION: "1460"}
    without = replace(known, underlay_mtu=None)
    assert set(after(plan_docker_mtu(root, without))["default-network-opts"]) == {"bridge"}
    host("/var/lib/docker/swarm/docker-state.json", "{}")
    assert "underlay_mtu is not given" in plan_docker_mtu(root, without).reason
    assert f"--opt {OPTION}=1460 ingress" in plan_docker_mtu(root, known).snippets["swarm overlay networks"]


@pytest.mark.parametrize(("live", "word"), [("true", "lets containers run"), ("false", "stops all containers")])
def test_it_says_what_a_restart_does_to_containers(host: Host, live: str, word: str) -> None:
    planned = plan_docker_mtu(host(DAEMON, f'{{"live-restore": {live}}}'), WISH)
    assert word in planned.running
    assert planned.restart is not None and planned.restart.command == "systemctl restart docker"


def test_without_a_default_bridge_it_says_so(host: Host) -> None:
    assert "bridge is none" in plan_docker_mtu(host(DAEMON, '{"bridge": "none"}'), WISH).reason


def test_recorded_networks_that_keep_another_mtu_are_told_with_what_to_do(recorded: Callable[[str], str]) -> None:
    planned = plan_docker_mtu(recorded("runtime-mtu/docker-20.10/fresh/before"), WISH)
    # shop has 1450 already and own less; the macvlan network "mac" has its parent's.
    assert [key for key in planned.snippets if key.startswith("network ")] == [
        f"network {name}" for name in ("aux", "docker_gwbridge", "p_default", "plain", "six")
    ]
    assert "aux, docker_gwbridge, p_default, plain, six" in planned.reason
    aux = planned.snippets["network aux"].splitlines()
    assert aux[5] == (
        "docker network create --driver bridge --subnet 10.97.0.0/24 --ip-range 10.97.0.128/25 --gateway 10.97.0.254 "
        f"--aux-address printer=10.97.0.5 --opt com.docker.network.bridge.name=lan-bridge --opt {OPTION}=1450 "
        "--label team=shop aux"
    )
    assert (
        "docker network create --driver bridge --ipv6 --internal --attachable --subnet 172.22.0.0/16 --subnet "
        in (planned.snippets["network six"])
    )
    compose = planned.snippets["network p_default"]
    assert f'networks:\n  default:\n    driver_opts:\n      {OPTION}: "1450"\n' in compose
    assert "project p," in compose


def test_recorded_networks_are_all_there(recorded: Callable[[str], str]) -> None:
    root = recorded("runtime-mtu/docker-20.10/fresh/before")
    found = {one.name: one for one in list_docker_networks(Declarations(root), "/var/lib/docker")}
    assert {name: (one.driver, one.mtu, one.kind) for name, one in found.items()} == {
        "aux": ("bridge", None, NetworkKind.USER),
        "bridge": ("bridge", 1400, NetworkKind.DEFAULT),
        "docker_gwbridge": ("bridge", None, NetworkKind.GATEWAY),
        "host": ("host", None, NetworkKind.DEFAULT),
        "mac": ("macvlan", None, NetworkKind.USER),
        "none": ("null", None, NetworkKind.DEFAULT),
        "own": ("bridge", 1400, NetworkKind.USER),
        "p_default": ("bridge", None, NetworkKind.COMPOSE),
        "plain": ("bridge", None, NetworkKind.USER),
        "shop": ("bridge", 1450, NetworkKind.USER),
        "six": ("bridge", None, NetworkKind.USER),
    }
    assert found["mac"].options == {"parent": "eth0"}


@pytest.mark.parametrize(
    ("network", "kind"),
    [
        (DockerNetwork("ingress", "overlay", scope="swarm", ingress=True), NetworkKind.SWARM),
        (DockerNetwork("a", "overlay", scope="local"), NetworkKind.SWARM),
        (DockerNetwork("a", "weave"), NetworkKind.OTHER),
        (DockerNetwork("a", "bridge", config_from="b"), NetworkKind.OTHER),
        (DockerNetwork("a", "bridge", labels={"com.docker.stack.namespace": "s"}), NetworkKind.COMPOSE),
    ],
)
def test_whose_a_network_is(network: DockerNetwork, kind: NetworkKind) -> None:
    assert network.kind is kind


@pytest.mark.parametrize("planner", list(RUNTIME_PLANNERS.values()), ids=[one.value for one in RUNTIME_PLANNERS])
def test_what_is_not_wished_is_refused_with_the_options_name(planner: Any, host: Host) -> None:
    with pytest.raises(Blocked, match=r"(container|pod)_mtu: it is needed"):
        planner(host("/etc/hosts", ""), MtuWish(underlay_mtu=1500))


NETWORKS = "/etc/containers/networks"
NETAVARK = '[network]\nnetwork_backend = "netavark"\n'


def test_podman_takes_the_directory_and_the_names_from_its_configuration(host: Host) -> None:
    text = f'{NETAVARK}network_config_dir = "/srv/networks"\ndefault_network = "lan"\ndefault_subnet = "fd00:9::/64"\n'
    planned = plan_podman_mtu(host("/etc/containers/containers.conf", text), WISH)
    assert [change.path for change in planned.changes] == ["/srv/networks/lan.json"]
    written = after(planned)
    assert written["name"] == "lan" and written["ipv6_enabled"] is True
    assert written["subnets"] == [{"subnet": "fd00:9::/64", "gateway": "fd00:9::1"}]


def test_podman_that_never_ran_goes_by_the_programs_that_are_there(host: Host) -> None:
    root = host("/usr/bin/podman", "")
    assert plan_podman_mtu(root, WISH).changes == ()
    assert "87-podman-bridge.conflist" in plan_podman_mtu(root, WISH).reason
    host("/usr/lib/podman/netavark", "")
    assert [change.path for change in plan_podman_mtu(root, WISH).changes] == [f"{NETWORKS}/podman.json"]


@pytest.mark.parametrize(
    ("path", "text", "said"),
    [
        ("/etc/containers/containers.conf", '[network]\nnetwork_backend = "other"\n', "neither netavark nor cni"),
        ("/etc/containers/containers.conf", f'{NETAVARK}default_subnet = "x"\n', "default_subnet"),
        (f"{NETWORKS}/a.json", "{", "no JSON"),
        (f"{NETWORKS}/a.json", '{"driver": "bridge", "options": [1]}', "is no object"),
    ],
)
def test_podmans_files_that_are_wrong_are_refused(host: Host, path: str, text: str, said: str) -> None:
    root = host("/etc/containers/containers.conf.d/1.conf", NETAVARK if path.endswith("json") else "")
    host(path, text)
    with pytest.raises(Blocked, match=said):
        plan_podman_mtu(root, WISH)


def test_a_podman_network_of_another_driver_is_left_and_told(host: Host) -> None:
    host(f"{NETWORKS}/odd.json", '{"name": "odd", "driver": "plugin"}')
    planned = plan_podman_mtu(host("/etc/containers/containers.conf", NETAVARK), WISH)
    assert [change.path for change in planned.changes] == [f"{NETWORKS}/podman.json"]
    assert "driver plugin is not known" in planned.reason


def test_nerdctl_without_networks_says_when_to_come_again(host: Host) -> None:
    planned = plan_nerdctl_mtu(host("/usr/bin/nerdctl", ""), WISH)
    assert planned.changes == () and "Run again then" in planned.reason


CHAIN = '{"cniVersion": "1.0.0", "name": "a", "plugins": [%s]}'


@pytest.mark.parametrize(
    ("file", "plugins", "said"),
    [
        ("10-a.conflist", '{"type": "calico", "mtu": 0}', "written by Calico or Canal"),
        ("10-a.conflist", '{"type": "flannel"}', "written by flannel"),
        ("10-a.conflist", '{"type": "cilium-cni"}', "written by Cilium"),
        ("00-multus.conf", '{"type": "multus"}', "written by Multus"),
        ("10-canal.conflist", '{"type": "bridge"}', "written by the network add-on"),
        ("10-a.conflist", '{"type": "sriov"}, {"type": "portmap"}', "what mtu means to portmap, sriov is not known"),
        ("10-a.conflist", '{"type": "macvlan", "master": "eth0"}', "whose MTU is 1300"),
    ],
)
def test_configurations_that_are_not_the_administrators_are_refused(
    host: Host, file: str, plugins: str, said: str
) -> None:
    host("/sys/class/net/eth0/mtu", "1300\n")
    root = host(f"/etc/cni/net.d/{file}", CHAIN % plugins)
    with pytest.raises(Blocked, match=said):
        plan_cni_mtu(root, replace(WISH, raising=True))


def test_a_named_configuration_is_taken_and_has_to_be_there(host: Host) -> None:
    root = host("/srv/lan.conflist", CHAIN % '{"type": "ptp"}')
    planned = plan_cni_mtu(root, replace(WISH, cni_file="/srv/lan.conflist", pod_mtu=None))
    assert after(planned)["plugins"] == [{"type": "ptp", "mtu": 1450}]
    with pytest.raises(Blocked, match=r"cni_file: /srv/other\.conflist is not there"):
        plan_cni_mtu(root, replace(WISH, cni_file="/srv/other.conflist"))
    with pytest.raises(Blocked, match="name the file with cni_file"):
        plan_cni_mtu(root, WISH)


# Properties: whatever else is in a file stays, and once is enough.
PLAIN: Any = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
OBJECTS: Any = st.dictionaries(st.text(max_size=6), PLAIN, max_size=4)
SHAPES = st.sampled_from([None, 0, 1, 2, 4, "\t"])


@given(OBJECTS, SHAPES, st.integers(68, 65535))
def test_a_member_is_set_and_no_other_changes(content: Dict[str, Any], shape: Any, mtu: int) -> None:
    text = json.dumps(content, indent=shape)
    for keys in (("mtu",), ("default-network-opts", "bridge", OPTION)):
        once = with_member(text, keys, mtu)
        expected = {**content, **({"mtu": mtu} if len(keys) == 1 else {keys[0]: {keys[1]: {keys[2]: mtu}}})}
        assert json.loads(once) == expected
        assert list(json.loads(once))[: len(content)] == list(content)
        assert with_member(once, keys, mtu) == once


@given(OBJECTS, st.sampled_from([2, 3, 5, "\t"]))
def test_what_is_added_is_indented_as_the_rest_is(content: Dict[str, Any], shape: Any) -> None:
    text = json.dumps({"first": 1, **content}, indent=shape)
    added = with_member(text, ("options", "mtu"), "1450")
    assert added == json.dumps({"first": 1, **content, "options": {"mtu": "1450"}}, indent=shape)


@given(PLAIN)
def test_a_value_in_the_way_is_no_object(value: Any) -> None:
    if isinstance(value, dict):
        return
    with pytest.raises(JsonError, match="is no object"):
        with_member(json.dumps({"a": value}), ("a", "b"), 1)


MAIN = st.fixed_dictionaries({"type": st.sampled_from(["bridge", "ptp", "macvlan", "ipvlan", "vlan", "tap"])})
EXTRA = st.dictionaries(st.sampled_from(["mtu", "ipam", "isGateway", "bridge"]), PLAIN, max_size=3)
OTHER = st.sampled_from([{"type": "portmap"}, {"type": "firewall", "mtu": 7}, {"type": "tuning"}])


@given(st.tuples(MAIN, EXTRA), st.lists(OTHER, max_size=3), SHAPES, st.integers(68, 65535))
def test_a_chain_gets_the_mtu_in_its_main_plugin_only(main: Any, others: Any, shape: Any, mtu: int) -> None:
    first = {**main[0], **main[1]}
    text = json.dumps({"name": "a", "plugins": [first, *others]}, indent=shape)
    once = with_mtu(text, mtu)
    assert json.loads(once) == {"name": "a", "plugins": [{**first, "mtu": mtu}, *others]}
    assert with_mtu(once, mtu) == once


@given(st.integers(68, 65535))
def test_podmans_default_network_is_what_podman_has_in_memory(mtu: int) -> None:
    written = json.loads(default_network("podman", "10.88.0.0/16", mtu))
    shown = Path(__file__).resolve().parent.parent / "data" / "podman-default-network.json"
    recorded = json.loads(shown.read_text())[0]
    assert {**written, "created": None} == {**recorded, "created": None, "options": {"mtu": str(mtu)}}

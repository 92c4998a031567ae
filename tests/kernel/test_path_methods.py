# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which method measures a path, what each can do with and without rights, and that bounds hold."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from contextlib import contextmanager
from typing import Any, Dict, Iterator

import pytest
from network_lab import Lab, run
from path_lab import ADDRESS, build_path, silence
from test_udp_path import TOKEN, responder

from ansible_collections.netfit.cluster.plugins.module_utils._model.path import Method, PathMeasurement, Verdict
from ansible_collections.netfit.cluster.plugins.module_utils._probe.loop import Bounds
from ansible_collections.netfit.cluster.plugins.module_utils._probe.measure import MeasureOptions, measure

PORT = 8080
USUAL = Bounds()
UNPRIVILEGED = 65534
SCRIPT = """
import json, os, sys
sys.path[:0] = {path!r}
from ansible_collections.netfit.cluster.plugins.module_utils._probe.measure import MeasureOptions, measure
from ansible_collections.netfit.cluster.plugins.module_utils._model.fact import as_plain
os.setgroups([]); os.setgid({user}); os.setuid({user})
print(json.dumps(as_plain(measure(MeasureOptions({targets!r}, token={token!r})).paths[0])))
"""


@contextmanager
def listening(lab: Lab, family: int) -> Iterator[None]:
    """Listen at b; the kernel completes handshakes and acknowledges without anybody who accepts."""
    kind = socket.AF_INET if family == 4 else socket.AF_INET6
    with lab.inside("b", lambda: socket.socket(kind)) as listener:
        listener.bind((ADDRESS[family]["b"], PORT))
        listener.listen(64)
        yield


def no_answers(lab: Lab, what: str) -> None:
    """Let b ignore what it gets of a kind."""
    rules = "add table inet deaf; add chain inet deaf i { type filter hook input priority 0; };"
    run("ip", "netns", "exec", lab.name("b"), "nft", rules + f"add rule inet deaf i {what} drop")


def measured(lab: Lab, family: int = 4, bounds: Bounds = USUAL, **target: Any) -> PathMeasurement:
    """Measure from a to b."""
    target = {"address": ADDRESS[family]["b"], "source": {"namespace": lab.path("a")}, "port": PORT, **target}
    return measure(MeasureOptions([target], token=TOKEN.decode(), bounds=bounds)).paths[0]


def without_rights(lab: Lab, family: int, **target: Any) -> Dict[str, Any]:
    """Measure from a to b as a user who may nothing."""
    target = {"address": ADDRESS[family]["b"], **target}
    path = [entry for entry in sys.path if entry]
    script = SCRIPT.format(path=path, user=UNPRIVILEGED, targets=[target], token=TOKEN.decode())
    command = ["ip", "netns", "exec", lab.name("a"), sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    result: Dict[str, Any] = json.loads(done.stdout)
    return result


@pytest.mark.parametrize("family", [4, 6])
def test_auto_takes_the_first_method_that_is_answered(lab: Lab, family: int) -> None:
    build_path(lab)
    with responder(lab) as far, listening(lab, family):
        port = far.stations[0].port
        assert measured(lab, family, responder_port=port).method is Method.UDP
        assert measured(lab, family).method is Method.ICMP
        no_answers(lab, f"udp dport {port}")
        assert measured(lab, family, responder_port=port).method is Method.ICMP
        no_answers(lab, "icmpv6 type echo-request" if family == 6 else "ip protocol icmp")
        if family == 6:
            no_answers(lab, "tcp dport 1")
        last = measured(lab, family, responder_port=port)
    assert (last.method, last.verdict, last.forward.path_mtu) == (Method.TCP, Verdict.OK, 1500)
    assert (last.back.verdict, last.back.reason) == (Verdict.UNKNOWN, "TCP measures the way there only")


@pytest.mark.parametrize("family", [4, 6])
def test_a_port_that_offers_less_than_the_path_is_no_black_hole(lab: Lab, family: int) -> None:
    build_path(lab, far=1400)
    with listening(lab, family):
        found = measured(lab, family, method="tcp")
    assert (found.verdict, found.forward.path_mtu) == (Verdict.UNKNOWN, None)
    assert found.forward.at_least >= 1400
    assert "advertised MSS" in str(found.reason)


@pytest.mark.parametrize("bounds", [Bounds(path_packets=30), Bounds(packets=30), Bounds(path_octets=20000)])
@pytest.mark.parametrize("method", ["icmp", "udp", "tcp"])
def test_bounds_are_never_exceeded(lab: Lab, method: str, bounds: Bounds) -> None:
    build_path(lab, forward=1400, back=1390)
    silence(lab, "r1", "r2")
    with responder(lab) as far, listening(lab, 4):
        found = measured(lab, bounds=bounds, method=method, responder_port=far.stations[0].port)
    assert found.packets_sent <= min(bounds.path_packets, bounds.packets)
    assert found.bytes_sent <= bounds.path_octets
    assert found.forward.verdict is Verdict.UNKNOWN
    assert "the limit of" in str(found.forward.reason)


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("method", ["auto", "icmp", "tcp"])
def test_without_the_right_the_reason_names_it(lab: Lab, family: int, method: str) -> None:
    build_path(lab)
    found = without_rights(lab, family, method=method, port=PORT)
    assert found["verdict"] == found["forward"]["verdict"] == found["back"]["verdict"] == "unknown"
    assert "CAP_NET_RAW" in found["reason"]
    assert "become: true" in found["reason"]


@pytest.mark.parametrize("talking", [True, False], ids=["icmp", "silent"])
@pytest.mark.parametrize("family", [4, 6])
def test_udp_without_rights_measures_and_claims_no_silence_that_it_cannot_hear(
    lab: Lab, family: int, talking: bool
) -> None:
    build_path(lab, forward=1400)
    if not talking:
        silence(lab, "r1", "r2")
    with responder(lab) as far:
        found = without_rights(lab, family, method="udp", responder_port=far.stations[0].port)
    forward = found["forward"]
    assert (forward["path_mtu"], found["back"]["verdict"]) == (1400, "ok")
    assert forward["icmp_observable"] is (family == 4)
    if family == 4:
        assert forward["verdict"] == ("reduced, ICMP works" if talking else "black hole")
    else:
        assert forward["verdict"] == "unknown"
        assert "CAP_NET_RAW" in forward["reason"]

# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A setting that says what holds without it is not written, unless its stack was asked for by name."""

from __future__ import annotations

from dataclasses import replace
from typing import Optional

import pytest

from ansible_collections.netfit.cluster.plugins.module_utils._change import new_pods_mtu
from ansible_collections.netfit.cluster.plugins.module_utils._change.new_pods_mtu import needless
from ansible_collections.netfit.cluster.plugins.module_utils._model.declared import MtuMeaning
from ansible_collections.netfit.cluster.plugins.module_utils._model.file_change import FileChange, FileText, Restart
from ansible_collections.netfit.cluster.plugins.module_utils._model.mtu_config import Knob, Stack, StackPlan

PLAN = StackPlan(
    Stack.DOCKER,
    knobs=(Knob("/etc/docker/daemon.json mtu", MtuMeaning.INTERFACE, None, 1500),),
    changes=(FileChange("/etc/docker/daemon.json", None, FileText("{}")),),
    restart=Restart("docker.service", "systemctl restart docker"),
)


def test_what_docker_does_anyhow_is_not_written() -> None:
    plan = needless(PLAN)
    assert (plan.changes, plan.restart, plan.knobs[0].after) == ((), None, None)
    assert plan.reason == "nothing has to be set: without a setting new containers get 1500"


@pytest.mark.parametrize(("before", "after"), [(None, 1450), (None, 9001), (1400, 1500), (1500, 1500)])
def test_what_differs_or_was_set_by_somebody_is_written(before: Optional[int], after: int) -> None:
    plan = replace(PLAN, knobs=(replace(PLAN.knobs[0], before=before, after=after),))
    assert needless(plan) == plan


@pytest.mark.parametrize(("uplink", "written"), [(1500, False), (9001, True), (None, True)])
def test_podman_may_follow_the_uplink(uplink: Optional[int], written: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(new_pods_mtu, "default_link_mtu", lambda: uplink)
    assert bool(needless(replace(PLAN, stack=Stack.PODMAN)).changes) is written


def test_networks_of_pods_are_always_written() -> None:
    plan = replace(PLAN, stack=Stack.RKE2)
    assert needless(plan) == plan

# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A job that can't run says why, by the names of what is missing."""

from __future__ import annotations

import os
from dataclasses import replace

import packages
import pytest
from runner import __main__ as runner
from runner.jobs import MAIN, Job

JOB = Job("lab", "lab", MAIN, (("true",),), timeout_seconds=1, needs_root=True, packages=("sh", "no-such-package"))


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Be an ordinary user where there is no dpkg."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    for module in (packages, runner):
        monkeypatch.setattr(module, "on_debian", lambda: False)


def test_the_reason_names_root_and_every_missing_package() -> None:
    outcome = runner.see_to_packages([JOB])["lab"]
    assert outcome.counts == "0 passed, 0 failed, 1 skipped"
    assert outcome.skip_reasons == (
        "lab: needs root; missing packages (by their names on Debian and Ubuntu): no-such-package",
    )


def test_what_needs_nothing_is_not_hindered() -> None:
    assert runner.see_to_packages([replace(JOB, needs_root=False, packages=())]) == {}


def test_a_failed_installation_fails_the_jobs_that_need_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def install(names: list) -> None:
        raise runner.StepFailed(f"no archive has {names[0]}")

    monkeypatch.setattr(runner, "may_install", lambda: True)
    monkeypatch.setattr(runner, "install_packages", install)
    outcomes = runner.see_to_packages([JOB, replace(JOB, name="other", packages=("sh",))])
    assert list(outcomes) == ["lab"]
    assert outcomes["lab"].output == "no archive has no-such-package"

# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The runner does every job once, two at a time, and keeps apart what excludes each other."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Dict, List, Set

import pytest
from runner.jobs import JOBS, MAIN, Job
from runner.schedule import run_all

PLAIN = Job("plain", "unit", MAIN, (("true",),), timeout_seconds=1)
SECONDS = 10


def test_two_run_at_once_and_exclusive_ones_one_after_the_other() -> None:
    jobs = [replace(PLAIN, name=f"lab-{number}", one_at_a_time="lab") for number in range(3)]
    jobs += [replace(PLAIN, name=f"plain-{number}") for number in range(3)]
    together = threading.Barrier(2)
    running: Set[str] = set()
    seen: List[Set[str]] = []
    guard = threading.Lock()

    def do(job: Job) -> None:
        with guard:
            running.add(job.name)
            seen.append(set(running))
        together.wait(SECONDS)
        with guard:
            running.discard(job.name)
        together.wait(SECONDS)

    run_all(jobs, do)
    assert {name for names in seen for name in names} == {job.name for job in jobs}
    assert max(len(names) for names in seen) == 2
    assert not [names for names in seen if len([name for name in names if name.startswith("lab")]) > 1]


def test_a_breakdown_ends_the_run_and_is_raised() -> None:
    done: Dict[str, int] = {}

    def do(job: Job) -> None:
        done[job.name] = done.get(job.name, 0) + 1
        raise RuntimeError(job.name)

    jobs = [replace(PLAIN, name=f"job-{number}") for number in range(9)]
    with pytest.raises(RuntimeError, match="job-"):
        run_all(jobs, do)
    assert 1 <= len(done) <= 2
    assert set(done.values()) == {1}


def test_names_of_jobs_are_their_own() -> None:
    names = [job.name for job in JOBS]
    assert sorted(set(names)) == sorted(names)

# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""make test: choose the jobs, see to what they need, run them, and say what came of it."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
import time
from typing import Dict, List, Sequence

from packages import install_packages, may_install, missing_packages, on_debian
from steps import StepFailed, fail, say

from runner.jobs import JOBS, Job
from runner.outcome import Outcome, failed, skipped, total
from runner.schedule import run_all
from runner.work import Workshop

ALL = "all"
"""The word for every job there is."""


def main(arguments: Sequence[str]) -> int:
    """Run the jobs. The last line says the counts; returns 0 when nothing failed."""
    try:
        jobs = choose(arguments)
    except StepFailed as error:
        return fail(error)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        outcomes = Progress(jobs, see_to_packages(jobs)).run()
    except KeyboardInterrupt:
        return fail(StepFailed("interrupted; what was running has been ended"))
    for outcome in outcomes:
        for reason in outcome.skip_reasons:
            print(f"skipped: {reason}")
    if not arguments:
        left = [job.name for job in JOBS if job.seldom]
        print(f"not run without ALL=1 (tests/run {ALL}): {', '.join(left)}")
    result = total(outcomes)
    print(result.counts, flush=True)
    return 1 if result.failed else 0


def choose(names: Sequence[str]) -> List[Job]:
    """Return the jobs that the command line names, by kind or name; without any those of each "make test".

    Raises StepFailed on an unknown word.
    """
    known = sorted({ALL} | {job.kind for job in JOBS} | {job.name for job in JOBS})
    parser = argparse.ArgumentParser(prog="tests/run", description="Runs the tests and checks of the project.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of: {' '.join(known)}")
    wanted = parser.parse_args(names).names
    for name in wanted:
        if name not in known:
            raise StepFailed(f"no test or check is called {name}; there are: {' '.join(known)}")
    if not wanted:
        return [job for job in JOBS if not job.seldom]
    return [job for job in JOBS if {ALL, job.kind, job.name} & set(wanted)]


def see_to_packages(jobs: Sequence[Job]) -> Dict[str, Outcome]:
    """Install what is missing where that is possible. Return {name of a job: its outcome} for those that can't run."""
    wanted = {name for job in jobs for name in job.packages}
    if not may_install():
        return {job.name: skipped(reason) for job in jobs for reason in [hindrance(job)] if reason}
    missing = missing_packages(wanted)
    try:
        if missing:
            install_packages(missing)
    except StepFailed as error:
        return {job.name: failed(str(error)) for job in jobs if set(job.packages) & set(missing)}
    return {}


def hindrance(job: Job) -> str:
    """Say why a job can't run where nothing can be installed; "" when it can."""
    reasons = ["needs root"] if job.needs_root and os.geteuid() != 0 else []
    missing = missing_packages(job.packages)
    if missing:
        where = "" if on_debian() else " (by their names on Debian and Ubuntu)"
        reasons.append(f"missing packages{where}: {' '.join(missing)}")
    return f"{job.name}: {'; '.join(reasons)}" if reasons else ""


class Progress:
    """Runs jobs and prints a line when one begins and when it ends."""

    def __init__(self, jobs: Sequence[Job], hindrances: Dict[str, Outcome]) -> None:
        self._jobs = jobs
        self._hindrances = hindrances
        self._workshop = Workshop()
        self._outcomes: Dict[str, Outcome] = {}
        self._printing = threading.Lock()

    def run(self) -> List[Outcome]:
        """Run all jobs and return their outcomes in the jobs' order. An interrupt ends what is running."""
        try:
            run_all(self._jobs, self._do)
        except BaseException:
            self._workshop.stop()
            raise
        return [self._outcomes[job.name] for job in self._jobs]

    def _do(self, job: Job) -> None:
        if job.name in self._hindrances:
            self._ended(job, self._hindrances[job.name], 0.0)
            return
        say(f"begins {job.name}")
        begun = time.monotonic()
        outcome = self._workshop.do(job)
        self._ended(job, outcome, time.monotonic() - begun)

    def _ended(self, job: Job, outcome: Outcome, seconds: float) -> None:
        with self._printing:
            self._outcomes[job.name] = outcome
            say(f"[{len(self._outcomes)}/{len(self._jobs)}] {job.name}: {outcome.counts} ({seconds:.0f} s)")
            if outcome.failed:
                print(outcome.output, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

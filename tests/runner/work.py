# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running one job: its environment, its copy of the collection, its commands, its outcome."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
from pathlib import Path
from typing import BinaryIO, Dict, List, Tuple

from environments import ensure_environment
from interpreters import first_interpreter
from steps import ROOT, StepFailed, run_quietly

from runner.jobs import Environment, Job
from runner.outcome import Outcome, failed, read_junit, skipped

SCRATCH = ROOT / "build" / "test"
KEPT = ROOT / "build" / "kept"
TAIL_LINES = 60


class Workshop:
    """Runs jobs in threads, and can stop all that it started."""

    def __init__(self) -> None:
        self._locks: Dict[str, threading.Lock] = {}
        self._guard = threading.Lock()
        self._running: List[subprocess.Popen[bytes]] = []
        self._stopped = False

    def do(self, job: Job) -> Outcome:
        """Run a job to its end. Never raises: a preparation that fails is a job that failed."""
        interpreter = first_interpreter(job.environment.versions)
        if interpreter is None:
            return skipped(f"{job.name}: this machine has no Python {' or '.join(job.environment.versions)}")
        try:
            python = self._environment(job.environment, interpreter)
            places = _places(job, python)
            directory = _copy(Path(places["scratch"])) if job.copied else ROOT
            succeeded, output = self._commands(job, places, directory)
        except (StepFailed, OSError) as error:
            return failed(str(error))
        if any("{junit}" in argument for command in job.commands for argument in command):
            return read_junit(Path(places["junit"]), succeeded, output)
        return Outcome(passed=1) if succeeded else failed(output)

    def stop(self) -> None:
        """End every process group that is running, and start no other."""
        with self._guard:
            self._stopped = True
            for process in self._running:
                _end(process)

    def _environment(self, environment: Environment, interpreter: str) -> Path:
        with self._guard:
            lock = self._locks.setdefault(environment.name, threading.Lock())
        with lock:
            path = ROOT / ".venv-test" / environment.name
            return ensure_environment(path, interpreter, [ROOT / "tests" / environment.requirements])

    def _commands(self, job: Job, places: Dict[str, str], directory: Path) -> Tuple[bool, str]:
        """Run the commands until one fails. Return whether all succeeded, and the end of the output."""
        log = Path(places["scratch"]) / "output.txt"
        variables = {**os.environ, "PATH": f"{places['commands']}:{os.environ['PATH']}", "NO_COLOR": "1"}
        variables.pop("PYTHONPATH", None)
        variables.update({name: value.format(**places) for name, value in (job.variables or {}).items()})
        with log.open("wb") as stream:
            for command in job.commands:
                arguments = [argument.format(**places) for argument in command]
                problem = self._command(arguments, directory, variables, stream, job.timeout_seconds)
                if problem:
                    stream.flush()
                    return False, f"{_tail(log)}\n{problem}: {' '.join(arguments)}"
        return True, _tail(log)

    def _command(
        self, arguments: List[str], directory: Path, variables: Dict[str, str], stream: BinaryIO, timeout: int
    ) -> str:
        """Run a command in a process group of its own. Return what went wrong, in words, or ""."""
        with self._guard:
            if self._stopped:
                return "not started"
            process = subprocess.Popen(
                arguments,
                cwd=directory,
                env=variables,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            self._running.append(process)
        try:
            status = process.wait(timeout)
        except subprocess.TimeoutExpired:
            _end(process)
            return f"still running after {timeout} seconds"
        finally:
            with self._guard:
                self._running.remove(process)
        return f"exit status {status}" if status else ""


def _places(job: Job, python: Path) -> Dict[str, str]:
    """Make the job's folders and return what the words in its arguments stand for."""
    scratch = SCRATCH / job.name
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    kept = KEPT / job.name
    kept.mkdir(parents=True, exist_ok=True)
    return {
        "root": str(ROOT),
        "python": str(python),
        "commands": str(python.parent),
        "scratch": str(scratch),
        "kept": str(kept),
        "junit": str(scratch / "junit.xml"),
    }


def _copy(scratch: Path) -> Path:
    """Copy the project's files, without what git ignores, to the path that ansible's tools want. Returns it.

    The copy is a repository of its own: ansible-test looks for one upwards from where it runs, and in the checkout's,
    which ignores build/, it would find nothing to test.
    """
    copy = scratch / "ansible_collections" / "netfit" / "cluster"
    for name in _project_files(scratch / "listing"):
        target = copy / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target, follow_symlinks=False)
    run_quietly(["git", "init", "--quiet", str(copy)])
    run_quietly(["git", "-C", str(copy), "add", "--all", "--force"])
    return copy


def _project_files(repository: Path) -> List[str]:
    """Return the files of the checkout that git doesn't ignore, relative to it.

    repository: where an empty one is made for this; so it works in an unpacked archive and for another user as well.
    """
    run_quietly(["git", "init", "--quiet", "--bare", str(repository)])
    git = ["git", f"--git-dir={repository}", f"--work-tree={ROOT}"]
    listing = run_quietly([*git, "ls-files", "--others", "--exclude-standard", "-z"])
    return [name for name in listing.split("\0") if name and not name.endswith("/")]


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask a process group to end, then make it."""
    for request in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, request)
            process.wait(20)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-TAIL_LINES:])

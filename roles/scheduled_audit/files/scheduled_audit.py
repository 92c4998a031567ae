# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Audits, keeps the report, and tells what has drifted since the last good one. Installed by the role scheduled_audit.

    NAME run      audit now, as the timer does
    NAME accept   the latest report is the good state from now on: what is in it is known, and nothing of it is drift

The directory of the settings has history/report-TIME.json and its other formats, links to the latest of each format
(latest.json), last-good.json, and told.json: of which drift on_drift has been run.

Exit status: 0 nothing new, 1 no report could be made or kept, 2 drift, 4 something could not be audited and nothing
else is new, 75 another run is under way.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Iterator, Mapping, Optional, Sequence, Tuple

from history import RunFailed, keep, point, prune, read_json, write_at_once
from judgement import ERROR, NOTICE, WARNING, Judgement, Outcome, judge, told_lines


@dataclass(frozen=True)
class Settings:
    """What the role writes. name: of the audit. command: it without its variables. keep: how many reports. megabytes:
    of all."""

    name: str
    directory: Path
    working_directory: Path
    command: Tuple[str, ...]
    variables: Mapping[str, Any]
    environment: Mapping[str, str]
    formats: Tuple[str, ...]
    fail_on: str
    keep: int
    megabytes: int
    textfile: Optional[Path]
    on_drift: Tuple[str, ...]
    on_drift_timeout: int

    @property
    def last_good(self) -> Path:
        return self.directory / "last-good.json"

    @property
    def work(self) -> Path:
        return self.directory / "work"


def read_settings(path: Path) -> Settings:
    """Read the file that the role wrote. Raises RunFailed."""
    content = read_json(path)
    return Settings(
        name=content["name"],
        directory=Path(content["directory"]),
        working_directory=Path(content["working_directory"]),
        command=tuple(content["command"]),
        variables=content["variables"],
        environment=content["environment"],
        formats=tuple(content["formats"]),
        fail_on=content["fail_on"],
        keep=content["keep"],
        megabytes=content["megabytes"],
        textfile=Path(content["textfile"]) if content["textfile"] else None,
        on_drift=tuple(content["on_drift"]),
        on_drift_timeout=content["on_drift_timeout"],
    )


def tell(priority: int, text: str) -> None:
    """Print a line; the journal gets its priority, a terminal doesn't."""
    print(f"<{priority}>{text}" if "JOURNAL_STREAM" in os.environ else text, flush=True)


@contextlib.contextmanager
def locked(directory: Path) -> Iterator[bool]:
    """Hold the directory's lock; False where another run has it. It ends with the process, however that ends."""
    directory.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield True
    except BlockingIOError:
        yield False
    finally:
        os.close(descriptor)


def audit(settings: Settings) -> Dict[str, Any]:
    """Run the audit and return its report, which is in settings.work then. Raises RunFailed."""
    shutil.rmtree(settings.work, ignore_errors=True)
    settings.work.mkdir(parents=True)
    variables = {"netfit_audit_name": settings.name, **settings.variables}
    variables.update(netfit_report_dir=str(settings.work), netfit_fail_on="none")
    variables["netfit_formats"] = sorted({*settings.formats, *(["prometheus"] if settings.textfile else [])}) or [
        "json"
    ]
    if settings.last_good.exists():
        variables["netfit_baseline"] = str(settings.last_good)
    elif settings.last_good.is_symlink():
        raise RunFailed(f"{settings.last_good} leads to a report that is gone: say what is good with 'accept'")
    command = [*settings.command, "--extra-vars", json.dumps(variables)]
    environment = {**os.environ, **settings.environment}
    try:
        status = subprocess.run(
            command, cwd=settings.working_directory, env=environment, stdin=subprocess.DEVNULL, check=False
        ).returncode
    except OSError as error:
        raise RunFailed(f"the audit could not be started ({' '.join(settings.command)}): {error}") from error
    report = settings.work / "report.json"
    if not report.exists():
        raise RunFailed(f"the audit ended with status {status} and without a report: what it printed above says why")
    return read_json(report)


def run_on_drift(settings: Settings, judgement: Judgement, path: Path, lines: Sequence[str]) -> None:
    """Run the user's command, unless it was run for all of this drift already. The text is its standard input."""
    told = settings.directory / "told.json"
    drifted = {f"{one['fingerprint']} {one['severity']}" for one in judgement.drifted}
    if not settings.on_drift or (told.exists() and drifted <= set(read_json(told).get("drift", ()))):
        return
    extra = {"REPORT": path, "LAST_GOOD": settings.last_good.resolve(), "DRIFT_COUNT": len(drifted)}
    environment = {**os.environ, **{f"NETFIT_{name}": str(value) for name, value in extra.items()}}
    try:
        subprocess.run(
            settings.on_drift,
            cwd=settings.working_directory,
            env=environment,
            input="".join(f"{line}\n" for line in lines),
            text=True,
            timeout=settings.on_drift_timeout,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        tell(ERROR, f"on_drift failed, and is run again after the next audit: {error}")
        return
    write_at_once(told, json.dumps({"drift": sorted(drifted)}))


def run(settings: Settings) -> Outcome:
    """Audit, keep, judge, tell. Raises RunFailed."""
    last_good = read_json(settings.last_good) if settings.last_good.exists() else None
    report = audit(settings)
    path = keep(settings.work, settings.directory, report["generated_at"])
    prometheus = settings.directory / "latest.prom"
    if settings.textfile is not None and prometheus.exists():
        write_at_once(settings.textfile, prometheus.read_text(encoding="utf-8"))
    judgement = judge(report, last_good, settings.fail_on)
    lines = told_lines(judgement, (last_good or {}).get("generated_at"), str(path))
    for priority, text in lines:
        tell(priority, text)
    if judgement.outcome is Outcome.DRIFT:
        run_on_drift(settings, judgement, path, [text for _priority, text in lines])
    elif judgement.outcome is Outcome.GOOD:
        make_good(settings, path)
    prune(settings.directory, settings.keep, settings.megabytes * 1_000_000)
    return judgement.outcome


def make_good(settings: Settings, path: Path) -> None:
    """From now on this report is the last good one."""
    point(settings.last_good, path)
    with contextlib.suppress(FileNotFoundError):
        (settings.directory / "told.json").unlink()


def accept(settings: Settings) -> Outcome:
    """Make the latest report the last good one. Raises RunFailed."""
    latest = settings.directory / "latest.json"
    report = read_json(latest)
    make_good(settings, latest.resolve())
    failures = sum(one["status"] == "fail" for one in report["findings"])
    tell(NOTICE, f"Good from now on: the report of {report['generated_at']} with {failures} failures")
    return Outcome.GOOD


def main(arguments: Sequence[str]) -> int:
    """Run or accept. Returns the exit status."""
    parser = argparse.ArgumentParser(description="Audits on a schedule; see the role netfit.cluster.scheduled_audit.")
    parser.add_argument("action", choices=["run", "accept"])
    parser.add_argument("--settings", type=Path, required=True, help="the file that the role wrote")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        settings = read_settings(options.settings)
        with locked(settings.directory) as mine:
            if not mine:
                tell(WARNING, f"Another run is under way in {settings.directory}: nothing was done")
                return Outcome.BUSY
            return {"run": run, "accept": accept}[options.action](settings)
    except RunFailed as error:
        tell(ERROR, f"No audit: {error}")
    except OSError as error:
        tell(ERROR, f"No audit, or not kept: {error}")
    return Outcome.FAILED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program of the role scheduled_audit, as a process, with an audit that writes what the test has prepared."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

import pytest
from history import superfluous
from hypothesis import given
from hypothesis import strategies as st
from judgement import judge, sentence

PROGRAM = Path(__file__).resolve().parents[3] / "roles" / "scheduled_audit" / "files" / "scheduled_audit.py"
AUDIT = """
import json, pathlib, sys
variables = json.loads(sys.argv[sys.argv.index("--extra-vars") + 1])
here = pathlib.Path.cwd()
(here / "asked.json").write_text(json.dumps(variables))
work = pathlib.Path(variables["netfit_report_dir"])
report = here / "next.json"
if not report.exists():
    sys.exit("nothing to write")
document = json.loads(report.read_text())
if "netfit_baseline" in variables:
    before = json.loads(pathlib.Path(variables["netfit_baseline"]).read_text())["findings"]
    then = {one["fingerprint"]: one for one in before}
    ranks = ["info", "low", "medium", "high", "critical"]
    for one in document["findings"]:
        if one["status"] == "fail":
            old = then.get(one["fingerprint"])
            worse = old and ranks.index(one["severity"]) > ranks.index(old["severity"])
            one["baseline"] = "worse" if worse else "known" if old else "new"
(work / "report.json").write_text(json.dumps(document))
for name in variables["netfit_formats"]:
    (work / ("report." + {"prometheus": "prom"}.get(name, name))).write_text(name) if name != "json" else None
"""
ON_DRIFT = """
import os, pathlib, sys
with open("mail", "a") as file:
    file.write(os.environ["NETFIT_DRIFT_COUNT"] + " " + os.environ["NETFIT_REPORT"] + "\\n" + sys.stdin.read())
sys.exit(1 if pathlib.Path("broken").exists() else 0)
"""
MOMENTS = [f"2026-11-{day:02}T03:00:00Z" for day in range(1, 30)]


def finding(number: int, severity: str = "high", status: str = "fail", **target: Any) -> Dict[str, Any]:
    place = {"host": "n1", "scope": "host", "owner": None, "link": None, "key": None, "listener": None, "path": None}
    return {
        "id": "MTU-001",
        "title": "MTU is too large",
        "observed": "1500",
        "severity": severity,
        "status": status,
        "fingerprint": f"{number:064}",
        "target": {**place, "peer": None, **target},
    }


def report(
    *findings: Dict[str, Any], missing: Optional[str] = None, audited: Sequence[str] = ("n1",)
) -> Dict[str, Any]:
    hosts: Dict[str, Any] = {name: {"status": "audited", "reason": None} for name in audited}
    if missing:
        hosts[missing] = {"status": "unreachable", "reason": "no route"}
    return {"hosts": hosts, "findings": list(findings)}


class Installed:
    """The program with its settings in a directory of its own."""

    def __init__(self, directory: Path) -> None:
        self.directory, self.number = directory, 0
        self.state = directory / "netfit-audit"
        self.settings: Dict[str, Any] = {
            "name": "netfit-audit",
            "directory": str(self.state),
            "working_directory": str(directory),
            "command": [sys.executable, "-c", AUDIT],
            "variables": {"netfit_probe": "none"},
            "environment": {},
            "formats": [],
            "fail_on": "low",
            "keep": 30,
            "megabytes": 10,
            "textfile": "",
            "on_drift": [sys.executable, "-c", ON_DRIFT],
            "on_drift_timeout": 30,
        }

    def call(self, action: str) -> subprocess.CompletedProcess[str]:
        file = self.directory / "settings.json"
        file.write_text(json.dumps(self.settings), encoding="utf-8")
        environment = {name: value for name, value in os.environ.items() if name != "JOURNAL_STREAM"}
        return subprocess.run(
            [sys.executable, str(PROGRAM), action, "--settings", str(file)],
            capture_output=True,
            text=True,
            timeout=60,
            env=environment,
            check=False,
        )

    def run(
        self, *findings: Dict[str, Any], missing: Optional[str] = None, audited: Sequence[str] = ("n1",)
    ) -> subprocess.CompletedProcess[str]:
        content = {**report(*findings, missing=missing, audited=audited), "generated_at": MOMENTS[self.number]}
        self.number += 1
        (self.directory / "next.json").write_text(json.dumps(content), encoding="utf-8")
        return self.call("run")

    @property
    def last_good(self) -> str:
        return os.path.basename(os.readlink(self.state / "last-good.json"))

    def kept(self) -> List[str]:
        return sorted(path.name for path in (self.state / "history").iterdir())

    def mail(self) -> List[str]:
        file = self.directory / "mail"
        return file.read_text(encoding="utf-8").splitlines() if file.exists() else []


@pytest.fixture
def installed(tmp_path: Path) -> Installed:
    return Installed(tmp_path)


def test_the_first_report_is_the_good_one_whatever_is_in_it(installed: Installed) -> None:
    done = installed.run(finding(1), finding(2, "low"))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "First report: 2 failures are in it, and are known from now on\n"
    assert installed.last_good == "report-20261101T030000Z.json"
    asked = json.loads((installed.directory / "asked.json").read_text(encoding="utf-8"))
    assert asked == {
        "netfit_probe": "none",
        "netfit_audit_name": "netfit-audit",
        "netfit_report_dir": str(installed.state / "work"),
        "netfit_fail_on": "none",
        "netfit_formats": ["json"],
    }


def test_drift_is_told_once_to_the_command_and_always_to_the_journal_until_it_is_gone(installed: Installed) -> None:
    installed.run(finding(1))
    for _again in range(2):
        done = installed.run(finding(1), finding(2, link="eth0"))
        assert done.returncode == 2
        assert "Drift: 1 finding is new since the last good state of 2026-11-01T03:00:00Z." in done.stdout
        assert "New: MTU-001 (high) on n1, link eth0: MTU is too large (1500)" in done.stdout
    assert installed.last_good == "report-20261101T030000Z.json"
    assert [line for line in installed.mail() if line[0].isdigit()] == [
        f"1 {installed.state}/history/report-20261102T030000Z.json"
    ]
    assert "New: MTU-001 (high) on n1, link eth0: MTU is too large (1500)" in installed.mail()
    installed.run(finding(1), finding(2), finding(3))
    assert installed.mail()[-4].startswith("2 ")
    done = installed.run(finding(1))
    assert (done.returncode, installed.last_good) == (0, "report-20261105T030000Z.json")
    installed.run(finding(1), finding(2))
    assert sum(line[0].isdigit() for line in installed.mail()) == 3


def test_what_was_mended_is_drift_when_it_comes_back(installed: Installed) -> None:
    installed.run(finding(1), finding(2))
    assert "1 failures are known, 1 of the last good state are gone" in installed.run(finding(1)).stdout
    assert installed.run(finding(1), finding(2)).returncode == 2


def test_a_known_finding_that_becomes_more_severe_is_drift(installed: Installed) -> None:
    installed.run(finding(1, "low"))
    done = installed.run(finding(1, "critical"))
    assert done.returncode == 2 and "MTU-001 (critical, more severe than before) on n1" in done.stdout


def test_what_is_new_below_the_severity_asked_for_is_no_drift(installed: Installed) -> None:
    installed.settings["fail_on"] = "high"
    installed.run()
    assert installed.run(finding(1, "medium")).returncode == 0
    assert installed.run(finding(1, "high")).returncode == 2


def test_a_host_that_was_not_audited_keeps_the_last_good_state_where_it_is(installed: Installed) -> None:
    done = installed.run(missing="n2")
    assert done.returncode == 4 and not (installed.state / "last-good.json").is_symlink()
    assert "n2 could not be audited (unreachable): no route" in done.stdout and "accept" in done.stdout
    installed.run(finding(1))
    assert installed.run(missing="n2").returncode == 4
    assert installed.last_good == "report-20261102T030000Z.json"
    assert installed.run(finding(2), missing="n2").returncode == 2


def test_a_host_that_the_report_lacks_keeps_the_last_good_state_until_a_person_accepts(installed: Installed) -> None:
    both, known = ("n1", "n2"), finding(2, host="n2")
    installed.run(finding(1), known, audited=both)
    done = installed.run(finding(1))
    assert (done.returncode, installed.last_good) == (4, "report-20261101T030000Z.json")
    assert "n2 is in the last good state, but missing from this report" in done.stdout
    assert "'accept' makes the latest report the good one, also where hosts were removed for good" in done.stdout
    done = installed.run(finding(1), known, audited=both)
    assert (done.returncode, installed.last_good) == (0, "report-20261103T030000Z.json"), "what n2 had is known still"
    assert installed.run(finding(1), finding(3)).returncode == 2
    installed.run(finding(1))
    assert installed.call("accept").returncode == 0
    assert installed.run(finding(1)).returncode == 0


def test_many_missing_hosts_are_counted(installed: Installed) -> None:
    installed.run(audited=[f"n{number}" for number in range(1, 31)])
    lines = installed.run().stdout.splitlines()
    assert sum("missing from this report" in line for line in lines) == 20
    assert "Not seen: 9 more" in lines


def test_something_that_can_no_more_be_checked_does_not_become_good(installed: Installed) -> None:
    installed.run(finding(1))
    done = installed.run(finding(9, status="error"))
    assert done.returncode == 4 and "Could not be checked: MTU-001" in done.stdout
    assert installed.call("accept").returncode == 0
    assert installed.run(finding(9, status="error")).returncode == 0


def test_accept_makes_the_latest_the_good_one(installed: Installed) -> None:
    installed.run()
    installed.run(finding(1))
    done = installed.call("accept")
    assert done.stdout == "Good from now on: the report of 2026-11-02T03:00:00Z with 1 failures\n"
    assert installed.run(finding(1)).returncode == 0
    assert not (installed.state / "told.json").exists()


def test_a_command_that_fails_is_run_again_and_the_run_ends_as_it_would(installed: Installed) -> None:
    (installed.directory / "broken").touch()
    installed.run()
    done = installed.run(finding(1))
    assert done.returncode == 2 and "on_drift failed, and is run again" in done.stdout
    (installed.directory / "broken").unlink()
    installed.run(finding(1))
    installed.run(finding(1))
    assert sum(line[0].isdigit() for line in installed.mail()) == 2


def test_history_is_pruned_but_the_last_good_report_stays_with_all_its_formats(installed: Installed) -> None:
    installed.settings.update(keep=3, formats=["html"], textfile=str(installed.directory / "netfit.prom"))
    installed.run()
    for _again in range(5):
        installed.run(finding(1))
    days = sorted({name.split("T")[0][-2:] for name in installed.kept()})
    assert days == ["01", "05", "06"] and len(installed.kept()) == 9
    latest = installed.state / "latest.html"
    assert (
        os.readlink(latest) == "history/report-20261106T030000Z.html" and latest.read_text(encoding="utf-8") == "html"
    )
    textfile = installed.directory / "netfit.prom"
    assert (textfile.read_text(encoding="utf-8"), textfile.stat().st_mode & 0o777) == ("prometheus", 0o644)
    installed.settings.update(keep=1, formats=[], textfile="")
    installed.run(finding(1))
    assert sorted(path.name for path in installed.state.glob("latest.*")) == ["latest.json"]


def test_an_audit_without_a_report_keeps_all_as_it_was(installed: Installed) -> None:
    installed.run()
    (installed.directory / "next.json").unlink()
    done = installed.call("run")
    assert done.returncode == 1 and "the audit ended with status 1 and without a report" in done.stdout
    assert installed.kept() == ["report-20261101T030000Z.json"]
    installed.settings["command"] = ["/nowhere/ansible-playbook"]
    assert "could not be started (/nowhere/ansible-playbook" in installed.call("run").stdout


def test_a_last_good_report_that_is_gone_or_damaged_is_not_forgiven(installed: Installed) -> None:
    installed.run()
    kept = installed.state / "history" / installed.last_good
    kept.write_text("{", encoding="utf-8")
    assert installed.run(finding(1)).returncode == 1
    kept.unlink()
    done = installed.run(finding(1))
    assert done.returncode == 1 and "leads to a report that is gone: say what is good with 'accept'" in done.stdout


def test_two_do_not_run_at_once(installed: Installed) -> None:
    installed.state.mkdir()
    with open(installed.state / "lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = installed.run()
        assert done.returncode == 75 and "Another run is under way" in done.stdout
    assert installed.run().returncode == 0


def test_the_journal_gets_priorities(installed: Installed, monkeypatch: pytest.MonkeyPatch) -> None:
    installed.run()
    (installed.directory / "next.json").write_text(
        json.dumps({**report(finding(1)), "generated_at": MOMENTS[9]}), encoding="utf-8"
    )
    file = installed.directory / "settings.json"
    done = subprocess.run(
        [sys.executable, str(PROGRAM), "run", "--settings", str(file)],
        env={**os.environ, "JOURNAL_STREAM": "8:1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert all(line.startswith("<3>") for line in done.stdout.splitlines()) and done.stdout


def test_a_sentence_names_the_place_and_stays_one_line() -> None:
    where = {"scope": "pod", "owner": {"kind": "pod", "name": "prod/gateway"}, "listener": "tcp *:80"}
    one = {**finding(1, **where, peer="n3"), "observed": "a\nb  c"}
    assert sentence(one) == (
        "MTU-001 (high) on n1, pod prod/gateway, listener tcp *:80, towards n3: MTU is too large (a b c)"
    )


def test_waived_findings_are_no_drift() -> None:
    judged = judge(report(finding(1, status="waived")), report(), "low")
    assert (judged.drifted, judged.unseen, judged.open) == ((), (), 0)


def test_what_is_waived_or_only_info_now_is_not_gone() -> None:
    before = report(finding(1), finding(2), finding(3, status="waived"), finding(4, "info"), finding(5))
    now = report(finding(1, status="waived"), finding(2, "info"))
    judged = judge(now, before, "low")
    assert (judged.open, judged.gone) == (0, 2)


def test_the_findings_of_a_pod_that_was_made_anew_are_not_gone() -> None:
    """They have other fingerprints, and the baseline knows them."""
    now = report({**finding(3), "baseline": "known"}, {**finding(4), "baseline": "new"})
    judged = judge(now, report(finding(1), finding(2)), "low")
    assert ([one["fingerprint"][-1] for one in judged.drifted], judged.gone) == (["4"], 1)


SIZES = st.dictionaries(st.from_regex(r"report-[0-9]{4}", fullmatch=True), st.integers(0, 1000), max_size=12)


@given(SIZES, st.data(), st.integers(1, 6), st.integers(0, 3000))
def test_pruning_removes_the_oldest_no_more_than_needed_and_never_what_is_spared(
    sizes: Dict[str, int], data: Any, keep: int, limit: int
) -> None:
    spared = data.draw(st.sets(st.sampled_from(sorted(sizes)))) if sizes else set()
    going = superfluous(sizes, spared, keep, limit)
    left = {stem: size for stem, size in sizes.items() if stem not in going}
    assert not spared & set(going)
    fits = len(left) <= keep and sum(left.values()) <= limit
    assert fits or set(left) == spared
    if going:
        with_last = {**left, going[-1]: sizes[going[-1]]}
        assert len(with_last) > keep or sum(with_last.values()) > limit
        assert all(stem > going[-1] for stem in left if stem not in spared)

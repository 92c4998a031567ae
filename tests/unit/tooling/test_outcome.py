# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the runner counts."""

from __future__ import annotations

from pathlib import Path

from runner.outcome import Outcome, read_junit, total

RESULTS = """<?xml version="1.0" encoding="utf-8"?>
<testsuites><testsuite>
  <testcase classname="tests.unit.test_link" name="test_a"/>
  <testcase classname="tests.unit.test_link" name="test_b"><failure message="1 != 2">text</failure></testcase>
  <testcase classname="tests.unit.test_link" name="test_c"><error message="no fixture">text</error></testcase>
  <testcase classname="tests.unit.test_link" name="test_d"><skipped message="needs root">text</skipped></testcase>
  <testcase classname="tests.unit.test_link" name="test_e"/>
</testsuite></testsuites>
"""
PASSED = '<testsuites><testsuite><testcase classname="a" name="b"/></testsuite></testsuites>'


def test_results_are_counted_and_a_skip_names_its_reason(tmp_path: Path) -> None:
    path = tmp_path / "junit.xml"
    path.write_text(RESULTS, encoding="utf-8")
    outcome = read_junit(path, succeeded=False, output="the end")
    assert outcome.counts == "2 passed, 2 failed, 1 skipped"
    assert outcome.skip_reasons == ("tests.unit.test_link.test_d: needs root",)
    assert outcome.output == "the end"


def test_pytest_without_results_failed(tmp_path: Path) -> None:
    outcome = read_junit(tmp_path / "junit.xml", succeeded=False, output="file or directory not found")
    assert outcome.counts == "0 passed, 1 failed, 0 skipped"
    assert outcome.output == "file or directory not found"


def test_a_bad_exit_status_fails_also_where_every_test_passed(tmp_path: Path) -> None:
    path = tmp_path / "junit.xml"
    path.write_text(PASSED, encoding="utf-8")
    assert read_junit(path, succeeded=True, output="").counts == "1 passed, 0 failed, 0 skipped"
    assert read_junit(path, succeeded=False, output="").counts == "1 passed, 1 failed, 0 skipped"


def test_counts_add_up() -> None:
    assert total([Outcome(passed=2, failed=1), Outcome(passed=3, skipped=4)]).counts == "5 passed, 1 failed, 4 skipped"
    assert total([]).counts == "0 passed, 0 failed, 0 skipped"

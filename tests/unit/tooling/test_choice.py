# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which jobs the words of a command line choose."""

from __future__ import annotations

from typing import List, Sequence

import pytest
from runner import __main__ as runner
from runner.jobs import JOBS


def names(words: Sequence[str]) -> List[str]:
    return [job.name for job in runner.choose(words)]


def test_without_words_it_is_those_of_each_change() -> None:
    chosen = names([])
    assert {"unit", "playbook", "kernel", "lab", "ruff", "unit-python3.8", "unit-python3.13"} <= set(chosen)
    assert not {"lab-changes", "playbook-ansible-2.21", "unit-python3.10"} & set(chosen)


def test_all_is_every_job() -> None:
    assert names(["all"]) == [job.name for job in JOBS]


def test_a_kind_has_its_seldom_jobs_too() -> None:
    assert names(["lab"]) == ["lab", "lab-changes", "lab-fleets"]


def test_names_and_kinds_keep_the_jobs_order() -> None:
    assert names(["unit-python3.9", "lab"]) == ["lab", "lab-changes", "lab-fleets", "unit-python3.9"]


def test_an_unknown_word_names_the_known_ones() -> None:
    with pytest.raises(runner.StepFailed, match=r"is called laboratory; there are: all .*unit"):
        runner.choose(["laboratory"])

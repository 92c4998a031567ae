# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was changed stands in the journal before it happened, and can be undone, also after an accident."""

from __future__ import annotations

import json
import os
import resource as limits
import signal
import tempfile
from pathlib import Path
from typing import Any, Dict, List, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up import Shelf

from ansible_collections.netfit.cluster.plugins.module_utils._change.atomic_file import unfinished, write_whole
from ansible_collections.netfit.cluster.plugins.module_utils._change.journal import (
    Change,
    JournalFile,
    check_run_name,
    new_run_name,
    read_runs,
)
from ansible_collections.netfit.cluster.plugins.module_utils._change.resource import ChangeError
from ansible_collections.netfit.cluster.plugins.module_utils._change.session import HostLock, Session
from ansible_collections.netfit.cluster.plugins.module_utils._change.undo import (
    choose_run,
    original_values,
    plan_undo,
    undo,
)


class Host:
    """A directory for the journal, and a shelf of things."""

    def __init__(self, directory: Path, **values: Any) -> None:
        self.directory = str(directory / "journal")
        self.lock = str(directory / "lock")
        self.shelf = Shelf(**values)
        self.resources = {"thing": self.shelf}

    def session(self, run: str) -> Session:
        """Open a session."""
        return Session(run, "test", self.resources, self.directory, self.lock)

    def set(self, run: str, *changes: Tuple[str, Any]) -> None:
        """Change things in a session."""
        with self.session(run) as session:
            for name, value in changes:
                session.change("thing", {"name": name}, self.shelf.values.get(name), value)

    def undo(self, run: str = "", force: bool = False) -> List[str]:
        """Undo a run as the module does; returns what stood in the way."""
        chosen = choose_run(run, self.directory)
        assert chosen is not None
        steps = plan_undo(chosen, self.resources)
        conflicts = [step.conflict for step in steps if step.conflict]
        if not conflicts or force:
            undo(chosen, steps, self.resources, self.directory)
        return [conflict for conflict in conflicts if conflict]


@pytest.fixture
def host(tmp_path: Path) -> Host:
    """Three things."""
    return Host(tmp_path, a=1, b=2, c=3)


def test_what_a_run_changed_is_undone_in_reverse_and_only_once(host: Host) -> None:
    host.set("one", ("a", 10), ("b", 20), ("a", 11))
    assert host.shelf.values == {"a": 11, "b": 20, "c": 3}
    host.shelf.written.clear()
    assert host.undo() == []
    assert host.shelf.written == [("a", 1), ("b", 2)]
    assert host.undo() == []
    assert host.shelf.written == [("a", 1), ("b", 2)]


def test_the_last_run_stays_the_last_one_after_it_was_undone(host: Host) -> None:
    host.set("one", ("a", 10))
    host.set("two", ("b", 20))
    host.undo()
    host.undo()
    assert host.shelf.values == {"a": 10, "b": 2, "c": 3}
    host.undo("one")
    assert host.shelf.values == {"a": 1, "b": 2, "c": 3}


def test_a_run_that_changed_nothing_is_not_in_the_journal(host: Host) -> None:
    host.set("one", ("a", 10))
    host.set("two")
    assert [run.name for run in read_runs(host.directory)] == ["one"]


def test_what_somebody_has_changed_since_is_left_alone_with_all_the_rest(host: Host) -> None:
    host.set("one", ("a", 10), ("b", 20))
    host.shelf.values["a"] = 99
    (said,) = host.undo()
    assert said == "a is 99, and this run had made it 10 from 1: somebody has changed it since"
    assert host.shelf.values == {"a": 99, "b": 20, "c": 3}
    host.undo(force=True)
    assert host.shelf.values == {"a": 1, "b": 2, "c": 3}


def test_an_older_run_is_refused_where_a_newer_one_went_on_from_it(host: Host) -> None:
    host.set("one", ("a", 10))
    host.set("two", ("a", 20))
    assert len(host.undo("one")) == 1
    host.undo("two")
    assert host.undo("one") == [] and host.shelf.values["a"] == 1


def test_what_is_gone_needs_no_undoing(host: Host) -> None:
    host.set("one", ("a", 10), ("b", 20))
    host.shelf.gone.add("a")
    assert host.undo() == []
    assert host.shelf.values == {"a": 10, "b": 2, "c": 3}
    assert choose_run("", host.directory).standing == []


def test_a_failure_takes_back_what_the_session_has_done(host: Host) -> None:
    host.shelf.refused = 30
    with pytest.raises(ChangeError, match="c does not take 30"):
        host.set("one", ("a", 10), ("b", 20), ("c", 30))
    assert host.shelf.values == {"a": 1, "b": 2, "c": 3}
    assert host.undo() == [] and host.shelf.values == {"a": 1, "b": 2, "c": 3}


def test_a_named_run_that_is_not_there_is_an_error_that_names_those_that_are(host: Host) -> None:
    host.set("one", ("a", 10))
    with pytest.raises(ChangeError, match=r"run two is not in this host's journal .*: one"):
        host.undo("two")
    assert choose_run("", str(host.directory) + "-none") is None


def test_a_kind_that_is_not_known_is_refused_before_anything_is_undone(host: Host) -> None:
    host.set("one", ("a", 10))
    with pytest.raises(ChangeError, match="has changed a thing, which this version"):
        plan_undo(choose_run("one", host.directory), {})


@pytest.mark.parametrize("bad", ["", "../x", "a/b", ".hidden", "x" * 65, "a b", "ä"])
def test_a_run_has_a_name_that_is_a_file_s_name(bad: str) -> None:
    with pytest.raises(ValueError, match="run is"):
        check_run_name(bad)
    assert check_run_name(new_run_name())


def test_first_and_last_value_over_several_runs(host: Host) -> None:
    host.set("one", ("a", 10))
    host.set("two", ("a", 20), ("b", 5))
    assert original_values("thing", host.resources, host.directory) == {"a": (1, 20), "b": (2, 5)}
    host.undo("two")
    assert original_values("thing", host.resources, host.directory) == {"a": (1, 10)}


# Accidents


@given(st.integers(min_value=1, max_value=400), st.booleans())
def test_a_journal_that_was_cut_anywhere_counts_up_to_its_last_whole_line(cut: int, again: bool) -> None:
    with tempfile.TemporaryDirectory() as directory:
        host = Host(Path(directory), a=1, b=2)
        host.set("one", ("a", 10), ("b", 20))
        path = Path(host.directory, "one.jsonl")
        content = path.read_bytes()
        path.write_bytes(content[: max(0, len(content) - cut)])
        entries = [entry for run in read_runs(host.directory) for entry in run.entries]
        assert [entry.change.after for entry in entries] == [10, 20][: len(entries)]
        if again:
            host.set("one", ("b", 30))
            (run,) = read_runs(host.directory)
            assert [entry.change.after for entry in run.entries] == [*[10, 20][: len(entries)], 30]
            assert len({entry.number for entry in run.entries}) == len(run.entries)


def test_a_damaged_journal_is_said_to_be_and_not_guessed_at(host: Host) -> None:
    host.set("one", ("a", 10))
    path = Path(host.directory, "one.jsonl")
    path.write_text(path.read_text().replace('"number"', "number", 1))
    with pytest.raises(ChangeError, match=r"one\.jsonl is damaged .*; move it away"):
        read_runs(host.directory)


def test_a_newer_version_s_journal_is_not_guessed_at(host: Host) -> None:
    host.set("one", ("a", 10))
    path = Path(host.directory, "one.jsonl")
    path.write_text(path.read_text().replace('"schema": 1', '"schema": 2', 1))
    with pytest.raises(ChangeError, match="a newer version of netfit has written it"):
        read_runs(host.directory)


def test_nothing_is_changed_where_the_journal_cannot_be_written(host: Host) -> None:
    soft, hard = limits.getrlimit(limits.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    host.set("one", ("a", 10))
    size = Path(host.directory, "one.jsonl").stat().st_size
    try:
        limits.setrlimit(limits.RLIMIT_FSIZE, (size + 40, hard))
        with pytest.raises(ChangeError, match="cannot be written: File too large; without it nothing is changed"):
            host.set("one", ("b", 20))
    finally:
        limits.setrlimit(limits.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, ignored)
    assert host.shelf.values == {"a": 10, "b": 2, "c": 3}
    assert Path(host.directory, "one.jsonl").stat().st_size == size
    host.set("one", ("b", 20))
    assert [entry.change.after for entry in read_runs(host.directory)[0].entries] == [10, 20]


def test_the_intent_is_on_the_disk_before_the_change(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    host.set("one", ("b", 20))
    events: List[str] = []
    real_fsync, real_write = os.fsync, host.shelf.write
    monkeypatch.setattr(os, "fsync", lambda descriptor: (events.append("fsync"), real_fsync(descriptor))[1])
    monkeypatch.setattr(host.shelf, "write", lambda *given: (events.append("write"), real_write(*given))[1])
    host.set("one", ("a", 10))
    assert events == ["fsync", "write"]


class Killed(BaseException):
    """The process ends here."""


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 5)), min_size=1, max_size=8),
    st.integers(min_value=0, max_value=8),
    st.booleans(),
)
def test_a_run_that_was_killed_anywhere_is_undone_to_where_it_began(
    changes: List[Tuple[str, int]], survives: int, before: bool
) -> None:
    """The process ends at the n-th write, before or after it has happened; all was written down at once."""
    with tempfile.TemporaryDirectory() as directory:
        host = Host(Path(directory), a=1, b=2, c=3)
        began = dict(host.shelf.values)
        now: Dict[str, Any] = dict(began)
        wanted = []
        for name, value in changes:
            wanted.append(Change("thing", {"name": name}, now[name], value))
            now[name] = value
        journal = JournalFile("one", host.directory)
        journal.record("test", wanted)
        journal.close()
        for place, change in enumerate(wanted):
            if place == survives and before:
                break
            host.shelf.write(change.target, change.after)
            if place == survives:
                break
        assert host.undo() == []
        assert host.shelf.values == began


def test_an_undo_that_was_killed_is_finished_by_the_next_one(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    host.set("one", ("a", 10), ("b", 20), ("c", 30))
    real = JournalFile.record_undone

    def killed(*_given: object) -> None:
        raise Killed

    monkeypatch.setattr(JournalFile, "record_undone", killed)
    with pytest.raises(Killed):
        host.undo()
    assert host.shelf.values == {"a": 10, "b": 20, "c": 3}
    monkeypatch.setattr(JournalFile, "record_undone", real)
    assert host.undo() == []
    assert host.shelf.values == {"a": 1, "b": 2, "c": 3}


def test_one_at_a_time(host: Host) -> None:
    holder = HostLock(host.lock)
    with pytest.raises(ChangeError, match="another run changes this host"):
        HostLock(host.lock, seconds=0.1)
    holder.release()
    HostLock(host.lock, seconds=0.1).release()


def test_the_journal_is_for_root_alone(host: Host) -> None:
    host.set("one", ("a", 10))
    path = Path(host.directory, "one.jsonl")
    assert path.stat().st_mode & 0o077 == 0 and Path(host.directory).stat().st_mode & 0o077 == 0
    assert [sorted(json.loads(line)) for line in path.read_text().splitlines()] == [
        ["begun", "order", "run", "schema"],
        ["after", "before", "kind", "module", "moment", "number", "target"],
    ]


def test_a_drop_in_is_never_seen_unfinished_in_its_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = tmp_path / "crio.conf.d"
    directory.mkdir()
    seen: List[List[str]] = []
    real = os.rename
    monkeypatch.setattr(os, "rename", lambda *given: (seen.append(os.listdir(directory)), real(*given))[1])
    write_whole(str(directory / "90-x.conf"), "whole")
    assert seen == [[]] and os.listdir(directory) == ["90-x.conf"] and os.listdir(tmp_path) == ["crio.conf.d"]
    (tmp_path / "plain").mkdir()
    assert unfinished(str(tmp_path / "plain" / "x")) == str(tmp_path / "plain" / ".x.netfit")

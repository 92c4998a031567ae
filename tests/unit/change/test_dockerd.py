# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What dockerd says of itself and of a configuration, by a program that stands in for releases that Debian lacks."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Optional, Tuple

import pytest

from ansible_collections.netfit.cluster.plugins.module_utils._change.dockerd import (
    dockerd_version,
    parse_dockerd_version,
    validated,
)
from ansible_collections.netfit.cluster.plugins.module_utils._model.file_change import FileChange, FileText
from ansible_collections.netfit.cluster.plugins.module_utils._model.mtu_config import Stack, StackPlan

DAEMON = "/etc/docker/daemon.json"
PLAN = StackPlan(Stack.DOCKER, changes=(FileChange(DAEMON, None, FileText('{"mtu": 1450}\n')),), reason="as it was")
# Complains as dockerd 23 and newer do where the text holds "bad".
PROGRAM = """#!/bin/sh
[ "$1" = --version ] && echo "Docker version 28.1.1, build 4eba377" && exit 0
[ "$1 $2" = "--validate --config-file" ] || exit 3
grep -q bad "$3" && echo "unable to configure the Docker daemon with file $3: bad" >&2 && exit 1
echo "configuration OK"
"""


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A dockerd first on the path."""
    path = tmp_path / "dockerd"
    path.write_text(PROGRAM)
    path.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    return path


@pytest.mark.parametrize(
    ("text", "version"),
    [
        # Debian 12, as it prints it; then upstream and RHEL's.
        ("Docker version 20.10.24+dfsg1, build 5d6db84\n", (20, 10)),
        ("Docker version 28.1.1, build 4eba377\n", (28, 1)),
        ("Docker version 1.13.1, build 7d71120/1.13.1\n", (1, 13)),
        ("dockerd: no such file", None),
        ("", None),
    ],
)
def test_the_release_is_in_what_it_prints(text: str, version: Optional[Tuple[int, int]]) -> None:
    assert parse_dockerd_version(text) == version


def test_the_program_is_asked(program: Path) -> None:
    assert dockerd_version() == (28, 1)
    program.write_text("#!/bin/sh\nexit 1\n")
    assert dockerd_version() is None


def test_a_configuration_that_dockerd_takes_stays_as_planned(program: Path) -> None:
    assert validated(PLAN, (28, 1)) is PLAN


def test_a_configuration_that_dockerd_refuses_is_not_written(program: Path) -> None:
    plan = StackPlan(Stack.DOCKER, changes=(FileChange(DAEMON, None, FileText('{"bad": 1}')),))
    refused = validated(plan, (28, 1))
    assert refused.blocked and refused.changes == ()
    assert refused.reason == (
        f"dockerd would not start with {DAEMON} as it would be: dockerd: unable to configure the Docker daemon with "
        f"file {DAEMON}: bad"
    )


@pytest.mark.parametrize("version", [None, (20, 10)])
def test_releases_that_cannot_tell_are_not_asked(program: Path, version: Any) -> None:
    program.write_text("#!/bin/sh\nexit 1\n")
    assert validated(PLAN, version) is PLAN


def test_without_a_change_there_is_nothing_to_ask(program: Path) -> None:
    program.write_text("#!/bin/sh\nexit 1\n")
    assert not validated(StackPlan(Stack.DOCKER), (28, 1)).blocked

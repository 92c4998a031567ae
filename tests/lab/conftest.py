# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's own package, and labs to test with; without root and the lab's tools the real ones are skipped."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

LAB = Path(__file__).resolve().parents[2] / "molecule" / "lab" / "lab"
sys.path.insert(0, str(LAB.parent))

LabCommand = Callable[..., "subprocess.CompletedProcess[str]"]


def run_lab(*arguments: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
    """Run the command line; the result has its exit status and output."""
    command = [sys.executable, str(LAB), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL)


@pytest.fixture(scope="session")
def real() -> None:
    """What every test on real hosts needs."""
    from netfit_lab import errors, requirements, topology

    document = {"segments": {"lan": {"addresses": "10.44.0.0/24"}}, "hosts": {"one": None}}
    try:
        requirements.check(topology.parse("needs", document))
    except errors.MissingRequirement as error:
        pytest.skip(str(error))


@pytest.fixture
def lab(real: None) -> LabCommand:
    """The command line."""
    return run_lab


@pytest.fixture(scope="module")
def pair(real: None) -> Iterator[str]:
    """A running lab of the topology `pair`; its name."""
    name = f"nf-test-pair-{os.getpid()}"
    started = run_lab("up", "pair", "--name", name)
    try:
        assert started.returncode == 0, started.stderr
        yield name
    finally:
        stopped = run_lab("down", name)
    assert stopped.returncode == 0, stopped.stderr

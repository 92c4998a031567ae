# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the lab's package importable; without root and the lab's tools the tests on real hosts are skipped."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "molecule" / "lab"))

os.environ["ANSIBLE_PIPELINING"] = "1"
"""A quarter less work for two cores. The scenarios of molecule do without, as Ansible does by default."""


@pytest.fixture(scope="session")
def real() -> None:
    """What every test on real hosts needs."""
    from netfit_lab import errors, requirements, topology

    document = {"segments": {"lan": {"addresses": "10.44.0.0/24"}}, "hosts": {"one": None}}
    try:
        requirements.check(topology.parse("needs", document))
    except errors.MissingRequirement as error:
        pytest.skip(str(error))

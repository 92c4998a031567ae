# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A private host for all tests of this folder, as new for each."""

from __future__ import annotations

from typing import Iterator

import pytest
from private_host import BEGIN, PrivateHost


@pytest.fixture(scope="session")
def private_host() -> Iterator[PrivateHost]:
    """One process for the whole run."""
    with PrivateHost() as host:
        yield host


@pytest.fixture
def host(private_host: PrivateHost) -> PrivateHost:
    """The same, with the values of BEGIN and without files and journals."""
    private_host.reset()
    assert private_host.sysctl(**BEGIN) == BEGIN
    return private_host

# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors, named by who must act."""

from __future__ import annotations


class LabError(Exception):
    """Base of all errors whose message is meant for the person at the terminal."""


class BadTopology(LabError):
    """The topology says something that cannot be built; its author must act."""


class MissingRequirement(LabError):
    """A tool, a right or a kernel feature is missing on this machine."""


class NoSuchThing(LabError):
    """No lab, host or topology of that name."""


class HostFailed(LabError):
    """A host did not come up, or is not running."""


class CommandFailed(LabError):
    """A command that the lab itself needed to succeed did not."""

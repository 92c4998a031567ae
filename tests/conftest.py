# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every test relies on: the collection can be imported from the checkout, and folders say what a test needs."""

from __future__ import annotations

import ast
import importlib.util
import os
import sys
from contextlib import suppress
from fnmatch import fnmatch
from pathlib import Path
from typing import Iterator, List, Optional

import hypothesis
import pytest

ROOT = Path(__file__).resolve().parent.parent
COLLECTION = "ansible_collections.netfit.cluster"
TARGET_SIDE = f"{COLLECTION}.plugins.module_utils"
NEEDS = {
    "kernel": ("root", "kernel"),
    "change": ("root", "kernel"),
    "paths": ("root", "kernel"),
    "lab": ("root", "lab"),
}
"""Folder below tests/ -> marks of the tests in it."""

hypothesis.settings.register_profile("netfit", deadline=None)
hypothesis.settings.register_profile("continuous", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.load_profile("continuous" if os.environ.get("CI") else "netfit")


def collections_root() -> Path:
    """Return the folder whose ansible_collections/netfit/cluster is this checkout: its own, or one with a link."""
    if ROOT.parts[-3:] == ("ansible_collections", "netfit", "cluster"):
        return ROOT.parents[2]
    root = ROOT / "build" / "import"
    link = root / "ansible_collections" / "netfit" / "cluster"
    link.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        link.symlink_to(Path("..", "..", "..", ".."))
    return root


def make_importable(root: Path) -> None:
    """Let this process, and those that tests start, import and run the collection from the checkout."""
    sys.path.insert(0, str(root))
    inherited = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(root), inherited]))
    os.environ["ANSIBLE_COLLECTIONS_PATH"] = str(root)


make_importable(collections_root())


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --side."""
    parser.addoption(
        "--side",
        choices=("targets", "controller"),
        help="only test files about module_utils whose imports this Python has, for Pythons of targets; or the rest",
    )


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> Optional[bool]:
    """Leave out what is about the other side, where one is asked for."""
    side = config.getoption("--side")
    if not side or not fnmatch(collection_path.name, "test_*.py"):
        return None
    return None if is_target_side(collection_path) == (side == "targets") else True


def is_target_side(path: Path) -> bool:
    """Tell whether a test file is about module_utils alone and every top-level module it imports is at hand."""
    names = list(imported_modules(path))
    ours = [name for name in names if name.split(".")[0] == "ansible_collections"]
    others = {name.split(".")[0] for name in names} - {"ansible_collections"}
    beside = {entry.stem for entry in path.parent.iterdir()}
    if not ours or any(name != TARGET_SIDE and not name.startswith(TARGET_SIDE + ".") for name in ours):
        return False
    return all(name in beside or importlib.util.find_spec(name) is not None for name in others)


def imported_modules(path: Path) -> Iterator[str]:
    """Yield the absolute names of the modules that a file imports, wherever in it the import stands."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module


def pytest_collection_modifyitems(items: List[pytest.Item]) -> None:
    """Mark tests by their folder, and skip what needs root where we are not."""
    for item in items:
        folder = item.path.relative_to(Path(__file__).parent).parts[0]
        for mark in NEEDS.get(folder, ()):
            item.add_marker(mark)
        if item.get_closest_marker("root") and os.geteuid() != 0:
            item.add_marker(pytest.mark.skip(reason="needs root"))

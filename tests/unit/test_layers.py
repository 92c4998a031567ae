# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of rooms in docs/architecture.md holds: imports point the way that it says, and no other."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path
from typing import Dict, Iterator, List, Optional, Set

import pytest

ROOT = Path(__file__).resolve().parents[2]
PLUGINS = ROOT / "plugins"
COLLECTION = "ansible_collections.netfit.cluster."
ROW = re.compile(r"^\| (?P<rooms>`plugins/[^|]*) \|[^|]*\| (?P<may_import>[^|]*) \|$", re.MULTILINE)
QUOTED = re.compile(r"`([^`]+)`")


def read_table(text: str) -> Dict[str, Set[str]]:
    """Turn the table into {room: rooms that it may import}, rooms as paths like "plugins/modules"."""
    table: Dict[str, Set[str]] = {}
    for row in ROW.finditer(text):
        rooms = [name.rstrip("/") for name in QUOTED.findall(row["rooms"])]
        above = set(table)
        if row["may_import"].strip() == "all of the above":
            allowed = above
        else:
            named = QUOTED.findall(row["may_import"])
            allowed = {room for room in above for name in named if f"/{name}" in f"/{room}"}
            assert allowed or row["may_import"].strip() == "nothing", row[0]
        table.update({room: allowed for room in rooms})
    return table


TABLE = read_table((ROOT / "docs" / "architecture.md").read_text(encoding="utf-8"))
FILES = sorted(PLUGINS.rglob("*.py"))


def room_of(name: str) -> Optional[str]:
    """Return the room that a path below the root is in, None for one that the table doesn't list."""
    return next((room for room in TABLE if f"{name}/".startswith(f"{room}/")), None)


def imports(path: Path) -> Iterator[ast.AST]:
    """Yield every import statement of a file, also those inside functions."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield node


def imported_names(path: Path, root: Path = ROOT) -> List[str]:
    """Return what a file imports with each name in full: "os.path", or "plugins/module_utils/_model/link/Link"."""
    found = []
    for node in imports(path):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            prefix = f"{node.module}." if node.module else ""
            if node.level:
                here = path.relative_to(root).parents[node.level - 1].as_posix()
                prefix = f"{COLLECTION}{here.replace('/', '.')}.{prefix}"
            found += [prefix + alias.name for alias in node.names]
    return [name[len(COLLECTION) :].replace(".", "/") if name.startswith(COLLECTION) else name for name in found]


def forbidden_imports(path: Path, root: Path = ROOT) -> List[str]:
    """Return the imports of a file from rooms that its own room may not use."""
    here = room_of(path.relative_to(root).as_posix())
    allowed = TABLE.get(here or "", set()) | {here}
    ours = [name for name in imported_names(path, root) if name.startswith("plugins/")]
    return [name for name in ours if room_of(name) not in allowed or room_of(name) is None]


def test_the_table_lists_the_rooms_from_the_bottom_up() -> None:
    rooms = list(TABLE)
    assert rooms[0] == "plugins/module_utils/_model"
    assert TABLE["plugins/module_utils/_model"] == set()
    assert TABLE["plugins/module_utils/_kernel"] == {"plugins/module_utils/_model"}
    assert TABLE["plugins/plugin_utils/_rules"] == {"plugins/module_utils/_model"}
    assert TABLE["plugins/action"] >= {"plugins/plugin_utils/_rules", "plugins/plugin_utils/_report"}
    assert "plugins/module_utils/_kernel" not in TABLE["plugins/action"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(PLUGINS).as_posix())
def test_a_file_imports_from_the_rooms_below_it_only(path: Path) -> None:
    assert forbidden_imports(path) == []


@pytest.mark.parametrize(
    "path", sorted((PLUGINS / "module_utils").rglob("*.py")), ids=lambda path: path.relative_to(PLUGINS).as_posix()
)
def test_module_utils_needs_the_standard_library_only(path: Path) -> None:
    foreign = [name for name in imported_names(path) if not name.startswith("plugins/")]
    assert [name for name in foreign if name.split(".")[0] not in sys.stdlib_module_names] == []


@pytest.mark.parametrize(
    ("where", "statement", "forbidden"),
    [
        ("_model/x.py", "from .._kernel import links", ["plugins/module_utils/_kernel/links"]),
        ("_model/x.py", "from .link import Link", []),
        ("_kernel/x.py", "from .. import _facts", ["plugins/module_utils/_facts"]),
        ("_kernel/x.py", f"from {COLLECTION}plugins.module_utils._model.link import Link", []),
        ("_kernel/x.py", f"import {COLLECTION}plugins.action.report", ["plugins/action/report"]),
        ("_config/x.py", "def late():\n    from .._kernel.links import a, b", ["a", "b"]),
        ("x.py", "from ._model import link", ["plugins/module_utils/_model/link"]),
    ],
)
def test_a_forbidden_import_is_seen(where: str, statement: str, forbidden: List[str], tmp_path: Path) -> None:
    path = tmp_path / "plugins" / "module_utils" / where
    path.parent.mkdir(parents=True)
    path.write_text(statement, encoding="utf-8")
    found = forbidden_imports(path, tmp_path)
    assert len(found) == len(forbidden)
    assert all(name.endswith(end) for name, end in zip(found, forbidden))

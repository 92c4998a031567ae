# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ansible-builder reads of the installed collection."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path
from typing import List

import pytest
import yaml

from ansible_collections.netfit.cluster.tests.pipelines.conftest import ROOT, run


@pytest.mark.parametrize(
    ("platform", "package"), [("platform:dpkg", "openssh-client"), ("platform:rpm", "openssh-clients")]
)
def test_builder_finds_ssh_and_nothing_else(installed: Path, platform: str, package: str) -> None:
    done = run("ansible-builder", "introspect", str(installed), directory=installed)
    assert done.returncode == 0, done.stdout
    document = yaml.safe_load(done.stdout[done.stdout.index("---") :])
    assert document.get("python") in (None, {}, [])
    lines: List[str] = document["system"]
    matching = [line.split()[0] for line in lines if platform in line]
    assert matching == [package]
    assert all("netfit.cluster" in line for line in lines)


def names_of(node: ast.AST) -> List[str]:
    """Return the absolute modules that a statement imports."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module] if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module else []


def test_the_controller_imports_nothing_that_ansible_does_not_bring(installed: Path) -> None:
    """Were it otherwise, meta/execution-environment.yml would have to name it."""
    plugins = installed / "ansible_collections/netfit/cluster/plugins"

    allowed = {*sys.stdlib_module_names, "ansible", "ansible_collections", "jinja2", "markupsafe", "yaml"}
    imported = {
        name.split(".")[0]
        for path in plugins.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for name in names_of(node)
    }
    assert imported - allowed == set()


def test_the_guides_definition_is_one_that_builder_takes(tmp_path: Path) -> None:
    text = (ROOT / "docs/pipelines.md").read_text(encoding="utf-8")
    (definition,) = [block for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL) if "base_image" in block]
    (tmp_path / "execution-environment.yml").write_text(definition, encoding="utf-8")
    done = run("ansible-builder", "create", directory=tmp_path)
    assert done.returncode == 0, done.stdout
    containerfile = (tmp_path / "context/Containerfile").read_text(encoding="utf-8")
    assert "fedora-minimal:42" in containerfile
    assert "netfit.cluster" in (tmp_path / "context/_build/requirements.yml").read_text(encoding="utf-8")

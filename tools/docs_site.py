# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the documentation site: docs_site.py OUTPUT, by the Python of an environment with docs_requirements.txt.

Any warning of antsibull-docs or Sphinx is an error, a link that leads nowhere among them. No network is used.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

from docs_reference import COLLECTION, missing_pages, write_reference
from docs_sources import SourceError, Sources
from steps import ROOT, StepFailed, fail, run_quietly

THEME = Path(__file__).with_name("docs_theme")
ANTSIBULL = """\
collection_url = {
  * = "https://netfit.example/cluster"
}
collection_install = {
  * = "ansible-galaxy collection install netfit-cluster-*.tar.gz"
}
"""


def main() -> int:
    """Build the site into the folder that is named, in place of what it holds. Returns the exit status."""
    if len(sys.argv) != 2:
        return fail(StepFailed("usage: docs_site.py OUTPUT"))
    try:
        build(Path(sys.argv[1]).resolve())
    except (StepFailed, SourceError) as error:
        return fail(StepFailed(str(error)))
    return 0


def build(output: Path) -> None:
    """Build the site. Raises StepFailed or SourceError."""
    with tempfile.TemporaryDirectory(prefix="netfit-docs-") as folder:
        scratch = Path(folder)
        sources = Sources(ROOT, scratch / "source")
        _document_plugins(scratch, sources.target / "reference")
        sources.write_guides()
        write_reference(sources)
        shutil.copytree(THEME / "static", sources.target / "static")
        sphinx = [sys.executable, "-m", "sphinx", "--builder", "html", "--quiet", "--jobs", "2", "--fail-on-warning"]
        sphinx += ["--conf-dir", str(_configuration(sources.target)), "--doctree-dir", str(scratch / "doctrees")]
        run_quietly([*sphinx, str(sources.target), str(scratch / "site")])
        missing = missing_pages(ROOT, scratch / "site")
        if missing:
            lines = "\n".join(f"{what}: {page}" for what, page in missing.items())
            raise StepFailed(f"these have no page in the site; docs/index.md has to list each of docs/\n{lines}")
        shutil.rmtree(output, ignore_errors=True)
        output.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(scratch / "site", output, ignore=shutil.ignore_patterns(".buildinfo", "objects.inv"))


def _configuration(target: Path) -> Path:
    """Put Sphinx's configuration beside the sources, because paths in it are relative to it. Returns its folder."""
    shutil.copyfile(THEME / "conf.py", target / "conf.py")
    return target


def _document_plugins(scratch: Path, target: Path) -> None:
    """Let antsibull-docs write a page for each module, filter and role of this checkout. Raises StepFailed."""
    link = scratch / "collections" / "ansible_collections" / Path(*COLLECTION.split("."))
    link.parent.mkdir(parents=True)
    link.symlink_to(ROOT)
    target.mkdir(parents=True)
    target.chmod(0o700)
    settings = scratch / "antsibull-docs.cfg"
    settings.write_text(ANTSIBULL, encoding="utf-8")
    commands = Path(sys.executable).parent
    environment = {
        "ANSIBLE_COLLECTIONS_PATH": str(scratch / "collections"),
        "ANSIBLE_HOME": str(scratch / "home"),
        "PATH": f"{commands}:{os.environ['PATH']}",
    }
    command = [str(commands / "antsibull-docs"), "--config-file", str(settings), "collection", "--use-current"]
    command += ["--squash-hierarchy", "--no-indexes", "--no-breadcrumbs", "--fail-on-error", "--dest-dir", str(target)]
    run_quietly([*command, COLLECTION], environment)


if __name__ == "__main__":
    sys.exit(main())

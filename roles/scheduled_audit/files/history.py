# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reports that are kept: replaced and removed so that whoever reads at any time sees whole files."""

from __future__ import annotations

import contextlib
import json
import os
import re
from pathlib import Path
from typing import Any, Dict, Iterable, List, Mapping


class RunFailed(Exception):
    """No report could be made, read or kept. The message says what a person can do."""


def read_json(path: Path) -> Dict[str, Any]:
    """Return a mapping. Raises RunFailed."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunFailed(f"{path} could not be read: {error}") from error
    if not isinstance(content, dict):
        raise RunFailed(f"{path} is not what it should be: the JSON in it is no mapping")
    return content


def keep(work: Path, directory: Path, generated_at: str) -> Path:
    """Move the files of work into directory/history, and let the links lead there. Returns the report's new path."""
    history = directory / "history"
    history.mkdir(exist_ok=True)
    stem = "report-" + re.sub(r"[-:]", "", generated_at)
    # report.json last: where it is, the others are.
    for source in sorted(work.glob("report.*"), key=lambda path: path.name == "report.json"):
        suffix = source.name[len("report") :]
        kept = history / f"{stem}{suffix}"
        os.replace(source, kept)
        point(directory / f"latest{suffix}", kept)
    return history / f"{stem}.json"


def point(link: Path, kept: Path) -> None:
    """Let a link lead to a file below its own directory, at once."""
    new = link.with_name(f".{link.name}.new")
    with contextlib.suppress(FileNotFoundError):
        new.unlink()
    new.symlink_to(os.path.relpath(kept, link.parent))
    os.replace(new, link)


def write_at_once(path: Path, text: str) -> None:
    """Replace a file as a whole; everybody may read it."""
    new = path.with_name(f".{path.name}.new")
    new.write_text(text, encoding="utf-8")
    new.chmod(0o644)
    os.replace(new, path)


def superfluous(sizes: Mapping[str, int], spared: Iterable[str], keep_reports: int, limit: int) -> List[str]:
    """Return which reports go, oldest first.

    sizes: bytes by stem; stems sort by time. spared: stems that stay in any case. limit: bytes of all together.
    """
    stay, going = set(spared), []
    left, total = len(sizes), sum(sizes.values())
    for stem in sorted(sizes):
        if stem not in stay and (left > keep_reports or total > limit):
            going.append(stem)
            left, total = left - 1, total - sizes[stem]
    return going


def prune(directory: Path, keep_reports: int, limit: int) -> None:
    """Remove the oldest reports, but neither the latest nor the last good one. limit: bytes of all together."""
    files: Dict[str, List[Path]] = {}
    for path in (directory / "history").glob("report-*"):
        files.setdefault(path.name.split(".")[0], []).append(path)
    sizes = {stem: sum(path.stat().st_size for path in paths) for stem, paths in files.items()}
    links = (directory / "last-good.json", directory / "latest.json")
    spared = {link.resolve().stem for link in links if link.exists()}
    for stem in superfluous(sizes, spared, keep_reports, limit):
        for path in files[stem]:
            path.unlink()
    for link in directory.glob("latest.*"):
        if not link.exists():
            link.unlink()

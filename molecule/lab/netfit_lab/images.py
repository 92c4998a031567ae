# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Container images made from files of this machine, so that nothing is downloaded.

An image is one layer in the archive format of `docker save` (Docker Image Specification 1.2), which both
`docker load` and `ctr images import` read. The same image gives the same bytes each time.
"""

from __future__ import annotations

import hashlib
import io
import json
import platform
import re
import shutil
import subprocess
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .errors import MissingRequirement

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
_LIBRARY = re.compile(r"(/\S+) \(0x")


@dataclass(frozen=True)
class Image:
    """What a container starts from.

    programs: names of commands of this machine; each comes with the libraries that it is linked with, and is at
    /bin/NAME in the image. files: path in the image to content. directories: made empty, mode 1777.
    """

    reference: str
    command: tuple[str, ...]
    programs: tuple[str, ...]
    files: Mapping[str, str] = field(default_factory=dict)
    directories: tuple[str, ...] = ("/tmp",)


def build(image: Image) -> bytes:
    """Return the archive of an image. Raises MissingRequirement naming a program that this machine lacks."""
    layer = _layer(image)
    digest = hashlib.sha256(layer).hexdigest()
    configuration = json.dumps(_configuration(image, digest)).encode()
    identity = hashlib.sha256(configuration).hexdigest()
    manifest = [{"Config": f"{identity}.json", "RepoTags": [image.reference], "Layers": [f"{digest}/layer.tar"]}]
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        _add(archive, f"{digest}/layer.tar", layer)
        _add(archive, f"{identity}.json", configuration)
        _add(archive, "manifest.json", json.dumps(manifest).encode())
    return content.getvalue()


def _configuration(image: Image, digest: str) -> dict[str, Any]:
    return {
        "architecture": _ARCHITECTURES.get(platform.machine(), platform.machine()),
        "os": "linux",
        # Process 1 ignores a SIGTERM that it has no handler for, and every stop would last its full grace period.
        "config": {"Cmd": list(image.command), "Env": ["PATH=/bin"], "StopSignal": "SIGKILL"},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
    }


def _layer(image: Image) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as layer:
        for directory in image.directories:
            entry = tarfile.TarInfo(directory.lstrip("/"))
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777
            layer.addfile(entry)
        for path, text in sorted(image.files.items()):
            _add(layer, path, text.encode())
        libraries: set[Path] = set()
        for program in image.programs:
            source = _find(program)
            _add(layer, f"/bin/{program}", source.read_bytes(), mode=0o755)
            libraries |= _libraries(source)
        for library in sorted(libraries):
            _add(layer, str(library), library.read_bytes(), mode=0o755)
    return content.getvalue()


def _add(archive: tarfile.TarFile, path: str, content: bytes, mode: int = 0o644) -> None:
    entry = tarfile.TarInfo(path.lstrip("/"))
    entry.size, entry.mode = len(content), mode
    archive.addfile(entry, io.BytesIO(content))


def _find(program: str) -> Path:
    found = shutil.which(program, path="/usr/sbin:/usr/bin:/sbin:/bin")
    if found is None:
        raise MissingRequirement(f"{program} is not installed, and a container of the lab is made from it")
    return Path(found)


def _libraries(program: Path) -> set[Path]:
    """Return the loader and the libraries of a program, by the paths under which it looks for them (ldd(1))."""
    done = subprocess.run(["ldd", str(program)], text=True, capture_output=True, timeout=30, env={"LC_ALL": "C"})
    return {Path(path) for path in _LIBRARY.findall(done.stdout)}

# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What the readers of container state share: JSON objects of unknown content, process ids, and where problems go."""

from __future__ import annotations

import json
import re
from typing import Any, Dict, Optional

from .reading import DEFAULT_LIMIT, FileReader, exists

_PROCESS_ID = re.compile(r"[1-9][0-9]{0,9}\Z")


class RuntimeState(FileReader):
    """Reads the state that runtimes keep below ``root``. A file that vanishes meanwhile counts as absent.

    Containers come and go while this is read, so that absence is never a problem; all else goes to ``problems``.
    """

    limit = 8 * DEFAULT_LIMIT
    """Bytes. A container with hundreds of mounts has an OCI configuration of some 100 KiB; the list of all containers
    of a store grows with their number."""

    def json(self, path: str, subject: str) -> Any:
        """Return the value of a JSON file, None where there is none or, with a problem noted, it is no JSON."""
        text = self.text(path, subject)
        if text is None:
            return None
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            self.problem(subject, f"not valid JSON: {error}", path)
            return None

    def process_id(self, path: str, container_id: str) -> Optional[int]:
        """Return the process id in a file of that container, None where there is none or its process is gone."""
        text = (self.text(path, "process id of a container") or "").strip()
        return self.running(int(text), container_id) if _PROCESS_ID.match(text) else None

    def running(self, process_id: int, container_id: str) -> Optional[int]:
        """Return a process id if that process runs in that container, else None.

        The files outlive the process (podman's pidfile, a crashed daemon's state), and its id may have gone to another
        one: the path of its control group has to name the container. Below a root without /proc nothing is checked.
        """
        if process_id <= 0:
            return None
        if not exists(self.root, "/proc"):
            return process_id
        groups = self.text(f"/proc/{process_id}/cgroup", "control group of a container")
        return process_id if groups is not None and container_id in groups else None


def object_of(value: Any) -> Dict[str, Any]:
    """Return a JSON object; an empty one where the value is something else."""
    return value if isinstance(value, dict) else {}


def texts_of(value: Any) -> Dict[str, str]:
    """Return those members of a JSON object whose values are strings."""
    return {key: text for key, text in object_of(value).items() if isinstance(text, str)}


def text_of(value: Any) -> Optional[str]:
    """Return a string that isn't empty, else None."""
    return value if isinstance(value, str) and value else None

# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Running a command on the target, in the network namespace of the calling thread.

AnsibleModule.run_command() is out of reach here: threads inside namespaces and processes that outlive the module run
commands too.
"""

from __future__ import annotations

import os
import subprocess
from typing import Optional

SEARCH_PATH = "/usr/sbin:/sbin:/usr/local/sbin:/usr/bin:/bin"


def output_of(*command: str, seconds: float = 10.0, given: Optional[str] = None) -> str:
    """Return what a command prints, in the language of its authors. given: its standard input.

    Raises OSError: it is not there, did not end in time, or failed; the message has the first line of its complaint.
    """
    environment = {**os.environ, "LC_ALL": "C"}
    try:
        done = subprocess.run(  # pylint: disable=ansible-bad-function
            command,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
            input=given or "",
            env=environment,
        )
    except subprocess.TimeoutExpired as error:
        raise OSError(f"{command[0]} did not answer within {seconds:g} s") from error
    if done.returncode != 0:
        raise OSError(f"{command[0]}: {done.stderr.strip().partition(chr(10))[0] or done.returncode}")
    return done.stdout


def start_detached(*command: str) -> int:
    """Start a command in a session of its own that outlives us, and return its process id. Raises OSError.

    It reads nothing and what it prints is lost; nobody waits for it.
    """
    process = subprocess.Popen(  # pylint: disable=ansible-bad-function,consider-using-with
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        cwd="/",
    )
    # It is not ours to wait for: the warning about a process that still runs would reach the module's output.
    process.returncode = 0
    return process.pid

# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""make audit: prepare .venv and run the audit, of this machine or of the hosts in INVENTORY.

From the environment: INVENTORY (a file, a folder or "host1,host2"), LIMIT (a host pattern) and ARGS (further
arguments for ansible-playbook, quoted as for a shell).
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import List, Mapping

from prepare import ENVIRONMENT, prepare
from steps import StepFailed, fail, say

PLAYBOOK = "netfit.cluster.audit"
USUAL_COLLECTIONS = "~/.ansible/collections:/usr/share/ansible/collections"


def main() -> int:
    """Run the audit in place of this process. Returns an exit status only when it could not be started."""
    try:
        arguments = playbook_arguments(os.environ)
        commands = prepare()
    except StepFailed as error:
        return fail(error)
    sys.stdout.flush()
    os.execve(commands / "ansible-playbook", ["ansible-playbook", PLAYBOOK, *arguments], playbook_environment())


def playbook_arguments(settings: Mapping[str, str]) -> List[str]:
    """Turn the settings into arguments for ansible-playbook. Raises StepFailed for what can't be meant."""
    inventory = settings.get("INVENTORY", "")
    arguments = ["--inventory", _existing(inventory)] if inventory else this_machine()
    if settings.get("LIMIT"):
        arguments += ["--limit", settings["LIMIT"]]
    try:
        return arguments + shlex.split(settings.get("ARGS", ""))
    except ValueError as error:
        raise StepFailed(f"ARGS={settings['ARGS']}: {error}; quote it as for a shell") from error


def this_machine() -> List[str]:
    """Return the arguments that audit this machine, as root where that takes no password."""
    become = os.geteuid() != 0 and sudo_without_password()
    if os.geteuid() != 0 and not become:
        say(
            "runs without root: what only root may read is reported as not checked; "
            "make audit ARGS='--ask-become-pass -e netfit_become=true' asks for sudo's password"
        )
    arguments = ["--inventory", "localhost,", "--connection", "local"]
    arguments += ["--extra-vars", f"ansible_python_interpreter={_system_python()}"]
    return [*arguments, "--extra-vars", f"netfit_become={str(become).lower()}"]


def sudo_without_password() -> bool:
    """Tell whether sudo is there and lets this user become root without asking."""
    if shutil.which("sudo") is None:
        return False
    return subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode == 0


def playbook_environment() -> Mapping[str, str]:
    """Return this process's environment, with .venv's copy of the collection before any other that the user has."""
    others = os.environ.get("ANSIBLE_COLLECTIONS_PATH", USUAL_COLLECTIONS)
    site_packages = next(ENVIRONMENT.glob("lib/python*/site-packages"))
    return {**os.environ, "ANSIBLE_COLLECTIONS_PATH": f"{site_packages}:{others}"}


def _existing(inventory: str) -> str:
    """Return the inventory if it is a list of hosts or is there: ansible itself only warns. Raises StepFailed."""
    if "," not in inventory and not Path(inventory).expanduser().exists():
        raise StepFailed(f'INVENTORY={inventory}: no such file (a list of hosts is written with a comma: "host1,")')
    return inventory


def _system_python() -> str:
    """Return the Python that the modules run with: the distribution's own rather than that of an environment."""
    system = Path("/usr/bin/python3")
    if system.exists():
        newest = "import sys; sys.exit(sys.version_info < (3, 8))"
        if subprocess.run([str(system), "-c", newest], check=False).returncode == 0:
            return str(system)
    return sys.executable


if __name__ == "__main__":
    sys.exit(main())

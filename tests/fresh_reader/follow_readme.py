# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does what README.md tells a newcomer, from the clone to the first finding, and takes the time.

    follow_readme.py FOLDER [--most-seconds 300]

The commands are those of the README's own blocks, run as they are written, in an empty folder and with an empty home.
The address that it clones from leads to this checkout, and the two hosts of its inventory are hosts of the lab that
have the incident's fault. Needs root, what the lab needs, and Chromium.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Mapping, Tuple

import yaml
from markdown_it import MarkdownIt

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "molecule" / "lab"))
from netfit_lab import lab
from netfit_lab.errors import LabError
from netfit_lab.inventory import inventory as inventory_of

ROOT = Path(__file__).resolve().parents[2]
HEADING = "Five minutes to the first finding"
MOST_SECONDS = 300
"""From the first command to a page that shows a finding, what making the lab's hosts takes left out."""
INCIDENT = ROOT / "molecule" / "lab" / "topologies" / "incident.yml"
INCIDENT_NETWORK, README_NETWORK = "198.18.7.", "192.0.2."
KNOWN_FAULT = ("MTU-001", "n2")
CHROMIUM = ("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run")


class Astray(Exception):
    """The README does not lead where it says; the message says where it ends."""


@dataclass(frozen=True)
class Route:
    """What the README says: commands for this machine, an inventory and its file, commands for its hosts, the page."""

    here: str
    inventory: str
    inventory_file: str
    there: str
    page: str


def main() -> int:
    """Follow the README. Returns 0 when it led to findings in time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="for the clone; emptied first")
    parser.add_argument("--most-seconds", type=float, default=MOST_SECONDS, help="(default: %(default)s)")
    options = parser.parse_args()
    try:
        route = read_route((ROOT / "README.md").read_text(encoding="utf-8"))
        follow(route, options.folder.resolve(), options.most_seconds)
    except Astray as error:
        print(f"README.md: {error}", file=sys.stderr)
        return 1
    return 0


def read_route(text: str) -> Route:
    """Return what the section under HEADING says. Raises Astray where it lacks something."""
    tokens = MarkdownIt().parse(text)
    titles = [number for number, token in enumerate(tokens) if token.type == "heading_open"]
    starts = [number for number in titles if tokens[number + 1].content == HEADING]
    if not starts:
        raise Astray(f"has no section {HEADING!r}")
    end = next((number for number in titles if number > starts[0]), len(tokens))
    section = tokens[starts[0] : end]
    blocks = [(token.info.strip(), token.content) for token in section if token.type == "fence"]
    if [kind for kind, _content in blocks] != ["sh", "ini", "sh"]:
        raise Astray(f"{HEADING!r} has to have three blocks: sh (this machine), ini (an inventory), sh (its hosts)")
    here, hosts, there = (content for _kind, content in blocks)
    prose = " ".join(token.content for token in section if token.type == "inline")
    page = re.search(r"`([^`\s]+\.html)`", prose)
    file = re.search(r"\bINVENTORY=(\S+)", there)
    if page is None or file is None:
        raise Astray("names no page to open, or its last block no INVENTORY=")
    return Route(here, hosts, file[1], there, page[1])


def follow(route: Route, folder: Path, most_seconds: float) -> None:
    """Run all of it below a folder, which is emptied. Raises Astray."""
    shutil.rmtree(folder, ignore_errors=True)
    home = folder / "home"
    home.mkdir(parents=True)
    clone_from = publish(folder / "published")
    address = re.search(r"git clone (\S+)", route.here)
    if address is None:
        raise Astray("its first block clones nothing")
    variables = newcomer(os.environ, home, address[1], clone_from)
    begin = time.monotonic()
    run(["sh", "-eu", "-c", f"{route.here}\npwd >{folder}/where"], variables, home, most_seconds)
    project = Path((folder / "where").read_text(encoding="utf-8").strip())
    findings = open_report(project, route.page, variables, ())
    spent = time.monotonic() - begin
    print(f"this machine: {findings} findings after {spent:.0f} s", flush=True)
    spent += audit_lab_hosts(route, project, variables, most_seconds)
    print(f"from the clone to the page that shows the fault of {KNOWN_FAULT[1]}: {spent:.0f} s", flush=True)
    if spent > most_seconds:
        raise Astray(f"took more than {most_seconds:g} s")


def publish(folder: Path) -> Path:
    """Make a repository of the files of this checkout as they are now, and return it.

    So the README is followed as it will be, also where the checkout has changes or is no repository.
    """
    folder.mkdir()
    git = ["git", f"--git-dir={folder}", f"--work-tree={ROOT}"]
    identity = ["-c", "user.name=reader", "-c", "user.email=reader@netfit.example", "-c", "commit.gpgSign=false"]
    for command in (
        ["git", "init", "--quiet", "--bare", str(folder)],
        [*git, "add", "--all"],
        [*git, *identity, "commit", "--quiet", "--message", "As it is"],
    ):
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    return folder


def newcomer(environment: Mapping[str, str], home: Path, address: str, clone_from: Path) -> Dict[str, str]:
    """Return the environment of somebody who has nothing of ours yet, for whom an address leads to a repository."""
    ours = ("ANSIBLE_", "GIT_", "MAKE", "MFLAGS", "PYTHON", "VIRTUAL_ENV", "INVENTORY", "LIMIT", "ARGS")
    kept = {name: value for name, value in environment.items() if not name.startswith(ours)}
    path = [part for part in environment["PATH"].split(":") if "/.venv" not in part]
    redirection = {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{clone_from}.insteadOf",
        "GIT_CONFIG_VALUE_0": address,
    }
    return {**kept, **redirection, "HOME": str(home), "PATH": ":".join(path), "ANSIBLE_NOCOLOR": "1"}


def audit_lab_hosts(route: Route, project: Path, variables: Mapping[str, str], patience: float) -> float:
    """Run the last block from the lab's controller, and return the seconds that it took, its page included."""
    name = f"nf-test-reader-{os.getpid()}"
    document = yaml.safe_load(INCIDENT.read_text(encoding="utf-8").replace(INCIDENT_NETWORK, README_NETWORK))
    try:
        hosts = lab.up(name, "reader", document, lambda _line: None)
        (project / route.inventory_file).write_text(route.inventory, encoding="utf-8")
        shutil.rmtree(project / Path(route.page).parent)
        settings = [f"{key}={value}" for key, value in {**variables, **own_settings(hosts)}.items()]
        command = ["env", "--ignore-environment", f"--chdir={project}", *settings, "sh", "-eu", "-c", route.there]
        begin = time.monotonic()
        done = hosts.controller.run(command, timeout=patience, check=False)
        if done.returncode:
            raise Astray(f"{route.there.strip()!r} ended with {done.returncode}\n{done.stdout[-3000:]}{done.stderr}")
        open_report(project, route.page, variables, KNOWN_FAULT)
        return time.monotonic() - begin
    except LabError as error:
        raise Astray(f"could not be followed on hosts of the lab: {error}") from error
    finally:
        lab.down(name, lambda _line: None)


def own_settings(hosts: Any) -> Dict[str, str]:
    """Return what a reader has besides the README: a key that the hosts let in, who they are, and a Python that works.

    This machine, and so the lab's hosts, may have names of Pythons on PATH that lead nowhere.
    """
    document = inventory_of(hosts.paths, hosts.topology)["all"]
    return {
        "ANSIBLE_PRIVATE_KEY_FILE": document["vars"]["ansible_ssh_private_key_file"],
        "ANSIBLE_SSH_COMMON_ARGS": document["vars"]["ansible_ssh_common_args"],
        "ANSIBLE_SSH_CONTROL_PATH_DIR": document["vars"]["ansible_control_path_dir"],
        "ANSIBLE_PYTHON_INTERPRETER": document["hosts"][KNOWN_FAULT[1]]["ansible_python_interpreter"],
    }


def open_report(project: Path, page: str, variables: Mapping[str, str], expected: Tuple[str, ...]) -> int:
    """Open the page in a browser and return how many findings are in the report beside it.

    expected: rule and host of a finding that has to be there, and seen on the page. Raises Astray.
    """
    path = project / page
    if not path.is_file():
        raise Astray(f"names {page}, which was not written")
    report = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    audited = [name for name, host in report["hosts"].items() if host["status"] == "audited"]
    found = {(finding["id"], finding["target"]["host"]) for finding in report["findings"]}
    if not audited or not report["findings"] or not found >= ({expected} if expected else set()):
        raise Astray(f"audited {audited} and found {sorted(map(str, found))}, of which {expected} should be one")
    profile = f"--user-data-dir={variables['HOME']}/browser"
    shown = run([*CHROMIUM, profile, "--dump-dom", path.as_uri()], variables, project, 60)
    if not all(word in shown for word in ("</html>", *expected)):
        raise Astray(f"{page} shows nothing of {expected}")
    return len(report["findings"])


def run(command: List[str], variables: Mapping[str, str], folder: Path, patience: float) -> str:
    """Run a command to its end and return what it printed. Raises Astray when it fails or takes too long."""
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=dict(variables),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=patience,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise Astray(f"not done after {patience:.0f} s: {command[-1].strip()}") from error
    if done.returncode:
        raise Astray(f"ended with {done.returncode}: {command[-1].strip()}\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())

# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The jobs of "make test" as data: what runs, in which environment, and what it needs."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import Mapping, Optional, Tuple

from lab import PACKAGES as LAB_PACKAGES

CURRENT = ("3.11", "3.12", "3.13")
"""Pythons for the tools, the first that is at hand: 3.11 is the oldest that ansible-core 2.19 runs on."""
TARGETS = ("3.8", "3.9", "3.10", "3.11", "3.12", "3.13")

COPY_PACKAGES = ("git",)
KERNEL_PACKAGES = ("ipset", "iproute2", "iptables", "nftables", "procps")
PROGRAM_PACKAGES = ("containernetworking-plugins", "systemd")
# Not beside a kubectl of another source, which owns the same path.
KUBECTL_PACKAGES: Tuple[str, ...] = () if shutil.which("kubectl") else ("kubernetes-client",)
ALERT_PACKAGES = ("prometheus",)
"""Has promtool. Its daemon is not started here, but would be at the next boot of a machine whose init is systemd."""
SERVER_PACKAGES = ("default-jdk-headless", "gunicorn", "haproxy", "libcap2-bin", "nginx", "nodejs", "redis-server")
"""Whose listen queues are raised while they run."""
RULEBOOK_PACKAGES = ("default-jre-headless", "openssh-client")
"""What ansible-rulebook decides its rules with."""
BROWSER_PACKAGES = ("chromium", "fonts-dejavu-core", "poppler-utils")
MANAGER_PACKAGES = (
    "dhcpcd-base",
    "dnsmasq-base",
    "ifupdown",
    "isc-dhcp-client",
    "netplan.io",
    "network-manager",
)
"""What configures links, for hosts of the lab. None of them is started here; NetworkManager would be at the next boot
of a machine whose init is systemd."""


@dataclass(frozen=True)
class Environment:
    """A virtual environment below .venv-test. versions: of Python, the first at hand is taken."""

    name: str
    versions: Tuple[str, ...]
    requirements: str


@dataclass(frozen=True)
class Job:
    """Something that is run and counted.

    kind: by which it can be chosen. commands: one after the other until one fails; in their arguments
    {root} is the checkout, {python} and {commands} those of the environment, {scratch} a folder of this job's own,
    {kept} one that stays between runs, {junit} where pytest is to write its results.
    A job with {junit} counts its tests, another counts as one.
    copied: it runs in a copy of the collection at {scratch}/ansible_collections/netfit/cluster, for tools that want
    that very path and files of the project alone; otherwise in the checkout.
    one_at_a_time: jobs with the same word never run beside each other. variables: for its environment.
    seldom: not a part of each "make test": it repeats others' tests on another Python or Ansible, or tells a long story
    on hosts that are changed. "make test ALL=1", which lands changes, runs all.
    """

    name: str
    kind: str
    environment: Environment
    commands: Tuple[Tuple[str, ...], ...]
    timeout_seconds: int
    needs_root: bool = False
    packages: Tuple[str, ...] = ()
    one_at_a_time: Optional[str] = None
    copied: bool = False
    variables: Optional[Mapping[str, str]] = None
    seldom: bool = False


MAIN = Environment("main", CURRENT, "requirements.txt")
NEWEST_ANSIBLE = Environment("ansible-2.21", ("3.12", "3.13", "3.14"), "requirements-2.21.txt")
PIPELINES = Environment("pipelines", CURRENT, "requirements-pipelines.txt")
SITE = Environment("site", CURRENT, "../tools/docs_requirements.txt")
IMPORTER = Environment("importer", CURRENT, "requirements-importer.txt")
MYPY = ("{commands}/mypy", "--config-file", "pyproject.toml", "--cache-dir", "{kept}")
MYPY_MODULES = tuple(
    argument
    for module in ("audit", "collection", "docs", "docs_picture", "docs_site", "links", "site_links")
    for argument in ("--module", module)
)
PYTEST = ("{python}", "-m", "pytest", "--quiet", "--junit-xml={junit}", "-o", "cache_dir={scratch}/pytest")
NOT_TARGETS = (*PYTEST, "--side=controller", "tests/unit")
"""What the jobs for the Pythons of targets leave out."""


def _sanity(name: str, environment: Environment, pip: str) -> Job:
    command = ("{python}", "tests/checks/sanity.py", "--home", "{kept}", "--pip", pip)
    return Job(
        name, "lint", environment, (command,), timeout_seconds=1200, packages=COPY_PACKAGES, copied=True, seldom=True
    )


def _check(name: str, *commands: Tuple[str, ...], environment: Environment = MAIN) -> Job:
    variables = {
        "ANSIBLE_COLLECTIONS_PATH": "{scratch}",
        "ANSIBLE_HOME": "{scratch}/home",
        "MYPYPATH": "{scratch}:{root}/tools:{root}/tests:{root}/tests/checks",
    }
    return Job(
        name,
        "lint",
        environment,
        commands,
        timeout_seconds=900,
        packages=COPY_PACKAGES,
        copied=True,
        variables=variables,
    )


def _scenario(name: str, beside: str, packages: Tuple[str, ...] = (), seldom: bool = False) -> Job:
    command = ("{commands}/molecule", "test", "--scenario-name", name)
    return Job(
        f"molecule-{name}",
        "molecule",
        MAIN,
        (command,),
        timeout_seconds=1200,
        needs_root=True,
        packages=LAB_PACKAGES + COPY_PACKAGES + packages,
        one_at_a_time=beside,
        copied=True,
        variables={"ANSIBLE_COLLECTIONS_PATH": "{scratch}", "ANSIBLE_HOME": "{scratch}/home"},
        seldom=seldom,
    )


def _target(version: str) -> Job:
    environment = Environment(f"python{version}", (version,), "requirements-target.txt")
    command = (*PYTEST, "--side=targets", "tests/unit")
    seldom = version not in (TARGETS[0], TARGETS[-1])
    return Job(f"unit-python{version}", "unit", environment, (command,), timeout_seconds=900, seldom=seldom)


JOBS: Tuple[Job, ...] = (
    Job(
        "lab",
        "lab",
        MAIN,
        ((*PYTEST, "tests/lab", "--ignore", "tests/lab/changes", "--ignore", "tests/lab/fleets"),),
        timeout_seconds=2400,
        needs_root=True,
        packages=LAB_PACKAGES,
        one_at_a_time="lab",
    ),
    Job(
        "lab-changes",
        "lab",
        MAIN,
        ((*PYTEST, "tests/lab/changes"),),
        timeout_seconds=3000,
        needs_root=True,
        packages=LAB_PACKAGES + MANAGER_PACKAGES,
        one_at_a_time="changes",
        seldom=True,
    ),
    Job(
        "lab-fleets",
        "lab",
        MAIN,
        ((*PYTEST, "tests/lab/fleets"),),
        timeout_seconds=900,
        needs_root=True,
        packages=LAB_PACKAGES,
        one_at_a_time="lab",
        seldom=True,
    ),
    _sanity("sanity-2.19", MAIN, "24.2"),
    _sanity("sanity-2.21", NEWEST_ANSIBLE, "25.2"),
    _scenario("incident", "lab"),
    _scenario("default", "lab"),
    _scenario("managers", "changes", MANAGER_PACKAGES, seldom=True),
    _scenario("mtu", "changes", seldom=True),
    _scenario("tuning", "changes", seldom=True),
    _scenario("scheduled", "changes", seldom=True),
    Job("playbook", "playbook", MAIN, ((*PYTEST, "tests/playbook"),), timeout_seconds=1800),
    Job("unit", "unit", MAIN, ((*PYTEST, "tests/unit"),), timeout_seconds=900),
    Job("unit-ansible-2.21", "unit", NEWEST_ANSIBLE, (NOT_TARGETS,), timeout_seconds=900, seldom=True),
    Job(
        "playbook-ansible-2.21",
        "playbook",
        NEWEST_ANSIBLE,
        ((*PYTEST, "tests/playbook"),),
        timeout_seconds=1800,
        seldom=True,
    ),
    *(_target(version) for version in TARGETS),
    Job(
        "monitoring",
        "monitoring",
        MAIN,
        ((*PYTEST, "tests/monitoring"),),
        timeout_seconds=600,
        packages=ALERT_PACKAGES,
    ),
    Job(
        "pipelines",
        "pipelines",
        PIPELINES,
        ((*PYTEST, "tests/pipelines"),),
        timeout_seconds=1200,
        packages=RULEBOOK_PACKAGES + COPY_PACKAGES,
        seldom=True,
    ),
    Job(
        "browser",
        "browser",
        MAIN,
        ((*PYTEST, "tests/browser"),),
        timeout_seconds=900,
        packages=BROWSER_PACKAGES,
    ),
    Job(
        "fresh-reader",
        "reader",
        MAIN,
        (("{python}", "tests/fresh_reader/follow_readme.py", "{scratch}/reader"),),
        timeout_seconds=900,
        needs_root=True,
        packages=LAB_PACKAGES + COPY_PACKAGES + BROWSER_PACKAGES,
        one_at_a_time="lab",
    ),
    Job(
        "kernel",
        "kernel",
        MAIN,
        ((*PYTEST, "tests/kernel"),),
        timeout_seconds=1800,
        needs_root=True,
        packages=KERNEL_PACKAGES + PROGRAM_PACKAGES + KUBECTL_PACKAGES + SERVER_PACKAGES,
    ),
    Job(
        "change",
        "kernel",
        MAIN,
        ((*PYTEST, "tests/change"),),
        timeout_seconds=900,
        needs_root=True,
        packages=KERNEL_PACKAGES,
    ),
    Job(
        "paths",
        "kernel",
        MAIN,
        ((*PYTEST, "tests/paths"),),
        timeout_seconds=1800,
        needs_root=True,
        packages=KERNEL_PACKAGES,
    ),
    _check("galaxy-importer", ("{python}", "tests/checks/importer.py", "--scratch", "{scratch}"), environment=IMPORTER),
    _check("ansible-lint", ("{commands}/ansible-lint", "--offline", "--profile", "production", "--strict")),
    _check(
        "antsibull-docs",
        (
            "{commands}/antsibull-docs",
            "lint-collection-docs",
            "--plugin-docs",
            "--validate-collection-refs=all",
            "--disallow-unknown-collection-refs",
            ".",
        ),
    ),
    _check("links", ("{python}", "tests/checks/links.py", ".")),
    _check(
        "site",
        ("{python}", "tools/docs_site.py", "{scratch}/site"),
        ("{python}", "tests/checks/site_links.py", "{scratch}/site"),
        environment=SITE,
    ),
    _check("antsibull-changelog", ("{commands}/antsibull-changelog", "lint")),
    _check(
        "mypy",
        (*MYPY, "--package", "ansible_collections.netfit.cluster.plugins"),
        (*MYPY, "--package", "runner", *MYPY_MODULES),
    ),
    _check(
        "ruff",
        ("{commands}/ruff", "check", "--no-cache", "."),
        ("{commands}/ruff", "format", "--no-cache", "--diff", "."),
    ),
    _check("yamllint", ("{commands}/yamllint", "--strict", ".")),
)

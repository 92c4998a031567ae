# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples for pipelines: valid by their services' own schemas, true to the playbooks, and their steps run."""

from __future__ import annotations

import copy
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, Dict, Iterator, List, Tuple

import pytest
import yaml

from ansible_collections.netfit.cluster.tests.pipelines.conftest import COMMANDS, ROOT, run
from ansible_collections.netfit.cluster.tests.unit.builders import incident

EXAMPLES = ROOT / "docs/examples/ci"
GITHUB = EXAMPLES / "github-workflow.yml"
GITLAB = EXAMPLES / "gitlab-ci.yml"
FILES = sorted([*EXAMPLES.rglob("*.yml"), *EXAMPLES.rglob("*.yml.example")])
KEY = "not a key\nof two lines"


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def steps() -> List[Dict[str, Any]]:
    found: List[Dict[str, Any]] = load(GITHUB)["jobs"]["audit"]["steps"]
    return found


def scripts() -> Iterator[Tuple[str, str]]:
    """All shell of both pipelines, by a name for it."""
    for step in steps():
        if "run" in step:
            yield f"github: {step['name']}", step["run"]
    job = load(GITLAB)["netfit"]
    yield "gitlab", "\n".join([*job["before_script"], *job["script"]])


@pytest.mark.parametrize(("file", "schema"), [(GITHUB, "github-workflows"), (GITLAB, "gitlab-ci")])
def test_valid_by_the_services_own_schema(file: Path, schema: str) -> None:
    done = run("check-jsonschema", "--builtin-schema", f"vendor.{schema}", str(file), directory=ROOT)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(EXAMPLES)))
def test_variables_and_playbooks_that_are_named_exist(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    playbooks = [(ROOT / "playbooks" / name).read_text(encoding="utf-8") for name in ("audit.yml", "report.yml")]
    header = "\n".join(line for one in playbooks for line in one.splitlines() if line.startswith("#"))
    known = set(re.findall(r"\bnetfit_[a-z_]+", header))
    assert set(re.findall(r"\bnetfit_[a-z_]+", text)) <= known
    for playbook in re.findall(r"netfit\.cluster\.([a-z_]+)", text):
        assert (ROOT / "playbooks" / f"{playbook}.yml").exists()


def test_files_that_are_published_are_those_that_are_written(tmp_path: Path) -> None:
    for text in (GITHUB.read_text(encoding="utf-8"), GITLAB.read_text(encoding="utf-8")):
        match = re.search(r"netfit_formats=(\S+)", text)
        assert match
        suffixes = {"html": ".html", "junit": ".junit.xml", "markdown": ".md", "sarif": ".sarif", "json": ".json"}
        written = {f"report{suffixes[name]}" for name in [*match[1].split(","), "json"]}
        assert set(re.findall(r"netfit-report/(report\.[a-z.]+[a-z])", text)) <= written


@pytest.mark.parametrize(("name", "script"), list(scripts()), ids=[name for name, _script in scripts()])
def test_shell_is_understood_by_the_shell(name: str, script: str) -> None:
    shell = "bash" if name.startswith("github") else "sh"
    done = subprocess.run([shell, "-n"], input=script, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stderr) == (0, "")


class Runner:
    """A checkout as the pipeline has it, with hosts that give recorded facts."""

    def __init__(self, directory: Path, recorded: Path) -> None:
        self.directory, self.recorded = directory, recorded
        (directory / ".venv/bin").mkdir(parents=True)
        (directory / ".venv/bin/ansible-playbook").symlink_to(COMMANDS / "ansible-playbook")
        shutil.copy(EXAMPLES / "netfit.yml", directory)
        (directory / "known_hosts").touch()
        self.set_hosts(incident())

    def set_hosts(self, hosts: Dict[str, Any]) -> None:
        lines = []
        for name, facts in hosts.items():
            file = self.directory / f"{name}.json"
            file.write_text(json.dumps(facts), encoding="utf-8")
            lines.append(f"{name} ansible_connection=local recorded_facts={file}\n")
        (self.directory / "hosts.ini").write_text("".join(lines), encoding="utf-8")

    def shell(self, argv: List[str], script: str, **environment: str) -> subprocess.CompletedProcess[str]:
        file = self.directory / "script"
        # Nothing answers to measurements here.
        file.write_text(script.replace("-e @netfit.yml", "-e @netfit.yml -e netfit_probe=none"), encoding="utf-8")
        more = {"ANSIBLE_COLLECTIONS_PATH": str(self.recorded), "PYTHONPATH": "", "HOME": str(self.directory)}
        return run(*argv, str(file), directory=self.directory, timeout=240, **more, **environment)

    def report(self) -> Path:
        return self.directory / "netfit-report/report.json"


@pytest.fixture
def runner(tmp_path: Path, recorded: Path) -> Runner:
    return Runner(tmp_path, recorded)


def drifted() -> Dict[str, Any]:
    """The incident, and its pod's fault on a further node."""
    hosts = incident()
    hosts["n5"] = copy.deepcopy(hosts["n2"])
    return hosts


def test_the_workflow_fails_on_what_is_new_and_passes_on_what_its_baseline_has(runner: Runner) -> None:
    audit = next(step["run"] for step in steps() if step.get("name") == "Audit")
    bash = ["bash", "--noprofile", "--norc", "-eo", "pipefail"]
    settings = {"LIMIT": "all", "ACCEPT": "false", "RUNNER_TEMP": str(runner.directory), "SSH_KEY": KEY}
    done = runner.shell(bash, audit, **settings)
    assert done.returncode == 2 and "MTU-001" in done.stdout, done.stdout
    key = runner.directory / "key"
    assert (key.read_text(encoding="utf-8"), key.stat().st_mode & 0o777) == (KEY + "\n", 0o600)
    for name in ("report.html", "report.md", "report.sarif", "report.junit.xml"):
        assert (runner.directory / "netfit-report" / name).stat().st_size > 0
    done = runner.shell(bash, audit, **{**settings, "ACCEPT": "true", "LIMIT": "n1"})
    assert (done.returncode, "accept is for all hosts" in done.stdout) == (1, True), done.stdout
    done = runner.shell(bash, audit, **{**settings, "ACCEPT": "true"})
    assert done.returncode == 0 and "MTU-001" in done.stdout, done.stdout
    (runner.directory / "baseline").mkdir()
    shutil.copy(runner.report(), runner.directory / "baseline")
    done = runner.shell(bash, audit, **settings)
    assert done.returncode == 0, done.stdout
    runner.set_hosts(drifted())
    done = runner.shell(bash, audit, **settings)
    assert done.returncode == 2 and "that the baseline does not have" in done.stdout, done.stdout
    assert runner.shell(bash, audit, **{**settings, "LIMIT": "n1"}).returncode == 0


def test_the_workflow_keeps_no_baseline_of_a_part_of_the_hosts_or_of_a_run_that_failed() -> None:
    keep = next(step for step in steps() if step.get("name") == "Keep the baseline for the next run")
    assert {"success()", "env.LIMIT == 'all'"} <= set(keep["if"].split(" && "))


REGISTRY = """#!/bin/sh
# A registry with one package: gives what was uploaded last, and refuses where nothing was.
for argument; do last=$argument; done
echo "$last" > asked
while [ $# -gt 1 ]; do
  case $1 in
    --upload-file) exec cp "$2" registry.json ;;
    --output) test -f registry.json && exec cp registry.json "$2"; exit 22 ;;
  esac
  shift
done
"""


def test_the_gitlab_job_does_the_same_and_keeps_a_baseline_of_all_hosts(runner: Runner) -> None:
    (runner.directory / "key").write_text(KEY, encoding="utf-8")
    commands = runner.directory / "commands"
    commands.mkdir()
    (commands / "curl").write_text(REGISTRY, encoding="utf-8")
    (commands / "curl").chmod(0o755)
    script = "\n".join([f"PATH={commands}:$PATH", *load(GITLAB)["netfit"]["script"]])
    registry = runner.directory / "registry.json"
    settings = {
        "LIMIT": "all",
        "ACCEPT": "false",
        "NETFIT_SSH_KEY": str(runner.directory / "key"),
        "CI_API_V4_URL": "https://gitlab.example/api/v4",
        "CI_PROJECT_ID": "7",
        "CI_COMMIT_BRANCH": "main",
        "CI_DEFAULT_BRANCH": "main",
        "CI_JOB_TOKEN": "made-up",
    }

    def job(**changes: str) -> subprocess.CompletedProcess[str]:
        return runner.shell(["sh", "-e"], script, **{**settings, **changes})

    done = job()
    assert done.returncode == 2 and "MTU-001" in done.stdout and not registry.exists(), done.stdout
    asked = (runner.directory / "asked").read_text(encoding="utf-8").strip()
    assert asked == "https://gitlab.example/api/v4/projects/7/packages/generic/netfit/baseline/report.json"
    assert job(LIMIT="n1").returncode == 0 and not registry.exists(), "n1 has no fault, and is not all"
    done = job(ACCEPT="true", LIMIT="n1")
    assert (done.returncode, "ACCEPT is for all hosts" in done.stdout) == (1, True), done.stdout
    assert job(ACCEPT="true", CI_COMMIT_BRANCH="trial").returncode == 0 and not registry.exists()
    done = job(ACCEPT="true")
    assert done.returncode == 0 and set(json.loads(registry.read_text(encoding="utf-8"))["hosts"]) == set(incident())
    done = job()
    assert done.returncode == 0, done.stdout
    runner.set_hosts(drifted())
    good = registry.read_bytes()
    done = job()
    assert done.returncode == 2 and "that the baseline does not have" in done.stdout, done.stdout
    assert registry.read_bytes() == good


def test_what_awx_asks_for_is_what_the_audit_takes() -> None:
    (play,) = load(EXAMPLES / "awx/configure.yml.example")
    template = next(task["awx.awx.job_template"] for task in play["tasks"] if "awx.awx.job_template" in task)
    choices = {one["variable"]: one["choices"] for one in template["survey_spec"]["spec"]}
    checks = load(ROOT / "playbooks/tasks/check_input.yml")
    argument_spec = next(
        task["ansible.builtin.validate_argument_spec"]["argument_spec"]
        for task in checks
        if "ansible.builtin.validate_argument_spec" in task
    )
    assert choices == {name: argument_spec[name]["choices"] for name in choices} and len(choices) == 2
    (imported,) = load(EXAMPLES / "awx" / f"{template['playbook']}.example")
    assert imported["ansible.builtin.import_playbook"] == "netfit.cluster.audit"


CONTROLLER = """
import json, os
from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):
    def run(self, tmp=None, task_vars=None):
        with open(os.environ["ASKED"], "a") as file:
            file.write(json.dumps({**self._task.args, "asked": self._task.action.rpartition(".")[2]}) + "\\n")
        return {"changed": False}
"""


def configured(directory: Path, *options: str) -> Tuple[int, Dict[str, Dict[str, Any]]]:
    """Run the example with a stand-in for awx.awx. Returns its exit status and what AWX was asked for, by name."""
    plugins = directory / "ansible_collections/awx/awx/plugins"
    for module in ("execution_environment", "project", "job_template", "workflow_job_template", "schedule"):
        for kind, text in (("action", CONTROLLER), ("modules", "# stands in for the real one\n")):
            (plugins / kind).mkdir(parents=True, exist_ok=True)
            (plugins / kind / f"{module}.py").write_text(text, encoding="utf-8")
    playbook, asked = directory / "configure.yml", directory / "asked"
    shutil.copy(EXAMPLES / "awx/configure.yml.example", playbook)
    given = [
        word for one in ("organization=Default", "inventory=Production", "credential=deploy") for word in ("-e", one)
    ]
    done = run(
        "ansible-playbook", str(playbook), *given, *options,
        directory=directory, ANSIBLE_COLLECTIONS_PATH=str(directory), PYTHONPATH="", ASKED=str(asked),
    )  # fmt: skip
    lines = asked.read_text(encoding="utf-8").splitlines() if asked.exists() else []
    return done.returncode, {f"{one['asked']} {one['name']}": one for one in map(json.loads, lines)}


def test_awx_audits_the_whole_unless_it_is_told_of_slices(tmp_path: Path) -> None:
    status, asked = configured(tmp_path)
    assert status == 0 and not [name for name in asked if name.startswith("workflow") or "report" in name]
    template = asked["job_template netfit audit"]
    assert (template["job_slice_count"], template["extra_vars"]) == (1, {"netfit_report_dir": "/tmp/netfit-report"})
    assert asked["schedule netfit audit every night"]["unified_job_template"] == "netfit audit"


def test_slices_of_awx_find_each_other_and_one_report_is_made_of_them(tmp_path: Path) -> None:
    peers = [{"name": "n1", "address": "192.0.2.11", "audited": True}]
    status, asked = configured(
        tmp_path, "-e", json.dumps({"slices": 4, "shared_directory": "/srv/audit", "peers": peers})
    )
    assert status == 0
    template = asked["job_template netfit audit"]
    assert (template["job_slice_count"], template["extra_vars"]) == (
        4,
        {
            "netfit_slice": "{{ awx_job_id }}",
            "netfit_slice_run": "{{ awx_workflow_job_id }}",
            "netfit_report_dir": "/srv/audit/{{ awx_workflow_job_id }}",
            "netfit_peers": peers,
        },
    )
    report = asked["job_template netfit report"]
    assert report["extra_vars"]["netfit_slices"] == "{{ netfit.report_dir | dirname }}"
    (imported,) = load(EXAMPLES / "awx" / f"{report['playbook']}.example")
    assert imported["ansible.builtin.import_playbook"] == "netfit.cluster.report"
    nodes = asked["workflow_job_template netfit audit in slices"]["workflow_nodes"]
    assert [one["unified_job_template"]["name"] for one in nodes] == ["netfit audit", "netfit report"]
    assert nodes[0]["related"] == {"always_nodes": [{"identifier": "report"}]}
    assert asked["schedule netfit audit every night"]["unified_job_template"] == "netfit audit in slices"


def test_slices_of_awx_that_share_nothing_are_refused(tmp_path: Path) -> None:
    status, asked = configured(tmp_path, "-e", "slices=4")
    assert (status, asked) == (2, {})

# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook that answers an alert: whom it audits, and when it lets netfit.cluster.remediate change something.

In the copy that runs here, remediate only writes down how it was started: a real one would change this machine.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any, Callable, Dict

import pytest

from ansible_collections.netfit.cluster.tests.pipelines.conftest import run, write_inventory
from ansible_collections.netfit.cluster.tests.unit.builders import incident

STARTED = """---
- name: Write down how this was started
  hosts: "{{ netfit_hosts }}"
  gather_facts: false
  tasks:
    - name: Write
      ansible.builtin.copy:
        content: "{{ {'hosts': ansible_play_hosts_all, 'tags': ansible_run_tags | sort} | to_json }}"
        dest: "{{ netfit_report_dir }}/started.json"
        mode: "0644"
      tags: always
"""

Answer = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def answer(recorded: Path, tmp_path: Path) -> Answer:
    """Run the playbook for an alert about a host."""
    collections = tmp_path / "collections"
    shutil.copytree(recorded / "ansible_collections", collections / "ansible_collections")
    (collections / "ansible_collections/netfit/cluster/playbooks/remediate.yml").write_text(STARTED, encoding="utf-8")
    inventory = write_inventory(tmp_path, incident())

    def start(host: Any, **variables: Any) -> subprocess.CompletedProcess[str]:
        extra: Dict[str, Any] = {"netfit_alert_host": host, "netfit_report_dir": str(tmp_path / "report"), **variables}
        return run(
            "ansible-playbook", "netfit.cluster.answer_alert", "-i", str(inventory), "-e", json.dumps(extra),
            directory=tmp_path, ANSIBLE_COLLECTIONS_PATH=str(collections), PYTHONPATH="", HOME=str(tmp_path),
        )  # fmt: skip

    return start


ALLOWED = {"netfit_alert": "NetfitListenOverflows", "netfit_alert_remediate": True}


def test_changes_are_made_on_that_host_with_the_tags_that_are_allowed(answer: Answer, tmp_path: Path) -> None:
    done = answer("n2", **ALLOWED, netfit_alert_tags=["queues"])
    assert done.returncode == 0, done.stdout
    started = json.loads((tmp_path / "report/started.json").read_text(encoding="utf-8"))
    assert started == {"hosts": ["n2"], "tags": ["queues"]}
    assert [path.name for path in tmp_path.glob("asked-*.json")] == ["asked-n2.json"]


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"netfit_alert": "NetfitListenOverflows"},
        {**ALLOWED, "netfit_alert_remediate": "false"},
        {**ALLOWED, "netfit_alert": "NetfitMtuDrift"},
        {**ALLOWED, "netfit_alert_tags": []},
    ],
)
def test_nothing_is_changed_otherwise(answer: Answer, tmp_path: Path, variables: Dict[str, Any]) -> None:
    done = answer("n2", **variables)
    assert done.returncode == 0, done.stdout
    assert (tmp_path / "report/report.json").exists() and not (tmp_path / "report/started.json").exists()


@pytest.mark.parametrize(
    ("host", "variables"),
    [
        ("all", {}),
        ("n1:n2", {}),
        ("n[12]", {}),
        (["n1", "n2"], {}),
        ("", {}),
        ("n1", {"netfit_hosts": "all"}),
        ("n1", {**ALLOWED, "netfit_alert_tags": ["mtu"]}),
        ("n1", {**ALLOWED, "netfit_alert_tags": "queues"}),
        ("n1", {**ALLOWED, "netfit_alert_remediate": "perhaps"}),
    ],
)
def test_what_is_no_host_or_not_allowed_is_refused_before_any_is_touched(
    answer: Answer, tmp_path: Path, host: Any, variables: Dict[str, Any]
) -> None:
    done = answer(host, **variables)
    assert done.returncode == 2 and "but must be" in done.stdout
    assert not list(tmp_path.glob("asked-*.json")) and not (tmp_path / "report").exists()

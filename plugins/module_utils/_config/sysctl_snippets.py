# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What to write into a container's own description where its runtime has none for all: texts, one a kind."""

from __future__ import annotations

import shlex
from typing import Dict, Mapping


def docker_snippets(sysctls: Mapping[str, str]) -> Dict[str, str]:
    """Return the texts for docker run and for compose."""
    return {"docker_run": docker_run(sysctls), "compose": compose(sysctls)}


def pod_snippets(sysctls: Mapping[str, str]) -> Dict[str, str]:
    """Return the texts for a pod and for the values of a Helm chart."""
    return {"pod": pod(sysctls), "helm": helm(sysctls)}


def docker_run(sysctls: Mapping[str, str]) -> str:
    """Return the options of docker run (of nerdctl and podman too); not with --network host."""
    options = " ".join(f"--sysctl {shlex.quote(f'{key}={value}')}" for key, value in sorted(sysctls.items()))
    return f"docker run {options} IMAGE\n"


def compose(sysctls: Mapping[str, str]) -> str:
    """Return the part of a compose file; not with network_mode: host."""
    return "services:\n  SERVICE:\n    sysctls:\n" + _mapping(sysctls, 6)


def pod(sysctls: Mapping[str, str]) -> str:
    """Return the part of a pod, or of the template of a Deployment; not with hostNetwork: true."""
    return "spec:\n  securityContext:\n    sysctls:\n" + _items(sysctls, 6)


def helm(sysctls: Mapping[str, str]) -> str:
    """Return the values that most charts take, and those of ingress-nginx."""
    return (
        "# Most charts (helm create):\npodSecurityContext:\n  sysctls:\n"
        + _items(sysctls, 4)
        + "# ingress-nginx:\ncontroller:\n  sysctls:\n"
        + _mapping(sysctls, 4)
    )


def _mapping(sysctls: Mapping[str, str], indent: int) -> str:
    return "".join(f'{" " * indent}{key}: "{value}"\n' for key, value in sorted(sysctls.items()))


def _items(sysctls: Mapping[str, str], indent: int) -> str:
    blanks = " " * indent
    return "".join(f'{blanks}- name: {key}\n{blanks}  value: "{value}"\n' for key, value in sorted(sysctls.items()))

# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The parts of an OCI runtime configuration (config.json of a bundle) that tell about the network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, Optional

from .state import object_of, text_of, texts_of


@dataclass(frozen=True)
class OciConfiguration:
    """annotations: of the runtime above. host_network: it gets no network namespace of its own.

    network_namespace_path: the namespace that it joins, None where a new one is made. sysctls: of its namespaces.
    """

    annotations: Dict[str, str]
    host_network: bool
    network_namespace_path: Optional[str]
    sysctls: Dict[str, str]

    def path_for(self, pid: Optional[int]) -> Optional[str]:
        """Return a path that leads to the container's network namespace. pid: of its first process.

        A path by another process's id, which the configuration has for a container that joins, is as good as that
        process lives: the container's own is taken instead.
        """
        if self.network_namespace_path and not self.network_namespace_path.startswith("/proc/"):
            return self.network_namespace_path
        return f"/proc/{pid}/ns/net" if pid else None


def parse_oci_configuration(value: Any) -> OciConfiguration:
    """Return what a parsed config.json says; what is missing or of another type counts as not said.

    Source: OCI runtime specification 1.0, config.md and config-linux.md ("Namespaces", "Sysctl").
    """
    configuration = object_of(value)
    linux = object_of(configuration.get("linux"))
    entries = linux.get("namespaces")
    namespaces = [object_of(entry) for entry in entries] if isinstance(entries, list) else []
    network = next((entry for entry in namespaces if entry.get("type") == "network"), None)
    return OciConfiguration(
        annotations=texts_of(configuration.get("annotations")),
        host_network=network is None,
        network_namespace_path=text_of(network.get("path")) if network else None,
        sysctls=texts_of(linux.get("sysctl")),
    )

# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The files that bring the MSS clamp back at boot: its table, a unit of systemd, and the links that start it.

Source: systemd.unit(5), systemd.special(7); nftables.service of Debian, Red Hat and SUSE, whose configuration usually
begins with "flush ruleset": ours comes after it, is started by it, and is loaded again whenever it is.
"""

from __future__ import annotations

from .._model.mss_clamp import FAMILY, NAME

RULES = "/etc/netfit/mss_clamp.nft"
UNIT = "netfit-mss-clamp.service"
_SYSTEM = "/etc/systemd/system"
UNIT_FILE = f"{_SYSTEM}/{UNIT}"
FIREWALL = "nftables.service"
FIREWALL_WANTS = f"{_SYSTEM}/{FIREWALL}.wants"
LINKS = (f"{_SYSTEM}/sysinit.target.wants/{UNIT}", f"{FIREWALL_WANTS}/{UNIT}")
"""Without the second one, a firewall that is stopped and then started would leave the clamp out."""
OWN_DIRECTORIES = {RULES: ["/etc/netfit"], LINKS[1]: [FIREWALL_WANTS]}
"""File: the directories that go with it once they are empty."""


def rules_text(replacing: str) -> str:
    """Return the file that nft reads. replacing: the statements."""
    return (
        "#!/usr/sbin/nft -f\n"
        "# Managed by netfit.cluster.mss_clamp: a stop-gap until the MTU of the pods is right.\n"
        f"# {UNIT} loads it. Remove both with state: absent.\n"
        f"{replacing}"
    )


def unit_text(nft: str) -> str:
    """Return the unit. nft: path of the program. However often the firewall is restarted, this is as well."""
    return f"""\
# Managed by netfit.cluster.mss_clamp: remove it with state: absent.
[Unit]
Description=TCP segment size of forwarded connections follows the MTU of the route (netfit)
DefaultDependencies=no
Wants=network-pre.target
After={FIREWALL}
Before=network-pre.target shutdown.target
Conflicts=shutdown.target
PartOf={FIREWALL}
ReloadPropagatedFrom={FIREWALL}
StartLimitIntervalSec=0

[Service]
Type=oneshot
RemainAfterExit=yes
StandardInput=null
ExecStart={nft} -f {RULES}
ExecReload={nft} -f {RULES}
ExecStop=-{nft} delete table {FAMILY} {NAME}

[Install]
WantedBy=sysinit.target {FIREWALL}
"""

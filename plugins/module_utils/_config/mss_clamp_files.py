# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The files that bring the MSS clamp back: its table, a unit for the boot, and a part of the firewall's unit.

Source: systemd.unit(5), systemd.service(5); nftables.service of Debian, Red Hat and SUSE, whose configuration usually
begins with "flush ruleset". Its own unit loads the clamp again as the last step of what it does: a unit beside it that
follows by PartOf= and ReloadPropagatedFrom= misses a reload that comes while it is being started.
"""

from __future__ import annotations

from .._model.mss_clamp import FAMILY, NAME

RULES = "/etc/netfit/mss_clamp.nft"
UNIT = "netfit-mss-clamp.service"
_SYSTEM = "/etc/systemd/system"
UNIT_FILE = f"{_SYSTEM}/{UNIT}"
FIREWALL = "nftables.service"
FIREWALL_DIRECTORY = f"{_SYSTEM}/{FIREWALL}.d"
FIREWALL_FILE = f"{FIREWALL_DIRECTORY}/90-netfit-mss-clamp.conf"
LINK = f"{_SYSTEM}/sysinit.target.wants/{UNIT}"
OWN_DIRECTORIES = {RULES: ["/etc/netfit"], FIREWALL_FILE: [FIREWALL_DIRECTORY]}
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
    """Return the unit that loads the clamp at boot. nft: path of the program."""
    return f"""\
# Managed by netfit.cluster.mss_clamp: remove it with state: absent.
[Unit]
Description=TCP segment size of forwarded connections follows the MTU of the route (netfit)
DefaultDependencies=no
Wants=network-pre.target
After={FIREWALL}
Before=network-pre.target shutdown.target
Conflicts=shutdown.target

[Service]
Type=oneshot
RemainAfterExit=yes
StandardInput=null
ExecStart={nft} -f {RULES}
ExecStop=-{nft} delete table {FAMILY} {NAME}

[Install]
WantedBy=sysinit.target
"""


def firewall_text(nft: str) -> str:
    """Return what the firewall's unit does in addition, whenever it has loaded or flushed rules. nft: as above."""
    return f"""\
# Managed by netfit.cluster.mss_clamp: remove it with state: absent.
[Service]
ExecStartPost=-{nft} -f {RULES}
ExecReload=-{nft} -f {RULES}
ExecStopPost=-{nft} -f {RULES}
"""

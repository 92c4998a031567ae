# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""All kinds of things that can be changed, by the name that the journal gives them."""

from __future__ import annotations

from typing import Dict

from .file_resource import FileResource
from .link_config_resource import LinkConfigResource
from .link_mtu_resource import LinkMtuResource
from .listen_backlog_resource import ListenBacklogResource
from .nft_table_resource import NftTableResource
from .resource import Resource
from .route_mtu_resource import RouteMtuResource
from .sysctl_resource import SysctlResource
from .unit_resources import UnitFileResource, UnitLinkResource, UnitStateResource

RESOURCES: Dict[str, Resource] = {
    "file": FileResource(),
    "link_config": LinkConfigResource(),
    "link_mtu": LinkMtuResource(),
    "listen_backlog": ListenBacklogResource(),
    "nft_table": NftTableResource(),
    "route_mtu": RouteMtuResource(),
    "sysctl": SysctlResource(),
    "unit_file": UnitFileResource(),
    "unit_link": UnitLinkResource(),
    "unit_state": UnitStateResource(),
}

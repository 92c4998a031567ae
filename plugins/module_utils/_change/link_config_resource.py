# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Files of those that configure links, as things that can be changed and undone: their program reads them anew.

Target: that of a file, and {"manager": ..., "reload": name of a Reload, "link": ...}. Value: as of a file.
"""

from __future__ import annotations

from typing import List, Sequence

from .._model.link_owner import LinkConfigPlan
from .file_resource import FileResource
from .journal import Change

KIND = "link_config"


class LinkConfigResource(FileResource):
    """See Resource."""


def link_config_changes(plans: Sequence[LinkConfigPlan], root: str = "/") -> List[Change]:
    """Return the changes of the plans as the journal takes them, each file once.

    Raises ChangeError where a file is no more what it was when the plan was made.
    """
    return []

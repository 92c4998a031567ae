# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sphinx's configuration for the documentation site. Nothing in it is loaded from a network."""

from __future__ import annotations

project = "netfit.cluster"
copyright = "2026, The netfit team"
extensions = ["myst_parser", "sphinx_antsibull_ext"]
root_doc = "index"
exclude_patterns = ["files"]

html_theme = "furo"
html_title = "netfit.cluster"
html_static_path = ["static"]
html_css_files = ["netfit.css"]
html_show_sphinx = False
html_copy_source = False
html_theme_options = {
    "navigation_with_keys": True,
    "light_css_variables": {"color-brand-primary": "#0b57a4", "color-brand-content": "#0b57a4"},
    "dark_css_variables": {"color-brand-primary": "#8cc2ff", "color-brand-content": "#8cc2ff"},
}
antsibull_ext_color_scheme = "none"  # netfit.css ties its colours to the theme's, which a reader can switch

myst_heading_anchors = 4  # as code hosts name them
myst_enable_extensions = ["attrs_inline"]
highlight_language = "text"
pygments_style = "default"
pygments_dark_style = "github-dark"
nitpicky = True
suppress_warnings = ["myst.header"]

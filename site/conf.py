"""Sphinx's settings for the course's site; scripts/make_site.py lays out what it reads, and runs it.

Nothing is executed: pages show the outputs that the notebooks hold. Nothing is loaded from elsewhere: no MathJax, no
widgets' scripts, no fonts, no badges (tests/browser/test_site.py).
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from udock_lab.version import __version__

project = "udock-lab"
author = "the udock-lab contributors"
copyright = f"{author}, MIT licence"  # noqa: A001 (Sphinx's name for it)
version = release = __version__

extensions = ["myst_nb", "lessonpages"]
root_doc = "index"
suppress_warnings = ["config.cache"]

nb_execution_mode = "off"
nb_ipywidgets_js = {}
nb_merge_streams = True
nb_code_prompt_show = "Show the code"
nb_code_prompt_hide = "Hide the code"
myst_heading_anchors = 4
pygments_style = "a11y-high-contrast-light"

html_favicon = "static/icon.svg"
html_context = {"default_mode": "auto"}
html_theme = "sphinx_book_theme"
html_title = "udock-lab"
html_static_path = ["static"]
html_css_files = ["course.css"]
html_use_index = False
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_last_updated_fmt = None
html_theme_options = {
    "use_download_button": False,  # it offers a PDF; each lesson has a link to its notebook
    "use_fullscreen_button": False,
    "navbar_persistent": [],
    "show_toc_level": 2,
    "home_page_in_toc": True,
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
    "footer_content_items": ["copyright"],
}

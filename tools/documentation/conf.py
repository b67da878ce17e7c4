"""The configuration of Sphinx."""

from importlib.metadata import version as version_of

from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx

project = "secondhand"
release = version = version_of("secondhand")
extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
root_doc = "index"
language = "en"

myst_heading_anchors = 4  # as on GitHub, so that the same links work there
nitpicky = True
smartquotes = False  # it would make one dash of --option

html_theme = "furo"
html_title = "secondhand"
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {"navigation_with_keys": True}
html_static_path: list[str] = []
highlight_language = "text"


def setup(app: Sphinx) -> None:
    """Show configurations of HAProxy as plain text: Pygments does not know them."""
    for name in ("haproxy", "haproxy-tcp"):
        app.add_lexer(name, TextLexer)

"""What the theme lacks: offline formulas, buttons that say what they do, descriptions, one address."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from hashlib import sha256
from html import escape
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from docutils import nodes
from myst_nb.sphinx_ import HideCodeCellNode, depart_HideCellInput, visit_HideCellInput
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util.fileutil import copy_asset
from sphinx.writers.html5 import HTML5Translator

# tex-chtml.js loads fonts for every formula, and an extension when a formula first uses one of its commands.
MATHJAX = ("tex-chtml.js", "output/chtml/fonts/woff-v2", "input/tex/extensions")
# The first line of a folded cell, which Colab shows as the cell's title.
CELL_TITLE = re.compile(r"#@title (.+?) *(\{.*\})?\n")
LONGEST_DESCRIPTION = 300
NOT_FOUND = """
<h1>Page not found</h1>
<p>There is no page at this address. It may have moved when a chapter got another name. The menu lists all chapters, the
search looks through them, and <a href="{start}">the first page</a> says what the book is.</p>
"""


def repository(root: Path) -> str:
    """Return the address of the book's repository, from ``pyproject.toml``."""
    with open(root / "pyproject.toml", "rb") as file:
        return tomllib.load(file)["project"]["urls"]["Repository"].rstrip("/")


def set_addresses(app: Sphinx, config: Config) -> None:
    """Tell the theme the repository before it makes its buttons, and others where GitHub publishes its pages."""
    address = repository(Path(app.confdir))
    owner, name = address.split("/")[-2:]
    config.html_theme_options["repository_url"] = address
    config.html_baseurl = f"https://{owner}.github.io/{name}/"
    # The page for a missing address is shown at any depth: its links begin at the root of the host.
    config.notfound_urls_prefix = f"/{name}/"
    config.notfound_context = {"title": "Page not found", "body": NOT_FOUND.format(start=f"/{name}/intro.html")}


def drop_thebe(app: Sphinx) -> None:
    """Undo Jupyter Book's loader of live cells, which the book does not use and which would come from another host."""
    for listeners in app.events.listeners.values():
        listeners[:] = [listener for listener in listeners if listener.handler.__module__ != "sphinx_thebe"]
    app.registry.css_files = [(name, options) for name, options in app.registry.css_files if "thebe" not in name]


def look(root: Path) -> str:
    """Hash of what all pages share: Sphinx would not copy a changed style sheet if no page had changed."""
    files = sorted(path for folder in ("_static", "_templates", "_ext") for path in (root / folder).rglob("*.*"))
    return sha256(b"".join(path.read_bytes() for path in files if path.suffix != ".pyc")).hexdigest()


def flat(buttons: list[dict]) -> Iterator[dict]:
    """Walk over header buttons, those in groups too."""
    for button in buttons:
        yield button
        yield from flat(button.get("buttons", []))


def name_buttons(page: str, address: str, buttons: list[dict]) -> dict[str, str]:
    """Give the theme's buttons words for readers.

    Returns
    -------
    dict
        Addresses of ``report``, ``download`` and ``colab``, as far as the page has them.
    """
    report = f"{address}/issues/new?title={quote(f'Error on page {page}', safe='')}"
    links = {"report": report}
    for button in flat(buttons):
        label = button.get("label", "")
        if label == "source-buttons":
            button["tooltip"] = "Report an error"
        elif label == "launch-buttons":
            button["tooltip"] = "Run this chapter"
        elif label == "source-issues-button":
            button.update(text="Report an error", url=report)
        elif label == "download-source-button":
            button["text"] = "Download notebook" if button["text"] == ".ipynb" else "Download page"
            links["download"] = button["url"]
        elif label == "download-pdf-button":
            button["text"] = "Print or save as PDF"
        elif button.get("text") == "Colab":
            button["text"] = "Open in Colab"
            links["colab"] = button["url"]
        if button.get("text"):
            # The words are visible: a second name in a tooltip would only repeat them, or differ.
            button.pop("tooltip", None)
    return links


def first_paragraph(doctree: nodes.document) -> str:
    """Text of the first paragraph of a page, cut at a word."""
    for paragraph in doctree.findall(nodes.paragraph):
        text = " ".join(paragraph.astext().split())
        if text and isinstance(paragraph.parent, nodes.section):
            return text if len(text) <= LONGEST_DESCRIPTION else text[:LONGEST_DESCRIPTION].rsplit(" ", 1)[0] + " …"
    return ""


def keep_tags(app: Sphinx, doctree: nodes.document) -> None:
    r"""Let a formula of several rows bear a ``\tag``, as in Colab: Sphinx would split it, which allows none."""
    for formula in doctree.findall(nodes.math_block):
        if r"\tag" in formula.astext() and not formula.get("nowrap"):
            text = rf"\begin{{equation*}}{formula.astext()}\end{{equation*}}"
            formula[:] = [nodes.Text(text)]
            formula["nowrap"] = True


def metatags(title: str, description: str, book: str) -> str:
    """HTML of the tags that a search engine or a shared link shows."""
    tags = {
        ("name", "description"): description,
        ("property", "og:title"): title,
        ("property", "og:description"): description,
        ("property", "og:type"): "article",
        ("property", "og:site_name"): book,
    }
    return "\n".join(f'<meta {kind}="{name}" content="{escape(text)}" />' for (kind, name), text in tags.items())


def prepare_page(app: Sphinx, page: str, template: str, context: dict, doctree: nodes.document | None) -> None:
    """Change what the theme's templates get for one page."""
    if doctree is None:
        context["header_buttons"] = []
        return
    if page == app.config.root_doc:
        # Its title is the book's, which the theme would write a second time.
        context["docstitle"] = ""
    address = app.config.html_theme_options["repository_url"]
    context["page_links"] = name_buttons(page, address, context["header_buttons"])
    # Set here: the theme drops a template that is empty before the buttons are made.
    context["theme_article_footer_items"] = ["page-actions.html"]
    title = app.env.titles[page].astext()
    tags = metatags(title, first_paragraph(doctree), app.config.html_title)
    context["metatags"] = f"{context.get('metatags', '')}\n{tags}"


def visit_folded_cell(translator: HTML5Translator, node: HideCodeCellNode) -> None:
    """Call a folded cell by its own title, and let what is written be its name for screen readers too."""
    title = CELL_TITLE.match(node.astext())
    if title:
        node["prompt_show"] = node["prompt_hide"] = title[1]
    start = len(translator.body)
    visit_HideCellInput(translator, node)
    label = ' aria-label="Toggle hidden content"'
    translator.body[start:] = [part.replace(label, "") for part in translator.body[start:]]


def copy_mathjax(app: Sphinx, error: Exception | None) -> None:
    """Copy MathJax from its pinned wheel into the site, so that formulas need no other host."""
    if error or app.builder.format != "html":
        return
    source = Path(find_spec("sphinx-mathjax-offline").origin).parent / "static" / "mathjax"
    target = Path(app.outdir) / "_static" / "mathjax"
    for part in MATHJAX:
        copy_asset(source / part, target / part if (source / part).is_dir() else (target / part).parent)


def setup(app: Sphinx) -> dict:
    """Connect to Sphinx."""
    drop_thebe(app)
    app.add_config_value("book_look", look(Path(app.confdir)), "html")
    app.add_node(HideCodeCellNode, override=True, html=(visit_folded_cell, depart_HideCellInput))
    app.connect("config-inited", set_addresses)
    app.connect("doctree-read", keep_tags)
    # The theme makes its buttons at priority 501.
    app.connect("html-page-context", prepare_page, priority=900)
    app.connect("build-finished", copy_mathjax)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

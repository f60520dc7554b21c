"""The built site, a server for it, and one Chromium for all tests."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from functools import cache, partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from tests.site import visit
from tools.book import Book

BOOK = Book()
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that takes ``page`` on every page of the book, one that takes ``chapter`` on every notebook."""
    pages = BOOK.toc()
    if "page" in metafunc.fixturenames:
        metafunc.parametrize("page", pages)
    if "chapter" in metafunc.fixturenames:
        metafunc.parametrize("chapter", [page for page in pages if (BOOK.root / f"{page}.ipynb").exists()])


@pytest.fixture(scope="session")
def book() -> Book:
    """The book that the site was built from."""
    return BOOK


@pytest.fixture(scope="session")
def site() -> Path:
    """The folder of the built site."""
    folder = BOOK.root / "_build" / "html"
    missing = [page for page in BOOK.toc() if not (folder / f"{page}.html").exists()]
    if missing:
        pytest.fail(f"The site lacks {', '.join(missing)}: run 'make book' first.", pytrace=False)
    return folder


@pytest.fixture(scope="session")
def soups(site: Path) -> dict[str, BeautifulSoup]:
    """The parsed pages by name."""
    return {page: BeautifulSoup((site / f"{page}.html").read_bytes(), "html.parser") for page in BOOK.toc()}


class Pages(SimpleHTTPRequestHandler):
    """The site at the root and, as GitHub publishes it, below the repository's name; no line for a request."""

    def translate_path(self, path: str) -> str:
        return super().translate_path(path.removeprefix(f"/{BOOK.repository.split('/')[1]}"))

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="session")
def server(site: Path) -> Iterator[str]:
    """Address of a local server of the site."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Pages, directory=str(site))) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{http.server_port}"
        http.shutdown()


@pytest.fixture(scope="session")
def browser() -> Iterator[object]:
    """Headless Chromium; without one, the tests that need it are skipped and say so."""
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.skip(f"NOT CHECKED: there is no browser here (looked for {', '.join(BROWSERS)})")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def visited(browser: object, server: str) -> Callable[[str], visit.Visit]:
    """Look at a page in the browser, once for all tests."""
    return cache(partial(visit.look, browser, server))

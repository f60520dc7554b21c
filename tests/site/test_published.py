"""What a site needs where it is published: its addresses, and a page for those that do not exist."""

import re
from dataclasses import fields
from xml.etree import ElementTree

import pytest

from tests.site.visit import Visit


@pytest.fixture(scope="session")
def home(book):
    """Where GitHub publishes the site: host, and path of its root."""
    owner, name = book.repository.split("/")
    return f"https://{owner}.github.io", f"/{name}"


def test_the_sitemap_lists_every_page_once(site, book, home):
    tree = ElementTree.parse(site / "sitemap.xml")
    listed = [place.text for place in tree.iterfind(".//{*}loc")]
    assert sorted(listed) == sorted(f"{''.join(home)}/{page}.html" for page in book.toc())


def test_a_page_says_where_it_is_published(soups, home, page):
    (canonical,) = soups[page].select("link[rel=canonical]")
    assert canonical["href"] == f"{''.join(home)}/{page}.html"


def test_links_of_the_page_for_a_missing_address_lead_somewhere_from_any_depth(site, home):
    text = (site / "404.html").read_text(encoding="utf-8")
    links = [link for link in re.findall(r'(?:href|src)="([^"#?]+)', text) if not link.startswith("https://")]
    assert f"{home[1]}/intro.html" in links
    assert [link for link in links if not link.startswith(f"{home[1]}/")] == []
    assert [link for link in links if not (site / link.removeprefix(f"{home[1]}/")).is_file()] == []


def test_the_page_for_a_missing_address_is_a_page_like_the_others(visited):
    seen = visited("404")
    found = {field.name: getattr(seen, field.name) for field in fields(Visit)}
    flat = {name: [*value.values()] if isinstance(value, dict) else [value] for name, value in found.items()}
    assert {name: value for name, value in flat.items() if any(value)} == {}

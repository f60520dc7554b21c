"""What the HTML of each page must hold; needs no browser."""

import re
from itertools import pairwise

import pytest

LOADED = ("script[src]", "img[src]", "iframe[src]", "source[src]", "video[src]", "audio[src]", "embed[src]")
LINKED = "link[rel~=stylesheet], link[rel~=preload], link[rel~=icon], link[rel~=modulepreload], link[rel~=preconnect]"
FOREIGN = re.compile(r"(https?:)?//")


def article(soup):
    return soup.select_one("article.bd-article")


def meta(soup, kind, name):
    tag = soup.find("meta", {kind: name})
    return tag["content"] if tag else ""


def test_nothing_is_loaded_from_another_host(soups, page):
    soup = soups[page]
    addresses = [tag["src"] for tag in soup.select(", ".join(LOADED))] + [tag["href"] for tag in soup.select(LINKED)]
    assert [address for address in addresses if FOREIGN.match(address)] == []


def test_no_stylesheet_loads_from_another_host(site):
    pattern = re.compile(r"(?:url\(|@import)\s*['\"]?(?:https?:)?//[^)'\"]*")
    found = {path.name: pattern.findall(path.read_text(encoding="utf-8")) for path in site.rglob("*.css")}
    assert {name: addresses for name, addresses in found.items() if addresses} == {}


def test_every_image_says_what_it_shows(soups, page):
    # An image without metadata gets its own address as alternative text; the logo stands beside its own words.
    images = [image for image in soups[page].select("img") if not image.find_parent(class_="navbar-brand")]
    assert [image["src"] for image in images if not image.get("alt", "").strip() or "/" in image["alt"]] == []


def test_headings_are_in_order(soups, page):
    levels = [int(heading.name[1]) for heading in article(soups[page]).find_all(re.compile("^h[1-6]$"))]
    assert levels.count(1) == 1 and levels[0] == 1
    jumps = [(above, below) for above, below in pairwise(levels) if below > above + 1]
    assert jumps == []


def test_description(soups, page):
    soup = soups[page]
    description = meta(soup, "name", "description")
    assert 30 <= len(description) <= 310, f"the first paragraph of {page} makes a poor description: {description!r}"
    assert meta(soup, "property", "og:description") == description
    title = article(soup).h1.contents[0].get_text()
    assert meta(soup, "property", "og:title").startswith(title)
    assert soup.title.get_text().startswith(title)


def test_descriptions_differ(soups):
    descriptions = [meta(soup, "name", "description") for soup in soups.values()]
    assert len(set(descriptions)) == len(descriptions)


def test_report_and_download(soups, book, site, page):
    soup = soups[page]
    source = next(path for path in (book.root / f"{page}.ipynb", book.root / f"{page}.md") if path.exists())
    for report in soup.select_one(".btn-source-issues-button"), soup.find("a", string="Report an error"):
        assert report["href"].startswith(f"https://github.com/{book.repository}/issues/new?title=")
    words = re.compile("^Download (notebook|page)$")
    for download in soup.select_one(".btn-download-source-button"), soup.find("a", string=words):
        target = (site / page).parent / download["href"]
        assert target.read_bytes() == source.read_bytes()


def test_the_map_leads_to_every_chapter(soups, book):
    links = [link["href"] for link in soups["intro"].select(".chapter-map a")]
    assert links == [f"chapters/{name}.html" for name in book.chapters()]


def test_colab_link(soups, book, chapter):
    address = f"https://colab.research.google.com/github/{book.repository}/blob/main/{chapter}.ipynb"
    links = soups[chapter].select("a[href*='colab.research.google.com']")
    assert {link["href"] for link in links} == {address}
    in_text = [link for link in links if link.find_parent("article")]
    in_header = [link for link in links if link.find_parent(class_="article-header-buttons")]
    assert in_text and in_header


@pytest.mark.parametrize("pattern", [r"\$[^$\n]+\$", r"\\\(|\\\[", r"\]\(http"])
def test_no_markup_is_shown_raw(soups, page, pattern):
    text = article(soups[page]).find_all(
        string=lambda text: (
            text.find_parent(["pre", "code", "script", "style"]) is None and text.find_parent(class_="math") is None
        )
    )
    assert [line.strip() for line in text if re.search(pattern, line)] == []

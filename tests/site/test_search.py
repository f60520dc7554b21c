"""The site's own search finds every page."""

import re
from collections import Counter

import pytest


@pytest.fixture(scope="module")
def words(soups):
    """One word for each page: the one that the fewest pages have, and then the page has most often."""
    counts = {
        page: Counter(
            word
            for element in soup.select("article :is(h1, h2, h3, p, li, td)")
            for word in re.findall(r"\b[a-z]{4,}\b", element.get_text(" "))
        )
        for page, soup in soups.items()
    }
    everywhere = Counter(word for count in counts.values() for word in count)
    return {
        page: min(count, key=lambda word, count=count: (everywhere[word], -count[word], word))
        for page, count in counts.items()
    }


@pytest.fixture(scope="module")
def search(browser, server):
    """Search as a reader does; the page of the browser stays open between searches."""
    tab = browser.new_page()

    def paths(word):
        tab.goto(f"{server}/search.html?q={word}")
        tab.wait_for_function("document.querySelector('#search-results h2')?.innerText === 'Search Results'")
        return tab.evaluate(
            "[...document.querySelectorAll('#search-results li a')].map(link => new URL(link).pathname)"
        )

    yield paths
    tab.close()


def test_search_finds_a_word_of_the_page(search, words, page):
    found = search(words[page])
    assert f"/{page}.html" in found, f"{words[page]!r} stands on {page} but search shows {found}"


def test_search_finds_nothing_for_nonsense(search):
    assert search("qqzzxx") == []

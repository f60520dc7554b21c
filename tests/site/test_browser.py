"""What only a browser shows."""

import pytest


def test_no_other_host_is_needed(visited, page):
    assert visited(page).foreign == []


def test_nothing_is_missing(visited, page):
    assert visited(page).failed == []
    assert visited(page).empty_images == []


def test_no_console_error(visited, page):
    assert visited(page).errors == []


def test_equations_are_rendered(visited, page):
    seen = visited(page)
    assert seen.rendered == seen.formulas
    assert seen.broken_formulas == []


def test_no_displayed_equation_is_cut_on_a_phone(visited, page):
    assert visited(page).cut_formulas == []


def test_a_chapter_has_equations(visited, chapter):
    assert visited(chapter).formulas > 0


@pytest.mark.parametrize("pixels", ["1280", "390"])
def test_no_horizontal_overflow(visited, page, pixels):
    assert visited(page).too_wide[pixels] == []


@pytest.mark.parametrize("look", ["light", "dark", "phone"])
def test_accessible(visited, page, look):
    assert visited(page).violations[look] == []

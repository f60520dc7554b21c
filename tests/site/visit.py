"""One look at one page in a real browser: everything that the tests then ask about."""

from __future__ import annotations

from dataclasses import dataclass, field

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route

DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
SERIOUS = ("moderate", "serious", "critical")
# All of WCAG 2.2 AA, axe's best practices, and its experimental rules, one of which the theme breaks.
EVERYTHING = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice", "experimental"]
# What else can change with the colors, and with the width.
COLORS = ["color-contrast", "link-in-text-block"]
NARROW = ["scrollable-region-focusable", "target-size", "region", "label-content-name-mismatch"]
# Otherwise colors are measured half-way between two themes.
STILL = "*, *::before, *::after { transition: none !important; animation: none !important }"
# After a change of size the theme makes what now scrolls reachable by keyboard, with a delay.
THEME_SETTLES = 600
UNFOLD = "document.querySelectorAll('details').forEach(details => details.open = true)"
# Thousands of tokens of code have a dozen colors: one token of each is enough to look at.
ONE_OF_EACH_TOKEN = """
const seen = new Set();
for (const token of document.querySelectorAll('.highlight span[class]')) {
    if (seen.has(token.className)) token.replaceWith(...token.childNodes);
    seen.add(token.className);
}
"""
FORMULAS_READY = "window.MathJax?.startup ? MathJax.startup.promise.then(() => true) : true"
# A command that MathJax does not know becomes red text instead of an error.
BROKEN_FORMULAS = """
[...document.querySelectorAll('mjx-merror, mjx-mtext[style*="red"], mjx-mstyle[style*="red"]')].map(
    element => element.closest('.math')?.textContent ?? element.textContent)
"""
# A displayed formula can be scrolled, but nothing on the page says so.
CUT_FORMULAS = """
[...document.querySelectorAll('div.math')].filter(
    element => [element, ...element.querySelectorAll('mjx-container')].some(
        part => part.scrollWidth > part.clientWidth + 2)
).map(element => element.textContent.trim().slice(0, 80))
"""
WIDER_THAN_WINDOW = """
document.documentElement.scrollWidth <= innerWidth ? [] :
    [...document.querySelectorAll('body *')].filter(
        element => element.getBoundingClientRect().right > innerWidth + 1
            && !element.closest('pre, .math, .output, .pst-scrollable-table-container')
    ).slice(0, 5).map(element => element.outerHTML.slice(0, 120))
"""


@dataclass
class Visit:
    """What was seen on a page."""

    foreign: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    formulas: int = 0
    rendered: int = 0
    broken_formulas: list[str] = field(default_factory=list)
    cut_formulas: list[str] = field(default_factory=list)
    empty_images: list[str] = field(default_factory=list)
    too_wide: dict[str, list[str]] = field(default_factory=dict)
    violations: dict[str, list[str]] = field(default_factory=dict)


def open_page(browser: Browser, server: str, seen: Visit) -> Page:
    """Open an empty page that keeps account of its requests and errors, and lets none leave this machine."""

    def answer(route: Route) -> None:
        if route.request.url.startswith(server):
            route.continue_()
        else:
            seen.foreign.append(route.request.url)
            route.abort()

    page = browser.new_page(viewport=DESKTOP, color_scheme="light")
    page.route("**/*", answer)
    page.on("response", lambda response: seen.failed.append(response.url) if response.status >= 400 else None)
    page.on("console", lambda line: seen.errors.append(line.text) if line.type == "error" else None)
    page.on("pageerror", lambda error: seen.errors.append(str(error)))
    return page


def violations(page: Page, rules: list[str]) -> list[str]:
    """Rules of axe-core, or rules with these tags, that the page breaks, each with the elements concerned."""
    # Without preload: it would fetch style sheets anew, some from where they do not lie.
    options = {"resultTypes": ["violations"], "preload": False, "runOnly": rules}
    found = Axe().run(page, options=options).response["violations"]
    return [
        f"{rule['id']} ({rule['impact']}): " + "; ".join(node["html"][:160] for node in rule["nodes"][:5])
        for rule in found
        if rule["impact"] in SERIOUS
    ]


def width(page: Page) -> list[str]:
    """Elements that make the page wider than the window."""
    too_wide = page.evaluate(WIDER_THAN_WINDOW)
    overflow = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return too_wide or ([f"{overflow} pixels"] if overflow > 0 else [])


def look(browser: Browser, server: str, name: str) -> Visit:
    """Load a page once; see it light and dark, wide and narrow, with all that folds unfolded."""
    seen = Visit()
    page = open_page(browser, server, seen)
    page.goto(f"{server}/{name}.html")
    page.add_style_tag(content=STILL)
    seen.formulas = page.evaluate("document.querySelectorAll('.math').length")
    page.evaluate(FORMULAS_READY)
    page.evaluate(UNFOLD)
    seen.rendered = page.evaluate("document.querySelectorAll('.math > mjx-container').length")
    seen.broken_formulas = page.evaluate(BROKEN_FORMULAS)
    seen.empty_images = page.evaluate(
        "[...document.images].filter(image => image.complete && !image.naturalWidth).map(image => image.src)"
    )
    seen.too_wide["1280"] = width(page)
    page.evaluate(ONE_OF_EACH_TOKEN)
    seen.violations["light"] = violations(page, EVERYTHING)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function("document.documentElement.dataset.theme === 'dark'")
    seen.violations["dark"] = violations(page, COLORS)
    page.set_viewport_size(PHONE)
    page.wait_for_timeout(THEME_SETTLES)
    seen.too_wide["390"] = width(page)
    seen.cut_formulas = page.evaluate(CUT_FORMULAS)
    seen.violations["phone"] = violations(page, NARROW)
    page.close()
    return seen

"""readiness.html in a real Chromium: light and dark, wide and narrow, on screen and on paper."""

import shutil
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

from readiness.reporters.page import page
from readiness.reporters.runs_table import RunColumn, runs_page
from tests.example_records import check, dimension, failing, record, with_texts
from tests.reporters.test_hostile_text import HOSTILE

Scheme = Literal["light", "dark"]
CHROMIUM = shutil.which("chromium")

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium to look with")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        # As root, in a container, Chromium has no sandbox; what it opens here is our own file.
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


class Seen:
    """A page in a browser, with what it asked for and complained of."""

    def __init__(self, browser: Browser, file: Path, width: int, scheme: Scheme) -> None:
        self.page: Page = browser.new_page(
            viewport={"width": width, "height": 900}, color_scheme=scheme
        )
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", self._request)
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: self.complaints.append(dialog.message))
        self.page.goto(file.as_uri())

    def _request(self, request: Request) -> None:
        self.requests.append(request.url)

    def _console(self, message: ConsoleMessage) -> None:
        self.complaints.append(message.text)

    def unfold(self) -> None:
        """Open what is folded."""
        self.page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")

    @property
    def overflow(self) -> int:
        """By how many pixels the page is wider than its window."""
        found = self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert isinstance(found, int)
        return found


def written(folder: Path, html: str) -> Path:
    file = folder / "readiness.html"
    file.write_text(html, "utf-8")
    return file


@pytest.mark.parametrize(
    ("width", "scheme", "language"), [(400, "light", "zh"), (1280, "dark", "en")]
)
def test_the_page_fits_asks_for_nothing_and_is_accessible(
    browser: Browser, tmp_path: Path, width: int, scheme: Scheme, language: str
) -> None:
    file = written(tmp_path, page(record(), language))
    seen = Seen(browser, file, width, scheme)
    assert seen.overflow <= 0
    assert seen.requests == [file.as_uri()]
    assert seen.complaints == []
    seen.unfold()
    assert seen.overflow <= 0
    # axe is put in by the debugger, past the policy of the page.
    found = Axe().run(seen.page)
    assert [(each["id"], each["nodes"][0]["html"]) for each in found.response["violations"]] == []
    assert "color-contrast" in [each["id"] for each in found.response["passes"]]


def test_a_page_of_several_runs_is_short_fits_and_is_accessible(
    browser: Browser, tmp_path: Path
) -> None:
    named = ["license", "json_only", "tool_calling", "memory", "long_context", "refusal", "api"]
    sections = [dimension(each, *(failing(f"{each}.{n}") for n in range(9))) for each in named]
    runs = [RunColumn.of(f"run {n}", record(*sections), None) for n in range(9)]
    seen = Seen(browser, written(tmp_path, runs_page(runs)), 400, "dark")
    assert seen.page.evaluate("document.documentElement.scrollHeight") < 3 * 900
    seen.unfold()
    assert seen.overflow <= 0
    # What is wider than its box is scrolled by keys, too.
    assert seen.page.evaluate("document.querySelector('.wide').scrollWidth") > 400
    assert Axe().run(seen.page).response["violations"] == []


def test_the_style_is_admitted_and_the_verdict_has_its_colour(
    browser: Browser, tmp_path: Path
) -> None:
    seen = Seen(browser, written(tmp_path, page(record())), 1280, "light")
    colour = "getComputedStyle(document.querySelector('.word')).color"
    assert seen.page.evaluate(colour) == "rgb(179, 38, 30)"


def test_what_a_model_says_neither_runs_nor_asks_nor_widens_the_page(
    browser: Browser, tmp_path: Path
) -> None:
    said = cycle(HOSTILE)
    file = written(tmp_path, page(with_texts(record(), lambda _: next(said))))
    seen = Seen(browser, file, 400, "light")
    assert seen.requests == [file.as_uri()]
    assert seen.complaints == []
    assert seen.overflow <= 0
    seen.unfold()
    assert seen.overflow <= 0
    assert "<script>alert(1)</script>" in seen.page.inner_text("body")


def test_a_folded_page_is_short_and_a_link_opens_what_it_names(
    browser: Browser, tmp_path: Path
) -> None:
    named = ["license", "json_only", "tool_calling", "memory", "long_context", "refusal"]
    named += ["low_resource", "spanish", "multilingual", "load", "stability", "api"]
    sections = [dimension(each, *(failing(f"{each}.{n}") for n in range(9))) for each in named]
    seen = Seen(browser, written(tmp_path, page(record(*sections))), 1280, "light")
    assert seen.page.evaluate("document.documentElement.scrollHeight") < 3 * 900
    row = seen.page.get_by_text("What did I say?").first
    assert not row.is_visible()
    seen.page.get_by_role("link", name="license", exact=True).click()
    seen.page.goto(f"{seen.page.url.partition('#')[0]}#license.0")
    assert row.is_visible()


def test_the_page_prints_on_a4(browser: Browser, tmp_path: Path) -> None:
    checks = [check(f"api.check_{n}") for n in range(10)]
    file = written(tmp_path, page(record(dimension("api", *checks))))
    seen = Seen(browser, file, 1280, "dark")
    paper = seen.page.pdf(prefer_css_page_size=True)
    assert b"/MediaBox [0 0 841.91998 594.95996]" in paper
    folded = paper.count(b"/Type /Page\n")
    assert 1 <= folded <= 6
    seen.unfold()
    paper = seen.page.pdf(prefer_css_page_size=True)
    assert paper.count(b"/Type /Page\n") == folded  # On paper nothing is folded.

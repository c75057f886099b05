"""The pages, in a real browser: what people see, and that axe-core finds nothing serious in it."""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.serving import Served, sample_store, served

pytestmark = pytest.mark.xdist_group("pages")
DL3 = "dl3_LST-1.Run12012.fits"
PAGES = (
    "/",
    "/nights",
    "/night/20230312",
    "/run/12013",
    "/search?q=LST-1.Run12012",
    f"/product?name={DL3}",
    "/questions",
    f"/questions/lineage?product={DL3}",
    "/questions/durations",
    f"/compare?first={DL3}&second=dl3_LST-1.Run12013.fits",
    "/graph",
    "/graph?run=12012&grain=run",
    "/sparql",
    "/api",
    "/entity/none",
    "/product?name=dl1_LST-1.Run12012.0000.h5",
)
VIEWS = ("history", "what-came-of-it", "parameters", "environment", "checks", "grade", "recipe", "cite", "statements")


def chromium() -> str:
    return shutil.which("chromium") or shutil.which("chromium-browser") or ""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(sample_store(tmp_path_factory.mktemp("pages")), "--workers", "2") as found:
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api")
    if not chromium():
        pytest.skip("Chromium is not here")
    os.environ.pop("DISPLAY", None)
    with playwright.sync_playwright() as driver:
        found = driver.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        yield found
        found.close()


class Seen:
    """A page, and what the browser complained of or asked of others."""

    def __init__(self, page: Any, root: str) -> None:
        self.page, self.root = page, root
        self.complaints: list[str] = []
        page.on(
            "console", lambda said: self.complaints.append(said.text) if said.type in ("error", "warning") else None
        )
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", self._asked)

    def _asked(self, request: Any) -> None:
        if not request.url.startswith((self.root, "data:", "blob:")):
            self.complaints.append(f"asked {request.url}")

    def open(self, path: str) -> Any:
        self.page.goto(self.root + path)
        return self.page


@pytest.fixture
def seen(browser: Any, site: Served) -> Iterator[Seen]:
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    yield Seen(context.new_page(), site.root)
    context.close()


def serious(page: Any) -> list[str]:
    """Return what axe-core finds that is serious or critical."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [
        f"{each['id']}: {each['nodes'][0]['html'][:200]}" for each in found if each["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_each_page_is_quiet_and_can_be_used_by_everybody(browser: Any, site: Served, scheme: str) -> None:
    context = browser.new_context(color_scheme=scheme)
    seen = Seen(context.new_page(), site.root)
    product = seen.open(f"/product?name={DL3}").url.removeprefix(site.root)
    views = [f"{product}?view={view}" for view in VIEWS] if scheme == "light" else []
    for path in (*PAGES, *views):
        page = seen.open(path)
        assert page.locator("h1").count() == 1, path
        assert not serious(page), path
        assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"], path
    told = [each for each in seen.complaints if "404" not in each and "300" not in each]
    assert not told
    context.close()


def test_a_file_is_found_and_told_of(seen: Seen) -> None:
    page = seen.open("/")
    page.locator("main input[name=q]").fill(DL3)
    page.keyboard.press("Enter")
    page.wait_for_url("**/page/entity/*")
    assert page.locator("h1").inner_text() == DL3
    assert page.locator("text=dl2_LST-1.Run12012.h5").count() == 1, "what it was made from"
    assert page.locator("dd >> text=lstchain v0.9.13").count() == 1
    for view, text in (
        ("history", "r0_to_dl1"),
        ("parameters", "ObservationRun"),
        ("environment", "lstchain"),
        ("grade", "traceability"),
        ("recipe", "#!"),
        ("cite", "@"),
    ):
        page.locator(f"nav.tabs a[href='?view={view}']").click()
        assert page.locator("nav.tabs [aria-current=page]").get_attribute("href") == f"?view={view}"
        assert text in page.locator("main").inner_text()
    assert page.locator("p.formats a").all_inner_texts() == ["ttl", "jsonld", "nt", "rdf", "json", "provn", "provx"]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("12012", "/run/12012"),
        ("run 12012", "/run/12012"),
        ("2023-03-12", "/night/20230312"),
        ("20230312", "/night/20230312"),
    ],
)
def test_the_search_knows_runs_and_nights(seen: Seen, text: str, place: str) -> None:
    page = seen.open("/")
    page.locator("header input[name=q]").fill(text)
    page.keyboard.press("Enter")
    page.wait_for_url("**" + place)


def test_the_search_finds_parts_of_names_and_says_where_there_is_nothing(seen: Seen) -> None:
    assert seen.open("/search?q=run12012.0001").locator("tbody tr").count() > 2
    assert "Nothing answers" in seen.open("/search?q=no-such-thing").locator("main").inner_text()


def test_a_run_shows_what_is_missing(seen: Seen) -> None:
    page = seen.open("/run/12013")
    told = page.locator("main").inner_text()
    assert "unknown" in told
    assert "failed" in told
    page.locator("text=20230312").first.click()
    rows = page.locator("table").first.locator("tbody tr")
    assert rows.count() == 3
    assert "4 (1 unknown)" in rows.nth(2).inner_text()


def has_pictures() -> bool:
    return shutil.which("dot") is not None


def shapes(page: Any, count: int) -> None:
    """Wait until so many shapes are there."""
    from playwright.sync_api import expect

    expect(page.locator("g.node")).to_have_count(count)


def test_a_shape_is_opened_without_loading_the_page(seen: Seen) -> None:
    if not has_pictures():
        pytest.skip("graphviz is not here")
    page = seen.open("/graph?run=12012&grain=run")
    page.evaluate("window.here = 'the same page'")
    before = page.locator("g.node").count()
    page.locator("g.node", has_text="r0_to_dl1").locator("a").first.click()
    shapes(page, before + 2)
    assert page.evaluate("window.here") == "the same page"
    assert "open=" in page.url
    page.go_back()
    shapes(page, before)
    page.locator("select[name=grain]").select_option("subrun")
    page.locator("#graph button").click()
    page.locator("g.node").nth(before + 5).wait_for()
    assert page.evaluate("window.here") == "the same page"
    assert not seen.complaints


def test_a_shape_of_one_leads_to_its_page(seen: Seen) -> None:
    if not has_pictures():
        pytest.skip("graphviz is not here")
    page = seen.open("/graph?run=12012&grain=run")
    page.locator("g.node", has_text="drs4_pedestal.Run12010").locator("a").first.click()
    page.wait_for_url("**/page/entity/*")
    assert page.locator("h1").inner_text() == "drs4_pedestal.Run12010.0000.h5"


def test_all_of_it_works_without_scripts(browser: Any, site: Served) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site.root}/graph?run=12012&grain=run")
    if has_pictures():
        before = page.locator("g.node").count()
        page.locator("g.node", has_text="r0_to_dl1").locator("a").first.click()
        page.wait_for_url("**open=**")
        assert page.locator("g.node").count() == before + 2
    page.goto(f"{site.root}/sparql")
    with page.expect_response(re.compile("/sparql$")) as answer:
        page.locator("#plain select").select_option("application/sparql-results+json")
        page.locator("#plain button").click()
    assert answer.value.json()["results"]["bindings"]
    page.goto(f"{site.root}/questions/steps")
    page.locator("input[name=product]").fill(DL3)
    page.locator("form.fields button").click()
    assert page.locator("table tbody tr").count() >= 5
    context.close()


def test_a_question_is_a_form_with_pickers_and_a_permalink(seen: Seen) -> None:
    page = seen.open("/questions/calibration")
    offered = page.locator("datalist option").evaluate_all("all => all.map(each => each.value)")
    assert offered == ["12012", "12013", "12050"]
    page.locator("input[name=run]").fill("12050")
    page.locator("form.fields button").click()
    page.wait_for_url("**/questions/calibration?run=12050")
    assert "another night" in page.locator("table").inner_text()
    assert "pkg:" in page.locator("details pre").text_content()
    told = page.request.get(seen.root + page.locator("p.formats a", has_text="tsv").get_attribute("href"))
    assert told.text().splitlines()[0].startswith("role") or "\t" in told.text()
    page.locator("input[name=run]").fill("99999")
    page.locator("form.fields button").click()
    assert "12012, 12013, 12050" in page.locator("[role=alert]").inner_text()


def test_yasgui_asks_this_server(seen: Seen) -> None:
    page = seen.open("/sparql")
    page.locator(".yasqe_queryButton").click()
    page.wait_for_selector(".yasr table tbody tr, .yasr .dataTable tbody tr")
    assert page.locator(".yasr tbody tr").count() >= 10
    assert not page.locator("#plain").is_visible()
    page.locator("ul.examples details").first.click()
    page.locator("ul.examples button").first.click()
    page.locator(".yasqe_queryButton").click()
    page.wait_for_selector(".yasr tbody tr")
    told = [
        each for each in seen.complaints if "inline style" not in each
    ]  # the policy stops these, and they are not missed
    assert not told


def test_two_products_are_compared(seen: Seen) -> None:
    page = seen.open("/compare")
    page.locator("input[name=first]").fill(DL3)
    page.locator("input[name=second]").fill("dl3_LST-1.Run12013.fits")
    page.locator("form.fields button").click()
    assert "ObservationRun" in page.locator("table").inner_text()
    seen.open(f"/compare?first={DL3}&second={DL3}")
    assert "do not differ" in page.locator("main").inner_text()


def test_a_page_fits_a_phone_and_paper(browser: Any, site: Served, tmp_path: Path) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 700})
    page = context.new_page()
    for path in PAGES:
        page.goto(site.root + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, path
    page.goto(f"{site.root}/product?name={DL3}")
    page.emulate_media(media="print")
    assert not page.locator("header nav").is_visible()
    assert page.locator("h1").is_visible()
    context.close()


def test_the_keyboard_reaches_everything(seen: Seen) -> None:
    page = seen.open("/graph?run=12012&grain=run")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null")

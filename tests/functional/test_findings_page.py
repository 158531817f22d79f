"""``doctor --format html`` as a browser shows it: narrow, dark, by keyboard, whatever is in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.broken import make_shop, remove
from tests.support.chromium import CHROMIUM, Page, chromium
from tests.support.cli import run
from tests.support.index import Index
from tests.support.projects import site_of
from tests.support.sites import Site

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")

STRANGE = "<script>document.title='run'</script><img src=x onerror=document.title='run'>"


@pytest.fixture
def page(tmp_path: Path, index: Index) -> Iterator[Page]:
    """The report of a project in which beta is missing, and gamma is what strangers made."""
    root = make_shop(tmp_path, index)
    remove("beta*")(root)
    metadata = f"Metadata-Version: 2.1\nName: gamma\nVersion: 1.0\nRequires-Dist: {STRANGE}\n"
    licence = "Classifier: License :: <script>document.title='run'</script>\n"
    long = f"gamma/{'long_' * 40}.py"
    Site(site_of(root)).dist_info("gamma", files={long: "x" * 4000}, metadata=metadata + licence)
    (site_of(root) / long).unlink()
    ran = run("doctor", "--format", "html", cwd=root)
    assert (ran.code, ran.stderr) == (1, "")
    assert "<script>document" not in ran.stdout
    report = tmp_path / "report.html"
    report.write_text(ran.stdout, encoding="utf-8")
    with chromium(tmp_path / "profile") as shown:
        shown.open(report)
        yield shown


def test_the_page_fetches_nothing_and_runs_nothing_of_what_strangers_wrote(page: Page) -> None:
    assert [url for url in page.requested if not url.startswith("file:")] == []
    assert len(page.requested) == 1
    assert page.value("document.title").startswith("venvman doctor")
    page.value("document.body.insertAdjacentHTML('beforeend', `" + STRANGE + "`)")
    assert page.value("document.title").startswith("venvman doctor")
    assert page.value("document.querySelector('.verdict').textContent").startswith("Findings: ")


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_and_can_be_read(page: Page, width: int, scheme: str) -> None:
    screen = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500}
    page.call("Emulation.setDeviceMetricsOverride", **screen)
    feature = {"name": "prefers-color-scheme", "value": scheme}
    page.call("Emulation.setEmulatedMedia", features=[feature])
    assert page.value("document.documentElement.scrollWidth") <= width
    back, text = page.value(
        "(style => [style.backgroundColor, style.color])(getComputedStyle(document.body))"
    )
    assert contrast(back, text) > 7
    assert (light(back) < light(text)) is (scheme == "dark")
    for word in ("error", "warning", "faint"):
        color = page.value(f"getComputedStyle(document.querySelector('.{word}')).color")
        assert contrast(back, color) > 4.5


def test_the_page_is_read_by_keyboard_alone(page: Page) -> None:
    focus_on(page, "document.activeElement.textContent === 'beta 1.0 (missing)'")
    assert page.value("document.querySelectorAll('path.on').length") == 1
    page.press("Enter")
    assert page.value("document.querySelector('tr:target').cells[2].textContent") == "missing"
    focus_on(page, "document.activeElement.textContent === 'Size'")
    page.press("Enter")
    assert names(page) == sorted(names(page), key=lambda name: sizes(page)[name])
    page.press("Enter")
    assert page.value("document.activeElement.parentNode.ariaSort") == "descending"
    assert names(page) == sorted(names(page), key=lambda name: -sizes(page)[name])


def focus_on(page: Page, script: str) -> None:
    """Goes from one thing to the next with the tabulator until ``script`` holds."""
    for _ in range(60):
        page.press("Tab")
        if page.value(script):
            return
    raise AssertionError(script)


def names(page: Page) -> list[str]:
    return list(sizes(page))


def sizes(page: Page) -> dict[str, int]:
    rows: list[list[str]] = page.value(
        "[...document.querySelectorAll('tbody tr')]"
        ".map(row => [row.cells[0].textContent, row.cells[3].dataset.value])"
    )
    return {name: int(size) for name, size in rows}


def light(color: str) -> float:
    """The relative luminance of WCAG 2."""
    parts = [int(each) / 255 for each in color[4:-1].split(",")]
    red, green, blue = (
        each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((light(one), light(other)))
    return (lighter + 0.05) / (darker + 0.05)

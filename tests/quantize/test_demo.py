"""The demo, with fewer images and epochs than a person gets."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import pytest

from edge.errors import OutputError
from quantize.demo import FRAMES, DemoResult, run_demo
from tests.conftest import LAX


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> DemoResult:
    out = tmp_path_factory.mktemp("demo") / "demo"
    return run_demo(out, images_per_class=12, epochs=1, criterion=LAX)


class _Pictures(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.sources: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if tag == "img" and name == "src":
                self.sources.append(value or "")
            elif name in ("src", "href"):
                self.links.append(value or "")


def test_page_shows_curves_matrices_and_frames_without_any_other_file(demo: DemoResult) -> None:
    page = demo.page.read_text()
    pictures = _Pictures()
    pictures.feed(page)
    assert len(pictures.sources) == 2 + FRAMES
    assert all(source.startswith("data:image/") for source in pictures.sources)
    assert pictures.links == []
    assert "not a medical device" in page
    assert "float32" in page
    assert "int8" in page


def test_frames_are_of_every_class_and_have_results(demo: DemoResult) -> None:
    assert [frame.true_label for frame in demo.frames] == [
        label for label in ("Benign", "Early", "Pre", "Pro") for _ in range(FRAMES // 4)
    ]
    assert all(frame.prediction.scores for frame in demo.frames)


def test_earlier_demo_is_replaced_only_when_told(demo: DemoResult, tmp_path: Path) -> None:
    out = demo.page.parent
    with pytest.raises(OutputError, match="--overwrite"):
        run_demo(out)
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "thesis.txt").touch()
    with pytest.raises(OutputError, match="must not exist"):
        run_demo(precious, overwrite=True)
    assert (precious / "thesis.txt").exists()
    again = run_demo(out, overwrite=True, images_per_class=6, epochs=1, criterion=LAX)
    assert again.page.is_file()
    assert len(list((out / "smears").rglob("*.png"))) == 24

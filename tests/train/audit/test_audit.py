"""blastscope audit, on good sets and on bad ones."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import cv2
import numpy as np
import pytest

from edge.errors import DatasetError
from train.audit.audit import Audit, audit
from train.audit.page import write_page

Command = Callable[..., CompletedProcess[str]]


@pytest.fixture(scope="module")
def found(smears: Path) -> Audit:
    return audit(smears)


@pytest.fixture(scope="module")
def bad(smears: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set with all that can be wrong, under a name with markup in it."""
    folder = tmp_path_factory.mktemp("bad") / "<b>set</b>"
    for label in ("Benign", "Pro"):
        (folder / label).mkdir(parents=True)
        for path in sorted((smears / label).glob("*.png"))[:8]:
            shutil.copy(path, folder / label)
    whole = cv2.imread(str(folder / "Pro" / "Pro-0001.png"))
    jpeg = cv2.imencode(".jpg", whole)[1].tobytes()
    (folder / "Pro" / "cut.jpg").write_bytes(jpeg[: len(jpeg) // 2])
    (folder / "Pro" / "damaged.jpg").write_bytes(jpeg[: len(jpeg) // 2] + b"\xff\xd9")
    (folder / "Benign" / "text.jpg").write_text("no picture")
    (folder / "Benign" / "empty.png").touch()
    cv2.imwrite(str(folder / "Benign" / "grey.png"), whole[..., 0])
    shutil.copy(folder / "Benign" / "Benign-0001.png", folder / "Pro" / "copy.png")
    shutil.copy(folder / "Benign" / "Benign-0002.png", folder / "Benign" / "twin.png")
    return folder


@pytest.fixture(scope="module")
def found_bad(bad: Path) -> Audit:
    return audit(bad)


def test_good_set_is_counted_and_usable(found: Audit) -> None:
    report = found.report
    assert found.usable
    assert report["usable"]
    assert report["must_mend"] == []
    assert report["n"] == 96
    assert {label: one["n"] for label, one in report["classes"].items()} == {
        "Benign": 24,
        "Early": 24,
        "Pre": 24,
        "Pro": 24,
    }
    assert report["classes"]["Pro"]["formats"] == {"PNG": 24}
    assert report["classes"]["Pro"]["pixels"] == {"224 x 224": 24}
    assert report["unreadable"] == report["exact_duplicates"] == report["label_conflicts"] == []
    groups = report["pseudo_groups"]
    assert sum(sum(one.values()) for one in groups["images_by_class"]) == 96
    assert set(groups["groups"]) == set(found.image_set.paths)
    assert report["data_sha256"] == found.image_set.digest()
    assert "baselines" in report["shortcuts"]["splits"]["random"]
    assert report["verdicts"]
    json.dumps(report, allow_nan=False)


def test_same_seed_gives_the_same_report(bad: Path, found_bad: Audit) -> None:
    assert audit(bad).report == found_bad.report
    other = audit(bad, seed=9).report
    assert other["shortcuts"]["seeds"] == [9, 10, 11, 12, 13]
    assert other["pseudo_groups"] == found_bad.report["pseudo_groups"]


def test_everything_wrong_is_named(found_bad: Audit) -> None:
    report = found_bad.report
    assert not found_bad.usable
    reasons = {one["path"]: one["reason"] for one in report["unreadable"]}
    assert set(reasons) == {
        "Benign/empty.png",
        "Benign/grey.png",
        "Benign/text.jpg",
        "Pro/cut.jpg",
        "Pro/damaged.jpg",
    }
    assert "truncated" in reasons["Pro/cut.jpg"]
    assert "Corrupt JPEG data" in reasons["Pro/damaged.jpg"]
    assert reasons["Benign/grey.png"] == "a grey image"
    assert ["Benign/Benign-0001.png", "Pro/copy.png"] in report["exact_duplicates"]
    assert ["Benign/Benign-0002.png", "Benign/twin.png"] in report["exact_duplicates"]
    assert report["label_conflicts"] == [["Benign/Benign-0001.png", "Pro/copy.png"]]
    assert [sentence.split(":")[0] for sentence in report["must_mend"]] == [
        "Unreadable files",
        "Images that lie in several classes",
    ]
    assert report["n"] == 18


def test_near_duplicate_is_told_from_an_exact_one(smears: Path, tmp_path: Path) -> None:
    folder = tmp_path / "set"
    shutil.copytree(smears, folder)
    original = cv2.imread(str(folder / "Pre" / "Pre-0003.png"))
    cv2.imwrite(str(folder / "Pre" / "again.jpg"), original)
    report = audit(folder).report
    assert report["exact_duplicates"] == []
    assert report["near_duplicates"] == [["Pre/Pre-0003.png", "Pre/again.jpg"]]
    assert report["usable"]


def test_page_holds_everything_and_needs_nothing(found: Audit, tmp_path: Path) -> None:
    page = tmp_path / "audit.html"
    write_page(page, found)
    text = page.read_text()
    assert not re.search(r"""(src|href)=["'](?!data:)""", text)
    assert "http" not in re.sub(r"data:[^\"]*", "", text)
    for sentence in found.report["verdicts"]:
        assert sentence.replace("'", "&#39;") in text
    # Plots of shortcuts and colours; three strips for each class; one for each pseudo-group.
    pictures = re.findall(r'src="data:image/(?:png|jpeg);base64,([^"]+)"', text)
    assert len(pictures) == 2 + 3 * 4 + found.report["pseudo_groups"]["n"]
    assert "Research use only" in text


def test_page_of_a_bad_set_shows_pairs_and_escapes_names(found_bad: Audit, tmp_path: Path) -> None:
    page = tmp_path / "audit.html"
    write_page(page, found_bad)
    text = page.read_text()
    assert "<b>set</b>" not in text
    assert "&lt;b&gt;set" in text
    assert "Benign/Benign-0001.png = Pro/copy.png" in text
    assert "Pro/damaged.jpg" in text


def test_command_prints_the_findings_and_writes_the_page(
    blastscope: Command, smears: Path, tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    result = blastscope("audit", smears, "--out", page)
    assert result.returncode == 0, result.stderr
    assert "96 images in 4 classes, version " in result.stdout
    assert "colour, 5 nearest neighbours" in result.stdout
    assert "unreadable files: 0" in result.stdout
    assert page.is_file()
    again = blastscope("audit", smears, "--out", page)
    assert again.returncode == 2
    assert "must not exist yet" in again.stderr


def test_command_fails_for_what_must_be_mended(blastscope: Command, bad: Path) -> None:
    result = blastscope("audit", bad, "--json")
    assert result.returncode == 1
    report = json.loads(result.stdout)
    assert not report["usable"]
    assert len(report["unreadable"]) == 5
    assert result.stderr == ""


def test_folders_that_are_no_set_are_refused(smears: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"not there.*Lay the images out"):
        audit(tmp_path / "absent")
    folder = tmp_path / "set"
    shutil.copytree(smears / "Pro", folder / "Pro")
    with pytest.raises(DatasetError, match=r"only \['Pro'\]"):
        audit(folder)
    (folder / "Benign").mkdir()
    with pytest.raises(DatasetError, match="none in Benign"):
        audit(folder)


def test_set_of_which_nothing_can_be_read_is_refused(tmp_path: Path) -> None:
    for label in ("a", "b"):
        (tmp_path / label).mkdir()
        (tmp_path / label / "text.jpg").write_text("no picture")
    with pytest.raises(DatasetError, match=r"can be read\. Got: none under.*a/text\.jpg"):
        audit(tmp_path)


def test_class_of_which_nothing_can_be_read_is_said(smears: Path, tmp_path: Path) -> None:
    folder = tmp_path / "set"
    shutil.copytree(smears / "Pro", folder / "Pro")
    (folder / "Benign").mkdir()
    (folder / "Benign" / "text.jpg").write_text("no picture")
    found = audit(folder)
    assert found.report["classes"]["Benign"]["n"] == 0
    assert "in class Benign" in found.report["shortcuts"]["splits"]["random"]["error"]
    assert "cannot be divided" in found.report["verdicts"][0]
    write_page(tmp_path / "page.html", found)


def test_tiny_set_is_shown_though_it_cannot_be_divided(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    for label in ("a", "b"):
        (tmp_path / "set" / label).mkdir(parents=True)
        noise = generator.integers(0, 256, (50, 80, 3), np.uint8)
        cv2.imwrite(str(tmp_path / "set" / label / "1.png"), noise)
    found = audit(tmp_path / "set")
    assert found.usable
    assert "error" in found.report["shortcuts"]["splits"]["grouped"]
    write_page(tmp_path / "page.html", found)
    assert found.report["classes"]["a"]["pixels"] == {"80 x 50": 1}

"""The contracts of the fake picamera2 and of its camera, beside a real picamera2.

The real one runs over libcamera's virtual pipeline in a userland of its own, made on first use.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.edge import camera_contract, picamera2_contract
from tests.userlands import picamera2_virtual as userland

NAMES = [f"picamera2.{check.__name__}" for check in picamera2_contract.CHECKS]
NAMES += ["picamera2.check_names_are_of_little_endian_words"]
NAMES += [f"camera.{check.__name__}" for check in camera_contract.CHECKS]
NAMES += [f"stills.{check.__name__}" for check in camera_contract.CHECKS]
NAMES += [f"{name}.check_left_is_red_and_right_is_blue" for name in ("camera", "stills")]
NAMES += ["stills.check_stills"]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    try:
        userland.ensure_root()
    except userland.UserlandError as error:
        pytest.skip(f"REAL PICAMERA2 NOT TRIED: {error}")
    return userland.run_contracts(camera_contract.red_and_blue())


def test_it_is_the_real_one(report: dict[str, Any]) -> None:
    assert report["versions"]["picamera2"] == "0.3.38"
    assert report["versions"]["libcamera"].startswith("v0.")


def test_every_check_ran(report: dict[str, Any]) -> None:
    assert sorted(report["results"]) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_contract(report: dict[str, Any], name: str) -> None:
    assert report["results"][name] == ""

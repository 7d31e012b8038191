"""All degradations in one table: what grows, in what unit, and by how much at each severity."""

from __future__ import annotations

from train.robustness.degradation import Degradation
from train.robustness.exposure import low_contrast, over_exposure, under_exposure
from train.robustness.geometry import rotation, scale
from train.robustness.optics import defocus, dust, motion_blur, vignetting
from train.robustness.sensor import colour_cast, jpeg, sensor_noise
from train.robustness.stain import stain_shift

#: Lengths in pixels are those of a field 224 pixels high.
DEGRADATIONS: tuple[Degradation, ...] = (
    Degradation(
        "defocus", "optics", "blur disc's radius, px", 0.0, (1.0, 1.5, 2.0, 3.0, 4.0), defocus
    ),
    Degradation(
        "motion blur",
        "optics",
        "way of the stage, px",
        0.0,
        (3.0, 5.0, 8.0, 12.0, 16.0),
        motion_blur,
    ),
    Degradation(
        "vignetting",
        "optics",
        "light lost in the corners, share",
        0.0,
        (0.2, 0.35, 0.5, 0.65, 0.8),
        vignetting,
    ),
    Degradation("dust", "optics", "specks", 0.0, (4.0, 8.0, 16.0, 32.0, 64.0), dust),
    Degradation(
        "low contrast",
        "exposure",
        "contrast left, share",
        1.0,
        (0.8, 0.6, 0.45, 0.3, 0.2),
        low_contrast,
    ),
    Degradation(
        "under-exposure",
        "exposure",
        "light missing, stops",
        0.0,
        (0.5, 1.0, 1.75, 2.5, 3.5),
        under_exposure,
    ),
    Degradation(
        "over-exposure",
        "exposure",
        "light too much, stops",
        0.0,
        (0.2, 0.4, 0.7, 1.0, 1.4),
        over_exposure,
    ),
    Degradation(
        "sensor noise",
        "sensor",
        "shot noise at white, %",
        0.0,
        (3.0, 5.0, 8.0, 12.0, 20.0),
        sensor_noise,
    ),
    Degradation("JPEG", "sensor", "libjpeg's quality", 100.0, (60.0, 40.0, 25.0, 15.0, 8.0), jpeg),
    Degradation(
        "colour cast",
        "sensor",
        "largest error of a gain, share",
        0.0,
        (0.04, 0.08, 0.12, 0.18, 0.25),
        colour_cast,
    ),
    Degradation(
        "stain shift",
        "stain",
        "change of each stain, share",
        0.0,
        (0.1, 0.2, 0.3, 0.45, 0.6),
        stain_shift,
    ),
    Degradation(
        "rotation", "geometry", "angle, degrees", 0.0, (5.0, 10.0, 20.0, 30.0, 45.0), rotation
    ),
    Degradation(
        "scale", "geometry", "enlarged or shrunk, factor", 1.0, (1.1, 1.2, 1.35, 1.5, 1.75), scale
    ),
)

"""Recovery: a network that plain int8 breaks is mended, and at the least cost."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from edge.errors import AccuracyGateError
from quantize.accuracy_gate.criterion import Criterion
from quantize.activations import ranges
from quantize.convert import calibrate, quantize_calibrated
from quantize.float_graph import OUTPUT_AXIS, FloatGraph
from quantize.quantization import quantize
from quantize.recovery.attempt import Judge, score
from quantize.recovery.bias_correction import correct_biases
from quantize.recovery.equalization import equalize
from quantize.recovery.fake_quantization import fake_quantize
from quantize.recovery.fine_tuning import fine_tune
from quantize.recovery.float_fallback import layers_before, with_passing
from quantize.recovery.ladder import (
    CALIBRATION,
    EQUALIZATION,
    FINE_TUNING,
    FLOAT_LAYERS,
    PLAIN,
    CalibrationPool,
    Recovery,
    recover,
)
from quantize.recovery.layer_errors import IDEAL, rank_layers
from tests.conftest import Command
from train.fitting import predict
from train.image_set import read_image_set

SIDE = 48

#: What no honest quantization of these small networks breaks.
CRITERION = Criterion(5.0, 20.0, 10, 0.9)


def _conv(x: Any, filters: int, name: str, activation: str = "relu") -> Any:
    layer = keras.layers.Conv2D(filters, 3, padding="same", activation=activation, name=name)
    return layer(x)


def _network(side: int = SIDE, classes: int = 3) -> keras.Model:
    """Four convolutions with random weights."""
    keras.utils.set_random_seed(3)
    inputs = keras.Input((side, side, 3))
    x = _conv(inputs, 12, "first")
    x = keras.layers.MaxPooling2D()(x)
    x = _conv(x, 16, "second")
    x = keras.layers.MaxPooling2D()(x)
    x = _conv(x, 16, "third")
    x = _conv(x, 24, "fourth")
    x = keras.layers.GlobalAveragePooling2D()(x)
    outputs = keras.layers.Dense(classes, activation="softmax", name="scores")(x)
    return keras.Model(inputs, outputs)


def _spread(network: keras.Model, images: NDArray[np.uint8]) -> None:
    """Scale the last layer so that the random network tells the images apart."""
    layer = network.get_layer("scores")
    features = keras.Model(network.inputs, layer.input)
    values = predict(features, images)
    basis = np.linalg.svd(values - values.mean(axis=0), full_matrices=False)[2][: layer.units]
    kernel = basis.T / (values @ basis.T).std(axis=0) * 3
    layer.set_weights([kernel, -(values @ kernel).mean(axis=0)])


def break_between(network: keras.Model, first: str, second: str, decades: float = 4.0) -> None:
    """Give the channels between two layers very different ranges; the function stays the same."""
    before, after = network.get_layer(first), network.get_layer(second)
    factors = 10 ** np.random.default_rng(1).uniform(-decades / 2, decades / 2, before.filters)
    kernel, bias = before.get_weights()
    before.set_weights([kernel * factors, bias * factors])
    kernel, bias = after.get_weights()
    after.set_weights([kernel / factors[:, np.newaxis], bias])


@pytest.fixture(scope="module")
def images() -> NDArray[np.uint8]:
    """Blots of several sizes and colours; uint8, shape (160, SIDE, SIDE, 3)."""
    generator = np.random.default_rng(0)
    coarse = generator.integers(0, 256, (160, 6, 6, 3), np.uint8)
    return np.asarray(coarse.repeat(SIDE // 6, axis=1).repeat(SIDE // 6, axis=2))


@pytest.fixture(scope="module")
def sound(images: NDArray[np.uint8]) -> keras.Model:
    """A network that int8 does no harm."""
    network = _network()
    _spread(network, images)
    return network


@pytest.fixture(scope="module")
def fragile(images: NDArray[np.uint8]) -> keras.Model:
    """The same function, with channels between the second and third layer of very unlike range."""
    network = _network()
    _spread(network, images)
    break_between(network, "second", "third")
    return network


def _pool(network: keras.Model, images: NDArray[np.uint8]) -> CalibrationPool:
    targets = predict(network, images[:60]).argmax(axis=1).astype(np.int64)
    return CalibrationPool(images[:60], targets, np.arange(40), 13, np.ones(3) / 3, images[:60], 0)


def _judge(network: keras.Model, images: NDArray[np.uint8]) -> Judge:
    scores = predict(network, images[60:])
    targets = scores.argmax(axis=1).astype(np.int64)
    in_test = np.arange(len(targets)) < 50
    return Judge(("a", "b", "c"), images[60:], targets, scores, in_test, CRITERION)


def _recover(network: keras.Model, images: NDArray[np.uint8], **options: Any) -> Recovery:
    return recover(network, _pool(network, images), _judge(network, images), **options)


def test_sound_network_is_left_as_plain_int8(sound: keras.Model, images: NDArray[np.uint8]) -> None:
    recovery = _recover(sound, images)
    assert [one.step for one in recovery.attempts] == [PLAIN]
    assert recovery.chosen.held
    assert recovery.chosen.content == quantize_calibrated(calibrate(sound, images[:40]))


def test_fragile_network_is_refused_as_plain_int8(
    fragile: keras.Model, sound: keras.Model, images: NDArray[np.uint8]
) -> None:
    assert np.abs(predict(fragile, images) - predict(sound, images)).max() < 1e-4
    recovery = _recover(fragile, images, steps=())
    assert recovery.chosen.decision.outcome == "failed"
    assert recovery.chosen.decision.unseen.agreement < 0.8


def test_fragile_network_passes_with_the_fewest_float_layers(
    fragile: keras.Model, images: NDArray[np.uint8]
) -> None:
    recovery = _recover(fragile, images)
    steps = [one.step for one in recovery.attempts]
    assert steps[0] == PLAIN
    assert CALIBRATION in steps
    assert EQUALIZATION not in steps, "it stops at the first that passes"
    chosen = recovery.chosen
    assert (chosen.step, chosen.held) == (FLOAT_LAYERS, True)
    # The values between the two layers are in float only if both layers are.
    assert len(chosen.float_layers) == 2
    assert "second" in chosen.float_layers[0]
    assert "third" in chosen.float_layers[1]
    assert recovery.ranking[0].name == chosen.float_layers[1]
    calibrated, judge = calibrate(fragile, images[:40]), _judge(fragile, images)
    for one in chosen.float_layers:
        alone = judge.decide(quantize_calibrated(calibrated, [one]))
        assert alone.outcome == "failed", "one layer alone would not do"


def test_equalization_mends_it_without_a_float_layer(
    fragile: keras.Model, images: NDArray[np.uint8]
) -> None:
    recovery = _recover(fragile, images, steps=(EQUALIZATION,))
    assert recovery.chosen.held
    assert recovery.chosen.float_layers == ()
    assert len(recovery.chosen.content) < 1.1 * len(recovery.attempts[0].content)


def test_every_step_is_tried_when_asked(fragile: keras.Model, images: NDArray[np.uint8]) -> None:
    lines: list[str] = []
    recovery = _recover(
        fragile, images, every_step=True, tell=lambda line, attempt: lines.append(line)
    )
    assert {one.step for one in recovery.attempts} == {
        PLAIN,
        CALIBRATION,
        FLOAT_LAYERS,
        EQUALIZATION,
        FINE_TUNING,
    }
    assert recovery.chosen.step == FLOAT_LAYERS, "the first step that passed"
    assert len(lines) == len(recovery.attempts) + 3


def test_layers_are_ranked_by_their_error_in_steps(
    sound: keras.Model, fragile: keras.Model, images: NDArray[np.uint8]
) -> None:
    of_sound = rank_layers(calibrate(sound, images[:40]), images[:8])
    assert pytest.approx(0.28868, abs=1e-5) == IDEAL
    assert of_sound[0].steps < 4 * IDEAL
    of_fragile = rank_layers(calibrate(fragile, images[:40]), images[:8])
    assert of_fragile[0].steps > 10 * IDEAL
    assert "third" in of_fragile[0].name
    assert [one.steps for one in of_fragile] == sorted(one.steps for one in of_fragile)[::-1]


def test_equalized_network_computes_the_same(
    fragile: keras.Model, images: NDArray[np.uint8]
) -> None:
    calibrated = calibrate(fragile, images[:40])
    evened, pairs = equalize(calibrated, images[:40])
    # first to second, second to third, third to fourth, and fourth through the mean to scores
    assert pairs == 4
    before, after = _float_scores(calibrated, images[:9]), _float_scores(evened, images[:9])
    assert np.abs(before - after).max() < 1e-4
    spread_before = _peak_ratio(calibrated, images[:9])
    assert _peak_ratio(evened, images[:9]) < spread_before / 10


def test_relu6_lets_no_factor_pass(images: NDArray[np.uint8]) -> None:
    inputs = keras.Input((SIDE, SIDE, 3))
    x = _conv(inputs, 4, "first", "relu6")
    x = _conv(x, 4, "second", "relu6")
    x = keras.layers.GlobalAveragePooling2D()(x)
    network = keras.Model(inputs, keras.layers.Dense(3, activation="softmax")(x))
    calibrated = calibrate(network, images[:4])
    assert equalize(calibrated, images[:4]) == (calibrated, 0)


def test_bias_correction_takes_out_a_shift(images: NDArray[np.uint8]) -> None:
    """Weights that all round upwards shift a layer; its bias makes up for it."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((SIDE, SIDE, 3))
    x = keras.layers.GlobalAveragePooling2D()(_conv(inputs, 16, "shifted"))
    outputs = keras.layers.Dense(3, activation="softmax", name="scores")(x)
    network = keras.Model(inputs, outputs)
    layer = network.get_layer("shifted")
    kernel, bias = layer.get_weights()
    step = np.abs(kernel).max(axis=(0, 1, 2)) / 127
    greatest = np.abs(kernel) == np.abs(kernel).max(axis=(0, 1, 2))
    # White is what most inputs are near: the shift is then upwards as well.
    layer.set_weights([np.where(greatest, kernel, (np.floor(kernel / step) + 0.55) * step), bias])
    bright = np.maximum(images, 160)
    _spread(network, bright)
    calibrated = calibrate(network, bright[:40])
    corrected, layers = correct_biases(calibrated, bright[:24])
    assert layers == 2
    name = next(one.name for one in FloatGraph(calibrated).operations if "shifted" in one.name)
    change = FloatGraph(corrected).bias(name) - FloatGraph(calibrated).bias(name)
    assert change.min() < 0
    assert change.max() <= 1e-4
    truth = predict(network, bright[60:])
    plain = score(quantize_calibrated(calibrated), bright[60:])
    mended = score(quantize_calibrated(corrected), bright[60:])
    assert np.abs(mended - truth).mean() < 0.8 * np.abs(plain - truth).mean()


def test_fake_quantization_rounds_as_int8_does(images: NDArray[np.uint8]) -> None:
    network = _network()
    _spread(network, images)
    break_between(network, "second", "third", decades=2.0)
    floating = predict(network, images[60:])
    whole = score(quantize_calibrated(calibrate(network, images[:40])), images[60:])
    fake = predict(fake_quantize(network, images[:40]), images[60:])
    assert np.abs(floating - whole).mean() > 0.01, "int8 does harm"
    assert np.abs(fake - whole).mean() < 0.3 * np.abs(floating - whole).mean()
    assert np.array_equal(predict(network, images[60:]), floating), "the network stays as it is"


def test_fine_tuning_lessens_the_harm(images: NDArray[np.uint8]) -> None:
    network = _network()
    _spread(network, images)
    break_between(network, "second", "third", decades=2.0)
    floating = predict(network, images[60:])
    plain = score(quantize_calibrated(calibrate(network, images[:40])), images[60:])
    tuned = fine_tune(network, images[:40], images[:60], epochs=20)
    mended = score(quantize_calibrated(calibrate(tuned, images[:40])), images[60:])
    assert np.abs(mended - floating).mean() < 0.8 * np.abs(plain - floating).mean()
    assert np.array_equal(predict(network, images[60:]), floating)


def test_ranges_are_those_of_the_values(sound: keras.Model, images: NDArray[np.uint8]) -> None:
    calibrated = calibrate(sound, images[:40])
    whole, inner = ranges(calibrated, images[:40]), ranges(calibrated, images[:40], 99.0)
    relus = [name for name in whole if "Relu" in name]
    assert len(relus) == 4
    for name in relus:
        assert whole[name][0] == 0.0
        assert 0 < inner[name][1] < whole[name][1]
    graph = FloatGraph(calibrated)
    graph.set_ranges(inner)
    assert quantize_calibrated(graph.content()) != quantize_calibrated(calibrated)


def test_pooling_goes_with_the_layer_before_it(
    sound: keras.Model, images: NDArray[np.uint8]
) -> None:
    graph = FloatGraph(calibrate(sound, images[:4]))
    layers = [one.name for one in graph.operations if one.kind in OUTPUT_AXIS]
    assert len(layers) == 5
    pooled = with_passing(graph, frozenset(layers[:1])) - {layers[0]}
    assert [one.kind for one in graph.operations if one.name in pooled] == ["MAX_POOL_2D"]
    assert layers_before(graph, layers[1]) == {layers[0]}, "through the pooling"
    assert layers_before(graph, layers[0]) == set()


def test_command_mends_a_fragile_run_and_shows_how(
    blastscope: Command, finished_run: Path, smears: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(finished_run, run)
    fields = read_image_set(smears, 224, 224).images
    network = _network(224, 4)
    _spread(network, fields)
    break_between(network, "second", "third")
    network.save(run / "model.keras")
    out, report = tmp_path / "model.tflite", tmp_path / "gate"
    limits = ("--max-drop", 100, "--max-sensitivity-drop", 100, "--min-agreement", 0.85)
    options = (*limits, "--max-malignant-to-benign", 30, "--report", report)
    refused = blastscope("quantize", run, "--out", out, *options, "--no-recovery")
    assert refused.returncode == 1
    assert "agreement with float" in refused.stderr
    assert not out.exists()
    assert json.loads((report / "gate.json").read_text())["outcome"] == "failed"
    with pytest.raises(AccuracyGateError):
        quantize(run, out, criterion=Criterion(100.0, 100.0, 30, 0.85), steps=())
    done = blastscope("quantize", run, "--out", out, *options)
    assert done.returncode == 0, done.stderr
    assert "plain int8" in done.stderr
    found = json.loads((report / "gate.json").read_text())
    taken = [one for one in found["attempts"] if one["chosen"]]
    assert len(taken) == 1
    assert f"Taken: {taken[0]['step']}" in done.stdout
    assert "Each layer's error" in (report / "gate.html").read_text()


def _float_scores(content: bytes, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    from quantize.activations import watch

    last = FloatGraph(content).operations[-1].name
    return np.concatenate([outputs[last].copy() for outputs in watch(content, images)])


def _peak_ratio(content: bytes, images: NDArray[np.uint8]) -> float:
    """Return how unlike the channels between the second and third layer are."""
    from quantize.activations import channel_peaks

    peaks = channel_peaks(content, images)
    name = next(name for name in peaks if "second" in name and "Relu" in name)
    alive = peaks[name][peaks[name] > 0]
    return float(alive.max() / alive.min())

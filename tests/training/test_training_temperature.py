"""Laws of the temperature that is chosen on held-out strokes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from training_runs import run

from napari_sashiko.checkpoints import load_card
from napari_sashiko.training.temperature import (
    FLOOR,
    RANGE,
    SPREAD,
    USUAL,
    fit_temperature,
    mix,
    sharpen,
)

SEEDS = st.integers(0, 10_000)


def guesses(seed, count=400, classes=3, honest=1.0):
    """Truth drawn from probabilities, and these at a temperature of `honest`."""
    rng = np.random.default_rng(seed)
    shares = rng.dirichlet(np.ones(classes), count)
    truth = np.array([rng.choice(classes, p=share) for share in shares])
    return truth, sharpen(shares, honest)


def posterior(temperature, truth, families, strokes):
    right = mix(families, temperature)[np.arange(len(truth)), truth]
    said = [np.log(right[strokes == n] + FLOOR).mean() for n in set(strokes.tolist())]
    return sum(said) - (np.log(temperature / USUAL) / SPREAD) ** 2 / 2


@given(seed=SEEDS, honest=st.floats(0.4, 2), share=st.floats(0.1, 0.9))
@settings(max_examples=30, deadline=None)
def test_no_temperature_is_likelier_than_the_chosen_one(seed, honest, share):
    truth, one = guesses(seed, 60, honest=honest)
    families = [(share, one), (1 - share, guesses(seed + 1, 60)[1])]
    strokes = np.random.default_rng(seed).integers(0, 12, 60)
    chosen = fit_temperature(truth, families, strokes=strokes)
    best = max(posterior(t, truth, families, strokes) for t in np.geomspace(*RANGE, 50))
    assert posterior(chosen, truth, families, strokes) == pytest.approx(best, abs=0.05)


@pytest.mark.parametrize("hidden", [0.5, 1.0, 1.5])
def test_many_strokes_find_the_temperature_that_was_hidden(hidden):
    # Sharpening by t undoes probabilities that were softened by 1 / t.
    truth, said = guesses(0, count=4000, honest=1 / hidden)
    found = fit_temperature(truth, [(1.0, said)], strokes=np.arange(4000))
    assert found == pytest.approx(hidden, rel=0.1)


def test_one_stroke_changes_little_however_long_it_is():
    truth, said = guesses(0, count=4000)
    found = fit_temperature(truth, [(1.0, said)], strokes=np.zeros(4000, int))
    assert found == pytest.approx(USUAL, rel=0.15)


@given(seed=SEEDS, temperature=st.floats(*RANGE))
@settings(max_examples=30, deadline=None)
def test_what_is_sharpened_are_still_probabilities_in_the_same_order(seed, temperature):
    _, said = guesses(seed, 20)
    sharp = sharpen(said, temperature)
    np.testing.assert_allclose(sharp.sum(axis=1), 1)
    assert np.array_equal(sharp.argsort(axis=1), said.argsort(axis=1))


def test_certainty_stays_certain():
    sure = np.eye(3)[[0, 2, 1]]
    assert np.array_equal(sharpen(sure, 0.5), sure)
    truth = np.array([0, 2, 1])
    # Also where a certain member is wrong.
    found = fit_temperature(
        truth, [(0.5, sure), (0.5, sure[::-1])], strokes=np.arange(3)
    )
    assert RANGE[0] < found < RANGE[1]


@pytest.mark.parametrize(
    ("settings_", "taught"),
    [({}, True), ({"teacher": 0}, False), ({"forest": False}, False)],
)
def test_only_taught_networks_are_made_surer(tmp_path, settings_, taught):
    run(tmp_path / "m", members=2, epochs=1, **settings_)
    card = load_card(tmp_path / "m")
    assert (card.temperature != 1.0) == taught
    assert card.training["held_out"]


def test_a_forest_alone_keeps_its_own_doubt(tmp_path):
    run(tmp_path / "m", members=0)
    assert load_card(tmp_path / "m").temperature == 1.0

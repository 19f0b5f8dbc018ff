"""Laws of the temperature that is chosen by how far members agree."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from training_runs import make_labels, run

from napari_sashiko.checkpoints import load_card
from napari_sashiko.training import _saving
from napari_sashiko.training.temperature import (
    ALIKE,
    ALIKE_ALONE,
    RANGE,
    USUAL,
    agreed_temperature,
    mix,
    sharpen,
)

SEEDS = st.integers(0, 10_000)


def guesses(seed, count=400, classes=3):
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.ones(classes), count)


def differ(one, other):
    return (one.argmax(axis=1) != other.argmax(axis=1)).mean()


@given(seed=SEEDS, share=st.floats(0.1, 0.9), blur=st.floats(0.05, 0.6))
@settings(max_examples=30, deadline=None)
def test_doubt_is_as_large_as_the_difference_between_families(seed, share, blur):
    one, noise = guesses(seed), guesses(seed + 1)
    other = (1 - blur) * one + blur * noise
    families = [(share, one)], [(1 - share, other)]
    chosen = agreed_temperature(*families)
    doubt = 1 - mix([*families[0], *families[1]], chosen).max(axis=1).mean()
    wanted = ALIKE * differ(one, other)
    if chosen == RANGE[0]:
        assert doubt >= wanted
    elif chosen == RANGE[1]:
        assert doubt <= wanted
    else:
        assert doubt == pytest.approx(wanted, abs=0.01)


def test_networks_speak_with_one_voice():
    # Two networks that err in other places than each other, and both with the forest.
    truth = np.eye(2)[np.arange(100) % 2]
    sure = 0.6 * truth + 0.4 * truth[:, ::-1]
    one, other = sure.copy(), sure.copy()
    one[:30], other[30:60] = 0.45, 0.45
    one[:30] += 0.1 * truth[:30, ::-1]
    other[30:60] += 0.1 * truth[30:60, ::-1]
    alone = agreed_temperature([(0.5, sure)], [(0.5, one)])
    together = agreed_temperature([(0.5, sure)], [(0.25, one), (0.25, other)])
    # One alone differs in 30 of 100; of both together nobody would say so.
    assert together < alone


def test_who_agrees_everywhere_is_as_sure_as_may_be():
    said = guesses(0)
    assert agreed_temperature([(0.5, said)], [(0.5, said)]) == RANGE[0]


def test_who_never_agrees_doubts_as_much_as_may_be():
    sure = np.eye(3)[np.arange(30) % 3]
    found = agreed_temperature([(0.9, sure)], [(0.1, sure[:, [1, 2, 0]])])
    assert found == RANGE[1]


@given(seed=SEEDS, temperature=st.floats(*RANGE))
@settings(max_examples=30, deadline=None)
def test_what_is_sharpened_are_still_probabilities_in_the_same_order(seed, temperature):
    said = guesses(seed, 20)
    sharp = sharpen(said, temperature)
    np.testing.assert_allclose(sharp.sum(axis=1), 1)
    assert np.array_equal(sharp.argsort(axis=1), said.argsort(axis=1))


def test_certainty_stays_certain():
    sure = np.eye(3)[[0, 2, 1]]
    assert np.array_equal(sharpen(sure, 0.5), sure)


@pytest.mark.parametrize(
    ("settings_", "taught"),
    [({}, True), ({"teacher": 0}, False), ({"forest": False}, False)],
)
def test_only_taught_networks_are_made_surer(tmp_path, settings_, taught):
    run(tmp_path / "m", members=2, epochs=1, **settings_)
    card = load_card(tmp_path / "m")
    assert (card.temperature != 1.0) == taught
    assert card.temperature != USUAL  # members were compared
    assert card.training["held_out"]


def test_a_forest_alone_keeps_its_own_doubt(tmp_path):
    run(tmp_path / "m", members=0)
    assert load_card(tmp_path / "m").temperature == 1.0


@pytest.mark.parametrize(("slices", "alike"), [(1, ALIKE_ALONE), (2, ALIKE)])
def test_who_saw_one_stroke_of_each_class_doubts_more(out, monkeypatch, slices, alike):
    labels = np.zeros_like(make_labels())
    for z in range(0, 2 * slices, 2):
        labels[z, 10, 4:18], labels[z, 30, 26:40] = 1, 2
    asked, keep = [], _saving.agreed_temperature

    def listening(*families, alike):
        asked.append(alike)
        return keep(*families, alike=alike)

    monkeypatch.setattr(_saving, "agreed_temperature", listening)
    run(out, labels=labels)
    assert set(asked) == {alike}

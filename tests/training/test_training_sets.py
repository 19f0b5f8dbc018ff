"""Prediction sets are calibrated on strokes that were held out, as predictions are."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from training_runs import make_labels, run

from napari_sashiko.checkpoints import Ensemble, load_card
from napari_sashiko.labels import default_classes, labelled_voxels
from napari_sashiko.metrics import COVERAGES, calibrate_sets
from napari_sashiko.training._sets import are_enough, calibrate


def fake_desk(correction=(), strokes=None, temperature=1.0):
    values = np.tile([1, 2], 30).astype(np.uint8)
    return SimpleNamespace(
        classes=default_classes(2),
        correction=correction,
        temperature=temperature,
        labelled=SimpleNamespace(values=values),
        strokes=np.arange(60) if strokes is None else strokes,
    )


def said(seed):
    return np.random.default_rng(seed).dirichlet((1, 1), 60)


def test_families_are_corrected_and_mixed_as_the_ensemble_does():
    one, two, factors = said(0), said(1), (0.4, 1.7)
    card = SimpleNamespace(
        correction=factors,
        temperature=0.7,
        restoring=None,
        members=[SimpleNamespace(weight=0.3), SimpleNamespace(weight=0.7)],
    )
    members = [
        SimpleNamespace(
            voices=lambda _seen, _core, correct, _tick, p=p: (
                correct(torch.tensor(p.T[:, None, None], dtype=float)),
                0.0,
            )
        )
        for p in (one, two)
    ]
    ensemble = Ensemble(card, members, torch.device("cpu"))
    mean, _ = ensemble.predict(np.zeros((1, 1, 1, 60), np.float32))
    desk, rows = fake_desk(factors, temperature=0.7), np.ones(60, bool)
    kept = calibrate(desk, rows, [(0.3, one), (0.7, two)])
    expected = calibrate_sets(mean[:, 0, 0], desk.labelled.values, 2)
    assert kept.least == pytest.approx(expected.least, rel=1e-5)
    for other in (fake_desk(factors), fake_desk(temperature=0.7)):
        assert kept != calibrate(other, rows, [(0.3, one), (0.7, two)])


def test_only_held_out_voxels_count_and_strokes_have_one_vote():
    desk, rows = fake_desk(strokes=np.arange(60) // 4), np.arange(60) < 20
    kept = calibrate(desk, rows, [(1.0, said(0)[rows])])
    assert (kept.strokes, kept.voxels) == (5, 20)


def test_a_part_of_the_strokes_is_enough_where_no_coverage_is_lost():
    every = np.arange(30)
    assert are_enough(every[:19], every)  # of 0.95, which all 30 can have too
    assert not are_enough(every[:18], every)
    assert are_enough(np.arange(8), np.arange(8))


@pytest.mark.parametrize("members", [0, 2])
def test_the_card_keeps_what_held_out_strokes_say(tmp_path, members):
    run(tmp_path / "m", members=members)
    sets = load_card(tmp_path / "m").sets
    labelled = labelled_voxels(make_labels())
    assert sets.coverages == COVERAGES
    assert 1 <= sets.strokes <= 36
    assert sets.strokes < sets.voxels <= len(labelled)
    assert list(sets.least) == sorted(sets.least, reverse=True)
    assert sets.at(0.5) > 0
    if sets.strokes < 99:
        assert sets.at(0.99) == 0

"""What the accuracy page rests on: scores, resuming, and the words of the page."""

import sys
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks"
OWN = (
    "scores",
    "accuracy_page",
    "objects",
    "splitting",
    "tasks",
    "phantoms",
    "unseen",
    "drawing",
)


@pytest.fixture(autouse=True)
def _folder(monkeypatch):
    """Import the scripts as if from their own folder."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(FOLDER)
    yield
    for name in set(sys.modules) - before:
        if name.split(".")[0] in OWN:
            del sys.modules[name]


def record(task, method, budget, score, *, chosen=False, strokes=8):
    run = {
        "task": task,
        "volume": 1,
        "seed": 0,
        "strokes": strokes,
        "method": method,
        "budget": budget,
    }
    return {
        "run": run,
        "chosen": chosen,
        "macro_f1": score,
        "dice": score,
        "brier": 1 - score,
        "ece": 0.02,
        "machine": "a machine",
        "date": "2026-01-01",
    }


def test_a_spread_that_is_larger_at_errors_ranks_them():
    from scores import ranking  # noqa: PLC0415

    wrong = np.arange(100) >= 90
    found = ranking(np.where(wrong, 0.4, 0.1), wrong)
    assert found["auroc"] == 1.0
    assert found["ratio"] > 1e5
    assert ranking(np.ones(100), wrong)["auroc"] == pytest.approx(0.5)
    assert ranking(np.where(wrong, 0.1, 0.4), wrong)["auroc"] == 0.0


def test_painted_voxels_are_not_scored():
    from scores import scores  # noqa: PLC0415

    truth = np.zeros((2, 4, 4), np.uint8)
    truth[:, 2:] = 1
    found = np.stack([truth == 0, truth == 1]).astype(np.float32)
    found[:, 0, 0, 0] = (0, 1)  # wrong
    paint = np.zeros_like(truth)
    assert scores(found, None, truth, paint)["macro_f1"] < 1
    paint[0, 0, 0] = 1
    assert scores(found, None, truth, paint)["macro_f1"] == 1


def test_the_page_says_how_far_ahead_and_where_behind():
    from accuracy_page import page  # noqa: PLC0415

    text = page(
        [
            record("bone", "ours", 120, 0.95),
            record("bone", "forest", 0, 0.90),
            record("plies", "ours", 120, 0.60, chosen=True),
            record("plies", "forest", 0, 0.70, chosen=True),
        ]
    )
    assert "| plies* | 8 | 0.600 | 0.700 |" in text
    assert "120 s, all volumes (2): -0.025 on average; least on plies (-0.100)" in text
    assert "120 s, volumes without * (1): +0.050" in text


def test_what_a_column_lacks_leaves_a_gap_and_no_mean():
    from accuracy_page import page  # noqa: PLC0415

    text = page([record("bone", "ours", 30, 0.9), record("rock", "forest", 0, 0.8)])
    assert "| bone | 8 | 0.900 |  |" in text
    assert "| macro F1 |  |  |" in text


def test_who_ran_on_little_takes_nothing_from_the_means_of_the_others():
    from accuracy_page import page  # noqa: PLC0415

    records = [
        record(task, method, budget, score)
        for task, score in (("bone", 0.9), ("rock", 0.7))
        for method, budget in (("ours", 30), ("forest", 0))
    ]
    text = page([*records, record("rock", "smsnets", 30, 0.5)])
    means = text[text.index("## All measures") : text.index("## Ahead")]
    assert "2 runs that all of these have" in means
    assert "| macro F1 | 0.800 | 0.800 |\n" in means
    assert "| macro F1 | 0.700 | 0.700 | 0.500 |\n" in means


def test_objects_are_on_the_page_where_the_truth_knows_them():
    from accuracy_page import page  # noqa: PLC0415

    ours, forest = record("cells", "ours", 30, 0.9), record("cells", "forest", 0, 0.8)
    others = [record("bone", "ours", 30, 0.95)]
    assert "## Objects" not in page([ours, forest, *others])
    ours |= {"f1_components": 0.5, "f1_split": 0.7}
    forest |= {"f1_components": 0.4, "f1_split": 0.2, "f1_split_spaced": 0.6}
    text = page([ours, forest, *others])
    objects = text[text.index("## Objects") : text.index("## All")]
    assert "| cells | 8 | 0.500 | 0.400 |" in objects
    assert "| cells | 8 | 0.700 | 0.200, 0.600 |" in objects
    assert "bone" not in objects


@pytest.fixture
def pair():
    """Labels of two balls that touch, and a speck that is dust."""
    grid = np.stack(np.mgrid[:24, :24, :40], axis=-1)
    far = [np.linalg.norm(grid - c, axis=-1) for c in ((12, 12, 11), (12, 12, 26))]
    labels = np.where(np.min(far, axis=0) <= 8, np.argmin(far, axis=0) + 1, 0)
    labels[1:3, 1:3, 1:3] = 3
    return labels.astype(np.uint16)


def test_all_find_the_same_objects_where_there_is_no_doubt(pair, tmp_path):
    from objects import (  # noqa: PLC0415
        object_scores,
        of_prediction,
        of_probabilities,
    )
    from splitting import write_prediction  # noqa: PLC0415

    truth = np.where(pair < 3, pair, 0)
    body = (pair > 0).astype(np.float32)
    store = write_prediction(tmp_path / "p.zarr", body, chunks=(24, 24, 40))
    ours = of_prediction(store, tmp_path)
    others = of_probabilities(np.stack([1 - body, body]), (1.0, 1.0, 1.0))
    for found in (ours, others):
        assert len(np.unique(found["components"])) == 2  # nothing, and both as one
        scores = object_scores(found, truth)
        assert scores.pop("f1_components") < 1
        assert set(scores.values()) == {1.0}
    assert set(others) == {*ours, "split_spaced"}


def test_nothing_found_scores_nothing(pair):
    from objects import object_scores, of_probabilities  # noqa: PLC0415

    nothing = np.stack([np.ones(pair.shape), np.zeros(pair.shape)])
    found = of_probabilities(nothing, (1.0, 1.0, 1.0))
    assert set(object_scores(found, pair).values()) == {0.0}


@pytest.mark.parametrize("objects", [True, False])
def test_labels_of_many_values_are_objects(tmp_path, pair, objects):
    from tasks import tasks  # noqa: PLC0415

    labels = pair + 3 * (np.arange(24) % 2)[:, None, None].astype(np.uint16)
    labels = np.where(pair > 0, labels if objects else 1, 0)
    np.savez(tmp_path / "some.npz", image=pair, labels=labels)
    scene = next(tasks(tmp_path)).load()
    assert ((pair > 0) == scene.truth).all()
    assert np.array_equal(scene.instances, labels if objects else None)

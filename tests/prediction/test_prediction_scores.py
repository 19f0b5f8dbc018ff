"""Laws of preview, estimate and evaluation."""

import json
import sys

import numpy as np
import pytest
from prediction_fakes import Blur, image_of, make_card, whole
from small_pictures import SIZES, fenced

from napari_sashiko.errors import Cancelled, LabelError, OutputError, VolumeError
from napari_sashiko.prediction import (
    CellDone,
    PredictionSettings,
    estimate,
    evaluate,
    evaluate_steps,
    predict,
    preview,
)
from napari_sashiko.prediction._sizes import choose_sizes
from napari_sashiko.prediction.plan import make_plan
from napari_sashiko.volumes import as_volume

SMALL = {"window": (10, 10, 10), "border": (2, 2, 2)}


def test_a_preview_is_the_prediction_of_its_region():
    image = image_of((15, 30, 31))
    region = (slice(7, 8), slice(0, 30), slice(0, 31))
    mean, std, classes = preview(Blur(), as_volume(image), region)
    expected = whole(Blur(), image)
    assert np.allclose(mean, expected[0][(slice(None), *region)], atol=1e-6)
    assert np.allclose(std, expected[1][(slice(None), *region)], atol=1e-6)
    assert classes.shape == (1, 30, 31)
    assert set(np.unique(classes)) == {1, 4}


def test_a_large_preview_is_cut_into_pieces(monkeypatch):
    room = sys.modules["napari_sashiko.prediction.preview"]  # not the function
    monkeypatch.setattr(room, "MOST_VOXELS", 2000)
    image, predictor = image_of((12, 40, 40)), Blur()
    region = (slice(6, 7), slice(0, 40), slice(0, 40))
    mean, _, _ = preview(predictor, as_volume(image), region)
    assert max(np.prod(window) for window in predictor.windows) <= 2000
    expected = whole(Blur(), image)[0][(slice(None), *region)]
    assert np.allclose(mean, expected, atol=1e-6)


def test_a_preview_can_be_stopped():
    def tick():
        raise Cancelled("stop")

    region = (slice(0, 1), slice(0, 9), slice(0, 9))
    with pytest.raises(Cancelled):
        preview(Blur(), as_volume(image_of((9, 9, 9))), region, tick=tick)


def test_a_preview_of_another_kind_of_image_is_refused():
    region = (slice(0, 1), slice(0, 9), slice(0, 9))
    with pytest.raises(VolumeError, match="channel"):
        preview(
            Blur(card=make_card(channels=2)), as_volume(image_of((9, 9, 9))), region
        )


def test_an_estimate_counts_the_cells_of_the_run(tmp_path):
    volume = as_volume(image_of((21, 17, 25)))
    settings = PredictionSettings(**SMALL)
    told = estimate(Blur(), volume, settings)
    events = list(predict(Blur(), volume, tmp_path / "p.zarr", settings))
    assert told.cells == sum(isinstance(event, CellDone) for event in events)
    assert told.disk_bytes == 21 * 17 * 25 * (2 * 2 * 2 + 1)
    assert told.seconds is None
    assert told.memory_bytes > 1000


def test_a_measured_estimate_promises_no_less_than_the_run_must_take():
    volume = as_volume(image_of((21, 17, 25)))

    class Slow(Blur):
        def predict(self, patch, **more):
            self.seconds = patch[0].size * 1e-5 / 2
            return super().predict(patch, **more)

    settings = PredictionSettings(**SMALL)
    told = estimate(Slow(), volume, settings, measure=True)
    windows = Blur()
    cells = make_plan(windows, volume.shape, settings).cells()
    voxels = sum(np.prod([p.stop - p.start for p in c.window]) for c in cells)
    assert told.seconds > 0.5 * voxels * 1e-5


@pytest.mark.parametrize(
    ("shape", "halo"),
    [
        ((512, 512, 512), (12, 12, 12)),
        ((30, 2000, 2000), (40, 40, 40)),
        ((1, 4096, 4096), (0, 32, 32)),
        ((1000, 300, 300), (2, 40, 40)),
        ((5, 6, 7), (9, 9, 9)),
        ((64, 64, 64), (0, 0, 0)),
    ],
)
@pytest.mark.parametrize("align", [(1, 1, 1), (8, 8, 8)])
def test_automatic_windows_fit_and_waste_little(shape, halo, align):
    settings = PredictionSettings(device="cpu")
    window, border = choose_sizes(shape, halo, align, settings)
    assert all(w <= n for w, n in zip(window, shape, strict=True))
    assert all(b <= h for b, h in zip(border, halo, strict=True))
    assert np.prod(window) <= 1.7 * 96**3
    kept = [
        w if w == n else w - 2 * b
        for w, n, b in zip(window, shape, border, strict=True)
    ]
    assert min(kept) > 0
    assert np.prod(window) / np.prod(kept) < 3.5


def predicted(tmp_path, mean, **values):
    """A prediction whose mean probability of class 4 is given."""
    settings = PredictionSettings(**SMALL, dtype="float32")
    out = tmp_path / "p.zarr"
    work = predict(Blur(radius=0), as_volume(mean), out, settings)
    for event in work:
        if values.get("stop") and isinstance(event, CellDone):
            work.close()
            break
    return out


def test_scores_are_those_of_the_definitions(tmp_path):
    mean = image_of((14, 15, 16), seed=3)
    rng = np.random.default_rng(4)
    truth = rng.choice(np.array([0, 1, 4], np.uint8), mean.shape)
    ignore = rng.random(mean.shape) < 0.2
    scores = evaluate(predicted(tmp_path, mean), truth, ignore)
    counts = (truth > 0) & ~ignore
    t, p = truth[counts], np.where(mean > 0.5, 4, 1)[counts]
    hit = np.sum((t == 4) & (p == 4))
    fibre = scores.classes[1]
    assert (fibre.id, fibre.name) == (4, "fibre")
    assert fibre.support == np.sum(t == 4)
    assert fibre.precision == pytest.approx(hit / np.sum(p == 4))
    assert fibre.recall == pytest.approx(hit / np.sum(t == 4))
    assert fibre.iou == pytest.approx(hit / np.sum((t == 4) | (p == 4)))
    assert fibre.f1 == fibre.dice
    assert scores.accuracy == pytest.approx(np.mean(t == p))
    assert scores.voxels == counts.sum()
    brier = 2 * np.mean((mean[counts] - (t == 4)) ** 2)
    assert scores.brier == pytest.approx(brier, rel=1e-4)
    assert 0 < scores.expected_calibration_error < 1
    record = json.loads(json.dumps(scores.record(), allow_nan=False))
    assert record["classes"][0]["name"] == "rest"
    table = [[np.sum((t == a) & (p == b)) for b in (1, 4)] for a in (1, 4)]
    assert record["confusion"] == {"classes": [1, 4], "counts": table}
    assert sum(record["reliability"]["counts"]) == scores.voxels


def test_scoring_can_be_stopped_and_tells_how_far_it_is(tmp_path):
    out = predicted(tmp_path, image_of((30, 12, 12)))
    steps = evaluate_steps(out, np.ones((30, 12, 12), np.uint8))
    done = [event.done for event in steps]
    assert len(done) > 1
    assert done == sorted(done)
    assert done[-1] == 30


def test_a_truth_that_does_not_fit_is_refused(tmp_path):
    out = predicted(tmp_path, image_of((12, 12, 12)))
    with pytest.raises(LabelError, match=r"\(3, 4, 5\).*\(12, 12, 12\)"):
        evaluate(out, np.ones((3, 4, 5), np.uint8))
    with pytest.raises(LabelError, match="integers"):
        evaluate(out, np.ones((12, 12, 12)))
    with pytest.raises(LabelError, match="no class 3"):
        evaluate(out, np.full((12, 12, 12), 3))


def test_nothing_to_score_is_no_score(tmp_path):
    path = predicted(tmp_path, image_of((12, 12, 12)))
    truth = np.full((12, 12, 12), 4, np.uint8)
    with pytest.raises(LabelError, match="0 everywhere"):
        evaluate(path, truth * 0)
    with pytest.raises(LabelError, match="ignored"):
        evaluate(path, truth, ignore=truth)


def test_half_a_prediction_has_no_score(tmp_path):
    out = predicted(tmp_path, image_of((30, 30, 30)), stop=True)
    with pytest.raises(OutputError, match="blocks"):
        evaluate(out, np.ones((30, 30, 30), np.uint8))
    with pytest.raises(OutputError, match="no prediction"):
        evaluate(tmp_path / "nothing.zarr", np.ones((2, 2), np.uint8))


def test_what_lies_beyond_smaller_pictures_is_not_scored(tmp_path):
    path = tmp_path / "p.zarr"
    for _ in predict(Blur(radius=0), fenced(), path, PredictionSettings(**SMALL)):
        pass
    truth = np.ones(fenced().shape, np.uint8)
    assert evaluate(path, truth).voxels == sum(map(np.prod, SIZES))

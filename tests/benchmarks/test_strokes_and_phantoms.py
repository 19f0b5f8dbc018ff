"""What the benchmarks rest on: strokes tell the truth, phantoms are reproducible."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

FOLDER = Path(__file__).parents[2] / "benchmarks"
SMALL = (12, 64, 64)


def _load(name):
    """Import a script as if from its own folder."""
    before = set(sys.modules)
    sys.path.insert(0, str(FOLDER))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(FOLDER))
        for new in set(sys.modules) - before:
            if Path(getattr(sys.modules[new], "__file__", None) or "").parent == FOLDER:
                del sys.modules[new]


PHANTOMS = _load("phantoms").PHANTOMS | _load("unseen").UNSEEN
strokes = _load("strokes").strokes


@pytest.fixture
def truth():
    field = np.random.default_rng(3).normal(size=(20, 60, 60))
    smooth = ndimage.gaussian_filter(field, 4)
    return np.digitize(smooth, np.quantile(smooth, [0.6, 0.9])).astype(np.uint8)


def test_a_stroke_never_tells_another_class_than_the_truth(truth):
    labels = strokes(truth, seed=1)
    painted = labels > 0
    assert set(np.unique(labels[painted])) == {1, 2, 3}
    assert (labels[painted] == truth[painted] + 1).all()


def test_one_slice_of_each_band_is_painted(truth):
    painted = np.flatnonzero(strokes(truth, slices=4).any(axis=(1, 2)))
    assert [int(z) // 5 for z in painted] == [0, 1, 2, 3]


def test_equal_seeds_paint_equal_strokes_and_others_do_not(truth):
    assert (strokes(truth, seed=5) == strokes(truth, seed=5)).all()
    assert (strokes(truth, seed=5) != strokes(truth, seed=6)).any()


def test_a_wider_brush_and_longer_strokes_paint_more(truth):
    count = [
        (strokes(truth, length=n, brush=b) > 0).sum() for n, b in [(5, 3), (40, 3)]
    ]
    assert count[0] < count[1] < (strokes(truth, length=40, brush=7) > 0).sum()


def test_an_image_is_painted_like_a_volume_of_one_slice(truth):
    assert (strokes(truth[7], seed=2) == strokes(truth[7:8], seed=2)[0]).all()


@pytest.mark.parametrize("name", PHANTOMS)
def test_a_phantom_is_whole_and_repeats_with_its_seed(name):
    image, truth, spacing, *objects = PHANTOMS[name](seed=4, shape=SMALL)
    again = PHANTOMS[name](seed=4, shape=SMALL)
    assert image.shape == truth.shape == SMALL
    assert image.dtype == np.float32
    assert np.isfinite(image).all()
    assert len(spacing) == 3
    assert (image == again[0]).all()
    assert (truth == again[1]).all()
    assert len(np.unique(truth)) >= 2
    for numbers in objects:
        assert ((numbers > 0) == truth).all()
        assert len(np.unique(numbers)) > 5

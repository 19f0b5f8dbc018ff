"""Metrics of images against scikit-image and numpy; blocks never matter."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import metrics as reference

from napari_sashiko.errors import SettingsError, VolumeError
from napari_sashiko.metrics import IMAGE_METRICS, ImageErrors, StructuralSimilarity


def twins(shape=(9, 30, 26), seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.normal(0, 1, shape).cumsum(axis=-1).cumsum(axis=-2) / 10 + 40
    return truth + rng.normal(0, 0.7, shape), truth


def whole(metric, image, truth, ignore=None):
    metric.update(image, truth, ignore)
    return metric.compute()


def in_blocks(metric, image, truth, cuts, ignore=None):
    """Feed blocks that partition ``(Z, Y, X)``, each grown by the metric's halo."""
    halo = getattr(metric, "halo", (0, 0, 0))
    spans = [
        [
            slice(max(0, low - h), min(n, high + h))
            for low, high in zip([0, *at], [*at, n], strict=True)
        ]
        for at, n, h in zip(cuts, image.shape, halo, strict=True)
    ]
    for z in spans[0]:
        for y in spans[1]:
            for x in spans[2]:
                box = (z, y, x)
                left_out = None if ignore is None else ignore[box]
                metric.update(image[box], truth[box], left_out)
    return metric.compute()


CUTS = st.tuples(
    *(
        st.lists(st.integers(1, n - 1), unique=True, max_size=3).map(sorted)
        for n in (9, 30, 26)
    )
)


@pytest.mark.parametrize("dims", [2, 3])
@settings(max_examples=20, deadline=None)
@given(cuts=CUTS)
def test_ssim_of_blocks_with_halo_is_scikit_images_of_the_whole(dims, cuts):
    image, truth = twins()
    scores = in_blocks(StructuralSimilarity(30.0, dims=dims), image, truth, cuts)
    if dims == 3:
        expected = reference.structural_similarity(image, truth, data_range=30.0)
        assert scores.windows == (9 - 6) * (30 - 6) * (26 - 6)
    else:
        expected = np.mean(
            [
                reference.structural_similarity(a, b, data_range=30.0)
                for a, b in zip(image, truth, strict=True)
            ]
        )
    assert scores.ssim == pytest.approx(expected, rel=1e-9)
    assert 0.1 < expected < 0.99


def test_ssim_takes_other_windows_and_pictures():
    image, truth = twins((40, 50))
    metric = StructuralSimilarity(12.0, dims=2, window=11)
    expected = reference.structural_similarity(
        image, truth, data_range=12.0, win_size=11
    )
    assert whole(metric, image, truth).ssim == pytest.approx(expected, rel=1e-9)


def test_ssim_leaves_out_windows_that_touch_what_is_unknown():
    image, truth = twins((1, 40, 50))
    full = reference.structural_similarity(
        image[0], truth[0], data_range=12.0, full=True
    )[1]
    ignore = np.zeros(image.shape, np.uint8)
    ignore[0, 20, 30] = 1
    image[0, 5, 5] = np.nan
    kept = np.ones(image.shape[1:], bool)
    kept[17:24, 27:34] = False
    kept[2:9, 2:9] = False
    kept = kept[3:-3, 3:-3]
    scores = whole(StructuralSimilarity(12.0, dims=2), image, truth, ignore)
    assert scores.windows == kept.sum()
    assert scores.ssim == pytest.approx(full[3:-3, 3:-3][kept].mean(), rel=1e-9)


@settings(max_examples=20, deadline=None)
@given(cuts=CUTS, seed=st.integers(0, 99))
def test_errors_of_blocks_are_those_of_numpy_and_scikit_image(cuts, seed):
    image, truth = twins(seed=seed)
    scores = in_blocks(ImageErrors(25.0), image, truth, cuts)
    off = image - truth
    expected = np.corrcoef(image.ravel(), truth.ravel())[0, 1]
    assert scores.pearson == pytest.approx(expected, rel=1e-9)
    assert scores.mean_absolute_error == pytest.approx(np.abs(off).mean())
    assert scores.root_mean_square_error == pytest.approx(np.sqrt((off**2).mean()))
    expected = reference.peak_signal_noise_ratio(truth, image, data_range=25.0)
    assert scores.psnr == pytest.approx(expected)
    assert scores.voxels == image.size


def test_the_data_range_is_that_of_all_blocks_of_the_truth_where_none_is_given():
    image, truth = twins()
    scores = in_blocks(ImageErrors(), image, truth, ([4], [10], [13]))
    assert scores.data_range == pytest.approx(np.ptp(truth))
    expected = reference.peak_signal_noise_ratio(truth, image, data_range=np.ptp(truth))
    assert scores.psnr == pytest.approx(expected)


def test_errors_leave_out_what_is_unknown_or_ignored():
    image, truth = twins()
    ignore = np.zeros(image.shape, bool)
    ignore[:, :, :4] = True
    image[2, 3, 10:20], truth[7, 2:5, 9] = np.nan, np.inf
    known = ~ignore & np.isfinite(image) & np.isfinite(truth)
    scores = in_blocks(ImageErrors(), image, truth, ([3], [2], [8]), ignore)
    plain = whole(ImageErrors(), image[known], truth[known])
    assert scores.voxels == plain.voxels == known.sum() < image.size
    assert scores.record() == pytest.approx(plain.record())


def test_correlation_keeps_its_digits_far_from_zero():
    image, truth = twins()
    near = whole(ImageErrors(), image, truth).pearson
    far = in_blocks(
        ImageErrors(), image + 1e7, truth - 1e7, ([4], [10, 20], [13])
    ).pearson
    assert far == pytest.approx(near, rel=1e-6)


def test_an_image_that_is_its_truth_has_no_errors():
    _, truth = twins()
    scores = whole(ImageErrors(), truth, truth)
    assert scores.pearson == pytest.approx(1)
    assert scores.psnr == math.inf
    assert scores.mean_absolute_error == scores.root_mean_square_error == 0
    record = json.loads(json.dumps(scores.record(), allow_nan=False))
    assert record["psnr"] is None
    assert whole(StructuralSimilarity(9.0), truth, truth).ssim == pytest.approx(1)


def test_a_constant_image_correlates_with_nothing():
    _, truth = twins()
    assert math.isnan(whole(ImageErrors(), np.ones_like(truth), truth).pearson)
    flat = whole(ImageErrors(), truth, np.ones_like(truth))
    assert flat.psnr == -math.inf


METRICS = {"errors": ImageErrors, "ssim": lambda: StructuralSimilarity(5.0)}


@pytest.mark.parametrize("name", list(IMAGE_METRICS))
def test_a_reset_forgets(name):
    image, truth = twins()
    metric = METRICS[name]()
    assert isinstance(metric, IMAGE_METRICS[name])
    metric.update(image, truth)
    metric.reset()
    np.testing.assert_equal(vars(metric.compute()), vars(METRICS[name]().compute()))


@pytest.mark.parametrize("name", list(IMAGE_METRICS))
def test_without_voxels_there_is_no_score(name):
    _, truth = twins()
    scores = whole(METRICS[name](), np.full_like(truth, np.nan), truth).record()
    assert set(scores.values()) == {None, 0}


@pytest.mark.parametrize("name", list(IMAGE_METRICS))
@pytest.mark.parametrize(
    ("shapes", "said"),
    [
        (((4, 5, 6), (4, 5, 7), None), r"\(4, 5, 6\).*\(4, 5, 7\)"),
        (((4, 5, 6), (4, 5, 6), (5, 6)), r"ignored voxels \(5, 6\)"),
    ],
)
def test_what_does_not_fit_is_said(name, shapes, said):
    with pytest.raises(VolumeError, match=said):
        METRICS[name]().update(*(s and np.zeros(s) for s in shapes))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: ImageErrors(0.0), "data_range = 0"),
        (lambda: StructuralSimilarity(math.nan), "data_range = nan"),
        (lambda: StructuralSimilarity(1.0, dims=1), "dims = 1"),
        (lambda: StructuralSimilarity(1.0, window=8), "window = 8"),
    ],
)
def test_what_is_not_possible_is_said(make, said):
    with pytest.raises(SettingsError, match=said):
        make()


def test_a_picture_has_no_windows_in_3d():
    with pytest.raises(VolumeError, match="dims=2"):
        StructuralSimilarity(1.0).update(np.zeros((20, 20)), np.zeros((20, 20)))

"""Laws of restored images: grey values on disk, resumed, without classes."""

import numpy as np
import pytest
import zarr
from prediction_fakes import Identity, make_card
from skimage.metrics import structural_similarity
from small_pictures import SIZES, fenced

from napari_sashiko.checkpoints import Restoring
from napari_sashiko.errors import ModelError, OutputError, VolumeError
from napari_sashiko.prediction import (
    RESTORED,
    CellDone,
    PredictionSettings,
    compare_image_steps,
    evaluate,
    mend_prediction,
    predict,
    preview,
    read_record,
)
from napari_sashiko.volumes import Normalisation, Volume, as_volume

SHAPE = (20, 24, 28)
SETTINGS = PredictionSettings(window=(12, 16, 16), border=(2, 2, 2), device="cpu")


class Mender:
    """Doubles grey values; two members that differ by 2."""

    align = (1, 1, 1)
    halo = (1, 1, 1)
    digest = "mender"

    def __init__(self, *, fills_gaps=False):
        scale = Normalisation(low=(-1e9,), high=(1e9,), center=(0.0,), scale=(1.0,))
        self.card = make_card(
            restoring=Restoring(target=scale, fills_gaps=fills_gaps), name="mender"
        )
        self.card.classes, self.card.outputs = (), 1
        self.card.normalisation = scale if fills_gaps else Identity()

    def predict(self, patch, *, core=None, tick=lambda: None):
        tick()
        core = core or tuple((0, n) for n in patch.shape[1:])
        values = patch[(slice(None), *(slice(*span) for span in core))]
        # Gaps arrive as NaN, for whoever fills them.
        return 2 * np.nan_to_num(values), np.ones_like(values)


def image():
    rng = np.random.default_rng(0)
    return rng.normal(90_000, 1000, SHAPE).astype(np.float32)


def made(path, name="mean"):
    return np.asarray(zarr.open_array(str(path / name / "0"), mode="r"))


def run(out, array=None, *, settings=SETTINGS, **changes):
    volume = as_volume(image() if array is None else array)
    return list(predict(Mender(**changes), volume, out, settings))


@pytest.mark.parametrize("weight", [0.0, 0.5])
def test_grey_values_are_stored_as_they_are(tmp_path, weight):
    """Also beyond what float16 could hold."""
    out = tmp_path / "a.zarr"
    run(out, settings=SETTINGS.model_copy(update={"border_weight": weight}))
    np.testing.assert_allclose(made(out)[0], 2 * image(), rtol=1e-6)
    np.testing.assert_allclose(made(out, "std")[0], 1, rtol=1e-6)
    assert made(out).dtype == np.float32
    assert not (out / "classes").exists()
    assert read_record(out)["kind"] == RESTORED


def test_it_goes_on_where_it_stopped(tmp_path):
    out, whole = tmp_path / "a.zarr", tmp_path / "whole.zarr"
    steps = predict(Mender(), as_volume(image()), out, SETTINGS)
    for event in steps:
        if isinstance(event, CellDone) and event.done == 2:
            break
    steps.close()
    again = [e for e in run(out) if isinstance(e, CellDone)]
    assert again[0].done == 3
    run(whole)
    assert np.array_equal(made(out), made(whole))


def test_damaged_blocks_are_found_and_made_again(tmp_path):
    out = tmp_path / "a.zarr"
    run(out)
    expected = made(out)
    chunk = next(
        p for p in sorted((out / "mean" / "0" / "c").rglob("*")) if p.is_file()
    )
    chunk.write_bytes(chunk.read_bytes()[:20])
    steps = mend_prediction(out)
    while True:
        try:
            next(steps)
        except StopIteration as done:
            notes = done.value
            break
    assert any("damaged" in note for note in notes)
    run(out)
    assert np.array_equal(made(out), expected)


def test_measured_voxels_stay_as_they_are(tmp_path):
    array, out = image(), tmp_path / "a.zarr"
    gap = np.zeros(SHAPE, bool)
    gap[:, 8:11] = True
    array[gap] = np.nan
    run(out, array, fills_gaps=True)
    mean, std = made(out)[0], made(out, "std")[0]
    assert np.array_equal(mean[~gap], array[~gap])
    assert np.isfinite(mean).all()
    assert not std[~gap].any()
    assert (std[gap] == 1).all()


def test_a_slice_is_restored_without_a_z_axis(tmp_path):
    out = tmp_path / "a.zarr"
    run(out, image()[3], settings=PredictionSettings(device="cpu"))
    np.testing.assert_allclose(made(out)[0], 2 * image()[3], rtol=1e-6)


def test_it_is_no_prediction_to_be_scored(tmp_path):
    out = tmp_path / "a.zarr"
    run(out)
    with pytest.raises(OutputError, match="is a restored image, not a prediction"):
        evaluate(out, np.ones(SHAPE, np.uint8))


def test_it_tells_no_classes_of_a_slice():
    volume = as_volume(image())
    with pytest.raises(ModelError, match="'mender' restores images"):
        preview(Mender(), volume, (slice(0, 1), slice(0, 24), slice(0, 28)))


def compared(out, truth, **masks):
    true = truth if isinstance(truth, Volume) else as_volume(truth)
    steps = compare_image_steps(out, true, **masks)
    while True:
        try:
            next(steps)
        except StopIteration as done:
            return done.value


@pytest.mark.parametrize("flat", [False, True])
def test_scores_are_those_of_the_whole_image(tmp_path, flat):
    array, out = image()[3] if flat else image(), tmp_path / "a.zarr"
    run(out, array)
    noise = np.random.default_rng(1).normal(0, 500, array.shape)
    truth = (2 * array + noise).astype(np.float32)
    found = compared(out, truth)
    image_made = made(out)[0]
    squared = float(np.mean((image_made - truth).astype(float) ** 2))
    reach = float(np.ptp(truth))
    scores = found.errors
    assert scores.voxels == array.size
    assert scores.root_mean_square_error == pytest.approx(squared**0.5, rel=1e-4)
    assert scores.psnr == pytest.approx(10 * np.log10(reach**2 / squared), rel=1e-4)
    pairs = [(image_made, truth)] if flat else zip(image_made, truth, strict=True)
    expected = [
        structural_similarity(a.astype(float), b.astype(float), data_range=reach)
        for a, b in pairs
    ]
    assert found.ssim == pytest.approx(np.mean(expected), rel=1e-3)


def test_some_voxels_may_be_all_that_counts(tmp_path):
    array, out = image(), tmp_path / "a.zarr"
    run(out, array)
    truth = (2 * array).astype(np.float32)
    truth[5:9] += 1000
    mask = np.zeros(SHAPE, np.uint8)
    mask[5:9] = 1
    inside = compared(out, truth, only=as_volume(mask)).errors
    outside = compared(out, truth, ignore=as_volume(mask)).errors
    assert inside.voxels == mask.sum()
    assert inside.mean_absolute_error == pytest.approx(1000, rel=1e-3)
    assert outside.mean_absolute_error < 1


def test_another_shape_is_refused(tmp_path):
    out = tmp_path / "a.zarr"
    run(out)
    with pytest.raises(VolumeError, match=r"\(20, 24, 27\)"):
        compared(out, image()[..., 1:])


def test_beyond_the_edge_of_a_picture_nothing_counts(tmp_path):
    pictures, out = fenced(), tmp_path / "a.zarr"

    class Flat(Mender):
        halo = (0, 1, 1)

    settings = PredictionSettings(window=(1, 16, 16), border=(0, 2, 2), device="cpu")
    list(predict(Flat(), pictures, out, settings))
    wanted = fenced()
    for values, (height, width) in zip(wanted._array.values, SIZES, strict=True):
        values[:height, :width] *= 2  # what is beyond, stays
    found = compared(out, wanted)
    assert found.errors.voxels == sum(height * width for height, width in SIZES)
    assert found.errors.mean_absolute_error == pytest.approx(0, abs=1e-6)
    assert found.ssim == pytest.approx(1)
    everywhere = compared(out, wanted._array.values).errors
    assert everywhere.mean_absolute_error > 1

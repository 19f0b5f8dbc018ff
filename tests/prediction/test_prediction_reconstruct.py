"""Laws of reconstruction: what lies on disk is what was made, resumed, refused."""

import numpy as np
import pytest
import zarr
from small_phantoms import ANGLES, SIDE, make_sinograms, make_slices

from napari_sashiko.checkpoints import load_reconstructors
from napari_sashiko.errors import ModelError, OutputError, SettingsError, VolumeError
from napari_sashiko.prediction import (
    RECONSTRUCTED,
    CellDone,
    ReconstructSettings,
    compare_image_steps,
    evaluate,
    mend_prediction,
    read_record,
    reconstruct,
)
from napari_sashiko.runners import Message
from napari_sashiko.tomography import even_angles, filtered_back_projection
from napari_sashiko.training import TrainReconstructSettings, train_reconstructing
from napari_sashiko.volumes import as_volume

COUNT = 37  # slices: two whole cells and one that is not
SINOGRAMS = make_sinograms(make_slices(COUNT))
CPU = ReconstructSettings(device="cpu")


def run(
    out, sinograms=SINOGRAMS, *, model=None, angles=None, size=(1, 1, 1), **changes
):
    settings = CPU.model_copy(update=changes)
    volume = as_volume(sinograms, voxel_size=size)
    return list(reconstruct(volume, out, settings, model=model, angles=angles))


def made(path, name="fbp"):
    return np.asarray(zarr.open_array(str(path / name / "0"), mode="r"))


def expected(sinograms=SINOGRAMS, **changes):
    angles = even_angles(ANGLES)
    return np.stack([filtered_back_projection(s, angles, **changes) for s in sinograms])


def train(path, sinograms, slices):
    settings = TrainReconstructSettings(
        network="dense_reconstruct",
        network_settings={"hidden": 16},
        members=2,
        epochs=1,
        minutes=None,
        device="cpu",
    )
    volumes = as_volume(sinograms), as_volume(slices)
    list(train_reconstructing(*volumes, settings, path))
    return path


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "learned.sashiko-model"
    return train(path, SINOGRAMS, make_slices(COUNT))


@pytest.fixture
def out(tmp_path):
    return tmp_path / "made.zarr"


def test_back_projection_of_every_slice_is_stored(out):
    run(out)
    assert np.array_equal(made(out)[0], expected())
    assert read_record(out)["kind"] == RECONSTRUCTED
    assert not (out / "mean").exists()


def score(out, truth, **asked):
    steps = compare_image_steps(out, as_volume(truth), **asked)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def test_scores_of_a_volume_are_those_of_its_voxels(out):
    run(out)
    truth = make_slices(COUNT)
    found = score(out, truth)
    expected_error = np.sqrt(np.mean((made(out)[0] - truth) ** 2))
    assert found.errors.root_mean_square_error == pytest.approx(expected_error)
    correlation = np.corrcoef(made(out).ravel(), truth.ravel())[0, 1]
    assert found.errors.pearson == pytest.approx(correlation)
    with pytest.raises(SettingsError, match="Choose from: fbp"):
        score(out, truth, part="mean")
    with pytest.raises(VolumeError, match=r"the reconstruction \(37"):
        score(out, truth[1:])


def test_each_way_to_make_a_volume_is_scored(out, model):
    run(out, model=model)
    truth = make_slices(COUNT)
    found = {part: score(out, truth, part=part) for part in ("mean", "fbp", None)}
    assert found["mean"] == found[None] != found["fbp"]
    with pytest.raises(SettingsError, match="Choose from: mean, fbp"):
        score(out, truth, part="std")


def test_filter_and_circle_are_used(out, tmp_path):
    run(out, filter="hann")
    assert np.array_equal(made(out)[0], expected(filter_name="hann"))
    run(tmp_path / "square.zarr", circle=False)
    assert np.array_equal(made(tmp_path / "square.zarr")[0], expected(circle=False))


def test_the_order_of_axes_can_be_said(out):
    run(out, np.ascontiguousarray(SINOGRAMS.swapaxes(0, 1)), order="projections")
    assert np.array_equal(made(out)[0], expected())


def test_a_single_sinogram_becomes_an_image(out):
    run(out, SINOGRAMS[4])
    assert np.array_equal(made(out)[0], expected()[4])


def test_a_model_says_slices_and_doubt_with_back_projection_beside(out, model):
    run(out, model=model)
    mean, std = load_reconstructors(model).predict(SINOGRAMS)
    np.testing.assert_allclose(made(out, "mean")[0], mean, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(made(out, "std")[0], std, rtol=1e-3, atol=1e-5)
    assert np.array_equal(made(out)[0], expected())


def test_back_projection_can_be_left_out(out, model):
    run(out, model=model, beside=False)
    assert not (out / "fbp").exists()
    assert made(out, "mean").shape == (1, COUNT, SIDE, SIDE)


def test_slices_of_another_side_lie_alone_in_larger_voxels(out, tmp_path):
    halves = make_slices(COUNT)[:, ::2, ::2].copy()
    small = train(tmp_path / "small.sashiko-model", SINOGRAMS, halves)
    events = run(out, model=small, size=(3, 1, 2))
    assert any("left out" in e.text for e in events if isinstance(e, Message))
    assert made(out, "mean").shape == (1, COUNT, SIDE // 2, SIDE // 2)
    assert read_record(out)["voxel_size"] == [3, 4, 4]


@pytest.mark.parametrize("with_model", [False, True])
def test_it_goes_on_where_it_stopped(out, tmp_path, model, with_model):
    used = model if with_model else None
    steps = reconstruct(as_volume(SINOGRAMS), out, CPU, model=used)
    for event in steps:
        if isinstance(event, CellDone):
            break
    steps.close()
    again = [e for e in run(out, model=used) if isinstance(e, CellDone)]
    assert [e.done for e in again] == [2, 3]
    run(tmp_path / "whole.zarr", model=used)
    name = "mean" if with_model else "fbp"
    assert np.array_equal(made(out, name), made(tmp_path / "whole.zarr", name))
    assert not [e for e in run(out, model=used) if isinstance(e, CellDone)]


def test_damaged_blocks_are_found_and_made_again(out):
    run(out)
    chunk = next(p for p in sorted((out / "fbp/0/c").rglob("*")) if p.is_file())
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
    assert np.array_equal(made(out)[0], expected())


def test_memory_bounds_a_cell(out, monkeypatch):
    bytes_of_a_slice = 4 * (2 * ANGLES * SIDE + SIDE**2)
    place = "napari_sashiko.prediction.reconstructing.CELL_BYTES"
    monkeypatch.setattr(place, 3 * bytes_of_a_slice)
    cells = [e for e in run(out) if isinstance(e, CellDone)]
    assert len(cells) == 13
    assert np.array_equal(made(out)[0], expected())


@pytest.mark.parametrize(
    "changes",
    [
        {"filter": "cosine"},
        {"angles": np.linspace(0, 175, ANGLES)},
        {"sinograms": SINOGRAMS + 1},
    ],
)
def test_another_reconstruction_is_not_mixed_in(out, changes):
    run(out)
    with pytest.raises(OutputError, match="exists and was made"):
        run(out, **changes)
    run(out, **changes, overwrite=True)
    assert not np.array_equal(made(out)[0], expected())


def test_sinograms_that_a_model_does_not_know_are_refused(out, model):
    with pytest.raises(VolumeError, match="18 angles x 24 detectors"):
        run(out, SINOGRAMS[:, 1:], model=model)
    with pytest.raises(VolumeError, match="other angles"):
        run(out, model=model, angles=np.linspace(0, 175, ANGLES))
    assert not out.exists()
    run(out, model=model, angles=even_angles(ANGLES))


def test_other_models_reconstruct_nothing(out, tmp_path):
    with pytest.raises(ModelError, match=r"no model\.json|not a model"):
        run(out, model=tmp_path)
    assert not out.exists()


def test_gaps_in_a_sinogram_are_named_and_the_rest_is_kept(out):
    broken = SINOGRAMS.copy()
    broken[20, 3, 3] = np.nan
    with pytest.raises(VolumeError, match="slice 20"):
        run(out, broken)
    assert np.array_equal(made(out)[0, :16], expected()[:16])


def test_it_is_no_prediction_to_be_scored(out):
    run(out)
    with pytest.raises(OutputError, match="is a reconstruction, not a prediction"):
        evaluate(out, np.ones((COUNT, SIDE, SIDE), np.uint8))

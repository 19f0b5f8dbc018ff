"""Samples without paint: what they were before noise, gaps and detectors."""

import csv

import numpy as np
import pytest
import tifffile
from scipy import ndimage
from skimage.transform import iradon

from napari_sashiko.errors import SampleError
from napari_sashiko.samples import (
    ARRAYS,
    SAMPLES,
    Sample,
    _store,
    load_sample,
    write_sample,
)
from napari_sashiko.volumes import open_volume

SMALL = {
    "noisy": (16, 48, 56),
    "scattering": (4, 96, 120),
    "shapes": (32, 48, 48),
    "sinograms": (2, 64, 64),
}


@pytest.fixture(scope="module")
def made():
    return {name: SAMPLES[name](shape=shape) for name, shape in SMALL.items()}


@pytest.mark.parametrize("name", SMALL)
def test_equal_seeds_and_only_they_give_equal_samples(made, name):
    again, other = (SAMPLES[name](shape=SMALL[name], seed=seed) for seed in (0, 1))
    assert again.arrays.keys() == made[name].arrays.keys() <= ARRAYS.keys()
    for key, array in again.arrays.items():
        np.testing.assert_array_equal(array, made[name].arrays[key])
    assert not np.array_equal(other.image, again.image, equal_nan=True)
    assert not np.array_equal(other.arrays["target"], again.arrays["target"])


@pytest.mark.parametrize("name", SMALL)
def test_the_target_fits_the_image_and_is_whole(made, name):
    image, target = made[name].image, made[name].arrays["target"]
    assert image.shape == target.shape
    assert image.dtype == target.dtype == np.float32
    assert np.isfinite(target).all()
    seen = np.isfinite(image)
    assert 0.7 < np.corrcoef(image[seen], target[seen])[0, 1] < 0.999


@pytest.mark.parametrize("name", SMALL)
def test_arrays_come_back_from_files_and_from_the_cache(
    made, name, tmp_path, monkeypatch
):
    sample = made[name]
    files = write_sample(sample, tmp_path / "written")
    assert [key for key in files if key != "classes"] == list(sample.arrays)
    for key, array in sample.arrays.items():
        if array.ndim == 3:
            np.testing.assert_array_equal(tifffile.imread(files[key]), array)
    assert open_volume(files["image"]).unit == sample.unit
    monkeypatch.setattr(_store, "SAMPLES", {name: lambda **_: sample})
    load_sample(name, cache=tmp_path)
    monkeypatch.setattr(_store, "SAMPLES", {name: None})
    kept = load_sample(name, cache=tmp_path)
    assert list(kept.arrays) == list(sample.arrays)
    for key, array in sample.arrays.items():
        np.testing.assert_array_equal(kept.arrays[key], array)
    assert (kept.classes, kept.unit) == (sample.classes, sample.unit)


def test_gaps_are_where_nothing_was_seen_and_the_same_in_all_pictures(made):
    image, gaps = made["scattering"].image, made["scattering"].arrays["gaps"]
    np.testing.assert_array_equal(np.isnan(image), gaps == 1)
    np.testing.assert_array_equal(gaps, np.broadcast_to(gaps[0], gaps.shape))
    _, modules = ndimage.label(gaps[0] == 0)
    assert modules == 6
    assert 0.05 < gaps.mean() < 0.15


def test_bars_are_as_wide_as_asked_for():
    how = {"shape": (1, 200, 200), "bars": (0.1, 0.03)}
    gaps = SAMPLES["scattering"](**how).arrays["gaps"][0] > 0
    assert gaps.all(axis=1).sum() == 2 * 20
    assert gaps.all(axis=0).sum() == 6


def test_scattering_counts_photons(made):
    sample = made["scattering"]
    counts = 10.0**sample.image - 1
    seen = np.isfinite(counts)
    np.testing.assert_allclose(counts[seen], np.rint(counts[seen]), rtol=1e-4)
    expected = 10.0 ** sample.arrays["target"][seen] - 1
    spread = (counts[seen] - expected) ** 2 / expected
    assert spread.mean() == pytest.approx(1, abs=0.05)  # variance = mean


def test_noise_of_the_foam_grows_with_its_grey_values(made):
    image, target = made["noisy"].image, made["noisy"].arrays["target"]
    off = image - target
    assert abs(off.mean()) < 0.005
    dark, bright = target < 0.2, target > 0.6
    assert 1.5 * off[dark].std() < off[bright].std()


def test_every_picture_shows_one_shape_of_its_kind(made):
    sample = made["shapes"]
    kinds, truth = sample.arrays["kinds"], sample.truth
    assert set(kinds) == {each.id for each in sample.classes} - {1}
    assert np.bincount(kinds)[2:].tolist() == [8] * 4
    for kind, picture in zip(kinds, truth, strict=True):
        assert set(np.unique(picture)) == {1, kind}
        _, count = ndimage.label(picture == kind)
        assert count == 1
    np.testing.assert_array_equal(sample.arrays["target"] == 1, truth > 1)


def test_shapes_lie_anywhere_or_in_the_middle(made):
    centred = SAMPLES["shapes"](shape=SMALL["shapes"], centred=True)
    middle = (np.array(centred.truth.shape[1:]) - 1) / 2
    away = [
        max(
            np.abs(np.mean(np.nonzero(picture > 1), axis=1) - middle).max()
            for picture in sample.truth
        )
        for sample in (made["shapes"], centred)
    ]
    assert away[0] > 8
    assert away[1] < 1


def test_shapes_are_what_their_names_say(made):
    sample = made["shapes"]
    names = {each.id: each.name for each in sample.classes}
    for kind, picture in zip(sample.arrays["kinds"], sample.truth, strict=True):
        shape = picture == kind
        filled = ndimage.binary_fill_holes(shape)
        assert (names[kind] == "annulus") == (filled.sum() > shape.sum())
        if names[kind] in ("circle", "annulus"):
            radius = np.sqrt(filled.sum() / np.pi)
            middle = ndimage.center_of_mass(filled)
            away = np.hypot(*(np.argwhere(filled) - middle).T)
            assert away.max() < radius + 1


def test_kinds_are_written_as_a_table(made, tmp_path):
    files = write_sample(made["shapes"], tmp_path)
    with files["kinds"].open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["slice"]) for row in rows] == list(range(32))
    assert [int(row["kinds"]) for row in rows] == made["shapes"].arrays[
        "kinds"
    ].tolist()


def test_the_phantom_comes_back_from_its_sinogram(made):
    sample = made["sinograms"]
    phantom = sample.arrays["phantom"]
    assert sample.image.shape == (2, 180, 64)
    errors = []
    for key in ("target", "image"):
        ways = np.linspace(0, 180, 180, endpoint=False)
        back = iradon(sample.arrays[key][0].T, ways, circle=True)
        assert np.corrcoef(back.ravel(), phantom[0].ravel())[0, 1] > 0.9
        errors.append(np.sqrt(((back - phantom[0]) ** 2).mean()))
    assert errors[0] < errors[1]


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"target": np.zeros((1, 2, 3))}, "no image"),
        ({"image": np.zeros((1, 2, 3)), "kinds": np.zeros((2, 2))}, "'kinds'.*2 axes"),
    ],
)
def test_what_is_no_sample_is_said(arrays, said):
    with pytest.raises(SampleError, match=said):
        Sample(name="odd", title="Odd", arrays=arrays, source="here")

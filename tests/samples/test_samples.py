"""Samples: exact truth, strokes inside their class, a scan that looks like one."""

import json
import socket
from dataclasses import replace

import numpy as np
import pytest
import tifffile
from imageio.v3 import imread
from scipy import ndimage

from napari_sashiko.errors import OutputError, SampleError, SettingsError
from napari_sashiko.samples import SAMPLES, _store, load_sample, nuclei, write_sample
from napari_sashiko.samples._strokes import paint_strokes
from napari_sashiko.samples._tomography import measure
from napari_sashiko.volumes import Time, open_volume

GENERATED = ("dendrites", "fibres", "filaments")
SMALL = (20, 64, 64)


@pytest.fixture(scope="module")
def made():
    return {name: SAMPLES[name](shape=SMALL) for name in GENERATED}


@pytest.fixture
def offline(monkeypatch, tmp_path):
    def refuse(*_args, **_kwargs):
        raise OSError("Network is unreachable")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.mark.parametrize("name", GENERATED)
def test_equal_seeds_give_equal_samples(made, name):
    again = SAMPLES[name](shape=SMALL)
    np.testing.assert_array_equal(again.image, made[name].image)
    np.testing.assert_array_equal(again.sparse_labels, made[name].sparse_labels)
    np.testing.assert_array_equal(again.truth, made[name].truth)


@pytest.mark.parametrize("name", GENERATED)
def test_other_seeds_give_other_samples(made, name):
    other = SAMPLES[name](shape=SMALL, seed=1)
    assert (other.truth != made[name].truth).mean() > 0.02


@pytest.mark.parametrize("name", GENERATED)
def test_strokes_never_leave_their_class(made, name):
    sample = made[name]
    painted = sample.sparse_labels > 0
    np.testing.assert_array_equal(sample.sparse_labels[painted], sample.truth[painted])


@pytest.mark.slow
@pytest.mark.parametrize("name", GENERATED)
def test_every_class_is_painted_on_three_slices_and_few_voxels(name):
    sample = SAMPLES[name]()
    painted = (sample.sparse_labels > 0).mean(axis=(1, 2))
    assert 0 < painted.max() < 0.08
    for each in sample.classes:
        slices = np.flatnonzero((sample.sparse_labels == each.id).any(axis=(1, 2)))
        assert len(slices) == 3


@pytest.mark.parametrize("name", GENERATED)
def test_truth_knows_all_classes_and_nothing_else(made, name):
    sample = made[name]
    assert set(np.unique(sample.truth)) == {each.id for each in sample.classes}


def test_grey_values_of_cement_follow_density(made):
    sample = made["fibres"]
    names = {each.name: each.id for each in sample.classes}
    mean = {
        name: sample.image[sample.truth == number].mean()
        for name, number in names.items()
    }
    assert mean["void"] < mean["fibre"] < mean["cement"] < mean["aggregate"]


def test_filaments_and_membranes_are_darker_than_ice(made):
    sample = made["filaments"]
    ice, filament, membrane = (
        sample.image[sample.truth == number].mean() for number in (1, 2, 3)
    )
    assert filament < ice
    assert membrane < ice


def test_dendrites_are_dark_in_a_lighter_melt_with_bright_pockets(made):
    sample = made["dendrites"]
    grey = {
        each.name: sample.image[sample.truth == each.id].mean()
        for each in sample.classes
    }
    assert grey["dendrite"] < grey["liquid"] < grey["eutectic"]


def test_micrographs_of_dendrites_are_independent(made):
    solid = (made["dendrites"].truth == 2).reshape(SMALL[0], -1).astype(float)
    alike = np.corrcoef(solid)[~np.eye(SMALL[0], dtype=bool)]
    assert abs(alike.mean()) < 0.05


def test_dendrites_may_have_two_phases():
    sample = SAMPLES["dendrites"](shape=SMALL, phases=2)
    assert (
        set(np.unique(sample.truth)) == {each.id for each in sample.classes} == {1, 2}
    )
    with pytest.raises(SettingsError, match="phases = 4"):
        SAMPLES["dendrites"](phases=4)


def test_a_missing_wedge_leaves_no_energy_along_the_beam(made):
    power = np.abs(np.fft.fftn(made["filaments"].image.astype(float))) ** 2
    along_beam = power[2:-1, :, 0].sum()  # kx = 0, kz > 0: never tilted that far
    across = power[0, :, 2:-1].sum()
    assert along_beam < 1e-6 * across


def test_a_detector_pixel_with_a_wrong_gain_is_wrong_at_every_angle():
    rng = np.random.default_rng(0)
    measured = measure(np.zeros((12, 90, 400), np.float32), rng)
    offset = measured.mean(axis=2)
    photon_noise = measured.std(axis=2).mean() / np.sqrt(400)
    assert offset.std() > 5 * photon_noise


def test_a_stroke_is_one_connected_brush_stroke():
    truth = np.ones((1, 60, 60), np.uint8)
    painted = paint_strokes(truth, slices=1, strokes=1, length=40, brush=3, seed=3)
    _, count = ndimage.label(painted[0], np.ones((3, 3)))
    assert count == 1
    assert 60 < (painted > 0).sum() <= 41 * 9


def test_a_sample_is_made_once_and_then_kept(tmp_path, monkeypatch):
    calls = []

    def make(*, report=None):
        calls.append(1)
        return SAMPLES["filaments"](shape=(8, 32, 32))

    monkeypatch.setattr(_store, "SAMPLES", {"filaments": make})
    first = load_sample("filaments", cache=tmp_path)
    second = load_sample("filaments", cache=tmp_path)
    assert len(calls) == 1
    np.testing.assert_array_equal(first.image, second.image)
    np.testing.assert_array_equal(first.truth, second.truth)
    assert (first.classes, first.voxel_size, first.unit, first.title) == (
        second.classes, second.voxel_size, second.unit, second.title,
    )  # fmt: skip


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut short"])
def test_a_damaged_cache_is_made_again(tmp_path, monkeypatch, content):
    small = SAMPLES["filaments"](shape=(8, 32, 32))
    monkeypatch.setattr(_store, "SAMPLES", {"filaments": lambda **_: small})
    (tmp_path / f"filaments-{_store.EDITION}.npz").write_bytes(content)
    assert load_sample("filaments", cache=tmp_path).image.shape == (8, 32, 32)


def test_an_unknown_sample_is_answered_with_those_that_there_are():
    with pytest.raises(SettingsError, match=r"fibres, .*nuclei"):
        load_sample("fibers")


def test_offline_the_real_sample_says_what_to_do_instead(offline):
    with pytest.raises(SampleError) as caught:
        load_sample("nuclei")
    text = str(caught.value)
    assert nuclei.URL in text
    assert "internet" in text
    assert "'fibres'" in text
    assert "\n" not in text


def test_clear_cases_leave_out_what_one_might_argue_about():
    disk = np.hypot(*np.mgrid[-40:40, -40:40]) < 20
    image = np.stack([1000 * disk + 100] * 6).astype(np.uint16)
    cases = nuclei.clear_cases(image)
    assert (cases[:, disk] != nuclei.BACKGROUND).mean() > 0.9
    assert not (cases[:, ~disk] == nuclei.NUCLEUS).sum() > 0.05 * (~disk).sum()
    assert (cases == 0).any()
    assert set(np.unique(paint_strokes(cases))) == {0, 1, 2}


def test_micrographs_are_a_folder_that_training_takes(tmp_path):
    sample = SAMPLES["micrographs"](shape=(6, 48, 64))
    files = write_sample(sample, tmp_path / "m")
    assert set(files) == {"train", "validate", "test", "classes"}
    numbers = []
    for part, count in (("train", 3), ("validate", 1), ("test", 2)):
        images, labels = (
            sorted((tmp_path / "m" / part / kind).iterdir())
            for kind in ("images", "labels")
        )
        assert [path.name for path in images] == [path.name for path in labels]
        assert len(images) == count
        for image, label in zip(images, labels, strict=True):
            number = int(image.stem[-2:])
            numbers.append(number)
            np.testing.assert_array_equal(imread(image), sample.image[number])
            expected = np.where(sample.truth[number] == 2, 255, 0)
            np.testing.assert_array_equal(imread(label), expected)
    assert numbers == list(range(6))
    assert files["classes"].read_text() == "0: liquid\n255: dendrite\n"


def test_a_folder_of_pictures_is_kept_as_one(tmp_path, monkeypatch):
    small = SAMPLES["micrographs"](shape=(6, 32, 32))
    monkeypatch.setattr(_store, "SAMPLES", {"micrographs": lambda **_: small})
    load_sample("micrographs", cache=tmp_path)
    assert load_sample("micrographs", cache=tmp_path).parts == small.parts


def test_parts_make_up_a_sample(tmp_path):
    sample = SAMPLES["micrographs"](shape=(6, 32, 32))
    with pytest.raises(SampleError, match="cannot be cut"):
        write_sample(replace(sample, parts=(("train", 5),)), tmp_path)


def test_written_files_carry_voxel_size_and_class_names(tmp_path, made):
    files = write_sample(made["fibres"], tmp_path / "new" / "folder")
    np.testing.assert_array_equal(tifffile.imread(files["image"]), made["fibres"].image)
    np.testing.assert_array_equal(tifffile.imread(files["truth"]), made["fibres"].truth)
    with tifffile.TiffFile(files["labels"]) as file:
        assert file.series[0].axes == "ZYX"
        assert 'PhysicalSizeZ="1.2"' in file.ome_metadata
    rows = json.loads(files["classes"].read_text())
    assert [row["name"] for row in rows] == ["cement", "fibre", "void", "aggregate"]


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path, made):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        write_sample(made["fibres"], tmp_path / "file" / "folder")


def test_nuclei_move_and_fade_and_their_files_name_the_time_axis(tmp_path):
    sample = SAMPLES["moving-nuclei"](shape=(3, 8, 48, 48))
    again = SAMPLES["moving-nuclei"](shape=(3, 8, 48, 48))
    np.testing.assert_array_equal(sample.image, again.image)
    first, _, last = sample.truth
    assert 0 < (first != last).mean() < 0.5
    pairs = zip(sample.image, sample.truth, strict=True)
    dark = [frame[true == 1].mean() for frame, true in pairs]
    assert dark[0] > dark[1] > dark[2]
    painted = sample.sparse_labels > 0
    np.testing.assert_array_equal(sample.sparse_labels[painted], sample.truth[painted])
    assert set(np.unique(sample.sparse_labels)) == {0, 1, 2}
    files = write_sample(sample, tmp_path)
    for name in ("image", "labels"):
        volume = open_volume(files[name])
        assert (volume.shape, volume.frame) == ((24, 48, 48), 8)
        assert volume.time == Time(2.0, "min")
        assert volume.voxel_size == (1.0, 0.5, 0.5)
    _store._keep(sample, tmp_path / "kept.npz")
    kept = _store._read(tmp_path / "kept.npz")
    assert kept.time == sample.time
    np.testing.assert_array_equal(kept.image, sample.image)

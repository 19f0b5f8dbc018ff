"""Laws of exporting results: the right part, exact ids, and words for what is not."""

import json

import numpy as np
import pytest
import tifffile
import zarr

from napari_sashiko.errors import OutputError, SettingsError
from napari_sashiko.pipeline import (
    ExportDone,
    Progress,
    export,
    exportables,
    open_volume,
)
from napari_sashiko.volumes import create_ome_image, full_region

SHAPE = (6, 9, 11)
SIZE = (2.0, 0.5, 0.5)
RNG = np.random.default_rng(0)
MEAN = RNG.random((2, *SHAPE)).astype(np.float16)
STD = (RNG.random((2, *SHAPE)) / 2).astype(np.float16)
CLASSES = np.where(MEAN[1] > MEAN[0], 4, 1).astype(np.uint8)
LABELS = RNG.integers(0, 2**32, SHAPE, dtype=np.uint32)


def write_image(group, name, values):
    axes = "czyx"[-values.ndim :]
    create_ome_image(
        group, name, shape=values.shape, chunks=(1, 4, 5, 6)[-values.ndim :],
        dtype=str(values.dtype), axes=axes, voxel_size=SIZE, unit="um",
    )[...] = values  # fmt: skip


@pytest.fixture
def prediction(tmp_path):
    """A prediction of rest (1) and fibre (4), as it lies on disk."""
    record = {
        "format_version": 1,
        "kind": "prediction",
        "model_digest": "m",
        "input_digest": "i",
        "plan": {},
        "shape": list(SHAPE),
        "voxel_size": list(SIZE),
        "unit": "um",
        "flat": False,
        "classes": [
            {"id": 1, "name": "rest", "color": "#888888"},
            {"id": 4, "name": "fibre", "color": "#cc3311"},
        ],
    }
    path = tmp_path / "p.zarr"
    group = zarr.create_group(str(path), attributes={"sashiko": record})
    for name, values in (("mean", MEAN), ("std", STD), ("classes", CLASSES)):
        write_image(group, name, values)
    group.create_array("ledger", data=np.ones((1, 1, 1), np.uint8))
    return path


@pytest.fixture
def instances(tmp_path):
    record = {"kind": "instances", "prediction": "p.zarr", "class_name": "fibre"}
    path = tmp_path / "i.zarr"
    group = zarr.create_group(str(path), attributes={"sashiko": record})
    write_image(group, "labels", LABELS)
    return path


@pytest.fixture
def sets(tmp_path):
    record = {"kind": "sets", "classes": [{"name": "rest"}], "coverage": 0.9}
    path = tmp_path / "s.zarr"
    group = zarr.create_group(str(path), attributes={"sashiko": record})
    write_image(group, "sizes", CLASSES // 4)
    return path


def read(path):
    volume = open_volume(path)
    factor = {"um": 1, "angstrom": 1e4}[volume.unit]
    assert volume.voxel_size == pytest.approx([factor * size for size in SIZE])
    return volume.read(full_region(volume.shape))


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, CLASSES[None]),
        ({"part": "classes"}, CLASSES[None]),
        ({"part": "mean"}, MEAN.astype(np.float32)),
        ({"part": "std"}, STD.astype(np.float32)),
        ({"label_class": "fibre"}, MEAN[1:].astype(np.float32)),
        ({"part": "std", "label_class": 1}, STD[:1].astype(np.float32)),
    ],
)
@pytest.mark.parametrize("ending", [".tif", ".mrc"])
def test_a_part_of_a_prediction_comes_back(
    prediction, tmp_path, ending, settings, expected
):
    if ending == ".mrc":
        pytest.importorskip("mrcfile")
    out, events = tmp_path / f"a{ending}", []
    if ending == ".mrc" and len(expected) > 1:
        with pytest.raises(OutputError, match=r"all classes are 2\. Name a class"):
            export(prediction, out, **settings)
        return
    done = export(prediction, out, report=events.append, **settings)
    back = read(out)
    np.testing.assert_array_equal(back, expected)
    assert back.dtype == (np.int8 if ending == ".mrc" else expected.dtype) or (
        back.dtype == np.float32
    )
    assert isinstance(done, ExportDone)
    shares = [(e.done, e.total) for e in events if isinstance(e, Progress)]
    assert shares == [(n, len(shares)) for n in range(1, len(shares) + 1)]


def test_ids_of_instances_come_back(instances, tmp_path):
    export(instances, tmp_path / "a.tif")
    back = read(tmp_path / "a.tif")
    assert back.dtype == np.uint32
    np.testing.assert_array_equal(back[0], LABELS)


def test_more_objects_than_an_mrc_can_count_are_refused(instances, tmp_path):
    pytest.importorskip("mrcfile")
    with pytest.raises(OutputError, match=r"Instances of fibre have .*Write a TIFF"):
        export(instances, tmp_path / "a.mrc")
    assert not (tmp_path / "a.mrc").exists()


def test_sizes_of_sets_come_back(sets, tmp_path):
    export(sets, tmp_path / "a.tif")
    np.testing.assert_array_equal(read(tmp_path / "a.tif")[0], CLASSES // 4)


def test_the_file_says_which_number_is_which_class(prediction, tmp_path):
    export(prediction, tmp_path / "a.tif")
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        assert "1 rest, 4 fibre" in file.ome_metadata


@pytest.mark.parametrize("channels", [1, 2])
def test_a_restored_image_comes_back_in_grey_values(prediction, tmp_path, channels):
    group = zarr.open_group(str(prediction), mode="r+")
    record = {**group.attrs["sashiko"], "kind": "restored image", "classes": []}
    group.attrs["sashiko"] = record
    grey = (1000 * MEAN[:channels]).astype(np.float32)
    write_image(group, "mean", grey)
    export(prediction, tmp_path / "a.tif")
    np.testing.assert_array_equal(read(tmp_path / "a.tif"), grey)
    with pytest.raises(SettingsError, match="no part 'classes' in a restored image"):
        export(prediction, tmp_path / "b.tif", part="classes")
    with pytest.raises(SettingsError, match=r"no image for each class.*channel"):
        export(prediction, tmp_path / "b.tif", label_class="fibre")
    export(prediction, tmp_path / "c.tif", channel=channels)
    np.testing.assert_array_equal(read(tmp_path / "c.tif"), grey[-1:])
    with pytest.raises(SettingsError, match=rf"no channel {channels + 1} in"):
        export(prediction, tmp_path / "b.tif", channel=channels + 1)


def test_an_mrc_of_a_restored_image_takes_one_channel(prediction, tmp_path):
    pytest.importorskip("mrcfile")
    group = zarr.open_group(str(prediction), mode="r+")
    record = {**group.attrs["sashiko"], "kind": "restored image", "classes": []}
    group.attrs["sashiko"] = record
    grey = (1000 * MEAN[:2]).astype(np.float32)
    write_image(group, "mean", grey)
    with pytest.raises(OutputError, match=r"Name a channel, with --channel"):
        export(prediction, tmp_path / "a.mrc")
    done = export(prediction, tmp_path / "a.mrc", channel=2)
    assert "channel 2" in done.what
    np.testing.assert_array_equal(read(tmp_path / "a.mrc"), grey[1:])


def test_a_prediction_has_classes_and_no_channels(prediction, tmp_path):
    with pytest.raises(SettingsError, match=r"no channels.*a prediction.*a class"):
        export(prediction, tmp_path / "b.tif", channel=1)


@pytest.mark.parametrize(
    ("settings", "error", "said"),
    [
        ({"part": "labels"}, SettingsError, "no part 'labels' in a prediction.*mean"),
        ({"label_class": "void"}, SettingsError, "no class 'void'.*1 rest, 4 fibre"),
        (
            {"part": "classes", "label_class": "fibre"},
            SettingsError,
            "holds all of them",
        ),
        ({"part": "nonsense"}, SettingsError, "nonsense"),
    ],
)
def test_a_part_that_is_not_there_is_said(prediction, tmp_path, settings, error, said):
    with pytest.raises(error, match=said):
        export(prediction, tmp_path / "a.tif", **settings)
    assert not (tmp_path / "a.tif").exists()


def test_instances_have_no_classes(instances, tmp_path):
    with pytest.raises(SettingsError, match="no image for each class in instances"):
        export(instances, tmp_path / "a.tif", label_class="fibre")


def test_a_half_finished_prediction_is_not_exported(prediction, tmp_path):
    zarr.open_array(str(prediction / "ledger"), mode="r+")[...] = 0
    with pytest.raises(OutputError, match="0 of 1 blocks"):
        export(prediction, tmp_path / "a.tif")


def test_what_is_no_result_is_said(prediction, tmp_path):
    with pytest.raises(OutputError, match="nothing at"):
        export(tmp_path / "nowhere.zarr", tmp_path / "a.tif")
    np.save(tmp_path / "image.npy", LABELS)
    with pytest.raises(OutputError, match="is not a result"):
        export(tmp_path / "image.npy", tmp_path / "a.tif")
    with pytest.raises(OutputError, match=r"OME-Zarr already.*classes"):
        export(prediction, tmp_path / "a.zarr")


def test_all_that_is_offered_can_be_exported(prediction, instances, tmp_path):
    offers = [*exportables(prediction), *exportables(instances)]
    assert [each.what for each in offers] == [
        "Classes",
        *("Probability of all classes", "Probability of rest", "Probability of fibre"),
        *("Deviation of all classes", "Deviation of rest", "Deviation of fibre"),
        "Instances of fibre",
    ]
    for number, each in enumerate(offers):
        assert ".tif" in each.endings
        done = export(each.source, tmp_path / f"{number}.tif", **each.settings)
        assert done.what.startswith(each.what)


NETWORK, FOREST = {"kind": "network"}, {"kind": "forest"}
ALL, GRAPH = (".onnx", ".zip"), (".onnx",)


@pytest.mark.parametrize(
    ("card", "endings"),
    [
        ({}, [ALL]),  # damaged: whoever writes it is told
        ({"members": [FOREST, NETWORK], "normalisation": {}}, [ALL]),
        ({"members": [FOREST], "normalisation": {}}, []),
        ({"members": [NETWORK], "normalisation": {"levelled": True}}, [ALL]),
        ({"members": [NETWORK], "normalisation": {}, "exploring": {"n": 1}}, [GRAPH]),
        ({"members": [NETWORK], "reconstructing": {"angles": 9}}, [GRAPH]),
    ],
)
def test_models_are_offered_as_what_other_programs_could_use(tmp_path, card, endings):
    model = tmp_path / "m.sashiko-model"
    model.mkdir()
    (model / "model.json").write_text(json.dumps(card))
    assert [each.endings for each in exportables(model)] == endings


def test_what_is_no_result_or_not_finished_is_not_offered(prediction, tmp_path):
    with pytest.raises(OutputError, match="nothing"):
        exportables(tmp_path / "none.zarr")
    ledger = zarr.open_array(str(prediction / "ledger"), mode="r+")
    ledger[...] = 0
    with pytest.raises(OutputError, match="0 of 1 blocks"):
        exportables(prediction)

"""Laws of looking at a folder as one volume: a bad picture stops nothing."""

import json

import numpy as np
import pytest
import tifffile
import zarr
from folder_pictures import SIZES, cut_short, make_picture, write_data

import napari_sashiko as ns
from napari_sashiko.errors import ModelError, VolumeError
from napari_sashiko.pipeline import Message, Progress, read_embedding
from napari_sashiko.pipeline.folder_volume import image_to_look_at
from napari_sashiko.volumes import open_volume

CPU = {"device": "cpu"}
WHOLE = (45, 66)  # of t0


@pytest.fixture
def data(tmp_path):
    """Seven pictures, of which one is cut off, one no picture, one of other numbers."""
    folder = write_data(tmp_path / "data")
    cut_short(folder / "train" / "images" / "a1.png")
    (folder / "test" / "images" / "t1.png").write_bytes(b"no picture")
    tifffile.imwrite(folder / "test" / "images" / "t2.tif", np.ones((9, 9), np.uint16))
    return folder


@pytest.fixture(scope="module")
def explorer(tmp_path_factory):
    """A model of patches of such pictures."""
    place = tmp_path_factory.mktemp("explorer")
    quick = {"epochs": 1, "patch": 16, "latent": 2, "batch": 4, **CPU}
    small = {"base_channels": 4}
    path = place / "e.sashiko-model"
    ns.explore(write_data(place / "data"), path, network_settings=small, **quick)
    return path


def opened(image):
    """What is looked at, and what is said on the way."""
    said, steps = [], image_to_look_at(image)
    while True:
        try:
            said.append(next(steps))
        except StopIteration as end:
            return end.value, said


def test_what_can_be_read_is_looked_at_in_its_order(data):
    found, said = opened(data)
    assert found.pictures == found.volume.shape[0] == 5
    assert [name for name, _ in found.problems] == [
        "train/images/a1.png",
        "test/images/t1.png",
        "test/images/t2.tif",
    ]
    for why, words in zip(
        (why for _, why in found.problems),
        ("damaged", "damaged", "is of type uint16"),
        strict=True,
    ):
        assert words in why
    told = [event.text for event in said if isinstance(event, Message)]
    assert [text.split()[0] for text in told] == ["a1.png", "t1.png", "t2.tif"]
    assert any(isinstance(event, Progress) for event in said)
    for number, (seed, size) in enumerate(
        [(0, SIZES[0]), (2, SIZES[2]), (3, SIZES[3]), (10, (50, 50)), (20, WHOLE)]
    ):
        assert found.volume.extent(number) == size
        whole = found.volume.read((slice(number, number + 1), *map(slice, size)))
        np.testing.assert_array_equal(whole[0, 0], make_picture(seed, size)[0])


def test_others_open_the_same_pictures_again(data):
    """Workers get no more than this JSON."""
    volume = opened(data)[0].volume
    again = open_volume(**json.loads(json.dumps(volume.source)))
    assert again.digest() == volume.digest()
    part = (slice(0, 5), slice(3, 20), slice(0, 30))
    np.testing.assert_array_equal(again.read(part), volume.read(part))


def test_a_folder_without_bad_pictures_is_what_it_always_was(tmp_path):
    folder = write_data(tmp_path / "data")
    found, said = opened(folder)
    assert found.volume.digest() == open_volume(folder).digest()
    assert (found.pictures, found.problems) == (7, ())
    assert not any(isinstance(event, Message) for event in said)


def test_an_image_is_opened_as_it_is(data):
    stack = np.zeros((3, 4, 5), np.uint8)
    found, said = opened(stack)
    assert (found.volume.shape, found.pictures, said) == ((3, 4, 5), 0, [])
    volume = open_volume(data / "validate")
    assert opened(volume)[0].volume is volume


def test_no_picture_that_can_be_read_is_an_error(data):
    for part in ("train", "validate", "test"):
        for picture in (data / part / "images").iterdir():
            picture.write_bytes(b"")
    with pytest.raises(VolumeError, match=r"No picture of .* looked at.*a0\.png"):
        opened(data)


def test_a_folder_is_predicted_without_its_bad_pictures(learned, data, tmp_path):
    said = []
    done = ns.predict(learned[0], data, tmp_path / "o.zarr", report=said.append, **CPU)
    assert done.pictures == 5
    assert "test/images/t1.png" in dict(done.problems)
    classes = np.asarray(zarr.open_array(str(tmp_path / "o.zarr/classes/0"), mode="r"))
    assert len(classes) == 5
    discs = make_picture(20, WHOLE)[1]
    assert ((classes[4, :45, :66] == 2) == discs).mean() > 0.9
    again = ns.predict(learned[0], data, tmp_path / "o.zarr", **CPU)
    assert again.problems == done.problems


def test_another_model_is_told_of_before_pictures_are_read(data, tmp_path):
    said = []
    with pytest.raises(ModelError):
        ns.predict(tmp_path, data, tmp_path / "o.zarr", report=said.append, **CPU)
    assert not said


def test_a_cluster_leaves_out_the_same_pictures(learned, data, tmp_path):
    pytest.importorskip("distributed")
    found = {}
    for runner in ("serial", "dask"):
        out = tmp_path / f"{runner}.zarr"
        done = ns.predict(learned[0], data, out, runner=runner, workers=1, **CPU)
        assert len(done.problems) == 3
        found[runner] = np.asarray(zarr.open_array(str(out / "mean/0"), mode="r"))
    np.testing.assert_array_equal(found["dask"], found["serial"])


def test_patches_of_a_folder_are_compared_without_its_bad_pictures(
    explorer, data, tmp_path
):
    done = ns.embed(explorer, data, tmp_path / "t.csv", **CPU)
    assert done.pictures == 5
    assert len(done.problems) == 3
    table = read_embedding(tmp_path / "t.csv")
    assert set(table.places[:, 0]) == set(range(5))
    last = table.places[table.places[:, 0] == 4]
    assert (last[:, 1:] + 16 <= np.array(WHOLE)).all()

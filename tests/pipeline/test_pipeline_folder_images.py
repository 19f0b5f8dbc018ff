"""Laws of learning from folders of pictures without labels: the test is left alone."""

import imageio.v3 as iio
import numpy as np
import pytest
import tifffile
from folder_pictures import SIZES, cut_short, make_picture, write_data

from napari_sashiko.checkpoints import load_card
from napari_sashiko.errors import VolumeError
from napari_sashiko.pipeline import Message, explore, restore
from napari_sashiko.pipeline.folder_images import images_to_learn
from napari_sashiko.volumes import open_volume

QUICK = {"epochs": 1, "patch": 16, "batch": 4, "device": "cpu"}


@pytest.fixture
def data(tmp_path):
    """Pictures in train, validate and test, with labels that nobody asks for."""
    return write_data(tmp_path / "data")


@pytest.fixture
def clean(tmp_path):
    """A clean TIFF for each picture of train and validate, in a folder of their own."""
    for part, names in (("train", [f"a{n}" for n in range(4)]), ("validate", ["v0"])):
        (tmp_path / "clean" / part).mkdir(parents=True)
        for number, name in enumerate(names):
            size = SIZES[number] if part == "train" else (50, 50)
            picture = np.full(size, 100, np.float32) + number
            tifffile.imwrite(tmp_path / "clean" / part / f"{name}.tif", picture)
    return tmp_path / "clean"


def opened(image, clean=None):
    """What is learned from, and what is said on the way."""
    said, steps = [], images_to_learn(image, clean)
    while True:
        try:
            event = next(steps)
        except StopIteration as end:
            return end.value, said
        if isinstance(event, Message):
            said.append(event.text)


def test_train_is_learned_validate_judges_and_test_is_left_alone(data):
    for picture in (data / "test" / "images").iterdir():
        cut_short(picture)  # nobody reads it
    found, said = opened(data)
    assert said == ["4 pictures to learn from, 1 to judge by."]
    assert found.volume.shape[0] == 5
    assert found.judged == (4,)
    assert found.clean is None
    for number, size in enumerate(SIZES):
        assert found.volume.extent(number) == size
        whole = found.volume.read((slice(number, number + 1), *map(slice, size)))
        assert (whole[0, 0] == make_picture(number, size)[0]).all()
    # The whole folder is another matter: it can still be looked at.
    assert open_volume(data).shape[0] == 7


def test_a_volume_of_a_folder_is_the_folder(data):
    assert opened(open_volume(data))[0].volume.shape[0] == 5
    assert opened(data / "test")[0].volume.shape[0] == 2
    assert opened(data / "test")[0].judged == ()


def test_a_bad_picture_is_left_out_and_told_of(data):
    cut_short(data / "train" / "images" / "a1.png")
    (data / "train" / "images" / "a2.png").write_bytes(b"")
    deep = np.ones((30, 30), np.uint16)
    tifffile.imwrite(data / "train" / "images" / "deep.tif", deep)
    found, said = opened(data)
    assert found.volume.shape[0] == 3
    assert found.judged == (2,)
    for text, words in zip(
        said,
        (
            "a1.png is left out: it is not a picture, or it is damaged",
            "a2.png is left out: it is not a picture, or it is damaged",
            "deep.tif is left out: it is of type uint16, a0.png of uint8",
            "2 pictures to learn from, 1 to judge by.",
        ),
        strict=True,
    ):
        assert text.startswith(words)


def test_no_picture_to_learn_from_is_an_error(data):
    for picture in (data / "train" / "images").iterdir():
        cut_short(picture)
    with pytest.raises(VolumeError, match=r"No picture of .* learned from.*a0\.png"):
        opened(data)


def test_clean_pictures_are_found_by_their_names(data, clean):
    cut_short(clean / "train" / "a0.tif")
    tifffile.imwrite(clean / "train" / "a1.tif", np.ones((9, 9), np.float32))
    (clean / "train" / "a2.tif").unlink()
    found, said = opened(data, clean)
    for text, words in zip(
        said,
        (
            "a0.png is left out: it has a clean picture that cannot be used. a0.tif",
            "a1.png is left out: it has 52 x 44 pixels, its clean picture has 9 x 9",
            "a2.png is left out: it has no clean picture",
            "1 pictures to learn from, 1 to judge by.",
        ),
        strict=True,
    ):
        assert text.startswith(words)
    assert found.volume.shape == found.clean.shape
    first = (slice(0, 1), slice(0, 4), slice(0, 4))
    assert (found.clean.read(first) == 103).all()


def test_clean_pictures_of_a_folder_lie_in_a_folder(data):
    stack = np.zeros(open_volume(data).shape, np.float32)
    with pytest.raises(VolumeError, match="the clean image is none"):
        opened(data, stack)
    found, _ = opened(open_volume(data), stack)  # who shows both knows what is what
    assert found.volume.shape == found.clean.shape == stack.shape


def test_networks_learn_of_train_and_are_judged_by_validate(data, tmp_path):
    """One grey value in validate: what is made of it is as near as can be."""
    cut_short(data / "train" / "images" / "a3.png")
    said = []
    done = explore(data, tmp_path / "e.sashiko-model", report=said.append, **QUICK)
    assert any("a3.png is left out" in getattr(each, "text", "") for each in said)
    before = dict(done.metrics)
    iio.imwrite(data / "test" / "images" / "t0.png", np.full((45, 66), 9, np.uint8))
    again = explore(data, tmp_path / "again.sashiko-model", **QUICK)
    assert dict(again.metrics) == before
    iio.imwrite(data / "validate" / "images" / "v0.png", np.full((50, 50), 9, np.uint8))
    other = explore(data, tmp_path / "other.sashiko-model", **QUICK)
    assert dict(other.metrics)["held_out_loss"] != before["held_out_loss"]


def test_a_folder_is_restored_with_clean_pictures_beside_it(data, clean, tmp_path):
    out = tmp_path / "r.sashiko-model"
    done = restore(data, out, clean=clean, members=1, **QUICK)
    assert np.isfinite(dict(done.metrics)["held_out_loss"])
    assert load_card(out).restoring.target.center[0] == pytest.approx(101, abs=2)

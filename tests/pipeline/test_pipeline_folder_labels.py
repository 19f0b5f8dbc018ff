"""Folders of pictures with labels become a volume and paint to learn from."""

import json

import imageio.v3 as iio
import numpy as np
import pytest
from folder_pictures import SIZES, cut_short, write_data, write_pair

import napari_sashiko as ns
from napari_sashiko.errors import LabelError, SettingsError, VolumeError
from napari_sashiko.pipeline import (
    FolderSettings,
    LabelClass,
    Message,
    load_card,
    open_volume,
)
from napari_sashiko.pipeline.folder_classes import NamedClass, value_classes
from napari_sashiko.pipeline.folder_labels import folder_input

DENSE = FolderSettings(unlabelled="none")
RED = (1 << 32) + 0xFF0000


@pytest.fixture
def data(tmp_path):
    return write_data(tmp_path / "data")


def read(folder, classes=None, settings=DENSE, seed=0):
    """What is found, and what is said."""
    steps, said = folder_input(folder, classes, settings, seed=seed), []
    while True:
        try:
            event = next(steps)
        except StopIteration as end:
            return end.value, said
        if isinstance(event, Message):
            said.append(event)


def test_every_pixel_of_a_picture_is_labelled_and_none_beyond_its_edge(data):
    found, _ = read(data)
    labelled, volume = found.paint.labelled, found.volume
    assert volume.shape == labelled.shape == (5, 64, 70)
    sizes = [*SIZES, (50, 50)]
    assert len(labelled) == sum(height * width for height, width in sizes)
    for number, (height, width) in enumerate(sizes):
        mine = labelled.coords[:, 0] == number
        assert labelled.coords[mine].max(axis=0).tolist() == [
            number,
            height - 1,
            width - 1,
        ]
    for number in range(4):
        mine = labelled.coords[:, 0] == number
        labels = iio.imread(data / "train" / "labels" / f"a{number}.png")
        wanted = np.where(labels == 255, 2, 1)
        _, y, x = labelled.coords[mine].T
        np.testing.assert_array_equal(labelled.values[mine], wanted[y, x])


def test_pictures_of_validate_are_reserved_and_those_of_test_not_read(data):
    cut_short(data / "test" / "images" / "t0.png")
    found, _ = read(data)
    labelled = found.paint.labelled
    np.testing.assert_array_equal(labelled.reserved, labelled.coords[:, 0] == 4)
    assert [head.path.name for head in found.volume._array.heads][-1] == "v0.png"


def test_0_is_not_labelled_unless_somebody_says_so(tmp_path):
    data = write_data(tmp_path / "data", values=(0, 7))
    with pytest.raises(LabelError, match=r"Only one class .*grey 7.*unlabelled none"):
        read(data, settings=FolderSettings())
    write_pair(data / "train", "b", 3, (30, 30), values=(5, 7))
    found, _ = read(data, settings=FolderSettings())
    labels = iio.imread(data / "train" / "labels" / "a0.png")
    mine = found.paint.labelled.coords[:, 0] == 0
    assert mine.sum() == (labels == 7).sum()
    assert [c.name for c in found.paint.classes] == ["grey 5", "grey 7"]
    assert found.origin["values"] == {"1": "5", "2": "7"}


def test_a_bad_picture_is_left_out_and_told_of(data):
    cut_short(data / "train" / "images" / "a0.png")
    cut_short(data / "train" / "labels" / "a1.png")
    (data / "train" / "labels" / "a2.png").unlink()
    write_pair(data / "train", "b", 5, (30, 30))
    iio.imwrite(data / "train" / "labels" / "b.png", np.zeros((30, 31), np.uint8))
    write_pair(data / "train", "deep", 5, (30, 30))
    iio.imwrite(data / "train" / "images" / "deep.png", np.ones((30, 30), np.uint16))
    found, said = read(data)
    told = [message.text for message in said if message.level == "warning"]
    for text, words in zip(
        told,
        (
            "a0.png is left out: it is not a picture, or it is damaged",
            "a1.png is left out: it is not a picture, or it is damaged",
            "a2.png is left out: it has no labels",
            "b.png is left out: it has 30 x 30 pixels, its labels have 30 x 31",
            "deep.png is left out: it is of type uint16",
        ),
        strict=True,
    ):
        assert text.startswith(words)
    assert found.volume.shape[0] == 2


def test_of_many_bad_pictures_some_are_named_and_the_others_counted(data):
    for number in range(9):
        write_pair(data / "train", f"bad{number}", 5, (30, 30))
        cut_short(data / "train" / "images" / f"bad{number}.png")
    _, said = read(data)
    told = [message.text for message in said if message.level == "warning"]
    assert len(told) == 6
    assert told[-1] == "So are 4 other pictures."


def test_no_picture_to_learn_from_is_an_error(data):
    for label in (data / "train" / "labels").iterdir():
        label.unlink()
    with pytest.raises(LabelError, match=r"No picture .* can be learned from.*a0\.png"):
        read(data)
    (data / "train" / "labels").rmdir()
    with pytest.raises(LabelError, match="there is no folder"):
        read(data)


@pytest.mark.parametrize("ending", ["_L", "_label", "_labels", "_mask"])
def test_labels_may_carry_an_ending(data, ending):
    before, _ = read(data)
    for label in (data / "train" / "labels").iterdir():
        label.rename(label.with_name(f"{label.stem}{ending}.png"))
    after, _ = read(data)
    np.testing.assert_array_equal(
        before.paint.labelled.values, after.paint.labelled.values
    )


def test_colours_are_classes_of_these_colours(tmp_path):
    part = tmp_path / "train"
    inside = write_pair(part, "a", 0, (40, 50))
    write_pair(part, "b", 1, (30, 60))
    colours = np.array([[0, 0, 255], [255, 0, 0]], np.uint8)[inside.astype(int)]
    colours[:5] = 0
    iio.imwrite(part / "labels" / "a.png", colours)
    (part / "labels" / "b.png").unlink()
    found, _ = read(tmp_path, settings=FolderSettings())
    assert [(c.id, c.name) for c in found.paint.classes] == [
        (1, "#0000ff"),
        (2, "#ff0000"),
    ]
    assert [c.color for c in found.paint.classes] == ["#0000ff", "#ff0000"]
    assert found.paint.labelled.coords[:, 1].min() == 5
    mine = found.paint.labelled
    np.testing.assert_array_equal(mine.values == 2, inside[tuple(mine.coords[:, 1:].T)])


def test_more_than_255_values_are_refused_in_words(data):
    shades = np.random.default_rng(0).integers(0, 256, (40, 60, 3)).astype(np.uint8)
    iio.imwrite(data / "train" / "labels" / "a0.png", shades)
    with pytest.raises(LabelError, match=r"a0\.png .*more than 255 .*JPEG"):
        read(data)


def test_labels_with_fractions_are_refused_by_name(data):
    (data / "train" / "labels" / "a0.png").unlink()
    iio.imwrite(data / "train" / "labels" / "a0.tif", np.zeros((40, 60), np.float32))
    with pytest.raises(LabelError, match=r"a0\.tif cannot be used.*float32"):
        read(data)


NAMES = {
    "classes.txt": "matrix\ndisc\n",
    "train/classes.txt": "0: matrix\n255: disc\n",
    "classes.json": json.dumps([{"name": "matrix"}, {"name": "disc"}]),
    "train/labels/classes.json": json.dumps(
        [
            {"id": 9, "name": "disc", "color": "#112233", "value": 255},
            {"id": 3, "name": "matrix", "color": "#445566", "value": "#000000"},
        ]
    ),
}


@pytest.mark.parametrize("file", NAMES)
def test_names_lie_beside_the_labels(data, file):
    (data / file).write_text(NAMES[file], encoding="utf-8")
    found, _ = read(data)
    values = {c.name: found.origin["values"][str(c.id)] for c in found.paint.classes}
    assert values == {"matrix": "0", "disc": "255"}
    if file.endswith("labels/classes.json"):
        assert {c.id: c.color for c in found.paint.classes} == {
            9: "#112233",
            3: "#445566",
        }


def test_who_names_0_makes_it_a_class(data):
    (data / "classes.txt").write_text("0: matrix\n255: disc\n", encoding="utf-8")
    found, _ = read(data, settings=FolderSettings())
    assert found.origin["unlabelled"] == "none"
    assert (found.paint.labelled.values == 1).sum() > 1000


def test_names_of_the_command_line_win(data):
    (data / "classes.txt").write_text("a\nb", encoding="utf-8")
    found, _ = read(data, classes=["dark", LabelClass(id=2, name="x", color="#123456")])
    assert [c.name for c in found.paint.classes] == ["dark", "x"]


FOUND = {0: "a.png", 2: "a.png", 5: "b.png", RED: "b.png"}
FITTING = {
    "made up": (None, {1: 2, 2: 5, 3: RED}),
    "in order": (["x", "y", "z"], {1: 2, 2: 5, 3: RED}),
    "values": ([("z", RED), ("x", 2), ("y", 5)], {1: RED, 2: 2, 3: 5}),
}


@pytest.mark.parametrize("case", FITTING)
def test_values_belong_to_classes(case):
    rows, wanted = FITTING[case]
    named = rows and [
        NamedClass(row) if isinstance(row, str) else NamedClass(*row) for row in rows
    ]
    values, classes = value_classes(FOUND, named, 0)
    assert dict(zip(values.ids, values.values, strict=True)) == wanted
    assert [c.id for c in classes] == list(wanted)


def test_names_that_count_class_ids_need_no_values():
    found = {1: "a.png", 3: "a.png"}
    names = [NamedClass(name) for name in ("one", "two", "three")]
    values, _ = value_classes(found, names, 0)
    assert values.values == (1, 2, 3)


def test_names_with_the_colours_of_the_labels_need_no_values():
    green = (1 << 32) + 0x00FF00
    named = [
        NamedClass("leaf", color="#00ff00"),
        NamedClass("flower", color="#FF0000"),
        NamedClass("soil", color="#804000"),
    ]
    values, _ = value_classes({RED: "a.png", green: "a.png"}, named, 0)
    assert values.values[:2] == (green, RED)


BAD_NAMES = {
    "belongs to no class": [NamedClass("x", 2), NamedClass("y", 9)],
    "2 names for 3 classes": [NamedClass("x"), NamedClass("y")],
    "'y' has no value": [NamedClass("x", 2), NamedClass("y"), NamedClass("z", 5)],
    "name 'x'": [NamedClass("x"), NamedClass("x"), NamedClass("z")],
    "same value": [
        NamedClass(n, v) for n, v in zip("wxyz", (2, 5, RED, 2), strict=True)
    ],
}


@pytest.mark.parametrize("words", BAD_NAMES)
def test_names_that_do_not_fit_are_refused(words):
    with pytest.raises(LabelError, match=words):
        value_classes(FOUND, BAD_NAMES[words], 0)


@pytest.mark.parametrize("text", ["{", "[1]", '{"a": 1}', '[{"id": 1}]'])
def test_a_damaged_list_of_names_is_named(data, text):
    (data / "classes.json").write_text(text, encoding="utf-8")
    with pytest.raises(LabelError, match=r"classes\.json cannot be read"):
        read(data)


def test_of_large_labels_a_bounded_part_is_kept_and_that_is_said(tmp_path):
    part, rng = tmp_path / "train", np.random.default_rng(0)
    for kind in ("images", "labels"):
        (part / kind).mkdir(parents=True)
    for number in range(4):
        labels = np.ones((400, 500), np.uint8)
        labels[rng.integers(400, size=300), rng.integers(500, size=300)] = 2
        iio.imwrite(part / "images" / f"{number}.png", labels * 60)
        iio.imwrite(part / "labels" / f"{number}.png", labels)
    found, said = read(tmp_path, settings=FolderSettings(pixels=50_000))
    labelled = found.paint.labelled
    assert 25_000 < len(labelled) < 100_000
    rare = sum(
        (iio.imread(part / "labels" / f"{number}.png") == 2).sum()
        for number in range(4)
    )
    assert (labelled.values == 2).sum() == rare
    assert "grey 2 100 %" in said[-1].text
    again, _ = read(tmp_path, settings=FolderSettings(pixels=50_000))
    np.testing.assert_array_equal(again.paint.labelled.coords, labelled.coords)
    other, _ = read(tmp_path, settings=FolderSettings(pixels=50_000), seed=1)
    assert not np.array_equal(other.paint.labelled.coords, labelled.coords)


def test_a_class_that_only_validate_has_is_not_judged(data):
    label = data / "validate" / "labels" / "v0.png"
    picture = iio.imread(label)
    picture[:4] = 99
    iio.imwrite(label, picture)
    found, said = read(data)
    assert any("Not in the pictures to learn from: grey 99" in m.text for m in said)
    third = {c.name: c.id for c in found.paint.classes}["grey 99"]
    assert third not in found.paint.labelled.values


def test_a_model_sees_every_picture_by_itself(learned):
    out, _, said = learned
    card = load_card(out)
    assert card.dims == 2
    assert [member.neighbours for member in card.members] == [0, 0]
    assert card.members[0].spec["dims"] == 2
    assert "every picture is looked at by itself" in " ".join(card.training["reasons"])
    assert any("a3.png is left out" in getattr(event, "text", "") for event in said)


def test_scores_are_those_of_validate(learned):
    out, done, _ = learned
    card = load_card(out)
    confusion = card.training["held_out_curves"]["confusion"]["counts"]
    assert np.sum(confusion) == 50 * 50
    assert "beyond the receptive field" in done.fairness
    assert dict(done.metrics)["accuracy"] > 0.9


def test_a_model_remembers_what_values_mean(learned):
    origin = load_card(learned[0]).training["origin"]
    assert origin["values"] == {"1": "0", "2": "255"}
    assert origin["unlabelled"] == "none"


@pytest.mark.parametrize("setting", [{"dims": "3"}, {"neighbours": 2}])
def test_pictures_have_no_neighbours_to_look_at(data, tmp_path, setting):
    with pytest.raises(SettingsError, match="no slices of a block"):
        ns.train(
            data,
            None,
            tmp_path / "m.sashiko-model",
            folder={"unlabelled": "none"},
            members=0,
            device="cpu",
            **setting,
        )


def test_a_model_of_a_block_does_not_predict_pictures_as_if_they_were_one(
    data, arrays, fast, tmp_path
):
    model = tmp_path / "m.sashiko-model"
    ns.train(arrays[0], arrays[1], model, **fast)
    with pytest.raises(VolumeError, match="sashiko apply"):
        ns.predict(model, data, tmp_path / "o.zarr", device="cpu")


def test_a_folder_is_predicted_as_a_volume_too(learned, data, tmp_path):
    done = ns.predict(learned[0], data / "test", tmp_path / "o.zarr", device="cpu")
    found = ns.pipeline.open_prediction(done.path)
    assert found.class_ids.shape == (2, 45, 67)
    with pytest.raises(LabelError, match="sashiko apply"):
        ns.evaluate(done.path, data / "test")


@pytest.mark.parametrize("what", ["a missing folder", "a folder of slices", "an array"])
def test_labels_that_were_forgotten_are_missed(data, tmp_path, what):
    image = {
        "a missing folder": tmp_path / "nowhere",
        "a folder of slices": data / "train" / "images",
        "an array": np.zeros((5, 20, 20), np.uint8),
    }[what]
    with pytest.raises(LabelError, match="labels are missing"):
        ns.train(image, None, tmp_path / "m.sashiko-model", device="cpu")


def test_a_folder_without_parts_is_enough(data, tmp_path):
    found, _ = read(data / "train")
    assert found.volume.shape[0] == 4
    assert found.paint.labelled.reserved is None
    assert open_volume(data / "train").shape == found.volume.shape

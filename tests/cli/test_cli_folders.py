"""Folders of pictures on the command line."""

import json

import imageio.v3 as iio
import numpy as np
import pytest

CPU = ("--device", "cpu")
SCORES = ("f1", "iou", "precision", "recall", "dice", "accuracy")
FAST = ("--members", "0", "--device", "cpu", "--set", "trees=4")


@pytest.fixture
def data(tmp_path):
    """Bright squares in the dark, in pictures of different sizes."""
    rng = np.random.default_rng(0)
    for part, count in (("train", 4), ("test", 2)):
        for number in range(count):
            size = (40 + 3 * number, 50 - 2 * number)
            labels = np.zeros(size, np.uint8)
            labels[8:24, 6 + number : 30] = 255
            grey = labels // 3 + 60 + rng.normal(0, 8, size)
            for kind, picture in (
                ("images", grey.astype(np.uint8)),
                ("labels", labels),
            ):
                (tmp_path / part / kind).mkdir(parents=True, exist_ok=True)
                iio.imwrite(tmp_path / part / kind / f"p{number}.png", picture)
    return tmp_path


def test_a_folder_is_learned_applied_and_evaluated(sashiko, data):
    model, out = data / "m.sashiko-model", data / "out"
    names = ("--classes", "matrix,square", "--unlabelled", "none")
    said = sashiko("train", data, "-o", model, *names, *FAST, "--json")
    assert said.code == 0, said.err
    assert "4 pictures to learn from" in said.err
    said = sashiko(
        "apply", model, data / "test", "-o", out, "--device", "cpu", "--json"
    )
    assert said.code == 0, said.err
    assert (said.summary["written"], said.summary["kept"]) == (2, 0)
    where = ("--runner", "serial", "--workers", "1", *CPU)
    said = sashiko("apply", model, data / "test", "-o", data / "o", *where, "--json")
    assert said.code == 0, said.err
    assert said.summary["settings"]["runner"] == "serial"
    assert (data / "o" / "p0.png").read_bytes() == (out / "p0.png").read_bytes()
    said = sashiko("evaluate", out, data / "test", "--json")
    assert said.code == 0, said.err
    assert [row["class"] for row in said.summary["scores"]] == [
        "matrix",
        "square",
        "macro mean",
        "micro mean",
    ]
    assert said.summary["scores"][1]["iou"] > 0.9
    said = sashiko("evaluate", out, data / "test", "--class", "square", "--no-overlays")
    lines = said.out.splitlines()
    assert [each.split()[0] for each in lines[1:5]] == [
        "matrix",
        "square",
        "macro",
        "micro",
    ]
    assert lines[0].split() == [*SCORES, "pixels"]
    for words in ("accuracy ", "macro F1 ", "micro F1 ", "mean IoU "):
        assert words in lines[5]
    assert "Overlays" not in said.out


def test_one_bad_picture_is_skipped_and_the_exit_code_tells(sashiko, data):
    model, out = data / "m.sashiko-model", data / "out"
    assert sashiko("train", data, "-o", model, "--unlabelled", "none", *FAST).code == 0
    bad = data / "test" / "images" / "p0.png"
    bad.write_bytes(bad.read_bytes()[:200])
    said = sashiko(
        "apply", model, data / "test", "-o", out, "--device", "cpu", "--json"
    )
    assert said.code == 2
    assert said.complaint.startswith("sashiko: 1 of 2 pictures have no result")
    assert "p0.png" in said.complaint
    assert list(json.loads(said.out.splitlines()[-1])["problems"]) == ["p0.png"]
    assert (out / "p1.png").exists()
    assert not (out / "p0.png").exists()


def test_apply_runs_where_it_is_told(sashiko, trained, tmp_path):
    iio.imwrite(tmp_path / "a.png", np.zeros((30, 30), np.uint8))
    words = "apply", trained / "forest.sashiko-model", tmp_path, "-o", tmp_path / "out"
    said = sashiko(*words, "--scheduler", "tcp://127.0.0.1:1")
    assert said.code == 2
    assert "No Dask scheduler" in said.complaint
    said = sashiko(*words, "--runner", "serial", "--scheduler", "tcp://127.0.0.1:1")
    assert said.code == 2
    assert "for the runner 'dask'" in said.complaint
    (tmp_path / "r.json").write_text('{"apply": {"runner": "bicycle"}}')
    said = sashiko(*words, "--recipe", tmp_path / "r.json")
    assert said.code == 2
    assert "bicycle" in said.complaint
    assert not (tmp_path / "out").exists()
    said = sashiko(*words, "--recipe", tmp_path / "r.json", "--runner", "serial")
    assert said.code == 0


def test_a_folder_teaches_a_pixelnet_by_few_pixels(sashiko, data):
    model = data / "m.sashiko-model"
    small = ("depth=2", "base_channels=4", "hidden_channels=8", "pixels=20")
    chosen = [("--set", f"network_settings.{each}") for each in small]
    said = sashiko(
        *("train", data, "-o", model, "--network", "pixelnet", "--unlabelled", "none"),
        *("--members", "1", "--epochs", "2", "--set", "trees=4", *CPU, "--json"),
        *(word for pair in chosen for word in pair),
    )
    assert said.code == 0, said.err
    spec = json.loads((model / "model.json").read_text())["members"][-1]["spec"]
    assert spec["settings"]["pixels"] == 20
    out = data / "out"
    assert sashiko("apply", model, data / "test", "-o", out, *CPU).code == 0
    said = sashiko("evaluate", out, data / "test", "--json")
    assert said.summary["scores"][1]["iou"] > 0.8


BAD = {
    "labels forgotten": (("train", "image.npy"), "labels are missing"),
    "one class": (("train", "."), "--unlabelled none"),
    "no value": (("train", ".", "--unlabelled", "red"), "'red'"),
    "too many names": (
        ("train", ".", "--unlabelled", "none", "--classes", "a,b,c"),
        "3 names for 2 classes",
    ),
    "too few pixels": (("train", ".", "--pixels", "3"), "pixels"),
    "no folder": (("train", "nowhere"), "labels are missing"),
    "axes of a folder": (("train", ".", "--axes", "zyx"), "--axes is for a volume"),
    "level of a folder": (("train", ".", "--level", "1"), "--level is for a volume"),
    "a folder's option for labels": (
        ("train", "image.npy", "image.npy", "--unlabelled", "255"),
        "0 is not labelled",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_sentence(sashiko, data, monkeypatch, case):
    monkeypatch.chdir(data)
    np.save("image.npy", np.zeros((4, 9, 9), np.uint8))
    words, said_in = BAD[case]
    said = sashiko(*words, "-o", "m.sashiko-model", *FAST)
    assert said.code == 2
    assert said.complaint.startswith("sashiko: ")
    assert said_in in said.complaint
    assert not (data / "m.sashiko-model").exists()


def test_options_that_mean_nothing_here_are_refused(sashiko, trained, tmp_path):
    paths = trained / "forest.zarr", trained / "truth.npy"
    said = sashiko("evaluate", *paths, "-o", tmp_path / "scores")
    assert said.code == 2
    assert "--out is for results" in said.complaint
    (tmp_path / "results.json").write_text("{}")
    said = sashiko("evaluate", tmp_path, paths[1], "--ignore", paths[1])
    assert said.code == 2
    assert "--ignore is for" in said.complaint


def test_a_folder_without_pictures_is_refused(sashiko, trained, tmp_path):
    model = trained / "forest.sashiko-model"
    said = sashiko("apply", model, tmp_path, "-o", tmp_path / "out")
    assert said.code == 2
    assert "no pictures" in said.complaint
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("command", "more"),
    [
        ("restore", ("--members", "1", "--network", "tunet")),
        ("explore", ("--latent", "2")),
    ],
)
def test_images_alone_are_learned_of_train_and_the_bad_ones_skipped(
    sashiko, data, command, more
):
    bad = data / "train" / "images" / "p1.png"
    bad.write_bytes(bad.read_bytes()[:200])
    (data / "test" / "images" / "p0.png").write_bytes(b"")  # nobody asks for it
    quick = ("--epochs", "1", "--set", "patch=16", "--set", "batch=2", *CPU)
    words = (command, data, "-o", data / "m.sashiko-model", *more, *quick)
    said = sashiko(*words, "--json")
    assert said.code == 0, said.err
    assert "3 pictures to learn from" in said.err
    assert "p1.png is left out: it is not a picture, or it is damaged" in said.err
    assert "p0.png" not in said.err
    said = sashiko(*words, "--level", "1")
    assert said.code == 2
    assert "--level is for a volume" in said.complaint


def test_bad_pictures_of_a_folder_are_left_out_of_one_volume(sashiko, data):
    model, out = data / "m.sashiko-model", data / "o.zarr"
    assert sashiko("train", data, "-o", model, "--unlabelled", "none", *FAST).code == 0
    bad = data / "test" / "images" / "p0.png"
    bad.write_bytes(bad.read_bytes()[:200])
    said = sashiko("predict", model, data, "-o", out, *CPU, "--json")
    assert said.code == 2
    assert "p0.png is left out: it is not a picture, or it is damaged" in said.err
    assert said.complaint.startswith("sashiko: 1 of 6 pictures have no result. The ")
    assert "first is test/images/p0.png: p0.png is not a picture" in said.complaint
    assert list(said.summary["problems"]) == ["test/images/p0.png"]
    assert (said.summary["pictures"], said.summary["shape"][0]) == (5, 5)
    bad.unlink()
    said = sashiko("predict", model, data, "-o", out, *CPU, "--json")
    assert said.code == 0, said.err  # of the same pictures: nothing is left to do
    assert said.summary["problems"] == {}
    said = sashiko("predict", model, data, "-o", out, *CPU, "--level", "1")
    assert "--level is for a volume" in said.complaint


def test_bad_pictures_of_a_folder_are_left_out_of_a_table(sashiko, data):
    quick = ("--epochs", "1", "--patch", "16", "--latent", "2", "--set", "batch=2")
    model, out = data / "m.sashiko-model", data / "t.csv"
    assert sashiko("explore", data, "-o", model, *quick, *CPU).code == 0
    bad = data / "train" / "images" / "p1.png"
    bad.write_bytes(b"")
    said = sashiko("embed", model, data, "-o", out, *CPU, "--json")
    assert said.code == 2
    assert "p1.png is left out: it is not a picture, or it is damaged" in said.err
    assert said.complaint.startswith("sashiko: 1 of 6 pictures have no result")
    assert list(said.summary["problems"]) == ["train/images/p1.png"]
    rows = out.read_text(encoding="utf-8").splitlines()[1:]
    assert {row.split(",")[0] for row in rows} == set("01234")
    said = sashiko("embed", model, data, "-o", out, *CPU, "--axes", "zyx")
    assert "--axes is for a volume" in said.complaint

"""Bad input: exit code 2, one clear sentence, nothing written, nothing lost."""

import json
import shutil

import numpy as np
import pytest
import tifffile

from napari_sashiko.cli import main

SHAPE = (10, 40, 40)
FOREST = ("--members", "0", "--device", "cpu", "--set", "trees=4")


def _image(array):
    def prepare(folder):
        np.save(folder / "image.npy", array)

    return prepare


def _labels(change):
    def prepare(folder):
        labels = np.load(folder / "labels.npy")
        np.save(folder / "labels.npy", change(labels))

    return prepare


BAD_TRAINING = {
    "image is missing": (lambda f: (f / "image.npy").unlink(), "image.npy"),
    "labels are missing": (lambda f: (f / "labels.npy").unlink(), "labels.npy"),
    "nothing is painted": (_labels(np.zeros_like), "Nothing is labelled"),
    "one class only": (_labels(lambda a: a // 2), "Only "),
    "labels of another shape": (_labels(lambda a: a[:, :20]), "(10, 20, 40)"),
    "labels with fractions": (_labels(lambda a: a / 3), "float64"),
    "labels below zero": (_labels(lambda a: a.astype(int) - 1), "-1"),
    "labels above 255": (_labels(lambda a: a.astype(int) * 200), "400"),
    "image over time": (_image(np.zeros((3, *SHAPE), np.uint8)), "(3, 10, 40, 40)"),
    "empty image": (_image(np.zeros((0, 40, 40), np.uint8)), "empty"),
    "complex image": (_image(np.zeros(SHAPE, complex)), "complex"),
    "text instead of image": (
        lambda f: (f / "image.npy").write_text("hello"),
        "image.npy",
    ),
}


@pytest.mark.parametrize("case", BAD_TRAINING)
def test_training_on_bad_input_says_what_is_wrong(sashiko, place, case):
    prepare, words = BAD_TRAINING[case]
    prepare(place)
    said = sashiko("train", "image.npy", "labels.npy", "-o", "m.sashiko-model", *FOREST)
    assert said.code == 2
    assert said.complaint.startswith("sashiko: ")
    assert words in said.complaint
    assert said.out == ""
    assert not (place / "m.sashiko-model").exists()


BAD_OPTIONS = {
    "unknown setting": (["--set", "colour=3"], "colour"),
    "no equals sign": (["--set", "trees"], "KEY=VALUE"),
    "given twice": (["--members", "1", "--set", "members=2"], "twice"),
    "out of range": (["--set", "batch=0"], "batch"),
    "not a number": (["--epochs", "many"], "--epochs"),
    "unknown network": (["--network", "resnet", "--members", "1"], "smsnet"),
    "unknown device": (["--device", "tpu"], "cpu"),
    "unknown option": (["--colour", "3"], "--colour"),
    "dims": (["--dims", "4"], "dims"),
    "class without a name": (["--classes", "resin"], "Label 2"),
    "two classes of one name": (["--classes", "resin, resin"], "'resin'"),
    "seed of a network": (["--set", "network_settings.seed=1"], "setting seed decides"),
}


@pytest.mark.parametrize("case", BAD_OPTIONS)
def test_a_bad_option_is_named(sashiko, place, case):
    options, words = BAD_OPTIONS[case]
    said = sashiko(
        *("train", "image.npy", "labels.npy", "-o", "m.sashiko-model", *options)
    )
    assert said.code == 2
    assert words in said.complaint
    assert not (place / "m.sashiko-model" / "model.json").exists()


def _card(change):
    def spoil(model):
        path = model / "model.json"
        path.write_text(json.dumps(change(json.loads(path.read_text()))))

    return spoil


BAD_MODELS = {
    "not a model": (lambda m: (m / "model.json").unlink(), "not a model"),
    "newer version": (_card(lambda c: c | {"format_version": 99}), "99"),
    "broken card": (lambda m: (m / "model.json").write_text("{"), "damaged"),
    "card without classes": (
        _card(lambda c: {k: v for k, v in c.items() if k != "classes"}),
        "classes",
    ),
    "tensors are missing": (
        lambda m: [path.unlink() for path in m.glob("*.safetensors")],
        "damaged",
    ),
    "tensors are cut short": (
        lambda m: [path.write_bytes(b"12") for path in m.glob("*.safetensors")],
        "damaged",
    ),
}


@pytest.mark.parametrize("case", BAD_MODELS)
def test_a_bad_model_is_refused_and_nothing_is_written(
    sashiko, trained, tmp_path, case
):
    spoil, words = BAD_MODELS[case]
    model = tmp_path / "m.sashiko-model"
    shutil.copytree(trained / "forest.sashiko-model", model)
    spoil(model)
    image, out = trained / "image.npy", tmp_path / "o.zarr"
    said = sashiko("predict", model, image, "-o", out)
    assert said.code == 2
    assert words in said.complaint
    assert not out.exists()


BAD_WINDOWS = {
    "border eats the window": (["--window", "16", "--border", "8"], "border"),
    "window of nothing": (["--window", "0"], "window"),
    "negative border": (["--border", "-1"], "border"),
    "not a size": (["--window", "big"], "big"),
    "two numbers": (["--window", "16,16"], "16,16"),
    "step beyond window": (
        ["--window", "8", "--border", "0", "--border-weight", "0.5",
         "--set", "step=[9,9,9]"],
        "step",
    ),
    "weight": (["--border-weight", "2"], "border_weight"),
    "given twice": (["--window", "16", "--set", "window.z=1"], "twice"),
    "runner": (["--runner", "cloud"], "runner"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD_WINDOWS)
def test_impossible_windows_are_refused(sashiko, trained, tmp_path, case):
    options, words = BAD_WINDOWS[case]
    model, out = trained / "forest.sashiko-model", tmp_path / "o.zarr"
    said = sashiko("predict", model, trained / "image.npy", "-o", out, *options)
    assert said.code == 2
    assert words in said.complaint
    assert not out.exists()


def test_the_output_of_another_model_is_left_alone(sashiko, trained, tmp_path):
    other = tmp_path / "other.sashiko-model"
    paths = (trained / "image.npy", trained / "labels.npy")
    assert sashiko("train", *paths, "-o", other, *FOREST, "--seed", "5").code == 0
    out = tmp_path / "o.zarr"
    shutil.copytree(trained / "forest.zarr", out)
    before = (out / "zarr.json").read_bytes()
    said = sashiko("predict", other, paths[0], "-o", out)
    assert said.code == 2
    assert "another model" in said.complaint
    assert (out / "zarr.json").read_bytes() == before
    said = sashiko("predict", other, paths[0], "-o", out, "--overwrite")
    assert said.code == 0, said.err
    assert (out / "zarr.json").read_bytes() != before


def test_an_output_that_is_something_else_is_left_alone(sashiko, trained, tmp_path):
    model, image = trained / "forest.sashiko-model", trained / "image.npy"
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "thesis.txt").write_text("years of work")
    commands = {
        "predict": (model, image, "-o", tmp_path / "notes", "--overwrite"),
        "train": (image, trained / "labels.npy", "-o", tmp_path / "notes", *FOREST),
        "instances": (trained / "forest.zarr", "-o", tmp_path / "notes"),
        "sets": (trained / "forest.zarr", "-o", tmp_path / "notes"),
    }
    for command, words in commands.items():
        said = sashiko(command, *words)
        assert said.code == 2
        assert "left as it is" in said.complaint
    assert (tmp_path / "notes" / "thesis.txt").read_text() == "years of work"


def _record(change):
    def spoil(folder):
        path = folder / "zarr.json"
        content = json.loads(path.read_text())
        change(content["attributes"]["sashiko"])
        path.write_text(json.dumps(content))

    return spoil


def _chunks(room, content):
    def spoil(folder):
        for path in (folder / room).rglob("c/**/*"):
            if path.is_file():
                path.write_bytes(content)

    return spoil


BAD_PREDICTIONS = {
    "no ledger": (lambda p: shutil.rmtree(p / "ledger"), "ise", "ledger"),
    "ledger cut short": (_chunks("ledger", b""), "ise", "damaged"),
    "no probabilities": (lambda p: shutil.rmtree(p / "mean"), "pise", "mean"),
    "damaged probabilities": (_chunks("mean", b"zz"), "ise", "damaged"),
    "empty record": (
        _record(lambda r: [r.pop(key) for key in list(r) if key != "kind"]),
        "pise",
        "damaged",
    ),
    "newer version": (_record(lambda r: r.update(format_version=9)), "pise", "newer"),
    "plan of nothing": (_record(lambda r: r.update(plan={})), "p", "plan"),
}


@pytest.mark.parametrize("case", BAD_PREDICTIONS)
def test_a_damaged_prediction_is_said_by_whoever_reads_it(
    sashiko, trained, tmp_path, case
):
    spoil, readers, words = BAD_PREDICTIONS[case]
    path, out = tmp_path / "o.zarr", tmp_path / "i.zarr"
    shutil.copytree(trained / "forest.zarr", path)
    spoil(path)
    model, image = trained / "forest.sashiko-model", trained / "image.npy"
    commands = {
        "p": ("predict", model, image, "-o", path),
        "i": ("instances", path, "-o", out),
        "s": ("sets", path, "-o", out),
        "e": ("evaluate", path, trained / "truth.npy"),
    }
    for reader in readers:
        said = sashiko(*commands[reader])
        assert said.code == 2
        assert words in said.complaint
    assert sashiko("info", path).code in (0, 2)
    assert not out.exists()
    if case != "newer version":
        assert sashiko(*commands["p"], "--overwrite").code == 0


def test_a_table_replaces_nothing_but_a_table(sashiko, trained, tmp_path):
    prediction, out = trained / "forest.zarr", tmp_path / "i.zarr"
    image = tmp_path / "image.npy"
    shutil.copy(trained / "image.npy", image)
    before = image.read_bytes()
    said = sashiko("instances", prediction, "-o", out, "--table", image)
    assert said.code == 2
    assert "left as it is" in said.complaint
    assert image.read_bytes() == before
    assert not out.exists()
    table = tmp_path / "t.csv"
    for _ in range(2):  # one that was written before is replaced
        assert sashiko("instances", prediction, "-o", out, "--table", table).code == 0


def test_a_table_that_would_be_lost_is_refused(sashiko, trained, tmp_path):
    out = tmp_path / "i.zarr"
    words = ("instances", trained / "forest.zarr", "-o", out, "--table")
    assert sashiko(*words, tmp_path / "t.csv").code == 0
    said = sashiko(*words, out / "t.csv")
    assert said.code == 2
    assert "beside" in said.complaint
    assert (out / "labels").exists()


def test_another_number_of_channels_is_said(sashiko, trained, tmp_path):
    rgb = np.zeros((40, 40, 3), np.uint8)
    tifffile.imwrite(tmp_path / "rgb.tif", rgb, photometric="rgb")
    said = sashiko(
        *("predict", trained / "forest.sashiko-model", tmp_path / "rgb.tif"),
        *("-o", tmp_path / "o.zarr"),
    )
    assert said.code == 2
    assert "3 channel" in said.complaint


BAD_INSTANCES = {
    "unknown class": (["--class", "glass"], "fibre"),
    "unknown number": (["--class", "7"], "7"),
    "dust": (["--dust", "ten"], "ten"),
    "dust without voxel size": (["--dust", "100um^3"], "voxel size"),
    "threshold": (["--threshold", "1.5"], "threshold"),
    "connectivity": (["--connectivity", "8"], "connectivity"),
    "split": (["--split", "gently"], "split"),
    "split depth": (["--split", "distance", "--split-depth", "2"], "split_depth"),
    "split radius": (["--split", "distance", "--split-radius", "2"], "split_radius"),
    "no boundary class": (["--split", "boundary"], "class between objects"),
}


@pytest.mark.parametrize("case", BAD_INSTANCES)
def test_bad_settings_of_instances_are_named(sashiko, trained, tmp_path, case):
    options, words = BAD_INSTANCES[case]
    out = tmp_path / "i.zarr"
    said = sashiko("instances", trained / "forest.zarr", "-o", out, *options)
    assert said.code == 2
    assert words in said.complaint
    assert not out.exists()


BAD_SETS = {
    "not calibrated": (["--coverage", "0.77"], "0.77. Choose from: 0.5, 0.6"),
    "more than all": (["--coverage", "1.5"], "coverage"),
    "not a number": (["--coverage", "most"], "--coverage"),
    "runner": (["--runner", "cloud"], "runner"),
}


@pytest.mark.parametrize("case", BAD_SETS)
def test_bad_settings_of_sets_are_named(sashiko, trained, tmp_path, case):
    options, words = BAD_SETS[case]
    out = tmp_path / "s.zarr"
    said = sashiko("sets", trained / "forest.zarr", "-o", out, *options)
    assert said.code == 2
    assert words in said.complaint
    assert not out.exists()


def test_what_is_no_prediction_cannot_be_scored_or_counted(sashiko, trained, tmp_path):
    truth = trained / "truth.npy"
    for words in (
        ("evaluate", tmp_path / "none.zarr", truth),
        ("evaluate", trained / "forest.sashiko-model", truth),
        ("instances", tmp_path / "none.zarr", "-o", tmp_path / "i.zarr"),
        ("sets", tmp_path / "none.zarr", "-o", tmp_path / "s.zarr"),
        ("info", tmp_path / "none.zarr"),
    ):
        said = sashiko(*words)
        assert said.code == 2
        assert str(words[1]) in said.complaint


def test_truth_of_another_shape_or_class_is_refused(sashiko, trained, tmp_path):
    truth = np.load(trained / "truth.npy")
    np.save(tmp_path / "small.npy", truth[:5])
    np.save(tmp_path / "more.npy", truth + 1)
    said = sashiko("evaluate", trained / "forest.zarr", tmp_path / "small.npy")
    assert said.code == 2
    assert "(5, 40, 40)" in said.complaint
    said = sashiko("evaluate", trained / "forest.zarr", tmp_path / "more.npy")
    assert said.code == 2
    assert "3" in said.complaint


@pytest.mark.parametrize("there", ["s", "s/folder"])
def test_a_sample_is_not_fetched_for_a_folder_that_cannot_be_written(
    sashiko, tmp_path, monkeypatch, there
):
    fetched = []
    monkeypatch.setattr("napari_sashiko.pipeline.load_sample", fetched.append)
    monkeypatch.chdir(tmp_path)
    (tmp_path / there).parent.mkdir(exist_ok=True)
    (tmp_path / there).write_text("a file")
    said = sashiko("sample", "nuclei", "s/folder")
    assert said.code == 2
    assert "cannot be written" in said.complaint
    assert "is a file" in said.complaint
    assert fetched == []


@pytest.mark.parametrize("words", [["paint"], ["train"], ["sample", "fibers", "x"]])
def test_a_misspelt_command_is_answered_in_one_line(sashiko, words):
    said = sashiko(*words)
    assert said.code == 2
    assert len(said.err.splitlines()) == 1


def test_voxels_without_a_value_do_not_stop_anything(sashiko, place):
    image = np.load("image.npy").astype(np.float32)
    image[0], image[4, 10, 10], image[9, :, 0] = np.nan, np.inf, -np.inf
    np.save("image.npy", image)
    said = sashiko("train", "image.npy", "labels.npy", "-o", "m.sashiko-model", *FOREST)
    assert said.code == 0, said.err
    said = sashiko("predict", "m.sashiko-model", "image.npy", "-o", "o.zarr")
    assert said.code == 0, said.err
    said = sashiko("evaluate", "o.zarr", "truth.npy", "--json")
    assert said.summary["macro_f1"] > 0.8


def test_a_constant_image_is_remarked_on(sashiko, place):
    np.save("image.npy", np.full(SHAPE, 7, np.uint8))
    said = sashiko("train", "image.npy", "labels.npy", "-o", "m.sashiko-model", *FOREST)
    assert said.code == 0, said.err
    assert "same value everywhere" in said.err


def test_paint_on_one_slice_only_is_remarked_on(sashiko, place):
    labels = np.load("labels.npy")
    labels[4:] = 0
    np.save("labels.npy", labels)
    said = sashiko("train", "image.npy", "labels.npy", "-o", "m.sashiko-model", *FOREST)
    assert said.code == 0, said.err
    assert "Note: " in said.err
    assert "slice" in said.err


def test_nothing_at_all_shows_the_help(capsys):
    assert main([]) == 2
    assert "train" in capsys.readouterr().out

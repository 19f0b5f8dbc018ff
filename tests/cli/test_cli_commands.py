"""The commands do what they say, and say it as JSON when asked."""

import csv
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import zarr

import napari_sashiko as ns
from napari_sashiko.cli import main, sample
from napari_sashiko.pipeline import SAMPLES, load_card, open_volume

NETWORK = ("--members", "1", "--epochs", "1", "--device", "cpu", "--set", "trees=4")


def test_sample_writes_what_train_reads(sashiko, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    small = SAMPLES["filaments"](shape=(12, 48, 48))
    monkeypatch.setattr("napari_sashiko.pipeline.load_sample", lambda *_, **__: small)
    said = sashiko("sample", "filaments", tmp_path / "s", "--json")
    assert said.code == 0
    paths = said.summary
    assert paths["voxel_size"] == [1.4, 1.4, 1.4]
    model = tmp_path / "m.sashiko-model"
    fast = ("--members", "0", "--device", "cpu", "--set", "trees=4")
    said = sashiko("train", paths["image"], paths["labels"], "-o", model, *fast)
    assert said.code == 0, said.err
    card = load_card(model)
    assert [each.name for each in card.classes] == paths["class_names"]
    assert card.voxel_size == pytest.approx((1.4, 1.4, 1.4))
    assert card.unit == "nm"


def test_the_help_on_samples_names_all_of_them():
    assert list(sample.NAMES) == list(SAMPLES)


def test_a_sample_may_have_no_strokes(sashiko, tmp_path, monkeypatch):
    small = SAMPLES["scattering"](shape=(2, 40, 40))
    monkeypatch.setattr("napari_sashiko.pipeline.load_sample", lambda *_, **__: small)
    said = sashiko("sample", "scattering", tmp_path / "s", "--json")
    assert said.code == 0
    assert {"image", "target", "gaps"} < said.summary.keys()
    assert not {"labels", "truth", "classes"} & said.summary.keys()
    assert said.summary["class_names"] == []
    image, gaps = (open_volume(said.summary[key]) for key in ("image", "gaps"))
    assert image.shape == gaps.shape == (2, 40, 40)


def test_predict_writes_probabilities_that_sum_to_one(trained):
    group = zarr.open_group(str(trained / "forest.zarr"), mode="r")
    mean, classes = np.asarray(group["mean/0"]), np.asarray(group["classes/0"])
    np.testing.assert_allclose(mean.astype(float).sum(axis=0), 1, atol=2e-3)
    np.testing.assert_array_equal(classes, mean.argmax(axis=0) + 1)
    truth = np.load(trained / "truth.npy")
    assert (classes == truth).mean() > 0.9


def test_evaluate_counts_every_voxel_that_is_not_ignored(sashiko, trained):
    paths = trained / "forest.zarr", trained / "truth.npy"
    said = sashiko("evaluate", *paths, "--json")
    truth, strokes = np.load(paths[1]), np.load(trained / "labels.npy")
    predicted = np.asarray(zarr.open_group(str(paths[0]), mode="r")["classes/0"])
    assert said.summary["voxels"] == truth.size
    assert said.summary["accuracy"] == pytest.approx((predicted == truth).mean())
    names = {"precision", "recall", "f1", "iou", "dice"}
    for average in ("macro", "micro"):
        assert said.summary[average].keys() == names
    assert said.summary["micro"]["f1"] == pytest.approx(said.summary["accuracy"])
    assert said.summary["mean_iou"] == pytest.approx(
        np.mean([each["iou"] for each in said.summary["classes"]])
    )
    said = sashiko("evaluate", *paths, "--ignore", trained / "labels.npy", "--json")
    unseen = strokes == 0
    assert said.summary["voxels"] == unseen.sum()
    assert said.summary["accuracy"] == pytest.approx(
        (predicted == truth)[unseen].mean()
    )
    assert [each["name"] for each in said.summary["classes"]] == ["resin", "fibre"]


def test_instances_finds_the_two_bars_and_dusts_what_is_small(
    sashiko, trained, tmp_path
):
    found = ("instances", trained / "forest.zarr", "-o", tmp_path / "i.zarr")
    table = ("--table", tmp_path / "i.csv", "--json")
    said = sashiko(*found, "--class", "fibre", "--dust", "200", *table)
    assert said.code == 0, said.err
    assert said.summary["count"] == 2
    with (tmp_path / "i.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    labels = np.asarray(zarr.open_group(str(tmp_path / "i.zarr"), mode="r")["labels/0"])
    assert [int(row["voxels"]) for row in rows] == list(np.bincount(labels.ravel())[1:])
    smaller = min(int(row["voxels"]) for row in rows)
    by_number = sashiko(*found, "--class", "2", "--dust", str(smaller + 1), *table)
    assert by_number.summary["count"] == 1


def test_instances_splits_by_shape(sashiko, trained, tmp_path):
    found = ("instances", trained / "forest.zarr", "-o", tmp_path / "i.zarr")
    options = ("--class", "fibre", "--split", "distance", "--split-depth", "0.01")
    said = sashiko(*found, *options, "--split-radius", "48", "--json")
    assert said.code == 0, said.err
    assert said.summary["settings"]["split"] == "distance"
    assert said.summary["settings"]["split_depth"] == 0.01
    assert said.summary["settings"]["split_radius"] == 48
    whole = sashiko(*found, "--class", "fibre", "--json").summary["count"]
    assert said.summary["count"] >= whole


@pytest.mark.parametrize("words", [("--split", "no"), ("--set", "split=distance")])
def test_another_splitting_leaves_the_boundary_class_of_a_recipe_out(
    sashiko, trained, tmp_path, words
):
    recipe = tmp_path / "recipe.json"
    split = {"split": "boundary", "boundary_class": "resin", "label_class": "fibre"}
    recipe.write_text(json.dumps({"instances": split}))
    found = ("instances", trained / "forest.zarr", "-o", tmp_path / "i.zarr")
    said = sashiko(*found, "--recipe", recipe, *words, "--json")
    assert said.code == 0, said.err
    assert "the boundary class 'resin' of the recipe is left out" in said.err
    assert said.summary["settings"]["split"] == words[-1].rpartition("=")[2]
    assert said.summary["settings"]["boundary_class"] is None
    said = sashiko(*found, "--recipe", recipe, *words, "--boundary-class", "resin")
    assert said.code == 2


def test_sets_hold_the_classes_that_are_probable_enough(sashiko, trained, tmp_path):
    words = ("sets", trained / "forest.zarr", "-o", tmp_path / "s.zarr", "--json")
    said = sashiko(*words, "--coverage", "0.8")
    assert said.code == 0, said.err
    mean = zarr.open_array(str(trained / "forest.zarr" / "mean" / "0"), mode="r")
    member = np.asarray(mean) >= np.float16(said.summary["least"])
    sizes = np.asarray(zarr.open_array(str(tmp_path / "s.zarr/sizes/0"), mode="r"))
    np.testing.assert_array_equal(sizes, member.sum(axis=0))
    assert said.summary["voxels"] == np.bincount(sizes.ravel(), minlength=3).tolist()
    assert said.summary["mean_size"] == pytest.approx(sizes.mean())
    by_set = sashiko(*words, "--set", "coverage=0.8", "--runner", "serial")
    assert by_set.summary["voxels"] == said.summary["voxels"]
    done = ns.prediction_sets(trained / "forest.zarr", tmp_path / "t.zarr", 0.8)
    assert list(done.voxels) == said.summary["voxels"]


def test_info_knows_sets_and_on_how_many_strokes_they_rest(sashiko, trained, tmp_path):
    said = sashiko("info", trained / "forest.sashiko-model")
    assert "calibrated on 12 held-out strokes, enough for coverages up to 0.9" in (
        said.out
    )
    sashiko("sets", trained / "forest.zarr", "-o", tmp_path / "s.zarr")
    said = sashiko("info", tmp_path / "s.zarr", "--json")
    assert said.summary["kind"] == "sets"
    assert said.summary["coverage"] == 0.9
    assert "12 held-out strokes" in sashiko("info", tmp_path / "s.zarr").out


def test_a_project_repeats_the_coverage_of_its_sets(sashiko, trained, tmp_path):
    out = tmp_path / "a.sashiko" / "predictions" / "s.zarr"
    sashiko("sets", trained / "forest.zarr", "-o", out, "--coverage", "0.6")
    again = ("sets", trained / "forest.zarr", "-o", tmp_path / "t.zarr", "--json")
    said = sashiko(*again, "--recipe", tmp_path / "a.sashiko")
    assert said.summary["coverage"] == 0.6


def test_info_knows_model_prediction_and_image(sashiko, trained):
    kinds = {
        "forest.sashiko-model": "model",
        "forest.zarr": "prediction",
        "image.npy": "image",
    }
    for name, kind in kinds.items():
        said = sashiko("info", trained / name, "--json")
        assert said.summary["kind"] == kind
    told = sashiko("info", trained / "forest.sashiko-model").out
    assert "resin" in told
    assert "On held-out strokes: macro F1" in told
    assert "1 of 1" in sashiko("info", trained / "forest.zarr").out


def test_every_summary_is_one_line_of_json_and_paths_are_absolute(sashiko, place):
    said = sashiko(
        *("train", "image.npy", "labels.npy", "-o", "m.sashiko-model"),
        *("--members", "0", "--set", "trees=4", "--device", "cpu", "--json"),
    )
    assert len(said.out.splitlines()) == 1
    assert said.summary["model"] == str(place / "m.sashiko-model")
    assert said.summary["settings"]["trees"] == 4
    assert 0 < said.summary["metrics"]["macro_f1"] <= 1
    said = sashiko(
        *("predict", "m.sashiko-model", "image.npy", "-o", "o.zarr", "--json"),
        *("--window", "8,32,32", "--border", "2", "--device", "cpu"),
    )
    assert said.summary["prediction"] == str(place / "o.zarr")
    assert said.summary["settings"]["window"] == [8, 32, 32]
    assert said.summary["settings"]["border"] == [2, 2, 2]


def test_command_line_and_python_give_the_same_model_for_the_same_seed(sashiko, place):
    paths = ("image.npy", "labels.npy")
    seed = ("--seed", "3", "--set", "patch=16")
    said = sashiko("train", *paths, "-o", "a.sashiko-model", *NETWORK, *seed)
    assert said.code == 0, said.err
    ns.train(
        *paths,
        "b.sashiko-model",
        members=1, epochs=1, device="cpu", trees=4, seed=3, patch=16,
    )  # fmt: skip
    for number, name in enumerate("ab"):
        code = main(
            ["predict", f"{name}.sashiko-model", "image.npy", "-o", f"{number}.zarr"]
        )
        assert code == 0
    for array in ("mean/0", "std/0"):
        first, second = (
            np.asarray(zarr.open_group(f"{number}.zarr", mode="r")[array])
            for number in (0, 1)
        )
        np.testing.assert_array_equal(first, second)
    other = ("--seed", "4", "--set", "patch=16")
    sashiko("train", *paths, "-o", "c.sashiko-model", *NETWORK, *other)
    sashiko("predict", "c.sashiko-model", "image.npy", "-o", "c.zarr")
    third = np.asarray(zarr.open_group("c.zarr", mode="r")["mean/0"])
    assert (third != np.asarray(zarr.open_group("0.zarr", mode="r")["mean/0"])).any()


def test_a_second_run_of_predict_has_nothing_left_to_do(sashiko, trained, tmp_path):
    words = ("predict", trained / "forest.sashiko-model", trained / "image.npy")
    sashiko(*words, "-o", tmp_path / "o.zarr")
    said = sashiko(*words, "-o", tmp_path / "o.zarr")
    assert said.code == 0
    assert "1 of 1" in said.err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_stopped_keeps_the_best_model_so_far(place, number):
    model = place / "m.sashiko-model"
    words = ["image.npy", "labels.npy", "-o", str(model), "--members", "1"]
    more = ["--epochs", "5000", "--set", "trees=4", "--device", "cpu"]
    # Whoever runs the tests in the background has made their children deaf to Ctrl-C.
    code = (
        "import signal, sys; from napari_sashiko.cli import main;"
        "signal.signal(signal.SIGINT, signal.default_int_handler);"
        f"sys.exit(main({['train', *words, *more]!r}))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    deadline = time.monotonic() + 120
    while not (model / "model.json").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(1)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert err.splitlines()[-1] == "sashiko: Stopped: what was finished is kept."
    assert "Traceback" not in err
    assert out == ""
    done = ns.predict(model, place / "image.npy", place / "o.zarr", device="cpu")
    assert done.path == str(place / "o.zarr")


@pytest.mark.parametrize("module", ["napari_sashiko.cli._app", "typer", "zarr"])
def test_a_command_that_is_stopped_while_it_is_loaded_ends_without_a_word(module):
    code = (
        "import signal, sys\n"
        "class Impatient:\n"
        "    def find_spec(self, name, *_):\n"
        f"        if name == {module!r}: signal.raise_signal(signal.SIGINT)\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "sys.meta_path.insert(0, Impatient())\n"
        "from napari_sashiko.cli import main\n"
        "sys.exit(main(['--help']))"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert (said.returncode, said.stdout, said.stderr) == (130, "", "")


def test_help_names_every_command_and_loads_no_torch():
    code = (
        "import sys; from napari_sashiko.cli import main; main(['--help']);"
        "print('torch' in sys.modules)"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert said.stdout.splitlines()[-1] == "False"
    for command in (
        "sample",
        "train",
        "predict",
        "instances",
        "sets",
        "evaluate",
        "report",
        "info",
    ):
        assert command in said.stdout


def test_set_reaches_settings_inside_settings(sashiko, place):
    said = sashiko(
        *("train", "image.npy", "labels.npy", "-o", "m.sashiko-model", *NETWORK),
        *("--network", "msdnet", "--set", "network_settings.depth=3", "--json"),
    )
    assert said.code == 0, said.err
    assert said.summary["settings"]["network_settings"] == {"depth": 3}
    card = json.loads((place / "m.sashiko-model" / "model.json").read_text())
    assert any(m["spec"].get("name") == "msdnet" for m in card["members"])


def test_a_project_repeats_its_run_and_options_win_over_it(sashiko, place):
    paths, last = ("image.npy", "labels.npy"), "image.sashiko/models/a.sashiko-model"
    first = sashiko("train", *paths, "-o", last, *NETWORK, "--seed", "8", "--json")
    again = ("--recipe", "image.sashiko", "--json")
    said = sashiko("train", *paths, "-o", "b.sashiko-model", *again)
    assert said.summary["settings"] == first.summary["settings"]
    said = sashiko("train", *paths, "-o", "c.sashiko-model", *again, "--seed", "9")
    assert said.summary["settings"] == first.summary["settings"] | {"seed": 9}

"""``sashiko measure`` writes tables with error bars, and says them in words or JSON."""

import csv
import json

import numpy as np
import pytest
import zarr

import napari_sashiko as ns

FIBRE = ("--class", "fibre", "--dust", "200", "--device", "cpu")


@pytest.fixture
def measure(sashiko, trained):
    """Measure with the forest of the trained folder."""

    def run(out, *words):
        model, image = trained / "forest.sashiko-model", trained / "image.npy"
        return sashiko("measure", model, image, "-o", out, *words)

    return run


def test_numbers_are_those_of_prediction_and_instances(
    measure, sashiko, trained, tmp_path
):
    said = measure(tmp_path / "m", *FIBRE, "--json")
    assert said.code == 0, said.err
    facts = said.summary
    classes = zarr.open_array(str(trained / "forest.zarr" / "classes" / "0"), mode="r")
    share = float((np.asarray(classes) == 2).mean())
    assert facts["fractions"]["fibre"] == {"mean": pytest.approx(share), "std": None}
    assert facts["members"] == 1
    found = ("instances", trained / "forest.zarr", "-o", tmp_path / "i.zarr")
    words = ("--table", tmp_path / "i.csv", *FIBRE[:4], "--json")
    count = sashiko(*found, *words).summary["count"]
    assert facts["count"] == {"mean": count, "std": None}
    with (tmp_path / "i.csv").open(newline="") as file:
        lengths = [float(row["length"]) for row in csv.DictReader(file)]
    assert facts["median"]["length"]["mean"] == pytest.approx(np.median(lengths))
    assert facts["settings"]["dust"] == "200"
    assert facts["measurements"] == str(tmp_path / "m")


def test_one_member_is_said_to_have_no_spread(measure, tmp_path):
    said = measure(tmp_path / "m", *FIBRE)
    assert said.code == 0, said.err
    assert "no spread" in said.out
    assert "+-" not in said.out
    assert "2 objects" in said.out


def test_an_ensemble_has_error_bars_and_python_gives_the_same(sashiko, place):
    network = ("--members", "1", "--epochs", "1", "--set", "trees=4")
    train = ("image.npy", "labels.npy", "-o", "m.sashiko-model", *network)
    patch = ("--set", "patch=16", "--device", "cpu", "--classes", "resin,fibre")
    assert sashiko("train", *train, *patch).code == 0
    card = place / "m.sashiko-model" / "model.json"
    record = json.loads(card.read_text())
    for member in record["members"]:  # one of them may have been of no use
        member["weight"] = 0.5
    card.write_text(json.dumps(record))
    words = ("measure", "m.sashiko-model", "image.npy", *FIBRE, "--json")
    said = sashiko(*words, "-o", "a")
    assert said.code == 0, said.err
    assert "Member 2 of 2" in said.err
    assert said.summary["fractions"]["fibre"]["std"] > 0
    assert said.summary["effective_members"] == 2
    found = ns.measure(
        "m.sashiko-model", "image.npy", "b", label_class=2, dust="200", device="cpu"
    )
    assert said.summary["count"]["mean"] == found.count.mean
    assert said.summary["fractions"]["fibre"]["std"] == pytest.approx(
        found.fraction().std, rel=1e-6
    )
    assert "+-" in sashiko("info", "a").out
    assert sashiko("info", "a", "--json").summary["kind"] == "measurements"
    assert not list(place.glob(".*.members"))


def test_a_recipe_gives_what_prediction_and_instances_were_told(
    measure, tmp_path, trained
):
    recipe = tmp_path / "recipe.json"
    steps = {
        "predict": {"window": [10, 24, 24], "border": [0, 4, 4], "overwrite": True},
        "instances": {"label_class": "resin", "dust": "7"},
        "measure": {"dust": "200"},
    }
    recipe.write_text(json.dumps(steps))
    words = ("--recipe", recipe, "--class", "fibre", "--device", "cpu", "--json")
    said = measure(tmp_path / "m", *words)
    assert said.code == 0, said.err
    settings = said.summary["settings"]
    assert settings["window"] == [10, 24, 24]
    assert settings["dust"] == "200"
    assert settings["label_class"] == "fibre"
    assert settings["overwrite"] is False


BAD_INPUT = {
    "unknown class": (("--class", "void"), "1 (resin), 2 (fibre)"),
    "dust of another kind": (("--dust", "3 um^2"), "not a volume"),
    "threshold out of range": (("--threshold", "3"), "threshold"),
    "unknown setting": (("--set", "colour=3"), "colour"),
    "no window left": (("--window", "8", "--border", "4"), "border"),
}


@pytest.mark.parametrize("case", BAD_INPUT)
def test_bad_input_is_one_line_and_leaves_nothing(measure, tmp_path, case):
    options, words = BAD_INPUT[case]
    said = measure(tmp_path / "m", *options)
    assert said.code == 2
    assert words in said.complaint
    assert not list(tmp_path.glob("*m*"))


def test_a_folder_of_other_things_is_refused(measure, tmp_path):
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "thesis.tex").write_text("x")
    said = measure(tmp_path / "m", *FIBRE)
    assert said.code == 2
    assert "does not hold measurements" in said.complaint


def test_no_model_is_said(sashiko, trained, tmp_path):
    paths = (tmp_path / "no.sashiko-model", trained / "image.npy")
    said = sashiko("measure", *paths, "-o", tmp_path / "m")
    assert said.code == 2
    assert "is not a model" in said.complaint

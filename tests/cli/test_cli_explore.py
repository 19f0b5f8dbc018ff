"""Exploring on the command line: learn, compare patches, look at both."""

import json
import shutil

import imageio.v3 as iio
import numpy as np
import pytest

from napari_sashiko.cli import main

SMALL = ("--set", "network_settings.base_channels=4", "--set", "batch=8")
QUICK = ("--epochs", "1", "--patch", "16", "--latent", "4", "--device", "cpu", *SMALL)
MODEL = "look.sashiko-model"


@pytest.fixture(scope="module")
def model(trained, tmp_path_factory):
    """A model of the volume; not to be changed."""
    path = tmp_path_factory.mktemp("explore") / MODEL
    words = ["explore", str(trained / "image.npy"), "-o", str(path), *QUICK]
    assert main(words) == 0
    return path


@pytest.fixture
def learned(model, place):
    """The volume with a copy of the model."""
    shutil.copytree(model, place / MODEL)
    return place


def test_a_model_is_learned(sashiko, place):
    done = sashiko("explore", "image.npy", "-o", MODEL, "--json", *QUICK)
    assert done.code == 0, done.err
    assert "Patches of 16 x 16" in done.err + done.out
    assert done.summary["settings"]["latent"] == 4
    assert done.summary["metrics"]["correlation"] > 0.2
    assert "Explores images: 4 numbers of 16 x 16" in sashiko("info", MODEL).out


def test_patches_are_compared(sashiko, learned):
    done = sashiko("embed", MODEL, "image.npy", "-o", "own.csv", "--json")
    assert done.code == 0, done.err
    assert done.summary["patches"] == 10 * 3 * 3
    assert done.summary["outside"] < 30
    rows = (learned / "own.csv").read_text(encoding="utf-8").splitlines()
    assert len(rows) == 91
    assert rows[0].startswith("z,y,x,edge,u,v,error,distance,outside,latent_0")

    kept = done.summary["correlation"]
    words = ("embed", MODEL, "image.npy", "-o", "own.csv", "--made", "made.tif")
    done = sashiko(*words)
    assert f"numbers: {kept:.3f}" in done.out
    assert iio.imread(learned / "made.tif").shape == (90, 16, 16)

    strange = np.random.default_rng(0).integers(0, 255, (4, 40, 40)).astype(np.uint8)
    np.save(learned / "strange.npy", strange)
    done = sashiko("embed", MODEL, "strange.npy", "-o", "other.csv", "--method", "tsne")
    assert done.code == 0, done.err
    assert "36 of 36 patches (100%) lie outside" in done.out
    assert "another one" in done.out


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("predict", MODEL, "image.npy", "-o", "o.zarr"), "explores images"),
        (("measure", MODEL, "image.npy", "-o", "o"), "explores images"),
        (
            (
                "train",
                "image.npy",
                "labels.npy",
                "-o",
                "m.sashiko-model",
                "--from",
                MODEL,
            ),
            "explores images",
        ),
        (("embed", MODEL, "nothing.npy", "-o", "t.csv"), "nothing.npy"),
        (("embed", MODEL, "image.npy", "-o", "."), "is a folder"),
        (
            ("embed", MODEL, "image.npy", "-o", "t.csv", "--made", "."),
            "ends in .tif",
        ),
        (("embed", MODEL, "image.npy", "-o", "t.csv", "--most", "1"), "most"),
        (("embed", "nothing", "image.npy", "-o", "t.csv"), "not a model"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(sashiko, learned, words, why):
    before = sorted(path.name for path in learned.iterdir())
    done = sashiko(*words)
    assert done.code == 2, done.out
    assert why in done.complaint
    assert "damaged" not in done.complaint
    assert sorted(path.name for path in learned.iterdir()) == before


def test_pictures_are_not_segmented_with_it(sashiko, learned):
    (learned / "pictures").mkdir()
    iio.imwrite(learned / "pictures" / "a.png", np.zeros((40, 40), np.uint8))
    done = sashiko("apply", MODEL, "pictures", "-o", "done")
    assert done.code == 2
    assert "explores images" in done.complaint
    assert not (learned / "done").exists()


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("nothing.npy",), "nothing.npy"),
        (("image.npy", "--latent", "0"), "latent"),
        (("image.npy", "--network", "unet"), "unet"),
        (("image.npy", "--set", "network_settings.depths=2"), "depths"),
        (("image.npy", "--set", "network_settings.edge=8"), "setting patch decides"),
    ],
)
def test_bad_input_is_one_sentence(sashiko, place, words, why):
    done = sashiko("explore", *words, "-o", MODEL)
    assert done.code == 2
    assert why in done.complaint
    assert not (place / MODEL).exists()


def test_a_model_that_tells_classes_does_not_explore(sashiko, trained, tmp_path):
    words = (trained / "forest.sashiko-model", trained / "image.npy")
    done = sashiko("embed", *words, "-o", tmp_path / "t.csv")
    assert done.code == 2
    assert "does not explore" in done.complaint


def test_a_recipe_holds_settings_of_both_steps(sashiko, place):
    values = {
        "explore": {"epochs": 1, "minutes": None, "patch": 12, "latent": 2},
        "embed": {"most": 7},
    }
    (place / "r.json").write_text(json.dumps(values), encoding="utf-8")
    words = ("--recipe", "r.json", "--device", "cpu", "--json")
    few = ("--set", "network_settings.base_channels=2", "--set", "batch=2")
    done = sashiko("explore", "image.npy", "-o", MODEL, *words, *few)
    assert done.code == 0, done.err
    assert done.summary["settings"]["patch"] == 12
    done = sashiko("embed", MODEL, "image.npy", "-o", "t.csv", *words)
    assert done.summary["patches"] == 7

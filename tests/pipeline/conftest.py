"""Two bars in the dark as arrays, and settings that train in a second."""

import numpy as np
import pytest
from folder_pictures import cut_short, write_data
from pipeline_ensembles import put_together

import napari_sashiko as ns

SHAPE = (10, 40, 40)


@pytest.fixture(scope="session")
def arrays():
    """Image, labels and truth."""
    rng = np.random.default_rng(0)
    truth = np.ones(SHAPE, np.uint8)
    truth[:, 6:16, 6:34] = 2
    truth[2:8, 24:34, 6:26] = 2
    image = np.where(truth == 2, 130, 60) + rng.normal(0, 12, SHAPE)
    labels = np.zeros(SHAPE, np.uint8)
    for z in (3, 5, 7):
        labels[z, 9:12, 8:32] = 2
        labels[z, 28:31, 8:24] = 2
        labels[z, 2:4, 4:36] = 1
        labels[z, 19:21, 4:36] = 1
    return image.clip(0, 255).astype(np.uint8), labels, truth


@pytest.fixture(scope="session")
def fast():
    """Settings of a forest alone."""
    return {"members": 0, "trees": 4, "device": "cpu"}


@pytest.fixture(scope="session")
def alone(arrays, fast, tmp_path_factory):
    """Three models of one member each: two forests and a network."""
    folder = tmp_path_factory.mktemp("alone")
    both, other = folder / "both.sashiko-model", folder / "other.sashiko-model"
    small = {"depth": 2, "base_channels": 4}
    one = {"members": 1, "epochs": 1, "patch": 16, "network_settings": small}
    train = {"classes": ["resin", "fibre"], **fast}
    ns.train(arrays[0], arrays[1], both, **train | one)
    ns.train(arrays[0], arrays[1], other, **train | {"trees": 2, "seed": 7})
    members = {"first": (both, 0), "network": (both, 1), "second": (other, 0)}
    return {
        name: put_together(folder / f"{name}.sashiko-model", [member], [1.0])
        for name, member in members.items()
    }


@pytest.fixture(scope="session")
def three(alone, tmp_path_factory):
    """A model of all three, of weights 0.3, 0.2 and 0.5."""
    out = tmp_path_factory.mktemp("three") / "three.sashiko-model"
    return put_together(out, [(each, 0) for each in alone.values()], (0.3, 0.2, 0.5))


@pytest.fixture(scope="session")
def learned(tmp_path_factory):
    """A model that has learned from a folder, and what was said."""
    folder = write_data(tmp_path_factory.mktemp("learned") / "data")
    cut_short(folder / "train" / "images" / "a3.png")
    out, said = folder.parent / "m.sashiko-model", []
    small = {"depth": 2, "base_channels": 4}
    done = ns.train(
        folder,
        None,
        out,
        folder={"unlabelled": "none"},
        report=said.append,
        members=1,
        epochs=1,
        trees=4,
        device="cpu",
        network_settings=small,
    )
    return out, done, said

"""How often a listed place is a mistake, against places drawn at random.

    python benchmarks/places.py fibres filaments nuclei [--members 0] [--strokes 2]

A model is trained on a few strokes of a generated sample. A mistake is a piece of wrong
voxels that is at least three thick: borders that are off by a voxel are none. A place
hits when there is a mistake within four voxels. Ways to rank are compared on the same
prediction: doubt x contrast as in the product, either of them alone, and doubt that is
not smoothed.
"""

import argparse
import tempfile
from pathlib import Path
from unittest.mock import patch

import numpy as np
from scipy.ndimage import binary_opening, distance_transform_edt

import napari_sashiko as ns
from napari_sashiko.labels import labelled_voxels
from napari_sashiko.pipeline import SAMPLES, as_volume, open_prediction
from napari_sashiko.prediction import PlacesSettings, _unsure, places_in_prediction
from napari_sashiko.samples._strokes import paint_strokes

SHAPE = (40, 112, 112)
NEAR = 4.0  # voxels
COUNT = 20
RANDOM = 400  # places, for the rate of chance


def main():
    """Train, predict and compare for each sample."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("samples", nargs="+")
    parser.add_argument("--members", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--strokes", type=int, default=2, help="of a class on a slice")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    options = parser.parse_args()
    rows = []
    for name in options.samples:
        for seed in options.seeds:
            row = measure(name, seed, options)
            rows.append(row)
            print(f"{name:<12} {seed}", *(f"{k} {v:.2f}" for k, v in row.items()))
    means = {key: np.mean([row[key] for row in rows]) for key in rows[0]}
    print("mean         ", *(f"{key} {value:.2f}" for key, value in means.items()))


def measure(name, seed, options):
    """Share of places that hit, by way to rank; and of voxels that are mistakes."""
    sample = SAMPLES[name](seed=seed, shape=SHAPE)
    labels = paint_strokes(sample.truth, slices=2, strokes=options.strokes, seed=seed)
    paint = labelled_voxels(labels)
    with tempfile.TemporaryDirectory() as folder:
        volume, out = predicted(sample, labels, Path(folder), options)
        classes = np.asarray(open_prediction(out).class_ids)
        mistakes = binary_opening(classes != sample.truth, np.ones((3, 3, 3)))
        away = distance_transform_edt(~mistakes)
        rng = np.random.default_rng(seed)
        chance = away[tuple(rng.integers(SHAPE, size=(RANDOM, 3)).T)]
        row = {"voxels": mistakes.mean(), "random": (chance <= NEAR).mean()}
        for way, changes in WAYS.items():
            with patch.multiple(_unsure, **changes):
                found = listed(out, volume, paint)
            hits = [away[place.coords] <= NEAR for place in found.unsure]
            row[way] = np.mean(hits) if hits else 0.0
    return row


def predicted(sample, labels, folder, options):
    """Train on the labels and predict the sample; return volume and prediction."""
    model, out = folder / "m.sashiko-model", folder / "p.zarr"
    volume = as_volume(
        sample.image, voxel_size=sample.voxel_size, unit=sample.unit, name=sample.name
    )
    ns.train(
        volume,
        labels,
        model,
        classes=sample.classes,
        members=options.members,
        minutes=options.minutes,
        device="cpu",
    )
    ns.predict(model, volume, out, device="cpu")
    return volume, out


def listed(out, volume, paint):
    """Return the places of a prediction."""
    settings = PlacesSettings(count=COUNT, seconds=None, blocks=1000, apart=12)
    *_, found = places_in_prediction(out, volume, paint, settings)
    return found


def no_contrast(image, _rules):
    """Count every voxel alike."""
    return np.ones(image.shape[1:], np.float32)


def no_doubt(mean, _std):
    """Take every voxel for equally unsure."""
    return np.full(mean.shape[1:], 0.5, np.float32)


WAYS = {
    "both": {},
    "doubt": {"contrast": no_contrast},
    "contrast": {"doubt": no_doubt},
    "unsmoothed": {"SMOOTH": 0.1},
    "smoother": {"SMOOTH": 4.0},
    "narrow": {"NEIGHBOURHOOD": 2.0},
    "wide": {"NEIGHBOURHOOD": 8.0},
}


if __name__ == "__main__":
    main()

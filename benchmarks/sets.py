"""What coverage prediction sets reach, on new strokes and on the whole volume.

    python benchmarks/sets.py fibres filaments [--members 0]

A model is trained on the strokes of a generated sample. New strokes are painted by the
same simulated hand; voxels that were learned from are left out, and each stroke has one
vote, as in the calibration. The volume is all voxels that were not painted.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np

import napari_sashiko as ns
from napari_sashiko.labels import labelled_voxels, stroke_components
from napari_sashiko.metrics import Coverage, in_set
from napari_sashiko.pipeline import SAMPLES, as_volume, load_card, open_prediction
from napari_sashiko.samples._strokes import paint_strokes

SHAPE = (40, 112, 112)
HANDS = range(1000, 1005)  # seeds of new strokes
HEAD = "sample      held out  asked  new strokes  volume  classes in a set"


def main():
    """Train, predict and compare for each sample."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("samples", nargs="+")
    parser.add_argument("--members", type=int, default=4)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=0, help="of the sample")
    options = parser.parse_args()
    print(HEAD)
    for name in options.samples:
        sample = SAMPLES[name](seed=options.seed, shape=SHAPE)
        with tempfile.TemporaryDirectory() as folder:
            sets, mean = predicted(sample, Path(folder), options)
        for asked, least in zip(sets.coverages, sets.least, strict=True):
            whole = Coverage([each.id for each in sample.classes], least=least)
            whole.update(mean, np.where(sample.sparse_labels > 0, 0, sample.truth))
            reached = whole.compute()
            print(
                f"{name:<12}{sets.strokes:>8}{asked:>7g}"
                f"{on_new_strokes(sample, mean, least):>13.3f}"
                f"{reached.coverage:>8.3f}{reached.mean_size:>18.2f}"
            )


def predicted(sample, folder, options):
    """Return a model's calibration, and what it says of its sample (K, Z, Y, X)."""
    model, out = folder / "m.sashiko-model", folder / "p.zarr"
    volume = as_volume(
        sample.image, voxel_size=sample.voxel_size, unit=sample.unit, name=sample.name
    )
    ns.train(
        volume,
        sample.sparse_labels,
        model,
        classes=sample.classes,
        members=options.members,
        minutes=options.minutes,
        device="cpu",
    )
    ns.predict(model, volume, out, device="cpu")
    return load_card(model).sets, np.asarray(open_prediction(out).mean)


def on_new_strokes(sample, mean, least):
    """Mean over new strokes of the share of their voxels whose set is right."""
    ids = [each.id for each in sample.classes]
    shares = []
    for seed in HANDS:
        strokes = paint_strokes(sample.truth, seed=seed)
        strokes[sample.sparse_labels > 0] = 0
        labelled = labelled_voxels(strokes)
        channels = np.searchsorted(ids, labelled.values)
        true_p = mean[(channels, *labelled.coords.T)]
        _, stroke = np.unique(stroke_components(labelled), return_inverse=True)
        held = in_set(true_p, least)
        shares.extend(np.bincount(stroke, held) / np.bincount(stroke))
    return float(np.mean(shares))


if __name__ == "__main__":
    main()

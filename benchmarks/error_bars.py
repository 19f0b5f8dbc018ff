"""Error bars against the truth: how far numbers are off, how far members are apart.

    python benchmarks/error_bars.py fibres filaments [--seeds 3]

A model is trained on the strokes of each generated sample and measures it; the truth is
counted in the same way. ``off`` is the distance of the mean from the truth in standard
deviations over the members.
"""

import argparse
import tempfile
from pathlib import Path

import cc3d
import numpy as np

import napari_sashiko as ns
from napari_sashiko.pipeline import SAMPLES, as_volume, with_error

SHAPE = (40, 112, 112)
DUST = 200  # voxels
OBJECTS = {"fibres": "fibre", "filaments": "filament", "nuclei": "nucleus"}
HEAD = "sample       seed  number                      truth  measured             off"


def main():
    """Train, measure and compare for each sample and seed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("samples", nargs="+", choices=OBJECTS)
    parser.add_argument("--members", type=int, default=4)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    print(HEAD)
    for name in options.samples:
        for seed in range(options.seeds):
            sample = SAMPLES[name](seed=seed, shape=SHAPE)
            with tempfile.TemporaryDirectory() as folder:
                found = measured(sample, Path(folder), options)
            for number, truth, spread in compared(sample, found):
                off = (spread.mean - truth) / spread.std if spread.std else np.nan
                print(
                    f"{name:<12}{seed:>5}  {number:<24}{truth:>9.3f}  "
                    f"{with_error(spread):<18}{off:>6.1f}",
                    flush=True,
                )


def measured(sample, folder, options):
    """Return what a model trained on its strokes measures."""
    volume = as_volume(
        sample.image, voxel_size=sample.voxel_size, unit=sample.unit, name=sample.name
    )
    model = folder / "m.sashiko-model"
    ns.train(
        volume,
        sample.sparse_labels,
        model,
        classes=sample.classes,
        members=options.members,
        minutes=options.minutes,
    )
    label_class = OBJECTS[sample.name]
    out = folder / "measured"
    return ns.measure(model, volume, out, label_class=label_class, dust=str(DUST))


def compared(sample, found):
    """Yield what a number is called, its truth, and what was measured."""
    for each in sample.classes:
        truth = 100 * float((sample.truth == each.id).mean())
        yield f"{each.name} [%]", truth, found.fraction(each.id).times(100)
    mask = sample.truth == found.label_class.id
    sizes = np.bincount(cc3d.connected_components(mask).ravel())[1:]
    sizes = sizes[sizes >= DUST]
    yield f"{found.label_class.name} objects", float(len(sizes)), found.count
    volume = float(np.median(sizes) * np.prod(sample.voxel_size))
    unit = found.unit_of("volume")
    yield f"median volume [{unit}]", volume, found.size("volume")


if __name__ == "__main__":
    main()

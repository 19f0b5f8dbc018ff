"""Accuracy from a few strokes, beside the random forest that users have today.

For every volume and stroke seed the same simulated strokes train napari-sashiko,
defaults untouched, and the opponent: scikit-image's multiscale features (intensity,
edges, texture, sigma 1 to 16; 3D for volumes, 2D for stacks of separate images) under
100 trees of scikit-learn, as ilastik, LABKIT and Trainable Weka Segmentation do it.
Both are scored on every voxel without paint.

    python benchmarks/scribbles.py                 # the project's own phantoms
    python benchmarks/scribbles.py --data FOLDER   # NAME.npz with image and labels
    python benchmarks/scribbles.py --only nuclei --seeds 1 --table scribbles.md

In FOLDER, ``image_degraded`` is taken before ``image``, ``labels_semantic`` before
``labels``; labels with more than five values count as objects against background.
"""

import argparse
import os
import platform
import tempfile
import time
from pathlib import Path

import numpy as np
from phantoms import PHANTOMS
from skimage.feature import multiscale_basic_features
from sklearn.ensemble import RandomForestClassifier
from strokes import strokes

import napari_sashiko as ns
from napari_sashiko.metrics import Calibration, ConfusionMatrix
from napari_sashiko.pipeline import open_prediction
from napari_sashiko.volumes import as_volume

STACKS = ("micrographs", "nasa_superalloy")  # separate images, not volumes
SPACING = {"embryo_nuclei_16cell": (2.18, 1.0, 1.0)}
COLUMNS = ("macro F1", "fg Dice", "Brier", "ECE", "train s", "predict s")


def main():
    args = arguments()
    print(machine(), flush=True)
    rows = []
    for name in names(args):
        image, truth, spacing = load(args, name)
        for seed in range(args.seeds):
            paint = strokes(truth, seed=seed)
            for method in (forest, ours):
                probabilities, trained, predicted = method(
                    image, paint, spacing, name=name, minutes=args.minutes, seed=seed
                )
                scores = score(probabilities, truth, paint)
                row = (name, seed, method.__name__, *scores, trained, predicted)
                rows.append(row)
                print(line(row), flush=True)
    text = table(rows)
    print(text)
    if args.table:
        args.table.write_text(f"{text}\n\n{machine()}\n", encoding="utf-8")


def ours(image, paint, spacing, *, name, minutes, seed):
    """Train and predict with the public functions, all defaults untouched."""
    with tempfile.TemporaryDirectory() as folder:
        model, out = Path(folder) / "m.sashiko-model", Path(folder) / "p.zarr"
        volume = as_volume(image, voxel_size=spacing, name=name)
        start = time.perf_counter()
        ns.train(volume, paint, model, minutes=minutes, seed=seed)
        trained = time.perf_counter()
        ns.predict(model, volume, out)
        end = time.perf_counter()
        mean = np.asarray(open_prediction(out).mean)
    return mean.reshape(len(mean), *image.shape), trained - start, end - trained


def forest(image, paint, spacing, *, name, minutes, seed):
    """The opponent; anisotropy and time limit are not known to it."""
    del spacing, minutes
    start = time.perf_counter()
    grey = image.astype(np.float32)
    if name in STACKS:
        features = np.stack([filters(plane) for plane in grey])
    else:
        features = filters(grey)
    trees = RandomForestClassifier(100, n_jobs=os.cpu_count(), random_state=seed)
    trees.fit(features[paint > 0], paint[paint > 0])
    trained = time.perf_counter()
    flat = features.reshape(-1, features.shape[-1])
    parts = [trees.predict_proba(part) for part in np.array_split(flat, 50)]
    probabilities = np.concatenate(parts).T.reshape(-1, *image.shape)
    return probabilities, trained - start, time.perf_counter() - trained


def filters(grey):
    return multiscale_basic_features(grey, sigma_min=1, sigma_max=16)


def score(probabilities, truth, paint):
    """Macro F1, Dice of all but the first class, Brier score, calibration error."""
    target = np.where(paint == 0, truth.astype(np.int64) + 1, 0)
    count = len(probabilities)
    matrix, calibration = ConfusionMatrix(count), Calibration(count)
    for part in range(len(truth)):
        matrix.update(probabilities[:, part], target[part])
        calibration.update(probabilities[:, part], target[part])
    scores, trust = matrix.compute(), calibration.compute()
    dice = float(np.mean(scores.dice[1:]))
    return scores.macro_f1, dice, trust.brier, trust.expected_calibration_error


def names(args):
    known = list(PHANTOMS)
    if args.data:
        known = sorted(path.stem for path in args.data.glob("*.npz"))
    return [name for name in known if not args.only or name in args.only]


def load(args, name):
    if not args.data:
        image, truth, spacing, *_ = PHANTOMS[name](seed=args.phantom_seed)
        return image, truth, spacing
    with np.load(args.data / f"{name}.npz") as arrays:
        image = arrays["image_degraded" if "image_degraded" in arrays else "image"]
        key = "labels_semantic" if "labels_semantic" in arrays else "labels"
        truth = arrays[key]
    truth = (truth > 0) if len(np.unique(truth)) > 5 else truth
    return image, truth.astype(np.uint8), SPACING.get(name, (1.0, 1.0, 1.0))


def table(rows):
    """Markdown: medians over seeds, and how far ours is ahead."""
    lines = [
        "| volume | method | " + " | ".join(COLUMNS) + " |",
        "|---|---|" + "---:|" * len(COLUMNS),
    ]
    means = {"forest": [], "ours": []}
    for name in dict.fromkeys(row[0] for row in rows):
        for method in ("forest", "ours"):
            mine = [row[3:] for row in rows if row[0] == name and row[2] == method]
            middle = np.median(np.array(mine, float), axis=0)
            means[method].append(middle)
            lines.append(f"| {name} | {method} | {cells(middle)} |")
    for method, values in means.items():
        lines.append(f"| **mean** | {method} | {cells(np.mean(values, axis=0))} |")
    return "\n".join(lines)


def cells(values):
    scores = [f"{v:.3f}" for v in values[:4]]
    return " | ".join(scores + [f"{v:.0f}" for v in values[4:]])


def line(row):
    return f"{row[0]:24s} seed {row[1]} {row[2]:7s} " + cells(row[3:])


def machine():
    return f"{os.cpu_count()} cores, {processor()}, Python {platform.python_version()}."


def processor():
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    found = [line.split(":")[1].strip() for line in lines if "model name" in line]
    return found[0] if found else platform.processor()


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="folder of NAME.npz")
    parser.add_argument("--only", nargs="+", help="names of volumes")
    parser.add_argument("--seeds", type=int, default=3, help="stroke seeds")
    parser.add_argument("--phantom-seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=2.0, help="most training time")
    parser.add_argument("--table", type=Path, help="write the table there")
    return parser.parse_args()


if __name__ == "__main__":
    main()

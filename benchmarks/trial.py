"""One setting against another, on the strokes of `accuracy.py`, to see whether it pays.

    python benchmarks/trial.py neighbours=0 neighbours=4 --epochs 6 --data FOLDER
    python benchmarks/trial.py patch=32,batch=32 patch=64 --only pores plies

Both train for as many epochs, so that a busy machine changes nothing. Prints macro F1
and Brier score of each, and the mean difference of the first to the second.
"""

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
from accuracy import CASES, SLICES
from scores import scores
from strokes import strokes
from tasks import tasks

import napari_sashiko as ns
from napari_sashiko.pipeline import open_prediction
from napari_sashiko.volumes import as_volume


def main():
    args = arguments()
    gains = []
    for task in tasks(args.data, args.volume):
        if args.only and task.name not in args.only:
            continue
        scene = task.load()
        for seed, count in CASES:
            if count not in args.strokes:
                continue
            slices = min(SLICES, count)
            paint = strokes(
                scene.truth, slices=slices, per_class=count // slices, seed=seed
            )
            one, two = (
                answer(scene, paint, seed, args.epochs, settings(words))
                for words in (args.first, args.second)
            )
            gains.append(one["macro_f1"] - two["macro_f1"])
            print(
                f"{task.name}, {count} strokes: macro F1 {one['macro_f1']:.3f} / "
                f"{two['macro_f1']:.3f}, Brier {one['brier']:.3f} / {two['brier']:.3f}",
                flush=True,
            )
    print(f"{len(gains)} runs: macro F1 {np.mean(gains):+.4f} on average")


def answer(scene, paint, seed, epochs, changes):
    """Train with some settings changed, predict, score."""
    with tempfile.TemporaryDirectory() as folder:
        model, out = Path(folder) / "m.sashiko-model", Path(folder) / "p.zarr"
        volume = as_volume(scene.image, voxel_size=scene.spacing, name="volume")
        ns.train(
            volume, paint, model, minutes=None, epochs=epochs, seed=seed, **changes
        )
        ns.predict(model, volume, out)
        mean = np.asarray(open_prediction(out).mean, np.float32)
    return scores(mean.reshape(-1, *scene.image.shape), None, scene.truth, paint)


def settings(words):
    """Read ``name=value,name=value``; values are JSON, or else words."""
    return {
        name: _value(value)
        for name, value in (part.split("=", 1) for part in words.split(",") if part)
    }


def _value(text):
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("first", help="settings, e.g. neighbours=0,patch=32")
    parser.add_argument("second", help="others; '' leaves the defaults")
    parser.add_argument("--data", type=Path, help="folder of NAME.npz")
    parser.add_argument("--only", nargs="+", help="names of volumes")
    parser.add_argument("--strokes", nargs="+", type=int, default=[8, 4, 2])
    parser.add_argument("--epochs", type=int, default=6, help="of each network")
    parser.add_argument("--volume", type=int, default=0, help="seed of generated ones")
    return parser.parse_args()


if __name__ == "__main__":
    main()

"""How much of the correction for class shares to apply: a trial, on the truth.

    python benchmarks/correction.py --data FOLDER [--members 0]

Trains on the strokes of `accuracy.py`, predicts without correction, and scores the
probabilities times every power of the factors that training found. The answers go to
``benchmarks/results/correction.jsonl``; the last lines printed are their means.
"""

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
from accuracy import CASES, SLICES
from scores import scores
from strokes import strokes
from tasks import trials

import napari_sashiko as ns
from napari_sashiko.pipeline import open_prediction
from napari_sashiko.volumes import as_volume

RESULTS = Path(__file__).parent / "results" / "correction.jsonl"
POWERS = (0.0, 0.25, 1 / 3, 0.5, 0.75, 1.0)
MEASURES = ("macro_f1", "brier", "ece")


def main():
    args = arguments()
    for task in trials(args.data, args.volume):
        scene = task.load()
        for seed, count in CASES:
            slices = min(SLICES, count)
            paint = strokes(
                scene.truth, slices=slices, per_class=count // slices, seed=seed
            )
            mean, factors = uncorrected(scene, paint, seed, args)
            found = {
                f"{power:.2f}": scores(
                    corrected(mean, factors**power), None, scene.truth, paint
                )
                for power in POWERS
            }
            record = {
                "task": task.name,
                "strokes": count,
                "members": args.members,
                "epochs": args.epochs,
                "found": found,
            }
            with RESULTS.open("a", encoding="utf-8") as file:
                file.write(json.dumps(record) + "\n")
            print(task.name, count, [each["macro_f1"] for each in found.values()])
    print(means(args))


def uncorrected(scene, paint, seed, args):
    """Mean probability without correction, and the factors as they were found."""
    with tempfile.TemporaryDirectory() as folder:
        model, out = Path(folder) / "m.sashiko-model", Path(folder) / "p.zarr"
        volume = as_volume(scene.image, voxel_size=scene.spacing, name="volume")
        ns.train(
            volume,
            paint,
            model,
            minutes=None,
            members=args.members,
            epochs=args.epochs,
            seed=seed,
        )
        card = model / "model.json"
        record = json.loads(card.read_text("utf-8"))
        # What is stored is a root of the factors: see training/survey.py.
        factors = np.array(record["correction"]) ** 3
        record["correction"] = []
        card.write_text(json.dumps(record), "utf-8")
        ns.predict(model, volume, out)
        mean = np.asarray(open_prediction(out).mean, np.float32)
    return mean.reshape(-1, *scene.image.shape), factors


def corrected(mean, factors):
    found = mean * factors.reshape(-1, 1, 1, 1)
    return found / found.sum(0)


def means(args):
    """Means over everything that was measured with as many members."""
    lines = map(json.loads, RESULTS.read_text("utf-8").splitlines())
    asked = (args.members, args.epochs)
    mine = [each for each in lines if (each["members"], each["epochs"]) == asked]
    rows = []
    for measure in MEASURES:
        values = {
            power: np.mean([each["found"][power][measure] for each in mine])
            for power in mine[0]["found"]
        }
        words = ", ".join(f"{power}: {value:.4f}" for power, value in values.items())
        rows.append(f"{measure}, {len(mine)} runs: {words}")
    return "\n".join(rows)


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="folder of NAME.npz")
    parser.add_argument("--members", type=int, default=0, help="networks")
    parser.add_argument("--epochs", type=int, default=6, help="of each network")
    parser.add_argument("--volume", type=int, default=0, help="seed of generated ones")
    return parser.parse_args()


if __name__ == "__main__":
    main()

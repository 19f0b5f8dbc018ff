"""How sure the members of a taught ensemble may be: a trial, on the truth.

    python benchmarks/temperature.py --data FOLDER --strokes 8

Trains on the strokes of `accuracy.py`, then predicts at several temperatures and at the
one that training found. The answers go to ``benchmarks/results/temperature.jsonl``; the
last lines printed are their means, as a table.
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

RESULTS = Path(__file__).parent / "results" / "temperature.jsonl"
TEMPERATURES = (1.0, 0.8, 0.6, 0.4)
MEASURES = ("macro_f1", "brier", "ece", "auroc")


def main():
    args = arguments()
    for task in trials(args.data, args.volume):
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
            found = answers(scene, paint, seed, args.epochs)
            record = {"task": task.name, "strokes": count, "epochs": args.epochs}
            with RESULTS.open("a", encoding="utf-8") as file:
                file.write(json.dumps(record | {"found": found}) + "\n")
            print(task.name, count, [each["ece"] for each in found.values()])
    print(means())


def answers(scene, paint, seed, epochs):
    """Scores by temperature; "found" is the one that training chose."""
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "m.sashiko-model"
        volume = as_volume(scene.image, voxel_size=scene.spacing, name="volume")
        ns.train(volume, paint, model, minutes=None, epochs=epochs, seed=seed)
        card = model / "model.json"
        record = json.loads(card.read_text("utf-8"))
        wanted = {f"{t:g}": t for t in TEMPERATURES} | {"found": record["temperature"]}
        found = {}
        for name, temperature in wanted.items():
            card.write_text(json.dumps(record | {"temperature": temperature}), "utf-8")
            out = Path(folder) / f"{name}.zarr"
            ns.predict(model, volume, out)
            result = open_prediction(out)
            shape = (-1, *scene.image.shape)
            mean, std = (
                np.asarray(each, np.float32).reshape(shape)
                for each in (result.mean, result.std)
            )
            spread = np.take_along_axis(std, mean.argmax(0)[None], 0)[0]
            found[name] = scores(mean, spread, scene.truth, paint)
    return found


def means():
    """Means over everything that was measured, as Markdown."""
    lines = [json.loads(line) for line in RESULTS.read_text("utf-8").splitlines()]
    names = list(lines[0]["found"])
    rows = [
        f"| {len(lines)} runs | {' | '.join(names)} |",
        f"|---|{'---:|' * len(names)}",
    ]
    for measure in MEASURES:
        values = [np.mean([each["found"][n][measure] for each in lines]) for n in names]
        rows.append(f"| {measure} | {' | '.join(f'{v:.3f}' for v in values)} |")
    return "\n".join(rows)


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="folder of NAME.npz")
    parser.add_argument("--only", nargs="+", help="names of volumes")
    parser.add_argument("--strokes", nargs="+", type=int, default=[8, 4])
    parser.add_argument("--epochs", type=int, default=10, help="of each network")
    parser.add_argument("--volume", type=int, default=0, help="seed of generated ones")
    return parser.parse_args()


if __name__ == "__main__":
    main()

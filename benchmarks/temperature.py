"""How sure the members of a taught ensemble may be: a trial, on the truth.

    python benchmarks/temperature.py --data FOLDER

Trains on the strokes of `accuracy.py`, then asks the members about some slices and
compares what they say with the truth: at several temperatures, at the one that training
found, at those that other numbers of errors for each difference of the families would
give, and at the best one, which nobody can know. The answers go to
``benchmarks/results/temperature.jsonl``; the last lines printed are their means, as a
table.
"""

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
from accuracy import CASES, SLICES
from strokes import strokes
from tasks import trials

import napari_sashiko as ns
from napari_sashiko.checkpoints import load_ensemble
from napari_sashiko.metrics import Calibration
from napari_sashiko.training.temperature import agreed_temperature, mix
from napari_sashiko.volumes import as_seen, as_volume

RESULTS = Path(__file__).parent / "results" / "temperature.jsonl"
TEMPERATURES = (1.0, 0.8, 0.6, 0.5, 0.4, 0.3)
ALIKE = (0.8, 1.1, 1.4, 1.7)  # errors for each difference
MEASURES = ("ece", "brier")
ASKED, VOXELS = 8, 2000  # slices, and voxels of each


def main():
    args = arguments()
    done = {(each["task"], each["strokes"], each["epochs"]) for each in records()}
    for task in trials(args.data, args.volume):
        if args.only and task.name not in args.only:
            continue
        scene = task.load()
        for seed, count in CASES:
            if count not in args.strokes or (task.name, count, args.epochs) in done:
                continue
            slices = min(SLICES, count)
            paint = strokes(
                scene.truth, slices=slices, per_class=count // slices, seed=seed
            )
            temperature, found = answers(scene, paint, seed, args.epochs)
            record = {"task": task.name, "strokes": count, "epochs": args.epochs}
            record |= {"temperature": round(temperature, 3), "found": found}
            with RESULTS.open("a", encoding="utf-8") as file:
                file.write(json.dumps(record) + "\n")
            print(task.name, count, temperature, found, flush=True)
    print(means(args.epochs))


def answers(scene, paint, seed, epochs):
    """The temperature that training chose; and scores by temperature."""
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "m.sashiko-model"
        volume = as_volume(scene.image, voxel_size=scene.spacing, name="volume")
        ns.train(volume, paint, model, minutes=None, epochs=epochs, seed=seed)
        families, kinds, truth, chosen = asked(model, volume, scene, paint)
    return chosen, compared(families, kinds, truth, chosen)


def compared(families, kinds, truth, chosen):
    """Scores by temperature, or by what it follows from."""
    wanted = {f"{t:g}": t for t in TEMPERATURES} | {"found": chosen}
    pairs = list(zip(families, kinds, strict=True))
    forests, networks = (
        [each for each, kind in pairs if (kind == "forest") == trees]
        for trees in (True, False)
    )
    for alike in ALIKE if forests and networks else ():
        agreed = agreed_temperature(forests, networks, alike=alike)
        wanted[f"{alike:g} x"] = agreed
    found = {name: judged(mix(families, t), truth) for name, t in wanted.items()}
    fine = [judged(mix(families, t), truth) for t in np.geomspace(0.2, 2, 24)]
    found["best"] = {name: min(each[name] for each in fine) for name in MEASURES}
    return found


def asked(model, volume, scene, paint):
    """What each member says of voxels without paint, its weight and kind; the truth."""
    ensemble = load_ensemble(model)
    chosen = ensemble.card.temperature
    card = ensemble.card.model_copy(update={"temperature": 1.0})
    ensemble = type(ensemble)(card, ensemble.members, ensemble.device)
    singles = [ensemble.alone(place) for place in range(len(card.members))]
    seen, rng = as_seen(volume, card.normalisation), np.random.default_rng(0)
    said, truth = [], []
    for z in rng.choice(len(scene.image), ASKED, replace=False):
        reach = 0 if scene.stack else ensemble.halo[0]
        low, high = max(0, z - reach), min(len(scene.image), z + reach + 1)
        patch = seen.read((slice(low, high), slice(None), slice(None)))
        patch = card.normalisation.apply(patch)
        core = ((z - low, z - low + 1), *((0, n) for n in patch.shape[2:]))
        picks = rng.choice(np.flatnonzero(paint[z] == 0), VOXELS)
        maps = [one.predict(patch, core=core)[0] for one in singles]
        said.append(
            np.stack([each.reshape(len(each), -1)[:, picks].T for each in maps])
        )
        truth.append(scene.truth[z].ravel()[picks])
    weights = [member.weight for member in card.members]
    kinds = [member.kind for member in card.members]
    pairs = zip(weights, np.concatenate(said, axis=1), strict=True)
    return list(pairs), kinds, np.concatenate(truth).astype(int), chosen


def judged(probabilities, truth):
    """Calibration error and Brier score of ``(N, K)``."""
    calibration = Calibration(probabilities.shape[1])
    calibration.update(probabilities.T, truth + 1)
    trust = calibration.compute()
    values = (trust.expected_calibration_error, trust.brier)
    return dict(zip(MEASURES, (round(float(v), 5) for v in values), strict=True))


def means(epochs):
    """Means over everything that was measured with as many epochs, as Markdown."""
    lines = [each for each in records() if each["epochs"] == epochs]
    names = list(lines[0]["found"])
    rows = [
        f"| | runs | {' | '.join(names)} |",
        f"|---|---:|{'---:|' * len(names)}",
    ]
    counts = sorted({each["strokes"] for each in lines}, reverse=True)
    for count in counts:
        some = [each["found"] for each in lines if each["strokes"] == count]
        for measure in MEASURES:
            values = [np.mean([each[n][measure] for each in some]) for n in names]
            words = f"{measure}, {count} strokes | {len(some)}"
            rows.append(f"| {words} | {' | '.join(f'{v:.3f}' for v in values)} |")
    return "\n".join(rows)


def records():
    """Everything that was measured; it is not measured again."""
    if not RESULTS.exists():
        return []
    return [json.loads(line) for line in RESULTS.read_text("utf-8").splitlines()]


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="folder of NAME.npz")
    parser.add_argument("--only", nargs="+", help="names of volumes")
    parser.add_argument("--strokes", nargs="+", type=int, default=[8, 4, 2])
    parser.add_argument("--epochs", type=int, default=6, help="of each network")
    parser.add_argument("--volume", type=int, default=0, help="seed of generated ones")
    return parser.parse_args()


if __name__ == "__main__":
    main()

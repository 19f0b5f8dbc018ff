"""Which trees learn most from a few strokes: a trial, on the truth.

    python benchmarks/forests.py
    python benchmarks/forests.py --variants "both, leaves of 5, 0.1" "with slants"

Forests are grown on the filters of the product and the strokes of `accuracy.py`, and
asked about voxels at random places. Defaults are chosen on generated volumes; real
ones (``--data``) are kept for claims. The answers go to
``benchmarks/results/forests.jsonl``; the last lines printed are their means.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from accuracy import CASES, SLICES
from scores import scores
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from strokes import strokes
from tasks import trials

from napari_sashiko.forests import FilterBank

RESULTS = Path(__file__).parent / "results" / "forests.jsonl"
ASKED = 60_000  # voxels
TREES = 64
MEASURES = ("macro_f1", "brier", "ece")
# Share of random trees (the rest is extremely random), voxels in a leaf, features that
# an extremely random split chooses from, and whether slants are among the features.
VARIANTS = {
    "both, leaves of 2, 0.3": (0.5, 2, 0.3, False),
    "both, leaves of 2, 0.1": (0.5, 2, 0.1, False),
    "both, leaves of 5, 0.3": (0.5, 5, 0.3, False),
    "both, leaves of 5, 0.1": (0.5, 5, 0.1, False),
    "with slants": (0.5, 5, 0.1, True),
    "random": (1.0, 2, 0.1, False),
    "extremely random": (0.0, 5, 0.1, False),
}


def main():
    args = arguments()
    for task in trials(args.data, args.volume):
        if args.only and task.name not in args.only:
            continue
        scene = task.load()
        features, slants = filtered(scene)
        for seed, count in CASES:
            slices = min(SLICES, count)
            paint = strokes(
                scene.truth, slices=slices, per_class=count // slices, seed=seed
            )
            found = {
                name: answer(scene, features, slants, paint, seed, *VARIANTS[name])
                for name in args.variants
            }
            record = {"task": task.name, "volume": args.volume, "strokes": count}
            with RESULTS.open("a", encoding="utf-8") as file:
                file.write(json.dumps(record | {"found": found}) + "\n")
            print(task.name, count, [each["macro_f1"] for each in found.values()])
    print(means(args))


def filtered(scene):
    """Features ``(F, N)`` of all voxels; and how many of them, the last, are slants."""
    grey = scene.image.astype(np.float32)
    grey = (grey - grey.mean()) / grey.std()
    finest = min(scene.spacing)
    bank = FilterBank(
        dims=2 if scene.stack else 3,
        spacing=tuple(float(size / finest) for size in scene.spacing),
        slants=True,
    )
    core = tuple((0, size) for size in grey.shape)
    features = bank.features(torch.from_numpy(grey)[None], core)
    return features.flatten(1).numpy(), len(bank.textures)


def answer(scene, features, slants, paint, seed, share, leaf, some, slanted):
    """Scores of a variant on voxels at random places."""
    used = features if slanted else features[:-slants]
    rows = np.flatnonzero(paint)
    free = np.flatnonzero(paint.ravel() == 0)
    asked = np.random.default_rng(0).choice(free, min(ASKED, len(free)), replace=False)
    truth = scene.truth.ravel()[asked][None, None]
    votes = 0.0
    for kind, trees, most in (
        (RandomForestClassifier, round(share * TREES), "sqrt"),
        (ExtraTreesClassifier, round((1 - share) * TREES), some),
    ):
        if trees:
            forest = kind(
                trees,
                min_samples_leaf=leaf,
                max_features=most,
                random_state=seed,
                n_jobs=-1,
            )
            forest.fit(used[:, rows].T, paint.ravel()[rows])
            votes = votes + trees * forest.predict_proba(used[:, asked].T)
    shares = (votes / TREES).T[:, None, None]
    return scores(shares, None, truth, np.zeros_like(truth))


def means(args):
    """A table of means over all that was noted of these variants together."""
    lines = map(json.loads, RESULTS.read_text("utf-8").splitlines())
    wanted = set(args.variants)
    known = [
        each
        for each in lines
        if each["volume"] == args.volume and wanted <= set(each["found"])
    ]
    rows = [f"mean of {len(known)} runs: {', '.join(MEASURES)}"]
    for name in args.variants:
        parts = [
            f"{np.mean([each['found'][name][measure] for each in known]):.3f}"
            for measure in MEASURES
        ]
        for count in sorted({each["strokes"] for each in known}):
            some = [
                each["found"][name]["macro_f1"]
                for each in known
                if each["strokes"] == count
            ]
            parts.append(f"{count} strokes: {np.mean(some):.3f}")
        rows.append(f"{name}: {', '.join(parts)}")
    return "\n".join(rows)


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="folder of NAME.npz")
    parser.add_argument("--only", nargs="+", help="names of volumes")
    parser.add_argument("--volume", type=int, default=0, help="seed of the generated")
    parser.add_argument("--variants", nargs="+", default=list(VARIANTS))
    return parser.parse_args()


if __name__ == "__main__":
    main()

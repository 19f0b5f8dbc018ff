"""How often a listed place is a mistake, against places drawn at random.

    python benchmarks/places.py --data FOLDER [--members 0] [--epochs 6] [--air]

Trains on the strokes of `accuracy.py`, predicts, and lists places by several ways to
rank: doubt x contrast as in the product, either of them alone, and other widths. A
mistake is a piece of wrong voxels that is at least three thick: borders that are off by
a voxel are none. A place hits if a mistake is within two voxels. With ``--air`` the
sample is a column in nearly even grey that nobody painted; places in there are counted
and hit nothing. The answers go to ``benchmarks/results/places.jsonl``; the last lines
are their means.
"""

import argparse
import json
import tempfile
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import numpy as np
from accuracy import CASES, SLICES
from scipy.ndimage import binary_opening, distance_transform_edt
from strokes import strokes
from tasks import tasks

import napari_sashiko as ns
from napari_sashiko.labels import labelled_voxels
from napari_sashiko.pipeline import as_volume, open_prediction
from napari_sashiko.prediction import PlacesSettings, _unsure, places_in_prediction

RESULTS = Path(__file__).parent / "results" / "places.jsonl"
NEAR = 2.0  # voxels
THICK = np.ones((3, 3, 3))
RADIUS = 0.7  # of half the width: of the column in air
RANDOM = 2000  # places, for the rate of chance


def main():
    """Train, predict and compare the ways for each volume and set of strokes."""
    args = arguments()
    for task in tasks(args.data, args.volume):
        if args.only and task.name not in args.only:
            continue
        scene = task.load()
        air = around(scene.image.shape) & args.air
        scene = replace(scene, image=grey_in(air, scene.image))
        for seed, count in CASES[: args.cases]:
            slices = min(SLICES, count)
            paint = strokes(
                scene.truth, slices=slices, per_class=count // slices, seed=seed
            )
            paint[air] = 0
            if len(np.unique(paint)) < 3:  # two classes, and what is not painted
                continue
            found = measure(scene, air, paint, seed, args)
            record = {
                "task": task.name,
                "strokes": count,
                "members": args.members,
                "epochs": args.epochs,
                "air": args.air,
                "found": found,
            }
            with RESULTS.open("a", encoding="utf-8") as file:
                file.write(json.dumps(record) + "\n")
            print(task.name, count, found, flush=True)
    print(means(args))


def around(shape):
    """Say which voxels are not in a column along z."""
    y, x = (np.linspace(-1, 1, n) for n in shape[1:])
    return np.broadcast_to(np.hypot(y[:, np.newaxis], x) > RADIUS, shape)


def grey_in(air, image):
    """Make all even but for a twentieth of the image's deviation."""
    spread = image.std()
    noise = np.random.default_rng(0).normal(0, spread / 20, image.shape)
    dark = image.mean() - 2 * spread
    return np.where(air, dark + noise, image).astype(np.float32)


def measure(scene, air, paint, seed, args):
    """Share of voxels that are mistakes, and of places that hit, by way to rank."""
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
        ns.predict(model, volume, out)
        wrong = np.asarray(open_prediction(out).class_ids) != scene.truth + 1
        away = distance_transform_edt(~binary_opening(wrong & ~air, THICK))
        found = {"mistakes": float((away == 0).mean()), "random": by_chance(away, seed)}
        for way, changes in WAYS.items():
            with patch.multiple(_unsure, **changes):
                places = listed(out, volume, labelled_voxels(paint), seed)
            hits = [bool(away[place.coords] <= NEAR) for place in places]
            found[way] = float(np.mean(hits)) if hits else 0.0
            if args.air:
                found[f"{way}, in air"] = float(
                    np.mean([air[place.coords] for place in places])
                )
    return found


def by_chance(away, seed):
    """Share of random places that hit."""
    where = np.random.default_rng(seed).integers(away.shape, size=(RANDOM, 3))
    return float((away[tuple(where.T)] <= NEAR).mean())


def listed(out, volume, paint, seed):
    """Return the unsure places of a prediction, all of it looked at."""
    settings = PlacesSettings(seconds=None, blocks=1000, seed=seed)
    *_, found = places_in_prediction(out, volume, paint, settings)
    return found.unsure


def means(args):
    """Means over everything that was measured with as many members."""
    lines = map(json.loads, RESULTS.read_text("utf-8").splitlines())
    asked = (args.members, args.epochs, args.air)
    keys = ("members", "epochs", "air")
    mine = [each for each in lines if tuple(each[key] for key in keys) == asked]
    rows = [f"{len(mine)} runs"]
    for way in mine[0]["found"]:
        values = [each["found"][way] for each in mine]
        rows.append(f"{way}: {np.mean(values):.3f}")
    return "\n".join(rows)


def no_contrast(image, _rules):
    """Count every voxel alike."""
    return np.ones(image.shape[1:], np.float32)


def no_doubt(mean, _std):
    """Take every voxel for equally unsure."""
    return np.full(mean.shape[1:], 0.5, np.float32)


WAYS = {
    "product": {"SMOOTH": _unsure.SMOOTH},
    "doubt": {"contrast": no_contrast},
    "contrast": {"doubt": no_doubt},
    "full 1": {"FULL": 1.0},
    "smooth 0": {"SMOOTH": 0.1},
    "smooth 4": {"SMOOTH": 4.0},
    "near 8": {"NEIGHBOURHOOD": 8.0},
}


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="folder of NAME.npz")
    parser.add_argument("--only", nargs="+", help="names of volumes")
    parser.add_argument("--cases", type=int, default=len(CASES), help="sets of strokes")
    parser.add_argument("--members", type=int, default=0, help="networks")
    parser.add_argument("--epochs", type=int, default=6, help="of each network")
    parser.add_argument("--air", action="store_true", help="around the sample")
    parser.add_argument("--volume", type=int, default=0, help="seed of generated ones")
    return parser.parse_args()


if __name__ == "__main__":
    main()

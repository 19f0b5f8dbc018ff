"""Settings of restoring against each other, on gaps of generated scattering images.

    python benchmarks/gaps.py "" loss=l2 --epochs 24
    python benchmarks/gaps.py "" network=msdnet,network_settings.depth=50 --minutes 2

Each argument is a set of settings, "" the defaults. Gaps of each stack of pictures are
filled, and compared with what is behind them: Pearson's correlation and root mean
square error in the gaps alone. The last rows of each are what knows nothing: the
rough filling that networks begin with, and a biharmonic surface. Seeds are others than
that of ``docs/applications/inpainting.py``.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from skimage.restoration import inpaint_biharmonic
from trial import settings

import napari_sashiko as ns
from napari_sashiko.layers import fill_unknown
from napari_sashiko.metrics import ImageErrors
from napari_sashiko.pipeline import SAMPLES, open_restored


def main():
    args = arguments()
    scores = {}
    for seed in args.seeds:
        sample = SAMPLES["scattering"](seed=seed, shape=tuple(args.shape))
        for words in args.settings:
            started = time.perf_counter()
            filled = fill(sample.image, args, words)
            note(scores, words or "defaults", sample, filled, started)
        for filling in (rough, biharmonic):
            started = time.perf_counter()
            note(scores, filling.__name__, sample, filling(sample), started)
    print(table(scores))


def fill(image, args, words):
    """Learn with some settings changed, and fill the gaps."""
    limits = {"epochs": args.epochs} if args.epochs else {}
    limits |= {"minutes": args.minutes} if args.minutes else {}
    with tempfile.TemporaryDirectory() as folder:
        model, out = Path(folder) / "m.sashiko-model", Path(folder) / "filled.zarr"
        ns.restore(image, model, gaps=True, **limits, **settings(words)[0])
        ns.predict(model, image, out)
        return np.asarray(open_restored(out).mean)[0]


def rough(sample):
    """What networks begin with."""
    image = torch.from_numpy(sample.image)[:, None]
    known = torch.isfinite(image).float()
    return fill_unknown(image.nan_to_num(0.0), known)[:, 0].numpy()


def biharmonic(sample):
    """The smoothest surface."""
    image, gaps = np.nan_to_num(sample.image), sample.arrays["gaps"] > 0
    pairs = zip(image.astype(float), np.ascontiguousarray(gaps), strict=True)
    return np.stack([inpaint_biharmonic(plane, hole) for plane, hole in pairs])


def note(scores, name, sample, filled, started):
    """Score a filling in the gaps alone."""
    metric = ImageErrors()
    metric.update(filled, sample.arrays["target"], 1 - sample.arrays["gaps"])
    found = metric.compute()
    row = (found.pearson, found.root_mean_square_error, time.perf_counter() - started)
    scores.setdefault(name, []).append(row)
    print(name, *(f"{value:.4f}" for value in row), flush=True)


def table(scores):
    """Means over the seeds, as Markdown."""
    lines = ["| settings | correlation | error | seconds |", "|---|---:|---:|---:|"]
    for name, rows in scores.items():
        pearson, error, seconds = np.mean(rows, axis=0)
        lines.append(f"| {name} | {pearson:.4f} | {error:.4f} | {seconds:.0f} |")
    return "\n".join(lines)


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("settings", nargs="+", help='sets, e.g. "" loss=l2')
    parser.add_argument("--seeds", nargs="+", type=int, default=[21, 22])
    parser.add_argument("--shape", nargs=3, type=int, default=[12, 256, 256])
    parser.add_argument("--epochs", type=int, help="of each network; else the default")
    parser.add_argument("--minutes", type=float, help="of training, at most")
    return parser.parse_args()


if __name__ == "__main__":
    main()

"""Noise taken away in three ways, against the image without noise.

    python benchmarks/restoring.py [--seeds 3] [--epochs 30]

One network of each kind learns from the noisy volume of the sample ``noisy`` alone: by
hidden voxels, or by patches that are made again from few numbers (autoencoder, vae).
The last lines are means over seeds as Markdown; the first row is the noisy volume.
"""

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np

import napari_sashiko as ns
from napari_sashiko.metrics import ImageErrors
from napari_sashiko.pipeline import SAMPLES, as_volume, open_restored

RESULTS = Path(__file__).parent / "results" / "restoring.jsonl"
SHAPE = (32, 128, 128)
MEASURES = ("psnr", "pearson")
WAYS = {
    "hidden voxels (`auto`)": {},
    "`autoencoder`, 16 numbers of 32 x 32 voxels": {"network": "autoencoder"},
    "`vae`, 16 numbers of 32 x 32 voxels": {"network": "vae"},
    "`autoencoder`, 32 numbers of 16 x 16 voxels": {
        "network": "autoencoder",
        "network_settings": {"edge": 16, "latent": 32},
    },
    "`vae`, 32 numbers of 16 x 16 voxels": {
        "network": "vae",
        "network_settings": {"edge": 16, "latent": 32},
    },
}


def main():
    """Restore each seed's volume in each way, and print the means."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=30)
    options = parser.parse_args()
    found, done = {"as it is": []}, records()
    for seed in range(options.seeds):
        sample = SAMPLES["noisy"](seed=seed, shape=SHAPE)
        image, clean = sample.arrays["image"], sample.arrays["target"]
        found["as it is"].append(compared(image, clean))
        for way, settings in WAYS.items():
            run = (seed, options.epochs, way)
            if run not in done:
                made = restored(image, seed, epochs=options.epochs, **settings)
                done[run] = compared(made, clean)
                note(run, done[run])
            found.setdefault(way, []).append(done[run])
    print(table(found))


def records():
    """What was measured; it is not measured again."""
    lines = RESULTS.read_text("utf-8").splitlines() if RESULTS.exists() else []
    return {
        (each["seed"], each["epochs"], each["way"]): each
        for each in map(json.loads, lines)
    }


def note(run, scores):
    """Keep the scores of a run."""
    record = dict(zip(("seed", "epochs", "way"), run, strict=True)) | scores
    with RESULTS.open("a", encoding="utf-8") as file:
        file.write(json.dumps(record) + "\n")
    print(*run, scores, flush=True)


def restored(image, seed, **settings):
    """Return the volume as networks make it that have seen nothing else."""
    volume = as_volume(image, name="noisy")
    with tempfile.TemporaryDirectory() as folder:
        model, out = Path(folder) / "m.sashiko-model", Path(folder) / "m.zarr"
        ns.restore(volume, model, minutes=None, members=1, seed=seed, **settings)
        ns.predict(model, volume, out)
        return np.asarray(open_restored(out).mean[0])


def compared(image, clean):
    """Return scores of an image against the one without noise."""
    errors = ImageErrors(data_range=float(np.ptp(clean)))
    errors.update(image, clean)
    scores = errors.compute()
    return {name: float(getattr(scores, name)) for name in MEASURES}


def table(found):
    """Means over seeds, as Markdown."""
    lines = ["| | PSNR, dB | correlation |", "|---|---:|---:|"]
    for way, runs in found.items():
        psnr, pearson = (np.mean([run[name] for run in runs]) for name in MEASURES)
        lines.append(f"| {way} | {psnr:.1f} | {pearson:.3f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()

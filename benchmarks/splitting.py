"""How well touching nuclei are told apart, how long it takes, and a picture of it.

    python benchmarks/splitting.py accuracy
    python benchmarks/splitting.py speed             # 256^3 voxels, each way on its own
    python benchmarks/splitting.py picture           # docs/images/split.png
    python benchmarks/splitting.py run PREDICTION WAY   # one way, as `speed` starts it

Nuclei and predictions are those of the tests of instances.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import zarr

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests" / "instances"))

from instances_crowds import contacts, crowd, f1_score, seen  # noqa: E402
from instances_predictions import write_prediction  # noqa: E402

from napari_sashiko.instances import InstanceSettings, segment_instances  # noqa: E402

WAYS = {
    "no": {},
    "no, boundary painted": {},
    "distance": {"split": "distance"},
    "boundary": {"split": "boundary", "boundary_class": "gap"},
}
CROWDS = {
    "radius 6.5 to 9.5": {"radii": (6.5, 9.5)},
    "radius 3.5 to 5.5": {"radii": (3.5, 5.5)},
    "planes twice as far": {"spacing": (2.0, 1.0, 1.0)},
}
SHAPE = (48, 128, 128)
SEEDS = (0, 1, 2)


def main():
    """Do what is asked."""
    what, *rest = sys.argv[1:] or ["accuracy"]
    {"accuracy": accuracy, "speed": speed, "picture": picture, "run": run}[what](*rest)


def accuracy():
    """Print F1 at IoU 0.5 for clean and for noisy predictions."""
    for name, options in CROWDS.items():
        for noise in (0.0, 0.1, 0.2):
            scores = {way: [] for way in WAYS}
            for seed in SEEDS:
                truth = crowd(seed, SHAPE, **options)
                for way, labels in found(truth, noise, seed, options).items():
                    scores[way].append(f1_score(labels, truth))
            means = {way: f"{np.mean(each):.2f}" for way, each in scores.items()}
            print(name, f"noise {noise}", means)


def found(truth, noise, seed, options):
    """Labels by each way, of a prediction with a boundary class where one is used."""
    rng = np.random.default_rng(seed)
    voxel = options.get("spacing", (1.0, 1.0, 1.0))
    body = seen(rng, truth > 0, noise)
    line = 0.6 * seen(rng, contacts(truth), noise)
    labels = {}
    with tempfile.TemporaryDirectory() as folder:
        for way in WAYS:
            painted = "boundary" in way
            mean = body * (1 - line) if painted else body
            path = write_prediction(
                Path(folder) / f"{way}.zarr",
                mean,
                boundary=body * line if painted else None,
                voxel_size=voxel,
                chunks=(32, 64, 64),
            )
            labels[way] = search(path, way)
    return labels


def search(path, way):
    """Find the objects of a prediction."""
    out = path.with_name("labels.zarr")
    settings = InstanceSettings(label_class=2, dust="20", **WAYS[way])
    for _ in segment_instances(path, out, settings, path.with_name("table.csv")):
        pass
    return zarr.open_array(str(out / "labels" / "0"), mode="r")[...]


def speed():
    """Print seconds and the most memory of each way, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        part = crowd(0, (128, 128, 128)) > 0
        mean = np.tile(part, (2, 2, 2)).astype(np.float32)
        path = write_prediction(
            Path(folder) / "p.zarr",
            0.9 * mean,
            boundary=np.full_like(mean, 0.05),
            chunks=(64, 64, 64),
        )
        for way in ("nothing", "no", "distance", "boundary"):
            words = [sys.executable, __file__, "run", str(path), way]
            done = subprocess.run(words, check=True, capture_output=True, text=True)
            print(way, done.stdout.strip())


def run(path, way):
    """Search once, and say how long it took and how much memory there was at most."""
    begin = time.perf_counter()
    count = 0 if way == "nothing" else int(search(Path(path), way).max())
    seconds = time.perf_counter() - begin
    # Of this process alone: ru_maxrss begins with what the one before had.
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    most = int(status.split("VmHWM:")[1].split()[0]) // 1024
    print(json.dumps({"objects": count, "s": round(seconds, 1), "MiB": most}))


def picture():
    """Draw one slice: prediction, connected, by shape."""
    from matplotlib.colors import ListedColormap  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    truth = crowd(3, SHAPE)
    labels = found(truth, 0.1, 3, {})
    colors = np.random.default_rng(1).uniform(0.25, 1, (int(truth.max()) + 50, 3))
    colors[0] = 0.08
    panels = {
        "connected": labels["no"],
        "split by shape": labels["distance"],
        "truth": truth,
    }
    figure = Figure(figsize=(9, 3.3), layout="constrained")
    for axes, (title, each) in zip(
        figure.subplots(1, len(panels)), panels.items(), strict=True
    ):
        axes.imshow(
            each[SHAPE[0] // 2],
            cmap=ListedColormap(colors),
            interpolation="nearest",
            vmin=0,
            vmax=len(colors),
        )
        axes.set_title(title)
        axes.set_axis_off()
    figure.savefig(ROOT / "docs" / "images" / "split.png", dpi=80)


if __name__ == "__main__":
    main()

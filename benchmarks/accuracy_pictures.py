"""The pictures of docs/explanation/strokes.md, from figures and from fresh trainings.

python benchmarks/accuracy_pictures.py          # needs what accuracy.py noted
python benchmarks/accuracy_pictures.py examples # trains on three volumes again
"""

import json
import sys
from collections import defaultdict
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from accuracy import RESULTS
from contenders import forest, ours
from strokes import strokes
from tasks import tasks

IMAGES = Path(__file__).parents[1] / "docs" / "images"
EXAMPLES = {
    "nuclei": "brightness tells",
    "organelles": "only a wide view tells",
    "plies": "only direction tells",
}
VOLUME, SEED, COUNT = 101, 1, 4
BUDGET = 30  # seconds of training in the picture of leads
COLOURS = np.array([(214, 69, 65), (38, 139, 210), (133, 153, 0), (203, 120, 40)]) / 255


def main():
    """Draw what is asked, or both."""
    asked = sys.argv[1:] or ["leads", "examples"]
    for each in asked:
        {"leads": leads, "examples": examples}[each]()


def _either(counts):
    *first, last = map(str, counts)
    return f"{', '.join(first)} or {last}" if first else last


def leads():
    """Macro F1 of ours over that of the forest, a mark for each volume and paint."""
    found = defaultdict(dict)
    for line in RESULTS.read_text(encoding="utf-8").splitlines():
        each = json.loads(line)
        run = each["run"]
        if run["method"] == "forest" or run["budget"] == BUDGET:
            key = run["task"], run["strokes"]
            found[key][run["method"]] = each["macro_f1"]
    pairs = {
        key: (each["forest"], each["ours"])
        for key, each in found.items()
        if {"forest", "ours"} <= each.keys()
    }
    names = sorted(
        {task for task, _ in pairs},
        key=lambda task: -max(b - a for (t, _), (a, b) in pairs.items() if t == task),
    )
    counts = sorted({count for _, count in pairs})
    figure, axes = plt.subplots(figsize=(7, 0.32 * len(names) + 1.2))
    for place, count in enumerate(counts):
        for row, name in enumerate(names):
            if (name, count) not in pairs:
                continue
            a, b = pairs[name, count]
            y = row + (place - (len(counts) - 1) / 2) * 0.26
            axes.plot([a, b], [y, y], color="#bbbbbb", zorder=1)
            axes.scatter(a, y, 22, color="#999999", marker="s", zorder=2)
            axes.scatter(b, y, 14 + 6 * count, color=COLOURS[1], zorder=3)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set_xlabel(
        "macro F1 on all voxels without paint\n"
        "squares: random forest of today's tools; dots: ours\n"
        f"{_either(counts)} strokes a class"
        f"{', larger dots for more' if len(counts) > 1 else ''}"
    )
    axes.grid(axis="x", alpha=0.3)
    _save(figure, "strokes-leads.png")


def examples():
    """Image and paint, truth, forest, ours, and where ours is unsure."""
    titles = ("image and paint", "truth", "forest alone", "ours", "ours, std")
    figure, axes = plt.subplots(
        len(EXAMPLES), len(titles), figsize=(11, 2.4 * len(EXAMPLES))
    )
    scenes = {task.name: task for task in tasks(None, VOLUME)}
    for row, (name, why) in enumerate(EXAMPLES.items()):
        scene = scenes[name].load()
        paint = strokes(scene.truth, slices=2, per_class=COUNT // 2, seed=SEED)
        z = int(np.flatnonzero((paint > 0).any(axis=(1, 2)))[0])
        rival = forest(scene, paint, 0, SEED).probabilities[:, z]
        mine = ours(scene, paint, 120, SEED)
        planes = (
            _painted(scene.image[z], paint[z]),
            COLOURS[scene.truth[z]],
            COLOURS[rival.argmax(0)],
            COLOURS[mine.probabilities[:, z].argmax(0)],
            mine.spread[z],
        )
        for axis, plane, title in zip(axes[row], planes, titles, strict=True):
            axis.imshow(plane, cmap="magma", vmin=0, vmax=0.4)
            axis.set_xticks([])
            axis.set_yticks([])
            if row == 0:
                axis.set_title(title, fontsize=10)
        axes[row, 0].set_ylabel(f"{name}:\n{why}", fontsize=8)
    _save(figure, "strokes-examples.png")


def _painted(plane, paint):
    low, high = np.percentile(plane, (1, 99))
    grey = np.clip((plane - low) / (high - low), 0, 1)
    out = np.repeat(grey[..., None], 3, axis=2)
    out[paint > 0] = COLOURS[paint[paint > 0] - 1]
    return out


def _save(figure, name):
    figure.tight_layout()
    figure.savefig(IMAGES / name, dpi=90)
    plt.close(figure)
    print(IMAGES / name)


if __name__ == "__main__":
    main()

"""The page of accuracy figures, from what `accuracy.py` noted."""

from collections import defaultdict

import numpy as np

HEAD = """# Accuracy from a few strokes

Written by `benchmarks/accuracy.py`, which paints simulated strokes of each class on two
slices of a volume (a single one on one slice), lets everybody learn from the same
strokes, and scores every voxel without paint.

```bash
python benchmarks/accuracy.py                 # the generated volumes
python benchmarks/accuracy.py --data FOLDER   # NAME.npz with image and labels too
```

- **ours**: napari-sashiko with its defaults, given 30 or 120 seconds for training.
- **forest**: scikit-image's multiscale features under 100 trees of scikit-learn, what
  users have today. It takes the time it needs, a few seconds.
- **smsnets**: the published recipe, five SMSNets of dlsia on windows of qlty, in the
  same time as ours.
- **tunet**: a plain TUNet of dlsia, without augmentation, in the same time.

Volumes marked * took part in choosing a default, generated ones by their kind (on other
volumes): they show where things stand, and claim nothing about other volumes. Claims
rest on the others, kinds of generated volumes that nothing was ever chosen on.

Each cell is one run; two runs of the same differ by about 0.002 to 0.01. The rows of
ours are of one state of the program, taken before everything else on the machine, two
processor cores. Training of 120 s ends after about 75, when all epochs are done.
"""
ORIGINS = """## Where the volumes come from

Generated ones are made with their exact truth by `benchmarks/phantoms.py` and
`benchmarks/unseen.py`. Five are real, all under the MIT licence. "Derived" truth was
made from the image as it was published, by smoothing and a threshold, and checked by
eye; what is segmented is then a worse image: blurred, with noise and cupping added
(`image_degraded` in the file).

- **ct_cement_pores**: X-ray CT, `cement_128x128x128.tif` of qim3d 1.5.3 (PyPI).
  Derived truth.
- **ct_trabecular_bone**: micro-CT, `test_data/LHDL/3155_D_4_bc/cropped` of
  gianthk/ciclope. Derived truth, by the recipe of its README.
- **embryo_nuclei_16cell**: mouse embryo, `16_cell_stage.tif` of funalab/QCANet, slices
  2.18 times as far apart as pixels. Truth by experts.
- **nasa_superalloy**: 23 micrographs, no volume: Super1 to Super4 of
  nasa/pretrained-microscopy-models. Truth by experts.
- **plantseg_1135_mini**: nuclei, confocal, `tests/resources/data/train/1135_mini.h5` of
  kreshuklab/plant-seg. Truth by hand.
"""
OBJECTS = """## Objects

Where the truth knows objects: F1 of those found, at an overlap (IoU) of more than one
half. Objects that carry paint are scored too: a stroke does not tell how far its object
reaches. Whatever has fewer than 20 voxels is dropped, by all; such objects of the truth
are missed. The truth of ct_cement_pores was itself cut by a watershed on distance.

### Connected

Ours by `segment_instances` with its defaults, all others by scikit-image's `label`.
"""
SPLIT = """### Split by shape

Ours with `split="distance"` and nothing else set. All others by the watershed on
distance of scikit-image's gallery, told the voxel size: first as it stands there,
then with peaks at least 5 voxels apart, and also at the border of the volume.
"""
METHODS = ("ours", "forest", "smsnets", "tunet")
MEASURES = {
    "macro_f1": "macro F1",
    "dice": "foreground Dice",
    "brier": "Brier score",
    "ece": "calibration error",
    "auroc": "spread against error, area under the curve",
    "ratio": "errors, most uncertain tenth / most certain half (median)",
}


def page(records):
    """Markdown: macro F1 of every task, objects, the means of all measures."""
    cells = defaultdict(list)
    marks = {}
    for each in records:
        run = each["run"]
        column = (run["method"], run["budget"])
        cells[run["task"], run["seed"], run["strokes"], column] = each
        marks[run["task"]] = "*" if each["chosen"] else ""
    columns = sorted(
        {key[3] for key in cells},
        key=lambda column: (METHODS.index(column[0]), -column[1]),
    )
    parts = [
        HEAD,
        "## Macro F1\n",
        _table(cells, marks, columns, "macro_f1"),
        *_objects(cells, marks, columns),
        "## All measures\n",
        "Means over the runs that all columns of a table have.\n",
        *_means_by_strokes(cells, columns),
        "## Ahead of the forest\n",
        "\n".join(_leads(cells, marks, columns)) + "\n",
        ORIGINS,
        "## Machines\n",
        "\n".join(
            sorted({f"- {each['machine']}, {each['date']}." for each in records})
        ),
    ]
    return "\n".join(parts) + "\n"


def _objects(cells, marks, columns):
    """Tables of the tasks that have objects; nothing if none has."""
    known = {key: each for key, each in cells.items() if "f1_components" in each}
    if known:
        yield OBJECTS
        yield _table(known, marks, columns, "f1_components")
        yield SPLIT
        yield _table(known, marks, columns, "f1_split", "f1_split_spaced")


def _table(cells, marks, columns, *measures):
    """A row for each task and set of strokes; values of several measures in a cell."""
    lines = [
        "| volume | strokes a class | " + " | ".join(map(_name, columns)) + " |",
        "|---|---:|" + "---:|" * len(columns),
    ]
    for task, seed, count in sorted({key[:3] for key in cells}):
        found = [cells.get((task, seed, count, column), {}) for column in columns]
        words = [
            ", ".join(f"{each[key]:.3f}" for key in measures if key in each)
            for each in found
        ]
        lines.append(f"| {task}{marks[task]} | {count} | {' | '.join(words)} |")
    return "\n".join(lines) + "\n"


def _means_by_strokes(cells, columns):
    """Tables for each number of strokes, the most first; then for all together."""
    counts = sorted({key[2] for key in cells}, reverse=True)
    if len(counts) == 1:
        yield from _means_by_coverage(cells, columns)
        return
    for count in counts:
        some = {key: each for key, each in cells.items() if key[2] == count}
        yield f"### {count} stroke{'s' * (count > 1)} a class\n"
        yield from _means_by_coverage(some, columns)
    yield "### All\n"
    yield next(_means_by_coverage(cells, columns), "")


def _means_by_coverage(cells, columns):
    """A table of who ran on most, then of all others that ran on fewer, too."""
    runs = {column: sum(key[3] == column for key in cells) for column in columns}
    for fewest in sorted({count for count in runs.values() if count}, reverse=True):
        yield _means(cells, [each for each in columns if runs[each] >= fewest])


def _means(cells, columns):
    rows = {key[:3] for key in cells}
    whole = [row for row in rows if all((*row, column) in cells for column in columns)]
    lines = [
        f"{len(whole)} runs that all of these have:\n",
        "| measure | " + " | ".join(map(_name, columns)) + " |",
        "|---|" + "---:|" * len(columns),
    ]
    for key, words in MEASURES.items():
        found = []
        for column in columns:
            values = [cells[(*row, column)].get(key) for row in whole]
            values = [v for v in values if v is not None and np.isfinite(v)]
            middle = np.median if key == "ratio" else np.mean  # some divide by nothing
            found.append(f"{middle(values):.3f}" if values else "")
        lines.append(f"| {words} | {' | '.join(found)} |")
    return "\n".join(lines) + "\n"


def _leads(cells, marks, columns):
    """Mean and worst lead over the forest, for each budget of ours."""
    for method, budget in columns:
        if method != "ours":
            continue
        for name, wanted in (("all volumes", ("*", "")), ("volumes without *", ("",))):
            leads = defaultdict(list)
            for task, seed, count, column in cells:
                rival = cells.get((task, seed, count, ("forest", 0)))
                if column == (method, budget) and rival and marks[task] in wanted:
                    mine = cells[task, seed, count, column]
                    leads[task].append(mine["macro_f1"] - rival["macro_f1"])
            if not leads:
                continue
            means = {task: float(np.mean(values)) for task, values in leads.items()}
            worst = min(means, key=means.__getitem__)
            mean = np.mean(list(means.values()))
            behind = [task for task, lead in means.items() if lead < 0]
            yield (
                f"- {budget} s, {name} ({len(means)}): {mean:+.3f} "
                f"on average; least on {worst} ({means[worst]:+.3f}); behind on "
                f"{len(behind)}."
            )


def _name(column):
    method, budget = column
    return f"{method}, {budget} s" if budget else method

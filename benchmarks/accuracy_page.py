"""The page of accuracy figures, from what `accuracy.py` noted."""

from collections import defaultdict

import numpy as np

HEAD = """# Accuracy from a few strokes

Written by `benchmarks/accuracy.py`, which paints simulated strokes of each class on two
slices of a volume, lets everybody learn from the same strokes, and scores every voxel
without paint.

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

Volumes marked * are generated, of a kind on which defaults were chosen (though other
volumes): they show where things stand, and claim nothing about other volumes.
"""
METHODS = ("ours", "forest", "smsnets", "tunet")
MEASURES = {
    "macro_f1": "macro F1",
    "dice": "foreground Dice",
    "brier": "Brier score",
    "ece": "calibration error",
    "auroc": "spread against error, area under the curve",
    "ratio": "errors, most uncertain tenth / most certain half",
}


def page(records):
    """Markdown: macro F1 of every task, then the means of all measures."""
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
        _table(cells, marks, columns),
        "## All measures\n",
        "Means over the runs that all columns have.\n",
        _means(cells, columns),
        "## Ahead of the forest\n",
        "\n".join(_leads(cells, marks, columns)),
        "## Machines\n",
        "\n".join(
            sorted({f"- {each['machine']}, {each['date']}." for each in records})
        ),
    ]
    return "\n".join(parts) + "\n"


def _table(cells, marks, columns):
    lines = [
        "| volume | strokes a class | " + " | ".join(map(_name, columns)) + " |",
        "|---|---:|" + "---:|" * len(columns),
    ]
    for task, seed, count in sorted({key[:3] for key in cells}):
        values = [
            cells.get((task, seed, count, column), {}).get("macro_f1")
            for column in columns
        ]
        words = ["" if value is None else f"{value:.3f}" for value in values]
        lines.append(f"| {task}{marks[task]} | {count} | {' | '.join(words)} |")
    return "\n".join(lines) + "\n"


def _means(cells, columns):
    rows = {key[:3] for key in cells}
    whole = [row for row in rows if all((*row, column) in cells for column in columns)]
    lines = [
        "| measure | " + " | ".join(map(_name, columns)) + " |",
        "|---|" + "---:|" * len(columns),
    ]
    for key, words in MEASURES.items():
        found = []
        for column in columns:
            values = [cells[(*row, column)].get(key) for row in whole]
            values = [v for v in values if v is not None and np.isfinite(v)]
            found.append(f"{np.mean(values):.3f}" if values else "")
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

"""Settings against each other, on the strokes of `accuracy.py`, to see what pays.

    python benchmarks/trial.py "" neighbours=0 neighbours=4 --epochs 6 --data FOLDER
    python benchmarks/trial.py "" network=smsnet network=msdnet --minutes 0.5
    python benchmarks/trial.py "" network_settings.depth=2 --only pores --strokes 4
    python benchmarks/trial.py "" +flips +spilled,+trimmed --minutes 0.5

Each argument is a set of settings, "" the defaults; +NAME is one of `ideas.py`. All
train for as many epochs, so that a busy machine changes nothing; or for as many
minutes, on a quiet one, where what is compared differs in speed. What is finished is
noted in ``benchmarks/results/trials.jsonl`` and not run again; the end is a table of
means, and of differences to the first set.
"""

import argparse
import json
import re
import tempfile
import time
from pathlib import Path

import numpy as np
from accuracy import CASES, SLICES
from ideas import IDEAS, Trial
from scores import scores
from strokes import strokes
from tasks import trials

SEEDS = {count: seed for seed, count in CASES}
RESULTS = Path(__file__).parent / "results" / "trials.jsonl"
MEASURES = ("macro_f1", "brier", "ece", "auroc")


def main():
    args = arguments()
    done = {json.dumps(each["run"]): each for each in records()}
    rows = []
    for task in trials(args.data, args.volume):
        if args.only and task.name not in args.only:
            continue
        scene = None
        for count in args.strokes:
            row = []
            for words in args.settings:
                run = run_key(task, args, count, words)
                if json.dumps(run) not in done:
                    scene = scene or task.load()
                    done[json.dumps(run)] = measure(scene, run)
                row.append(done[json.dumps(run)])
            rows.append(row)
    print(table(args.settings, rows))


def run_key(task, args, count, words):
    """Everything that decides a result."""
    return {
        "task": task.name,
        "volume": args.volume,
        "seed": SEEDS.get(count, 0),
        "strokes": count,
        "slices": min(args.slices, count),
        "settings": words,
        "epochs": args.epochs,
        "minutes": args.minutes,
    }


def measure(scene, run):
    """Train with some settings changed, predict, score, and note it."""
    slices = run["slices"]
    each = run["strokes"] // slices
    paint = strokes(scene.truth, slices=slices, per_class=each, seed=run["seed"])
    wanted, names = settings(run["settings"])
    wanted |= {"minutes": run["minutes"], "seed": run["seed"]}
    if run["epochs"]:
        wanted["epochs"] = run["epochs"]
    with tempfile.TemporaryDirectory() as folder:
        trial = Trial(run["task"], scene, paint, wanted, Path(folder))
        for name in names:
            IDEAS[name](trial)
        started = time.perf_counter()
        model = trial.learn("model")
        trained = time.perf_counter() - started
        mean, std = trial.predict(model)
    spread = np.take_along_axis(std, mean.argmax(0)[None], 0)[0]
    record = {
        "run": run,
        **scores(mean, spread, scene.truth, paint),
        "train": round(trained, 1),
    }
    RESULTS.parent.mkdir(exist_ok=True)
    with RESULTS.open("a", encoding="utf-8") as file:
        file.write(json.dumps(record) + "\n")
    named = " ".join(f"{name} {record[name]:.3f}" for name in MEASURES)
    print(run["task"], run["strokes"], run["settings"] or "defaults", named, flush=True)
    return record


def table(sets, rows):
    """Means of each set of settings, and the differences to the first, as Markdown."""
    lines = [
        "| settings | macro F1 | difference (better / worse) | Brier | ECE | AUROC |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for place, words in enumerate(sets):
        means = [np.mean([row[place][name] for row in rows]) for name in MEASURES]
        gains = [row[place]["macro_f1"] - row[0]["macro_f1"] for row in rows]
        better, worse = (
            sum(g > 0.005 for g in each) for each in (gains, np.negative(gains))
        )
        lines.append(
            f"| {words or 'defaults'} | {means[0]:.3f} | {np.mean(gains):+.3f} "
            f"({better} / {worse}) | "
            + " | ".join(f"{mean:.3f}" for mean in means[1:])
            + " |"
        )
    return "\n".join([*lines, "", f"{len(rows)} runs each."])


def settings(words):
    """Read ``name=value,group.name=[1,2],+idea``; values are JSON, or else words."""
    found, ideas = {}, []
    for part in re.split(r",(?![^\[]*\])", words) if words else ():
        if part.startswith("+"):
            ideas.append(part[1:])
            continue
        name, value = part.split("=", 1)
        *group, name = name.split(".")
        target = found.setdefault(group[0], {}) if group else found
        target[name] = _value(value)
    return found, ideas


def _value(text):
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def records():
    """Everything that was noted."""
    if not RESULTS.exists():
        return []
    return [json.loads(line) for line in RESULTS.read_text("utf-8").splitlines()]


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("settings", nargs="+", help="sets, e.g. neighbours=0,patch=32")
    parser.add_argument("--data", type=Path, help="folder of NAME.npz")
    parser.add_argument("--only", nargs="+", help="names of volumes")
    parser.add_argument("--strokes", nargs="+", type=int, default=[8, 4, 2])
    parser.add_argument("--slices", type=int, default=SLICES, help="with strokes")
    parser.add_argument("--epochs", type=int, help="of each network; else the default")
    parser.add_argument("--minutes", type=float, help="of training; else no limit")
    parser.add_argument("--volume", type=int, default=0, help="seed of generated ones")
    return parser.parse_args()


if __name__ == "__main__":
    main()

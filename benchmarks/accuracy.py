"""Accuracy from a few strokes, beside what users have today and what is published.

For every volume and set of simulated strokes, napari-sashiko with its defaults
untouched, a random forest on filter features, and the published recipe learn from the
same paint, and are scored on every voxel without paint; where the truth knows objects,
also on these.

    python benchmarks/accuracy.py --data FOLDER          # also real volumes: NAME.npz
    python benchmarks/accuracy.py --only plies --methods ours forest

What is finished is noted in ``benchmarks/results/accuracy.jsonl``; the same command
goes on where it stopped, and ends by writing ``docs/benchmarks/accuracy.md``.
"""

import argparse
import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from accuracy_page import page
from contenders import CONTENDERS, TIMELESS
from objects import object_scores, of_probabilities
from scores import scores
from speed.paired import machine
from strokes import strokes
from tasks import GENERATED, tasks

RESULTS = Path(__file__).parent / "results" / "accuracy.jsonl"
PAGE = Path(__file__).parents[1] / "docs" / "benchmarks" / "accuracy.md"
CASES = ((0, 8), (1, 4), (2, 2), (3, 1))  # seed, strokes of each class
SLICES = 2  # that the strokes are spread over
BUDGETS = (120, 30)  # seconds of training


@dataclass(frozen=True)
class Run:
    """One answer of one contender, by which its result is found again."""

    task: str
    volume: int  # seed of a generated volume
    seed: int
    strokes: int
    method: str
    budget: int


def main():
    args = arguments()
    done = {Run(**each["run"]) for each in records()}
    for task in tasks(args.data, args.volume):
        if args.only and task.name not in args.only:
            continue
        wanted = [run for run in runs(task, args) if run not in done]
        if not wanted:
            continue
        scene = task.load()
        for run in wanted:
            measure(task, scene, run)
    PAGE.write_text(page(records()), encoding="utf-8")


def runs(task, args):
    """All runs of a task, the shortest last."""
    for seed, count in CASES[: args.cases]:
        for method in args.methods:
            budgets = args.budgets if method not in TIMELESS else [0]
            for budget in budgets:
                yield Run(task.name, args.volume, seed, count, method, budget)


def measure(task, scene, run):
    """Paint, train, predict, score, and note it."""
    slices = min(SLICES, run.strokes)
    paint = strokes(
        scene.truth, slices=slices, per_class=run.strokes // slices, seed=run.seed
    )
    answer = CONTENDERS[run.method](scene, paint, run.budget, run.seed)
    found = scores(answer.probabilities, answer.spread, scene.truth, paint)
    if scene.instances is not None:
        objects = answer.objects or of_probabilities(
            answer.probabilities, scene.spacing
        )
        found |= object_scores(objects, scene.instances)
    record = {
        "run": asdict(run),
        "chosen": task.chosen,
        **found,
        "train": round(answer.train, 1),
        "predict": round(answer.predict, 1),
        "machine": machine(),
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
    }
    RESULTS.parent.mkdir(exist_ok=True)
    with RESULTS.open("a", encoding="utf-8") as file:
        file.write(json.dumps(record) + "\n")
    words = " ".join(f"{key} {value}" for key, value in found.items())
    print(
        f"{run.task} {run.strokes} strokes {run.method} {run.budget} s: {words} "
        f"({answer.train:.0f} + {answer.predict:.0f} s)",
        flush=True,
    )


def records():
    """Everything that was noted, oldest first; of the same run the newest counts."""
    if not RESULTS.exists():
        return []
    lines = RESULTS.read_text("utf-8").splitlines()
    newest = {}
    for each in map(json.loads, lines):
        newest[tuple(each["run"].values())] = each
    return list(newest.values())


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="folder of NAME.npz")
    parser.add_argument("--only", nargs="+", help="names of volumes")
    parser.add_argument(
        "--methods", nargs="+", default=list(CONTENDERS), choices=list(CONTENDERS)
    )
    parser.add_argument("--cases", type=int, default=len(CASES), help="sets of strokes")
    parser.add_argument(
        "--budgets", nargs="+", type=int, default=list(BUDGETS), help="seconds"
    )
    parser.add_argument(
        "--volume", type=int, default=GENERATED, help="seed of generated volumes"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()

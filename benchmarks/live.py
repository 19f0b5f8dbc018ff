"""How long one waits while training follows the brush: seconds to previews.

    python benchmarks/live.py              # three runs, medians
    python benchmarks/live.py --runs 1

Without a window, but by everything the dock uses: simulated strokes are written into
the label store as the brush does; the slice in view is asked for whenever the model was
saved. Once training is on before anything is painted; once *Train* is pressed when a
slice has strokes; once a whole slice of 2.25 million voxels is filled. Writes
``docs/benchmarks/live.md``.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np
from speed.paired import machine
from strokes import strokes

from napari_sashiko.samples import load_sample
from napari_sashiko.session import Session
from napari_sashiko.volumes import as_volume

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks" / "live.md"
LONGEST = 300.0  # seconds until a run is given up
ROWS = {
    "forest": "first strokes to first preview (forest)",
    "networks": "first strokes to first preview with networks",
    "taken": "later stroke until networks learn from it",
    "followed": "later stroke until the preview has learned from it",
    "moved": "another slice until its preview",
    "rest": "first strokes until all is learned",
    "pressed": "*Train* after painting to first preview (forest)",
    "pressed_networks": "*Train* after painting to first preview with networks",
    "filled": "2.25 million voxels filled until networks learn from them",
    "filled_saved": "2.25 million voxels filled until a model has learned from them",
}
# Slices of 1500 x 1500: so many parts of the sample of this edge, side by side.
DEPTH, TILES, EDGE = 6, 15, 100


def main():
    args = arguments()
    ways = (Watch.follow, Watch.press, Watch.fill)
    found = []
    for seed in range(args.runs):
        found.append({})
        for way in ways:
            found[-1] |= run(way, seed)
    seconds = {name: median(each[name] for each in found) for name in ROWS}
    for name, text in ROWS.items():
        print(f"{text}: {seconds[name]:.1f} s", flush=True)
    PAGE.write_text(page(seconds, found), encoding="utf-8")


def run(way, seed):
    """Paint, wait, look; seconds by name."""
    with tempfile.TemporaryDirectory() as home:
        os.environ["SASHIKO_HOME"] = home
        watch = Watch(seed, large=way is Watch.fill)
        try:
            return way(watch)
        finally:
            watch.session.shutdown()


class Watch:
    """A session at work, and when what was seen."""

    def __init__(self, seed, *, large=False):
        sample = load_sample("fibres")
        image, truth = np.asarray(sample.image), np.asarray(sample.truth)
        if large:
            image, truth = (tiled(each) for each in (image, truth))
        self.truth = truth - 1
        self.paint = strokes(self.truth, slices=2, per_class=3, seed=seed)
        self.slices = np.flatnonzero(self.paint.any(axis=(1, 2)))
        self.session = Session()
        volume = as_volume(image, name=f"fibres {seed}")
        self.shape = volume.shape
        self.session.set_volume(volume, name=volume.name)
        self.store = self.session.labels.start()
        classes = self.session.engine.default_classes(int(self.truth.max()) + 1)
        self.session.labels.set_classes(classes)
        self.session.event.connect(self._on_event)
        self.session.previews.changed.connect(self._on_preview)
        self.model = None
        self.events, self.previews = [], []

    def follow(self):
        session = self.session
        session.steps.train(session.engine.TrainingSettings(), stay=True)
        self.wait(lambda: self.seen("TrainingWaits"))
        first, second = self.slices[:2]
        self.z = int(first)
        began = self.brush(first)
        at = {}
        self.wait(lambda: self.previews)
        at["forest"] = self.previews[0][0] - began
        self.wait(lambda: self.previews[-1][2] > 1)
        at["networks"] = self.previews[-1][0] - began
        mark = time.perf_counter()
        self.z = int(second)
        self.look()
        self.wait(lambda: self.previews[-1][1] == self.z)
        at["moved"] = self.previews[-1][0] - mark
        later = self.brush(second)
        self.wait(lambda: self.seen("PaintTaken", later))
        at["taken"] = self.seen("PaintTaken", later) - later
        saved = self.wait(
            lambda: self.seen("MemberSaved", self.seen("PaintTaken", later))
        )
        self.wait(lambda: self.previews[-1][0] > saved)
        at["followed"] = self.previews[-1][0] - later
        self.wait(lambda: self.seen("TrainingRested", later))
        at["rest"] = self.seen("TrainingRested", later) - began
        return at

    def press(self):
        session = self.session
        self.z = int(self.slices[0])
        self.brush(self.z)
        began = time.perf_counter()
        session.steps.train(session.engine.TrainingSettings(), stay=True)
        at = {}
        self.wait(lambda: self.previews)
        at["pressed"] = self.previews[0][0] - began
        self.wait(lambda: self.previews[-1][2] > 1)
        at["pressed_networks"] = self.previews[-1][0] - began
        return at

    def fill(self):
        session = self.session
        self.z = int(self.slices[0])
        self.brush(self.z)
        session.steps.train(session.engine.TrainingSettings(), stay=True)
        self.wait(lambda: self.previews and self.previews[-1][2] > 1)
        z = int(self.slices[1])
        self.store.array[z] = (self.truth[z] + 1).astype(np.uint8)
        filled = time.perf_counter()
        taken = self.wait(lambda: self.seen("PaintTaken", filled))
        saved = self.wait(lambda: self.seen("MemberSaved", taken))
        return {"filled": taken - filled, "filled_saved": saved - filled}

    def brush(self, z):
        """Write the strokes of a slice as a brush does, dab by dab; when that ended."""
        part = self.paint[z]
        for value in np.unique(part[part > 0]):
            where = np.argwhere(part == value)
            for dab in np.array_split(where, 20):
                self.store.array[(np.full(len(dab), z), *dab.T)] = value
                self.session.pump()
        return time.perf_counter()

    def look(self):
        if self.model is not None:
            size = [slice(0, n) for n in self.shape[1:]]
            self.session.previews.ask((slice(self.z, self.z + 1), *size), self.model)

    def seen(self, name, after=0.0):
        """When an event was first seen after a moment; 0 if never."""
        return next(
            (at for at, kind in self.events if kind == name and at > after), 0.0
        )

    def wait(self, done):
        end = time.perf_counter() + LONGEST
        while time.perf_counter() < end:
            self.session.pump()
            found = done()
            if found:
                return found
            time.sleep(0.02)
        raise TimeoutError(f"Nothing for {LONGEST:.0f} s; seen: {self.events[-5:]}")

    def _on_event(self, _kind, event):
        self.events.append((time.perf_counter(), type(event).__name__))
        if type(event).__name__ == "MemberSaved":
            self.model = Path(event.path)
            self.look()

    def _on_preview(self, ready):
        z = ready.region[0].start
        self.previews.append((time.perf_counter(), z, len(ready.voices)))


def tiled(array):
    """A part of an array, again and again: slices as large as a camera's."""
    middle = [(n - EDGE) // 2 for n in array.shape[1:]]
    part = array[:, middle[0] : middle[0] + EDGE, middle[1] : middle[1] + EDGE]
    return np.tile(part[:DEPTH], (1, TILES, TILES))


def page(seconds, found):
    """The table as Markdown."""
    lines = [
        "# Training that follows the brush",
        "",
        "Written by `benchmarks/live.py`: training is on before anything is painted,",
        "or begun when a slice has strokes; the slice in view is segmented whenever",
        "the model has learned something.",
        f"Medians of {len(found)} runs on the fibre sample, default settings, seconds.",
        "",
        "| | seconds |",
        "|---|---:|",
        *(f"| {text} | {seconds[name]:.1f} |" for name, text in ROWS.items()),
        "",
        f"Machine: {machine()}.",
        "",
    ]
    return "\n".join(lines)


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=3, help="medians of so many")
    return parser.parse_args()


if __name__ == "__main__":
    main()

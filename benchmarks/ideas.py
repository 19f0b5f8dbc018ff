"""Ideas that no setting switches on: what `trial.py` knows as ``+NAME``.

Each changes a trial before its networks learn. Those that pay on several volumes and
sets of strokes move into the package; the others stay here, so that the figures of
``docs/explanation/tried.md`` can be had again.
"""

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from phantoms import PHANTOMS
from scipy import ndimage
from strokes import strokes
from tasks import Scene

import napari_sashiko as ns
from napari_sashiko.checkpoints import load_ensemble
from napari_sashiko.forests.forest import VOICES
from napari_sashiko.pipeline import open_prediction
from napari_sashiko.pipeline.inputs import read_paint
from napari_sashiko.training import Heritage, TrainingSettings, train
from napari_sashiko.training.recipes import DEFAULT, DEFAULT_SETTINGS, member_recipes
from napari_sashiko.volumes import Volume, as_volume

HALVES = (
    ("membranes", "vessels", "nuclei", "fibres", "phases3"),
    ("organelles", "pores", "filaments", "plies", "micrographs"),
)
EARLIER = 9  # seed of volumes that weights are pretrained on
EARLIER_SLICES, EARLIER_STROKES, EARLIER_MINUTES = 12, 6, 4.0
WARM_MINUTES = 0.5
SURE = 0.9  # mean minus deviation of what counts as paint
SURE_SLICES, SURE_VOXELS = 4, 500  # of each class on a slice
KINDS = ("tunet", "smsnet", "tunet", "msdnet")


@dataclass
class Trial:
    """What networks are to learn, and how.

    Parameters
    ----------
    name : str
        Of the volume.
    scene : Scene
        The volume and its truth.
    paint : numpy.ndarray
        ``(Z, Y, X)`` uint8, 0 for none.
    settings : dict
        Of training.
    folder : Path
        For files.
    heritage : sequence of Heritage
        What networks know already.
    kinds : sequence of str
        Kinds of the networks, in turn; empty for the default.
    views : sequence of tuple of int
        Axes along which the volume is flipped for each prediction.
    voices : int
        Groups of trees whose answers are compared.
    told : numpy.ndarray or None
        ``(K, Z, Y, X)``: what networks are taught in the place of the forest's answers.
    even : bool
        Whether forest and networks have one half each, whatever held-out strokes say.
    """

    name: str
    scene: Scene
    paint: np.ndarray
    settings: dict[str, Any]
    folder: Path
    heritage: Sequence[Heritage] = ()
    kinds: Sequence[str] = ()
    views: Sequence[tuple[int, ...]] = field(default_factory=lambda: [()])
    voices: int = VOICES
    told: np.ndarray | None = None
    even: bool = False

    @property
    def volume(self) -> Volume:
        """The image."""
        return self.seen(())

    def seen(self, flipped: tuple[int, ...]) -> Volume:
        """The image, flipped along axes."""
        image = np.ascontiguousarray(np.flip(self.scene.image, flipped))
        return as_volume(image, voxel_size=self.scene.spacing, name="volume")

    def learn(self, name: str) -> Path:
        """Train; return the model folder."""
        model = self.folder / f"{name}.sashiko-model"
        painted = read_paint(self.paint)
        chosen = TrainingSettings.checked(**self.settings)
        # Nothing in the package does what some ideas ask for.
        with ExitStack() as stack:
            for name, instead in self._instead().items():
                stack.enter_context(patch(f"napari_sashiko.training.{name}", instead))
            events = train(
                self.volume,
                painted.labelled,
                painted.classes,
                chosen,
                model,
                heritage=self.heritage,
            )
            for _ in events:
                pass
        return model

    def learn_half(self) -> Path:
        """Spend half of the time, or of the epochs, which leaves the other half."""
        for name in ("minutes", "epochs"):
            if self.settings.get(name):
                half = self.settings[name] / 2
                self.settings[name] = half if name == "minutes" else round(half)
        return self.learn("first")

    def predict(self, model: Path) -> tuple[np.ndarray, np.ndarray]:
        """Mean and deviation of the members ``(K, Z, Y, X)``, over all views."""
        means, stds = [], []
        for number, axes in enumerate(self.views):
            out = self.folder / f"{model.stem}-{number}.zarr"
            with patch("napari_sashiko.forests.forest.VOICES", self.voices):
                ns.predict(model, self.seen(axes), out)
            found = open_prediction(out)
            shape = (-1, *self.scene.image.shape)
            turned = tuple(axis + 1 for axis in axes)
            for each, into in ((found.mean, means), (found.std, stds)):
                array = np.asarray(each, np.float32).reshape(shape)
                into.append(np.flip(array, turned))
        return np.mean(means, axis=0), np.mean(stds, axis=0)

    def _instead(self) -> dict[str, Any]:
        """What takes the place of parts of the package, by name."""
        found: dict[str, Any] = {"_desk.member_recipes": self._recipes}
        if self.even:
            found["_verdict.forest_share"] = _half
        if self.told is not None:
            found["teacher.Teacher._answers"] = _repeating(self.told)
        return found

    def _recipes(self, settings: TrainingSettings) -> list[dict[str, Any]]:
        found = member_recipes(settings)
        for number in range(len(found) if self.kinds else 0):
            kind = self.kinds[number % len(self.kinds)]
            if kind != DEFAULT:
                found[number] = {"name": kind, "settings": {}}
        return found


def flips(trial: Trial) -> None:
    """Predict the volume and its mirror images, and take the mean."""
    trial.views = [(), (1,), (2,), (1, 2)]


def one_voice(trial: Trial) -> None:
    """Let the forest speak as one, so that only whole members differ."""
    trial.voices = 1


def sixteen_voices(trial: Trial) -> None:
    """Compare groups of four trees instead of eight."""
    trial.voices = 16


def mixed(trial: Trial) -> None:
    """Take networks of several kinds."""
    trial.kinds = KINDS


def spilled(trial: Trial) -> None:
    """Let the brush slip by a pixel over every border, as hands do."""
    grown = trial.paint.copy()
    for z in _painted(trial.paint):
        plane = trial.paint[z]
        near = ndimage.grey_dilation(plane, footprint=np.ones((3, 3)))
        grown[z] = np.where(plane > 0, plane, near)
    trial.paint = grown


def trimmed(trial: Trial) -> None:
    """Do not believe the outermost pixel of strokes."""
    kept = np.zeros_like(trial.paint)
    for z in _painted(trial.paint):
        plane = trial.paint[z]
        alike = ndimage.minimum_filter(plane, 3) == ndimage.maximum_filter(plane, 3)
        kept[z] = np.where(alike, plane, 0)
    trial.paint = kept


def warm_up(trial: Trial) -> None:
    """Learn to guess hidden voxels of the volume first, as while the user paints."""
    model = trial.folder / "warm.sashiko-model"
    ns.restore(
        trial.volume,
        model,
        members=TrainingSettings.checked(**trial.settings).members,
        network=DEFAULT,
        network_settings=DEFAULT_SETTINGS,
        dims="2",
        neighbours=0,
        minutes=WARM_MINUTES,
        seed=trial.settings["seed"],
    )
    trial.heritage = _heirs(model, ())


def pretrained(trial: Trial) -> None:
    """Begin with weights that were learned on generated volumes of other kinds."""
    others = HALVES[1] if trial.name in HALVES[0] else HALVES[0]
    trial.heritage = _learned(others)


def even(trial: Trial) -> None:
    """Give forest and networks one half each, whatever held-out strokes say."""
    trial.even = True


def consistent(trial: Trial) -> None:
    """Spend half of the time, then say the same of places flipped and rotated.

    Networks go on, and their own ensemble takes the forest's place as teacher.
    """
    model = trial.learn_half()
    trial.told, _ = trial.predict(model)
    trial.heritage = _heirs(model, range(1, len(trial.told) + 1))


def pseudo(trial: Trial) -> None:
    """Spend half of the time, take what the ensemble is sure of for paint, go on."""
    model = trial.learn_half()
    mean, std = trial.predict(model)
    sure = (mean - std > SURE) & (trial.paint == 0)
    rng = np.random.default_rng(trial.settings["seed"])
    paint = trial.paint.copy()
    for z in rng.choice(len(paint), min(SURE_SLICES, len(paint)), replace=False):
        for channel in range(len(mean)):
            places = np.argwhere(sure[channel, z])
            y, x = rng.permutation(places)[:SURE_VOXELS].T
            paint[z, y, x] = channel + 1
    trial.paint = paint
    trial.heritage = _heirs(model, range(1, len(mean) + 1))


IDEAS = {
    idea.__name__: idea
    for idea in (
        flips,
        one_voice,
        sixteen_voices,
        even,
        mixed,
        spilled,
        trimmed,
        warm_up,
        pretrained,
        consistent,
        pseudo,
    )
}


def _half(*args: Any, **kwargs: Any) -> float:  # noqa: ARG001
    return 0.5


def _repeating(told: np.ndarray) -> Callable[..., Iterator[Any]]:
    """Make a teacher of what was told: the same to all, mirrored as it would."""

    def answers(teacher: Any, teachers: Sequence[Any], start: np.ndarray) -> Any:
        yield from ()
        pairs = list(zip(start, teacher.patch, strict=True))
        part = told[(slice(None), *(slice(s, s + n) for s, n in pairs))]
        lacking = np.subtract(teacher.patch, part.shape[1:])
        pad = [(0, 0), *((0, int(n)) for n in lacking)]
        answer = torch.from_numpy(np.pad(part, pad, mode="symmetric"))
        flat = teacher.desk.choices.dims == 2
        return [answer[:, 0] if flat else answer] * len(teachers)

    return answers


def _painted(paint: np.ndarray) -> np.ndarray:
    """Slices with paint."""
    return np.flatnonzero(paint.any(axis=(1, 2)))


def _heirs(model: Path, ids: Iterable[int]) -> list[Heritage]:
    """The networks of a model, and the class of each output."""
    ensemble = load_ensemble(model)
    return [
        Heritage(entry.spec, member.network.state_dict(), tuple(ids))
        for member, entry in zip(ensemble.members, ensemble.card.members, strict=True)
        if entry.kind == "network"
    ]


@cache
def _learned(kinds: tuple[str, ...]) -> list[Heritage]:
    """Networks that tell apart all classes of some kinds of generated volumes."""
    images, paints, classes = [], [], 0
    for kind in kinds:
        image, truth, *_ = PHANTOMS[kind](seed=EARLIER)
        chosen = np.linspace(0, len(image) - 1, EARLIER_SLICES).astype(int)
        image, truth = image[chosen], truth[chosen]
        paint = strokes(
            truth, slices=EARLIER_SLICES, per_class=EARLIER_STROKES, seed=EARLIER
        )
        images.append((image - image.mean()) / image.std())
        paints.append(np.where(paint > 0, paint + classes, 0))
        classes += int(truth.max()) + 1
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "earlier.sashiko-model"
        ns.train(
            as_volume(np.concatenate(images).astype(np.float32), name="earlier"),
            np.concatenate(paints).astype(np.uint8),
            model,
            forest=False,
            dims="2",
            neighbours=0,
            rotations="yes",
            epochs=1000,
            minutes=EARLIER_MINUTES,
            seed=EARLIER,
        )
        return _heirs(model, ())

"""Learning to restore images: noise taken away, gaps filled.

Strategy: patches at random places of the volume. With a clean image beside it networks
learn to make the one of the other; without, single voxels are hidden and networks say
what they were, which they can of the signal and cannot of the noise; networks that
squeeze patches into a few numbers make them again as they are, for noise does not fit
through. To fill gaps, networks see gaps at new places, and are told what is behind
these.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from napari_sashiko.checkpoints import MemberCard, ModelCard, Restoring
from napari_sashiko.errors import VolumeError
from napari_sashiko.losses import IMAGE_LOSSES, ImageLoss
from napari_sashiko.networks import build_restorer
from napari_sashiko.runners import Event, choose_device
from napari_sashiko.training._room import check_room_of
from napari_sashiko.training.choices import Choices, choices_for_images
from napari_sashiko.training.corruptions import Blind, Corruption, Gaps, Nothing
from napari_sashiko.training.crew import seed_of
from napari_sashiko.training.events import MemberSaved, TrainingDone, TrainingStarted
from napari_sashiko.training.image_material import (
    ImageBatch,
    ImageMaterial,
    ImageSampler,
    held_out_batches,
)
from napari_sashiko.training.image_tiles import (
    ImagePair,
    ImageTile,
    hold_out,
    read_image_tiles,
)
from napari_sashiko.training.network_desk import NetworkDesk
from napari_sashiko.training.recipes import member_recipes
from napari_sashiko.training.restore_settings import RestoreSettings
from napari_sashiko.training.tiles import Triple
from napari_sashiko.training.workbench import Workbench
from napari_sashiko.transforms import Transform, build_transforms
from napari_sashiko.volumes import Volume, measure_normalisation

PATCH_DEPTH = 16  # slices of a 3D patch
TASKS = {
    "blind": "Learning from the noisy image alone: what a voxel is, is said by others.",
    "squeezed": "Learning from the noisy image alone: patches are made again from few "
    "numbers, through which noise does not fit.",
    "paired": "Learning to make one image of the other.",
    "gaps": "Learning to fill gaps: networks see them at places where the truth is "
    "known.",
}


@dataclass(kw_only=True)
class RestoreBench(Workbench):
    """A run that learns to restore images."""

    pair: ImagePair
    settings: RestoreSettings
    choices: Choices

    @property
    def task(self) -> str:
        """What networks learn, a key of `TASKS`."""
        if self.settings.gaps:
            return "gaps"
        if self.pair.target is not self.pair.image:
            return "paired"
        squeezes = all(each.network.squeezes for each in self.networks)
        return "squeezed" if squeezes else "blind"

    @property
    def neighbours(self) -> int:
        """Slices on either side that a network sees as channels."""
        return self.choices.neighbours

    @property
    def fills_gaps(self) -> bool:
        """Whether what was measured stays as it is."""
        return self.task == "gaps"

    @property
    def inputs(self) -> int:
        """Channels that a network sees; where the gaps are is one more of a slice."""
        return (self.pair.image.channels + self.fills_gaps) * self.planes

    @property
    def patch(self) -> Triple:
        """Size of a patch, (z, y, x)."""
        edge = self.settings.patch
        return (1 if self.choices.dims == 2 else min(PATCH_DEPTH, edge), edge, edge)

    @property
    def planes(self) -> int:
        """Channels that a network sees of each channel of the image."""
        return 2 * self.choices.neighbours + 1 if self.choices.dims == 2 else 1

    def card(self, members: tuple[MemberCard, ...]) -> ModelCard:
        """What the model is, with these members."""
        volume = self.pair.image
        return ModelCard(
            **self.facts(volume, reasons=[TASKS[self.task], self.choices.reason]),
            restoring=Restoring(
                target=self.pair.wanted,
                fills_gaps=self.fills_gaps,
                shows_gaps=self.fills_gaps,
            ),
            channels=volume.channels,
            voxel_size=volume.voxel_size,
            unit=volume.unit,
            dims=2 if self.choices.dims == 2 else 3,
            normalisation=self.pair.seen,
            members=members,
            patch={"edge": self.settings.patch, "neighbours": self.neighbours},
        )


def train_restoring(
    volume: Volume,
    settings: RestoreSettings,
    out: Path,
    *,
    target: Volume | None = None,
    judged: Sequence[int] = (),
) -> Iterator[Event]:
    """Train networks that restore images.

    Closing the generator keeps the best networks so far in the model folder.

    Parameters
    ----------
    volume : Volume
        The image as it is.
    settings : RestoreSettings
        Everything a user may set.
    out : Path
        The model folder to write.
    target : Volume, optional
        The image as it should be, of the same shape.
    judged : sequence of int
        Slices, pictures of their own, that networks are judged by; if there are none,
        some blocks are held out.

    Yields
    ------
    Event
        `Progress`, `TrainingStarted`, `EpochDone`, `MemberSaved`, `TrainingDone`.

    Raises
    ------
    VolumeError
        If the two do not fit, there is no gap to learn from, nothing was measured, or
        an image has one grey value only.
    """
    started = time.monotonic()
    device = choose_device(settings.device)
    bench = RestoreBench(
        pair=replace(_pair(volume, target, settings), judged=judged),
        settings=settings,
        choices=choices_for_images(volume, settings, device.type, gaps=settings.gaps),
        device=device,
        out=Path(out),
        started=started,
    )
    neighbours = bench.choices.neighbours
    apart = {"alike": 1} if bench.patch[0] == 1 and not neighbours else {}
    tiles = yield from read_image_tiles(
        bench.pair,
        bench.patch,
        neighbours,
        settings.seed,
        gaps=bench.fills_gaps,
        **apart,
    )
    bench.networks = [_network(bench, number) for number in range(settings.members)]
    loss = yield from bench.learn(_material(bench, tiles), _introduction(bench))
    yield MemberSaved(len(bench.networks) - 1, bench.out, "networks")
    yield TrainingDone(
        path=bench.out,
        metrics=(("held_out_loss", loss),),
        seconds=time.monotonic() - started,
    )


def _pair(
    volume: Volume, target: Volume | None, settings: RestoreSettings
) -> ImagePair:
    if target is not None and target.shape != volume.shape:
        raise VolumeError(
            f"The clean image {target.name!r} has shape {target.shape}, "
            f"{volume.name!r} has {volume.shape}.",
            "Take two images of the same place, voxel by voxel.",
        )
    if target is not None and settings.gaps:
        raise VolumeError(
            "Gaps are filled without a clean image beside.",
            "Leave out the one or the other.",
        )
    measure = partial(
        measure_normalisation, seed=settings.seed, clip=False, missing=settings.missing
    )
    seen = measure(volume)
    if target is None:
        return ImagePair(volume, volume, seen, seen)
    return ImagePair(volume, target, seen, measure(target))


def _network(bench: RestoreBench, number: int) -> NetworkDesk:
    recipe = member_recipes(bench.settings)[number]
    pair = bench.pair
    network = build_restorer(
        recipe["name"],
        bench.inputs,
        pair.target.channels,
        dims=bench.choices.dims,
        seed=seed_of(bench.settings, number),
        **recipe["settings"],
    )
    if not number:  # before there are more of them
        check_room_of(network, bench.settings.members, bench.device)
    if bench.fills_gaps:
        # It says what the rough filling lacks, and begins with: nothing.
        network.silence()
    return NetworkDesk(network, ids=())


def _material(bench: RestoreBench, tiles: list[ImageTile]) -> ImageMaterial:
    learned, held = hold_out(tiles)
    sampler, judged = (
        ImageSampler(
            some,
            bench.patch,
            bench.choices.neighbours,
            bench.device,
            others=tiles if bench.fills_gaps else (),
        )
        for some in (learned, held)
    )
    if bench.fills_gaps and not sampler.has_gaps:
        raise VolumeError(
            f"No gaps were found in {bench.pair.image.name!r}.",
            "Gaps are voxels that are NaN, or have the grey value `missing`.",
        )
    make: Any = partial(
        ImageMaterial,
        corruption=_corruption(bench),
        loss=_loss(bench),
        base=_planes(bench) if bench.fills_gaps else (),
        flatness=bench.settings.total_variation,
    )
    as_it_is = make(judged, (), build_transforms((), bench.choices.dims))

    def draw(
        count: int, rng: np.random.Generator, generator: torch.Generator
    ) -> ImageBatch:
        batch: ImageBatch = as_it_is.draw(count, rng, generator)
        return batch

    fixed = held_out_batches(draw, bench.settings.batch, bench.settings.seed)
    if not fixed and bench.task != "gaps":  # what is held out may be one large gap
        raise VolumeError(
            f"Most of {bench.pair.target.name!r} was not measured: there is nothing to "
            "learn from.",
            "Cut out a part that was.",
        )
    material: ImageMaterial = make(sampler, fixed, _transform(bench))
    return material


def _corruption(bench: RestoreBench) -> Corruption:
    if bench.task == "gaps":
        return Gaps(bench.planes)
    if bench.task == "blind":
        return Blind(_planes(bench))
    return Nothing()


def _planes(bench: RestoreBench) -> list[int]:
    """Channels of what networks see that are the slice itself."""
    middle, channels = bench.planes // 2, bench.pair.image.channels
    return [middle + bench.planes * number for number in range(channels)]


def _loss(bench: RestoreBench) -> ImageLoss:
    name = bench.settings.loss
    if name == "auto":
        name = "l1" if bench.task in ("paired", "gaps") else "l2"
    return IMAGE_LOSSES[name]


def _transform(bench: RestoreBench) -> Transform:
    wanted = bench.settings.rotations
    turned = wanted == "yes" or (wanted == "auto" and bench.task != "gaps")
    return build_transforms(
        ["flips", "rotations"] if turned else ["flips"],
        bench.choices.dims,
        bench.pair.image.voxel_size,
    )


def _introduction(bench: RestoreBench) -> TrainingStarted:
    names = [each.network.name for each in bench.networks]
    parameters = sum(
        parameter.numel()
        for each in bench.networks
        for parameter in each.network.parameters()
    )
    text = "\n".join(
        [
            f"{len(names)} x {names[0]} on {bench.device}.",
            TASKS[bench.task],
            bench.choices.reason,
        ]
    )
    return TrainingStarted(text, len(names), parameters)

"""Learning to reconstruct slices: networks that make an image of a sinogram.

Strategy: pairs of sinogram and slice are held in memory, the last slices are held out.
A tomograph is linear, so that means of two pairs are pairs as well: networks see those
too. How much memory the weights take is known before any network is built.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from napari_sashiko.checkpoints import MemberCard, ModelCard, Reconstructing
from napari_sashiko.errors import VolumeError
from napari_sashiko.losses import IMAGE_LOSSES
from napari_sashiko.networks import build_reconstructor, reconstructor_weights
from napari_sashiko.runners import Event, Message, choose_device
from napari_sashiko.tomography import Sinograms, check_angles
from napari_sashiko.training._room import check_room
from napari_sashiko.training.crew import seed_of
from napari_sashiko.training.events import MemberSaved, TrainingDone, TrainingStarted
from napari_sashiko.training.network_desk import NetworkDesk
from napari_sashiko.training.reconstruct_settings import TrainReconstructSettings
from napari_sashiko.training.slice_material import (
    SliceMaterial,
    SlicePairs,
    read_pairs,
)
from napari_sashiko.training.workbench import Workbench
from napari_sashiko.volumes import Normalisation, Volume, measure_normalisation

HELD_OUT = 8  # the last of so many slices is held out
DEFAULT = "conv_reconstruct"
TOO_LARGE = (
    "Take the network conv_reconstruct, fewer members, or bin sinograms and slices; "
    "filtered back-projection has no such limit."
)


@dataclass(frozen=True)
class Scanned:
    """Sinograms, the slices that are to be made of them, and what both are like."""

    sinograms: Sinograms
    images: Volume
    angles: tuple[float, ...]
    seen: Normalisation
    wanted: Normalisation

    @property
    def sinogram(self) -> tuple[int, int]:
        """Angles and detectors."""
        return self.sinograms.angles, self.sinograms.detectors

    @property
    def size(self) -> int:
        """Side of a slice."""
        return self.images.shape[2]


@dataclass(kw_only=True)
class ReconstructBench(Workbench):
    """A run that learns to reconstruct."""

    scanned: Scanned
    settings: TrainReconstructSettings

    def card(self, members: tuple[MemberCard, ...]) -> ModelCard:
        """What the model is, with these members."""
        scanned = self.scanned
        return ModelCard(
            **self.facts(scanned.sinograms.volume),
            reconstructing=Reconstructing(
                target=scanned.wanted,
                angles=scanned.angles,
                detectors=scanned.sinograms.detectors,
                size=scanned.size,
            ),
            channels=1,
            voxel_size=scanned.images.voxel_size,
            unit=scanned.images.unit,
            dims=2,
            normalisation=scanned.seen,
            members=members,
        )


def train_reconstructing(
    sinograms: Volume,
    images: Volume,
    settings: TrainReconstructSettings,
    out: Path,
    *,
    angles: Sequence[float] | None = None,
) -> Iterator[Event]:
    """Train networks that make slices of sinograms.

    Closing the generator keeps the best networks so far in the model folder.

    Parameters
    ----------
    sinograms : Volume
        ``(slice, angle, detector)``, or as ``settings.order`` says.
    images : Volume
        ``(slice, y, x)``: the square slice of each sinogram.
    settings : TrainReconstructSettings
        Everything a user may set.
    out : Path
        The model folder to write.
    angles : sequence of float, optional
        Degrees, one for each row of a sinogram; evenly over half a turn if left out.
        Networks find them by themselves: they are kept for those who use the model.

    Yields
    ------
    Event
        `Progress`, `Message`, `TrainingStarted`, `EpochDone`, `MemberSaved`,
        `TrainingDone`.

    Raises
    ------
    VolumeError
        If the two do not fit, or there is nothing to learn from.
    DeviceError
        If the networks do not fit into memory.
    """
    started = time.monotonic()
    device = choose_device(settings.device)
    stack = Sinograms(sinograms, settings.order)
    _check_pair(stack, images)
    known = check_angles(angles, stack.angles)
    name = DEFAULT if settings.network == "auto" else settings.network
    size = images.shape[2]
    weights = reconstructor_weights(
        name, (stack.angles, stack.detectors), size, **settings.network_settings
    )
    what = (
        f"{settings.members} x {name} for sinograms of {stack.angles} x "
        f"{stack.detectors} and slices of {size} x {size}"
    )
    check_room(weights, settings.members, device, what=what, instead=TOO_LARGE)
    scanned = Scanned(
        sinograms=stack,
        images=images,
        angles=known,
        seen=measure_normalisation(sinograms, seed=settings.seed, clip=False),
        wanted=measure_normalisation(images, seed=settings.seed, clip=False),
    )
    bench = ReconstructBench(
        scanned=scanned,
        settings=settings,
        device=device,
        out=Path(out),
        started=started,
    )
    pairs = yield from read_pairs(
        stack, images, scanned.seen, scanned.wanted, settings.seed
    )
    if len(pairs) < stack.slices:
        yield Message(
            f"{len(pairs)} of {stack.slices} slices are used: others have values that "
            "are not finite, or would not fit into memory together.",
            "warning",
        )
    material = _material(bench, pairs)
    bench.networks = [
        NetworkDesk(
            build_reconstructor(
                name,
                scanned.sinogram,
                size,
                seed=seed_of(settings, number),
                **settings.network_settings,
            ),
            ids=(),
        )
        for number in range(settings.members)
    ]
    loss = yield from bench.learn(
        material,
        TrainingStarted(
            f"{what}, on {device}.", settings.members, settings.members * weights
        ),
    )
    yield MemberSaved(len(bench.networks) - 1, bench.out, "networks")
    yield TrainingDone(
        path=bench.out,
        metrics=(("held_out_loss", loss),),
        seconds=time.monotonic() - started,
    )


def _check_pair(stack: Sinograms, images: Volume) -> None:
    if images.channels != 1 or images.shape[1] != images.shape[2]:
        raise VolumeError(
            f"The slices {images.name!r} have shape {images.shape} and "
            f"{images.channels} channel(s).",
            "Take square slices of one channel: (slice, y, x).",
        )
    if images.shape[0] != stack.slices:
        raise VolumeError(
            f"There are {stack.slices} sinograms in {stack.volume.name!r} and "
            f"{images.shape[0]} slices in {images.name!r}.",
            "Give one slice for each sinogram; axes of sinograms are "
            "(slice, angle, detector), or set the order to 'projections'.",
        )
    if stack.slices < 2:
        raise VolumeError(
            f"There is a single sinogram in {stack.volume.name!r}.",
            "Networks learn from several, and are judged on others: hundreds are good.",
        )


def _material(bench: ReconstructBench, pairs: SlicePairs) -> SliceMaterial:
    if len(pairs) < 2:
        raise VolumeError(
            f"Only {len(pairs)} slice(s) of {bench.scanned.sinograms.volume.name!r} "
            "have finite values, with their images.",
            "Networks learn from several, and are judged on others.",
        )
    settings = bench.settings
    loss = IMAGE_LOSSES[settings.loss]
    learned, held = pairs.split(max(1, len(pairs) // HELD_OUT))
    step = settings.batch
    return SliceMaterial(
        pairs=learned,
        held_out=[
            held.batch(range(start, min(start + step, len(held))), loss, bench.device)
            for start in range(0, len(held), step)
        ],
        loss=loss,
        device=bench.device,
        flatness=settings.total_variation,
        mixing=settings.mixing,
    )

"""Learning to explore images: what a few numbers tell of a patch.

Strategy: patches at random places of slices are squeezed into a few numbers and made
again. In the end, training patches are squeezed once more: their numbers are what the
model knows, and patches of held-out blocks say how far from them is still near.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from napari_sashiko.checkpoints import (
    KNOWN,
    Exploring,
    MemberCard,
    ModelCard,
    distances,
    squeeze,
)
from napari_sashiko.errors import VolumeError
from napari_sashiko.networks import Encoder, build_encoder, encoder_from_spec
from napari_sashiko.runners import Event, choose_device, turn
from napari_sashiko.training._writing import write_members
from napari_sashiko.training.crew import seed_of
from napari_sashiko.training.events import MemberSaved, TrainingDone, TrainingStarted
from napari_sashiko.training.explore_material import (
    PatchBatch,
    PatchMaterial,
    patches_of,
)
from napari_sashiko.training.explore_settings import ExploreSettings
from napari_sashiko.training.image_material import ImageSampler
from napari_sashiko.training.image_tiles import (
    ImagePair,
    ImageTile,
    hold_out,
    read_image_tiles,
)
from napari_sashiko.training.network_desk import NetworkDesk
from napari_sashiko.training.tiles import Triple
from napari_sashiko.training.workbench import Workbench
from napari_sashiko.transforms import build_transforms
from napari_sashiko.volumes import Volume, measure_normalisation, shrunk

USUAL = 32  # voxels of a patch's edge
SMALL = 64  # voxels of slices that are taken as a whole
JUDGED = 64  # patches that the network is judged on after each epoch
KEPT = 2048  # training patches whose latents are kept
MEASURED = 512  # held-out patches that say how far is near
AT_ONCE = 64
NEAR = 0.975  # share of held-out patches within each of the two limits


@dataclass(kw_only=True)
class ExploreBench(Workbench):
    """A run that learns to explore an image, shrunk in `pair` and as it is."""

    pair: ImagePair
    image: Volume
    settings: ExploreSettings
    edge: int
    learned: ImageSampler | None = None
    held: ImageSampler | None = None
    exploring: Exploring | None = None
    correlation: float = 0.0

    def save(self) -> None:
        """Write the model folder with the best network and what it knows."""
        desk = self.networks[0]
        if desk.outcome.best is None or self.learned is None or self.held is None:
            return
        network = encoder_from_spec(desk.network.spec).eval()
        network.load_state_dict(desk.outcome.best.state)
        seed = self.settings.seed
        with turn(self.device):
            network.to(self.device)
            known, _ = _squeezed(network, patches_of(self.learned, KEPT, AT_ONCE, seed))
            others = patches_of(self.held, MEASURED, AT_ONCE, seed)
            latents, errors = _squeezed(network, others)
            self.correlation = _correlation(network, others)
        known = torch.unique(known, dim=0)
        self.exploring = _limits(self, distances(latents, known), errors)
        member = MemberCard(kind="network", weight=1.0, spec=network.spec)
        state = {**desk.outcome.best.state, KNOWN: known}
        learned = replace(desk.outcome.best, state=state)
        write_members(self.out, [member], [learned], self.written, self.card)
        self.changed = False
        self.saved = time.monotonic()

    def card(self, members: tuple[MemberCard, ...]) -> ModelCard:
        """What the model is, with these members."""
        volume = self.image
        return ModelCard(
            **self.facts(volume, reasons=[_reason(self)], correlation=self.correlation),
            exploring=self.exploring,
            channels=volume.channels,
            voxel_size=volume.voxel_size,
            unit=volume.unit,
            dims=2,
            normalisation=self.pair.seen,
            members=members,
            patch={"edge": self.edge, "neighbours": 0},
        )


def train_exploring(
    volume: Volume,
    settings: ExploreSettings,
    out: Path,
    *,
    judged: Sequence[int] = (),
) -> Iterator[Event]:
    """Train a network that keeps a few numbers of each patch.

    The model folder is written in the end, also where the generator is closed earlier.

    Parameters
    ----------
    volume : Volume
        The image; its slices are looked at one by one.
    settings : ExploreSettings
        Everything a user may set.
    out : Path
        The model folder to write.
    judged : sequence of int
        Slices, pictures of their own, that the network is judged by; if there are none,
        some blocks are held out.

    Yields
    ------
    Event
        `Progress`, `TrainingStarted`, `EpochDone`, `MemberSaved`, `TrainingDone`.

    Raises
    ------
    VolumeError
        If the image has no contrast, nothing of it was measured, or nothing would be
        left of it when it is shrunk.
    """
    started = time.monotonic()
    small = shrunk(volume, settings.shrink)
    seen = measure_normalisation(small, seed=settings.seed, clip=False)
    bench = ExploreBench(
        pair=ImagePair(small, small, seen, seen, judged),
        image=volume,
        settings=settings,
        edge=_edge(small, settings),
        device=choose_device(settings.device),
        out=Path(out),
        started=started,
    )
    patch: Triple = (1, bench.edge, bench.edge)
    tiles = yield from read_image_tiles(bench.pair, patch, 0, settings.seed)
    bench.networks = [NetworkDesk(_network(bench), ids=())]
    material = _material(bench, tiles)
    loss = yield from bench.learn(material, _introduction(bench), _later)
    yield MemberSaved(0, bench.out, bench.settings.network)
    yield TrainingDone(
        path=bench.out,
        metrics=(
            ("held_out_loss", loss),
            ("correlation", bench.correlation),
        ),
        seconds=time.monotonic() - started,
    )


def _later() -> None:
    """Nothing is saved on the way: what is known is known in the end."""


def _edge(volume: Volume, settings: ExploreSettings) -> int:
    """Voxels along y and x that the network sees at once."""
    if settings.patch is not None:
        return settings.patch
    slices, *sides = volume.shape
    return max(8, *sides) if slices > 1 and max(sides) <= SMALL else USUAL


def _network(bench: ExploreBench) -> Encoder:
    return build_encoder(
        bench.settings.network,
        bench.pair.image.channels,
        edge=bench.edge,
        latent=bench.settings.latent,
        seed=seed_of(bench.settings, 0),
        **bench.settings.network_settings,
    )


def _material(bench: ExploreBench, tiles: list[ImageTile]) -> PatchMaterial:
    learned, held = hold_out(tiles)
    patch = (1, bench.edge, bench.edge)
    bench.learned, bench.held = (
        ImageSampler(some, patch, 0, bench.device) for some in (learned, held)
    )
    judged = patches_of(bench.held, JUDGED, bench.settings.batch, bench.settings.seed)
    if not judged:
        raise VolumeError(
            f"Most of {bench.pair.image.name!r} was not measured: there is nothing to "
            "learn from.",
            "Cut out a part that was.",
        )
    names = ["flips", "rotations"] if bench.settings.turned else []
    turn = build_transforms(names, 2, bench.pair.image.voxel_size)
    return PatchMaterial(bench.learned, judged, turn)


@torch.inference_mode()
def _squeezed(network: Encoder, batches: list[PatchBatch]) -> tuple[Tensor, Tensor]:
    """Latents and errors, on the CPU: what follows needs float64."""
    parts = [squeeze(network, each.images, each.weight)[:2] for each in batches]
    latents, errors = zip(*parts, strict=True)
    return torch.cat(latents).cpu(), torch.cat(errors).cpu()


def _limits(bench: ExploreBench, away: Tensor, errors: Tensor) -> Exploring:
    """Limits that all but a few held-out patches keep to; tensors on the CPU."""
    near, small = (
        max(float(values.double().quantile(NEAR)), 1e-6) for values in (away, errors)
    )
    beyond = (away > near) | (errors > small)
    return Exploring(
        edge=bench.edge,
        latent=bench.settings.latent,
        distance_limit=near,
        error_limit=small,
        chance=float(beyond.double().mean()),
        shrink=bench.settings.shrink,
    )


@torch.inference_mode()
def _correlation(network: Encoder, batches: list[PatchBatch]) -> float:
    """Pearson correlation of patches with what is made of their latents."""
    pairs = []
    for each in batches:
        counts = each.weight.expand_as(each.images) > 0
        made = network(each.images).image.float()
        pairs.append(torch.stack([each.images[counts], made[counts]]))
    found = float(torch.corrcoef(torch.cat(pairs, dim=1).cpu().double())[0, 1])
    return found if np.isfinite(found) else 0.0  # nothing varies


def _reason(bench: ExploreBench) -> str:
    edge, shrink = bench.edge, bench.settings.shrink
    each = "" if shrink == 1 else f", each the mean of {shrink} x {shrink}"
    if edge in bench.pair.image.shape[1:]:
        return f"Whole slices, {edge} voxels wide{each}."
    return f"Patches of {edge} x {edge} voxels{each}."


def _introduction(bench: ExploreBench) -> TrainingStarted:
    network = bench.networks[0].network
    parameters = sum(parameter.numel() for parameter in network.parameters())
    text = (
        f"1 x {network.name} on {bench.device}, {bench.settings.latent} numbers of a "
        f"patch.\n{_reason(bench)}"
    )
    return TrainingStarted(text, 1, parameters)

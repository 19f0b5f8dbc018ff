"""The networks of a run that learns from paint."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from napari_sashiko.losses import build_loss
from napari_sashiko.networks import build_network
from napari_sashiko.runners import Event, Tick, turn
from napari_sashiko.training._desk import Desk
from napari_sashiko.training._room import check_room_of
from napari_sashiko.training._saving import save
from napari_sashiko.training.crew import Crew, seed_of
from napari_sashiko.training.heritage import Heritage
from napari_sashiko.training.judge import HeldOut
from napari_sashiko.training.lessons import Lessons
from napari_sashiko.training.network_desk import NetworkDesk
from napari_sashiko.training.outcome import Best, Outcome, copy_state
from napari_sashiko.training.paint_material import PaintMaterial
from napari_sashiko.training.sampler import Sampler, images_on
from napari_sashiko.training.supply import Supply
from napari_sashiko.training.symmetries import symmetry_transforms
from napari_sashiko.training.tiles import Images, Tile, read_tiles
from napari_sashiko.transforms import Transform, build_transforms

LEARNED = 0.5  # share of the schedule that is left out after weights were carried over


class PaintCrew(Crew):
    """Networks that learn from paint, and from what a forest says elsewhere.

    Parameters
    ----------
    desk : Desk
        The run; its networks are the crew's.
    origins : sequence of Heritage
        Networks to go on with, in turn; fresh ones where there are none.
    """

    def __init__(self, desk: Desk, origins: Sequence[Heritage] = ()) -> None:
        super().__init__(desk, lambda: save(desk))
        self.desk = desk
        self._origins = origins
        self._choices = desk.choices  # under which images were read
        self._images: Images = {}
        self._materials: list[PaintMaterial] = []
        self._lessons: Sequence[Lessons | None] = []

    def enlist(self) -> None:
        """Build networks for the classes of the desk, and for how it looks at them.

        Each goes on from itself, if it has learned something that is still of use; and
        where it does not know a class, from the network that it began with. Those that
        are replaced by others without their knowledge answer until these can.

        Raises
        ------
        ModelError
            If networks to go on with are for another kind of input.
        """
        desk = self.desk
        self.stop()
        if desk.choices is not self._choices:
            self._choices, self._images = desk.choices, {}
            desk.veterans = desk.veterans or desk.networks
        if self._origins and not desk.version:
            desk.reasons.append("Networks go on from an earlier model.")
        nobody: list[NetworkDesk | None] = [None] * desk.settings.members
        before = desk.networks or nobody
        desk.networks = [self._network(n, mine) for n, mine in enumerate(before)]

    def _network(self, number: int, mine: NetworkDesk | None) -> NetworkDesk:
        desk, origin = self.desk, None
        dims, neighbours = desk.choices.view
        if self._origins:
            origin = self._origins[number % len(self._origins)].among(desk.classes)
        fits = mine and mine.network.dims == dims
        known = (_learned(mine) if fits else None) or origin
        if known is None:
            return self._fresh(number)
        network = known.network(
            desk.ids,
            channels=desk.volume.channels,
            dims=dims,
            neighbours=neighbours,
            origin=origin,
        )
        return NetworkDesk(
            network,
            desk.ids,
            neighbours,
            fraction=LEARNED if mine is None else min(LEARNED, mine.fraction),
            # It is of use before it has learned anything new.
            outcome=Outcome(Best(copy_state(network)), list(known.history)),
        )

    def _fresh(self, number: int) -> NetworkDesk:
        desk, recipe = self.desk, self.desk.recipes[number]
        planes = 2 * desk.choices.neighbours + 1
        network = build_network(
            recipe["name"],
            desk.volume.channels * planes,
            len(desk.classes),
            dims=desk.choices.dims,
            seed=seed_of(desk.settings, number),
            **recipe["settings"],
        )
        if not number:  # before there are more of them
            check_room_of(network, desk.settings.members, desk.device)
        return NetworkDesk(network, desk.ids, desk.choices.neighbours)

    def renew(self) -> Iterator[Event]:
        """Give every network what is painted now."""
        tiles = list(self._tiles())
        yield Tick()
        desk = self.desk
        if self.started:
            self._share_threads()
        if len(self._lessons) != len(desk.networks):
            self._lessons = [None] * len(desk.networks)
        self._materials = []
        with turn(desk.device):
            images = images_on(desk.device, tiles)  # once: all networks see the same
        for number in range(len(desk.networks)):
            self._materials.append(self._material(tiles, images, number))
            yield Tick()
        self._hand_out()

    def teach(self, lessons: Sequence[Lessons]) -> None:
        """Give every network what its forest says at random places."""
        self._lessons = lessons or [None] * len(self.desk.networks)
        self._materials = [
            replace(material, transform=self._transform(), lessons=lesson)
            for material, lesson in zip(self._materials, self._lessons, strict=True)
        ]
        self._hand_out()

    def _hand_out(self) -> None:
        if len(self._supplies) != len(self._materials):
            self.supply(
                *(Supply(each, endless=self.desk.is_live) for each in self._materials)
            )
        for supply, material in zip(self._supplies, self._materials, strict=True):
            supply.material = material

    def stop(self) -> None:
        """End all networks; what they have learned stays on the desk."""
        super().stop()
        self._materials, self._lessons = [], []

    def _material(
        self, tiles: list[Tile], images: list[torch.Tensor], number: int
    ) -> PaintMaterial:
        desk = self.desk
        with turn(desk.device):
            sampler = Sampler(
                tiles,
                (desk.channels + 1).astype(np.uint8),
                np.asarray(desk.folds.train[number]),
                desk.patch,
                desk.choices.neighbours,
                device=desk.device,
                images=images,
            )
        return PaintMaterial(
            sampler,
            self._held_out(tiles, number),
            self._transform(),
            self._lessons[number],
            build_loss(desk.settings.loss, **desk.settings.loss_settings),
        )

    def _held_out(self, tiles: list[Tile], number: int) -> HeldOut:
        desk = self.desk
        mine = desk.folds.fold == number
        pairs = [(tile, np.flatnonzero(mine[tile.rows])) for tile in tiles]
        pairs = [(tile, rows) for tile, rows in pairs if len(rows)]
        none: NDArray[np.int64] = np.zeros(0, np.int64)
        held = np.concatenate([none, *(tile.rows[rows] for tile, rows in pairs)])
        return HeldOut(pairs, desk.channels[held] + 1, held, desk.version)

    def _transform(self) -> Transform:
        desk = self.desk
        return build_transforms(
            [*symmetry_transforms(desk.rotations), *desk.settings.augment],
            desk.choices.dims,
            desk.volume.voxel_size,
        )

    def _tiles(self) -> Iterator[Tile]:
        desk = self.desk
        deep, edge, _ = desk.patch
        flat = desk.choices.dims == 2
        margin = (desk.choices.neighbours if flat else deep // 2, edge // 2, edge // 2)
        return read_tiles(
            desk.volume,
            desk.normalisation,
            desk.labelled,
            dims=desk.choices.dims,
            margin=margin,
            seed=desk.settings.seed,
            known=self._images if desk.is_live else None,
        )


def _learned(mine: NetworkDesk | None) -> Heritage | None:
    """What a network has learned so far; None before its first epoch."""
    best = mine and mine.outcome.best
    if not mine or not best:
        return None
    return Heritage(mine.network.spec, best.state, mine.ids, mine.outcome.history)

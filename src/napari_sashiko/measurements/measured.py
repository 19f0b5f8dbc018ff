"""The result: numbers of all members, and what they say together."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from annotated_types import Ge, Le
from pydantic import Field

from napari_sashiko.config import Settings
from napari_sashiko.errors import SettingsError
from napari_sashiko.labels import LabelClass
from napari_sashiko.measurements.numbers import MemberNumbers
from napari_sashiko.measurements.sizes import QUANTITIES, STATISTICS, Sizes, bin_edge
from napari_sashiko.measurements.spread import Spread, effective_members, spread_of

FORMAT_VERSION = 1


@dataclass(frozen=True)
class Distribution:
    """How many objects there are of each size, N bins.

    Parameters
    ----------
    edges : tuple of float
        N + 1 edges, equally spaced on a logarithmic axis.
    spreads : tuple of Spread
        Objects in each bin.
    counts : tuple of tuple of int
        The same by member, (members, N).
    """

    edges: tuple[float, ...]
    spreads: tuple[Spread, ...]
    counts: tuple[tuple[int, ...], ...]


class Measurements(Settings):
    """What an ensemble says about a volume, and how far its members are apart.

    Every number is a `Spread`: weighted mean and standard deviation over the members.

    Parameters
    ----------
    format_version : int
        Version of the file's layout.
    kind : str
        ``"measurements"``.
    created : str
        ISO 8601 with time zone.
    model, model_digest : str
        Name of the model and hash of all that decides what it predicts.
    image, image_digest : str
        Name of the image and hash of its voxels.
    shape : tuple of int
        (z, y, x) in voxels.
    voxel_size : tuple of float
        (z, y, x) in `unit`.
    unit : str
        Unit of length, ``"pixel"`` when unknown.
    flat : bool
        Whether the image is 2D: volumes are areas.
    classes : tuple of LabelClass
        All classes of the model.
    settings : dict
        What decides what is an object.
    members : tuple of MemberNumbers
        In the order of the model, those that have a say.
    """

    format_version: Annotated[int, Ge(1), Le(FORMAT_VERSION)] = FORMAT_VERSION
    kind: Literal["measurements"] = "measurements"
    created: str
    model: str
    model_digest: str
    image: str
    image_digest: str
    shape: tuple[int, int, int]
    voxel_size: tuple[float, float, float]
    unit: str
    flat: bool
    classes: tuple[LabelClass, ...] = Field(min_length=1)
    settings: dict[str, Any]
    members: tuple[MemberNumbers, ...] = Field(min_length=1)

    @property
    def weights(self) -> tuple[float, ...]:
        """Weights of the members."""
        return tuple(each.weight for each in self.members)

    @property
    def effective_members(self) -> float:
        """Members of equal weight that would vary as much."""
        return effective_members(self.weights)

    @property
    def label_class(self) -> LabelClass:
        """Class of the objects."""
        return self.class_of(self.members[0].class_id)

    @property
    def count(self) -> Spread:
        """Objects."""
        return self._spread([each.count for each in self.members])

    @property
    def at_border(self) -> Spread:
        """Objects at a face of the volume: their size is a lower bound."""
        return self._spread([each.at_border for each in self.members])

    def fraction(
        self,
        label_class: int | str | None = None,
        by: Literal["voxels", "probability"] = "voxels",
    ) -> Spread:
        """Share of the volume that is of a class, 0 to 1.

        Parameters
        ----------
        label_class : int or str, optional
            Id or name; None is the class of the objects.
        by : {"voxels", "probability"}
            Each voxel counts for its most probable class, or for each class with the
            probability of that.

        Raises
        ------
        SettingsError
            If there is no such class.
        """
        number = self.class_of(label_class).id
        return self._spread(
            [
                each.fraction(number) if by == "voxels" else each.probable(number)
                for each in self.members
            ]
        )

    def size(self, quantity: str, statistic: str = "median") -> Spread:
        """A statistic of the sizes of objects, in the unit of `unit_of`.

        Parameters
        ----------
        quantity : {"volume", "diameter", "length"}
            Volume (area where `flat`), diameter of a ball of that volume, reach along
            the main axis.
        statistic : {"median", "mean", "p10", "p25", "p75", "p90"}
            Over the objects of each member.

        Raises
        ------
        SettingsError
            If there is no such quantity or statistic.
        """
        _check(quantity, QUANTITIES, "quantity")
        _check(statistic, STATISTICS, "statistic")
        return self._spread([each.size(quantity, statistic) for each in self.members])

    def distribution(self, quantity: str) -> Distribution:
        """Objects by size; no bins where no member has objects.

        Raises
        ------
        SettingsError
            If there is no such quantity.
        """
        _check(quantity, QUANTITIES, "quantity")
        found = [each.sizes.get(quantity) for each in self.members]
        there = [sizes for sizes in found if sizes is not None]
        if not there:
            return Distribution((), (), tuple(() for _ in found))
        first = min(sizes.first for sizes in there)
        stop = max(sizes.first + len(sizes.counts) for sizes in there)
        counts = tuple(_between(sizes, first, stop) for sizes in found)
        return Distribution(
            tuple(bin_edge(number) for number in range(first, stop + 1)),
            tuple(self._spread(each) for each in zip(*counts, strict=True)),
            counts,
        )

    def unit_of(self, quantity: str) -> str:
        """Unit of a quantity, e.g. ``"um^3"``."""
        if quantity == "volume":
            return f"{self.unit}^{2 if self.flat else 3}"
        return self.unit

    def class_of(self, wanted: int | str | None) -> LabelClass:
        """Find a class by its id or name; None is the class of the objects.

        Raises
        ------
        SettingsError
            If there is no such class.
        """
        wanted = self.members[0].class_id if wanted is None else wanted
        for each in self.classes:
            if wanted in (each.id, each.name):
                return each
        known = ", ".join(f"{each.id} ({each.name})" for each in self.classes)
        raise SettingsError(f"There is no class {wanted!r}.", f"Classes: {known}.")

    def _spread(self, values: Any) -> Spread:
        return spread_of(list(values), self.weights)


def _between(sizes: Sizes | None, first: int, stop: int) -> tuple[int, ...]:
    """Counts of the bins from `first` to `stop`."""
    if sizes is None:
        return (0,) * (stop - first)
    before = sizes.first - first
    return (
        (0,) * before
        + sizes.counts
        + (0,) * (stop - first - before - len(sizes.counts))
    )


def _check(name: str, known: tuple[str, ...], what: str) -> None:
    if name not in known:
        raise SettingsError(
            f"There is no {what} {name!r}.", f"Choose from: {', '.join(known)}."
        )

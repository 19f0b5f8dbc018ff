"""What one member says about a volume, reduced to numbers."""

from pydantic import Field

from napari_sashiko.config import Settings
from napari_sashiko.measurements.sizes import Sizes


class MemberNumbers(Settings):
    """The numbers of one member's own map.

    Parameters
    ----------
    place : int
        Which member of the model.
    kind : str
        ``"forest"`` or the name of its network.
    weight : float
        Share in the ensemble's mean.
    voxels : dict
        Voxels by class id, each given to the member's most probable class.
    mass : dict
        Sum of probability by class id, in voxels.
    class_id : int
        Class of the objects.
    count, removed, at_border : int
        Objects, those that were dust, and those at a face of the volume.
    sizes : dict
        By quantity; empty where there are no objects.
    seconds : float
        How long it took.
    """

    place: int
    kind: str
    weight: float = Field(gt=0)
    voxels: dict[int, int]
    mass: dict[int, float]
    class_id: int
    count: int
    removed: int
    at_border: int
    sizes: dict[str, Sizes]
    seconds: float

    @property
    def total(self) -> int:
        """Voxels of the volume."""
        return sum(self.voxels.values())

    def fraction(self, class_id: int) -> float:
        """Share of voxels whose most probable class it is, 0 to 1."""
        return self.voxels[class_id] / self.total

    def probable(self, class_id: int) -> float:
        """Mean probability of a class over the volume, 0 to 1."""
        return self.mass[class_id] / sum(self.mass.values())

    def size(self, quantity: str, statistic: str) -> float | None:
        """A statistic of a quantity; None where there are no objects."""
        sizes = self.sizes.get(quantity)
        return None if sizes is None else sizes.statistic(statistic)

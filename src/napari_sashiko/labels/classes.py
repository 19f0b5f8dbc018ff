"""Label classes: a number that never changes, a name, a colour."""

from collections.abc import Sequence
from typing import Annotated, TypeVar

from annotated_types import Ge, Le
from pydantic import Field

from napari_sashiko.config import Settings

# Okabe & Ito (2008): told apart with any kind of colour vision.
PALETTE = (
    "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442",
)  # fmt: skip

_Class = TypeVar("_Class")


class LabelClass(Settings):
    """A class that can be painted; background is one like any other.

    Parameters
    ----------
    id : int
        1..255; the value in label arrays.
    name : str
        For people.
    color : str
        ``"#rrggbb"``, the same in labels, probabilities and plots.
    """

    id: Annotated[int, Ge(1), Le(255)]
    name: str
    color: str = Field(pattern=r"^#[0-9a-fA-F]{6}$")


def default_classes(count: int = 2) -> tuple[LabelClass, ...]:
    """Return the first classes of a new project: background, foreground, class 3."""
    names = ["background", "foreground", *(f"class {i}" for i in range(3, count + 1))]
    return tuple(
        LabelClass(id=i + 1, name=names[i], color=PALETTE[i % len(PALETTE)])
        for i in range(count)
    )


def class_of_objects(classes: Sequence[_Class]) -> _Class:
    """Return the class that objects are of where nobody says: the second.

    The first is what most people paint their background with; it is taken where there
    is no other.
    """
    return classes[min(1, len(classes) - 1)]

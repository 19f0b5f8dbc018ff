"""Measurements of a volume that nobody segmented."""

import numpy as np

from napari_sashiko.labels import LabelClass
from napari_sashiko.measurements import Measurements, MemberNumbers, Sizes

CLASSES = (
    LabelClass(id=1, name="matrix", color="#999999"),
    LabelClass(id=4, name="fibre", color="#e69f00"),
)


def make_member(place, *, weight=0.5, fibre=250, sizes=(8.0, 27.0, 64.0)):
    """A member of a volume of 1000 voxels that found objects of these volumes."""
    values = np.array(sizes)
    quantities = {"volume": values, "diameter": values / 2, "length": values * 3}
    found = {name: Sizes.of(each) for name, each in quantities.items() if len(each)}
    return MemberNumbers(
        place=place,
        kind="tunet" if place else "forest",
        weight=weight,
        voxels={1: 1000 - fibre, 4: fibre},
        mass={1: 990.0 - fibre, 4: fibre + 10.0},
        class_id=4,
        count=len(sizes),
        removed=2,
        at_border=1,
        sizes=found,
        seconds=1.0,
    )


def make_measured(*members, **changes):
    """Measurements of these members."""
    facts = {
        "created": "2024-01-01T00:00:00+00:00",
        "model": "a.sashiko-model",
        "model_digest": "m",
        "image": "ct",
        "image_digest": "i",
        "shape": (10, 10, 10),
        "voxel_size": (2.0, 1.0, 1.0),
        "unit": "um",
        "flat": False,
        "classes": CLASSES,
        "settings": {},
        "members": members,
    }
    return Measurements(**facts | changes)

"""What is wrong, or unwise, about labels: said in words before training."""

from collections.abc import Sequence

import numpy as np

from napari_sashiko.errors import LabelError
from napari_sashiko.labels.classes import LabelClass
from napari_sashiko.labels.labelled import LabelledVoxels
from napari_sashiko.volumes import Stacking

FEW = 50  # voxels below which a class is hardly learned


def check_labels(
    labelled: LabelledVoxels,
    stack: Stacking,
    classes: Sequence[LabelClass],
) -> list[str]:
    """Refuse labels that nothing can be learned from; warn about poor ones.

    Parameters
    ----------
    labelled : LabelledVoxels
        The paint.
    stack : Stacking
        How the slices of the image lie.
    classes : sequence of LabelClass
        All classes, painted or not.

    Returns
    -------
    list of str
        Warnings, a sentence each: a class without paint, with little paint, or with
        paint on one slice only.

    Raises
    ------
    LabelError
        If shapes differ, nothing is labelled, only one class is, or a label belongs to
        no class.
    """
    check_shape(labelled.shape, stack)
    ids, counts = np.unique(labelled.values, return_counts=True)
    painted = dict(zip(ids.tolist(), counts.tolist(), strict=True))
    if not painted:
        raise LabelError("Nothing is labelled yet.", "Paint at least two classes.")
    names = {c.id: c.name for c in classes}
    unknown = sorted(set(painted) - set(names))
    if unknown:
        raise LabelError(
            f"Label {unknown[0]} belongs to no class.",
            f"Classes: {', '.join(str(number) for number in sorted(names))}.",
        )
    if len(painted) == 1:
        raise LabelError(
            f"Only {names[next(iter(painted))]!r} is painted.",
            "Paint at least one more class: background is a class like any other.",
        )
    return [text for c in classes for text in _warnings(labelled, c, painted)]


def check_shape(
    shape: Sequence[int],
    stack: Stacking,
    what: str = "The labels have",
    instead: str = "Choose labels that were painted on this image.",
) -> None:
    """Refuse labels of another shape than their image has.

    Parameters
    ----------
    shape : sequence of int
        (Z, Y, X) of the labels.
    stack : Stacking
        How the slices of the image lie.
    what, instead : str
        Whose shape it is, and what to do about it.

    Raises
    ------
    LabelError
        Telling both shapes by the axes of the image.
    """
    if tuple(shape) != tuple(stack.shape):
        found, wanted = stack.told(shape), stack.told(stack.shape)
        raise LabelError(
            f"{what} shape {found}, the image has {wanted}.",
            instead,
        )


def _warnings(
    labelled: LabelledVoxels, label_class: LabelClass, painted: dict[int, int]
) -> list[str]:
    name, count = label_class.name, painted.get(label_class.id, 0)
    if count == 0:
        return [f"{name!r} has no paint yet: the model will not know it."]
    texts = []
    if count < FEW:
        texts.append(f"{name!r} has only {count} painted voxels: paint some more.")
    slices = np.unique(labelled.coords[labelled.values == label_class.id, 0])
    if labelled.shape[0] > 1 and len(slices) == 1:
        texts.append(
            f"{name!r} is painted on one slice only: paint it on another one, so that "
            "the model can be judged elsewhere."
        )
    return texts

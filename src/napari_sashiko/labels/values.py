"""Grey values and colours of label pictures, as the classes that they stand for.

A value is a number: that of grey, or ``COLOUR + 0xRRGGBB``. A colour whose parts are
equal is the same value as that grey, so that black is 0 in any kind of picture.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_sashiko.errors import LabelError

COLOUR = 1 << 32
MOST_VALUES = 255  # class ids are bytes, 0 is not labelled
NOTHING = -1  # the value of unlabelled pixels where all are labelled
STRIP = 1 << 22  # pixels that are looked at together
BRIGHTEST = 65535


def value_of(text: str) -> int:
    """Read ``"255"``, ``"#ff0000"`` or ``"none"``.

    Raises
    ------
    LabelError
        If it is none of these.
    """
    word = text.strip().lower()
    if word == "none":
        return NOTHING
    if re.fullmatch(r"#[0-9a-f]{6}", word):
        return _value(int(word[1:], 16))
    if word.isdecimal() and int(word) <= BRIGHTEST:
        return int(word)
    raise LabelError(
        f"{text!r} is no grey value and no colour.",
        f"Write 0 to {BRIGHTEST}, a colour such as #ff0000, or none.",
    )


def text_of(value: int) -> str:
    """Write a value as `value_of` reads it."""
    if value >= COLOUR:
        return f"#{value - COLOUR:06x}"
    return "none" if value == NOTHING else str(value)


def name_of_value(value: int) -> str:
    """Name a class after its value where nobody gave it a name."""
    return text_of(value) if value >= COLOUR else f"grey {value}"


def count_values(picture: NDArray[Any]) -> dict[int, int]:
    """Pixels of each value of a label picture, in order of the values.

    Parameters
    ----------
    picture : numpy.ndarray
        ``(Y, X)`` integers or ``(Y, X, 3)`` uint8.

    Raises
    ------
    LabelError
        If it holds more than 255 values, fractions or negative numbers.
    """
    found: dict[int, int] = {}
    for rows in _strips(picture):
        values, counts = np.unique(_values(picture[rows]), return_counts=True)
        for value, count in zip(values.tolist(), counts.tolist(), strict=True):
            found[value] = found.get(value, 0) + count
        check_count(len(found))
    return dict(sorted(found.items()))


def check_count(count: int) -> None:
    """Refuse more values than there can be classes.

    Raises
    ------
    LabelError
        Saying what such pictures usually are.
    """
    # One more: that of unlabelled pixels.
    if count > MOST_VALUES + 1:
        raise LabelError(
            f"There are more than {MOST_VALUES} grey values or colours in it.",
            "Labels have one for each class; shaded or JPEG pictures have others "
            "between them.",
        )


@dataclass(frozen=True)
class LabelValues:
    """Which value of a label picture stands for which class.

    Attributes
    ----------
    values : tuple of int
        Grey values and colours; each stands for one class.
    ids : tuple of int
        Their classes, 1..255, in the same order.
    unlabelled : int
        The value of pixels that are not labelled; ``NOTHING`` where all are.
    """

    values: tuple[int, ...]
    ids: tuple[int, ...]
    unlabelled: int = 0

    def classify(self, picture: NDArray[Any]) -> NDArray[np.uint8]:
        """Class ids ``(Y, X)`` of a label picture, 0 where nothing is labelled.

        Raises
        ------
        LabelError
            If a value stands for no class.
        """
        out = np.empty(picture.shape[:2], np.uint8)
        for rows in _strips(picture):
            out[rows] = self._classes(_values(picture[rows]))
        return out

    def picture_of(self, ids: NDArray[np.uint8]) -> NDArray[Any]:
        """Turn class ids ``(Y, X)`` into a picture as labels are: grey or colours."""
        table = np.zeros(MOST_VALUES + 1, np.int64)
        table[list(self.ids)] = self.values
        if max(self.values) < COLOUR:
            grey = np.uint8 if table.max() < 256 else np.uint16
            return np.asarray(table.astype(grey)[ids])
        colours = np.where(table >= COLOUR, table - COLOUR, table * 0x010101)
        parts = [colours >> shift & 255 for shift in (16, 8, 0)]
        return np.asarray(np.stack(parts, axis=1).astype(np.uint8)[ids])

    def _classes(self, values: NDArray[np.int64]) -> NDArray[np.uint8]:
        known = np.array([*self.values, self.unlabelled])
        ids = np.array([*self.ids, 0], np.uint8)
        order = np.argsort(known)
        known, ids = known[order], ids[order]
        place = np.searchsorted(known, values).clip(0, len(known) - 1)
        strange = known[place] != values
        if strange.any():
            value = int(values[strange].min())
            listed = ", ".join(text_of(each) for each in sorted(self.values))
            raise LabelError(
                f"The value {text_of(value)} belongs to no class.",
                f"Classes: {listed}.",
            )
        return np.asarray(ids[place])


def _values(picture: ArrayLike) -> NDArray[np.int64]:
    """Value of each pixel."""
    pixels = np.asarray(picture)
    if pixels.dtype.kind not in "biu":
        raise LabelError(
            f"It is of type {pixels.dtype}.", "Values of labels are whole numbers."
        )
    wide = pixels.astype(np.int64)
    if pixels.ndim == 2:
        low, high = int(wide.min(initial=0)), int(wide.max(initial=0))
        if low < 0 or high > BRIGHTEST:
            raise LabelError(
                f"There is a value {low if low < 0 else high} in it.",
                f"Values of labels go from 0 to {BRIGHTEST}.",
            )
        return wide
    if pixels.dtype.itemsize > 1:
        raise LabelError(
            f"It has colours of type {pixels.dtype}.", "Save labels with 8 bits a part."
        )
    red, green, blue = np.moveaxis(wide, -1, 0)
    packed = COLOUR + (red << 16 | green << 8 | blue)
    return np.asarray(np.where((red == green) & (green == blue), red, packed))


def _value(packed: int) -> int:
    red = packed >> 16
    return red if packed == red * 0x010101 else COLOUR + packed


def _strips(picture: NDArray[Any]) -> Iterator[slice]:
    step = max(1, STRIP // max(picture.shape[1], 1))
    for start in range(0, picture.shape[0], step):
        yield slice(start, start + step)

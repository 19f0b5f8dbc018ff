"""Measurements in words: digits that the spread leaves standing, units, sentences."""

import math
from collections.abc import Iterator

from napari_sashiko.measurements.measured import Measurements
from napari_sashiko.measurements.spread import Spread

SIGN = "+-"
TWO_DIGITS = 3.55  # a deviation of 0.0355 is written with two digits, 0.036 with one
NEXT_POWER = 9.5
MOST_DECIMALS = 6
LARGEST = 1e12  # written out; beyond, with an exponent
UNITLESS = ("", "pixel")


def with_error(spread: Spread, unit: str = "", *, sign: str = SIGN) -> str:
    """Write ``"877 +- 21"``, ``"12.3 +- 0.4 %"``, or ``"877"`` where there is no std.

    As many digits as the standard deviation leaves standing: R. L. Workman et al.
    (Particle Data Group), *PTEP* 2022, 083C01, section 5.3 of the introduction.

    Parameters
    ----------
    spread : Spread
        The number.
    unit : str
        Written behind it.
    sign : str
        Between mean and deviation.
    """
    if spread.mean is None:
        return "none"
    end = f" {unit}" if unit else ""
    if spread.std is None:
        return f"{_plain(spread.mean)}{end}"
    if spread.std == 0:
        return f"{_plain(spread.mean)} {sign} 0{end}"
    decimals = _decimals(spread.std)
    if decimals > MOST_DECIMALS or abs(spread.mean) >= LARGEST:
        return f"{spread.mean:.4g} {sign} {spread.std:.2g}{end}"
    mean, std = (_rounded(each, decimals) for each in (spread.mean, spread.std))
    return f"{mean} {sign} {std}{end}"


def line_of(measured: Measurements, *, sign: str = SIGN, unit: str = "") -> str:
    """Say count, median length and volume fraction in one line.

    Parameters
    ----------
    measured : Measurements
        The numbers.
    sign : str
        Between mean and deviation.
    unit : str
        How the unit of length is written; empty takes its name.
    """
    name = measured.label_class.name
    length = "pixels" if measured.unit in UNITLESS else unit or measured.unit
    parts = [f"{with_error(measured.count, sign=sign)} objects"]
    median = measured.size("length")
    if median.mean is not None:
        parts.append(f"median length {with_error(median, length, sign=sign)}")
    share = with_error(measured.fraction().times(100), "%", sign=sign)
    alone = " (one member: no spread)" if len(measured.members) == 1 else ""
    return f"{', '.join(parts)}; {name} {share}{alone}"


def fractions_of(measured: Measurements, *, sign: str = SIGN) -> list[tuple[str, str]]:
    """Name of each class, and its share of the volume in percent."""
    return [
        (each.name, with_error(measured.fraction(each.id).times(100), "%", sign=sign))
        for each in measured.classes
    ]


def lines_of(measured: Measurements) -> list[str]:
    """Say all that is most often asked for, a line each."""
    name, shares = measured.label_class.name, "area" if measured.flat else "volume"
    lines = [
        f"{label}: {share} of the {shares}" for label, share in fractions_of(measured)
    ]
    lines.append(
        f"{name}: {with_error(measured.count)} objects, "
        f"{with_error(measured.at_border)} of them at the border"
    )
    return [*lines, *_sizes(measured), _what_it_rests_on(measured)]


def _sizes(measured: Measurements) -> Iterator[str]:
    name, found = measured.label_class.name, measured.size("length").members
    if not found:
        return
    for quantity, word in (
        ("volume", "area" if measured.flat else "volume"),
        ("diameter", "equivalent diameter"),
        ("length", "length"),
    ):
        unit = measured.unit_of(quantity)
        median, mean = (
            with_error(measured.size(quantity, each), unit)
            for each in ("median", "mean")
        )
        yield f"{name}: median {word} {median}, mean {mean}"
    if found < len(measured.members):
        yield (
            f"Only {found} of {len(measured.members)} members found objects: sizes are "
            "those of these members."
        )


def _what_it_rests_on(measured: Measurements) -> str:
    members = len(measured.members)
    if members == 1:
        return (
            "One member: no spread. Train an ensemble to see how far models are apart."
        )
    return (
        f"{SIGN} is the standard deviation over {members} members (as many as "
        f"{measured.effective_members:.1f} of equal weight): how far models are apart, "
        "not how far all of them are off."
    )


def _decimals(std: float) -> int:
    """Decimals to which a number with this deviation is worth writing."""
    power = math.floor(math.log10(std))
    leading = std / 10.0**power
    if leading >= NEXT_POWER:  # 0.096 is written 0.10
        return -power
    return (1 if leading < TWO_DIGITS else 0) - power


def _rounded(value: float, decimals: int) -> str:
    return f"{round(value, decimals):.{max(0, decimals)}f}"


def _plain(value: float) -> str:
    """Write whole numbers as they are, others with three digits."""
    if value == round(value) and abs(value) < LARGEST:
        return f"{value:.0f}"
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"

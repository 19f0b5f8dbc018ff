"""Measurements as tables: a row for mean, std and each member, units in the header."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from napari_sashiko.measurements.measured import Measurements
from napari_sashiko.measurements.sizes import QUANTITIES, STATISTICS
from napari_sashiko.measurements.spread import Spread, spread_of

FIRST = ("member", "weight")
Row = Sequence[object]


@dataclass(frozen=True)
class Column:
    """One number of each member.

    Parameters
    ----------
    title : str
        With the unit in brackets.
    values : tuple of float or None
        By member; None where it has none.
    """

    title: str
    values: tuple[float | None, ...]


def summary_text(measured: Measurements) -> str:
    """Write all numbers as CSV: rows ``mean``, ``std``, then each member."""
    columns = list(_columns(measured))
    spreads = [spread_of(each.values, measured.weights) for each in columns]
    rows: list[Row] = [
        (*FIRST, *(each.title for each in columns)),
        ("mean", "", *(each.mean for each in spreads)),
        ("std", "", *(each.std for each in spreads)),
    ]
    for place, member in enumerate(measured.members):
        numbers = (each.values[place] for each in columns)
        rows.append((_name(measured, place), member.weight, *numbers))
    return _csv(rows)


def distribution_text(measured: Measurements, quantity: str) -> str:
    """Write the size distribution as CSV: a row for each bin."""
    found, unit = measured.distribution(quantity), measured.unit_of(quantity)
    names = [_name(measured, place) for place in range(len(measured.members))]
    rows: list[Row] = [(f"from [{unit}]", f"to [{unit}]", "mean", "std", *names)]
    for number, spread in enumerate(found.spreads):
        counts = (each[number] for each in found.counts)
        edges = found.edges[number : number + 2]
        rows.append((*edges, spread.mean, spread.std, *counts))
    return _csv(rows)


def summary_record(measured: Measurements) -> dict[str, object]:
    """Put the same numbers into a mapping for JSON: mean, std and members of each."""
    spreads: dict[str, Spread] = {
        column.title: spread_of(column.values, measured.weights)
        for column in _columns(measured)
    }
    return {
        name: {"mean": each.mean, "std": each.std, "members": each.members}
        for name, each in spreads.items()
    }


def _columns(measured: Measurements) -> Iterator[Column]:
    members = measured.members
    for each in measured.classes:
        shares = tuple(100 * member.fraction(each.id) for member in members)
        yield Column(f"{each.name} fraction [%]", shares)
    for each in measured.classes:
        shares = tuple(100 * member.probable(each.id) for member in members)
        yield Column(f"{each.name} mean probability [%]", shares)
    name = measured.label_class.name
    yield Column(f"{name} objects", tuple(each.count for each in members))
    yield Column(f"{name} objects at the border", tuple(m.at_border for m in members))
    yield Column(f"{name} removed as dust", tuple(each.removed for each in members))
    for quantity in QUANTITIES:
        word = "area" if measured.flat and quantity == "volume" else quantity
        for statistic in STATISTICS:
            values = tuple(each.size(quantity, statistic) for each in members)
            unit = measured.unit_of(quantity)
            yield Column(f"{name} {word} {statistic} [{unit}]", values)


def _name(measured: Measurements, place: int) -> str:
    member = measured.members[place]
    return f"{member.place} {member.kind}"


def _csv(rows: Sequence[Row]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()

"""How the networks of a model learned."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from napari_sashiko.errors import PlotError
from napari_sashiko.plots._figure import (
    PLOTS,
    PlotData,
    add_legend,
    dress,
    new_figure,
    only_left_and_bottom,
    say,
)
from napari_sashiko.plots._style import PlotStyle
from napari_sashiko.volumes import reading

MOST_NAMED = 10  # lines in a legend


@dataclass(frozen=True)
class MemberCurve:
    """Scores of one network by epoch, from epoch 1 on; NaN where nothing is known.

    Parameters
    ----------
    name : str
        For people.
    loss, valid_loss : tuple of float
        Mean cross entropy of training patches and of held-out strokes, nats.
    macro_f1 : tuple of float
        On held-out strokes.
    """

    name: str
    loss: tuple[float, ...]
    valid_loss: tuple[float, ...]
    macro_f1: tuple[float, ...]


@dataclass(frozen=True)
class TrainingCurves(PlotData):
    """The networks of one model, in their order."""

    members: tuple[MemberCurve, ...]


def curves_of(training: Mapping[str, Any]) -> TrainingCurves:
    """Read the curves from a model's training record.

    Raises
    ------
    PlotError
        If no network was trained.
    OutputError
        If the record is damaged.
    """
    with reading("The training record", "Train the model again."):
        histories = list(training.get("history") or ())
        members = tuple(
            MemberCurve(
                f"network {number}",
                *(
                    tuple(_number(dict(epoch).get(key)) for epoch in history)
                    for key in ("loss", "valid_loss", "macro_f1")
                ),
            )
            for number, history in enumerate(histories, start=1)
            if history
        )
    if not members:
        raise PlotError(
            "There are no training curves: no network of this model has learned yet.",
            "A forest has none.",
        )
    return TrainingCurves(members)


@PLOTS.register("curves")
def curves(data: TrainingCurves, style: PlotStyle) -> Figure:
    """Training curves.

    Loss on training patches and on held-out strokes, and F1 on held-out strokes, by
    epoch; a colour for each network.
    """
    figure = new_figure(style, 4.6 if style.narrow else 2.7)
    columns = 1 if style.narrow else 2
    loss, score = figure.subplots(2 // columns, columns)
    for number, member in enumerate(data.members):
        colour = style.line(number)
        _draw(loss, member.loss, colour, "-", label=member.name)
        _draw(loss, member.valid_loss, colour, "--")
        _draw(score, member.macro_f1, colour, "-")
    dress(
        loss,
        style,
        x="epoch",
        y="cross entropy (nats)",
        title="Loss: training (line), held-out (dashed)",
    )
    dress(score, style, x="epoch", y="macro F1", title="F1 on held-out strokes")
    if not any(_known(member.macro_f1) for member in data.members):
        say(score, style, "nothing was held out")
    loss.set_ylim(bottom=0)
    score.set_ylim(0, 1.02)
    for axes in (loss, score):
        only_left_and_bottom(axes)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    if len(data.members) <= MOST_NAMED:
        add_legend(loss, style)
    return figure


def _draw(
    axes: Axes, values: Sequence[float], colour: str, dashes: str, label: str = ""
) -> None:
    epochs = range(1, len(values) + 1)
    few = "o" if len(_known(values)) == 1 else ""
    axes.plot(
        epochs,
        values,
        dashes,
        color=colour,
        linewidth=1.4,
        marker=few,
        markersize=4,
        label=label or None,
    )


def _known(values: Sequence[float]) -> list[float]:
    return [value for value in values if math.isfinite(value)]


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)

"""What all figures share: the registry, an empty figure, dressed axes, bytes.

Figures are made with matplotlib's objects alone. ``pyplot`` keeps figures in a global
list and is not safe in threads; global settings of the user would change what is drawn.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from inspect import getdoc
from typing import Any, get_type_hints

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties

from napari_sashiko.errors import SettingsError
from napari_sashiko.plots._style import PlotStyle
from napari_sashiko.registry import Registry

FONT = "DejaVu Sans"  # comes with matplotlib
WORDS, TITLE = 8.0, 9.5  # points
PROGRAM = "napari-sashiko"
METADATA: dict[str, dict[str, str | None]] = {
    "png": {"Software": PROGRAM},
    "pdf": {"Creator": PROGRAM, "CreationDate": None},
}

Plot = Callable[[Any, PlotStyle], Figure]
PLOTS: Registry[Plot] = Registry("figure", "napari_sashiko.plots")


@dataclass(frozen=True)
class PlotData:
    """Ancestor of what figures are drawn from.

    Parameters
    ----------
    note : str
        Where the numbers come from, in a sentence or two; the caption.
    """

    note: str = field(default="", kw_only=True)


def plot_title(name: str) -> str:
    """What people call a figure: the first line of its docstring.

    Raises
    ------
    SettingsError
        If there is no such figure.
    """
    return (getdoc(PLOTS[name]) or name).splitlines()[0].rstrip(".")


def data_kind(name: str) -> type[PlotData]:
    """Which kind of data a figure is drawn from.

    Raises
    ------
    SettingsError
        If there is no such figure, or it does not say.
    """
    kind = get_type_hints(PLOTS[name]).get("data")
    if not (isinstance(kind, type) and issubclass(kind, PlotData)):
        raise SettingsError(
            f"The figure {name!r} does not say what it is drawn from.",
            "Annotate its parameter `data` with a kind of PlotData.",
        )
    return kind


def new_figure(style: PlotStyle, height: float) -> Figure:
    """Make an empty figure of the style's width and `height`, inches."""
    figure = Figure(
        figsize=(style.width, height),
        dpi=style.dpi,
        facecolor=style.background,
        edgecolor="none",
        layout="constrained",
    )
    FigureCanvasAgg(figure)
    return figure


def dress(
    axes: Axes, style: PlotStyle, *, x: str = "", y: str = "", title: str = ""
) -> None:
    """Colour axes and write what they mean, with units."""
    axes.set_facecolor(style.background)
    for spine in axes.spines.values():
        spine.set(color=style.faint, linewidth=0.8)
    axes.tick_params(
        color=style.faint,
        labelcolor=style.text,
        labelsize=WORDS,
        labelfontfamily=FONT,
        width=0.8,
    )
    words: dict[str, Any] = {"color": style.text, "fontfamily": FONT}
    axes.set_xlabel(x, fontsize=WORDS, **words)
    axes.set_ylabel(y, fontsize=WORDS, **words)
    axes.set_title(title, fontsize=TITLE, loc="left", **words)


def only_left_and_bottom(axes: Axes) -> None:
    """Take the upper and the right frame away."""
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def add_legend(axes: Axes, style: PlotStyle, **more: Any) -> None:
    """Name what was drawn with a label; nothing if nothing was."""
    if axes.get_legend_handles_labels()[0] or more.get("handles"):
        axes.legend(
            prop=font(),
            labelcolor=style.text,
            facecolor=style.background,
            edgecolor="none",
            framealpha=0.8,
            **more,
        )


def font() -> FontProperties:
    """Letters of a legend."""
    return FontProperties(family=FONT, size=WORDS)


def add_bar(
    figure: Figure, drawn: Any, axes: Axes, style: PlotStyle, title: str
) -> None:
    """Add the bar that tells values by their colours."""
    bar = figure.colorbar(drawn, ax=axes, shrink=0.75, aspect=24, pad=0.03)
    bar.outline.set(edgecolor=style.faint, linewidth=0.8)
    dress(bar.ax, style, y=title)


def say(axes: Axes, style: PlotStyle, text: str) -> None:
    """Write a sentence where nothing can be drawn."""
    axes.text(
        0.5,
        0.5,
        text,
        transform=axes.transAxes,
        ha="center",
        va="center",
        wrap=True,
        color=style.text,
        fontsize=WORDS,
        fontfamily=FONT,
    )


def render(figure: Figure, kind: str = "png") -> bytes:
    """Draw a figure as ``"png"`` or ``"pdf"``; the same figure gives the same bytes.

    Raises
    ------
    SettingsError
        If it is another kind of file.
    """
    if kind not in METADATA:
        raise SettingsError(
            f"A figure cannot be written as {kind!r}.", f"Known: {', '.join(METADATA)}."
        )
    out = io.BytesIO()
    figure.savefig(
        out,
        format=kind,
        dpi=figure.get_dpi(),
        facecolor=figure.get_facecolor(),
        edgecolor="none",
        metadata=METADATA[kind],
    )
    return out.getvalue()

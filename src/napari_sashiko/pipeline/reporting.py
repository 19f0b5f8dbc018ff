"""A report: one page about data, model, scores, objects and how they came about."""

import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from napari_sashiko.errors import SashikoError
from napari_sashiko.pipeline.evidence import Evidence
from napari_sashiko.pipeline.figures import draw_figure, figure_data
from napari_sashiko.pipeline.report_files import STARTS, report_target, write_whole
from napari_sashiko.pipeline.report_page import quietly, report_page, report_tables
from napari_sashiko.pipeline.sources import Sources, find_sources
from napari_sashiko.plots import (
    DARK,
    LIGHT,
    PLOTS,
    Lengths,
    Picture,
    PlotData,
    PlotSettings,
    plot_title,
)
from napari_sashiko.runners import Event, Message, Progress, Tick

Written = tuple[tuple[str, ...], tuple[tuple[str, str], ...]]


class ReportSettings(PlotSettings):
    """What is written, and how much is looked at for it."""

    format: Literal["html", "png", "pdf"] = Field(
        default="html",
        description="One page with everything (html), or a file for each figure.",
    )
    figures: tuple[str, ...] = Field(
        default=(), description="Names of figures; empty: all that can be drawn."
    )


@dataclass(frozen=True, slots=True)
class FigureDone(Event):
    """A figure is drawn; `path` is its file, empty for a figure of a page."""

    name: str
    path: str


@dataclass(frozen=True, slots=True)
class ReportDone(Event):
    """All is written.

    Attributes
    ----------
    path : str
        The page, or the folder of the figures.
    figures : tuple of str
        What was drawn.
    missing : tuple of (name, reason)
        What could not be drawn, and why.
    seconds : float
        Duration.
    """

    path: str
    figures: tuple[str, ...]
    missing: tuple[tuple[str, str], ...]
    seconds: float


def report_steps(
    path: Path | str | Sources,
    out: Path | str | None = None,
    settings: ReportSettings | None = None,
    **given: Any,
) -> Iterator[Event]:
    """Write a report on a project, a model, a prediction or its objects.

    What is missing or damaged is a sentence in the report, not the end of it. Files
    appear complete or not at all.

    Parameters
    ----------
    path : path or Sources
        What it is about; see `find_sources`.
    out : path, optional
        The page ``NAME.html``, or the folder for figures. In the project's ``plots``
        when left out.
    settings : ReportSettings, optional
        Format, figures, bounds.
    **given
        Fields of `Sources`: model, prediction, instances, table, measurements, image,
        labels, truth, ignore.

    Yields
    ------
    Event
        `Progress`, `Message`, `FigureDone`, `ReportDone`, `Tick`.

    Raises
    ------
    SashikoError
        If nothing is there, or the output cannot be written.
    """
    start = time.monotonic()
    chosen = settings or ReportSettings()
    names = [_known(name) for name in chosen.figures] or list(PLOTS)
    sources = path if isinstance(path, Sources) else find_sources(path, **given)
    target = report_target(sources, out, chosen.format)
    for text in sources.remarks:
        yield Message(text, "warning")
    evidence = Evidence(sources)
    work = (_write_page if chosen.format == "html" else _write_figures)(
        evidence, names, target, chosen
    )
    drawn, missing = yield from work
    yield ReportDone(str(target), drawn, missing, time.monotonic() - start)


def _write_figures(
    evidence: Evidence, names: list[str], folder: Path, settings: ReportSettings
) -> Generator[Event, None, Written]:
    """A file for each figure that can be drawn."""
    drawn, missing = [], []
    for number, name in enumerate(names):
        yield Progress(number, len(names), "figures")
        try:
            data = yield from quietly(figure_data(name, evidence, settings))
            content = draw_figure(name, data, LIGHT, settings.format)
        except SashikoError as error:
            missing.append((name, str(error)))
            yield Message(f"{plot_title(name)}: {error}")
            continue
        file = folder / f"{name}.{settings.format}"
        write_whole(file, content, STARTS[settings.format])
        drawn.append(name)
        yield FigureDone(name, str(file))
    yield Progress(len(names), len(names), "figures")
    return tuple(drawn), tuple(missing)


def _write_page(
    evidence: Evidence, names: list[str], file: Path, settings: ReportSettings
) -> Generator[Event, None, Written]:
    """All figures and tables on one page."""
    pictures: dict[str, Picture] = {}
    missing: dict[str, str] = {}
    lengths: PlotData | None = None
    total = len(names) + 1  # the page comes last
    for number, name in enumerate(names):
        yield Progress(number, total, "figures")
        try:
            data = yield from quietly(figure_data(name, evidence, settings))
            lengths = data if isinstance(data, Lengths) else lengths
            pictures[name] = yield from _picture(name, data)
        except SashikoError as error:
            missing[name] = str(error)
            yield Message(f"{plot_title(name)}: {error}")
        else:
            yield FigureDone(name, "")
    yield Progress(len(names), total, "figures")
    tables = yield from report_tables(evidence, lengths)
    page = report_page(evidence, tables, pictures, missing, settings)
    write_whole(file, page.encode(), None)
    yield Progress(total, total, "figures")
    return tuple(pictures), tuple(missing.items())


def _picture(name: str, data: PlotData) -> Generator[Event, None, Picture]:
    light = draw_figure(name, data, LIGHT)
    yield Tick()
    dark = draw_figure(name, data, DARK)
    yield Tick()
    text = (PLOTS[name].__doc__ or "").partition("\n\n")[2]
    note = f"{' '.join(text.split())} {data.note}".strip()
    return Picture(name, plot_title(name), note, light, dark)


def _known(name: str) -> str:
    _ = PLOTS[name]  # says which there are
    return name

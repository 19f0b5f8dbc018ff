"""The page of a report: which words, tables and figures stand where."""

from collections.abc import Generator
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from napari_sashiko.errors import SashikoError
from napari_sashiko.pipeline import report_words as words
from napari_sashiko.pipeline.evidence import Evidence
from napari_sashiko.plots import (
    Lengths,
    Missing,
    Part,
    Picture,
    PlotData,
    PlotSettings,
    Section,
    plot_title,
    write_page,
)
from napari_sashiko.runners import Event, Message, Tick

SHOWN = {  # section -> its figures, in their order
    "Data": ("slices", "intensities"),
    "Model": ("curves", "graph"),
    "How good it is": ("reliability", "confusion"),
    "Segmented volume": (),
    "Objects": ("lengths", "directions"),
}
LEAD = "What was measured, by which model, from which paint, and how far to trust it."


def report_page(
    evidence: Evidence,
    tables: dict[str, list[Part]],
    pictures: dict[str, Picture],
    missing: dict[str, str],
    settings: PlotSettings,
) -> str:
    """Put the page together.

    Parameters
    ----------
    evidence : Evidence
        What it is about.
    tables : dict
        Words and tables by section; see `report_tables`.
    pictures : dict
        Figures that were drawn, by name.
    missing : dict
        Why the others were not, by name.
    settings : PlotSettings
        Of the report; they stand at its end.
    """
    sections = [*_sections(tables, pictures, missing), _origin(evidence, settings)]
    footer = f"Made by napari-sashiko {_version()}, {_now()}."
    return write_page(evidence.sources.name, LEAD, sections, footer=footer)


def report_tables(
    evidence: Evidence, lengths: PlotData | None
) -> Generator[Event, None, dict[str, list[Part]]]:
    """Words and tables by section."""
    sources = evidence.sources
    tables: dict[str, list[Part]] = {"Data": words.data_parts(evidence)}
    yield Tick()
    tables["Model"] = words.model_parts(evidence)
    tables["How good it is"] = []
    if sources.model is not None:
        tables["How good it is"] = words.score_parts(evidence)
    if sources.truth is not None:
        try:
            scores = yield from quietly(evidence.scores())
            tables["How good it is"].append(words.truth_table(scores))
        except SashikoError as error:
            tables["How good it is"].append(Missing(str(error)))
    tables["Segmented volume"] = words.prediction_parts(evidence)
    yield Tick()
    if isinstance(lengths, Lengths):
        tables["Objects"] = [words.lengths_table(lengths)]
    return tables


def _sections(
    tables: dict[str, list[Part]],
    pictures: dict[str, Picture],
    missing: dict[str, str],
) -> list[Section]:
    """Put tables and figures in their order; figures of other packages come last."""
    left: dict[str, Part] = {}
    for name, reason in missing.items():
        left[name] = Missing(f"{plot_title(name)}: {reason}")
    left |= pictures
    sections = []
    for title, names in SHOWN.items():
        parts = list(tables.get(title, []))
        said = {part.text for part in parts if isinstance(part, Missing)}
        for name in names:
            part = left.pop(name, None)
            # What is missing for a table as well was said there.
            if part is not None and missing.get(name) not in said:
                parts.append(part)
        sections.append(Section(title, tuple(parts)))
    return [*sections, Section("More", tuple(left.values()))]


def _origin(evidence: Evidence, settings: PlotSettings) -> Section:
    own = words.settings_table(
        "Settings of this report",
        {**settings.model_dump(mode="json"), "napari-sashiko": _version()},
    )
    remarks = tuple(Missing(text) for text in evidence.sources.remarks)
    return Section("Origin", (*remarks, *words.origin_parts(evidence), own))


def quietly(steps: Generator[Event, None, Any]) -> Generator[Event, None, Any]:
    """Let the steps of one figure be stopped without moving the bar of all."""
    while True:
        try:
            event = next(steps)
        except StopIteration as done:
            return done.value
        yield event if isinstance(event, Message) else Tick()


def _version() -> str:
    try:
        return version("napari-sashiko")
    except PackageNotFoundError:  # a source tree that was never installed
        return "0.0.0"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")

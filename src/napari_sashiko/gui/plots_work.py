"""What the dock of plots asks of the engine; all of it runs in a job."""

from collections.abc import Generator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from qtpy.QtGui import QImage

from napari_sashiko.gui.plots_view import image_of
from napari_sashiko.runners import Event, Tick
from napari_sashiko.session import Session

INDEX = "project.json"
PAPER_DPI = 300  # dots per inch of a figure that is saved


@dataclass(frozen=True)
class Subject:
    """What figures are about: what is on the desk, or a folder.

    Parameters
    ----------
    name : str
        For people.
    path : Path or None
        A folder that the user has chosen: nothing else counts then.
    folder : Path or None
        The project on the desk.
    given : tuple of (name, value)
        What the desk knows better than the folder: fields of `Sources`.
    """

    name: str
    path: Path | None = None
    folder: Path | None = None
    given: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True)
class Look:
    """Fields of `PlotStyle`, known before the engine is loaded."""

    background: str
    text: str
    faint: str
    width: float
    dpi: int


@dataclass(frozen=True)
class Drawn:
    """A figure in the dock.

    Parameters
    ----------
    name : str
        Which figure.
    data : PlotData
        What it was drawn from: it is drawn again from this.
    image : QImage
        The picture.
    note : str
        Caption.
    """

    name: str
    data: Any
    image: QImage
    note: str


def desk_subject(session: Session, dock: Any) -> Subject:
    """What is on the desk now, without reading any of it.

    Parameters
    ----------
    session : Session
        The desk.
    dock : SashikoDock or None
        Whose chosen model and prediction are taken.
    """
    given: dict[str, Any] = {"image": session.volume}
    paint = session.labels.paint
    if paint is not None:

        def labels() -> Any:
            # In the job: the engine may have to be loaded first.
            return session.engine.PaintedLabels(paint.labelled(), paint.classes)

        given["labels"] = labels
    if dock is not None:
        given["model"] = dock.segment.model
        found = dock.instances.prediction
        given["prediction"] = None if found is None else found.path
    known = tuple((name, value) for name, value in given.items() if value is not None)
    return Subject(session.name, folder=session.folder, given=known)


def find(engine: Any, subject: Subject) -> Any:
    """Find what belongs to a subject: `Sources`."""
    if subject.path is not None:
        return engine.find_sources(subject.path)
    given = dict(subject.given)
    folder = subject.folder
    if folder is not None and (folder / INDEX).exists():
        return replace(engine.find_sources(folder, **given), name=subject.name)
    return engine.Sources(subject.name, **given)


def list_figures(session: Session) -> Generator[Event, None, dict[str, str]]:
    """Names and titles of all figures; the first time this loads what draws them."""
    yield Tick()
    titles: dict[str, str] = session.engine.figure_titles()
    return titles


def draw(
    session: Session, name: str, subject: Subject, look: Look, data: Any = None
) -> Generator[Event, None, Drawn]:
    """Collect what a figure is drawn from, unless it is known, and draw it."""
    yield Tick()
    engine = session.engine
    if data is None:
        evidence = engine.Evidence(find(engine, subject))
        yield Tick()
        settings = engine.PlotSettings()
        data = yield from engine.figure_data(name, evidence, settings)
    yield Tick()
    style = engine.PlotStyle(**vars(look))
    image = image_of(engine.draw_figure(name, data, style))
    return Drawn(name, data, image, data.note)


def save(session: Session, drawn: Drawn, path: Path) -> Generator[Event, None, Path]:
    """Write a figure as it looks on paper, in the format that the name asks for."""
    yield Tick()
    engine = session.engine
    kind = path.suffix.lower().removeprefix(".")
    style = engine.PlotStyle(dpi=PAPER_DPI)
    content = engine.draw_figure(drawn.name, drawn.data, style, kind)
    yield Tick()
    engine.write_whole(path, content, None)
    return path


def write_report(
    session: Session, subject: Subject, out: Path
) -> Generator[Event, None, None]:
    """Write the report on a subject.

    The model is the one that made the prediction, whichever is chosen now.
    """
    yield Tick()
    engine = session.engine
    given = tuple(pair for pair in subject.given if pair[0] != "model")
    predicted = any(name == "prediction" for name, _ in given)
    about = replace(subject, given=given) if predicted else subject
    yield from engine.report_steps(find(engine, about), out)

"""What a project remembers of runs and of its image, whoever it is that works in it."""

import threading
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel

from napari_sashiko.labels import LabelClass
from napari_sashiko.pipeline.project import INDEX, SUFFIX, ImageFacts, Project
from napari_sashiko.volumes import Volume

# What is noted is added to what stands there: jobs of a session take turns.
ONE_AT_A_TIME = threading.Lock()


def note_run(
    out: Path,
    step: str,
    settings: BaseModel,
    *,
    volume: Volume | None = None,
    classes: Sequence[LabelClass] = (),
) -> None:
    """Remember a run in the project that its output lies in, if it lies in one."""
    folder = out.absolute().parents[1]
    if folder.suffix != SUFFIX:
        return
    image = None if volume is None else volume.path
    facts = None if image is None or volume is None else image_facts(volume)
    with ONE_AT_A_TIME:
        _opened(folder).note(
            image=image,
            facts=facts,
            classes=classes,
            last={step: out.absolute()},
            **{step: settings},
        )


def note_image(
    folder: Path, volume: Volume, image: Path | None, classes: Sequence[LabelClass]
) -> None:
    """Remember in a project which image it belongs to and how its classes are called.

    Parameters
    ----------
    folder : Path
        ``NAME.sashiko``; made a project if it is none yet.
    volume : Volume
        The image.
    image : Path or None
        Its file.
    classes : sequence of LabelClass
        Of the paint.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    """
    facts = image_facts(volume)
    with ONE_AT_A_TIME:
        _opened(folder).note(image=image, facts=facts, classes=classes)


def image_facts(volume: Volume) -> ImageFacts:
    """Say what an image is like, to know it again; reads a few blocks."""
    return ImageFacts(
        digest=volume.content_digest(),
        name=volume.name,
        shape=volume.shape,
        voxel_size=volume.voxel_size,
        unit=volume.unit,
        axes=volume.axes,
    )


def _opened(folder: Path) -> Project:
    """Open or make a project: a damaged index ends no run, it is kept aside."""
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / INDEX).exists():
        return Project.rescue(folder)[0]
    return Project.create(folder)

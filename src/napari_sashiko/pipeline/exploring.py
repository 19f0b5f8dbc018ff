"""Learning to explore images, and what the patches of an image are like."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_sashiko.errors import OutputError
from napari_sashiko.pipeline.blocking import Report, run_to_end, without_limit
from napari_sashiko.pipeline.folder_images import images_to_learn
from napari_sashiko.pipeline.folder_volume import image_to_look_at, with_problems
from napari_sashiko.pipeline.noting import note_run
from napari_sashiko.pipeline.steps import check_model_folder, noted
from napari_sashiko.prediction import EmbedDone, EmbedSettings
from napari_sashiko.prediction import embed as look
from napari_sashiko.runners import Event, choose_device
from napari_sashiko.volumes import Volume

if TYPE_CHECKING:  # loads torch: only who trains pays
    from napari_sashiko.training import ExploreSettings, TrainingDone

MUCH_MORE = 2.0  # times the share of the model's own image: the image is another one
A_LITTLE = 0.02  # share that chance adds


def explore_settings(**values: Any) -> "ExploreSettings":
    """Check settings; who says how many epochs means no limit in minutes.

    Raises
    ------
    SettingsError
        If a name is unknown or a value is out of range.
    """
    from napari_sashiko.training import ExploreSettings  # noqa: PLC0415 - loads torch

    return ExploreSettings.checked(**without_limit(values))


def explore_steps(
    image: Any, settings: "ExploreSettings | None", out: Path | str
) -> Iterator[Event]:
    """Train a network that keeps a few numbers of each patch.

    Closing writes the best so far.

    Parameters
    ----------
    image : path, array or Volume
        The image; or a folder of pictures, of which ``train`` is learned from and
        ``validate`` is there to judge by.
    settings : ExploreSettings or None
        None takes the defaults.
    out : path
        Model folder; made when missing.

    Yields
    ------
    Event
        `Message`, `Progress`, `TrainingStarted`, `EpochDone`, `MemberSaved`,
        `TrainingDone`.

    Raises
    ------
    SashikoError
        If image, settings or output cannot be used.
    """
    from napari_sashiko.training import (  # noqa: PLC0415 - loads torch
        ExploreSettings,
        TrainingStarted,
        train_exploring,
    )

    chosen = settings or ExploreSettings.checked()
    target = Path(out)
    check_model_folder(target)
    _check_encoder(chosen)
    found = yield from images_to_learn(image)
    # A project goes on knowing the image that it has, not a part of its pictures.
    known = image if isinstance(image, Volume) else found.volume
    yield from noted(
        train_exploring(found.volume, chosen, target, judged=found.judged),
        TrainingStarted,
        partial(note_run, target, "explore", chosen, volume=known),
    )


def explore(
    image: Any, out: Path | str, *, report: Report | None = None, **settings: Any
) -> "TrainingDone":
    """Train a network that keeps a few numbers of each patch; write the model folder.

    `embed` then says what the patches of any image are like.

    Parameters
    ----------
    image : path, array or Volume
        The image, ``([Z,] Y, X)``; or a folder of pictures, with ``train`` and perhaps
        ``validate``, or with ``images``.
    out : path
        Model folder, ``NAME.sashiko-model``.
    report : callable, optional
        Called with each event on the way.
    **settings
        Fields of `ExploreSettings`, e.g. ``minutes=2``, ``latent=8``.

    Returns
    -------
    TrainingDone
        Path, held-out loss, correlation of patches with what is made of their numbers,
        and seconds.

    Raises
    ------
    SashikoError
        If image, settings or output cannot be used.
    """
    from napari_sashiko.training import TrainingDone  # noqa: PLC0415 - loads torch

    chosen = explore_settings(**settings)
    return run_to_end(explore_steps(image, chosen, out), TrainingDone, report)


def embed_steps(
    model: Path | str,
    image: Any,
    out: Path | str,
    settings: EmbedSettings | None,
    *,
    made: Path | str | None = None,
) -> Iterator[Event]:
    """Write a table of what the patches of an image are like.

    Parameters
    ----------
    model : path
        Model folder of `explore`.
    image : path, array or Volume
        The image; of a folder of pictures, those that are damaged are left out.
    out : path
        Table ``NAME.csv``; replaced when there is one.
    settings : EmbedSettings or None
        None takes the defaults.
    made : path, optional
        Patches as they are made again of their numbers, ``NAME.tif``.

    Yields
    ------
    Event
        `Message`, `Progress`, `EmbedDone`.

    Raises
    ------
    SashikoError
        If model, image, settings or output cannot be used.
    """
    from napari_sashiko.checkpoints import load_explorer  # noqa: PLC0415 - loads torch

    chosen = settings or EmbedSettings.checked()
    files = {".csv": Path(out)} | ({} if made is None else {".tif": Path(made)})
    for ending, path in files.items():
        if path.is_dir():
            raise OutputError(
                f"{path} is a folder.", f"Choose a name that ends in {ending}."
            )
    explorer = load_explorer(Path(model), choose_device(chosen.device))
    found = yield from image_to_look_at(image)
    looking = look(explorer, found.volume, Path(out), chosen, files.get(".tif"))
    yield from with_problems(looking, found)


def embed(
    model: Path | str,
    image: Any,
    out: Path | str,
    *,
    made: Path | str | None = None,
    report: Report | None = None,
    **settings: Any,
) -> EmbedDone:
    """Write a table of what the patches of an image are like.

    Parameters
    ----------
    model : path
        Model folder of `explore`.
    image : path, array or Volume
        The image; of a folder of pictures, those that are damaged are left out.
    out : path
        Table ``NAME.csv``.
    made : path, optional
        Patches as they are made again of their numbers, ``NAME.tif``.
    report : callable, optional
        Called with each event on the way.
    **settings
        Fields of `EmbedSettings`, e.g. ``method="tsne"``, ``step=16``.

    Returns
    -------
    EmbedDone
        Path, number of patches, how many lie outside of what the model has seen, the
        correlation of patches with what is made of their numbers; in ``problems``
        pictures of a folder that were left out.

    Raises
    ------
    SashikoError
        If model, image, settings or output cannot be used.
    """
    chosen = EmbedSettings.checked(**settings)
    return run_to_end(
        embed_steps(model, image, out, chosen, made=made), EmbedDone, report
    )


def outside_line(done: EmbedDone) -> str:
    """Say in words how much of an image lies outside of what the model knows."""
    share = done.outside / max(done.patches, 1)
    found = (
        f"{done.outside} of {done.patches} patches ({share:.0%}) lie outside of what "
        f"the model was trained on; {done.chance:.0%} are to be expected of its own "
        "image"
    )
    if share > MUCH_MORE * done.chance + A_LITTLE:
        return f"{found}: this image, or a part of it, is another one."
    return f"{found}: this image is like it."


def _check_encoder(settings: "ExploreSettings") -> None:
    """Refuse an impossible network before anything is read."""
    from napari_sashiko.networks import build_encoder  # noqa: PLC0415 - loads torch

    build_encoder(
        settings.network, 1, edge=8, latent=1, seed=0, **settings.network_settings
    )

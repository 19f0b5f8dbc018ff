"""A model of which some members are damaged: used with those that are whole."""

from collections.abc import Sequence
from pathlib import Path

import torch

from napari_sashiko.checkpoints.card import MemberCard, ModelCard
from napari_sashiko.checkpoints.folder import (
    CARD,
    load_card,
    load_explorer,
    load_member,
    load_reconstructor,
)
from napari_sashiko.errors import ModelError, OutputError
from napari_sashiko.volumes import keep_copy, remove_abandoned, set_aside, write_file


def mend_model(folder: Path) -> str:
    """Leave out members that cannot be used, and say so; a whole model stays as it is.

    What is replaced is kept beside it, as ``NAME.damaged``.

    Parameters
    ----------
    folder : Path
        ``NAME.sashiko-model``.

    Returns
    -------
    str
        What was damaged, in words; empty for a whole model.

    Raises
    ------
    ModelError
        If its card or all of its members are damaged: nothing is changed then.
    OutputError
        If it cannot be written.
    """
    folder = Path(folder)
    card = load_card(folder)
    if card.exploring is not None:
        load_explorer(folder)  # one network: whole, or of no use
        return ""
    problems = _problems(folder, card)
    whole = [entry for entry in card.members if entry.file not in problems]
    if not problems:
        return ""
    first = next(iter(problems.values()))
    if not whole:
        raise ModelError(
            f"No member of the model {folder} can be used. {first}", "Train again."
        )
    words = (
        f"{len(problems)} of {len(card.members)} members of the model {folder.name} "
        f"cannot be used: {', '.join(problems)}."
    )
    try:
        kept = [keep_copy(folder / CARD).name]
        changed = _without(card, whole, words)
        write_file(folder / CARD, changed.model_dump_json(indent=1))
        bad = [folder / name for name in problems]
        kept += [set_aside(path).name for path in bad if path.exists()]
        remove_abandoned(folder)
    except OSError as error:
        raise OutputError(
            f"The model {folder} cannot be mended: {error.strerror or error}. {words}"
        ) from error
    return (
        f"{words} The other {len(whole)} are used, without prediction sets; what was "
        f"there is kept as {', '.join(kept)}."
    )


def _problems(folder: Path, card: ModelCard) -> dict[str, str]:
    """Say why members cannot be used, by the names of their files."""
    problems = {}
    load = load_member if card.reconstructing is None else load_reconstructor
    for entry in card.members:
        try:
            load(folder, card, entry, torch.device("cpu"))
        except ModelError as error:
            problems[entry.file] = str(error)
    return problems


def _without(card: ModelCard, whole: Sequence[MemberCard], words: str) -> ModelCard:
    """Give the rest of the members the say of all."""
    total = sum(entry.weight for entry in whole)
    shares = [entry.weight / total if total > 0 else 1 / len(whole) for entry in whole]
    members = tuple(
        entry.model_copy(update={"weight": share})
        for entry, share in zip(whole, shares, strict=True)
    )
    training = {**card.training, "mended": words}
    # Sets were calibrated for what all members say together.
    changes = {"members": members, "sets": None, "training": training}
    return card.model_copy(update=changes)

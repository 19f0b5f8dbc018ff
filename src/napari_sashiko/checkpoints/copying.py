"""A model copied as it is at one moment, also while a training rewrites it."""

from pathlib import Path

from napari_sashiko.checkpoints.card import MemberCard, ModelCard
from napari_sashiko.checkpoints.folder import (
    DAMAGE,
    Tensors,
    missing_member,
    read_tensors,
    save_model,
    with_card,
)


def copy_model(folder: Path, out: Path) -> None:
    """Copy a model; whoever reads `out` sees the old one or the new one.

    Parameters
    ----------
    folder : Path
        The model. Its card and the tensors that it names belong together, whatever is
        written there meanwhile.
    out : Path
        Model folder; made when missing.

    Raises
    ------
    ModelError
        If there is no model, or it is damaged.
    OutputError
        If the disk is full or the folder cannot be written.
    """

    def copy(card: ModelCard) -> None:
        save_model(out, card, [_tensors(folder, entry) for entry in card.members])

    with_card(folder, copy)


def _tensors(folder: Path, entry: MemberCard) -> Tensors:
    try:
        return read_tensors(folder / entry.file)
    except DAMAGE as error:
        raise missing_member(folder, entry, error) from error

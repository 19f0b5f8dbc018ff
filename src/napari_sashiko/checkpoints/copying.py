"""A model copied as it is at one moment, also while a training rewrites it."""

from pathlib import Path

from napari_sashiko.checkpoints.card import MemberCard, ModelCard
from napari_sashiko.checkpoints.folder import (
    CARD,
    hashed,
    missing_member,
    with_card,
)
from napari_sashiko.errors import OutputError
from napari_sashiko.volumes import write_file

DIGITS = 16  # of the digest, in the name of a copy's folder


def copy_model(folder: Path, rooms: Path) -> Path:
    """Copy a model under the name of what it is, unless it is there.

    Parameters
    ----------
    folder : Path
        The model. Its card and the tensors that it names belong together, whatever is
        written there meanwhile.
    rooms : Path
        Where copies lie, each in a folder that is named by its digest.

    Returns
    -------
    Path
        The copy, ``rooms/DIGEST/NAME.sashiko-model``: of the same digest.

    Raises
    ------
    ModelError
        If there is no model, or it is damaged.
    OutputError
        If the disk is full or the folder cannot be written.
    """

    def copy(card: ModelCard) -> Path:
        out = rooms / hashed(folder, card)[:DIGITS] / folder.name
        if not (out / CARD).exists():
            members = [(entry.file, _content(folder, entry)) for entry in card.members]
            _write(out, [*members, (CARD, card.model_dump_json(indent=1).encode())])
        return out

    return with_card(folder, copy)


def _content(folder: Path, entry: MemberCard) -> bytes:
    try:
        return (folder / entry.file).read_bytes()
    except OSError as error:
        raise missing_member(folder, entry, error) from error


def _write(out: Path, files: list[tuple[str, bytes]]) -> None:
    """Write the card last: a folder without one is no model."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, content in files:
            write_file(out / name, content)
    except OSError as error:
        raise OutputError(
            f"The model cannot be kept in {out}: {error.strerror or error}.",
            "Free some space or choose another place.",
        ) from error

"""The model folder on disk: ``NAME.sashiko-model`` with a card and tensors."""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from napari_sashiko.checkpoints.card import FORMAT_VERSION, MemberCard, ModelCard
from napari_sashiko.checkpoints.ensemble import Ensemble
from napari_sashiko.checkpoints.member import ForestMember, Member, NetworkMember
from napari_sashiko.errors import ModelError, OutputError
from napari_sashiko.forests import FilterBank, Forest
from napari_sashiko.networks import network_from_spec

SUFFIX = ".sashiko-model"
CARD = "model.json"
Tensors = Mapping[str, NDArray[Any]]


def save_model(
    folder: Path, card: ModelCard, tensors: Sequence[Tensors | None]
) -> None:
    """Write a model so that a reader sees either the old one or the new one.

    Tensors are written first, each under a new name and moved into place; the card,
    which names them, comes last.

    Parameters
    ----------
    folder : Path
        Made when missing.
    card : ModelCard
        Its members name their files.
    tensors : sequence
        One mapping per member; None keeps the file that is there.

    Raises
    ------
    OutputError
        If the disk is full or the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for member, arrays in zip(card.members, tensors, strict=True):
            if arrays is not None:
                _write(folder / member.file, save(_contiguous(arrays)))
        _write(folder / CARD, card.model_dump_json(indent=1).encode())
    except OSError as error:
        raise OutputError(
            f"The model cannot be written to {folder}: {error.strerror or error}.",
            "Free some space or choose another place.",
        ) from error


def load_card(folder: Path) -> ModelCard:
    """Read and check the card of a model folder.

    Raises
    ------
    ModelError
        If it is not a model folder, is damaged, or comes from a newer version.
    """
    folder = Path(folder)
    try:
        record = json.loads((folder / CARD).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise ModelError(
            f"{folder} is not a model: there is no {CARD} in it.",
            f"Choose a folder that ends in {SUFFIX}.",
        ) from None
    except (OSError, ValueError) as error:
        raise ModelError(f"The model {folder} is damaged: {CARD}: {error}.") from error
    version = record.get("format_version") if isinstance(record, dict) else None
    if isinstance(version, int) and version > FORMAT_VERSION:
        raise ModelError(
            f"The model {folder} has format {version}, this version of napari-sashiko "
            f"reads up to {FORMAT_VERSION}.",
            "Update napari-sashiko.",
        )
    try:
        return ModelCard.model_validate(record)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "its content"
        raise ModelError(
            f"The model {folder} is damaged: {place} in {CARD}: {first['msg']}."
        ) from error


def load_ensemble(folder: Path, device: str | torch.device = "cpu") -> Ensemble:
    """Load a model's members onto a device, ready to predict.

    Raises
    ------
    ModelError
        As `load_card`, and if a member's tensors are missing or do not fit.
    """
    card = load_card(folder)
    place = torch.device(device)
    members = [_member(Path(folder), entry, place) for entry in card.members]
    return Ensemble(card, members, place)


def model_digest(folder: Path) -> str:
    """Hash of all that decides what a model predicts (hexadecimal, 64 digits)."""
    card = load_card(folder)
    digest = hashlib.sha256()
    for part in (card.normalisation, card.classes, card.members, card.correction):
        digest.update(repr(part).encode())
    for entry in card.members:
        try:
            digest.update((Path(folder) / entry.file).read_bytes())
        except OSError as error:
            raise _missing(Path(folder), entry, error) from error
    return digest.hexdigest()


def _member(folder: Path, entry: MemberCard, device: torch.device) -> Member:
    try:
        arrays = load_file(folder / entry.file)
        if entry.kind == "forest":
            forest = Forest.from_arrays(FilterBank(**entry.spec), arrays)
            return ForestMember(forest)
        network = network_from_spec(entry.spec)
        network.load_state_dict({k: torch.from_numpy(v) for k, v in arrays.items()})
    except (OSError, SafetensorError, KeyError, ValueError, RuntimeError) as error:
        raise _missing(folder, entry, error) from error
    return NetworkMember(network.to(device).eval(), neighbours=entry.neighbours)


def _missing(folder: Path, entry: MemberCard, error: Exception) -> ModelError:
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return ModelError(
        f"The model {folder} is damaged: {entry.file} cannot be used: {reason}."
    )


def _contiguous(arrays: Tensors) -> dict[str, Any]:
    return {name: np.ascontiguousarray(array) for name, array in arrays.items()}


def _write(path: Path, content: bytes) -> None:
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)

"""The model folder on disk: ``NAME.sashiko-model`` with a card and tensors.

Strategy: files of tensors are named by their content and never change, and the card
that names them is moved into place last. Whoever reads sees the old model or the new
one, also when a disk is full or a process dies in between; and what did not change is
not written again.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.numpy import load, save

from napari_sashiko.checkpoints.card import (
    FORMAT_VERSION,
    MemberCard,
    ModelCard,
)
from napari_sashiko.checkpoints.ensemble import Ensemble
from napari_sashiko.checkpoints.explorer import KNOWN, Explorer
from napari_sashiko.checkpoints.member import ForestMember, Member, NetworkMember
from napari_sashiko.checkpoints.reconstructors import ReconstructorEnsemble
from napari_sashiko.errors import ModelError, OutputError
from napari_sashiko.forests import FilterBank, Forest
from napari_sashiko.networks import (
    Network,
    Reconstructor,
    encoder_from_spec,
    network_from_spec,
    reconstructor_from_spec,
    restorer_from_spec,
)
from napari_sashiko.runners import turn
from napari_sashiko.volumes import keep_copy, remove_abandoned, set_aside, write_file

SUFFIX = ".sashiko-model"
CARD = "model.json"
TENSORS = ".safetensors"
DIGITS = 16  # of the hash in a file's name
# What decides, beside the tensors, what a model predicts.
PREDICTING = ("normalisation", "classes", "members", "correction", "temperature")
Tensors = Mapping[str, NDArray[Any]]
T = TypeVar("T")
# What reading a member raises: no file, no tensors, or tensors of another network.
DAMAGE = (
    OSError,
    SafetensorError,
    LookupError,
    TypeError,
    ValueError,
    RuntimeError,
)


def save_model(
    folder: Path, card: ModelCard, tensors: Sequence[Tensors | None]
) -> ModelCard:
    """Write a model so that a reader sees either the old one or the new one.

    A damaged card, or damaged tensors of the same name, are kept as ``NAME.damaged``.

    Parameters
    ----------
    folder : Path
        Made when missing.
    card : ModelCard
        What is written, with new names of its members' files.
    tensors : sequence
        One mapping per member; None keeps the file that the card names.

    Returns
    -------
    ModelCard
        As it was written, with the names of its members' files.

    Raises
    ------
    OutputError
        If the disk is full or the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        before = _replaced_card(folder)
        files = [
            member.file if arrays is None else _keep(folder, place, arrays)
            for place, (member, arrays) in enumerate(
                zip(card.members, tensors, strict=True)
            )
        ]
        members = [
            member.model_copy(update={"file": file})
            for member, file in zip(card.members, files, strict=True)
        ]
        card = card.model_copy(update={"members": tuple(members)})
        write_file(folder / CARD, card.model_dump_json(indent=1))
        _sweep(folder, files, before)
    except OSError as error:
        raise OutputError(
            f"The model cannot be written to {folder}: {error.strerror or error}.",
            "Free some space or choose another place.",
        ) from error
    return card


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
    except (OSError, ValueError, RecursionError) as error:
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
            f"The model {folder} is damaged: {place} in {CARD}: "
            f"{first['msg'].removeprefix('Value error, ')}."
        ) from error


def load_ensemble(folder: Path, device: str | torch.device = "cpu") -> Ensemble:
    """Load a model's members onto a device, ready to predict.

    Raises
    ------
    ModelError
        As `load_card`, and if a member's tensors are missing or do not fit.
    """
    place = torch.device(device)

    def load(card: ModelCard) -> Ensemble:
        if card.reconstructing is not None:
            raise ModelError(
                f"The model {folder} makes slices of sinograms, it does not look at "
                "images.",
                "Use it with: sashiko reconstruct --model.",
            )
        if card.exploring is not None:
            raise _explores(card)
        members = [
            load_member(Path(folder), card, entry, place) for entry in card.members
        ]
        # Now: a training may write another model before anybody asks.
        return Ensemble(card, members, place, digest=hashed(Path(folder), card))

    with turn(place):
        return with_card(Path(folder), load)


def load_reconstructors(
    folder: Path, device: str | torch.device = "cpu"
) -> ReconstructorEnsemble:
    """Load a model that makes slices of sinograms onto a device.

    Raises
    ------
    ModelError
        As `load_card`, if a member's tensors are missing or do not fit, and if the
        model does something else.
    """
    place = torch.device(device)

    def load(card: ModelCard) -> ReconstructorEnsemble:
        if card.reconstructing is None:
            raise ModelError(
                f"The model {folder} makes no slices of sinograms.",
                "Train one with: sashiko train-reconstruct.",
            )
        networks = [
            load_reconstructor(Path(folder), card, entry, place)
            for entry in card.members
        ]
        digest = hashed(Path(folder), card)
        return ReconstructorEnsemble(card, networks, place, digest=digest)

    with turn(place):
        return with_card(Path(folder), load)


def load_explorer(folder: Path, device: str | torch.device = "cpu") -> Explorer:
    """Load a model that explores images onto a device.

    Raises
    ------
    ModelError
        As `load_ensemble`, and if the model does something else.
    """
    place = torch.device(device)

    def load(card: ModelCard) -> Explorer:
        if card.exploring is None:
            raise ModelError(
                f"The model {card.name!r} does not explore images.",
                "Make one that does: sashiko explore.",
            )
        return _load_explorer(Path(folder), card, place)

    with turn(place):
        return with_card(Path(folder), load)


def load_reconstructor(
    folder: Path, card: ModelCard, entry: MemberCard, device: torch.device
) -> Reconstructor:
    """Load one network of a model that makes slices of sinograms.

    Raises
    ------
    ModelError
        If its tensors are missing, damaged, or do not fit the card.
    """
    try:
        arrays = _tensors(folder / entry.file)
        network = reconstructor_from_spec(entry.spec)
        _check_sizes(card, network)
        network.load_state_dict({k: torch.from_numpy(v) for k, v in arrays.items()})
    except (*DAMAGE, ModelError) as error:
        raise missing_member(folder, entry, error) from error
    return network.to(device).eval()


def _check_sizes(card: ModelCard, network: Reconstructor) -> None:
    known = card.reconstructing
    wanted = known and ((len(known.angles), known.detectors), known.size)
    found = network.sinogram, network.size
    if found != wanted:
        raise ValueError(f"it is made for {found}, {CARD} gives {wanted}")


def model_digest(folder: Path) -> str:
    """Hash of all that decides what a model predicts (hexadecimal, 64 digits).

    Raises
    ------
    ModelError
        As `load_card`, and if a member's tensors are missing.
    """
    return with_card(Path(folder), partial(hashed, Path(folder)))


def hashed(folder: Path, card: ModelCard) -> str:
    """Digest of a model whose card was read; see `model_digest`."""
    digest = hashlib.sha256()
    for name in PREDICTING:
        digest.update(repr(getattr(card, name)).encode())
    for task in (card.restoring, card.exploring, card.reconstructing):
        if task is not None:
            digest.update(repr(task).encode())
    for entry in card.members:
        try:
            digest.update((folder / entry.file).read_bytes())
        except OSError as error:
            raise missing_member(folder, entry, error) from error
    return digest.hexdigest()


def with_card(folder: Path, use: Callable[[ModelCard], T]) -> T:
    """Use the files that the card names; once more where it was replaced meanwhile.

    Also where it was replaced by one that says the same: between the two, its files
    were not there.
    """
    while True:
        before = _written(folder)
        card = load_card(folder)
        try:
            return use(card)
        except ModelError:
            if _written(folder) == before:
                raise


def _written(folder: Path) -> tuple[int, int] | None:
    """Which writing of the card is the present one."""
    try:
        found = (folder / CARD).stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino


def load_member(
    folder: Path, card: ModelCard, entry: MemberCard, device: torch.device
) -> Member:
    """Load one member of a model.

    Raises
    ------
    ModelError
        If its tensors are missing, damaged, or do not fit the card, or if it explores.
    """
    if card.exploring is not None:
        raise _explores(card)
    try:
        arrays = _tensors(folder / entry.file)
        if entry.kind == "forest":
            forest = Forest.from_arrays(FilterBank(**entry.spec), arrays)
            _check_outputs(card, forest.n_classes)
            return ForestMember(forest)
        rebuilt = network_from_spec if card.classes else restorer_from_spec
        network = rebuilt(entry.spec)
        _check_outputs(card, network.out_channels)
        _check_channels(card, entry, network)
        network.load_state_dict({k: torch.from_numpy(v) for k, v in arrays.items()})
    except (*DAMAGE, ModelError) as error:
        raise missing_member(folder, entry, error) from error
    return NetworkMember(
        network.to(device).eval(),
        neighbours=entry.neighbours,
        classifies=card.restoring is None,
    )


def _load_explorer(folder: Path, card: ModelCard, device: torch.device) -> Explorer:
    entry = card.members[0]
    try:
        arrays = _tensors(folder / entry.file)
        known = arrays.pop(KNOWN)
        network = encoder_from_spec(entry.spec)
        _check_outputs(card, network.out_channels)
        _check_channels(card, entry, network)
        network.load_state_dict({k: torch.from_numpy(v) for k, v in arrays.items()})
    except (*DAMAGE, ModelError) as error:
        raise missing_member(folder, entry, error) from error
    return Explorer(card, network.to(device).eval(), torch.from_numpy(known))


def _explores(card: ModelCard) -> ModelError:
    return ModelError(
        f"The model {card.name!r} explores images: it neither tells classes nor "
        "restores.",
        "Use it with sashiko embed, or choose another model.",
    )


def _tensors(path: Path) -> dict[str, NDArray[Any]]:
    content = path.read_bytes()
    if path.name.startswith("member-") and _digest(content) not in path.name:
        raise ValueError("its content is not what was written")
    return dict(load(content))


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:DIGITS]


def _check_outputs(card: ModelCard, known: int) -> None:
    if known != card.outputs:
        what = "classes" if card.classes else "channels"
        raise ValueError(f"it knows {known} {what}, {CARD} {card.outputs}")


def _check_channels(card: ModelCard, entry: MemberCard, network: Network) -> None:
    wanted = card.inputs * (2 * entry.neighbours + 1)
    if network.in_channels != wanted:
        raise ValueError(
            f"it looks at {network.in_channels} channels, {CARD} gives {wanted}"
        )


def missing_member(folder: Path, entry: MemberCard, error: Exception) -> ModelError:
    """Say why a member cannot be used."""
    lines = [line.strip() for line in str(error).splitlines()[:2]]
    reason = " ".join(lines).rstrip(".") or type(error).__name__
    return ModelError(
        f"The model {folder} is damaged: {entry.file} cannot be used: {reason}.",
        "Use its other members: sashiko mend.",
    )


def _contiguous(arrays: Tensors) -> dict[str, Any]:
    return {name: np.ascontiguousarray(array) for name, array in arrays.items()}


def _keep(folder: Path, place: int, arrays: Tensors) -> str:
    """Write a member's tensors, unless they are there; return the file's name."""
    content = save(_contiguous(arrays))
    name = f"member-{place:02d}-{_digest(content)}{TENSORS}"
    path = folder / name
    if path.exists() and path.stat().st_size != len(content):
        set_aside(path)
    if not path.exists():
        write_file(path, content)
    return name


def _replaced_card(folder: Path) -> ModelCard | None:
    """Card of the model that is written over; a damaged one is kept."""
    if not (folder / CARD).exists():
        return None
    try:
        return load_card(folder)
    except ModelError:
        keep_copy(folder / CARD)
        return None


def _sweep(folder: Path, files: Sequence[str], before: ModelCard | None) -> None:
    """Remove tensors of earlier saves, but not those that a damaged card named."""
    remove_abandoned(folder)
    mine = {entry.file for entry in before.members} if before else set()
    damaged = any(folder.glob(f"{CARD}.damaged*"))
    for path in folder.glob(f"member-*{TENSORS}"):
        if path.name not in files and (path.name in mine or not damaged):
            with suppress(OSError):  # still open somewhere: the next save tries again
                path.unlink()

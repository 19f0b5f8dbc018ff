"""Writing the members of a model, and only what has changed of them."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from napari_sashiko.checkpoints import MemberCard, ModelCard, save_model
from napari_sashiko.forests import Forest
from napari_sashiko.training.outcome import Best

Written = dict[int, tuple[Any, str]]  # by place: what was written last, and its file


def write_members(
    out: Path,
    members: Sequence[MemberCard],
    learned: Sequence[Forest | Best],
    written: Written,
    make_card: Callable[[tuple[MemberCard, ...]], ModelCard],
) -> None:
    """Write the card, and the tensors of those that learned something since.

    Parameters
    ----------
    out : Path
        The model folder.
    members, learned : sequence
        What each member is, and its weights.
    written : dict
        What the folder holds; changed with it.
    make_card : callable
        From members to the card of the model.
    """
    cards, tensors = [], []
    for place, (card, each) in enumerate(zip(members, learned, strict=True)):
        known, file = written.get(place, (None, ""))
        same = known is each
        cards.append(card.model_copy(update={"file": file}) if same else card)
        tensors.append(None if same else _tensors(each))
    done = save_model(out, make_card(tuple(cards)), tensors)
    written.clear()
    written.update(
        (place, (each, card.file))
        for place, (card, each) in enumerate(zip(done.members, learned, strict=True))
    )


def _tensors(learned: Forest | Best) -> dict[str, NDArray[Any]]:
    if isinstance(learned, Forest):
        return learned.arrays()
    return {name: tensor.numpy() for name, tensor in learned.state.items()}

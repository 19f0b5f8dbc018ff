"""Parts to choose from are those of the registries, with what may be set about each."""

import pytest

from napari_sashiko.config import parameter_words
from napari_sashiko.errors import SettingsError
from napari_sashiko.losses import IMAGE_LOSSES, LOSSES
from napari_sashiko.networks import ENCODERS, NETWORKS, RECONSTRUCTORS
from napari_sashiko.pipeline import part_names, part_settings
from napari_sashiko.pipeline.parts import KINDS

REGISTRIES = {
    "network": NETWORKS,
    "encoder": ENCODERS,
    "reconstructor": RECONSTRUCTORS,
    "loss": LOSSES,
    "image loss": IMAGE_LOSSES,
}


@pytest.mark.parametrize("kind", REGISTRIES)
def test_names_are_those_of_the_registry(kind, monkeypatch):
    registry = REGISTRIES[kind]
    assert part_names(kind) == list(registry)
    monkeypatch.setitem(registry._parts, "of another package", None)
    assert "of another package" in part_names(kind)


@pytest.mark.parametrize("kind", KINDS)
def test_defaults_are_possible_and_every_setting_says_what_it_does(kind):
    for name in part_names(kind):
        settings = part_settings(kind, name)
        settings.checked()
        for field, info in settings.model_fields.items():
            assert info.description, f"{name} does not say what {field} is"


def test_what_is_not_known_is_refused_in_words():
    with pytest.raises(SettingsError, match="Known: network, restorer"):
        part_names("nothing")
    with pytest.raises(SettingsError, match="no loss named 'nothing'"):
        part_settings("loss", "nothing")


def test_words_of_a_docstring_belong_to_their_parameters():
    words = parameter_words(
        """Do something.

        Source: nobody : nothing.

        Parameters
        ----------
        alpha, beta : float
            Price of one, ``1 - x``,
            and of the other.
        *rest
            All others.

        Returns
        -------
        gamma : float
            What comes out.
        """
    )
    assert words == {
        "alpha": "Price of one, `1 - x`, and of the other.",
        "beta": "Price of one, `1 - x`, and of the other.",
        "rest": "All others.",
    }
    assert parameter_words("") == {}

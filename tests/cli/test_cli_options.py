"""An option means the same in every command, and is declared once."""

import pytest
import typer

from napari_sashiko.cli._app import app
from napari_sashiko.cli._options import collect
from napari_sashiko.errors import SettingsError

ALL = None
# Options that mean something of their own in some commands, or in all.
OWN = {
    **dict.fromkeys(("out", "network", "label_class", "threshold"), ALL),
    **dict.fromkeys(("table", "model", "ignore"), ALL),
    "seed": {"report"},
    "overwrite": {"measure", "export"},
}


def declared():
    """Names, help and defaults by option and command."""
    found = {}
    for name, command in typer.main.get_command(app).commands.items():
        for option in command.params:
            own = OWN.get(option.name, set())
            if option.param_type_name == "option" and own is not ALL:
                facts = (tuple(option.opts), option.help, option.default)
                if name not in own:
                    found.setdefault(option.name, {})[name] = facts
    return found


def test_options_that_commands_share_have_the_same_names_help_and_default():
    shared = {name: by for name, by in declared().items() if len(by) > 1}
    assert {"device", "seed", "overwrite", "runner", "epochs", "json"} <= set(shared)
    for name, by_command in shared.items():
        assert len(set(by_command.values())) == 1, (name, by_command)


RECIPE = {
    "network": "msdnet",
    "network_settings": {"depth": 20, "growth": 2},
    "loss": "focal",
    "loss_settings": {"gamma": 3.0},
    "seed": 1,
}


@pytest.mark.parametrize(
    ("given", "more", "changed"),
    [
        ({}, [], {}),
        ({"seed": 2, "network": None}, [], {"seed": 2}),
        ({"network": "msdnet"}, [], {}),
        (
            {},
            ["network_settings.depth=5"],
            {"network_settings": {"depth": 5, "growth": 2}},
        ),
        ({}, ['network_settings={"depth": 5}'], {"network_settings": {"depth": 5}}),
        (
            {},
            ['network_settings={"depth": 5}', "network_settings.growth=3"],
            {"network_settings": {"depth": 5, "growth": 3}},
        ),
        ({}, ["folder.pixels=9"], {"folder": {"pixels": 9}}),
    ],
)
def test_an_entry_of_a_group_leaves_the_rest_of_a_recipe(given, more, changed):
    assert collect(given, more, RECIPE) == RECIPE | changed
    assert RECIPE["network_settings"] == {"depth": 20, "growth": 2}


@pytest.mark.parametrize(
    ("given", "more"),
    [({"network": "unet"}, []), ({}, ["network_settings.depth=3", "network=unet"])],
)
def test_settings_of_a_network_are_not_given_to_another(given, more):
    found = collect(given, more, RECIPE)
    own = {"depth": 3} if more else None
    assert found.pop("network_settings", None) == own
    rest = {key: RECIPE[key] for key in ("loss", "loss_settings", "seed")}
    assert found == {**rest, "network": "unet"}


def test_a_setting_that_is_given_twice_is_refused():
    with pytest.raises(SettingsError, match="twice"):
        collect({}, ["seed=1", "seed=2"], {})
    with pytest.raises(SettingsError, match="twice"):
        collect({}, ["seed=1", "seed.a=2"], {})

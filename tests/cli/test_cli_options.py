"""An option means the same in every command, and is declared once."""

import typer

from napari_sashiko.cli._app import app

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

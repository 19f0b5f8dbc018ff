"""A form made of a settings model: one row for each field, its description as tip."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFormLayout, QVBoxLayout, QWidget

from napari_sashiko.config import Settings
from napari_sashiko.errors import SettingsError
from napari_sashiko.gui.parts import make_line, say
from napari_sashiko.gui.setting_fields import Field, field_of

OF_PART = "_settings"  # a field NAME_settings holds what may be set about part NAME


@dataclass(frozen=True)
class PartChoice:
    """Parts to choose from in a field, and what may be set about each.

    Parameters
    ----------
    names : list of str
        Of the parts; a default of the field that is none of them, such as auto, has
        no settings of its own.
    settings_of : callable
        From the name of a part to its settings class.
    """

    names: list[str]
    settings_of: Callable[[str], type[Settings]]


class SettingsForm(QWidget):
    """Edit the fields of a settings class.

    Parameters
    ----------
    settings : type of Settings
        Its fields give the rows: numbers, switches, choices and text.
    skip : collection of str
        Fields that are not shown and keep their default.
    choices : mapping, optional
        Values to choose from, for text fields such as a device.
    parts : mapping, optional
        The same for fields that name a part. What may be set about the chosen one is
        shown below it, and kept in the field ``NAME_settings``.
    checked : bool
        Whether each change is checked by the settings class; otherwise only what
        cannot be read at all is told at once.
    """

    changed = Signal()  # to something that can be read

    def __init__(
        self,
        settings: type[Settings],
        *,
        skip: Collection[str] = (),
        choices: Mapping[str, list[str]] | None = None,
        parts: Mapping[str, PartChoice] | None = None,
        checked: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._settings = settings
        self._checked = checked
        self._fields: dict[str, Field] = {}
        self._parts: dict[str, PartForm] = {}
        self._rows = layout = QFormLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        policy = QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow
        layout.setFieldGrowthPolicy(policy)
        layout.setRowWrapPolicy(QFormLayout.RowWrapPolicy.DontWrapRows)
        parts = {n: c for n, c in (parts or {}).items() if n in settings.model_fields}
        offered = {**(choices or {}), **self._names(parts)}
        for name in settings.model_fields:
            if name not in skip:
                self._add(name, offered.get(name))
            if name in self._fields and name in parts:
                self._add_part(name, parts[name])
        self._wrong = make_line("settings_problem")
        layout.addRow(self._wrong)

    def values(self) -> dict[str, Any]:
        """Return what the rows say; automatic values are None.

        Raises
        ------
        SettingsError
            If a row cannot be read.
        """
        problem = self.problem()
        if problem:
            raise SettingsError(problem)
        return self.read()

    def settings(self) -> Any:
        """Build the settings.

        Raises
        ------
        SettingsError
            If a row cannot be read, or the values are impossible together.
        """
        return self._settings.checked(**self.values())

    def problem(self) -> str:
        """Say what is wrong with the rows; empty if all can be read."""
        return self._own_problem() or next(
            (each.problem() for each in self._parts.values() if each.problem()), ""
        )

    def show_values(self, values: dict[str, Any]) -> None:
        """Show those of these values that have a row."""
        known = {*self._fields, *self._parts}
        self.set_values(**{n: v for n, v in values.items() if n in known})

    def set_values(self, **values: Any) -> None:
        """Show these values."""
        # What may be set about a part comes after its name.
        for name in sorted(values, key=lambda name: name in self._parts):
            if name in self._parts:
                self._parts[name].show_values(values[name])
            else:
                self._fields[name].write(values[name])

    def _names(self, parts: Mapping[str, PartChoice]) -> dict[str, list[str]]:
        offered = {}
        for name, choice in parts.items():
            default = self._settings.model_fields[name].default
            before = [] if default in choice.names else [default]
            offered[name] = [*before, *choice.names]
        return offered

    def _add(self, name: str, choices: list[str] | None) -> None:
        info = self._settings.model_fields[name]
        made = field_of(info, choices)
        if made is None:
            return
        tip = info.description or ""
        made.widget.setObjectName(name)
        made.widget.setToolTip(tip)
        self._rows.addRow(info.title or name.replace("_", " "), made.widget)
        self._rows.labelForField(made.widget).setToolTip(tip)
        made.connect(self._on_change)
        self._fields[name] = made

    def _add_part(self, name: str, choice: PartChoice) -> None:
        """Show what may be set about the chosen part below its name."""
        if name + OF_PART not in self._settings.model_fields:
            return
        form, field = PartForm(choice), self._fields[name]
        form.setObjectName(name + OF_PART)
        form.choose(field.read())
        field.connect(lambda: form.choose(field.read()))
        form.changed.connect(self._on_change)
        self._rows.addRow(form)
        self._parts[name + OF_PART] = form

    def read(self) -> dict[str, Any]:
        """Return what the rows say, be it possible or not."""
        rows = {name: field.read() for name, field in self._fields.items()}
        return rows | {name: form.values() for name, form in self._parts.items()}

    def _own_problem(self) -> str:
        for name, field in self._fields.items():
            if field.problem():
                return f"{name.replace('_', ' ')}: {field.problem()}"
        if self._checked:
            try:
                self._settings.checked(**self.read())
            except SettingsError as error:
                return str(error)
        return ""

    def _on_change(self) -> None:
        say(self._wrong, self._own_problem())
        if not self.problem():
            self.changed.emit()


class PartForm(QWidget):
    """What may be set about the chosen part; exchanged with the part.

    Parameters
    ----------
    choice : PartChoice
        The parts.
    """

    changed = Signal()

    def __init__(self, choice: PartChoice) -> None:
        super().__init__()
        self._choice = choice
        self.name = ""
        self.form: SettingsForm | None = None
        self._given: dict[str, Any] = {}  # of a part that is not chosen by name
        self.title = make_line("part_title")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 0, 0, 0)
        layout.addWidget(self.title)
        self.setVisible(False)

    def choose(self, name: str) -> None:
        """Show the settings of another part; a name that is none has no settings."""
        if name == self.name:
            return
        self.name, self._given = name, {}
        if self.form is not None:
            self.layout().removeWidget(self.form)
            self.form.setParent(None)  # its rows have the names of those to come
            self.form.deleteLater()
            self.form = None
        if name in self._choice.names:
            form = SettingsForm(self._choice.settings_of(name), checked=True)
            if form.read():
                self.form = form
                self.form.changed.connect(self.changed.emit)
                self.layout().addWidget(self.form)
        say(self.title, f"Settings of {name}:" if self.form else "")
        self.setVisible(self.form is not None)

    def values(self) -> dict[str, Any]:
        """Return what differs from the defaults."""
        if self.form is None:
            return dict(self._given)
        usual = self._choice.settings_of(self.name)().model_dump()
        return {n: v for n, v in self.form.read().items() if v != usual[n]}

    def problem(self) -> str:
        """Say what is wrong with the rows; empty if all can be read."""
        return "" if self.form is None else self.form.problem()

    def show_values(self, values: Mapping[str, Any]) -> None:
        """Show these settings of the chosen part, and defaults for all others."""
        if self.form is None:
            self._given = dict(values)
            return
        usual = self._choice.settings_of(self.name)().model_dump()
        self.form.show_values(usual | dict(values))


def part_choices(engine: Any, kinds: Mapping[str, str]) -> dict[str, PartChoice]:
    """Parts of the registries that fields choose from.

    Parameters
    ----------
    engine : module
        The pipeline.
    kinds : mapping
        From the name of a field to the kind of its parts, such as ``"network"``.
    """
    return {
        field: PartChoice(
            engine.part_names(kind),
            lambda name, kind=kind: engine.part_settings(kind, name),
        )
        for field, kind in kinds.items()
    }

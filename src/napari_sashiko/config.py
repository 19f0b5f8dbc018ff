"""The ancestor of all settings: frozen, complete, checked once at the door."""

import inspect
from collections.abc import Callable, Collection
from typing import Any, Self, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from napari_sashiko.errors import SettingsError


class Settings(BaseModel):
    """Frozen settings; unknown names are refused.

    Subclasses carry unit, range and effect of each field in ``Field(description=...)``:
    form, command line, recipe file and documentation are made from them.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    @classmethod
    def checked(cls, **values: Any) -> Self:
        """Build from user input and say in one sentence what is wrong with it.

        Raises
        ------
        SettingsError
            If a name is unknown or a value is out of range.
        """
        try:
            return cls(**values)
        except ValidationError as error:
            raise SettingsError(*_first_problem(cls, error)) from error


def keyword_settings(
    part: Callable[..., Any], supplied: Collection[str] = ()
) -> dict[str, tuple[Any, Any]]:
    """Return what a user may set about a part: annotation and default by name.

    Parameters
    ----------
    part : callable
        Its keyword-only parameters are the user's, annotated with their ranges.
    supplied : collection of str
        Those that the program supplies.
    """
    hints = get_type_hints(part, include_extras=True)
    return {
        key: (hints[key], parameter.default)
        for key, parameter in inspect.signature(part).parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY and key not in supplied
    }


def settings_model(title: str, fields: dict[str, tuple[Any, Any]]) -> type[Settings]:
    """Make settings of what `keyword_settings` found."""
    made: dict[str, Any] = {**fields}
    return create_model(title, __base__=Settings, **made)


def _first_problem(cls: type[BaseModel], error: ValidationError) -> tuple[str, str]:
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        known = ", ".join(sorted(cls.model_fields))
        return f"There is no setting {name!r}.", f"Known settings: {known}."
    return f"Setting {name} = {first['input']!r} is not possible: {first['msg']}.", ""

"""The ancestor of all settings: frozen, complete, checked once at the door."""

import inspect
from collections.abc import Callable, Collection
from itertools import pairwise
from typing import Annotated, Any, Self, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

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

    What the docstring says of a parameter is the description of its setting.

    Parameters
    ----------
    part : class or callable
        Its keyword-only parameters are the user's, annotated with their ranges.
    supplied : collection of str
        Those that the program supplies.
    """
    call: Any = part.__init__ if isinstance(part, type) else part  # type: ignore[misc]
    hints = get_type_hints(call, include_extras=True)
    words = parameter_words(part.__doc__ or "")
    return {
        key: (_described(hints[key], words.get(key, "")), parameter.default)
        for key, parameter in inspect.signature(call).parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY and key not in supplied
    }


def parameter_words(docstring: str) -> dict[str, str]:
    """Return what a numpydoc docstring says of each parameter, in one line."""
    lines = [*inspect.cleandoc(docstring).replace("``", "`").splitlines(), ""]
    words: dict[str, str] = {}
    names: list[str] = []
    inside = False
    for line, below in pairwise(lines):
        if below and not below.strip("-"):
            inside = line == "Parameters"
        elif inside and line[:1].strip("- "):
            names = [name.strip(" *") for name in line.partition(" : ")[0].split(",")]
        elif inside and line.strip("- "):
            for name in names:
                words[name] = f"{words.get(name, '')} {line.strip()}".strip()
    return words


def _described(annotation: Any, words: str) -> Any:
    return Annotated[annotation, Field(description=words)] if words else annotation


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

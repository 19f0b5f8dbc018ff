"""The ancestor of all settings: frozen, complete, checked once at the door."""

from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

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


def _first_problem(cls: type[BaseModel], error: ValidationError) -> tuple[str, str]:
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        known = ", ".join(sorted(cls.model_fields))
        return f"There is no setting {name!r}.", f"Known settings: {known}."
    return f"Setting {name} = {first['input']!r} is not possible: {first['msg']}.", ""

"""Write docs/reference/settings.md from the settings classes.

python docs/make_reference.py           writes the page
python docs/make_reference.py --check   fails where the page is out of date
"""

import argparse
import sys
import types
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic_core import PydanticUndefined

from napari_sashiko.config import keyword_settings
from napari_sashiko.instances import InstanceSettings
from napari_sashiko.losses import LOSSES
from napari_sashiko.networks import (
    ENCODERS,
    RECONSTRUCTORS,
    network_settings,
    reconstructor_settings,
    restorer_settings,
)
from napari_sashiko.pipeline import (
    ApplySettings,
    EmbedSettings,
    ExportSettings,
    FolderSettings,
    MeasureSettings,
    ReconstructSettings,
    ReportSettings,
    part_names,
)
from napari_sashiko.prediction import PlacesSettings, PredictionSettings, SetSettings
from napari_sashiko.training import (
    ExploreSettings,
    RestoreSettings,
    TrainingSettings,
    TrainReconstructSettings,
)

PAGE = Path(__file__).parent / "reference" / "settings.md"
HEAD = """# Settings

<!-- Written by docs/make_reference.py: change the settings classes, not this page. -->

Each step has one set of settings. The same names hold in the dock (*more*), on the
command line and in Python. On the command line the common ones have an option of their
own; all others are given as `--set NAME=VALUE`, and an entry of a setting that holds
others as `--set network_settings.depth=3`; those of *Folder* and *Apply* are options
only. A file for `--recipe` is JSON with the keys `train`, `restore`, `explore`,
`embed`, `predict`, `instances`, `measure`, `sets`, `train_reconstruct`, `reconstruct`
and `apply`, or a project. A name that does not exist, or a
value out of range, is refused in one sentence.
"""
STEPS = {
    "Train": (TrainingSettings, "`sashiko train`, `napari_sashiko.train`"),
    "Restore": (RestoreSettings, "`sashiko restore`, `napari_sashiko.restore`"),
    "Train reconstruct": (
        TrainReconstructSettings,
        "`sashiko train-reconstruct`, `napari_sashiko.train_reconstruct`",
    ),
    "Reconstruct": (
        ReconstructSettings,
        "`sashiko reconstruct`, `napari_sashiko.reconstruct`",
    ),
    "Explore": (ExploreSettings, "`sashiko explore`, `napari_sashiko.explore`"),
    "Embed": (EmbedSettings, "`sashiko embed`, `napari_sashiko.embed`"),
    "Folder": (
        FolderSettings,
        "`sashiko train FOLDER`, `napari_sashiko.train(FOLDER, None, ..., folder=...)`",
    ),
    "Apply": (ApplySettings, "`sashiko apply`, `napari_sashiko.apply`"),
    "Predict": (PredictionSettings, "`sashiko predict`, `napari_sashiko.predict`"),
    "Instances": (
        InstanceSettings,
        "`sashiko instances`, `napari_sashiko.segment_instances`",
    ),
    "Measure": (MeasureSettings, "`sashiko measure`, `napari_sashiko.measure`"),
    "Sets": (SetSettings, "`sashiko sets`, `napari_sashiko.prediction_sets`"),
    "Report": (ReportSettings, "`sashiko report`, `napari_sashiko.report`"),
    "Export": (ExportSettings, "`sashiko export`, `napari_sashiko.export`"),
    "Places": (
        PlacesSettings,
        "*Next place* in the dock, `napari_sashiko.find_places`",
    ),
}
SIGNS = {Ge: ("ge", "≥"), Gt: ("gt", ">"), Le: ("le", "≤"), Lt: ("lt", "<")}
PLAIN = {str: "text", int: "whole number", float: "number", bool: "yes or no"}


def main():
    """Write the page, or compare it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    if not options.check:
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(make_page(), encoding="utf-8")
    elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != make_page():
        sys.exit(f"{PAGE.name} is out of date: run python docs/make_reference.py.")


def make_page() -> str:
    """Return the page as Markdown."""
    parts = [HEAD]
    for title, (settings, used) in STEPS.items():
        summary = (settings.__doc__ or "").splitlines()[0]
        parts.append(f"## {title}\n\n{summary} Used by {used}.\n")
        borrowed = [
            title for title, (each, _) in STEPS.items() if lends(each, settings)
        ]
        if borrowed:
            parts.append(f"All of {' and '.join(borrowed)} hold here too, and:\n")
        rows = [
            (name, describe_kind(info.annotation, info.metadata), default, text)
            for name, info in fields_of(settings)
            if not borrowed or name in settings.__annotations__
            for default in [describe_default(info)]
            for text in [info.description or ""]
        ]
        parts.append(table(("setting", "values", "default", "meaning"), rows))
    parts.append(
        "## Networks\n\nWhat `network_settings` of *Train* and *Restore* may hold, by "
        "`network`. `auto` takes TUNets; [when to choose which](networks.md).\n"
    )
    parts += [part(name, network_settings(name)) for name in part_names("network")]
    parts.append(
        "## Encoders\n\nThe same of *Restore*, and of *Explore*, where `edge` and "
        "`latent` are settings of the step: `patch` and `latent`.\n"
    )
    parts += [part(name, restorer_settings(name)) for name in ENCODERS]
    parts.append(
        "## Networks that reconstruct\n\nWhat `network_settings` of *Train "
        "reconstruct* may hold, by `network`. `auto` takes `conv_reconstruct`.\n"
    )
    parts += [part(name, reconstructor_settings(name)) for name in RECONSTRUCTORS]
    parts.append(
        "## Losses\n\nWhat `loss_settings` of *Train* may hold, by `loss`; those that "
        "are not listed have none. [When to choose which](networks.md#losses).\n"
    )
    losses = [(name, keyword_settings(LOSSES[name])) for name in sorted(LOSSES)]
    parts += [part(name, settings) for name, settings in losses if settings]
    return "\n".join(parts).rstrip() + "\n"


def part(name: str, settings: dict[str, tuple[Any, Any]]) -> str:
    """Say what may be set about a network or a loss."""
    rows = [
        (
            key,
            describe_kind(kind),
            "empty" if value is None else f"`{value}`",
            describe_meaning(kind),
        )
        for key, (kind, value) in settings.items()
    ]
    heads = ("setting", "values", "default", "meaning")
    return f"### {name}\n\n" + table(heads, rows)


def describe_meaning(kind: Any) -> str:
    """Say what the docstring says of a setting."""
    marks = getattr(kind, "__metadata__", ())
    return next(
        (mark.description for mark in marks if hasattr(mark, "description")), ""
    )


def lends(other: Any, settings: Any) -> bool:
    """Whether a step has all settings of another one."""
    return other is not settings and issubclass(settings, other)


def fields_of(settings: Any) -> list[tuple[str, Any]]:
    """Return fields by name: what steps share, such as the runner, comes last."""
    own = settings.__annotations__
    return sorted(settings.model_fields.items(), key=lambda field: field[0] not in own)


def describe_kind(kind: Any, limits: Any = ()) -> str:
    """Say which values a field takes."""
    if get_origin(kind) is Annotated:
        kind, *inner = get_args(kind)
        return describe_kind(kind, [*inner, *limits])
    if get_origin(kind) is Literal:
        return ", ".join(f"`{value}`" for value in get_args(kind))
    if get_origin(kind) in (Union, types.UnionType):
        return " or ".join(
            "empty" if part is type(None) else describe_kind(part, limits)
            for part in get_args(kind)
        )
    if get_origin(kind) in (tuple, list):
        if ... in get_args(kind):
            return f"list of {describe_kind(get_args(kind)[0])}"
        parts = [describe_kind(part) for part in get_args(kind)]
        same = len(set(parts)) == 1
        return f"{len(parts)} x {parts[0]}" if same else ", ".join(parts)
    if get_origin(kind) is Sequence:
        return f"list of {describe_kind(*get_args(kind))}"
    if get_origin(kind) is dict:
        return "names with values"
    words = PLAIN.get(kind, str(kind))
    range_ = describe_range(limits)
    return f"{words}, {range_}" if range_ else words


def describe_range(limits: Any) -> str:
    """Say the range, such as ``≥ 0, ≤ 32``."""
    found = [
        f"{sign} {getattr(limit, key):g}"
        for kind, (key, sign) in SIGNS.items()
        for limit in limits
        if isinstance(limit, kind)
    ]
    return ", ".join(found)


def describe_default(info: Any) -> str:
    """Say the default; empty and none alike are ``empty``."""
    value = info.get_default(call_default_factory=True)
    if value is PydanticUndefined:
        return "required"
    return "empty" if value is None or value in ({}, ()) else f"`{value}`"


def table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Return a Markdown table; the first column is code."""
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for name, *cells in rows:
        # A bar would end the cell.
        texts = [cell.replace("|", "\\|") for cell in cells]
        lines.append(f"| `{name}` | " + " | ".join(texts) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()

"""Colours of the napari theme, for what the stylesheet does not reach."""

from dataclasses import dataclass
from typing import Any

from napari.utils.theme import get_theme
from qtpy.QtGui import QColor


@dataclass(frozen=True)
class Palette:
    """Colours for painting by hand."""

    background: QColor
    foreground: QColor
    line: QColor
    text: QColor
    faint: QColor
    current: QColor
    warning: QColor
    error: QColor


def palette_of(viewer: Any) -> Palette:
    """Colours of the theme that a viewer shows now."""
    theme = get_theme(viewer.theme)

    def colour(name: str) -> QColor:
        return QColor(getattr(theme, name).as_hex())

    text, background = colour("text"), colour("background")
    return Palette(
        background=background,
        foreground=colour("foreground"),
        line=colour("secondary"),
        text=text,
        faint=mixed(text, background, 0.4),
        current=colour("current"),
        warning=colour("warning"),
        error=readable(colour("error"), background),
    )


def mixed(one: QColor, other: QColor, share: float) -> QColor:
    """`one` with a share of `other`."""
    red, green, blue = (
        round(a * (1 - share) + b * share)
        for a, b in (
            (one.red(), other.red()),
            (one.green(), other.green()),
            (one.blue(), other.blue()),
        )
    )
    return QColor(red, green, blue)


def readable(colour: QColor, background: QColor) -> QColor:
    """Move a colour away from the background until text in it can be read."""
    target = QColor("white") if background.lightnessF() < 0.5 else QColor("black")
    share = 0.0
    while contrast(mixed(colour, target, share), background) < 4.5 and share < 1:
        share += 0.1
    return mixed(colour, target, share)


def contrast(one: QColor, other: QColor) -> float:
    """Contrast ratio of two colours, 1 to 21 (WCAG 2.1)."""
    bright, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def _luminance(colour: QColor) -> float:
    def linear(v: float) -> float:
        return v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4

    red, green = linear(colour.redF()), linear(colour.greenF())
    blue = linear(colour.blueF())
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue

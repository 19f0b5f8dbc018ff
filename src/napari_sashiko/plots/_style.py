"""Colours and size of figures; nothing comes from matplotlib's global settings."""

from dataclasses import dataclass

ON_LIGHT = ("#1f6fb2", "#b8481a", "#23794a", "#85479b", "#6a6a6a", "#8a6500", "#a83279")
ON_DARK = ("#74b9ff", "#ff9f70", "#7ddba3", "#d9a5f2", "#c4c4c4", "#e6c65c", "#ff94cf")


@dataclass(frozen=True)
class PlotStyle:
    """How a figure looks.

    Parameters
    ----------
    background, text, faint : str
        ``"#rrggbb"``: what it is drawn on, words and symbols, axes and grids.
    width : float
        Inches.
    dpi : int
        Dots per inch of what is drawn as dots.
    """

    background: str = "#ffffff"
    text: str = "#1c1c1c"
    faint: str = "#8c8c8c"
    width: float = 6.4
    dpi: int = 150

    @property
    def lines(self) -> tuple[str, ...]:
        """Colours of what belongs to no class, told apart on this background."""
        return ON_DARK if luminance(self.background) < 0.2 else ON_LIGHT

    def line(self, number: int) -> str:
        """Colour of a line; the colours come again when there are many."""
        return self.lines[number % len(self.lines)]

    @property
    def narrow(self) -> bool:
        """Whether two panels side by side would be too small."""
        return self.width < 5.0


LIGHT = PlotStyle()
DARK = PlotStyle(background="#1f2228", text="#ececec", faint="#8b9099")


def luminance(colour: str) -> float:
    """Relative luminance of ``"#rrggbb"``, 0 to 1 (WCAG 2.1)."""

    def linear(v: float) -> float:
        return v / 12.92 if v <= 0.04045 else float(((v + 0.055) / 1.055) ** 2.4)

    red, green, blue = (linear(int(colour[i : i + 2], 16) / 255) for i in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue

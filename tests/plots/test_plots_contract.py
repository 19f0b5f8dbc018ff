"""What every figure of the registry promises; a new one is tested by being there."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import matplotlib as mpl
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.text import Text
from plots_examples import MAKERS, example

from napari_sashiko.errors import SettingsError
from napari_sashiko.pipeline.figures import COLLECT
from napari_sashiko.plots import (
    DARK,
    LIGHT,
    PLOTS,
    PlotData,
    PlotStyle,
    data_kind,
    plot_title,
    render,
)
from napari_sashiko.plots._style import luminance

NARROW = PlotStyle("#262930", "#f0f1f2", "#868e93", width=3.7, dpi=100)
STYLES = {"light": LIGHT, "dark": DARK, "narrow": NARROW}
OWN = {  # settings of a user that must not show
    "axes.facecolor": "red",
    "axes.edgecolor": "red",
    "axes.labelcolor": "red",
    "axes.titlecolor": "red",
    "figure.facecolor": "red",
    "savefig.facecolor": "red",
    "text.color": "red",
    "xtick.color": "red",
    "ytick.color": "red",
    "font.family": "serif",
    "image.cmap": "jet",
}


def contrast(one, other):
    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def words(figure):
    """Text on the background: not what is written on a picture."""
    on_pictures = {
        text
        for axes in figure.axes
        if axes.images or axes.name == "hammer"
        for text in axes.texts
    }
    return [
        text
        for text in figure.findobj(Text)
        if text.get_text() and text.get_visible() and text not in on_pictures
    ]


@pytest.fixture(params=list(PLOTS))
def name(request):
    return request.param


def test_it_has_a_title_and_says_what_it_is_drawn_from(name):
    assert plot_title(name)
    assert issubclass(data_kind(name), PlotData)
    assert data_kind(name) in MAKERS, "give it an example"
    assert data_kind(name) in COLLECT, "say where its data come from"


@pytest.mark.parametrize("style", STYLES)
def test_its_words_can_be_read(name, style):
    figure = PLOTS[name](example(name), STYLES[style])
    assert isinstance(figure, Figure)
    assert to_hex(figure.get_facecolor()) == STYLES[style].background
    figure.draw_without_rendering()
    found = words(figure)
    assert found
    for text in found:
        colour = to_hex(text.get_color())
        assert contrast(colour, STYLES[style].background) >= 4.5, text.get_text()
    for line in STYLES[style].lines:
        assert contrast(line, STYLES[style].background) >= 3


def test_its_axes_say_what_they_are(name):
    figure = PLOTS[name](example(name), LIGHT)
    for axes in figure.axes:
        if not axes.axison:
            continue
        assert axes.get_ylabel()
        if axes.get_label() == "<colorbar>":
            continue
        shared = axes.get_shared_x_axes().get_siblings(axes)
        assert any(each.get_xlabel() for each in shared)


def test_it_becomes_png_and_pdf_the_same_each_time(name):
    starts = {"png": b"\x89PNG", "pdf": b"%PDF"}
    for kind, start in starts.items():
        one, two = (render(PLOTS[name](example(name), LIGHT), kind) for _ in range(2))
        assert one.startswith(start)
        assert one == two


def test_settings_of_the_user_do_not_show(name):
    usual = render(PLOTS[name](example(name), NARROW))
    with mpl.rc_context(OWN):
        assert render(PLOTS[name](example(name), NARROW)) == usual


def test_it_can_be_drawn_in_many_threads_at_once(name):
    def draw(_):
        return render(PLOTS[name](example(name), NARROW))

    with ThreadPoolExecutor(4) as pool:
        drawn = set(pool.map(draw, range(4)))
    assert drawn == {draw(0)}


def test_no_figure_goes_through_the_global_list_of_pyplot():
    code = (
        "import sys; sys.path.insert(0, 'tests/plots')\n"
        "from plots_examples import example\n"
        "from napari_sashiko.plots import LIGHT, PLOTS, render\n"
        "for name in PLOTS: render(PLOTS[name](example(name), LIGHT))\n"
        "print('matplotlib.pyplot' in sys.modules)"
    )
    root = __file__.partition("tests")[0]
    said = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        cwd=root,
    )
    assert said.stdout.strip() == "False", said.stderr


def test_importing_the_door_draws_nothing():
    code = "import sys, napari_sashiko.pipeline; print('matplotlib' in sys.modules)"
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() == "False"


def test_what_is_no_figure_is_refused():
    with pytest.raises(SettingsError, match="Known: confusion, curves"):
        PLOTS["pie"]
    with pytest.raises(SettingsError, match="'gif'"):
        render(PLOTS["lengths"](example("lengths"), replace(LIGHT, dpi=20)), "gif")

"""A fourth dock: every patch of an image as a point; a click goes to the patch."""

from collections.abc import Mapping
from typing import Any, ClassVar

from qtpy.QtWidgets import QWidget

from napari_sashiko.gui.layer_volume import source_path, volume_of
from napari_sashiko.gui.learn_dock import LearnDock
from napari_sashiko.gui.learn_form import FormWords, LearnForm
from napari_sashiko.gui.messages import telling
from napari_sashiko.gui.parts import make_box, make_line, say
from napari_sashiko.gui.patch_mark import PatchMark
from napari_sashiko.gui.scatter import Scatter
from napari_sashiko.session import Exploration, Session

WORDS = FormWords(
    name="explore",
    doing="exploring",
    start="Explore",
    start_tip="Learn, then show every patch as a point",
    model_tip="Learn anew, or compare with what another image taught",
    more_tip="Which patches are shown; time, patch, network",
    curve="loss on held-out patches",
    using="Points",
    using_skip={"method", "device"},  # chosen above, and among those of the learning
)
METHODS = {"pca": "PCA", "tsne": "t-SNE", "umap": "UMAP"}
METHOD_TIPS = {
    "pca": "The same axes for every image, so that images can be compared",
    "tsne": "Shows clusters; distances between them mean little",
    "umap": "Shows clusters; needs the extra napari-sashiko[explore]",
}
KEY = "Yellow points lie outside of what is known. Click one to go there."


class ExploreForm(LearnForm):
    """Image and method; below, points and what the chosen one is like."""

    words = WORDS

    def __init__(self, box: QWidget, session: Session, viewer: Any) -> None:
        super().__init__(box, session, viewer)
        self.images = make_box("explore_image", "The image to explore")
        self.methods = make_box(
            "explore_method", "How patches become points", METHODS, METHOD_TIPS
        )
        self.scatter = Scatter(viewer)
        self.scatter.setVisible(False)
        self.patch = make_line("explore_patch")
        self.add_images("Image", self.images)
        self.add_models()
        self.add_row("Points by", self.methods)
        self.add_below(self.scatter, 1)
        self.add_below(self.patch)

    @property
    def method(self) -> str:
        """Key of how patches become points."""
        return str(self.methods.currentData())

    @property
    def ready(self) -> bool:
        """Whether there is an image."""
        return self.images.count() > 0

    def say_patch(self, text: str) -> None:
        """Say what the chosen patch is like."""
        say(self.patch, text)

    def shutdown(self) -> None:
        """Stop following the theme."""
        self.scatter.shutdown()
        super().shutdown()


class ExploreDock(LearnDock):
    """Choose an image; its patches become points, and a click goes to one of them."""

    kind: ClassVar[str] = "explore"
    settings_name: ClassVar[str] = "ExploreSettings"
    using_name: ClassVar[str] = "EmbedSettings"
    room: ClassVar[str] = Exploration.models
    parts: ClassVar[Mapping[str, str]] = {"network": "encoder"}
    form: ExploreForm

    def make_form(self) -> ExploreForm:
        """Make the widgets."""
        self.mark = PatchMark(self.viewer)
        self.found: Any = None  # the table of patches that is shown
        form = ExploreForm(self, self.session, self.viewer)
        form.scatter.picked.connect(self.pick)
        return form

    def layer_boxes(self) -> tuple[Any, ...]:
        """The image."""
        return (self.form.images,)

    def wanted(self) -> Exploration:
        """What is explored, and how."""
        layer = self.chosen_layer(self.form.images)
        model, engine = self.form.models.currentData(), self.session.engine
        settings, device = None, "auto"
        if model is None:
            settings = engine.explore_settings(**self.ensure_settings().values())
            device = settings.device
        shown = self.ensure_using().values()
        looking = engine.EmbedSettings.checked(
            **shown, method=self.form.method, device=device
        )
        volume = volume_of(layer)
        return Exploration(
            volume=volume,
            name=layer.name,
            path=source_path(layer),
            project=self.project_of(layer, volume),
            settings=settings,
            looking=looking,
            model=model,
        )

    def on_begin(self) -> None:
        """Forget the points of before."""
        self._forget()
        self._source = self.form.images.currentData()

    def pick(self, index: int) -> None:
        """Go to a patch."""
        if self.found is None or self._source not in self.viewer.layers:
            return
        z, y, x = (int(at) for at in self.found.places[index])
        self.mark.show(self._source, (z, y, x), self.found.edge)
        score = float(self.found.outside[index])
        words = "outside of what is known" if score > 1 else "like what is known"
        self.form.say_patch(f"Patch at z {z}, y {y}, x {x}: {words} ({score:.2f}).")

    def reset_choices(self, event: Any = None) -> None:
        """Points go with their image."""
        if self._source is not None and self._source not in self.viewer.layers:
            self._forget()
        super().reset_choices(event)

    def on_TrainingDone(self, _event: Any) -> None:  # noqa: N802 - after the event
        """Say what comes next."""
        self.form.loss.setVisible(False)  # room for the points
        self.form.say("Looking at all patches ...")

    def on_EmbedDone(self, event: Any) -> None:  # noqa: N802 - after the event
        """Show patches as points."""
        with telling(self.session):
            engine = self.session.engine
            self.found = engine.read_embedding(event.path)
            self.form.scatter.show_points(self.found.points, self.found.outside > 1)
            self.form.scatter.setVisible(True)
            self.form.say(engine.outside_line(event))
            self.form.say_patch(KEY)

    def _forget(self) -> None:
        """Take points and mark of an earlier image away."""
        self.found = self._source = None
        self.form.scatter.show_points([], [])
        self.form.scatter.setVisible(False)
        self.form.say_patch("")
        self.mark.remove()

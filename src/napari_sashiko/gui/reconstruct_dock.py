"""A fifth dock: sinograms become a volume, by back-projection and by networks."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from napari_sashiko.errors import SettingsError, VolumeError
from napari_sashiko.gui.layer_volume import source_path, volume_of
from napari_sashiko.gui.learn_dock import LEARN, LearnDock
from napari_sashiko.gui.reconstruct_form import WITHOUT, ReconstructForm
from napari_sashiko.gui.reconstructed_layers import ReconstructedLayers
from napari_sashiko.session import Reconstruction, sinogram_shape


class ReconstructDock(LearnDock):
    """Choose sinograms; see what back-projection and networks make of them."""

    kind: ClassVar[str] = "reconstruct"
    settings_name: ClassVar[str] = "TrainReconstructSettings"
    using_name: ClassVar[str] = "ReconstructSettings"
    room: ClassVar[str] = Reconstruction.models
    parts: ClassVar[Mapping[str, str]] = {
        "network": "reconstructor",
        "loss": "image loss",
    }
    score_tip: ClassVar[str] = (
        "Compare slices with the true ones: those of the networks where there are any"
    )
    form: ReconstructForm
    results: ReconstructedLayers

    def make_form(self) -> ReconstructForm:
        """Make the widgets."""
        self.results = ReconstructedLayers(self.viewer, self)
        form = ReconstructForm(self, self.session, self.viewer)
        form.orders.currentIndexChanged.connect(lambda _index: self.show_facts())
        form.beside.toggled.connect(self.show_beside)
        return form

    def layer_boxes(self) -> tuple[Any, ...]:
        """Sinograms, and their slices."""
        return self.form.images, self.form.slices

    def fresh(self) -> list[tuple[str, Any]]:
        """Without a model there is back-projection."""
        return [("back-projection", WITHOUT), (LEARN, None)]

    def choose(self) -> None:
        """List models, and say what the sinograms are."""
        super().choose()
        self.show_facts()

    def wanted(self) -> Reconstruction:
        """What is reconstructed, and how."""
        form, engine = self.form, self.session.engine
        layer = self._source = self.chosen_layer(form.images)
        model, order = form.models.currentData(), form.orders.currentData()
        settings, slices, device = None, None, "auto"
        if model is None:
            known = form.slices.currentData()
            if known is None or known is layer:
                raise SettingsError(
                    "The slices to learn from are the sinograms themselves.",
                    "Choose a layer with the slice of each sinogram.",
                )
            values = self.ensure_settings().values() | {"order": order}
            settings = engine.train_reconstruct_settings(**values)
            slices, device = volume_of(known), settings.device
        angles = form.angles.currentData()
        file = angles if isinstance(angles, Path) else None
        volume = volume_of(layer)
        return Reconstruction(
            volume=volume,
            name=layer.name,
            path=source_path(layer),
            project=self.project_of(layer, volume),
            settings=settings,
            model=model if isinstance(model, Path) else None,
            making=engine.ReconstructSettings.checked(
                **self.ensure_using().values(),
                order=order,
                filter=form.filters.currentData(),
                device=device,
            ),
            slices=slices,
            angles=file,
            **({} if file else {"turn": angles}),
        )

    def show_facts(self) -> None:
        """Say how many sinograms there are, of what size."""
        layer, order = self.form.images.currentData(), self.form.orders.currentData()
        text = ""
        if layer is not None:
            try:
                counts = sinogram_shape(volume_of(layer), order)
                text = "{} slices, {} angles, {} detectors".format(*counts)
            except VolumeError as error:
                text = str(error)
        self.form.say_facts(text)

    def show_beside(self, on: bool) -> None:  # noqa: FBT001 - a slot
        """Put volumes beside each other, or on top of each other."""
        self.results.beside = on
        self.results.place()
        self.viewer.reset_view()

    def on_PredictionOpened(self, event: Any) -> None:  # noqa: N802 - after the event
        """Make room for the result."""
        super().on_PredictionOpened(event)
        self.form.beside.setVisible({"fbp", "mean"} <= set(event.result.images))

    def done_words(self) -> str:
        """Which layers there are."""
        names = [layer.name.rsplit(" - ", 1)[-1] for layer in self.results.there()]
        return f"Done: {', '.join(names)}; kept in the project."

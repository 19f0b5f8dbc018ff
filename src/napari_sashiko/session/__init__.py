"""What lies on the desk: the volume, its paint, its models, and the work that runs."""

from napari_sashiko.session.board import JobBoard, describe_error
from napari_sashiko.session.exploration import Exploration
from napari_sashiko.session.home import project_folder, user_folder, volume_folder
from napari_sashiko.session.image_task import ImageTask, known_models
from napari_sashiko.session.labelling import LabelDesk
from napari_sashiko.session.paint import Paint
from napari_sashiko.session.pictures import PictureFolder
from napari_sashiko.session.previews import PreviewDesk, PreviewReady
from napari_sashiko.session.reconstruction import Reconstruction, sinogram_shape
from napari_sashiko.session.reopening import Reopening
from napari_sashiko.session.restoration import Restoration
from napari_sashiko.session.session import JobKind, Session
from napari_sashiko.session.shelf import ModelShelf
from napari_sashiko.session.steps import StepDesk
from napari_sashiko.session.suggestions import SuggestionDesk
from napari_sashiko.session.unveiling import PredictionOpened

__all__ = [
    "Exploration",
    "ImageTask",
    "JobBoard",
    "JobKind",
    "LabelDesk",
    "ModelShelf",
    "Paint",
    "PictureFolder",
    "PredictionOpened",
    "PreviewDesk",
    "PreviewReady",
    "Reconstruction",
    "Reopening",
    "Restoration",
    "Session",
    "StepDesk",
    "SuggestionDesk",
    "describe_error",
    "known_models",
    "project_folder",
    "sinogram_shape",
    "user_folder",
    "volume_folder",
]

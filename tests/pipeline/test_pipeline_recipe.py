"""Recipes: written, read, and taken from a project; bad ones refused."""

import pytest

from napari_sashiko.errors import SettingsError
from napari_sashiko.pipeline import PredictionSettings, Project, Recipe, read_recipe


def test_a_recipe_is_read_as_it_was_written(tmp_path):
    recipe = Recipe(train={"members": 2, "seed": 7}, instances={"dust": "10 um^3"})
    recipe.write(tmp_path / "run.json")
    assert read_recipe(tmp_path / "run.json") == recipe


def test_a_project_is_a_recipe_of_its_last_runs(tmp_path):
    project = Project.create(tmp_path / "a.sashiko")
    # Who began anew does not say that others shall.
    run = PredictionSettings(workers=3, border=(1, 2, 3), overwrite=True)
    project.note(predict=run)
    for path in (project.folder, project.folder / "project.json"):
        settings = PredictionSettings.checked(**read_recipe(path).predict)
        assert settings == PredictionSettings(workers=3, border=(1, 2, 3))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "cannot be read"),
        ("[]", "damaged"),
        ('{"cook": {}}', "cook"),
        ('{"format_version": 9}', "Update"),
    ],
)
def test_a_bad_recipe_is_refused_in_one_sentence(tmp_path, content, words):
    (tmp_path / "run.json").write_text(content)
    with pytest.raises(SettingsError, match=words):
        read_recipe(tmp_path / "run.json")

"""A training resumes only from a checkpoint of the same code."""

import inspect

import pytest

from s2snets import stages
from s2snets.runtime.errors import UserError
from s2snets.study.stage import TrainingStage, load_subclasses
from s2snets.training import checkpoint

TRAININGS = load_subclasses(stages, TrainingStage)


def test_every_training_is_found():
    assert len(TRAININGS) > 5


@pytest.mark.parametrize("stage", TRAININGS, ids=lambda stage: stage.command_name())
def test_every_training_gives_its_checkpoint_the_key_of_its_stage(stage):
    assert "cache_key=self.cache_key(" in inspect.getsource(stage.run)


def test_a_checkpoint_of_another_loss_is_refused(tmp_path, monkeypatch):
    stage = TRAININGS[0]
    job = stage.model_construct(**dict.fromkeys(stage.model_fields))
    digests = dict.fromkeys(stage.model_fields, "digest")
    path = tmp_path / "checkpoint.pt"
    checkpoint.save(path, job.cache_key(**digests), {"seen": 1})
    assert checkpoint.load(path, job.cache_key(**digests)) == {"seen": 1}
    monkeypatch.setattr(stage, "code", classmethod(lambda cls: "other"))
    with pytest.raises(
        UserError, match=r"another training \(code was '\w+', is 'other'"
    ):
        checkpoint.load(path, job.cache_key(**digests))

"""PPO of stable-baselines3 learns, goes on after a stop, and is distinguished from guessing."""

import errno
import os
from dataclasses import replace

import numpy as np
import pytest
import torch
from stable_baselines3.common.logger import CSVOutputFormat

from pixel_env import ConfigError, Grade, ImageSource, Sample, Task
from pixel_env.agents.on_policy.curiosity_options import CuriosityOptions
from pixel_env.agents.sb3.config import SB3Config
from pixel_env.agents.sb3.guessing import guess_rate
from pixel_env.agents.sb3.training import SB3Training, make_lanes
from pixel_env.agents.training.checkpoints.checkpointer import Checkpointer
from pixel_env.wrappers import RateTracker

COLOURS = {"red": (220, 30, 30), "blue": (30, 30, 220)}


class Colours(Task):
    """A hundred plain pictures, every other one red."""

    name = "colours"

    def __init__(self, split="train"):
        self.split = split

    def __len__(self):
        return 100

    def __getitem__(self, index):
        shown = list(COLOURS)[index % 2]
        picture = np.full((80, 80, 3), COLOURS[shown], np.uint8)
        source = ImageSource(picture)
        return Sample(f"{self.split}-{index}", "Which colour is it?", (source,), answers=(shown,))

    def grade(self, sample, answer):
        return Grade(float(answer in sample.answers), answer in sample.answers, answer)


class Habits(Colours):
    """Two questions; nine times in ten the first one's answer is red, the second one's blue."""

    def __getitem__(self, index):
        usual, other = ("red", "blue") if index % 2 else ("blue", "red")
        answer = other if index // 2 % 10 == 0 else usual
        sample = super().__getitem__(index)
        return replace(sample, question=f"Question {index % 2}?", answers=(answer,))


SMALL = {"overview_px": (784, 7840), "crop_px": (784, 7840), "max_turns": 2}
TOY = SB3Config(
    vocabulary=("red", "blue"),
    view_px=40,
    question_chars=16,
    width=8,
    layers=(16,),
    n_envs=8,
    rollout_steps=8,
    batch_size=32,
    steps=64,
    eval_samples=20,
    curiosity=CuriosityOptions(enabled=False),
)


def silent(*_):
    """Shows nothing."""


@pytest.fixture
def toy(register):
    return replace(TOY, env=register("Colours", Colours, **SMALL))


def weights(training):
    return {name: value.clone() for name, value in training.model.policy.state_dict().items()}


def test_the_same_seed_gives_the_same_weights(toy, tmp_path):
    made = []
    for name in ("one", "other"):
        training = SB3Training(toy, tmp_path / name, silent)
        training.run()
        made.append(weights(training))
    assert all(torch.equal(made[0][name], made[1][name]) for name in made[0])


def test_a_training_goes_on_with_weights_optimizer_and_steps(toy, tmp_path):
    first = SB3Training(toy, tmp_path / "run", silent)
    outcome = first.run()
    again = SB3Training(replace(toy, steps=128), tmp_path / "run", silent)
    assert again.model.num_timesteps == outcome.steps == 64
    saved = weights(first)
    assert all(torch.equal(saved[name], value) for name, value in weights(again).items())
    before, after = (t.model.policy.optimizer.state_dict()["state"] for t in (first, again))
    assert all(torch.equal(before[key]["exp_avg"], after[key]["exp_avg"]) for key in before)
    longer = again.run()
    assert longer.steps == 128
    assert longer.cpu_seconds > outcome.cpu_seconds
    assert Checkpointer(tmp_path / "run" / "checkpoints").latest().name == "step-00000128"


def test_a_finished_training_is_measured_again_and_not_trained(toy, tmp_path):
    first = SB3Training(toy, tmp_path / "run", silent)
    results = first.run().evaluation.results
    again = SB3Training(toy, tmp_path / "run", silent)
    assert again.run().evaluation.results == results
    assert len(list((tmp_path / "run" / "logs").iterdir())) == 1


def test_lanes_share_one_rate_of_looking(toy):
    tracker = RateTracker(64)
    config = replace(toy, curiosity=CuriosityOptions(threshold=0.5), n_envs=2, batch_size=16)
    lanes, flat = make_lanes(config, tracker)
    lanes.reset()
    answer, zoom = [0, 0, 0, 0, 0], [1, 0, 0, 0, 0]
    assert flat.words == ("red", "blue")
    lanes.step(np.array([zoom, answer]))
    *_, infos = lanes.step(np.array([answer, answer]))
    assert [info["rapr"] for info in infos] == [1 / 2, 1 / 3]
    assert infos[1]["curiosity_bonus"] == 0  # it made no call
    assert len(tracker) == 1


def test_looks_that_show_the_evidence_can_be_paid():
    evidence = CuriosityOptions(counts="evidence", threshold=1.0)
    config = SB3Config(n_envs=1, rollout_steps=64, batch_size=64, curiosity=evidence)
    envs, _ = make_lanes(config, RateTracker())
    envs.reset()
    ended = False
    while not ended:
        _, _, (ended,), (info,) = envs.step([envs.action_space.sample()])
    assert info["evidence_seen"] in (0, 1)
    assert info["rapr"] == info["evidence_seen"]


def test_a_threshold_from_history_is_refused_rather_than_left_out():
    options = CuriosityOptions(threshold_from="sample history")
    with pytest.raises(ConfigError, match="threshold_from"):
        SB3Config(curiosity=options)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch_size": 48}, "batch_size"),
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"discount": 1.5}, "discount"),
        ({"steps": 0}, "steps"),
    ],
)
def test_a_value_out_of_range_is_named(changes, message):
    with pytest.raises(ConfigError, match=message):
        replace(TOY, **changes)


def test_guessing_is_worth_what_the_questions_alone_tell():
    assert guess_rate(Colours("train"), Colours("test")).mean == 0.5
    assert guess_rate(Habits("train"), Habits("test")).mean == 0.9


def test_guessing_takes_one_of_the_options():
    class Chosen(Habits):
        """The usual answer is no option; only one other is."""

        def __getitem__(self, index):
            return replace(super().__getitem__(index), choices=("green", "blue"), right_choice=1)

    # Blue is answered always, and right where the answer is blue: to half of the samples.
    assert guess_rate(Chosen("train"), Chosen("test")).mean == 0.5


@pytest.mark.slow
def test_ppo_learns_to_say_what_is_shown(toy, tmp_path):
    config = replace(toy, steps=4096, rollout_steps=32, batch_size=64, eval_samples=100)
    outcome = SB3Training(config, tmp_path / "run", silent).run()
    assert outcome.guessing.mean == 0.5
    assert outcome.evaluation.overall.accuracy.mean > 0.95


def test_a_logger_that_finds_no_room_is_named_by_its_folder(toy, tmp_path, monkeypatch):
    def full(*given, **more):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))  # the library names no file

    training = SB3Training(toy, tmp_path / "run", silent)
    monkeypatch.setattr(CSVOutputFormat, "write", full)
    with pytest.raises(OSError, match="No space left") as caught:
        training.run()
    assert caught.value.filename == str(tmp_path / "run" / "logs" / "from-00000000")

"""A file of demonstrations warms a policy up; what is wrong in it is told by file and line."""

import dataclasses
import json
import shutil

import gymnasium as gym
import pytest
from dataset_folders.pixel_reasoner import recorded, select_call, write_recorded, zoom_call
from tiny_models import tiny_encoder

import pixel_env  # noqa: F401  # registers the environments
from pixel_env.agents.generation.config import GenerationConfig
from pixel_env.agents.run.config import RunConfig, tiny_defaults
from pixel_env.agents.run.run import TrainingRun
from pixel_env.agents.run.warm_start_file import open_stored
from pixel_env.agents.training.metrics import read_metrics
from pixel_env.agents.warm_start.demonstration import EncodedDemonstrations, save
from pixel_env.agents.warm_start.from_conversations import RecordedDemonstrations
from pixel_env.errors import ConfigError, DataError

ANSWER = r"It is blue: \boxed{B}"
SMALL = {"overview_px": [112 * 112, 112 * 112], "clip_px": [56 * 56, 56 * 56]}
SMALL |= {"crop_px": [56 * 56, 56 * 56], "frame_px": [56 * 56, 56 * 56]}
CONVERSATIONS = {
    "sa1b-1": recorded(zoom_call(0.6, 0.6, 1, 1), zoom_call(0, 0, 0.5, 0.5), ANSWER),
    "sa1b-2": recorded(ANSWER),
    "star-3": recorded(select_call(1), r"\boxed{a wave}", clip=3),
}


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    return write_recorded(tmp_path_factory.mktemp("release"), CONVERSATIONS)


@pytest.fixture
def path(release, tmp_path):
    """A file of the three demonstrations."""
    env = gym.make("PixelReason-PixelReasonerSFT-v0", data_dir=str(release), **SMALL)
    recordings = RecordedDemonstrations(env)
    path = tmp_path / "demos.jsonl"
    save(path, [recordings.make(number) for number in range(3)])
    return path


def rewrite(path, number, **changes):
    """Changes one line of a file, by number from 1."""
    lines = path.read_text().splitlines()
    lines[number - 1] = json.dumps(json.loads(lines[number - 1]) | changes)
    path.write_text("\n".join(lines) + "\n")


def stored(path, **changes):
    return open_stored(RunConfig(warm_start_file=str(path), **changes))


class Silent:
    def __call__(self, stage, done, total, text=""):
        pass


def test_one_step_of_a_warm_start_learns_the_recorded_words(path, tmp_path):
    config = tiny_defaults()
    config = dataclasses.replace(
        config,
        threads=1,
        eval_samples=1,
        measure_base=False,
        rl=False,
        warm_start_file=str(path),
        imitation=dataclasses.replace(config.imitation, batch_size=3, epochs=1),
        on_policy=dataclasses.replace(
            config.on_policy, generation=GenerationConfig(max_new_tokens=4)
        ),
    )
    run = TrainingRun(config, tmp_path / "run", Silent())
    said = run.encoder.message_ids
    learnt = [zoom_call(0, 0, 0.5, 0.5), ANSWER, ANSWER, select_call(1), r"\boxed{a wave}"]
    run.run()
    (line,) = read_metrics(tmp_path / "run" / "imitation")
    assert line["imitation/tokens"] == sum(len(said(message)) for message in learnt)
    assert not (tmp_path / "run" / "demonstrations.jsonl").exists()


def test_demonstrations_are_played_where_they_were_made_or_where_the_data_lies_now(
    path, release, tmp_path
):
    held, env = stored(path)
    assert [each.number for each in held] == [0, 1, 2]
    assert env.unwrapped.config.overview_px == (112 * 112, 112 * 112)
    moved = shutil.copytree(release, tmp_path / "elsewhere")
    _, env = stored(path, warm_start_args={"data_dir": str(moved)})
    media = env.unwrapped.task[0].media[0]
    assert media.name.startswith(str(moved))
    assert env.unwrapped.config.overview_px == (112 * 112, 112 * 112)


def test_no_file_is_opened_where_none_is_named():
    assert open_stored(RunConfig()) is None


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"imitate": [True, True]}, DataError, "line 2: expected messages"),
        ({"messages": [3]}, DataError, "line 2: expected messages"),
        ({"imitate": [False]}, DataError, "line 2: expected messages"),
        ({"kin": 1}, DataError, "line 2: no demonstration"),
        ({"dialect": "mini-o3"}, ConfigError, "line 2: expected the run's dialect"),
        ({"env_kwargs": {}}, ConfigError, "line 2: expected the environment of line 1"),
    ],
)
def test_a_wrong_line_is_named(path, changes, error, message):
    rewrite(path, 2, **changes)
    with pytest.raises(error, match=rf"demos\.jsonl, {message}"):
        stored(path)


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        (None, ConfigError, "there is none at"),
        ("", DataError, "holds no demonstration"),
        ('{"number": 1, "ki', DataError, "line 1: the file ends in the middle of a line"),
        ("\x80", DataError, "line 1: the file ends"),
    ],
)
def test_a_file_that_is_missing_empty_or_cut_off_is_refused(tmp_path, text, error, message):
    path = tmp_path / "demos.jsonl"
    if text is not None:
        path.write_text(text)
    with pytest.raises(error, match=message):
        stored(path)


def test_a_demonstration_that_plays_otherwise_now_is_named_by_its_line(path):
    rewrite(path, 2, messages=[r"\boxed{A}"])
    held, env = stored(path)
    data = EncodedDemonstrations(held, tiny_encoder("qwen2_5_vl"), env=env)
    with pytest.raises(
        DataError, match=r"\(.*demos\.jsonl, line 2\) scored 1\.0, now it scores 0\.0"
    ):
        _ = data[1]

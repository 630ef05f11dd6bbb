"""One in so many rollouts is recorded, with the bonus that comes late, on a bounded disk."""

import json
from dataclasses import replace

import pytest
from bandit import Bandit, parts

from pixel_env.agents.generation.config import GenerationConfig
from pixel_env.agents.on_policy.config import OnPolicyConfig
from pixel_env.agents.on_policy.lanes import TrainingLanes
from pixel_env.agents.on_policy.recorder import LaneRecorder
from pixel_env.agents.on_policy.trainer import OnPolicyTrainer
from pixel_env.vector import PixelReasoningVectorEnv
from pixel_env.wrappers import GroupCuriosity, TextAction

SMALL = OnPolicyConfig(
    iterations=4,
    group_size=4,
    groups_per_iteration=3,
    generation=GenerationConfig(max_new_tokens=2),
    checkpoint_every=2,
)


def trainer(folder, **changes):
    model, encoder = parts()
    return OnPolicyTrainer(
        model, encoder, TrainingLanes(Bandit(8), 7), replace(SMALL, **changes), folder
    )


def lines(folder):
    return [json.loads(line) for line in (folder / "trajectories.jsonl").open()]


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("every", [1, 5, 12])
def test_one_in_so_many_rollouts_of_the_training_is_recorded(tmp_path, every):
    run = trainer(tmp_path, record_every=every)
    counts = []
    for iteration in (1, 2, 3):
        judged = run._groups.run(iteration)
        recorded = lines(tmp_path / "rollouts" / f"iteration-{iteration:08d}")
        due = [i for i in range(12) if ((iteration - 1) * 12 + i) % every == 0]
        assert [r["sample_id"] for r in recorded] == [judged.rollouts[i].sample_id for i in due]
        assert [r["reward"] for r in recorded] == [judged.rollouts[i].reward for i in due]
        counts.append(len(recorded))
    assert sum(counts) == len(range(0, 36, every))


def test_recording_changes_no_rollout(tmp_path):
    plain = trainer(tmp_path / "a")._groups.run(1).rollouts
    recorded = trainer(tmp_path / "b", record_every=3)._groups.run(1).rollouts
    assert [t.ids.tolist() for t in plain] == [t.ids.tolist() for t in recorded]
    assert not (tmp_path / "a" / "rollouts").exists()


def test_only_the_newest_iterations_are_kept(tmp_path):
    trainer(tmp_path, record_every=4, record_iterations=2).train()
    assert names(tmp_path / "rollouts") == ["iteration-00000003", "iteration-00000004"]


class Killed(Exception):
    pass


def test_what_runs_again_after_a_kill_is_recorded_once(tmp_path):
    def kill(iteration, metrics, warnings):
        if iteration == 3:  # one iteration past the checkpoint
            raise Killed

    with pytest.raises(Killed):
        trainer(tmp_path, record_every=4).train(on_iteration=kill)
    trainer(tmp_path, record_every=4).train(resume=True)
    for name in names(tmp_path / "rollouts"):
        assert len(lines(tmp_path / "rollouts" / name)) == 3, name
    assert len(names(tmp_path / "rollouts")) == 4


def test_a_bonus_that_comes_after_an_episode_is_in_its_record(tmp_path):
    lanes = PixelReasoningVectorEnv.from_id(
        "PixelReason-SyntheticSearch-v0",
        4,
        wrappers=[lambda env: TextAction(env, "pixel-reasoner")],
        autoreset_mode="Disabled",
        split="train",
    )
    recorder = LaneRecorder(GroupCuriosity(lanes, 4), tmp_path, keep=1, suffix="")
    recorder.begin(1, [0])
    recorder.reset(options={"index": [3] * 4})
    call = '<tool_call>{"name": "zoom_in", "arguments": {"bbox_2d": [0, 0, 0.5, 0.5]}}</tool_call>'
    wrong = r"\boxed{q}"
    recorder.step((call, wrong, "hm", wrong))
    recorder.step((wrong, None, "hm", None))  # its own episode ends
    recorder.step((None, None, wrong, None))  # its group ends
    recorder.finish()
    (record,) = lines(tmp_path / "iteration-00000001")
    assert record["reward_terms"]["curiosity"] == pytest.approx(0.5 * (0.3 - 0.25))
    assert record["reward"] == pytest.approx(0.025 + record["reward_terms"]["score"])
    assert record["curiosity_bonus"] == pytest.approx(0.025)
    assert record["rapr"] == 0.25
    assert record["terminated"]
    assert [turn["message"] for turn in record["turns"]] == [call, wrong]
    assert (tmp_path / "iteration-00000001" / record["turns"][0]["images"][0]).exists()

"""One in so many rollouts is recorded, with what comes after its end, on a bounded disk."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from threading import Barrier

import numpy as np
import pytest
from bandit import Bandit, parts

from pixel_env.agents.generation.config import GenerationConfig
from pixel_env.agents.generation.engine import Engine
from pixel_env.agents.generation.session import Session
from pixel_env.agents.on_policy.config import OnPolicyConfig
from pixel_env.agents.on_policy.groups import GroupRollouts
from pixel_env.agents.on_policy.lanes import TrainingLanes
from pixel_env.agents.on_policy.recorder import LaneRecorder
from pixel_env.agents.on_policy.trainer import OnPolicyTrainer
from pixel_env.agents.on_policy.trainer import _recorder as trainer_recorder
from pixel_env.agents.tokens.trajectory import TrajectoryBuilder
from pixel_env.agents.training.processes import Processes
from pixel_env.vector import PixelReasoningVectorEnv
from pixel_env.viewer import read_site
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


def test_a_record_has_the_advantage_that_the_update_gets(tmp_path):
    run = trainer(tmp_path, record_every=1)
    run._groups._env.env.faulty = (1,)  # of each wave: one is masked, and its record has none
    judged = run._groups.run(1)
    records = lines(tmp_path / "rollouts" / "iteration-00000001")
    of_rollout = {id(each.trajectory): each.advantage for each in judged.experiences()}
    assert len(records) == 12
    assert 0 < len(of_rollout) < 12
    for record, rollout in zip(records, judged.rollouts, strict=True):
        assert record.get("advantage") == of_rollout.get(id(rollout))
    for group in range(3):  # by hand: the reward minus the mean of the rewards that count
        members = records[4 * group : 4 * group + 4]
        counted = [each["reward"] for each in members if "env_error" not in each]
        for each in members:
            if "env_error" not in each:
                expected = each["reward"] - sum(counted) / len(counted)
                assert each["advantage"] == pytest.approx(expected, abs=1e-12)
    assert {each.get("advantage") for each in records} - {0.0, None}


def test_a_record_has_the_log_probability_of_every_sampled_token(tmp_path):
    run = trainer(tmp_path, record_every=5)
    judged = run._groups.run(1)
    folder = tmp_path / "rollouts" / "iteration-00000001"
    for number, record in zip((0, 5, 10), lines(folder), strict=True):
        (turn,) = record["turns"]
        rollout = judged.rollouts[number]
        texts, logprobs = zip(*turn["token_logprobs"], strict=True)
        recorded = np.array(logprobs, np.float32)
        assert recorded.tolist() == rollout.logprobs[rollout.trainable].tolist()
        assert "".join(texts).removesuffix("<|im_end|>") == turn["action"]
    shown = read_site(folder).details[0]["turns"][0]["logprobs"]
    assert [list(pair) for pair in shown] == lines(folder)[0]["turns"][0]["token_logprobs"]


def test_rollouts_of_a_group_are_the_repeats_of_a_sample(tmp_path):
    run = trainer(tmp_path, record_every=3)
    run._groups.run(1)
    records = lines(tmp_path / "rollouts" / "iteration-00000001")
    assert [each["repeat"] for each in records] == [0, 3, 2, 1]
    assert [f"s{each['options']['index']}" for each in records] == [
        each["sample_id"] for each in records
    ]


@dataclass(frozen=True)
class InThreads(Processes):
    """Processes that are threads, and meet to give each other what they have."""

    meeting: Barrier = field(default_factory=lambda: Barrier(2))
    given: dict[int, object] = field(default_factory=dict)

    def gather(self, value):
        self.given[self.rank] = value
        self.meeting.wait(60)
        found = [self.given[rank] for rank in range(self.count)]
        self.meeting.wait(60)
        return found


def test_each_process_writes_its_own_rollouts_with_the_advantages_of_one_process(tmp_path):
    config = replace(SMALL, record_every=1)
    first = InThreads(0, 2)
    made = [parts(), parts()]  # here: what a model begins with is drawn from one generator

    def run(processes):
        model, encoder = made[processes.rank]
        lanes = TrainingLanes(Bandit(8), 7)
        recorder = trainer_recorder(lanes, encoder, config, tmp_path / "two", processes.rank)
        speaker = Session(Engine(model, encoder, config.generation))
        GroupRollouts(speaker, lanes, config, recorder, processes).run(1)

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(run, (first, replace(first, rank=1))))
    trainer(tmp_path / "one", record_every=1)._groups.run(1)
    name = "iteration-00000001"
    folders = [tmp_path / "two" / "rollouts" / f"{name}{end}" for end in ("", "-process-1")]
    found = [lines(folder) for folder in folders]
    expected = lines(tmp_path / "one" / "rollouts" / name)
    assert [len(each) for each in found] == [4, 8]
    for one, other in zip([*found[0], *found[1]], expected, strict=True):
        for key in ("sample_id", "repeat", "advantage"):
            assert one[key] == other[key], key
        mine, theirs = (each["turns"][0]["token_logprobs"] for each in (one, other))
        assert [text for text, _ in mine] == [text for text, _ in theirs]
        assert [b for _, b in mine] == pytest.approx([b for _, b in theirs], abs=1e-4)


class Killed(Exception):
    pass


def test_rollouts_of_an_iteration_that_broke_off_are_not_written(tmp_path):
    run = trainer(tmp_path, record_every=1)
    judged = run._groups._judged

    def broken(rollouts):
        raise Killed

    run._groups._judged = broken
    with pytest.raises(Killed):
        run._groups.run(1)
    assert not (tmp_path / "rollouts" / "iteration-00000001" / "trajectories.jsonl").exists()
    run._groups._judged = judged
    run._groups.run(2)
    assert len(lines(tmp_path / "rollouts" / "iteration-00000002")) == 12
    assert not (tmp_path / "rollouts" / "iteration-00000001" / "trajectories.jsonl").exists()


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
    trainer(tmp_path / "whole", record_every=4).train()
    for name in names(tmp_path / "rollouts"):
        expected = lines(tmp_path / "whole" / "rollouts" / name)
        assert lines(tmp_path / "rollouts" / name) == expected


def test_a_bonus_that_comes_after_an_episode_is_in_its_record(tmp_path):
    lanes = PixelReasoningVectorEnv.from_id(
        "PixelReason-SyntheticSearch-v0",
        4,
        wrappers=[lambda env: TextAction(env, "pixel-reasoner")],
        autoreset_mode="Disabled",
        split="train",
    )
    recorder = LaneRecorder(
        GroupCuriosity(lanes, 4), tmp_path, keep=1, suffix="", tokenizer=None, group_size=4
    )
    recorder.begin(1, {0: 0})
    recorder.reset(options={"index": [3] * 4})
    call = '<tool_call>{"name": "zoom_in", "arguments": {"bbox_2d": [0, 0, 0.5, 0.5]}}</tool_call>'
    wrong = r"\boxed{q}"
    recorder.step((call, wrong, "hm", wrong))
    recorder.step((wrong, None, "hm", None))  # its own episode ends
    recorder.step((None, None, wrong, None))  # its group ends
    recorder.finish([TrajectoryBuilder().build()] * 4)
    recorder.write([0.75, None, None, None])
    (record,) = lines(tmp_path / "iteration-00000001")
    assert record["advantage"] == 0.75
    assert record["reward_terms"]["curiosity"] == pytest.approx(0.5 * (0.3 - 0.25))
    assert record["reward"] == pytest.approx(0.025 + record["reward_terms"]["score"])
    assert record["curiosity_bonus"] == pytest.approx(0.025)
    assert record["rapr"] == 0.25
    assert record["terminated"]
    assert [turn["message"] for turn in record["turns"]] == [call, wrong]
    assert (tmp_path / "iteration-00000001" / record["turns"][0]["images"][0]).exists()

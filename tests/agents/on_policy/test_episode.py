"""A whole iteration over the real environment: pictures, operations, the group's bonus, a fault."""

import json

import numpy as np
import pytest
import torch
from tiny_models import tiny_model, tiny_processor, tiny_tokenizer
from torch.optim.optimizer import register_optimizer_step_pre_hook

from pixel_env import ConfigError, DataError, Grade, ImageSource, PixelReasoningEnv, Sample, Task
from pixel_env.agents.generation.config import GenerationConfig
from pixel_env.agents.model.loading import recompute_layers
from pixel_env.agents.on_policy.config import OnPolicyConfig
from pixel_env.agents.on_policy.lanes import TrainingLanes
from pixel_env.agents.on_policy.trainer import OnPolicyTrainer
from pixel_env.agents.tokens.encoder import Encoder
from pixel_env.agents.training.metrics import read_metrics
from pixel_env.dialects import get_dialect
from pixel_env.recordings.gold import gold_of, read_gold
from pixel_env.vector import PixelReasoningVectorEnv
from pixel_env.viewer import read_site
from pixel_env.wrappers import GroupCuriosity, TextAction

ZOOM = (
    '<tool_call>\n{"name": "crop_image_normalized", "arguments": '
    '{"bbox_2d": [0.1, 0.1, 0.6, 0.6], "target_image": 1}}\n</tool_call>'
)
MESSAGES = (ZOOM, r"\boxed{red}", r"\boxed{red}", r"\boxed{blue}", "hm")
BUDGET = (4 * 28 * 28, 4 * 28 * 28)
GROUPS, SIZE, BROKEN = 5, 4, 1


class Colours(Task):
    """Sample i is a picture of noise; one can't be read."""

    name = "colours"

    def __len__(self):
        return GROUPS

    def __getitem__(self, index):
        def pixels():
            if index == BROKEN:
                raise DataError("a broken file")
            rng = np.random.default_rng(index)
            return rng.integers(0, 256, (160, 160, 3), dtype=np.uint8)

        source = (ImageSource(pixels),)
        return Sample(f"s{index}", "which colour?", source, ("red",), category="noise")

    def grade(self, sample, answer):
        right = answer == "red"
        return Grade(float(right), right, answer or None)


class Spelled(Encoder):
    """Takes the model's tokens for messages that the environment understands."""

    def texts(self, messages):
        return [MESSAGES[int(ids.sum()) % len(MESSAGES)] for ids in messages]


def make_env(group_size=SIZE):
    def lane():
        settings = {"overview_px": BUDGET, "crop_px": BUDGET, "max_turns": 3}
        return TextAction(PixelReasoningEnv(Colours(), **settings))

    lanes = PixelReasoningVectorEnv([lane] * (GROUPS * SIZE), autoreset_mode="Disabled")
    return GroupCuriosity(lanes, group_size)


def make_trainer(folder, env, **settings):
    torch.set_num_threads(1)
    encoder = Spelled(
        tiny_tokenizer(), tiny_processor("qwen2_5_vl"), get_dialect("pixel-reasoner"), "none"
    )
    given = {
        "iterations": 3, "group_size": SIZE, "groups_per_iteration": GROUPS, "warmup_share": 0.0,
        "learning_rate": 1e-3, "checkpoint_every": 2,
        "generation": GenerationConfig(max_new_tokens=4, max_context=2000),
    }  # fmt: skip
    config = OnPolicyConfig(**(given | settings))
    model = tiny_model("qwen2_5_vl", scale=1.5)
    return OnPolicyTrainer(
        model, encoder, TrainingLanes(env, len(Colours()), curiosity=env), config, folder
    )


def test_an_iteration_over_the_environment(tmp_path):
    trainer = make_trainer(tmp_path, make_env())
    before = {name: value.clone() for name, value in trainer.model.named_parameters()}
    metrics = trainer.iterate(1)
    assert metrics["rollouts/env_errors"] == SIZE
    assert 0 < metrics["rapr"] < 1
    assert 0 < metrics["accuracy/all"] < 1
    assert metrics["accuracy/noise"] == metrics["accuracy/all"]
    assert metrics["reward/mean"] == pytest.approx(
        metrics["reward/score"] + metrics["reward/curiosity"] + metrics["reward/operations"]
    )
    assert metrics["reward/score"] == metrics["accuracy/all"]
    assert metrics["advantage/zero_groups"] >= 1 / GROUPS  # the one that can't be read
    assert metrics["update/ratio_max"] == pytest.approx(1, abs=1e-3)
    assert metrics["update/grad_norm"] > 0
    moved = [
        name for name, v in trainer.model.named_parameters() if not torch.equal(v, before[name])
    ]
    assert any("visual" in name for name in moved)
    assert any("language_model" in name for name in moved)


def test_a_resumed_training_over_pictures_gives_the_same_numbers(tmp_path):
    whole = make_trainer(tmp_path / "whole", make_env())
    whole.train()
    cut = make_trainer(tmp_path / "cut", make_env())

    def stop(iteration, metrics, warnings):
        if iteration == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cut.train(on_iteration=stop)
    resumed = make_trainer(tmp_path / "cut", make_env())
    resumed.train(resume=True)
    for one, other in zip(
        read_metrics(tmp_path / "whole"), read_metrics(tmp_path / "cut"), strict=True
    ):
        for name in one.keys() - {"seconds/generate", "seconds/update", "tokens/per_second"}:
            assert one[name] == other[name], name
    expected = dict(whole.model.named_parameters())
    for name, value in resumed.model.named_parameters():
        assert torch.equal(value, expected[name]), name
    assert len(resumed.replay) == len(whole.replay) > 0


def test_recorded_rollouts_have_their_advantages_log_probabilities_and_gold(tmp_path):
    trainer = make_trainer(tmp_path, make_env(), record_every=1)
    judged = trainer._groups.run(1)
    folder = tmp_path / "rollouts" / "iteration-00000001"
    records = [json.loads(line) for line in (folder / "trajectories.jsonl").open()]
    assert max(len(each["turns"]) for each in records) > 1
    assert any(each["reward_terms"].get("curiosity") for each in records)
    for record, rollout, value in zip(records, judged.rollouts, judged.values(), strict=True):
        assert record.get("advantage") == value
        spoken = [turn for turn in rollout.turns if turn.role == "assistant"]
        for turn, tokens in zip(record["turns"], spoken, strict=True):
            found = [np.float32(logprob) for _, logprob in turn["token_logprobs"]]
            assert found == rollout.logprobs[tokens.start : tokens.stop].tolist()
    assert_gold_as_evaluated(folder)
    site = read_site(folder)
    shown = [row for row in site.rows if "advantage" in row]
    assert [row["advantage"] for row in shown] == [v for v in judged.values() if v is not None]
    assert {row["gold"] for row in shown} == {"red"}
    turn = next(each for each in site.details if "views" in each)["turns"][0]
    assert [list(each) for each in turn["logprobs"]] == records[0]["turns"][0]["token_logprobs"]


def assert_gold_as_evaluated(folder):
    """A line for each sample that could be read, as an episode of it alone has it."""
    gold = read_gold(folder)
    assert list(gold) == [index for index in range(GROUPS) if index != BROKEN]
    for index, line in gold.items():
        env = PixelReasoningEnv(Colours(), overview_px=BUDGET)
        env.reset(options={"index": index})
        expected = {"index": index, **gold_of(env.history)}
        assert line == json.loads(json.dumps(expected))


def test_an_observation_has_nothing_of_the_gold_that_is_recorded(tmp_path):
    plain = make_trainer(tmp_path / "plain", make_env())._groups.run(1)
    recorded = make_trainer(tmp_path / "recorded", make_env(), record_every=1)._groups.run(1)
    for one, other in zip(plain.rollouts, recorded.rollouts, strict=True):
        assert one.ids.tolist() == other.ids.tolist()
        assert one.info == other.info


def test_groups_that_the_environment_pays_must_be_those_that_are_compared(tmp_path):
    with pytest.raises(ConfigError, match="pays groups of 2"):
        make_trainer(tmp_path, make_env(group_size=2))


def test_a_group_holds_its_picture_once_on_the_host_also_in_the_replay_buffer_after_a_resume(
    tmp_path,
):
    """Patches of one 56 x 56 picture: 4 x 4 patches of 3 x 2 x 14 x 14 numbers of 4 bytes."""
    one_picture = 16 * 1176 * 4
    trainer = make_trainer(tmp_path, make_env(), iterations=1, replay_capacity=100)
    rollouts = trainer._groups.run(1).rollouts
    for start in range(0, len(rollouts), SIZE):
        firsts = [t.images[0] for t in rollouts[start : start + SIZE] if not t.masked]
        assert len({id(image) for image in firsts}) <= 1
        assert all(image.patches.nbytes == one_picture for image in firsts)
    trainer.train()
    resumed = make_trainer(tmp_path, make_env(), iterations=1, replay_capacity=100)
    resumed.train(resume=True)
    for replayed in (trainer.replay.trajectories(), resumed.replay.trajectories()):
        firsts = {id(t.images[0]): t for t in replayed}
        assert 0 < len(firsts) < len(replayed)
        n_bytes = sum({id(i): i.patches.nbytes for t in replayed for i in t.images}.values())
        assert n_bytes < sum(i.patches.nbytes for t in replayed for i in t.images)
        assert len(firsts) * one_picture <= n_bytes


def test_recomputed_layers_give_the_same_gradient(tmp_path):
    """Recomputing reads every rollout whole, without it a group shares its opening.

    Gradients in float64 are compared, not weights: Adam turns one of 1e-9 into a whole step.
    """
    gradients = []

    def keep(optimizer, args, kwargs):
        parameters = optimizer.param_groups[0]["params"]
        gradients.append(torch.cat([p.grad.flatten() for p in parameters if p.grad is not None]))

    hook = register_optimizer_step_pre_hook(keep)
    for recomputes in (False, True):
        trainer = make_trainer(tmp_path / str(recomputes), make_env(), iterations=1)
        trainer.model.double()
        if recomputes:
            recompute_layers(trainer.model)
        trainer.iterate(1)
    hook.remove()
    plain, recomputed = gradients
    assert plain.abs().max() > 0.01
    torch.testing.assert_close(recomputed, plain, atol=1e-6, rtol=1e-5)

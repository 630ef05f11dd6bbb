"""verl's own classes with our agent loop: tokens, masks, pictures, pay, and what is left out.

Needs verl in an environment of its own, and runs by name:

    pytest tests/agents/verl -m slow
"""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

import pixel_env

pytest.importorskip("verl.experimental.agent_loop.agent_loop")

import torch
import verl_play
from omegaconf import OmegaConf
from tiny_models import tiny_processor, tiny_tokenizer
from verl.experimental.agent_loop.agent_loop import AgentLoopBase, _agent_loop_registry
from verl.trainer.ppo.core_algos import get_adv_estimator_fn
from verl_parts import LOGPROB, Server, agent_loop, processor

from pixel_env.agents.generation.collection import collect
from pixel_env.agents.tokens.encoder import Encoder
from pixel_env.agents.tokens.trajectory import TrajectoryBuilder
from pixel_env.agents.verl import estimator
from pixel_env.agents.verl.agent_loop import PixelReasonLoop
from pixel_env.chat.rows import row_of
from pixel_env.dialects import get_dialect
from pixel_env.errors import ConfigError
from pixel_env.vector import PixelReasoningVectorEnv
from pixel_env.wrappers import GroupCuriosity, TextAction

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]
ID = "PixelReason-SyntheticSearch-v0"
ARGS = {"split": "test", "side_multiple": 28, "options": True}
ZOOM = (
    '<tool_call>\n{"name": "crop_image_normalized", "arguments": '
    '{"bbox_2d": [0.1, 0.1, 0.6, 0.6], "target_image": 1}}\n</tool_call>'
)
BAD = '<tool_call>{"name": "crop_image_normalized", "arguments": {"bbox_2d": 7}}</tool_call>'
INDEX = 4


def right():
    env = gym.make(ID, **ARGS).unwrapped
    env.reset(options={"index": INDEX})
    return r"\boxed{" + env.sample.answers[0] + "}"


def scripts():
    """Four rollouts of one sample: a right one that zooms twice, a plain one, a refused call."""
    return [
        [ZOOM, ZOOM, right()],
        [right()],
        [BAD, r"\boxed{nothing of this}"],
        ["I don't know.", r"\boxed{nothing of this}"],
    ]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return processor(tmp_path_factory.mktemp("model"))


@pytest.fixture
def encoder():
    return Encoder(
        tiny_tokenizer(), tiny_processor("qwen2_5_vl"), get_dialect("pixel-reasoner"), "full"
    )


def row(index=INDEX, system="full", **changed):
    env = gym.make(ID, **ARGS).unwrapped
    made = row_of(env, index, get_dialect("pixel-reasoner"), system, ID, ARGS)
    read = {name: getattr(made, name) for name in made.__dataclass_fields__}
    return read | {"raw_prompt": [dict(each) for each in made.prompt]} | changed


def group(servers, made, given=None, **settings):
    """Runs rollouts of one row side by side, as verl's worker does."""
    given = given or row(uid="u")

    async def run():
        loops = [agent_loop(server, made, **settings) for server in servers]
        rollouts = (each.run({"temperature": 1.0}, **given) for each in loops)
        return await asyncio.gather(*rollouts, return_exceptions=True)

    return asyncio.run(run())


class Speaker:
    """Our collection's side: the same messages, recorded as tokens by our own encoder."""

    def __init__(self, encoder, scripts, limit_at=(), max_context=10**6):
        self.encoder, self.scripts, self.limit_at = encoder, scripts, set(limit_at)
        self.max_context = max_context
        self.records, self.turns, self.full = {}, {}, set()

    def update_weights(self):
        """There are none."""

    def begin(self, lane, seed=None):
        self.records[lane], self.turns[lane] = TrajectoryBuilder(), 0

    def hear(self, observations, lanes):
        for given, lane in zip(observations, lanes, strict=True):
            record, turn = self.records[lane], self.turns[lane]
            closed = turn - 1 not in self.limit_at
            piece = self.encoder.follow(given, closed) if turn else self.encoder.open(given)
            record.add_prompt(piece)

    def overlong(self, lane):
        return lane in self.full

    def speak(self, lanes):
        texts = [self.scripts[lane][self.turns[lane]] for lane in lanes]
        for lane, text in zip(lanes, texts, strict=True):
            ids = self.encoder.message_ids(text)
            ids = ids[:-1] if self.turns[lane] in self.limit_at else ids
            self.records[lane].add_response(ids, np.full(len(ids), LOGPROB, np.float32))
            self.turns[lane] += 1
        return texts

    def record(self, lane):
        return self.records[lane]

    def end(self, lane):
        return self.records.pop(lane, None)


def collected(encoder, scripts, limit_at=()):
    lanes = PixelReasoningVectorEnv.from_id(
        ID, num_envs=len(scripts), autoreset_mode="Disabled", wrappers=[TextAction], **ARGS
    )
    env = GroupCuriosity(lanes, group_size=len(scripts))
    return collect(
        Speaker(encoder, scripts, limit_at),
        env,
        seed=0,
        group_size=len(scripts),
        options={"index": [INDEX] * len(scripts)},
    )


def test_verl_knows_the_loop_and_the_estimator():
    assert issubclass(PixelReasonLoop, AgentLoopBase)
    target = _agent_loop_registry["pixel_reason"]["_target_"]
    assert target == "pixel_env.agents.verl.agent_loop.PixelReasonLoop"
    assert get_adv_estimator_fn("pixel_reason") is estimator.pixel_reason_advantage


@pytest.mark.parametrize("limit_at", [(), (0,)])
def test_tokens_masks_pictures_and_pay_are_those_of_our_own_collection(made, encoder, limit_at):
    outputs = group([Server(encoder, script, limit_at) for script in scripts()], made)
    ours = collected(encoder, scripts(), limit_at)
    for out, trajectory, script in zip(outputs, ours, scripts(), strict=True):
        assert out.prompt_ids + out.response_ids == trajectory.ids.tolist()
        start = len(out.prompt_ids)
        assert start == trajectory.turns[0].stop
        assert out.response_mask == trajectory.trainable[start:].astype(int).tolist()
        assert out.response_logprobs == trajectory.logprobs[start:].tolist()
        assert len(out.multi_modal_data["images"]) == len(trajectory.images)
        facts = out.extra_fields["reward_extra_info"].values()
        assert all(isinstance(each, int | float) for each in facts), "no text of the answer"
        again = encoder.images([np.asarray(each) for each in out.multi_modal_data["images"]])
        for picture, recorded in zip(again, trajectory.images, strict=True):
            np.testing.assert_array_equal(picture.patches, recorded.patches)
        assert out.reward_score == pytest.approx(trajectory.reward)
        assert out.num_turns == 2 * len(script) + 1
    told = [out.extra_fields["reward_extra_info"] for out in outputs]
    if not limit_at:
        assert [each["acc"] for each in told] == [1.0, 1.0, 0.0, 0.0]
        assert [each["n_calls"] for each in told] == [2, 0, 1, 0]
        assert {each["rapr"] for each in told} == {0.5}
    steps = [outputs[0].extra_fields[f"{end}_global_steps"] for end in ("min", "max")]
    assert steps == [7, 9]


def test_every_turn_hands_the_server_the_whole_past_with_its_pictures(made, encoder):
    server = Server(encoder, scripts()[0])
    (out,) = group([server], made)
    turns = server.handed
    assert len({turn["request"] for turn in turns}) == 1
    whole = out.prompt_ids + out.response_ids
    assert [len(turn["images"]) for turn in turns] == [1, 2, 3]
    for turn in turns:
        assert turn["ids"] == whole[: len(turn["ids"])]
        assert turn["params"]["max_tokens"] == 2048


def test_faults_of_the_data_are_left_out_of_the_batch_and_of_the_rate(made, encoder, monkeypatch):
    faults = iter([True, False, False, False])
    honest = pixel_env.PixelReasoningEnv.reset

    def reset(self, **given):
        observation, info = honest(self, **given)
        if next(faults):
            info["env_error"] = "row 3: no such file"
        return observation, info

    given, script = row(uid="u"), [ZOOM, right()]
    servers = [Server(encoder, each) for each in (script, script, script, script)]
    monkeypatch.setattr(pixel_env.PixelReasoningEnv, "reset", reset)
    outputs = group(servers, made, given)
    kept = [each for each in outputs if each != []]
    assert len(kept) == 3
    assert sum(not server.handed for server in servers) == 1
    info = [each.extra_fields["reward_extra_info"] for each in kept]
    assert {each["rapr"] for each in info} == {1.0}  # 3 of 3: the one left out isn't in it


def test_a_rollout_that_outgrows_the_context_is_left_out_and_counts_in_the_rate(made, encoder):
    servers = [Server(encoder, [ZOOM, ZOOM, right()]), Server(encoder, [right()])]
    short, other = group(servers, made, response_length=400)
    assert short == []
    assert other.extra_fields["reward_extra_info"]["rapr"] == 0.5


def test_a_server_that_fails_keeps_nobody_waiting(made, encoder):
    servers = [Server(encoder, [RuntimeError("gone")]), Server(encoder, [right()])]
    failed, other = group(servers, made)
    assert isinstance(failed, RuntimeError)
    assert other.reward_score == pytest.approx(1.0)


def test_a_processor_that_resizes_is_refused(made, encoder):
    args = json.dumps(ARGS | {"side_multiple": 30})
    (refused,) = group([Server(encoder, [right()])], made, row(uid="u", env_args=args))
    assert isinstance(refused, ConfigError)
    assert "side_multiple=28" in str(refused)


def test_the_estimator_gives_hand_computed_advantages():
    mask = torch.tensor([[1, 0, 1], [1, 1, 1], [1, 0, 0], [1, 1, 0], [0, 0, 0]])
    rewards = torch.zeros(5, 3)
    rewards[:, 2] = torch.tensor([1.0125, 0.0, 1.0, 0.5, 0.0])
    uids = np.array(["a", "a", "b", "a", "pad"], dtype=object)
    config = OmegaConf.create({"norm_adv_by_std_in_grpo": False})
    advantages, returns = get_adv_estimator_fn("pixel_reason")(
        token_level_rewards=rewards, response_mask=mask, index=uids, config=config
    )
    mean = (1.0125 + 0.0 + 0.5) / 3
    each = torch.tensor([1.0125 - mean, -mean, 0.0, 0.5 - mean, 0.0])
    torch.testing.assert_close(advantages, each[:, None] * mask)
    torch.testing.assert_close(returns, advantages)


def test_a_dataset_of_verl_reads_our_rows(tmp_path, made):
    from verl.utils.dataset.rl_dataset import RLHFDataset, collate_fn

    from pixel_env.__main__ import main

    out = tmp_path / "rows.parquet"
    given = [f"--env-arg={name}={json.dumps(value)}" for name, value in ARGS.items()]
    assert main(["rows", "--env", ID, *given, "--n", "6", "--out", str(out)]) == 0
    config = OmegaConf.create({"cache_dir": str(tmp_path), "filter_overlong_prompts": False})
    dataset = RLHFDataset(str(out), made.tokenizer, config, made)
    assert len(dataset) == 6
    batch = collate_fn([dataset[number] for number in range(6)])
    expected = row()
    read = {name: batch[name][INDEX] for name in ("env_id", "sample_index", "dialect")}
    assert read == {name: expected[name] for name in read}
    assert json.loads(batch["env_args"][INDEX]) == ARGS
    assert list(batch["raw_prompt"][INDEX]) == expected["raw_prompt"]


def test_the_play_shows_what_gym_make_shows():
    script = [ZOOM, "I don't know.", right()]
    rewards, texts, pictures, left_out = verl_play.play(ID, ARGS, INDEX, script)
    env = TextAction(gym.make(ID, **ARGS))
    observation, _ = env.reset(options={"index": INDEX})
    expected, told = list(observation["images"]), []
    for message in script:
        observation, reward, *_ = env.step(message)
        expected += observation["images"]
        parts = env.dialect.tell(observation)
        told.append("".join(part for part in parts if isinstance(part, str)))
    for here, there in zip(pictures, expected, strict=True):
        np.testing.assert_array_equal(here, there)
    assert texts == told[:2]
    assert (sum(rewards), left_out) == (reward, False)


@pytest.mark.parametrize("name", ["verl_7b_8_gpus", "verl_7b_4_nodes"])
def test_the_recipes_compose_with_verl_s_own_settings(name):
    from verl.utils.config import omega_conf_to_dataclass, validate_config

    command = [sys.executable, "-m", "verl.trainer.main_ppo", "--config-dir", "configs"]
    command += ["--config-name", name, "--cfg", "job", "--resolve"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    config = OmegaConf.create(done.stdout)
    validate_config(config=config, use_reference_policy=False, use_critic=False)
    rollout = omega_conf_to_dataclass(config.actor_rollout_ref.rollout)
    actor = omega_conf_to_dataclass(config.actor_rollout_ref.actor)
    algorithm = omega_conf_to_dataclass(config.algorithm)
    assert get_adv_estimator_fn(algorithm.adv_estimator) is estimator.pixel_reason_advantage
    assert (rollout.n, rollout.agent.default_agent_loop) == (8, "pixel_reason")
    assert actor.ppo_mini_batch_size * rollout.n == 256
    assert actor.ppo_max_token_len_per_gpu >= rollout.prompt_length + rollout.response_length
    (loop,) = OmegaConf.load(ROOT / rollout.agent.agent_loop_config_path)
    assert loop["_target_"] == f"{PixelReasonLoop.__module__}.{PixelReasonLoop.__name__}"

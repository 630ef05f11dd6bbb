"""One step of TRL's GRPO on the tiny policy: tokens, masks, pictures and advantages are ours.

Needs TRL, and a torchvision that fits torch, for transformers' processor:

    pytest tests/agents/adapters/test_trl_trainer.py -m slow
"""

import gymnasium as gym
import numpy as np
import pytest
import torch

from pixel_env.agents.adapters.trl_template import CHAT_TEMPLATE
from pixel_env.agents.model.loading import load
from pixel_env.agents.model.scoring import score
from pixel_env.agents.tokens.encoder import Encoder
from pixel_env.agents.tokens.trajectory import TrajectoryBuilder
from pixel_env.curiosity.group_rewards import group_rewards
from pixel_env.dialects import get_dialect
from pixel_env.wrappers import TextAction

pytest.importorskip("trl")
pytest.importorskip("torchvision")
pytestmark = pytest.mark.slow

ID = "PixelReason-SyntheticSearch-v0"
ARGS = {"options": True, "overview_px": [12544, 50176], "crop_px": [12544, 50176]}
INDEX, OTHER = 3, 5  # questions of different lengths
PICTURES = ("pixel_values", "image_grid_thw", "num_images", "mm_token_type_ids")


def zoom(box):
    arguments = f'{{"bbox_2d": {box}}}'
    name = "crop_image_normalized"
    return f'Look.\n<tool_call>\n{{"name": "{name}", "arguments": {arguments}}}\n</tool_call>'


SCRIPTS = [
    [zoom([0, 0, 0.5, 0.5]), r"I see. \boxed{A}"],
    [r"\boxed{B}"],
    [zoom([0.5, 0, 0.2, 0.5]), zoom([0.5, 0.5, 1, 1]), r"\boxed{C}"],
    ["<tool_call>{this is no call"],
]


@pytest.fixture(scope="module")
def trl_scripted():
    import trl_scripted

    return trl_scripted


@pytest.fixture(scope="module")
def scripted(trl_scripted, tmp_path_factory):
    """Runs one step with scripted responses."""
    made = trl_scripted.trainer(
        [trl_scripted.real_line(ID, ARGS, INDEX, "full")], tmp_path_factory.mktemp("trl"), SCRIPTS
    )
    before = {name: p.detach().clone() for name, p in made.model.named_parameters()}
    made.train()
    made.moved = {
        name: float((p - before[name]).abs().max()) for name, p in made.model.named_parameters()
    }
    return made


def recorded(processor, script, system="full", index=INDEX):
    """Records a scripted episode as our own collection does."""
    env = TextAction(gym.make(ID, **ARGS), "pixel-reasoner")
    encoder = Encoder(processor.tokenizer, processor.image_processor, env.dialect, system)
    builder = TrajectoryBuilder()
    observation, info = env.reset(options={"index": index})
    builder.add_prompt(encoder.open(observation))
    total = 0.0
    for n, message in enumerate(script):
        builder.add_response(encoder.message_ids(message))
        observation, reward, _, _, info = env.step(message)
        total += reward
        if n < len(script) - 1:
            builder.add_prompt(encoder.follow(observation))
    return builder.build(), total, info["n_calls"]


def test_the_template_is_what_trl_wants(trl_scripted):
    from trl.chat_template_utils import (
        is_chat_template_prefix_preserving,
        supports_tool_calling,
    )

    processor = trl_scripted.processor()
    assert processor.chat_template == CHAT_TEMPLATE
    assert supports_tool_calling(processor)
    assert is_chat_template_prefix_preserving(processor)


def test_tokens_masks_and_pictures_are_those_that_our_collection_records(scripted):
    batch, processor = scripted.batch, scripted.processing_class
    grids = batch["image_grid_thw"].tolist()
    patches = np.split(
        batch["pixel_values"].numpy(), np.cumsum([t * h * w for t, h, w in grids])[:-1]
    )
    for n, script in enumerate(SCRIPTS):
        ours, _, _ = recorded(processor, script)
        prompt = batch["prompt_ids"][n][batch["prompt_mask"][n].bool()]
        there = batch["completion_mask"][n].bool()
        ids = [*prompt.tolist(), *batch["completion_ids"][n][there].tolist()]
        mask = [False] * len(prompt) + batch["tool_mask"][n][there].bool().tolist()
        assert ids == ours.ids.tolist()
        assert mask == ours.trainable.tolist()
        assert batch["num_images"][n] == len(ours.images)
        for image in ours.images:
            assert tuple(grids.pop(0)) == image.grid
            np.testing.assert_allclose(patches.pop(0), image.patches, atol=1e-5)
    assert grids == []


def check_logprobs(made, trajectories, system):
    """Compares TRL's log-probabilities of a batch, before its step, with our forward pass."""
    batch, processor = made.batch, made.processing_class
    model = load("tiny").model.eval()
    dialect = get_dialect("pixel-reasoner")
    encoder = Encoder(processor.tokenizer, processor.image_processor, dialect, system)
    made.model.load_state_dict(model.state_dict())  # those before the step
    with torch.no_grad():
        ours = score(model, trajectories, encoder)
        theirs, _, _ = made._get_per_token_logps_and_entropies(
            made.model.eval(),
            torch.cat([batch["prompt_ids"], batch["completion_ids"]], dim=1),
            torch.cat([batch["prompt_mask"], batch["completion_mask"]], dim=1),
            batch["completion_ids"].shape[1],
            **{key: batch[key] for key in PICTURES},
        )
    for n in range(len(trajectories)):
        mask = (batch["tool_mask"] * batch["completion_mask"])[n].bool()
        expected = ours.logprobs[n][ours.trainable[n]]
        # Ours leaves out the tokens that can't be sampled, which have next to no probability.
        torch.testing.assert_close(theirs[n][mask], expected, atol=1e-3, rtol=1e-3)


def test_log_probabilities_are_those_of_our_forward_pass(scripted):
    """Positions of pictures depend on padding and token types, which TRL makes by itself."""
    made = [recorded(scripted.processing_class, script)[0] for script in SCRIPTS]
    check_logprobs(scripted, made, "full")


def test_prompts_of_different_lengths_without_a_call_have_the_right_positions(
    trl_scripted, tmp_path
):
    """There TRL takes the token types from a padded prompt of its own."""
    lines = [trl_scripted.real_line(ID, ARGS, index, "brief") for index in (INDEX, OTHER)]
    finals = [[rf"\boxed{{{letter}}}"] for letter in "ABCDABCD"]
    made = trl_scripted.trainer(lines, tmp_path, finals)
    made.train()
    lengths = made.batch["prompt_mask"].sum(dim=1).tolist()
    assert len(set(lengths)) == 2
    indices = [INDEX] * 4 + [OTHER] * 4
    played = [
        recorded(made.processing_class, script, "brief", index)[0]
        for script, index in zip(finals, indices, strict=True)
    ]
    check_logprobs(made, played, "brief")


def test_advantages_are_those_of_the_papers_rewards(scripted):
    played = [recorded(scripted.processing_class, script)[1:] for script in SCRIPTS]
    rewards = group_rewards([s for s, _ in played], [n for _, n in played]).rewards
    assert np.ptp(rewards) > 0
    np.testing.assert_allclose(scripted.paid.sum(dim=1).numpy(), rewards, atol=1e-6)
    expected = (rewards - rewards.mean()) / (rewards.std(ddof=1) + 1e-4)
    np.testing.assert_allclose(scripted.batch["advantages"].numpy(), expected, atol=1e-4)


def test_the_step_moves_language_model_and_vision_tower(scripted):
    assert max(scripted.moved.values()) > 0
    assert any(moved > 0 for name, moved in scripted.moved.items() if "visual" in name)
    assert scripted.state.global_step == 1


def test_a_sampled_step_trains(trl_scripted, tmp_path):
    made = trl_scripted.trainer(
        [trl_scripted.real_line(ID, ARGS, n, "none") for n in range(2)], tmp_path, temperature=1.5
    )
    made.args.max_completion_length = made.max_completion_length = 24
    made.generation_config.max_new_tokens = 24
    made.train()
    (logged,) = [each for each in made.state.log_history if "reward" in each]
    assert np.isfinite(logged["reward"])
    assert made.paid.shape == (8, 2)
    texts = {made.completions[n][-1]["content"] for n in range(8)}
    assert len(texts) > 1


def test_a_fault_of_the_data_has_no_advantage_and_no_part_in_the_mean(trl_scripted, tmp_path):
    from adapter_task import ID as SECRETS
    from adapter_task import SECRET, SMALL, UNGRADABLE, UNREADABLE

    lines = [trl_scripted.line(SECRETS, SMALL, index) for index in (UNGRADABLE, 0, UNREADABLE)]
    finals = [rf"\boxed{{{SECRET}}}", "I wonder."] * 6
    made = trl_scripted.trainer(lines, tmp_path, [[text] for text in finals])
    made.train()
    assert made.paid[:4, 0].isnan().tolist() == [True, False, True, False]
    assert made.paid[:4].isnan().all(dim=1).tolist() == [True, False, True, False]
    assert made.paid[8:].isnan().all()
    # What is left of the group are two rollouts with the same reward.
    assert made.batch["advantages"][:4].tolist() == [0.0] * 4
    right, wrong = 0.5 / (1 / 3**0.5 + 1e-4), -0.5 / (1 / 3**0.5 + 1e-4)
    assert made.batch["advantages"][8:].tolist() == [0.0] * 4
    assert made.batch["advantages"][4:8].tolist() == pytest.approx([right, wrong] * 2, abs=1e-4)

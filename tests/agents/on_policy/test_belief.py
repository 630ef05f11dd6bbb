"""What a policy believes is asked of the tokens of its prompts, and paid where it rose."""

import numpy as np
import pytest
import torch
from tiny_models import VOCABULARY, tiny_model, tiny_processor, tiny_tokenizer

from pixel_env import ConfigError, Grade, ImageSource, PixelReasoningEnv, Sample, Task
from pixel_env.agents.generation.config import GenerationConfig
from pixel_env.agents.generation.engine import Engine
from pixel_env.agents.generation.session import Session
from pixel_env.agents.on_policy import belief as belief_module
from pixel_env.agents.on_policy.belief import PolicyBelief
from pixel_env.agents.on_policy.config import OnPolicyConfig
from pixel_env.agents.on_policy.groups import GroupRollouts
from pixel_env.agents.on_policy.lanes import TrainingLanes
from pixel_env.agents.on_policy.trainer import OnPolicyTrainer
from pixel_env.agents.tokens.encoder import Encoder
from pixel_env.curiosity.belief_gain import Moment
from pixel_env.dialects import get_dialect
from pixel_env.vector import PixelReasoningVectorEnv
from pixel_env.wrappers import BeliefGain, GroupCuriosity, TextAction

ZOOM = (
    '<tool_call>\n{"name": "crop_image_normalized", "arguments": '
    '{"bbox_2d": [0.1, 0.1, 0.6, 0.6], "target_image": 1}}\n</tool_call>'
)
MESSAGES = (ZOOM, ZOOM, r"\boxed{red}", r"\boxed{blue}", "hm")
ANSWERS = ("red", "blue ball")
BUDGET = (4 * 28 * 28, 4 * 28 * 28)
GROUPS, SIZE, LEAST, TEMPERATURE = 3, 4, 0.01, 0.8
CONFIG = OnPolicyConfig(
    iterations=1,
    group_size=SIZE,
    groups_per_iteration=GROUPS,
    generation=GenerationConfig(max_new_tokens=4, max_context=2000, temperature=TEMPERATURE),
    learning_rate=1e-3,
    warmup_share=0.0,
)


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


class Colours(Task):
    """Sample i is a picture of noise, with two right answers."""

    name = "colours"

    def __len__(self):
        return GROUPS

    def __getitem__(self, index):
        pixels = np.random.default_rng(index).integers(0, 256, (160, 160, 3), dtype=np.uint8)
        return Sample(f"s{index}", "which colour?", (ImageSource(pixels),), ANSWERS)

    def grade(self, sample, answer):
        right = answer in sample.answers
        return Grade(float(right), right, answer or None)


class Spelled(Encoder):
    """Takes the model's tokens for messages that the environment understands."""

    def texts(self, messages):
        return [MESSAGES[int(ids.sum()) % len(MESSAGES)] for ids in messages]


def parts():
    encoder = Spelled(
        tiny_tokenizer(), tiny_processor("qwen2_5_vl"), get_dialect("pixel-reasoner"), "none"
    )
    return tiny_model("qwen2_5_vl", seed=1, scale=2.0), encoder  # some beliefs rise, others fall


def lanes(n_lanes, n_threads=0):
    def lane():
        settings = {"overview_px": BUDGET, "crop_px": BUDGET, "max_turns": 3}
        return TextAction(PixelReasoningEnv(Colours(), **settings))

    return PixelReasoningVectorEnv([lane] * n_lanes, autoreset_mode="Disabled", n_threads=n_threads)


def paying(belief, n_lanes=GROUPS * SIZE, n_threads=0):
    asking = BeliefGain(lanes(n_lanes, n_threads), belief, LEAST)
    env = GroupCuriosity(asking, SIZE, counts="belief", threshold=1.0)
    return TrainingLanes(env, GROUPS, curiosity=env, listener=belief.follow)


def collected(model, encoder, lanes):
    session = Session(Engine(model, encoder, CONFIG.generation))
    return GroupRollouts(session, lanes, CONFIG).run(1).rollouts


def moments_of(rollout):
    """Returns (before, after) in observations; None where no call was answered."""
    turns = [turn for turn in rollout.turns if turn.role == "user"]
    shown = [
        sum(turn.start <= start < turn.stop for start in rollout.image_starts) for turn in turns
    ]
    calls = [number for number, n in enumerate(shown, 1) if n and number > 1]
    return (calls[0] - 1, calls[-1]) if calls else None


@torch.no_grad()
def by_hand(model, encoder, rollout, n_prompts, answer):
    """The stock model's log-softmax over the tokens of an answer, behind part of a rollout."""
    stop = [turn.stop for turn in rollout.turns if turn.role == "user"][n_prompts - 1]
    text = f"I see {answer}. \\boxed{{{answer}}}"
    answer_ids = encoder.tokenizer.encode(text)
    ends = [len(encoder.tokenizer.decode(answer_ids[: n + 1])) for n in range(len(answer_ids))]
    spans = zip([0, *ends], ends, strict=False)  # of every token in the text
    named, declared = len("I see ") + len(answer), len(text) - len(answer) - 1
    asked = [(stop > 6 and start < named) or start >= declared for start, stop in spans]
    ids = torch.tensor([[*rollout.ids[:stop], *answer_ids, encoder.end_id]])
    pictures = zip(rollout.images, rollout.image_starts, strict=True)
    images = [image for image, start in pictures if start < stop]
    logits = model(
        input_ids=ids,
        pixel_values=torch.from_numpy(np.concatenate([i.patches for i in images])),
        image_grid_thw=torch.tensor([i.grid for i in images]),
        mm_token_type_ids=(ids == encoder.image_id).int(),
    ).logits[0].double()  # fmt: skip
    banned = encoder.forbidden_mask(VOCABULARY)
    logprobs = (logits / TEMPERATURE).masked_fill(banned, -1e30).log_softmax(-1)
    places = [stop + n for n, is_asked in enumerate([*asked, True]) if is_asked]
    return sum(float(logprobs[place - 1, ids[0, place]]) for place in places)


def test_the_gain_is_that_of_a_log_softmax_by_hand_and_pays_only_where_it_rose():
    model, encoder = parts()
    model.train()  # there is no dropout; what matters is that it is left as it was
    rollouts = collected(model, encoder, paying(PolicyBelief(model, encoder, TEMPERATURE)))
    assert model.training
    assert all(parameter.grad is None for parameter in model.parameters())
    model.eval()
    for rollout in rollouts:
        expected = 0.0
        if found := moments_of(rollout):
            before, after = (
                max(by_hand(model, encoder, rollout, n_prompts, each) for each in ANSWERS)
                for n_prompts in found
            )
            expected = after - before
        assert rollout.info["belief_gain"] == pytest.approx(expected, abs=1e-3)
        assert rollout.info["belief_raised"] == (rollout.info["belief_gain"] >= LEAST)
    for start in range(0, len(rollouts), SIZE):
        raised = [each.info["belief_raised"] for each in rollouts[start : start + SIZE]]
        bonus = 0.5 * (1 - sum(raised) / SIZE)
        paid = [each.reward_terms["curiosity"] for each in rollouts[start : start + SIZE]]
        assert paid == pytest.approx([bonus * each for each in raised])
    raised = [each.info["belief_raised"] for each in rollouts if moments_of(each)]
    assert 0 < sum(raised) < len(raised) < len(rollouts)


def test_neither_lanes_nor_threads_nor_micro_batches_change_a_gain():
    model, encoder = parts()
    whole = collected(model, encoder, paying(PolicyBelief(model, encoder, TEMPERATURE)))
    single = PolicyBelief(model, encoder, TEMPERATURE, tokens_at_once=1)
    waves = collected(model, encoder, paying(single, n_lanes=SIZE, n_threads=2))
    assert [each.ids.tolist() for each in waves] == [each.ids.tolist() for each in whole]
    gains = [[each.info["belief_gain"] for each in rollouts] for rollouts in (whole, waves)]
    assert gains[1] == pytest.approx(gains[0], abs=1e-3)
    assert any(gains[0])


def test_what_lanes_share_is_scored_once_a_collection(monkeypatch):
    model, encoder = parts()
    scored, score = [], belief_module.score

    def watched(model, trajectories, *args):
        scored.extend((t.ids.tobytes(), t.images) for t in trajectories)
        return score(model, trajectories, *args)

    monkeypatch.setattr(belief_module, "score", watched)
    lanes = paying(PolicyBelief(model, encoder, TEMPERATURE))
    rollouts = collected(model, encoder, lanes)
    n_first = len(scored)
    assert len(set(scored)) == n_first
    found = [(each.sample_id, moments_of(each)) for each in rollouts if moments_of(each)]
    openings = {sample_id for sample_id, (before, _) in found if before == 1}
    assert sum(len(images) == 1 for _, images in scored) >= len(openings) * len(ANSWERS)
    assert n_first < 2 * len(found) * len(ANSWERS)
    collected(model, encoder, lanes)  # the model may have changed: nothing is known any more
    assert len(scored) == 2 * n_first


def test_an_iteration_is_trained_and_says_what_was_believed(tmp_path):
    model, encoder = parts()
    before = {name: value.clone() for name, value in model.named_parameters()}
    lanes = paying(PolicyBelief(model, encoder, TEMPERATURE))
    metrics = OnPolicyTrainer(model, encoder, lanes, CONFIG, tmp_path).iterate(1)
    assert 0 < metrics["belief/raised"] < metrics["rapr"]
    assert np.isfinite(metrics["belief/gain"])
    assert metrics["reward/curiosity"] > 0
    assert any(not torch.equal(value, before[name]) for name, value in model.named_parameters())


def test_a_belief_that_follows_no_conversations_is_refused():
    with pytest.raises(ConfigError, match="`follow` to be called"):
        PolicyBelief(*parts())([Moment(0, 1, Colours()[0])])

"""Another engine is one class: collection, training and the policy run on it as on our own."""

import numpy as np
import pytest
import torch
from tiny_models import observation, side, tiny_model, tiny_processor, tiny_tokenizer

from pixel_env import Grade, ImageSource, PixelReasoningEnv, Sample, Task
from pixel_env.agents.generation.collection import collect
from pixel_env.agents.generation.engine import Engine, GenerationConfig
from pixel_env.agents.generation.session import Session
from pixel_env.agents.on_policy.config import OnPolicyConfig
from pixel_env.agents.on_policy.lanes import TrainingLanes
from pixel_env.agents.on_policy.trainer import OnPolicyTrainer
from pixel_env.agents.policies.vlm import VLMPolicy
from pixel_env.agents.tokens.encoder import Encoder
from pixel_env.agents.tokens.trajectory import OVERLONG, TrajectoryBuilder
from pixel_env.dialects import get_dialect
from pixel_env.vector import PixelReasoningVectorEnv
from pixel_env.wrappers import GroupCuriosity, TextAction

ZOOM = (
    '<tool_call>\n{"name": "crop_image_normalized", "arguments": '
    '{"bbox_2d": [0.1, 0.1, 0.6, 0.6], "target_image": 1}}\n</tool_call>'
)
RIGHT, WRONG = r"\boxed{red}", r"\boxed{blue}"
LOGPROB = -0.25
PROTOCOL = ("update_weights", "rest", "begin", "hear", "overlong", "speak", "record", "end")


class Scripted:
    """A second engine: it has no model, and every lane sends the next message of its script."""

    def __init__(self, encoder, scripts, max_context=4000):
        self.encoder, self.scripts, self.max_context = encoder, scripts, max_context
        self.records, self.plans, self.full = {}, {}, set()
        self.calls = []

    def update_weights(self):
        self.calls.append("update_weights")

    def rest(self):
        self.calls.append("rest")

    def begin(self, lane, seed=None):
        self.calls.append("begin")
        self.records[lane] = TrajectoryBuilder()
        self.plans[lane] = iter(self.scripts[lane % len(self.scripts)])
        self.full.discard(lane)

    def hear(self, observations, lanes):
        for given, lane in zip(observations, lanes, strict=True):
            record = self.records[lane]
            piece = self.encoder.follow(given) if len(record) else self.encoder.open(given)
            if len(record) + len(piece) >= self.max_context:
                self.full.add(lane)
            else:
                record.add_prompt(piece)

    def overlong(self, lane):
        return lane in self.full

    def speak(self, lanes):
        texts = [next(self.plans[lane]) for lane in lanes]
        for lane, text in zip(lanes, texts, strict=True):
            ids = self.encoder.message_ids(text)
            self.records[lane].add_response(ids, np.full(len(ids), LOGPROB, np.float32))
        return texts

    def record(self, lane):
        return self.records[lane]

    def end(self, lane):
        return self.records.pop(lane, None)


class Colours(Task):
    """Sample i is a picture of noise."""

    name = "colours"

    def __len__(self):
        return 2

    def __getitem__(self, index):
        pixels = np.random.default_rng(index).integers(0, 256, (160, 160, 3), dtype=np.uint8)
        return Sample(f"s{index}", "which colour?", (ImageSource(pixels),), ("red",))

    def grade(self, sample, answer):
        return Grade(float(answer == "red"), answer == "red", answer or None)


@pytest.fixture
def encoder():
    tools = tiny_tokenizer(), tiny_processor("qwen2_5_vl"), get_dialect("pixel-reasoner")
    return Encoder(*tools, "none")


def paid_lanes(n_lanes, group_size):
    unit = side("qwen2_5_vl")
    budget = (4 * unit * unit, 9 * unit * unit)
    given = {"overview_px": budget, "crop_px": budget, "side_multiple": unit, "max_turns": 4}
    lanes = PixelReasoningVectorEnv(
        [lambda: TextAction(PixelReasoningEnv(Colours(), **given))] * n_lanes,
        autoreset_mode="Disabled",
    )
    return GroupCuriosity(lanes, group_size, threshold=1.0)


@pytest.mark.parametrize("made", [Session, Scripted])
def test_both_engines_have_every_method_of_the_protocol(made):
    assert all(callable(getattr(made, name)) for name in PROTOCOL)


def test_collection_on_another_engine_gives_its_tokens_rewards_and_facts(encoder):
    scripts = [[RIGHT], [ZOOM, RIGHT], [ZOOM, ZOOM, WRONG], [ZOOM] * 4]
    speaker = Scripted(encoder, scripts)
    whole = collect(speaker, paid_lanes(4, 4), 0, 4, options={"index": [0] * 4})
    speaker.max_context = whole[3].turns[6].stop  # the last lane's fourth prompt has no room
    found = collect(speaker, paid_lanes(4, 4), 0, 4, options={"index": [0] * 4})
    assert [t.mask_reason for t in found] == ["", "", "", OVERLONG]
    assert [t.info["correct"] for t in found] == [True, True, False, False]
    assert [t.info["n_operations"] for t in found] == [0, 1, 2, 3]
    assert [len(t.images) for t in found] == [1, 2, 3, 3]
    bonus = 0.5 * (1.0 - 0.75)
    second_call = 0.05  # costs this much
    assert [t.reward for t in found[:3]] == pytest.approx([1, 1 + bonus, bonus - second_call])
    for t, script in zip(found, scripts, strict=True):
        sent = [t.ids[turn.start : turn.stop] for turn in t.turns if turn.role == "assistant"]
        assert encoder.texts(sent) == script[: len(sent)]
        np.testing.assert_array_equal(t.logprobs[t.trainable], np.float32(LOGPROB))
        assert (t.logprobs[~t.trainable] == 0).all()
        assert t.trainable.sum() == sum(map(len, sent))
    assert speaker.records == {}


def test_its_tokens_are_those_that_our_own_engine_records_for_the_same_messages(encoder):
    class Told(Encoder):
        def texts(self, messages):
            return [RIGHT for _ in messages]

    tools = tiny_tokenizer(), tiny_processor("qwen2_5_vl"), get_dialect("pixel-reasoner")
    config = GenerationConfig(max_new_tokens=4)
    session = Session(Engine(tiny_model("qwen2_5_vl"), Told(*tools, "none"), config))
    own, other = (
        collect(speaker, paid_lanes(2, 2), 0, 2, options={"index": [0, 0]})
        for speaker in (session, Scripted(encoder, [[RIGHT]]))
    )
    for one, two in zip(own, other, strict=True):
        start, stop = one.turns[0].start, one.turns[0].stop
        assert (two.turns[0].start, two.turns[0].stop) == (start, stop)
        np.testing.assert_array_equal(one.ids[start:stop], two.ids[start:stop])
        np.testing.assert_array_equal(one.images[0].patches, two.images[0].patches)
        assert one.reward_terms == two.reward_terms


def test_a_training_on_another_engine_renews_its_weights_before_each_collection(encoder, tmp_path):
    torch.set_num_threads(1)
    speaker = Scripted(encoder, [[RIGHT], [ZOOM, WRONG]])
    env = paid_lanes(4, 2)
    lanes = TrainingLanes(env, len(Colours()), speaker=speaker, curiosity=env)
    config = OnPolicyConfig(iterations=2, group_size=2, groups_per_iteration=2, learning_rate=0.01)
    model = tiny_model("qwen2_5_vl")
    before = {name: value.clone() for name, value in model.named_parameters()}
    trainer = OnPolicyTrainer(model, encoder, lanes, config, tmp_path)
    metrics = [trainer.iterate(number) for number in (1, 2)]
    assert speaker.calls == ["update_weights", *["begin"] * 4, "rest"] * 2
    for each in metrics:
        assert each["accuracy/all"] == each["rapr"] == 0.5
        assert each["update/rollouts"] == 4
        assert each["engine/logprob_gap_max"] >= each["engine/logprob_gap"] > 1  # it made them up
    assert any(not torch.equal(value, before[name]) for name, value in model.named_parameters())


def test_a_policy_on_another_engine_sends_its_messages_until_the_context_is_full(encoder):
    speaker = Scripted(encoder, [[ZOOM, RIGHT], [WRONG, WRONG]], max_context=200)
    policy = VLMPolicy(speaker, encoder, GenerationConfig(max_new_tokens=7), "scripted")
    for lane in (0, 1):
        policy.reset(lane, seed=lane)
    opening, more = observation("which"), observation("which", feedback="x" * 150, turn=1)
    assert policy.act([opening, opening], [0, 1]) == [ZOOM, WRONG]
    assert policy.act([more, observation("which", turn=1)], [0, 1]) == ["", WRONG]
    policy.reset(0)
    assert policy.act([opening], [0]) == [ZOOM]
    assert (policy.name, policy.dialect) == ("scripted", "pixel-reasoner")
    assert policy.settings()["max_new_tokens"] == 7
    assert "logprobs" not in policy.settings()
    assert policy.message_facts(0) == {}


def test_a_policy_notes_the_log_probabilities_of_the_message_that_it_sampled_last(encoder):
    speaker = Scripted(encoder, [[ZOOM, RIGHT], [WRONG, RIGHT]], max_context=200)
    generation = GenerationConfig(max_new_tokens=7)
    policy = VLMPolicy(speaker, encoder, generation, "scripted", logprobs=True)
    assert policy.settings()["logprobs"] is True
    for lane in (0, 1):
        policy.reset(lane, seed=lane)
        assert policy.message_facts(lane) == {}
    opening, more = observation("which"), observation("which", feedback="x" * 150, turn=1)
    for news in (
        [opening, opening],
        [more, observation("which", turn=1)],  # the first lane has no room left
    ):
        for lane, message in enumerate(policy.act(news, [0, 1])):
            pairs = policy.message_facts(lane).get("token_logprobs", [])
            assert "".join(text for text, _ in pairs) == (message and f"{message}<|im_end|>")
            assert {logprob for _, logprob in pairs} <= {LOGPROB}
    policy.reset(1)
    assert policy.message_facts(1) == {}

"""What is recorded while generating is what one pass over the whole episode gives."""

import numpy as np
import pytest
import torch
from tiny_models import (
    ARCHITECTURES,
    EXPERTS,
    VOCABULARY,
    observation,
    picture,
    tiny_encoder,
    tiny_model,
)

from pixel_env.agents.generation.engine import Engine, GenerationConfig
from pixel_env.agents.generation.session import Session
from pixel_env.agents.model.backbone import Backbone
from pixel_env.agents.model.loading import recompute_layers
from pixel_env.agents.model.scoring import score
from pixel_env.errors import ConfigError

N_LANES, GROUP = 12, 4


def talk(architecture, model=None, n_turns=4, seed=7, **config):
    """Lanes in groups on three prompts, with turns of different length, pictures and end."""
    settings = {"max_new_tokens": 24, "max_context": 700} | config
    encoder = tiny_encoder(architecture)
    model = tiny_model(architecture) if model is None else model
    session = Session(Engine(model, encoder, GenerationConfig(**settings)))
    rng = np.random.default_rng(0)
    prompts = [
        [picture(rng, architecture, 2, 2 + group), picture(rng, architecture, 3, 1)]
        for group in range(N_LANES // GROUP)
    ]
    for lane in range(N_LANES):
        session.begin(lane, [seed, lane])
    lanes = list(range(N_LANES))
    session.hear(
        [observation("which " * (1 + n // GROUP), prompts[n // GROUP]) for n in lanes], lanes
    )
    texts = [session.speak(lanes)]
    for turn in range(1, n_turns):
        lanes = [lane for lane in lanes[turn - 1 :] if not session.overlong(lane)]
        news = [[picture(rng, architecture, 1 + n % 3, 2)] if n % 4 else [] for n in lanes]
        session.hear(
            [
                observation("zoom", shown, "x" * (n % 7), turn)
                for n, shown in zip(lanes, news, strict=True)
            ],
            lanes,
        )
        texts.append(session.speak([n for n in lanes if not session.overlong(n)]))
    overlong = [session.overlong(lane) for lane in range(N_LANES)]
    trajectories = [session.end(lane).build() for lane in range(N_LANES)]
    return trajectories, texts, overlong, encoder, model


def recorded(trajectories):
    rows = np.zeros((len(trajectories), max(len(t) for t in trajectories)), np.float32)
    for row, trajectory in zip(rows, trajectories, strict=True):
        row[: len(trajectory)] = trajectory.logprobs
    return rows


def difference(model, trajectories, encoder, temperature=1.0):
    with torch.no_grad():
        scores = score(model, trajectories, encoder, temperature)
    return np.abs(scores.logprobs.numpy() - recorded(trajectories)).max()


@pytest.mark.parametrize("architecture", [*ARCHITECTURES, EXPERTS])
@pytest.mark.parametrize("temperature", [1.0, 0.6])
def test_recorded_logprobs_equal_one_pass_over_the_whole_episode(architecture, temperature):
    trajectories, _, _, encoder, model = talk(architecture, temperature=temperature)
    assert len({len(t) for t in trajectories}) > 4, "lanes of different lengths"
    assert max(len(t.images) for t in trajectories) >= 5, "several image turns"
    assert len({turn.stop - turn.start for t in trajectories for turn in t.turns}) > 8
    assert difference(model, trajectories, encoder, temperature) < 1e-4
    assert difference(model, trajectories, encoder, temperature * 1.1) > 1e-2


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("attention", ["eager", "sdpa"])
def test_every_attention_gives_the_same_records(architecture, attention):
    model = tiny_model(architecture)
    model.set_attn_implementation(attention)
    trajectories, _, _, encoder, _ = talk(architecture, model, n_turns=3)
    assert difference(model, trajectories, encoder) < 1e-4
    assert difference(tiny_model(architecture), trajectories, encoder) < 1e-4


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_other_weights_are_noticed(architecture):
    trajectories, _, _, encoder, _ = talk(architecture, n_turns=2)
    assert difference(tiny_model(architecture, seed=1), trajectories, encoder) > 0.1


def test_same_seed_repeats_and_another_differs():
    first, again, other = (talk("qwen2_5_vl", seed=seed)[0] for seed in (7, 7, 8))
    for one, two in zip(first, again, strict=True):
        np.testing.assert_array_equal(one.ids, two.ids)
        np.testing.assert_array_equal(one.logprobs, two.logprobs)
    assert any(
        len(a) != len(b) or (a.ids != b.ids).any() for a, b in zip(first, other, strict=True)
    )


@pytest.mark.parametrize("lanes_at_once", [1, 5])
def test_what_a_lane_says_does_not_depend_on_the_lanes_beside_it(lanes_at_once):
    together = talk("qwen3_vl")[0]
    apart = talk("qwen3_vl", lanes_at_once=lanes_at_once)[0]
    for one, two in zip(together, apart, strict=True):
        np.testing.assert_array_equal(one.ids, two.ids)
        np.testing.assert_allclose(one.logprobs, two.logprobs, atol=1e-4)


def test_trained_tokens_are_the_sampled_ones_and_texts_are_theirs():
    trajectories, texts, _, encoder, _ = talk("qwen2_5_vl")
    for lane, trajectory in enumerate(trajectories):
        messages = [turn for turn in trajectory.turns if turn.role == "assistant"]
        inside = np.zeros(len(trajectory), bool)
        for turn in messages:
            inside[turn.start : turn.stop] = True
        np.testing.assert_array_equal(trajectory.trainable, inside)
        assert (trajectory.logprobs[~inside] == 0).all()
        assert (trajectory.logprobs[inside] < 0).all()
        first = trajectory.ids[messages[0].start : messages[0].stop]
        assert encoder.texts([first]) == [texts[0][lane]]


def test_forbidden_tokens_are_never_sampled():
    trajectories, _, _, encoder, _ = talk("qwen2_5_vl", max_new_tokens=60, temperature=5.0)
    sampled = np.concatenate([t.ids[t.trainable] for t in trajectories])
    assert not np.isin(sampled, encoder.forbidden_ids(VOCABULARY)).any()
    assert len(np.unique(sampled)) > 150


def test_a_message_that_is_cut_off_is_closed_by_an_untrained_token():
    trajectories, _, _, encoder, _ = talk("qwen2_5_vl", n_turns=2, max_new_tokens=3)
    cut = 0
    for trajectory in trajectories[1:]:
        turn = trajectory.turns[1]
        assert turn.stop - turn.start <= 3
        if trajectory.ids[turn.stop - 1] != encoder.end_id:
            cut += 1
            assert trajectory.ids[turn.stop] == encoder.end_id
            assert not trajectory.trainable[turn.stop]
    assert cut > 5


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_an_overlong_lane_falls_silent_with_whole_images(architecture):
    limit = 130
    trajectories, _, overlong, encoder, model = talk(architecture, max_context=limit)
    assert any(overlong)
    assert not all(overlong)
    for trajectory in trajectories:
        assert len(trajectory) <= limit
        n_image_tokens = int((trajectory.ids == encoder.image_id).sum())
        assert n_image_tokens == sum(image.n_tokens for image in trajectory.images)
    assert difference(model, trajectories, encoder) < 1e-4


def test_a_prompt_that_does_not_fit_is_not_taken():
    session = Session(
        Engine(tiny_model("qwen3_vl"), tiny_encoder("qwen3_vl"), GenerationConfig(max_context=20))
    )
    session.begin(0)
    session.hear([observation("which ball")], [0])
    assert session.overlong(0)
    assert len(session.end(0)) == 0


def test_a_group_shares_its_pictures_and_its_prefill(monkeypatch):
    seen, rows = [], []
    see, read = Backbone.see, Backbone.read

    def watched_see(self, images):
        seen.append(len({id(image) for image in images}))
        return see(self, images)

    def watched_read(self, stretch, *args, **kwargs):
        rows.append(stretch.ids.shape[0])
        return read(self, stretch, *args, **kwargs)

    monkeypatch.setattr(Backbone, "see", watched_see)
    monkeypatch.setattr(Backbone, "read", watched_read)
    trajectories, *_ = talk("qwen2_5_vl", n_turns=1)
    assert (seen[0], rows[0]) == (6, 3), "three prompts with two pictures each"
    assert rows[1] == N_LANES
    assert len({id(image) for t in trajectories for image in t.images}) == 6


def test_rows_that_fell_silent_leave_the_batch(monkeypatch):
    rows = []
    read = Backbone.read

    def watched(self, stretch, *args, **kwargs):
        rows.append(stretch.ids.shape[0])
        return read(self, stretch, *args, **kwargs)

    monkeypatch.setattr(Backbone, "read", watched)
    encoder = tiny_encoder("qwen2_5_vl")
    model = tiny_model("qwen2_5_vl")
    session = Session(Engine(model, encoder, GenerationConfig(max_new_tokens=330)))
    lanes = list(range(24))
    for lane in lanes:
        session.begin(lane, lane)
    session.hear([observation("ball")] * 24, lanes)
    session.speak(lanes)
    assert rows[0] == 1
    assert rows[1] == 24
    assert min(rows[1:]) <= 12
    session.hear([observation("ball")] * 24, lanes)
    session.speak(lanes)
    assert difference(model, [session.end(lane).build() for lane in lanes], encoder) < 1e-4


def test_a_lane_can_begin_again_while_others_go_on():
    encoder, model = tiny_encoder("qwen3_vl"), tiny_model("qwen3_vl")
    session = Session(Engine(model, encoder, GenerationConfig(max_new_tokens=12)))
    rng = np.random.default_rng(3)
    for lane in (0, 1, 2):
        session.begin(lane, lane)
    session.hear([observation("which", [picture(rng, "qwen3_vl")])] * 3, [0, 1, 2])
    session.speak([0, 1, 2])
    session.begin(1, 9)
    next_ones = [observation("zoom"), observation("new ball", [picture(rng, "qwen3_vl")])]
    session.hear(next_ones, [2, 1])
    session.speak([2, 1])
    session.hear([observation("zoom")] * 3, [0, 1, 2])
    session.speak([1, 0, 2])
    trajectories = [session.end(lane).build() for lane in (0, 1, 2)]
    assert [len(t.turns) for t in trajectories] == [4, 4, 6]
    assert difference(model, trajectories, encoder) < 1e-4
    session.begin(4)
    with pytest.raises(RuntimeError, match="lane 4 has got no observation"):
        session.speak([4])


def test_greedy_takes_the_likeliest_token_and_top_p_1_samples_from_all():
    greedy, *_, encoder, model = talk("qwen2_5_vl", n_turns=1, greedy=True)
    assert len({t.ids.tobytes() for t in greedy}) == 3, "one answer for each prompt"
    narrow, *_ = talk("qwen2_5_vl", n_turns=1, top_p=1e-6)
    for one, two in zip(greedy, narrow, strict=True):
        np.testing.assert_array_equal(one.ids, two.ids)
    assert difference(model, greedy, encoder) < 1e-4


def test_sampling_follows_the_probabilities():
    engine = Engine(tiny_model("qwen2_5_vl"), tiny_encoder("qwen2_5_vl"))
    hidden = torch.randn(1, 32, generator=torch.Generator().manual_seed(0)).expand(20_000, -1)
    uniform = torch.rand(20_000, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    tokens, logprobs = engine.sample(hidden * 0.02, uniform)
    top = tokens.bincount().argmax()
    share = (tokens == top).double().mean()
    expected = logprobs[tokens == top][0].exp()
    assert abs(share - expected) < 4 * (expected * (1 - expected) / 20_000) ** 0.5


def test_generation_leaves_the_model_in_training_mode_without_gradients():
    model = tiny_model("qwen2_5_vl").train()
    recompute_layers(model)
    trajectories, _, _, encoder, _ = talk("qwen2_5_vl", model, n_turns=2)
    assert model.training
    assert difference(model, trajectories, encoder) < 1e-4


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"max_new_tokens": 0}, "max_new_tokens >= 1, got 0"),
        ({"temperature": 0.0}, "temperature over 0"),
        ({"top_p": 1.5}, r"top_p in \(0, 1\], got 1.5"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(ConfigError, match=message):
        GenerationConfig(**settings)


def test_another_architecture_is_refused():
    with pytest.raises(ConfigError, match="got Linear"):
        Engine(torch.nn.Linear(2, 2), tiny_encoder("qwen2_5_vl"))

"""The tiny policy: a real Qwen2.5-VL, with a tokenizer that can write anything."""

import numpy as np
import pytest
import torch
from tiny_tasks import PictureTask
from transformers import Qwen2_5_VLForConditionalGeneration

from pixel_env import PixelReasoningEnv, zoom_in
from pixel_env.agents.model.folders import BASE_WEIGHTS, folder_of
from pixel_env.agents.model.loading import load
from pixel_env.agents.model.settings import TINY
from pixel_env.agents.tiny import model as tiny
from pixel_env.agents.tiny.texts import dialect_texts, episode_texts
from pixel_env.dialects import Shown, get_dialect
from pixel_env.wrappers import TextAction

DIALECT = get_dialect("pixel-reasoner")


@pytest.fixture(scope="module")
def tokenizer():
    return tiny.train_tokenizer(2 * dialect_texts(DIALECT))


@pytest.mark.parametrize(
    "text", ["ünïcödé 漢字 🙂", "<|im_end|>", "a\tb\n\n c", "0.35,0.4", '{"name": "x"}', ""]
)
def test_any_text_comes_back_as_it_was(tokenizer, text):
    ids = tokenizer.encode(text, add_special_tokens=False, split_special_tokens=True)
    assert tokenizer.decode(ids) == text


def test_special_tokens_in_text_are_text(tokenizer):
    ids = tokenizer.encode("<|image_pad|>", add_special_tokens=False, split_special_tokens=True)
    assert tokenizer.convert_tokens_to_ids("<|image_pad|>") not in ids


def test_a_call_is_short_and_its_numbers_are_whole(tokenizer):
    call = DIALECT.render(zoom_in([0.35, 0.6, 0.5, 0.75]), Shown(((112, 112),)))
    tokens = tokenizer.tokenize(call)
    assert len(tokens) <= 24
    assert {"0.35", "Ġ0.6", "Ġ0.5", "Ġ0.75"} <= set(tokens)


def test_the_model_is_a_small_qwen2_5_vl_and_repeats_by_seed(tokenizer):
    model = tiny.blank_model(tokenizer, seed=3)
    assert isinstance(model, Qwen2_5_VLForConditionalGeneration)
    assert 1e6 < model.num_parameters() < 5e6
    state = torch.random.get_rng_state()
    again = tiny.blank_model(tokenizer, seed=3)
    assert torch.equal(state, torch.random.get_rng_state())
    pairs = zip(model.parameters(), again.parameters(), strict=True)
    assert all(torch.equal(one, other) for one, other in pairs)
    other = tiny.blank_model(tokenizer, seed=4)
    assert not torch.equal(next(model.parameters()), next(other.parameters()))


def test_sizes_follow_the_config(tokenizer):
    sizes = tiny.TinyConfig(hidden=64, layers=2, heads=2, vision_hidden=32, vision_layers=1)
    config = tiny.blank_model(tokenizer, sizes).config
    assert config.text_config.hidden_size == 64
    assert config.text_config.num_hidden_layers == 2
    assert config.vision_config.depth == 1
    section = config.text_config.rope_parameters["mrope_section"]
    assert sum(section) == 64 // 2 // 2


def test_a_saved_checkpoint_is_loaded_like_one_from_the_hub(tokenizer, tmp_path):
    model = tiny.blank_model(tokenizer)
    tiny.save(tmp_path, model, tokenizer)
    parts = load(tmp_path)
    assert len(parts.tokenizer) == len(tokenizer)
    assert parts.image_processor.patch_size == tiny.PATCH_PX
    images = parts.image_processor(
        images=[np.zeros((112, 112, 3), np.uint8)], do_resize=False, return_tensors="np"
    )
    assert images["image_grid_thw"].tolist() == [[1, 8, 8]]
    ours, theirs = model.state_dict(), parts.model.state_dict()
    for name, weight in theirs.items():
        assert torch.equal(weight.flatten(), ours[name].flatten()), name


def test_the_texts_hold_what_the_environment_tells():
    env = TextAction(PixelReasoningEnv(PictureTask()))
    texts = episode_texts(env, DIALECT, n=4)
    assert any("Image 2 is the region" in text for text in texts)
    assert any("target_image must be" in text for text in texts)
    assert texts == episode_texts(env, DIALECT, n=4)


def test_the_shipped_weights_know_the_task():
    """They load, are under 16 MB, and say which shape is where better than by chance."""
    size = sum(path.stat().st_size for path in BASE_WEIGHTS.iterdir())
    assert size < 16 * 2**20
    parts = load(TINY)
    assert 1e6 < parts.model.num_parameters() < 5e6
    assert (folder_of(TINY) / "model.safetensors").exists()

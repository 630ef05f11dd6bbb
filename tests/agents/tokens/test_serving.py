"""Exported folders serve as they are: template, processor's name, sizes of pictures."""

import json
import shutil
from importlib.util import find_spec

import gymnasium as gym
import numpy as np
import pytest
from tiny_models import (
    ARCHITECTURES,
    side,
    tiny_model,
    tiny_processor,
    tiny_tokenizer,
)
from transformers import AutoTokenizer, Qwen2VLImageProcessorPil

from pixel_env import zoom_in
from pixel_env.agents.model.folders import BASE_WEIGHTS
from pixel_env.agents.model.loading import LoadedModel, export, load
from pixel_env.agents.tokens.encoder import Encoder
from pixel_env.chat import AsDataURL, Conversation
from pixel_env.dialects import DIALECTS, get_dialect
from pixel_env.wrappers import TextAction

TEXT_DIALECTS = [name for name in DIALECTS if name != "openai"]
CLASSES = {"qwen2_5_vl": "Qwen2_5_VLProcessor", "qwen3_vl": "Qwen3VLProcessor"}


@pytest.fixture(scope="module", params=ARCHITECTURES)
def exported(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    parts = LoadedModel(tiny_model(request.param), tiny_tokenizer(), tiny_processor(request.param))
    export(parts, folder)
    return request.param, folder


def collapsed(encoder, ids):
    """Leaves one pad of each run, as a chat template writes them."""
    is_pad = ids == encoder.image_id
    return ids[~(is_pad & np.append(False, is_pad[:-1]))].tolist()


def check_template(folder, name, system, side_px):
    """Plays two zooms; after each, template and encoder must give the same ids."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    processor = Qwen2VLImageProcessorPil.from_pretrained(folder)
    env = gym.make("PixelReason-SyntheticSearch-v0", side_multiple=side_px)
    env = TextAction(env, name)
    encoder = Encoder(tokenizer, processor, env.dialect, system)
    conversation = Conversation(env.dialect, system, AsDataURL())
    observation, _ = env.reset(seed=5)
    ids = encoder.open(observation).ids
    conversation.observe(observation)
    for _ in range(2):
        written = env.dialect.render(zoom_in([0.25, 0.25, 0.75, 0.75]), env.shown)
        observation = env.step(written)[0]
        ids = np.concatenate([ids, encoder.message_ids(written), encoder.follow(observation).ids])
        conversation.respond(written)
        conversation.observe(observation)
        rendered = tokenizer.apply_chat_template(
            conversation.messages, add_generation_prompt=True, tokenize=False
        )
        assert tokenizer.encode(rendered, add_special_tokens=False) == collapsed(encoder, ids)
    assert rendered.count("<|image_pad|>") == 3


@pytest.mark.parametrize("system", ["full", "none"])
@pytest.mark.parametrize("name", TEXT_DIALECTS)
def test_the_template_writes_what_the_encoder_writes(exported, name, system):
    architecture, folder = exported
    check_template(folder, name, system, side(architecture))


@pytest.mark.parametrize("name", TEXT_DIALECTS)
def test_the_shipped_models_template_does_too(name):
    check_template(BASE_WEIGHTS, name, "none", 28)


def test_the_processor_is_named_where_it_is_looked_for(exported):
    architecture, folder = exported
    for name in ("preprocessor_config.json", "tokenizer_config.json"):
        known = json.loads((folder / name).read_text())
        assert known["processor_class"] == CLASSES[architecture]


def test_no_view_is_so_small_that_a_server_makes_it_larger(exported):
    architecture, folder = exported
    size = json.loads((folder / "preprocessor_config.json").read_text())["size"]
    assert size["shortest_edge"] == side(architecture) ** 2
    processor = Qwen2VLImageProcessorPil.from_pretrained(folder)
    picture = np.zeros((side(architecture), side(architecture), 3), np.uint8)
    resized = processor(images=[picture], return_tensors="np")["image_grid_thw"]
    assert resized.tolist() == [[1, 2, 2]]


def test_an_export_of_an_export_is_the_same(exported, tmp_path):
    _, folder = exported
    again = tmp_path / "again"
    export(load(shutil.copytree(folder, tmp_path / "copy")), again)
    for name in ("chat_template.jinja", "preprocessor_config.json"):
        assert (again / name).read_text() == (folder / name).read_text()


def test_tools_are_refused_with_a_reason(exported):
    tokenizer = AutoTokenizer.from_pretrained(exported[1])
    with pytest.raises(Exception, match="without tools"):
        tokenizer.apply_chat_template(
            [{"role": "user", "content": "B?"}], tools=get_dialect("openai").tool_schemas()
        )


@pytest.mark.skipif(not find_spec("torchvision"), reason="transformers' video processor needs it")
def test_auto_processor_takes_the_folder(exported):
    from transformers import AutoProcessor

    architecture, folder = exported
    assert type(AutoProcessor.from_pretrained(folder)).__name__ == CLASSES[architecture]

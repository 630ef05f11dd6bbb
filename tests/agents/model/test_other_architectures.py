"""Architectures that the loop doesn't take, and what of them fits already."""

import pytest
import torch
from scored_episodes import episode, stock
from tiny_models import VOCABULARY, tiny_encoder, tiny_model
from transformers import Qwen3_5Config, Qwen3_5ForConditionalGeneration

from pixel_env.agents.model import backbone
from pixel_env.agents.model.backbone import Backbone
from pixel_env.agents.model.scoring import score
from pixel_env.agents.model.tree_attention import allow_trees
from pixel_env.errors import ConfigError


def qwen3_5():
    """A tiny Qwen3.5: positions and image tokens of Qwen3-VL, and layers with a recurrent state."""
    ids = tiny_model("qwen3_vl").config
    text = {
        **{"vocab_size": VOCABULARY, "hidden_size": 32, "intermediate_size": 64, "head_dim": 8},
        **{"num_hidden_layers": 4, "num_attention_heads": 4, "num_key_value_heads": 2},
        **{"linear_key_head_dim": 8, "linear_value_head_dim": 8, "linear_num_key_heads": 2},
        **{"linear_num_value_heads": 4, "initializer_range": 0.1},
        "rope_parameters": {**ids.text_config.rope_parameters, "partial_rotary_factor": 1.0},
    }
    vision = {
        **{"depth": 2, "hidden_size": 32, "intermediate_size": 48, "num_heads": 2},
        **{"out_hidden_size": 32, "num_position_embeddings": 64, "patch_size": 16},
    }
    torch.manual_seed(0)
    names = ("image", "video", "vision_start", "vision_end")
    tokens = {f"{name}_token_id": getattr(ids, f"{name}_token_id") for name in names}
    config = Qwen3_5Config(text_config=text, vision_config=vision, **tokens)
    return Qwen3_5ForConditionalGeneration(config).eval()


def test_recurrent_layers_are_refused_though_the_positions_are_right(monkeypatch):
    """docs/models.md says what is missing for Qwen3.5; this holds both halves of it."""
    model, encoder = qwen3_5(), tiny_encoder("qwen3_vl")
    with pytest.raises(ConfigError, match="Qwen3_5"):
        Backbone(model)
    assert not allow_trees(model.config.text_config)
    monkeypatch.setattr(backbone, "MODEL_TYPES", ("qwen3_5",))
    episodes = [episode("qwen3_vl", seed, n_turns) for seed, n_turns in ((0, 2), (1, 1))]
    with torch.no_grad():
        scores = score(model, episodes, encoder)  # padded rows, as no tree is allowed
    for row, trajectory in enumerate(episodes):
        gap = scores.logprobs[row, 1 : len(trajectory)] - stock(model, trajectory, encoder)
        assert gap.abs().max() < 1e-4

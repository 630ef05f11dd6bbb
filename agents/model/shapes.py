"""The sizes of the models that can be trained here, and how many weights each part of one has."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pixel_env.errors import ConfigError, DataError, unknown_name

from .files.json_files import read_object
from .files.model_files import CONFIG, MODEL_TYPES


@dataclass(frozen=True, slots=True)
class ModelShape:
    """What of a model's configuration decides about its memory.

    Attributes:
        family: "qwen2_5_vl", "qwen3_vl" or "qwen3_vl_moe".
        hidden: width of the language model.
        layers: its layers.
        heads: its attention heads.
        kv_heads: heads of its keys and values.
        head_dim: width of a head.
        intermediate: inner width of its feed-forward part.
        vocab: rows of its embedding.
        tied: whether embedding and output layer share their weights.
        vision_depth: layers of the vision tower.
        vision_hidden: its width.
        vision_intermediate: inner width of its feed-forward part.
        patch: pixels along one side of a patch; 2 x 2 patches become a token.
        deepstack: features of how many inner layers are added to the language model's.
        vision_positions: learnt positions of the vision tower.
        experts: feed-forward parts of a layer, of which each token takes a few; 0: one, for all.
        expert_intermediate: inner width of an expert.
    """

    family: str
    hidden: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    intermediate: int
    vocab: int
    tied: bool
    vision_depth: int
    vision_hidden: int
    vision_intermediate: int
    patch: int = 14
    deepstack: int = 0
    vision_positions: int = 0
    experts: int = 0
    expert_intermediate: int = 0

    @property
    def layer_weights(self) -> int:
        """Weights of one layer of the language model."""
        queries, keys = self.heads * self.head_dim, self.kv_heads * self.head_dim
        attention = self.hidden * (2 * queries + 2 * keys)
        if self.family == "qwen2_5_vl":
            attention += queries + 2 * keys  # biases
        else:
            attention += 2 * self.head_dim  # norms of queries and keys
        if self.experts:  # and a row of the router for each
            forward = self.experts * (3 * self.expert_intermediate + 1)
        else:
            forward = 3 * self.intermediate
        return attention + forward * self.hidden + 2 * self.hidden

    @property
    def embedding_weights(self) -> int:
        """Weights of the embedding and, where it has its own, of the output layer."""
        return self.vocab * self.hidden * (1 if self.tied else 2)

    @property
    def vision_weights(self) -> int:
        """Weights of the vision tower."""
        v, inner, four = self.vision_hidden, self.vision_intermediate, 4 * self.vision_hidden
        pixels = 3 * 2 * self.patch**2
        attention = 4 * v * v + 4 * v
        merger = four * four + four + four * self.hidden + self.hidden
        if self.family == "qwen2_5_vl":
            block = attention + 3 * v * inner + 2 * inner + v + 2 * v
            return pixels * v + self.vision_depth * block + merger + v
        block = attention + 2 * v * inner + inner + v + 4 * v
        deep = self.deepstack * (merger + 2 * four)
        start = pixels * v + v + self.vision_positions * v
        return start + self.vision_depth * block + merger + 2 * v + deep

    @property
    def weights(self) -> int:
        """All weights."""
        language = self.layers * self.layer_weights + self.hidden
        return language + self.embedding_weights + self.vision_weights

    def adapter_weights(self, rank: int) -> int:
        """Weights of adapters on every linear layer of the language model (`LoraSettings`).

        Experts are no linear layers, so they get none.
        """
        queries, keys = self.heads * self.head_dim, self.kv_heads * self.head_dim
        sides = 2 * (self.hidden + queries) + 2 * (self.hidden + keys)
        if not self.experts:
            sides += 3 * (self.hidden + self.intermediate)
        return self.layers * rank * sides

    def kv_bytes(self, precision: int) -> int:
        """Bytes that one token takes in the cache of keys and values."""
        return 2 * self.layers * self.kv_heads * self.head_dim * precision

    @property
    def image_token_bytes(self) -> int:
        """Bytes that one image token's patches take on the host, in float32."""
        return 4 * 3 * 2 * self.patch**2 * 4


def _qwen2_5(hidden: int, layers: int, heads: int, kv_heads: int, inner: int, vocab: int) -> Any:
    vision = (32, 1280, 3420)
    tied = vocab == 151_936
    return ModelShape(
        "qwen2_5_vl", hidden, layers, heads, kv_heads, 128, inner, vocab, tied, *vision
    )


def _qwen3(hidden: int, layers: int, heads: int, inner: int, tied: bool, depth: int) -> ModelShape:
    vision = (24, 1024, 4096) if depth == 24 else (27, 1152, 4304)
    return ModelShape(
        "qwen3_vl", hidden, layers, heads, 8, 128, inner, 151_936, tied, *vision,
        patch=16, deepstack=3, vision_positions=2304,
    )  # fmt: skip


SHAPES: dict[str, ModelShape] = {
    "Qwen/Qwen2.5-VL-3B-Instruct": _qwen2_5(2048, 36, 16, 2, 11_008, 151_936),
    "Qwen/Qwen2.5-VL-7B-Instruct": _qwen2_5(3584, 28, 28, 4, 18_944, 152_064),
    "Qwen/Qwen3-VL-2B-Instruct": _qwen3(2048, 28, 16, 6144, True, 24),
    "Qwen/Qwen3-VL-4B-Instruct": _qwen3(2560, 36, 32, 9728, True, 24),
    "Qwen/Qwen3-VL-8B-Instruct": _qwen3(4096, 36, 32, 12_288, False, 27),
}
"""Shapes by the names of the hub, from the models' public configurations."""

SHORT = {name.removeprefix("Qwen/").removesuffix("-Instruct").lower(): name for name in SHAPES}
"""Short names, such as "qwen2.5-vl-7b"."""


def hub_name(model: str) -> str:
    """Returns the hub's name of a short one; any other name as it is.

    Example:
        >>> hub_name("qwen3-vl-8b"), hub_name("tiny")
        ('Qwen/Qwen3-VL-8B-Instruct', 'tiny')
    """
    return SHORT.get(model.lower(), model)


def known_shape(model: str) -> ModelShape:
    """Returns the shape of a model by its short name or its name on the hub.

    Raises:
        ConfigError: no such shape is known.
    """
    if hub_name(model) not in SHAPES:
        raise unknown_name("model", model, SHORT)
    return SHAPES[hub_name(model)]


def shrunk(shape: ModelShape, layers: int = 0, small: bool = False) -> ModelShape:
    """Returns a shape with fewer layers, and narrow where asked for; for tests on a CPU.

    Args:
        shape: what to begin with.
        layers: most layers of the language model and of the vision tower each; 0 keeps all.
        small: whether every width and the vocabulary are small too.
    """
    if layers:
        depth = min(layers, shape.vision_depth)
        shape = replace(
            shape,
            layers=min(layers, shape.layers),
            vision_depth=depth,
            deepstack=min(shape.deepstack, depth),
        )
    if small:
        shape = replace(
            shape, hidden=256, heads=2, kv_heads=1, head_dim=128, intermediate=256, vocab=1024,
            vision_hidden=128, vision_intermediate=128,
        )  # fmt: skip
    return shape


def is_third_generation(model: str) -> bool:
    """Returns by its name, or by the configuration in its folder, whether a model is a Qwen3-VL.

    Its image tokens stand for 32 x 32 pixels, those of Qwen2.5-VL for 28 x 28.

    Raises:
        DataError: the configuration is damaged.
    """
    if config := _stored_config(model):
        return str(config.get("model_type", "")).startswith("qwen3_vl")
    return "qwen3-vl" in hub_name(model).lower()


def is_small(model: str) -> bool:
    """Returns whether a folder holds a model that is narrower than any published one.

    Raises:
        DataError: the configuration is damaged.
    """
    config = _stored_config(model)
    text = config.get("text_config", config)
    width = text.get("hidden_size", 0) if isinstance(text, dict) else None
    if not isinstance(width, int):
        raise DataError(f"{Path(model) / CONFIG}: expected hidden_size to be a whole number")
    return 0 < width < 1024


def _stored_config(model: str) -> dict[str, Any]:
    """Reads the configuration in a model's folder; {} where there is none."""
    path = Path(model) / CONFIG
    return read_object(path) if path.exists() else {}


def shape_of(config: Any) -> ModelShape:
    """Reads the shape out of a configuration of transformers.

    Raises:
        ConfigError: it is of another architecture.
    """
    family = str(config.model_type)
    if family not in MODEL_TYPES:
        raise ConfigError(f"expected a Qwen2.5-VL or Qwen3-VL configuration, got {family!r}")
    text, vision = config.text_config, config.vision_config
    if getattr(text, "mlp_only_layers", None) or getattr(text, "decoder_sparse_step", 1) != 1:
        raise ConfigError("expected experts in every layer, got layers without")
    heads = int(text.num_attention_heads)
    is_third, is_mixture = family != "qwen2_5_vl", family == "qwen3_vl_moe"
    return ModelShape(
        family=family,
        hidden=int(text.hidden_size),
        layers=int(text.num_hidden_layers),
        heads=heads,
        kv_heads=int(text.num_key_value_heads),
        head_dim=int(text.head_dim) if is_third else int(text.hidden_size) // heads,
        intermediate=int(text.intermediate_size),
        vocab=int(text.vocab_size),
        tied=bool(config.tie_word_embeddings),
        vision_depth=int(vision.depth),
        vision_hidden=int(vision.hidden_size),
        vision_intermediate=int(vision.intermediate_size),
        patch=int(vision.patch_size),
        deepstack=len(vision.deepstack_visual_indexes) if is_third else 0,
        vision_positions=int(vision.num_position_embeddings) if is_third else 0,
        experts=int(text.num_experts) if is_mixture else 0,
        expert_intermediate=int(text.moe_intermediate_size) if is_mixture else 0,
    )

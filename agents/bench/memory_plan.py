"""Estimates what a training needs: memory of each GPU by part, memory of the host, and hours.

Weights, gradients, optimizer, cache and patches are counted; activations and hours are estimated
by the formulas below, which leave out what kernels take for themselves. A test compares the
activations with what autograd keeps of small models; nothing was compared with a GPU.
"""

from __future__ import annotations

from dataclasses import dataclass

from pixel_env.errors import ConfigError

from ..model.settings import LOGITS_AT_ONCE
from ..model.shapes import ModelShape

BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}
GIB = 2**30

USABLE = 0.9
"""The share of a GPU's memory that a plan may take: the rest is for kernels and holes."""

UPDATE_SHARE, GENERATE_SHARE = 0.35, 0.5
"""What share of a GPU's arithmetic an update gets, and of its bandwidth a decoding step."""

LAYER_SECONDS = 1e-3
"""A decoding step takes at least so long a layer: its kernels are started one by one."""


@dataclass(frozen=True, slots=True)
class Gpu:
    """A kind of GPU.

    Attributes:
        gib: its memory.
        tflops: dense bfloat16 operations a second, in 10**12.
        tb_per_second: bandwidth of its memory, in 10**12 bytes a second.
    """

    gib: float
    tflops: float
    tb_per_second: float


GPUS = {
    "a100-40": Gpu(40, 312, 1.56),
    "a100-80": Gpu(80, 312, 2.04),
    "a800-80": Gpu(80, 312, 2.04),
    "h100-80": Gpu(80, 989, 3.35),
    "h200-141": Gpu(141, 989, 4.8),
    "l40s-48": Gpu(48, 362, 0.86),
    "rtx4090-24": Gpu(24, 165, 1.01),
}
"""Kinds of GPU, by the vendors' data sheets."""


@dataclass(frozen=True, slots=True)
class Workload:
    """What is trained, how, and on how many GPUs; fields as in the configs of a run."""

    n_gpus: int = 1
    """How many GPUs, one a process."""
    dtype: str = "bfloat16"
    """Of the weights that are kept."""
    compute: str = ""
    """With sharding, what is computed in; empty: as dtype."""
    lora_rank: int = 0
    """Rank of adapters; 0 trains all weights."""
    sharding: bool = False
    """Whether weights and optimizer lie spread over the GPUs."""
    gradient_checkpointing: bool = True
    """Whether layers are recomputed in the backward pass."""
    tokens_per_micro_batch: int = 16_384
    """Tokens that go through the model at once in the update; what rollouts share counts once."""
    image_share: float = 0.5
    """Tokens of different pictures in a micro-batch, as a share of all of its tokens."""
    queries: int = 15_000
    """Groups of the whole RL."""
    groups_per_iteration: int = 512
    """Groups between two syncs."""
    group_size: int = 8
    """Rollouts a group."""
    lanes: int = 0
    """Episodes in progress in each process; 0: its whole share of an iteration."""
    lanes_at_once: int = 64
    """How many of them generate together."""
    replay_capacity: int = 256
    """Rollouts in the replay buffer, of all processes together."""
    image_tokens: int = 2000
    """Of what is shown first; 2000 is the most of the released training preset."""
    prompt_tokens: int = 600
    """Of system message and question."""
    response_tokens: int = 400
    """Of the policy's messages in an episode."""
    operations: float = 1.0
    """Operations an episode."""
    operation_tokens: int = 1000
    """Of what an operation shows; 1000 is the most of the released training preset."""

    def __post_init__(self) -> None:
        """Checks what the formulas divide by or look up.

        Raises:
            ConfigError: a value is out of its range, or settings exclude each other.
        """
        for name in ("n_gpus", "groups_per_iteration", "group_size", "lanes_at_once"):
            if getattr(self, name) < 1:
                raise ConfigError(f"expected {name} of at least 1, got {getattr(self, name)}")
        for dtype in (self.dtype, self.compute or self.dtype):
            if dtype not in BYTES:
                raise ConfigError(f"expected one of {', '.join(BYTES)}, got {dtype!r}")
        if self.sharding and self.lora_rank:
            raise ConfigError("expected sharding or adapters, got both")

    @property
    def episode_tokens(self) -> float:
        """Tokens of an average episode."""
        shown = self.image_tokens + self.operations * self.operation_tokens
        return self.prompt_tokens + self.response_tokens + shown

    @property
    def computed_tokens(self) -> float:
        """Tokens of an average episode that the update computes: a group's opening counts once."""
        opening = self.image_tokens + self.prompt_tokens
        return self.episode_tokens - opening * (1 - 1 / self.group_size)

    @property
    def lanes_per_gpu(self) -> int:
        """Episodes that one process has in progress."""
        groups = -(-self.groups_per_iteration // self.n_gpus)
        return min(self.lanes or groups * self.group_size, groups * self.group_size)


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """Bytes by part; a GPU holds `always` throughout, and `update` and `generate` in turns.

    Attributes:
        always: weights and the optimizer's state.
        update: gradients, activations, logits.
        generate: the cache of keys and values, logits of a step.
        host: patches of pictures, of one process.
    """

    always: dict[str, float]
    update: dict[str, float]
    generate: dict[str, float]
    host: dict[str, float]

    @property
    def peak(self) -> float:
        """Most bytes that a GPU has in use at once."""
        return sum(self.always.values()) + max(
            sum(self.update.values()), sum(self.generate.values())
        )


def plan(shape: ModelShape, load: Workload) -> MemoryPlan:
    """Estimates the memory of a training."""
    stored, computed = BYTES[load.dtype], BYTES[load.compute or load.dtype]
    n = shape.weights
    if load.lora_rank:  # peft keeps adapters in float32
        trained = shape.adapter_weights(load.lora_rank)
        always = {"weights": n * stored + 4.0 * trained, "optimizer": 8.0 * trained}
        gradients = 4.0 * trained
    elif load.sharding:
        always = {
            "weights, to compute with": float(n * computed),
            "weights, this part": n * stored / load.n_gpus,
            "optimizer, this part": 2 * n * stored / load.n_gpus,
        }
        gradients = 4.0 * n + 4.0 * n / load.n_gpus  # summed in float32
    else:
        always = {"weights": float(n * stored), "optimizer": 2.0 * n * stored}
        gradients = float(n * stored)
    update = {"gradients": gradients, **_activations(shape, load, computed)}
    cached = load.lanes_per_gpu * load.episode_tokens
    batch = min(load.lanes_at_once, load.lanes_per_gpu)
    generate = {
        "cache of keys and values": cached * shape.kv_bytes(computed),
        "cache, while lanes are joined": batch * load.episode_tokens * shape.kv_bytes(computed),
        "logits of a step": batch * shape.vocab * (3 * 4 + 2 * 8.0),
    }
    shown = -(-load.groups_per_iteration // load.n_gpus) * load.image_tokens
    rollouts = load.groups_per_iteration * load.group_size / load.n_gpus
    zoomed = load.operations * load.operation_tokens
    crops = rollouts * zoomed
    replayed = load.replay_capacity / load.n_gpus * (load.image_tokens + zoomed)
    host = {
        "pictures of an iteration": (shown + crops) * shape.image_token_bytes,
        "pictures in the replay buffer": replayed * shape.image_token_bytes,
    }
    return MemoryPlan(always, update, generate, host)


def _activations(shape: ModelShape, load: Workload, precision: int) -> dict[str, float]:
    """Estimates what a micro-batch keeps for its backward pass."""
    tokens = float(load.tokens_per_micro_batch)
    patches = 4 * tokens * load.image_share
    layer, block = tokens * layer_bytes(shape, precision), patches * block_bytes(shape, precision)
    # Each rollout reads keys and values of its own, those of the shared opening copied.
    copied = tokens * (load.episode_tokens / load.computed_tokens - 1)
    layer += copied * 2 * shape.heads * shape.head_dim * precision
    pixels = patches * 6 * shape.patch**2 * precision
    if load.gradient_checkpointing:  # the inputs of all layers, and one layer at work
        language = shape.layers * tokens * shape.hidden * precision + layer
        vision = shape.vision_depth * patches * shape.vision_hidden * precision + block
    else:
        language, vision = shape.layers * layer, shape.vision_depth * block
    sampled = tokens * load.response_tokens / load.computed_tokens * shape.vocab
    return {
        "activations, language model": language,
        "activations, vision tower": vision + pixels,
        "logits": 4 * 4 * min(sampled, LOGITS_AT_ONCE),
    }


def layer_bytes(shape: ModelShape, precision: int) -> float:
    """Returns what a layer of the language model keeps of one token for its backward pass.

    Two norms (in float32), queries, the attention's output, keys and values, once more spread over
    all heads, and four stretches of the feed-forward part; Qwen3-VL norms queries and keys too.
    """
    queries, keys = shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim
    normed = 2 * shape.hidden
    if shape.family == "qwen3_vl":
        normed += queries + keys
    kept = normed + 4 * queries + 2 * keys + 4 * shape.intermediate
    return float(2 * normed * 4 + kept * precision)


def block_bytes(shape: ModelShape, precision: int) -> float:
    """Returns what a layer of the vision tower keeps of one patch for its backward pass.

    Its rotation of queries and keys is in float32; Qwen2.5-VL gates its feed-forward part.
    """
    width, inner = shape.vision_hidden, shape.vision_intermediate
    if shape.family == "qwen2_5_vl":
        return float((4 + 4) * width * 4 + (2 + 6) * width * precision + 4 * inner * precision)
    return float(4 * width * 4 + (4 + 6) * width * precision + 2 * inner * precision)


@dataclass(frozen=True, slots=True)
class TimePlan:
    """Hours by part.

    Attributes:
        generate: sampling all rollouts.
        update: one pass over them.
    """

    generate: float
    update: float

    @property
    def hours(self) -> float:
        """Hours of the RL, on all GPUs at once."""
        return self.generate + self.update


def hours(shape: ModelShape, load: Workload, gpu: Gpu) -> TimePlan:
    """Estimates the time of the RL.

    A decoding step reads all weights and the rows' caches once, but not faster than its kernels can
    be started; an update takes 6 operations a weight and computed token, 8 with recomputed layers,
    6 where only adapters get gradients.
    """
    precision = BYTES[load.compute or load.dtype]
    rollouts = load.queries * load.group_size / load.n_gpus
    batch = min(load.lanes_at_once, load.lanes_per_gpu)
    cached = batch * load.episode_tokens * shape.kv_bytes(precision)
    steps = rollouts / batch * load.response_tokens
    read = (shape.weights * precision + cached) / (gpu.tb_per_second * 1e12 * GENERATE_SHARE)
    generate = steps * max(read, shape.layers * LAYER_SECONDS)
    operations = (6 if load.lora_rank else 8) if load.gradient_checkpointing else 6
    done = rollouts * load.computed_tokens * operations * shape.weights
    update = done / (gpu.tflops * 1e12 * UPDATE_SHARE)
    return TimePlan(generate / 3600, update / 3600)

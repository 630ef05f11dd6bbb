"""The settings of a benchmark on a GPU, and the run that they stand for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from pixel_env.config import PRESETS
from pixel_env.errors import ConfigError, unknown_name

from ..generation.config import GenerationConfig
from ..model.settings import LoraSettings
from ..model.shapes import ModelShape, hub_name, is_third_generation, known_shape, shrunk
from ..run.config import RunConfig, large_defaults
from ..settings.checks import check_least, check_positive
from ..warm_start.config import DemonstrationConfig
from .scripted_lanes import SIDE

TRAINED = ("lora", "all")
SCENE_PX = 1792
"""Side of a scene: larger than the most pixels that the released training preset shows."""

_LEAST = {
    "layers": 0,
    "groups": 1,
    "group_size": 2,
    "most_zooms": 1,
    "message_tokens": 1,
    "demonstrations": 1,
    "tokens_per_micro_batch": 1,
    "seed": 0,
}


@dataclass(frozen=True, slots=True)
class GpuBenchConfig:
    """What is measured, and on how much work."""

    models: tuple[str, ...] = ("qwen2.5-vl-3b", "qwen2.5-vl-7b")
    """Sizes, by the names that train.py takes."""
    train: str = "lora"
    """What is trained: "lora", as train does by default, or "all" weights, in bfloat16."""
    device: str = "cuda"
    """A torch device."""
    layers: int = 0
    """Most layers of each tower; 0 keeps all."""
    small: bool = False
    """Whether widths, vocabulary, pictures and prompts are shrunk too, for a CPU."""
    groups: int = 4
    """Samples of the rollout."""
    group_size: int = 8
    """Rollouts of each sample."""
    most_zooms: int = 2
    """Rollouts zoom once, twice and so on, up to this number, in turn."""
    message_tokens: int = 128
    """Tokens of every message of a rollout: a random model hardly ever ends one itself."""
    demonstrations: int = 8
    """Trajectories of a warm-start step."""
    tokens_per_micro_batch: int = 16_384
    """Padded tokens that go through the model at once in a step."""
    budget_minutes: float = 9.0
    """When to stop; what was measured until then is written."""
    profile: bool = False
    """Whether the kernels of a gradient are listed by the time that they take."""
    seed: int = 0
    """Fixes weights, samples and sampled tokens."""

    def __post_init__(self) -> None:
        """Checks every value.

        Raises:
            ConfigError: a value is out of its range, or a name unknown.
        """
        check_least(self, _LEAST)
        check_positive(self, ("budget_minutes",))
        if self.train not in TRAINED:
            raise unknown_name("train", self.train, TRAINED)
        if not self.models:
            raise ConfigError("expected at least one model, got none")
        for model in self.models:
            known_shape(model)

    def shape(self, model: str) -> ModelShape:
        """Returns the shape that a model is built with."""
        return shrunk(known_shape(model), self.layers, self.small)

    def run(self, model: str) -> RunConfig:
        """Returns the run that is measured: train.py's defaults, on the work asked for."""
        base = large_defaults(hub_name(model))
        step = self.tokens_per_micro_batch
        return replace(
            base,
            seed=self.seed,
            system="none" if self.small else base.system,
            env_args={**self._pictures(model), **base.env_args},
            loading=replace(
                base.loading,
                device=self.device,
                lora=base.loading.lora if self.train == "lora" else LoraSettings(),
            ),
            demonstrations=DemonstrationConfig(
                n=self.demonstrations, recrop_twice=0, zoom_further=0, square_side=SIDE, jitter=0
            ),
            imitation=replace(
                base.imitation,
                batch_size=self.demonstrations,
                steps=2,
                tokens_per_micro_batch=step,
            ),
            on_policy=replace(
                base.on_policy,
                iterations=1,
                groups_per_iteration=self.groups,
                group_size=self.group_size,
                generation=GenerationConfig(max_new_tokens=self.message_tokens),
                tokens_per_micro_batch=step,
                replay_capacity=0,
                record_every=0,
            ),
        ).seeded()

    def _pictures(self, model: str) -> dict[str, Any]:
        """Returns how large pictures are: as in the released training, or a few tokens."""
        if not self.small:
            return {**PRESETS["pixel-reasoner-train"], "scene_px": SCENE_PX}
        unit = (32 if is_third_generation(model) else 28) ** 2
        return {"overview_px": (4 * unit, 16 * unit), "crop_px": (4 * unit, 9 * unit)}

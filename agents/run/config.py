"""The settings of a whole run: warm start, on-policy training, and what is measured between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pixel_env.errors import ConfigError, unknown_name

from ..engines.settings import ENGINES, OWN, VllmSettings
from ..generation.config import GenerationConfig
from ..model.settings import AUTO, DTYPE_NAMES, TINY, LoraSettings, ModelSettings
from ..model.shapes import is_small, is_third_generation
from ..model.trained_with import ENVIRONMENT_NAMES, TrainedWith
from ..on_policy.config import OnPolicyConfig
from ..on_policy.curiosity_options import CuriosityOptions
from ..settings.checks import check_least
from ..warm_start.config import DemonstrationConfig, ImitationConfig

STAGES = ("base", "warm start", "RL")


@dataclass(frozen=True, slots=True)
class RunConfig:
    """One run from a base model to a trained policy."""

    env: str = "PixelReason-SyntheticSearch-v0"
    """Id of the environment that is trained in."""
    env_args: Mapping[str, Any] = field(default_factory=lambda: {"split": "train"})
    """Arguments of gym.make for training, as JSON."""
    warm_start_file: str = ""
    """File of demonstrations to imitate, as `pixel-reason demonstrate` writes it; empty: they are
    made."""
    warm_start_env: str = ""
    """Id of the environment that demonstrations are made in; empty: the one trained in. Those of
    a file are executed in the environment that they name, unless there is one here."""
    warm_start_args: Mapping[str, Any] = field(default_factory=dict)
    """Arguments of gym.make for that environment, as JSON; for a file, those that differ."""
    eval_env: str = ""
    """Id of the environment that stages are measured in; empty: the one trained in."""
    eval_args: Mapping[str, Any] = field(default_factory=lambda: {"split": "test"})
    """Arguments of gym.make for measuring, as JSON."""
    model: str = TINY
    """"tiny", a folder in the hub's layout, or a name on the hub."""
    dialect: str = "pixel-reasoner"
    """How calls are written."""
    system: str = "full"
    """System message: "full" with the operations' schemas, "brief", or "none"."""
    engine: str = OWN
    """What generates rollouts and evaluations: "own", the trained model itself, or "vllm"."""
    seed: int = 0
    """Fixes everything that is drawn: demonstrations, batches, samples, sampled tokens."""
    threads: int = 0
    """Torch's threads; 0 takes one for each core."""
    measure_base: bool = True
    """Whether the model is measured before any training."""
    warm_start: bool = True
    """Whether imitation of demonstrations comes first."""
    rl: bool = True
    """Whether on-policy training follows."""
    eval_samples: int = 300
    """Samples that every stage is measured on, the first of the test split."""
    eval_temperature: float = 0.0
    """Of sampling while measuring; 0 is greedy."""
    lanes: int = 0
    """Episodes that run at once in each process; 0: its whole share of an iteration's rollouts."""
    loading: ModelSettings = field(default_factory=ModelSettings)
    """How the model is loaded, and whether adapters are trained or the weights."""
    sharding: bool = False
    """Whether weights and optimizer lie spread over several processes (FSDP2)."""
    compute: str = ""
    """With sharding, what is computed in; empty: `loading.dtype`, which the optimizer updates."""
    demonstrations: DemonstrationConfig = field(default_factory=DemonstrationConfig)
    """What is imitated."""
    imitation: ImitationConfig = field(default_factory=ImitationConfig)
    """How it is imitated."""
    on_policy: OnPolicyConfig = field(default_factory=OnPolicyConfig)
    """How the policy is trained on its own rollouts."""
    curiosity: CuriosityOptions = field(default_factory=CuriosityOptions)
    """What the curiosity bonus pays."""
    vllm: VllmSettings = field(default_factory=VllmSettings)
    """How vLLM runs, where it generates."""

    def __post_init__(self) -> None:
        """Checks what no part checks by itself.

        Raises:
            ConfigError: a value is out of its range, or a name unknown.
        """
        if self.system not in ("full", "brief", "none"):
            raise unknown_name("system", self.system, ("full", "brief", "none"))
        if self.engine not in ENGINES:
            raise unknown_name("engine", self.engine, ENGINES)
        never_negative = ("seed", "threads", "lanes", "eval_temperature")
        check_least(self, {**dict.fromkeys(never_negative, 0), "eval_samples": 1})
        if self.compute and self.compute not in DTYPE_NAMES:
            raise unknown_name("compute", self.compute, DTYPE_NAMES)
        if self.sharding and self.loading.lora.rank:
            raise ConfigError(
                "expected sharding or loading.lora.rank, got both: adapters fit on one device"
            )
        if self.compute and not self.sharding:
            raise ConfigError("expected sharding where compute is given; else it is loading.dtype")
        for name in ("demonstrations", "imitation", "on_policy"):
            if (own := getattr(self, name).seed) not in (0, self.seed):
                raise ConfigError(f"expected seed once, for the whole run; got {name}.seed {own}")

    def trained_with(self) -> TrainedWith:
        """Returns what an evaluation of the trained model begins with."""
        return TrainedWith(
            dialect=self.dialect,
            system=self.system,
            max_new_tokens=self.on_policy.generation.max_new_tokens,
            max_context=self.on_policy.generation.max_context,
            environment={k: v for k, v in self.eval_args.items() if k in ENVIRONMENT_NAMES},
        )

    def seeded(self) -> RunConfig:
        """Returns the config with the run's seed in every part."""
        return replace(
            self,
            demonstrations=replace(self.demonstrations, seed=self.seed),
            imitation=replace(self.imitation, seed=self.seed),
            on_policy=replace(self.on_policy, seed=self.seed),
        )


def large_defaults(model: str) -> RunConfig:
    """Returns what a pretrained model begins with on one GPU: the paper's run, with adapters.

    In bfloat16 an update of 1e-6 is lost, so adapters in float32 are trained, at a rate that is
    usual for them and was not tuned here; all weights: `configs/pixel_reasoner_7b.yaml`. A small
    model in a folder begins with the plain defaults.
    """
    if is_small(model):
        return RunConfig(model=model)
    side = 32 if is_third_generation(model) else 28
    return RunConfig(
        model=model,
        env_args={"split": "train", "side_multiple": side},
        eval_args={"split": "test", "side_multiple": side},
        loading=ModelSettings(
            dtype="bfloat16",
            device=AUTO,
            gradient_checkpointing=True,
            lora=LoraSettings(rank=32),
        ),
        lanes=64,
        imitation=ImitationConfig(learning_rate=1e-5),
        on_policy=OnPolicyConfig(learning_rate=1e-5, record_every=64),
    )


def tiny_defaults() -> RunConfig:
    """Returns what fits the tiny policy and two processor cores."""
    return RunConfig(
        system="none",
        eval_temperature=1.0,
        demonstrations=DemonstrationConfig(
            n=2400,
            pixel_space=0.6,
            text_only=0.4,
            single_pass=0.7,
            recrop=0.15,
            recrop_twice=0.0,
            zoom_further=0.0,
            retry=0.15,
            select_frames=0.75,
            reselect_frames=0.1,
            retry_frames=0.15,
            box_step=0.05,
            square_side=0.15,
            margin=0.0,
            jitter=0.0,
            wording="brief",
        ),
        imitation=ImitationConfig(
            batch_size=16,
            learning_rate=1e-3,
            betas=(0.9, 0.98),
            epochs=2,
            tokens_per_micro_batch=12_000,
        ),
        on_policy=OnPolicyConfig(
            iterations=40,
            groups_per_iteration=16,
            group_size=8,
            learning_rate=1e-4,
            warmup_share=0.1,
            minibatches=2,
            generation=GenerationConfig(max_new_tokens=48, max_context=640, lanes_at_once=128),
            tokens_per_micro_batch=12_000,
            checkpoint_every=10,
        ),
    )

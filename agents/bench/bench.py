"""One model through a training's parts, each measured: build, warm start, rollout, check, update.

The code is the training's own: `ImitationTrainer`, `GroupRollouts` on the engine, `PolicyUpdate`.
The weights are random (`random_model.py`). The actions are scripted (`scripted_lanes.py`): the
policy samples every token itself, and its observations are those of scripted zooms.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import gymnasium as gym
import torch

from pixel_env.dialects import get_dialect

from ..generation.engine import Engine
from ..generation.session import Session
from ..model.backbone import Backbone
from ..model.settings import ModelSettings
from ..model.shapes import ModelShape, shrunk
from ..on_policy.groups import GroupRollouts
from ..on_policy.replay_buffer import Experience
from ..on_policy.update import PolicyUpdate
from ..run.config import RunConfig
from ..run.lanes import training_lanes
from ..tokens.encoder import Encoder
from ..tokens.trajectory import TokenTrajectory
from ..warm_start.demonstration import encode
from ..warm_start.imitation import ImitationTrainer
from ..warm_start.synthesis import Synthesis
from .agreement import Agreement, compare
from .config import GpuBenchConfig
from .device_meter import RAN, Deadline, DeviceMeter, MeasuredPart
from .memory_plan import GIB, USABLE
from .random_model import random_model, text_and_picture_tools
from .scripted_lanes import ScriptedLanes
from .workload import estimates, workload

REFERENCE_LAYERS = 2
"""Layers of each tower in the float32 check: as many weights as fit beside nothing else."""

PARTS = ("float32 check", "demonstrations", "build", "warm start", "rollout", "check", "update")

Note = Callable[[str, str], None]
"""Called with what begins: the model and the part."""


@dataclass(frozen=True, slots=True)
class ModelReport:
    """What was measured of one model.

    Attributes:
        model: its short name.
        weights: how many it has.
        parts: in the order in which they ran, every one of `PARTS`.
        agreement: of the model, in the dtype that it is trained in; None where it wasn't checked.
        reference: of a few layers of it in float32; None where it wasn't checked.
        workload: what the estimates are of, by `Workload`'s names; empty without any.
    """

    model: str
    weights: int
    parts: tuple[MeasuredPart, ...]
    agreement: Agreement | None
    reference: Agreement | None
    workload: Mapping[str, Any]

    @property
    def holds(self) -> bool:
        """Whether all parts ran and both checks hold."""
        checks = (self.agreement, self.reference)
        ran = all(part.status == RAN for part in self.parts)
        return ran and all(check is not None and check.holds for check in checks)


class ModelBench:
    """Runs the parts of one model."""

    def __init__(self, config: GpuBenchConfig, model: str, deadline: Deadline, note: Note) -> None:
        """Takes the settings, the model's short name, when to stop, and a watcher of the parts."""
        self._config = config
        self._name = model
        self._shape = config.shape(model)
        self._run = config.run(model)
        self._deadline = deadline
        self._note = note
        self._meter = DeviceMeter(config.device, deadline)
        self._model: Any = None
        self._encoder = _encoder(self._shape, self._run)
        self._demonstrations: list[TokenTrajectory] = []
        self._experiences: list[Experience] = []
        self._agreement: Agreement | None = None
        self._reference: Agreement | None = None

    def run(self) -> ModelReport:
        """Runs every part; a failure is in the report, and the others go on."""
        works = (
            self._check_in_float32,
            self._demonstrate,
            self._build,
            self._imitate,
            self._roll_out,
            self._check,
            self._update,
        )
        parts = []
        for name, work in zip(PARTS, works, strict=True):
            self._note(self._name, name)
            missing = self._missing(name)
            part = MeasuredPart(name, missing) if missing else self._meter.measure(name, work)
            parts.append(part)
            if self._model is not None:
                self._model.zero_grad(set_to_none=True)  # of a step that wasn't finished
        known: dict[str, float] = {}
        load = None
        if self._trajectories():
            load = workload(self._run, self._trajectories())
            known = estimates(self._shape, load)
        if self._demonstrations:
            shown = workload(self._run, self._demonstrations)
            known["warm start"] = estimates(self._shape, shown)["warm start"]
        return ModelReport(
            self._name,
            self._shape.weights,
            tuple(replace(part, estimated=known.get(part.name)) for part in parts),
            self._agreement,
            self._reference,
            asdict(load) if load else {},
        )

    def _missing(self, name: str) -> str:
        """Returns why a part can't begin; "" where it can."""
        if name == "build":
            return self._too_large()
        if name in ("warm start", "rollout", "check", "update") and self._model is None:
            return "not run: there is no model"
        if name == "warm start" and not self._demonstrations:
            return "not run: there are no demonstrations"
        if name == "check" and not self._experiences:
            return "not run: there are no rollouts"
        if name == "update" and not self._trajectories():
            return "not run: there is nothing to learn from"
        return ""

    def _too_large(self) -> str:
        """Returns whether weights, optimizer and an update can't fit on the GPU by the plan."""
        if not self._demonstrations or torch.device(self._config.device).type != "cuda":
            return ""
        needed = estimates(self._shape, workload(self._run, self._demonstrations))["warm start"]
        total = torch.cuda.get_device_properties(self._config.device).total_memory
        if needed <= USABLE * total:
            return ""
        return (
            f"not run: the plan's {needed / GIB:.0f} GiB are over {USABLE:.0%} of the "
            f"{total / GIB:.0f} GiB of this GPU"
        )

    def _check_in_float32(self) -> dict[str, float]:
        """Compares log-probabilities of a few layers of the model in float32."""
        torch.set_float32_matmul_precision("highest")  # some installations turn TF32 on
        shape = shrunk(self._shape, REFERENCE_LAYERS)
        loading = ModelSettings(dtype="float32", device=self._config.device)
        rl = replace(self._run.on_policy, groups_per_iteration=1)
        run = replace(self._run, loading=loading, on_policy=rl)
        model = random_model(shape, loading, self._config.seed).model
        _watch(model, self._deadline)
        rollouts = _trajectories_of(self._rollouts(model, run))
        self._reference = compare(model, rollouts, self._encoder, shape, "float32")
        return {"rollouts": len(rollouts)}

    def _demonstrate(self) -> dict[str, float]:
        """Makes the demonstrations and encodes them; this runs on the host."""
        env = gym.make(self._run.env, **self._run.env_args)
        made = Synthesis(env, self._run.demonstrations, self._run.dialect).run()
        self._demonstrations = [encode(each, self._encoder) for each in made]
        return {"rollouts": len(self._demonstrations)}

    def _build(self) -> dict[str, float]:
        """Builds the model on its device."""
        loading = self._run.loading
        self._model = random_model(self._shape, loading, self._config.seed).model
        _watch(self._model, self._deadline)
        trained = sum(p.numel() for p in self._model.parameters() if p.requires_grad)
        return {"trained weights": trained}

    def _imitate(self) -> dict[str, float]:
        """Takes two warm-start steps; the second is the one that counts."""
        steps: list[Mapping[str, float]] = []
        trainer = ImitationTrainer(
            self._model, self._encoder, self._demonstrations, self._run.imitation
        )
        trainer.train(on_step=lambda _, metrics: steps.append(metrics))
        last = steps[-1]
        _check_finite(last, "imitation/loss", "imitation/grad_norm")
        return {
            "tokens": sum(len(each) for each in self._demonstrations),
            "seconds": last["imitation/seconds"],
            "first step's seconds": steps[0]["imitation/seconds"],
            "loss": last["imitation/loss"],
        }

    def _roll_out(self) -> dict[str, float]:
        """Runs the groups, every token sampled by the model."""
        self._experiences = self._rollouts(self._model, self._run)
        rollouts = _trajectories_of(self._experiences)
        if not rollouts:
            raise RuntimeError("no rollout was within max_context")
        return {
            "tokens": sum(each.n_trainable for each in rollouts),
            "rollouts": len(rollouts),
            "operations": sum(each.info["n_operations"] for each in rollouts) / len(rollouts),
            "length": sum(len(each) for each in rollouts) / len(rollouts),
        }

    def _check(self) -> dict[str, float]:
        """Compares the rollouts' log-probabilities with one pass over each."""
        self._agreement = compare(
            self._model,
            self._trajectories(),
            self._encoder,
            self._shape,
            self._run.loading.dtype,
        )
        return {"rollouts": len(self._experiences)}

    def _update(self) -> dict[str, float]:
        """Takes one step on the rollouts; without any, on the demonstrations."""
        experiences = self._experiences or [
            Experience(each, advantage=(-1.0) ** number)
            for number, each in enumerate(self._demonstrations)
        ]
        batch = [each for each in experiences if each.teaches]
        update = PolicyUpdate(self._model, self._encoder, self._run.on_policy)
        metrics = update(batch, 1).metrics()
        _check_finite(metrics, "update/loss", "update/grad_norm")
        return {
            "tokens": sum(len(each) for each in _trajectories_of(batch)),
            "rollouts": len(batch) if self._experiences else 0,
            "loss": metrics["update/loss"],
            "largest ratio": metrics["update/ratio_max"],
            "clipped": metrics["update/clip_share"],
        }

    def _rollouts(self, model: Any, run: RunConfig) -> list[Experience]:
        """Runs the groups of one iteration in scripted lanes."""
        rl = run.on_policy
        lanes = training_lanes(run)
        scripted = ScriptedLanes(lanes.env, rl.group_size, self._config.most_zooms)
        session = Session(Engine(model, self._encoder, rl.generation))
        groups = GroupRollouts(session, replace(lanes, env=scripted), rl)
        found = groups.run(1).experiences()
        scripted.close()
        return found

    def _trajectories(self) -> list[TokenTrajectory]:
        """Returns the rollouts; where there are none, the demonstrations."""
        return _trajectories_of(self._experiences) or self._demonstrations


def _encoder(shape: ModelShape, run: RunConfig) -> Encoder:
    tokenizer, processor = text_and_picture_tools(shape)
    return Encoder(
        tokenizer,
        processor,
        get_dialect(run.dialect),
        run.system,  # type: ignore[arg-type]  # one of three names, checked by the config
    )


def _trajectories_of(experiences: Sequence[Experience]) -> list[TokenTrajectory]:
    """Returns the rollouts themselves: one process has all of them."""
    found = [each.trajectory for each in experiences]
    return [each for each in found if isinstance(each, TokenTrajectory)]


def _watch(model: Any, deadline: Deadline) -> None:
    """Lets every pass through the language model check the clock first."""
    embedding = Backbone(model).model.get_input_embeddings()
    embedding.register_forward_pre_hook(lambda *_: deadline.check())


def _check_finite(metrics: Mapping[str, float], *names: str) -> None:
    """Checks that a step gave numbers."""
    for name in names:
        if not math.isfinite(metrics[name]):
            raise RuntimeError(f"{name} is {metrics[name]}")

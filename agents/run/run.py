"""A whole run: measure, imitate, measure, train on-policy, measure, report.

Every stage leaves its result in the run's folder, so a run that was stopped goes on with the
stage (and inside it, with the checkpoint) that it was in.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Protocol

import gymnasium as gym
import torch

from pixel_env.dialects import get_dialect
from pixel_env.files.lock import only_writer
from pixel_env.files.whole_folder import remove_folder

from ..engines.settings import OWN, VllmSettings
from ..evaluation.evaluate import EvaluationConfig, evaluate
from ..evaluation.folder import RESULTS
from ..evaluation.results import EpisodeResult, read_results
from ..model.loading import DTYPES, export, load
from ..on_policy import config as on_policy_config
from ..on_policy.belief import PolicyBelief
from ..on_policy.trainer import OnPolicyTrainer
from ..policies.vlm import Origin, VLMPolicy
from ..tokens.encoder import Encoder
from ..training.checkpoints.checkpointer import Checkpointer
from ..training.placement import Placement
from ..training.processes import ONE_PROCESS, Processes
from ..training.sharding import Sharding
from ..warm_start import config as imitation_config
from ..warm_start import demonstration as demonstration_records
from ..warm_start.demonstration import Demonstration
from ..warm_start.imitation import ImitationTrainer
from ..warm_start.synthesis import Synthesis
from .config import STAGES, RunConfig
from .lanes import training_lanes
from .measured import is_measured
from .speakers import Speakers
from .stage_times import StageTimes
from .start import check_start
from .stored_config import keep_config
from .warm_start_file import open_stored

MAY_DIFFER = (
    "threads",
    "lanes",
    "loading.device",
    *(f"vllm.{each.name}" for each in fields(VllmSettings)),
    *(f"imitation.{name}" for name in imitation_config.MAY_DIFFER),
    *(f"on_policy.{name}" for name in on_policy_config.MAY_DIFFER),
)
"""Settings that may change when a run goes on."""


class Display(Protocol):
    """Shows how far a stage is."""

    def __call__(self, stage: str, done: int, total: int, text: str = "") -> None:
        """Takes the stage's name, steps done and to do, and a short text."""


@dataclass(frozen=True, slots=True)
class FinishedRun:
    """What a finished run left.

    Attributes:
        results: every evaluated episode of each stage that ran, by the stage's name.
        seconds: how long each step took, by its name, over all sessions of the run.
        folder: where everything is.
    """

    results: Mapping[str, Sequence[EpisodeResult]]
    seconds: Mapping[str, float]
    folder: Path


class TrainingRun:
    """Runs the stages of a `RunConfig` in a folder.

    Attributes:
        config: the settings, with the run's seed in every part.
        folder: gets `config.json`, `demonstrations.jsonl`, `imitation/`, `on_policy/`,
            `evaluation/<stage>/`, `model/` and `report.md`.
    """

    def __init__(
        self,
        config: RunConfig,
        folder: Path,
        display: Display,
        processes: Processes = ONE_PROCESS,
    ) -> None:
        """Loads the model; nothing is trained yet.

        Of several processes, as `launched` gives them, each makes its own run in the same folder;
        the first one writes, measures and displays.

        Raises:
            ConfigError: the model can't be loaded, the folder holds a run of other settings, or
                the file of demonstrations is not for this run.
            DataError: the file of demonstrations can't be read.
        """
        self.config = config = config.seeded()
        self.folder = folder
        self._display = display
        processes.run_in_first(lambda: check_start(config, folder, MAY_DIFFER))
        cores = (os.cpu_count() or 1) // processes.count
        torch.set_num_threads(config.threads or max(1, cores))
        self._stored = open_stored(config) if config.warm_start else None
        self._parts = load(config.model, config.loading)
        self.model = self._parts.model
        sharding = None
        if config.sharding:
            dtype = DTYPES[config.compute or config.loading.dtype]
            sharding = Sharding(self.model, dtype, processes)
        self._placement = Placement(processes, sharding)
        self.encoder = Encoder(
            self._parts.tokenizer,
            self._parts.image_processor,
            get_dialect(config.dialect),
            config.system,  # type: ignore[arg-type]
        )
        self._speakers = Speakers(config, self.model, self.encoder, processes)
        # Not before: a start that fails leaves no folder.
        processes.run_in_first(lambda: keep_config(config, folder))
        self._times = StageTimes(folder, is_kept=processes.is_first)

    def run(self) -> FinishedRun:
        """Runs what isn't done yet, to the end.

        Raises:
            ConfigError: the folder is in use by another process.
        """
        with ExitStack() as held:
            self._placement.processes.run_in_first(
                lambda: held.enter_context(only_writer(self.folder))
            )
            return self._run()

    def _run(self) -> FinishedRun:
        results = {}
        if self.config.measure_base:
            results[STAGES[0]] = self._times.timed(
                "evaluate base", lambda: self._measure(STAGES[0])
            )
        if self.config.warm_start:
            self._times.timed("warm start", self._imitate)
            results[STAGES[1]] = self._times.timed(
                "evaluate warm start", lambda: self._measure(STAGES[1])
            )
        if self.config.rl:
            self._times.timed("RL", self._reinforce)
            results[STAGES[2]] = self._times.timed("evaluate RL", lambda: self._measure(STAGES[2]))
        self._export()
        return FinishedRun(results, self._times.seconds, self.folder)

    def _measure(self, stage: str) -> list[EpisodeResult]:
        """Evaluates the model as it is, in the first process; the others wait."""
        self._placement.assemble()
        return self._placement.processes.run_in_first(lambda: self._evaluated(stage))

    def _evaluated(self, stage: str) -> list[EpisodeResult]:
        """Evaluates the model as it is, or reads what an earlier session measured."""
        folder = self.folder / "evaluation" / stage.replace(" ", "_")
        config, rl = self.config, self.config.on_policy
        policy = self._policy(self._origin(stage))
        if is_measured(folder, policy, config.eval_samples):
            return read_results(folder / RESULTS)
        remove_folder(folder)  # a half one, or one before the run grew
        settings = EvaluationConfig(
            env_id=config.eval_env or config.env,
            env_kwargs=config.eval_args,
            samples=config.eval_samples,
            lanes=rl.generation.lanes_at_once,
            seed=config.seed,
            out=folder,
        )
        right: list[bool] = []

        def note(result: EpisodeResult, n_samples: int) -> None:
            right.append(result.correct)
            text = f"accuracy {sum(right) / len(right):.1%}"
            self._display(f"evaluate {stage}", len(right), n_samples, text)

        results = list(evaluate(policy, settings, note).results)
        self._speakers.rest()
        return results

    def _origin(self, stage: str) -> Origin:
        """Returns from what the model of a finished stage can be made again."""
        trained = {STAGES[1]: "imitation", STAGES[2]: "on_policy"}.get(stage)
        weights = Checkpointer(self.folder / trained / "checkpoints").latest() if trained else None
        vllm = None if self.config.engine == OWN else self.config.vllm
        return Origin(self.config.model, self.config.loading, weights, vllm)

    def _policy(self, origin: Origin | None = None) -> VLMPolicy:
        """Returns the model as it is, as an evaluation takes it."""
        config, rl = self.config, self.config.on_policy
        generation = replace(
            rl.generation,
            temperature=config.eval_temperature or 1.0,
            greedy=config.eval_temperature == 0,
        )
        self.model.eval()
        speaker = self._speakers.current(generation)
        return VLMPolicy(speaker, self.encoder, generation, f"vlm:{config.model}", origin)

    def _imitate(self) -> None:
        """Learns from the demonstrations of a file, or makes them first."""
        config = self.config
        made, env = self._stored or self._demonstrations()
        data = demonstration_records.EncodedDemonstrations(made, self.encoder, env=env)
        trainer = ImitationTrainer(
            self.model,
            self.encoder,
            data,
            config.imitation,
            self.folder / "imitation",
            self._placement,
        )

        def note(step: int, metrics: Mapping[str, float]) -> None:
            text = f"loss {metrics['imitation/loss']:.3f}"
            self._display("warm start", step, trainer.n_steps, text)

        trainer.train(resume=True, on_step=note)

    def _demonstrations(self) -> tuple[list[Demonstration], gym.Env[Any, Any]]:
        """Makes the demonstrations that the run's folder doesn't hold yet."""
        config = self.config
        args = config.warm_start_args if config.warm_start_env else config.env_args
        env = gym.make(config.warm_start_env or config.env, **args)
        path = self.folder / "demonstrations.jsonl"
        wanted = config.demonstrations
        synthesis = Synthesis(env, wanted, config.dialect)

        def note(n_done: int) -> None:
            self._display("demonstrations", n_done, wanted.n)

        # Pictures are not sent: each process executes those that it learns from again.
        made = self._placement.processes.run_in_first(
            lambda: demonstration_records.make_missing(synthesis.make, wanted.n, path, note)
        )
        return made, env

    def _reinforce(self) -> None:
        """Trains on the policy's own rollouts, under the curiosity wrapper."""
        config, rl = self.config, self.config.on_policy
        temperature = rl.generation.temperature
        belief = PolicyBelief(self.model, self.encoder, temperature, rl.tokens_per_micro_batch)
        lanes = training_lanes(config, self._placement.processes.count, belief)
        lanes = replace(lanes, speaker=self._speakers.trainee())
        trainer = OnPolicyTrainer(
            self.model, self.encoder, lanes, rl, self.folder / "on_policy", self._placement
        )

        def note(iteration: int, metrics: Mapping[str, float], warnings: list[str]) -> None:
            text = f"accuracy {metrics['accuracy/all']:.1%}, RaPR {metrics['rapr']:.1%}"
            for warning in warnings:
                self._display("warning", iteration, rl.iterations, warning)
            self._display("RL", iteration, rl.iterations, text)

        trainer.train(resume=True, evaluate=self._score, on_iteration=note)

    def _score(self, iteration: int) -> dict[str, float]:
        """Measures the policy during the RL; it is not written down."""
        config = self.config
        settings = EvaluationConfig(
            env_id=config.eval_env or config.env,
            env_kwargs=config.eval_args,
            samples=config.eval_samples,
            lanes=config.on_policy.generation.lanes_at_once,
            seed=config.seed,
        )
        overall = evaluate(self._policy(), settings).overall
        self._speakers.rest()
        return {"accuracy": overall.accuracy.mean, "rapr": overall.rapr.mean}

    def _export(self) -> None:
        """Writes the trained model as a folder that `from_pretrained` and `vlm:PATH` take."""
        weights = self._placement.whole_state_dict()
        trained_with = self.config.trained_with()
        self._placement.processes.run_in_first(
            lambda: export(self._parts, self.folder / "model", weights, trained_with)
        )

"""Trains PPO of stable-baselines3 on flat observations, under the curiosity wrapper."""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import gymnasium as gym
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import CallbackList
from stable_baselines3.common.logger import configure
from stable_baselines3.common.policies import MultiInputActorCriticPolicy
from stable_baselines3.common.vec_env import DummyVecEnv, VecMonitor

from pixel_env import PixelReasoningEnv
from pixel_env.files.json_records import parsed
from pixel_env.files.json_values import plain
from pixel_env.files.lock import only_writer
from pixel_env.files.whole_file import naming, write_whole
from pixel_env.files.whole_folder import remove_folder
from pixel_env.flat.spaces import FlatConfig
from pixel_env.registration import make_bare
from pixel_env.wrappers import CuriosityReward, EvidenceSeen, FlatPixelEnv, RateTracker

from ..evaluation.evaluate import Evaluation, EvaluationConfig, evaluate
from ..evaluation.report import find, report
from ..evaluation.statistics import Estimate
from ..policies.sb3 import SB3Policy
from ..policies.sb3_model import NetworkSettings, save_policy
from ..settings.comparison import check_same
from ..training.checkpoints.checkpointer import Checkpointer, Training
from .callbacks import EpisodeMetrics, EveryUpdate, scores_by_name
from .config import MAY_DIFFER, SB3Config
from .flat_policy import FlatPolicy
from .guessing import guess_rate

Display = Callable[[int, int, str], None]
"""Takes steps done, steps to do, and a short text."""


@dataclass(frozen=True, slots=True)
class SB3Result:
    """What a finished training left.

    Attributes:
        evaluation: the trained policy on the test split.
        guessing: what the best answers without a call are worth there.
        steps: steps of the environment that were trained on.
        cpu_seconds: processor time of the training, over all sessions, measurements included.
        folder: where everything is.
    """

    evaluation: Evaluation
    guessing: Estimate
    steps: int
    cpu_seconds: float
    folder: Path


class SB3Training:
    """Runs an `SB3Config` in a folder; one that was begun goes on with its newest checkpoint.

    A training that went on is as good as one that didn't stop, but not the same to the last
    digit: its environments begin new episodes.

    Attributes:
        model: stable-baselines3's PPO.
        flat: the sizes of what it sees and does.
    """

    def __init__(self, config: SB3Config, folder: Path, display: Display) -> None:
        """Makes the environments and the network, or takes up where the folder's run stopped.

        Raises:
            ConfigError: the environment can't be made, or the folder holds a run of other
                settings.
            DataError: every checkpoint in the folder is damaged.
        """
        self.config, self.folder = config, folder
        self._display = display
        _check_config(config, folder)
        if config.threads:
            torch.set_num_threads(config.threads)
        self._tracker = RateTracker(config.rate_window)
        lanes, self.flat = make_lanes(config, self._tracker)
        settings = {"width": config.width} if config.extractor == "look" else {}
        self.network = NetworkSettings(config.extractor, settings, config.layers)
        self.model = PPO(
            FlatPolicy,
            lanes,
            learning_rate=config.learning_rate,
            n_steps=config.rollout_steps,
            batch_size=config.batch_size,
            n_epochs=config.epochs,
            gamma=config.discount,
            gae_lambda=config.gae_lambda,
            clip_range=config.clip,
            ent_coef=config.entropy,
            policy_kwargs={**self.network.policy_kwargs(), "uses": self.flat.uses},
            seed=config.seed,
            device="cpu",
        )
        _keep_config(config, folder)  # not before: a start that fails leaves no folder
        self._cpu_before = 0.0
        self._checkpoints = Checkpointer(folder / "checkpoints")
        self._resume()
        self._cpu_started = time.process_time()

    def run(self) -> SB3Result:
        """Trains what isn't trained yet, measures, and exports the policy to `model/`.

        Raises:
            ConfigError: the folder is in use by another process.
        """
        with only_writer(self.folder):
            return self._run()

    def _run(self) -> SB3Result:
        config, model = self.config, self.model
        metrics = EpisodeMetrics()

        def show(steps: int) -> None:
            shares = [f"{name} {value:.1%}" for name, value in metrics.latest().items()][:2]
            self._display(steps, config.steps, ", ".join(shares))

        left = config.steps - model.num_timesteps
        if left > 0:
            logs = self.folder / "logs" / f"from-{model.num_timesteps:08d}"
            callbacks = [
                metrics,
                EveryUpdate(1, show),
                EveryUpdate(config.checkpoint_every, self._save),
                EveryUpdate(config.evaluate_every, self._log_measurement),
            ]
            with naming(logs):  # the library's loggers name no file
                model.set_logger(configure(str(logs), ["tensorboard", "csv"]))
                model.learn(left, callback=CallbackList(callbacks), reset_num_timesteps=False)
            self._save(model.num_timesteps)
            show(model.num_timesteps)
        save_policy(model.policy, self.folder / "model", self.flat, self.network)
        out = self.folder / "evaluation"
        remove_folder(out)  # half a measurement, or one of fewer steps
        evaluation = self.measure(out)
        train, test = (_bare_env(config, split).task for split in ("train", "test"))
        guessing = guess_rate(train, test, n_test=config.eval_samples)
        return SB3Result(
            evaluation, guessing, model.num_timesteps, self._cpu_seconds(), self.folder
        )

    def measure(self, out: Path | None = None) -> Evaluation:
        """Measures the policy as it is on the test split, greedily; draws no random number.

        Args:
            out: gets the episodes; the policy is then the one in `model/`, by whose name it is
                measured again.
        """
        config = self.config
        settings = EvaluationConfig(
            env_id=config.env,
            env_kwargs={**config.env_args, "split": "test"},
            samples=config.eval_samples,
            lanes=config.n_envs,
            seed=config.seed,
            out=out,
        )
        policy = cast(MultiInputActorCriticPolicy, self.model.policy)
        name = f"sb3:{self.folder / 'model'}" if out else "sb3"
        return evaluate(SB3Policy(policy, self.flat, name), settings)

    def _log_measurement(self, steps: int) -> None:
        for name, value in scores_by_name(self.measure().overall).items():
            self.model.logger.record(f"test/{name}", value)
        self.model.logger.dump(steps)

    def _training(self) -> Training:
        policy = self.model.policy
        return Training(policy, policy.optimizer, self.config)

    def _save(self, steps: int) -> None:
        state = {
            "cpu_seconds": self._cpu_seconds(),
            "n_updates": self.model._n_updates,
            "rates": self._tracker.__getstate__(),
        }
        self._checkpoints.save(steps, self._training(), state=state)

    def _resume(self) -> None:
        """Takes up the newest checkpoint, if there is one."""
        progress = self._checkpoints.load(self._training(), MAY_DIFFER)
        if progress is None:
            return
        self.model.num_timesteps = progress.step
        self.model._n_updates = progress.state["n_updates"]
        self._tracker.__setstate__(progress.state["rates"])
        self._cpu_before = progress.state["cpu_seconds"]
        lanes = self.model.get_env()
        assert lanes is not None  # it was given to the constructor
        lanes.seed(self.config.seed + progress.step)  # the first samples were seen already

    def _cpu_seconds(self) -> float:
        return self._cpu_before + time.process_time() - self._cpu_started


def write_report(result: SB3Result, config: SB3Config) -> Path:
    """Writes `report.md` into the run's folder and returns its path."""
    guessing = result.guessing
    lines = [
        report(find(result.evaluation.results), result.evaluation.manifest),
        f"PPO, {result.steps:,} steps, {result.cpu_seconds / 60:.1f} minutes of processor time "
        f"({platform.machine()}, {torch.get_num_threads()} threads), seed {config.seed}.",
        "",
        f"Guessing (the commonest answer to each question, without a call): {guessing.mean:.1%}, "
        f"95% interval {100 * guessing.low:.1f} to {100 * guessing.high:.1f}.",
        "",
    ]
    path = result.folder / "report.md"
    write_whole(path, "\n".join(lines))
    return path


def make_lanes(config: SB3Config, tracker: RateTracker) -> tuple[VecMonitor, FlatConfig]:
    """Makes the environments that are trained in, over one task, with one RaPR.

    Returns:
        The environments, and the sizes of what they show and take.

    Raises:
        ConfigError: they can't be made.
    """
    first = _bare_env(config, "train")
    settings = {
        name: getattr(config, name)
        for name in ("view_px", "n_views", "question_chars", "vocabulary", "scales", "stride")
    }
    flat = FlatPixelEnv(first, **settings).config

    def make() -> gym.Env[Any, Any]:
        env: Any = PixelReasoningEnv(first.task, first.config)
        options = config.curiosity
        if options.enabled:
            env = EvidenceSeen(env) if options.counts == "evidence" else env
            env = CuriosityReward(
                env, tracker, options.preset, options.counts, per="all", **options.overrides()
            )
        return FlatPixelEnv(env, flat)

    return VecMonitor(DummyVecEnv([make] * config.n_envs)), flat


def _bare_env(config: SB3Config, split: str) -> PixelReasoningEnv:
    return make_bare(config.env, **{**config.env_args, "split": split})


def _check_config(config: SB3Config, folder: Path) -> None:
    """Checks that the settings are those of the run that the folder holds, if any."""
    path = folder / "config.json"
    if path.exists():
        stored = parsed(path.read_bytes(), str(path))
        check_same(stored, plain(config, "config"), MAY_DIFFER)


def _keep_config(config: SB3Config, folder: Path) -> None:
    """Writes the settings of a run that begins."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "config.json"
    if not path.exists():
        write_whole(path, json.dumps(plain(config, "config"), indent=1))

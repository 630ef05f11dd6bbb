"""Trains a policy: warm start by imitation, then on-policy RL with the curiosity bonus.

    pixel-reason train                                # the tiny policy, on this machine
    pixel-reason train --resume                       # goes on after a stop
    pixel-reason train --out runs/mine                # so does this, called again
    pixel-reason train --engine vllm                  # vLLM generates (docs/engines.md)
    pixel-reason train --curiosity.enabled false      # the paper's "RL without curiosity"
    pixel-reason train --model qwen2.5-vl-7b --eval-env PixelReason-VStar-v0    # with LoRA
    accelerate launch --multi_gpu --num_processes 8 -m pixel_env train --out runs/mine ...

The base model, the warm start and the trained policy are each measured on the first samples of
the test split. The run's folder gets TensorBoard's files, checkpoints, every evaluated trajectory
with its pictures, the trained model and report.md. A finished run goes on where iterations or
samples are more than before.

Defaults are those of the tiny policy; others begin with the paper's, with LoRA.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixel_env.agents.model.settings import TINY
from pixel_env.agents.model.shapes import hub_name
from pixel_env.agents.run.config import RunConfig, large_defaults, tiny_defaults
from pixel_env.agents.settings.command import Terminal, command
from pixel_env.agents.settings.command_line import Page, as_arguments, read, read_some
from pixel_env.agents.settings.marks import FLAG, UNPREFIXED, mark
from pixel_env.errors import ConfigError
from pixel_env.files.lock import only_writer

if TYPE_CHECKING:
    from pixel_env.agents.run.run import FinishedRun
    from pixel_env.agents.training.processes import Processes


@dataclass(frozen=True)
class TrainOptions:
    """Which run."""

    out: Path | None = None
    """Folder of the run; one that was begun goes on. Without it: a new one in runs/."""
    resume: bool = field(default=False, metadata=mark(FLAG))
    """Go on with the run in --out, or with the newest one in runs/; one must be there."""
    config: Path | None = None
    """Settings in YAML, by the names below; options on the command line win over them."""
    run: RunConfig = field(default_factory=tiny_defaults, metadata=mark(UNPREFIXED))
    """What is trained."""


PAGE = Page(
    "pixel-reason train",
    __doc__,
    often=(
        *("model", "env", "env_args", "eval_env", "eval_args", "eval_samples", "seed"),
        *("warm_start", "warm_start_file", "rl", "system", "lanes", "engine"),
        *("loading.device", "loading.dtype", "loading.lora.rank"),
        *("imitation.learning_rate", "imitation.epochs"),
        *("on_policy.iterations", "on_policy.learning_rate", "on_policy.groups_per_iteration"),
        *("on_policy.group_size", "on_policy.generation.max_new_tokens"),
        *("curiosity.enabled", "curiosity.alpha", "curiosity.threshold"),
    ),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit code, 1 where a setting or the data is wrong."""
    return command(train, TrainOptions(), PAGE, arguments, read_options)


def read_options(arguments: Sequence[str], default: TrainOptions, page: Page) -> TrainOptions:
    """Reads the model's defaults, changed by the file, changed by the command line."""
    first = read_some(arguments, _Where())
    values = _values(first.config) if first.config else {}
    from_file = values.get("model") if isinstance(values, Mapping) else None
    model = hub_name(str(first.model or from_file or TINY))
    run = tiny_defaults() if model == TINY else large_defaults(model)
    if first.config:
        try:
            run = read(as_arguments(values, run), run)
        except ConfigError as error:
            raise ConfigError(f"{first.config}: {error}") from error
    options = read(arguments, replace(default, run=run), page)
    return replace(options, run=replace(options.run, model=model))


@dataclass(frozen=True)
class _Where:
    """What the defaults depend on."""

    model: str = ""
    """The model's name."""
    config: Path | None = None
    """The file."""


def _values(path: Path) -> Any:
    import yaml

    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as fault:
        raise ConfigError(f"can't read settings from {path}: {fault}") from fault


def train(options: TrainOptions, terminal: Terminal) -> int:
    """Trains, and shows what came out."""
    from transformers.utils.logging import disable_progress_bar

    from pixel_env.agents.model.device import checked_device
    from pixel_env.agents.training.processes import end, launched

    disable_progress_bar()  # type: ignore[no-untyped-call]
    config = options.run
    processes, device = launched(checked_device(config.loading.device))
    if processes.count > 1:
        terminal.leave = end
    config = replace(config, loading=replace(config.loading, device=device))
    folder = processes.run_in_first(lambda: _folder(config, options.out, options.resume))
    terminal.goes_on = f" with --out {folder}"
    with ExitStack() as held:
        processes.run_in_first(lambda: held.enter_context(only_writer(folder)))
        return _run(config, folder, processes, terminal)


def _run(config: RunConfig, folder: Path, processes: Processes, terminal: Terminal) -> int:
    from pixel_env.agents.run.progress import StageBars
    from pixel_env.agents.run.report import write_report
    from pixel_env.agents.run.run import TrainingRun

    bars = StageBars(terminal.console) if processes.is_first else nullcontext(_show_nothing)
    with bars as display:
        result = TrainingRun(config, folder, display, processes).run()
    if processes.is_first:
        write_report(result, config)
        _show(result, terminal)
    return 0


def _folder(config: RunConfig, given: Path | None, resume: bool) -> Path:
    """Returns the run's folder: the one given, else a new one, or the newest if it is to go on."""
    from pixel_env.agents.run.folders import begun_folder, free_folder

    name = f"{Path(config.model).name}-{config.env}"
    return begun_folder(name, given) if resume else given or free_folder(name)


def _show_nothing(stage: str, done: int, total: int, text: str = "") -> None:
    """Takes what other processes than the first would show."""


def _show(result: FinishedRun, terminal: Terminal) -> None:
    """Prints the table of scores and where everything is."""
    from pixel_env.agents.evaluation.screen import score_screen
    from pixel_env.agents.run.report import table_of

    title = "Accuracy after each stage, on unseen samples"
    terminal.console.print(score_screen(title, table_of(result)))
    minutes = sum(result.seconds.values()) / 60
    terminal.say(
        f"{minutes:.1f} minutes. Report, model and trajectories: {result.folder}\n"
        f"Curves: tensorboard --logdir {result.folder}"
    )


if __name__ == "__main__":
    sys.exit(main())

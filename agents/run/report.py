"""What a run found, as a page to read: the table of stages, how it was made, where things are."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Any

import torch

from pixel_env.files.whole_file import write_whole

from ..evaluation.again import command
from ..evaluation.folder import MANIFEST
from ..evaluation.manifest import git_revision, package_versions, read_manifest
from ..evaluation.scores import markdown_table, score_table
from ..policies.by_name import MODEL_PREFIX
from ..training.metrics import read_metrics
from .config import RunConfig
from .run import FinishedRun

CURVES = (
    "accuracy/all",
    "rapr",
    "operations/error_rate",
    "reward/curiosity",
    "update/entropy",
)
"""Metrics of the training whose course the page shows in numbers."""


def write_report(result: FinishedRun, config: RunConfig) -> Path:
    """Writes `report.md` into the run's folder and returns its path."""
    path = result.folder / "report.md"
    write_whole(path, report(result, config))
    return path


def report(result: FinishedRun, config: RunConfig) -> str:
    """Returns the page."""
    sampled = (
        f"sampled at temperature {config.eval_temperature:g}"
        if config.eval_temperature
        else "greedy"
    )
    parts = [
        f"# {config.model} on {config.env}\n",
        f"Every stage on the first {config.eval_samples} samples of "
        f"`{config.eval_env or config.env}` {dict(config.eval_args)}, {sampled}, seed "
        f"{config.seed}. Intervals are Wilson's at 95%. RaPR: share of episodes with an "
        "operation.\n",
        markdown_table(table_of(result)),
        "## Course of the on-policy training\n" if config.rl else "",
        _course(result.folder / "on_policy") if config.rl else "",
        "## Time\n",
        _times(result),
        "## Where things are\n",
        "- `config.json`: every setting\n"
        "- `evaluation/<stage>/`: trajectories with their pictures, results, manifest\n"
        "- `imitation/`, `on_policy/`: metrics (JSONL and TensorBoard) and checkpoints; the "
        "documents' page on metrics defines each\n"
        "- `model/`: the trained policy\n",
        "## Again\n",
        f"The score of the last line, by the model in `model/`:\n\n```sh\n{_again(result)}\n```\n",
    ]
    return "\n".join(part for part in parts if part)


def _again(result: FinishedRun) -> str:
    """Returns the command that measures the trained model as the run did."""
    stage = list(result.results)[-1].replace(" ", "_")
    manifest = read_manifest(result.folder / "evaluation" / stage / MANIFEST)
    return command(manifest, f"{MODEL_PREFIX}{result.folder / 'model'}")


def _course(folder: Path, n_lines: int = 10) -> str:
    """Returns means over tenths of the training, as a table."""
    lines = read_metrics(folder)
    names = [name for name in CURVES if lines and name in lines[-1]]
    rows = [f"| iterations | {' | '.join(names)} |", "| --- " * (len(names) + 1) + "|"]
    size = max(1, len(lines) // n_lines)
    for start in range(0, len(lines), size):
        part = lines[start : start + size]
        means = []
        for name in names:
            values = [line[name] for line in part if line.get(name) is not None]
            means.append(f"{sum(values) / len(values):.3f}" if values else "-")
        rows.append(f"| {part[0]['step']} to {part[-1]['step']} | {' | '.join(means)} |")
    return "\n".join(rows) + "\n"


def _times(result: FinishedRun) -> str:
    spent = [f"| {name} | {seconds / 60:.1f} |" for name, seconds in result.seconds.items()]
    total = f"| all | {sum(result.seconds.values()) / 60:.1f} |"
    revision = git_revision()
    versions = package_versions()
    return "\n".join(
        [
            "| step | minutes |",
            "| --- | --- |",
            *spent,
            total,
            "",
            f"{platform.machine()}, {torch.get_num_threads()} threads, Python "
            f"{platform.python_version()}, torch {versions.get('torch', torch.__version__)}, "
            f"revision {revision or 'unknown'}.",
            "",
        ]
    )


def table_of(result: FinishedRun) -> dict[str, Any]:
    """Returns the scores of every stage: all samples, then each category apart."""
    lines = {}
    for stage, results in result.results.items():
        overall, *categories = score_table(results)
        lines[stage] = overall
        lines |= {f"{stage}, {scores.group}": scores for scores in categories}
    return lines

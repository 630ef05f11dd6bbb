"""What a run found, as a page to read: a sentence, the curve, episodes, tables, what to do next."""

from __future__ import annotations

import json
import platform
import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from pixel_env.files.whole_file import write_whole
from pixel_env.files.whole_folder import whole_folder

from ..evaluation.again import command, written_value
from ..evaluation.folder import MANIFEST
from ..evaluation.manifest import git_revision, package_versions, read_manifest
from ..evaluation.scores import markdown_table, score_table
from ..policies.by_name import MODEL_PREFIX
from ..training.metrics import read_metrics
from .config import RunConfig
from .curve import draw_curves
from .examples import WANTED, Example, find_examples
from .run import FinishedRun

CURVES = (
    "accuracy/all",
    "rapr",
    "operations/error_rate",
    "reward/curiosity",
    "update/entropy",
)
"""Metrics of the training whose course the page shows in numbers."""


DRAWN = ("accuracy/all", "rapr", "operations/error_rate")
"""Those of them that are shares, and drawn."""

PICTURES = "report"
"""Folder of the page's pictures, beside it."""

_MOST_TEXT = 400


def write_report(result: FinishedRun, config: RunConfig) -> Path:
    """Writes `report.md` and its pictures into the run's folder and returns its path."""
    path = result.folder / "report.md"
    examples = find_examples(_last_evaluation(result))
    with whole_folder(result.folder / PICTURES) as folder:
        for example in examples:
            write_whole(folder / f"{example.name}.png", example.picture)
        if config.rl:
            write_whole(folder / "curve.svg", _curve(result.folder / "on_policy"))
    write_whole(path, report(result, config, examples))
    return path


def report(
    result: FinishedRun, config: RunConfig, examples: Sequence[Example] | None = None
) -> str:
    """Returns the page.

    Args:
        result: of the run.
        config: of the run.
        examples: episodes of the last stage; None finds them.
    """
    if examples is None:
        examples = find_examples(_last_evaluation(result))
    sampled = (
        f"sampled at temperature {config.eval_temperature:g}"
        if config.eval_temperature
        else "greedy"
    )
    parts = [
        f"# {config.model} on {config.env}\n",
        _sentence(result),
        f"![accuracy, RaPR and share of refused calls by iteration]({PICTURES}/curve.svg)\n"
        if config.rl
        else "",
        f"Every stage on the first {config.eval_samples} samples of "
        f"`{config.eval_env or config.env}` {dict(config.eval_args)}, {sampled}, seed "
        f"{config.seed}. Intervals are Wilson's at 95%. RaPR: share of episodes with an "
        "operation.\n",
        markdown_table(table_of(result)),
        "## Three episodes\n",
        *_episodes(examples, list(result.results)[-1]),
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
        "## Next\n",
        _next(result, config),
        "## Again\n",
        f"The score of the last line, by the model in `model/`:\n\n```sh\n{_again(result)}\n```\n",
    ]
    return "\n".join(part for part in parts if part)


def _last_evaluation(result: FinishedRun) -> Path:
    return result.folder / "evaluation" / list(result.results)[-1].replace(" ", "_")


def _sentence(result: FinishedRun) -> str:
    """Says in one sentence what came out: accuracy and RaPR, before and after."""
    stages = list(result.results)
    first, last = (score_table(result.results[stage])[0] for stage in (stages[0], stages[-1]))
    now = last.accuracy
    found = (
        f"After {stages[-1]}, {now.mean:.1%} of {last.n} answers are right "
        f"({now.low:.1%} to {now.high:.1%}), {last.rapr.mean:.1%} of them after an operation"
    )
    before = (
        f"; {stages[0]}: {first.accuracy.mean:.1%} and {first.rapr.mean:.1%}"
        if len(stages) > 1
        else ""
    )
    return f"**{found}{before}.**\n"


def _episodes(examples: Sequence[Example], stage: str) -> list[str]:
    """Shows an episode of each kind, or says that there is none."""
    parts = []
    known = {example.name: example for example in examples}
    for name, (title, _) in WANTED.items():
        parts.append(f"**{title}.**")
        if name not in known:
            parts.append(f"No episode of {stage} is like this.\n")
            continue
        row, messages = known[name].row, known[name].messages
        gold = f" (right: {_quoted(row['gold'])})" if row["gold"] is not None else ""
        parts += [
            f"![{name}]({PICTURES}/{name}.png)\n",
            f"{_quoted(row['question'])} Answer: {_quoted(row['answer'] or '')}{gold}.\n",
            *(f"> {_quoted(message)}\n" for message in messages),
        ]
    return parts


def _quoted(text: str) -> str:
    """Returns a text of a model or a data set as Markdown's text, on one line."""
    line = " ".join(text.encode("utf-8", "replace").decode("utf-8").split())
    line = line if len(line) <= _MOST_TEXT else f"{line[:_MOST_TEXT]}..."
    return re.sub(r"([\\|\[\]<>`*_#!&~$])", r"\\\1", line)


def _next(result: FinishedRun, config: RunConfig) -> str:
    """Returns commands that can be pasted: look at it, compare it, go on from it."""
    model, folder = result.folder / "model", result.folder
    given = dict(config.eval_args)
    env = ["--env", config.eval_env or config.env, "--split", str(given.pop("split", "null"))]
    for name, value in given.items():
        env += ["--env-arg", f"{name}={written_value(value)}"]
    samples = ["--samples", str(config.eval_samples)]
    before, after = (f"{MODEL_PREFIX}{each}" for each in (config.model, model))
    compared = ["--policy", f"before={before}", "--policy", f"after={after}", *env, *samples]
    trained = ["--model", str(model), "--env", config.env]
    trained += ["--env-args", json.dumps(dict(config.env_args)), "--warm-start", "false"]
    commands = [
        ("why is it wrong where it is?", ["view", str(folder)]),
        ("item by item against the model before", ["benchmark", *compared]),
        ("the same questions, answered by yourself", ["play", *env, *samples]),
        ("train on", ["train", *trained]),
    ]
    lines = [f"# {why}\n{shlex.join(['pixel-reason', *words])}" for why, words in commands]
    return "```sh\n" + "\n".join(lines) + "\n```\n"


def _curve(folder: Path) -> str:
    """Draws the course of the training."""
    lines = read_metrics(folder)
    names = [name for name in DRAWN if lines and name in lines[-1]]
    series = {name: [line.get(name) for line in lines] for name in names}
    return draw_curves([line["step"] for line in lines], series)


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

"""A benchmark on a GPU as JSON and as a page: figures beside what the plan estimates."""

from __future__ import annotations

import json
import math
import platform
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from pixel_env.files.json_values import plain
from pixel_env.files.whole_file import write_whole

from ..evaluation.manifest import git_revision, package_versions
from .agreement import Agreement
from .config import GpuBenchConfig
from .device_meter import MeasuredPart
from .memory_plan import GIB
from .model_report import ModelReport

HEADER = (
    "model", "part", "outcome", "seconds", "tokens/s",
    "allocated, GiB", "reserved, GiB", "plan, GiB",
)  # fmt: skip


def write(config: GpuBenchConfig, reports: Sequence[ModelReport], folder: Path) -> None:
    """Writes `bench_gpu.json` and `bench_gpu.md`; again after each model, so that none is lost."""
    folder.mkdir(parents=True, exist_ok=True)
    facts = surroundings(config)
    written = {
        **facts,
        "settings": asdict(config),
        "models": [_values(report) for report in reports],
    }
    text = json.dumps(plain(_without_nan(written), other=str), indent=1)
    write_whole(folder / "bench_gpu.json", text + "\n")
    write_whole(folder / "bench_gpu.md", page(facts, reports))


def surroundings(config: GpuBenchConfig) -> dict[str, Any]:
    """Returns what a figure depends on besides the settings: device, date, versions, revision."""
    device, n_bytes = platform.machine(), None
    if torch.device(config.device).type == "cuda":
        found = torch.cuda.get_device_properties(config.device)
        device, n_bytes = found.name, found.total_memory
    return {
        "device": device,
        "device_bytes": n_bytes,
        "cuda": torch.version.cuda,
        "date": datetime.now(UTC).date().isoformat(),
        "versions": package_versions(),
        "revision": git_revision() or "unknown",
    }


def page(facts: dict[str, Any], reports: Sequence[ModelReport]) -> str:
    """Returns the tables in Markdown, ready for docs/performance.md."""
    versions = facts["versions"]
    memory = f", {facts['device_bytes'] / GIB:.0f} GiB" if facts["device_bytes"] else ""
    lines = [
        f"{facts['device']}{memory}, {facts['date']}; torch {versions.get('torch')}, transformers "
        f"{versions.get('transformers')}, revision {facts['revision']}.",
        "",
        _row(HEADER),
        _row(["---"] * len(HEADER)),
        *(_row([report.model, *cells(part)]) for report in reports for part in report.parts),
        "",
        _row(("model", "check", "tokens", "mean", "bound", "largest", "bound", "blank", "holds")),
        _row(["---"] * 9),
    ]
    for report in reports:
        for name, check in (("trained", report.agreement), ("float32", report.reference)):
            lines.append(_row([report.model, name, *_check_cells(check)]))
    lines += ["", _row(("model", "part", "measured", "value")), _row(["---"] * 4)]
    for report in reports:
        for part in report.parts:
            lines += [
                _row((report.model, part.name, name, f"{value:.4g}"))
                for name, value in part.numbers.items()
            ]
    return "\n".join(lines) + "\n"


def cells(part: MeasuredPart) -> list[str]:
    """Returns a part's row, from its name on."""
    seconds = part.numbers.get("seconds", part.seconds)
    memory = (part.allocated, part.reserved, part.estimated)
    return [
        part.name,
        part.status.replace("|", "/"),
        _number(seconds, ".1f"),
        _number(part.tokens_per_second, ".0f"),
        *(_number(math.nan if n_bytes is None else n_bytes / GIB, ".1f") for n_bytes in memory),
    ]


def _check_cells(check: Agreement | None) -> list[str]:
    if check is None:
        return ["-"] * 7
    bounds = check.allowed
    figures = (check.mean, bounds.mean, check.largest, bounds.largest, check.blank)
    return [
        str(check.n_tokens),
        *(f"{figure:.2g}" for figure in figures),
        "yes" if check.holds else "NO",
    ]


def _values(report: ModelReport) -> dict[str, Any]:
    """Returns a report as plain values, with what follows from them."""
    values_of = asdict(report)
    for part, values in zip(report.parts, values_of["parts"], strict=True):
        values["tokens_per_second"] = part.tokens_per_second
    for name in ("agreement", "reference"):
        check: Agreement | None = getattr(report, name)
        if check is not None:
            values_of[name]["holds"] = check.holds
    return values_of


def _without_nan(value: Any) -> Any:
    """Puts null in the place of what JSON can't hold."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {name: _without_nan(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(each) for each in value]
    return value


def _number(value: float, form: str) -> str:
    return "-" if math.isnan(value) else format(value, form)


def _row(row: Sequence[str]) -> str:
    return "| " + " | ".join(row) + " |"

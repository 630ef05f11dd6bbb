"""The command that runs an evaluation again, to be pasted."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ..generation.config import GenerationConfig
from ..model.settings import ModelSettings
from ..policies.by_name import MODEL_PREFIX, SERVED_PREFIX, policy_arguments
from ..served.settings import ServedSettings

_ALWAYS = ("dialect", "system", "max_new_tokens", "max_context")
"""Settings of a model whose defaults may stand in its folder: they are always named."""

_NO_MATTER = ("gradient_checkpointing", "lanes_at_once")
"""Settings that no score depends on."""


def command(manifest: Mapping[str, Any], policy: str = "") -> str:
    """Returns the command line that gives the same scores.

    Args:
        manifest: of the evaluation.
        policy: the policy's name, where it goes by another one now: a model that was exported.
    """
    arguments = ["pixel-reason", "evaluate", "--env", manifest["env_id"]]
    arguments += ["--policy", policy or manifest["policy"]]
    env = dict(manifest["env_kwargs"])
    arguments += ["--split", str(env.pop("split", "null"))]
    if "data_dir" in env:
        arguments += ["--data-dir", str(env.pop("data_dir"))]
    arguments += ["--samples", str(manifest["samples"]), "--seed", str(manifest["seed"])]
    arguments += ["--lanes", str(manifest["lanes"])]
    if manifest["repeats"] > 1:
        arguments += ["--repeats", str(manifest["repeats"])]
    for control in manifest["control"]:
        arguments += ["--control", control]
    for name, value in sorted(env.items()):
        arguments += ["--env-arg", f"{name}={written_value(value)}"]
    for name, value in sorted(_needed(manifest, bool(policy)).items()):
        arguments += ["--policy-arg", f"{name}={written_value(value)}"]
    return shlex.join(arguments)


def _needed(manifest: Mapping[str, Any], is_exported: bool) -> dict[str, Any]:
    """Returns the policy's settings that are not what it would be made with anyway."""
    settings = policy_arguments(manifest)
    if manifest["policy"].startswith(SERVED_PREFIX):
        default = ServedSettings().as_json()
        return {k: v for k, v in settings.items() if not _same(v, default.get(k))}
    if not manifest["policy"].startswith(MODEL_PREFIX):
        return settings
    if is_exported:  # its own weights are the trained ones, adapters included
        settings = {k: v for k, v in settings.items() if k not in ("weights", "lora")}
    usual = {**asdict(ModelSettings()), **asdict(GenerationConfig()), "greedy": True}
    return {
        name: value
        for name, value in settings.items()
        if name not in _NO_MATTER and (name in _ALWAYS or not _same(value, usual.get(name)))
    }


def _same(value: Any, usual: Any) -> bool:
    return bool(json.loads(json.dumps(value)) == json.loads(json.dumps(usual)))


def written_value(value: Any) -> str:
    """Writes a value as NAME=VALUE takes it: text that JSON would read as something else quoted."""
    if not isinstance(value, str):
        return json.dumps(value)
    try:
        json.loads(value)
    except ValueError:
        return value
    return json.dumps(value)

"""The settings of a model's policy: their names and kinds, checked before anything is loaded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields
from typing import Any

from pixel_env.errors import ConfigError, unknown_name

from ..engines.settings import OWN, VllmSettings
from ..generation.config import GenerationConfig
from ..model.settings import LoraSettings, ModelSettings

LOADING_SETTINGS = tuple(field.name for field in fields(ModelSettings))
"""How the model is loaded."""

POLICY_SETTINGS = (
    *(field.name for field in fields(GenerationConfig)), "dialect", "system", "logprobs"
)  # fmt: skip
"""How it is prompted and sampled from, and what is recorded of it."""

OF_OBJECTS = {"lora": (Mapping, LoraSettings), "vllm": (Mapping, VllmSettings)}
"""Settings that are several by name."""

ENGINE_SETTINGS = ("engine", "vllm")
"""What generates: "own" or "vllm", and the fields of `VllmSettings`, by name."""


def check_settings(settings: Mapping[str, Any], known: Iterable[str]) -> None:
    """Checks that settings are known, and of the kinds of their defaults.

    Raises:
        ConfigError: one isn't.
    """
    usual = {**asdict(ModelSettings()), **asdict(GenerationConfig()), "dialect": "", "system": ""}
    usual |= {"engine": OWN, "vllm": {}, "logprobs": False}
    names = tuple(known)
    for name, value in settings.items():
        if name not in names:
            raise unknown_name("a setting of a vlm policy", name, names)
        default = usual.get(name, value)
        number = isinstance(default, int | float) and not isinstance(default, bool)
        kinds = (int, float) if number else OF_OBJECTS.get(name)
        wrong_boolean = isinstance(value, bool) != isinstance(default, bool)
        if wrong_boolean or not isinstance(value, kinds or type(default)):
            raise ConfigError(f"expected {name} to be like {default!r}, got {value!r}")

"""Policies by the names that a command line knows them under."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

from pixel_env.errors import ConfigError, unknown_name

from .base import Policy
from .demonstration import DemonstrationPolicy
from .direct import DirectPolicy
from .random import RandomPolicy

PLAIN: dict[str, Callable[..., Policy]] = {
    "random": RandomPolicy,
    "direct": DirectPolicy,
    "demonstration": DemonstrationPolicy,
}
MODEL_PREFIX = "vlm:"
SB3_PREFIX = "sb3:"


def make_policy(name: str, **settings: Any) -> Policy:
    """Makes a policy.

    Args:
        name: "random", "direct", "demonstration", "vlm:PATH" with the folder of a model or its
            name on the hub, or "sb3:PATH" with the folder of a policy of stable-baselines3.
        **settings: of the policy. Of a model: `dialect`, `system`, and the fields of
            `ModelSettings` and `GenerationConfig`; it is greedy unless told otherwise. Of a policy
            of stable-baselines3: `greedy`.

    Raises:
        ConfigError: the name or a setting is unknown, or a value is out of range.

    Example:
        >>> make_policy("random", look=0.2).name
        'random'
    """
    if name.startswith(MODEL_PREFIX):
        return _model(name.removeprefix(MODEL_PREFIX), settings)
    if name.startswith(SB3_PREFIX):
        return _sb3_policy(name.removeprefix(SB3_PREFIX), settings)
    if name not in PLAIN:
        raise unknown_name("policy", name, (*PLAIN, "vlm:PATH", "sb3:PATH"))
    try:
        return PLAIN[name](**settings)
    except TypeError:
        raise ConfigError(f"policy {name} doesn't take {settings}") from None


def remake_policy(manifest: Mapping[str, Any]) -> Policy:
    """Makes the policy that a manifest of an evaluation names, with the same settings.

    Raises:
        ConfigError: it was not made by name, or can't be made here.
    """
    name, settings = manifest["policy"], dict(manifest["policy_settings"])
    if name.startswith(MODEL_PREFIX):
        loading = settings.pop("model", None) or {}
        settings |= {key: value for key, value in loading.items() if value is not None}
        settings["dialect"] = manifest["dialect"]
    return make_policy(name, **settings)


def _model(path: str, settings: dict[str, Any]) -> Policy:
    """Loads a model; each setting goes to the part that has a field of its name."""
    from ..generation.engine import GenerationConfig
    from ..model.loading import ModelSettings
    from .vlm import VLMPolicy

    left = {"greedy": True, **settings}
    model, generation = _taken(ModelSettings, left), _taken(GenerationConfig, left)
    for name in left.keys() - {"dialect", "system"}:
        known = (*_names(ModelSettings), *_names(GenerationConfig), "dialect", "system")
        raise unknown_name("a setting of a vlm policy", name, known)
    return VLMPolicy.load(path, model=model, generation=generation, **left)


def _sb3_policy(path: str, settings: dict[str, Any]) -> Policy:
    """Loads a policy of stable-baselines3."""
    try:
        from .sb3 import SB3Policy
    except ImportError as fault:
        raise ConfigError(f"sb3:PATH needs the extra sb3: pip install '.[sb3]' ({fault})") from None
    for name in settings.keys() - {"greedy"}:
        raise unknown_name("a setting of an sb3 policy", name, ("greedy",))
    return SB3Policy.load(path, **settings)


def _taken(kind: type[Any], settings: dict[str, Any]) -> Any:
    """Makes a dataclass of the settings that are its fields, and takes those out."""
    return kind(**{name: settings.pop(name) for name in _names(kind) if name in settings})


def _names(kind: type[Any]) -> list[str]:
    return [field.name for field in fields(kind)]

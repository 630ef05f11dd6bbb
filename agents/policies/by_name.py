"""Policies by the names that a command line knows them under."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

from pixel_env.errors import ConfigError, unknown_name

from ..engines.settings import VllmSettings
from ..human.policy import HumanPolicy
from ..model.folders import check_model, folder_of
from ..model.settings import PROJECTIONS, LoraSettings, ModelSettings
from ..model.trained_with import read_trained_with
from ..served.policy import PREFIX, ServedPolicy
from ..settings.import_path import is_import_path
from .base import Policy
from .demonstration import DemonstrationPolicy
from .direct import DirectPolicy
from .imported import import_policy
from .model_settings import ENGINE_SETTINGS, LOADING_SETTINGS, POLICY_SETTINGS, check_settings
from .random import RandomPolicy

PLAIN: dict[str, Callable[..., Policy]] = {
    "random": RandomPolicy,
    "direct": DirectPolicy,
    "demonstration": DemonstrationPolicy,
    "human": HumanPolicy,
}
MODEL_PREFIX = "vlm:"
SB3_PREFIX = "sb3:"
SERVED_PREFIX = PREFIX
RESERVED = ("vlm", "sb3", "openai")
"""What stands before a colon and is no module."""


def make_policy(name: str, **settings: Any) -> Policy:
    """Makes a policy.

    Args:
        name: "random", "direct", "demonstration", "human" (a person, who is asked in the browser),
            "vlm:PATH" with the folder of a model or its name on the hub, "openai:URL#MODEL" with a
            model behind an HTTP interface, "sb3:PATH" with the folder of a policy of
            stable-baselines3, or "module:name" with the import path of a class or a function that
            makes a `Policy`.
        **settings: of the policy. Of a model: `dialect`, `system`, `weights`, `engine` ("own" or
            "vllm"), `vllm` (fields of `VllmSettings`, by name), and the fields of `ModelSettings`
            and `GenerationConfig`. Where one is missing, what stands in the
            model's folder holds (`TrainedWith`); it is greedy unless set otherwise. Of a policy
            of stable-baselines3: `greedy`. Of a served model: the fields of `ServedSettings`. Of an
            import path: what the class or function takes.

    Raises:
        ConfigError: the name or a setting is unknown, or a value is out of range.
        ServiceError: a server doesn't answer.

    Example:
        >>> make_policy("random", look=0.2).name
        'random'
    """
    if name.startswith(MODEL_PREFIX):
        return _model(name.removeprefix(MODEL_PREFIX), settings)
    if name.startswith(SB3_PREFIX):
        return _sb3_policy(name.removeprefix(SB3_PREFIX), settings)
    if name.startswith(SERVED_PREFIX):
        return ServedPolicy.connect(name.removeprefix(SERVED_PREFIX), settings)
    if is_imported(name):
        return import_policy(name, settings)
    if name not in PLAIN:
        raise unknown_name(
            "policy", name, (*PLAIN, "vlm:PATH", "openai:URL#MODEL", "sb3:PATH", "module:name")
        )
    try:
        return PLAIN[name](**settings)
    except TypeError:
        raise ConfigError(f"policy {name} doesn't take {settings}") from None


def is_named(name: str) -> bool:
    """Returns whether a policy can be made by this name."""
    is_prefixed = name.startswith((MODEL_PREFIX, SERVED_PREFIX, SB3_PREFIX))
    return name in PLAIN or is_prefixed or is_imported(name)


def is_imported(name: str) -> bool:
    """Returns whether a policy by this name is a user's own, by its import path."""
    return is_import_path(name) and name.partition(":")[0] not in RESERVED


def environment_settings(name: str) -> dict[str, Any]:
    """Returns the settings of the environment that a policy by this name was trained with.

    Raises:
        DataError: what its folder holds can't be read.
    """
    if not name.startswith(MODEL_PREFIX):
        return {}
    known = read_trained_with(folder_of(name.removeprefix(MODEL_PREFIX)))
    return dict(known.environment) if known else {}


def remake_policy(manifest: Mapping[str, Any], imported: str = "") -> Policy:
    """Makes the policy that a manifest of an evaluation names, with the same settings.

    Args:
        manifest: of the evaluation.
        imported: the import path that may be imported. A manifest alone is not enough: it can
            come from anywhere, and importing a module runs it.

    Raises:
        ConfigError: it was not made by name, it can't be made here, or it has an import path and
            `imported` is another one.
    """
    name = manifest["policy"]
    if is_imported(name) and name != imported:
        raise ConfigError(
            f"the manifest names the policy {name}, which is imported and so runs code; "
            f"to allow that, give --policy {name} as well"
        )
    return make_policy(manifest["policy"], **policy_arguments(manifest))


def policy_arguments(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the settings that the policy of a manifest is made with by name."""
    settings = dict(manifest["policy_settings"])
    if manifest["policy"].startswith(SB3_PREFIX):
        return {"greedy": settings["greedy"]}  # its sizes stand in its folder
    if manifest["policy"].startswith(MODEL_PREFIX):
        loading = settings.pop("model", None) or {}
        settings |= {key: value for key, value in loading.items() if value is not None}
        settings["dialect"] = manifest["dialect"]
        if not settings.get("weights"):
            settings.pop("weights", None)
    return settings


def _model(path: str, settings: dict[str, Any]) -> Policy:
    """Loads a model; each setting goes to the part that has a field of its name."""
    names = (*LOADING_SETTINGS, *POLICY_SETTINGS, *ENGINE_SETTINGS, "weights")
    check_settings(settings, names)
    loading = {name: settings.pop(name) for name in LOADING_SETTINGS if name in settings}
    check_model(path)
    try:
        from .vlm import VLMPolicy
    except ImportError as fault:
        raise ConfigError(f"vlm:PATH {_needs('train', fault)}") from None
    if isinstance(lora := loading.get("lora"), Mapping):
        projections = tuple(lora.get("projections", PROJECTIONS))
        loading["lora"] = LoraSettings(**{**lora, "projections": projections})
    if isinstance(vllm := settings.get("vllm"), Mapping):
        known = tuple(each.name for each in fields(VllmSettings))
        for unknown in vllm.keys() - set(known):
            raise unknown_name("a setting of vllm", unknown, known)
        settings["vllm"] = VllmSettings(**vllm)
    return VLMPolicy.load(path, ModelSettings(**loading), **settings)


def _sb3_policy(path: str, settings: dict[str, Any]) -> Policy:
    """Loads a policy of stable-baselines3."""
    for name in settings.keys() - {"greedy"}:
        raise unknown_name("a setting of an sb3 policy", name, ("greedy",))
    try:
        from .sb3 import SB3Policy
    except ImportError as fault:
        raise ConfigError(f"sb3:PATH {_needs('sb3', fault)}") from None
    return SB3Policy.load(path, **settings)


def _needs(extra: str, fault: ImportError) -> str:
    return f"needs {fault.name}, of the extra {extra}: pip install 'pixel-reason[{extra}]'"

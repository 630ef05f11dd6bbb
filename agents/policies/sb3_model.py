"""Saves and loads policies of stable-baselines3 without unpickling anything.

A zip of stable-baselines3 holds pickled objects, and reading one runs whatever code it names. Here
a policy is its weights in safetensors and a page of JSON that records what to build them into.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from gymnasium import spaces
from safetensors.torch import load_model, save_model
from stable_baselines3.common.policies import MultiInputActorCriticPolicy
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor, CombinedExtractor
from stable_baselines3.common.vec_env import VecTransposeImage
from torch import nn

from pixel_env.errors import ConfigError, DataError, unknown_name
from pixel_env.files.whole_file import write_whole
from pixel_env.flat.spaces import FlatConfig
from pixel_env.media.border import reason_of

from ..model.files.border import foreign_files
from ..model.files.json_files import read_object
from ..model.files.safetensors_headers import FLOATS, read_header
from ..training.checkpoints.sealed_folder import fault_of, sealed
from .sb3_network import LookExtractor

EXTRACTORS: dict[str, type[BaseFeaturesExtractor]] = {
    "look": LookExtractor,
    "combined": CombinedExtractor,
}
"""Feature extractors by name: the one made for zooming, and stable-baselines3's own."""

ACTIVATIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "tanh": nn.Tanh}

MOST_LAYERS, MOST_WIDTH = 64, 2**16

_WEIGHTS, _SETTINGS = "policy.safetensors", "policy.json"


@dataclass(frozen=True, slots=True)
class NetworkSettings:
    """What a policy's network is built of."""

    extractor: str = "look"
    """A name of `EXTRACTORS`."""
    extractor_settings: Mapping[str, Any] = field(default_factory=dict)
    """Arguments of the extractor."""
    layers: tuple[int, ...] = (64,)
    """Widths of the hidden layers, of the policy and of the value alike."""
    activation: str = "relu"
    """A name of `ACTIVATIONS`."""

    def __post_init__(self) -> None:
        """Checks the names.

        Raises:
            ConfigError: a name is unknown, or a layer has no width.
        """
        if self.extractor not in EXTRACTORS:
            raise unknown_name("extractor", self.extractor, EXTRACTORS)
        if self.activation not in ACTIVATIONS:
            raise unknown_name("activation", self.activation, ACTIVATIONS)
        widths = self.layers
        if len(widths) > MOST_LAYERS or not all(
            type(width) is int and 1 <= width <= MOST_WIDTH for width in widths
        ):
            raise ConfigError(
                f"expected up to {MOST_LAYERS} layers, of widths from 1 to {MOST_WIDTH:,}, "
                f"got {widths!r:.80}"
            )

    def policy_kwargs(self) -> dict[str, Any]:
        """Returns what stable-baselines3 takes as `policy_kwargs`, for "MultiInputPolicy"."""
        return {
            "features_extractor_class": EXTRACTORS[self.extractor],
            "features_extractor_kwargs": dict(self.extractor_settings),
            "net_arch": list(self.layers),
            "activation_fn": ACTIVATIONS[self.activation],
        }


def build_policy(flat: FlatConfig, network: NetworkSettings) -> MultiInputActorCriticPolicy:
    """Builds the policy that PPO or A2C would have built for `FlatPixelEnv` of these sizes.

    Raises:
        ConfigError: the extractor doesn't take its settings.
    """
    try:
        return MultiInputActorCriticPolicy(
            _channels_first(flat.observation_space),
            flat.action_space,
            lr_schedule=lambda _: 0.0,
            **network.policy_kwargs(),
        )
    except TypeError as fault:
        raise ConfigError(f"the network can't be built: {reason_of(fault)}") from fault


def save_policy(
    policy: nn.Module, folder: str | Path, flat: FlatConfig, network: NetworkSettings
) -> None:
    """Writes a policy as a folder that `load_policy` and `sb3:PATH` take; replaces one there.

    Args:
        policy: `model.policy` of PPO or A2C, made with `network.policy_kwargs()`.
        folder: the folder.
        flat: the sizes of `FlatPixelEnv` that it was trained with.
        network: what it was built of.

    Raises:
        ConfigError: the policy isn't the one that the settings build.
    """
    built, given = build_policy(flat, network).state_dict(), policy.state_dict()
    wrong = {
        name for name in built.keys() | given.keys() if _shape(built, name) != _shape(given, name)
    }
    if wrong:
        raise ConfigError(f"the policy isn't what the settings build: {min(wrong)} differs")
    target = Path(folder)
    settings = {"flat": asdict(flat), "network": asdict(network)}
    with sealed(target) as writing:
        save_model(policy, str(writing / _WEIGHTS))
        write_whole(writing / _SETTINGS, json.dumps(settings, indent=1), sync=False)


def load_policy(folder: str | Path) -> tuple[MultiInputActorCriticPolicy, FlatConfig]:
    """Loads what `save_policy` wrote; returns the policy and the sizes it was trained with.

    Raises:
        ConfigError: there is no such folder, or it is a zip of stable-baselines3.
        DataError: a file is damaged.
    """
    path = Path(folder)
    if path.suffix == ".zip":
        raise ConfigError(
            f"{path} is stable-baselines3's own format, which can't be read without running what "
            "is in it; export the policy with pixel_env.agents.policies.sb3_model.save_policy"
        )
    if not (path / _SETTINGS).exists():
        raise ConfigError(f"expected a folder with {_SETTINGS} and {_WEIGHTS}, got {path}")
    if damage := fault_of(path):
        raise DataError(f"{path}: {damage}")
    flat, network = _stored_settings(path / _SETTINGS)
    _check_weights(path / _WEIGHTS, flat, network)
    with foreign_files(str(path / _WEIGHTS)):
        policy = build_policy(flat, network)
        load_model(policy, path / _WEIGHTS)
        if not all(bool(torch.isfinite(each).all()) for each in policy.parameters()):
            raise ValueError("it holds numbers that aren't finite")
    policy.set_training_mode(False)
    return policy, flat


def _stored_settings(path: Path) -> tuple[FlatConfig, NetworkSettings]:
    """Reads the sizes and the network; whatever doesn't fit in it is a fault of the file."""
    settings = read_object(path)
    try:
        with foreign_files(str(path)):
            network = dict(settings["network"])
            network["layers"] = tuple(network["layers"])
            return FlatConfig.of(settings["flat"]), NetworkSettings(**network)
    except ConfigError as fault:
        raise DataError(f"{path}: {fault}") from fault


def _check_weights(path: Path, flat: FlatConfig, network: NetworkSettings) -> None:
    """Makes sure that the weights are those of the network, before any are allocated."""
    stored = read_header(path)
    settings = path.with_name(_SETTINGS)
    try:
        with foreign_files(str(settings)), torch.device("meta"):  # shapes without memory
            built = build_policy(flat, network).state_dict(keep_vars=True)
    except ConfigError as fault:
        raise DataError(f"{settings}: {fault}") from fault
    for name, tensor in stored.items():
        if _shape(built, name) != tensor.shape or tensor.dtype not in FLOATS:
            raise DataError(f"{path}: {name!r:.80} isn't what {_SETTINGS} describes")
    shared = {id(each): each.numel() for each in built.values()}  # stored once, under one name
    if sum(shared.values()) != sum(each.n_numbers for each in stored.values()):
        raise DataError(f"{path}: it lacks weights of what {_SETTINGS} describes")


def _channels_first(space: spaces.Dict) -> spaces.Dict:
    """Returns the space as stable-baselines3 turns it before a network sees it."""
    views = space["views"]
    assert isinstance(views, spaces.Box)  # by `FlatConfig.observation_space`
    return spaces.Dict({**space.spaces, "views": VecTransposeImage.transpose_space(views)})


def _shape(weights: Mapping[str, Any], name: str) -> tuple[int, ...] | None:
    return tuple(weights[name].shape) if name in weights else None

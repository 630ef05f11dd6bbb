"""A user's own policy by its import path, checked where it enters."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import gymnasium as gym

from pixel_env.dialects import get_dialect
from pixel_env.errors import ConfigError, PixelEnvError
from pixel_env.types import Action, Observation

from ..settings.import_path import Imported, fault_text, import_object
from .base import Configured, Described, Policy, Privileged


class ImportedPolicy:
    """Hands everything to a user's policy, and checks what comes back.

    Attributes:
        name: its import path.
        dialect: the dialect of its messages; None where its actions are structured.
    """

    def __init__(self, policy: Policy, origin: Imported, arguments: Mapping[str, Any]) -> None:
        """Takes a policy.

        Args:
            policy: what acts.
            origin: where it is from.
            arguments: what it was made with.

        Raises:
            ConfigError: it lacks something of `Policy`, or its dialect is unknown.
        """
        _check(policy, origin.path)
        self.name = origin.path
        self.dialect = policy.dialect
        self._policy = policy
        self._origin = origin
        self._arguments = dict(arguments)

    def settings(self) -> dict[str, Any]:
        """Returns what it was made with, so that a manifest can make it again."""
        return dict(self._arguments)

    def facts(self) -> dict[str, Any]:
        """Returns its module, the digest of that file, and what the policy itself tells."""
        own = self._policy
        return {
            "import": self._origin.origin(),
            "name": own.name,
            **({"settings": own.settings()} if isinstance(own, Configured) else {}),
            **({"facts": own.facts()} if isinstance(own, Described) else {}),
        }

    def reset(self, lane: int, seed: int | None = None) -> None:
        """Starts an episode in a lane."""
        self._policy.reset(lane, seed)

    def act(
        self, observations: Sequence[Observation], lanes: Sequence[int]
    ) -> Sequence[str | Action]:
        """Chooses one action for each waiting lane.

        Raises:
            ConfigError: it gave another number of actions, or one of another kind.
        """
        actions = self._policy.act(observations, lanes)
        kind, named = (Mapping, "an action") if self.dialect is None else (str, "a message")
        if not isinstance(actions, Sequence) or isinstance(actions, str):
            raise ConfigError(f"expected {self.name} to return a list, got {actions!r:.60}")
        if len(actions) != len(lanes):
            raise ConfigError(
                f"expected {self.name} to return {len(lanes)} actions, one for each lane, "
                f"got {len(actions)}"
            )
        for action in actions:
            if not isinstance(action, kind):
                raise ConfigError(
                    f"expected {self.name}, with dialect {self.dialect!r}, to return {named} "
                    f"for each lane, got {action!r:.60}"
                )
        return actions


class ImportedOracle(ImportedPolicy):
    """A user's policy that may read the sample."""

    def watch(self, lane: int, env: gym.Env[Any, Any]) -> None:
        """Gives it the environment that runs in a lane."""
        assert isinstance(self._policy, Privileged)  # by `import_policy`
        self._policy.watch(lane, env)


def import_policy(path: str, settings: Mapping[str, Any]) -> ImportedPolicy:
    """Makes a user's policy.

    Args:
        path: "module:name" of a class, or of a function that returns a policy.
        settings: its arguments, by name.

    Raises:
        ConfigError: it can't be imported or made, or isn't a `Policy`.
    """
    origin = import_object(path, "a policy")
    policy = _made(origin.found, path, settings)
    kind = ImportedOracle if isinstance(policy, Privileged) else ImportedPolicy
    return kind(policy, origin, settings)


def _made(factory: Callable[..., Any], path: str, settings: Mapping[str, Any]) -> Any:
    if not callable(factory):
        raise ConfigError(
            f"expected {path} to be a class or a function that returns a policy, got "
            f"{type(factory).__name__}"
        )
    if refusal := _refusal(factory, **settings):
        raise ConfigError(f"{path} doesn't take {dict(settings)}: {refusal}")
    try:
        return factory(**settings)
    except PixelEnvError:
        raise
    except Exception as fault:  # a user's constructor can raise anything
        raise ConfigError(f"{path} can't be made: {fault_text(fault)}") from fault


def _check(policy: Any, path: str) -> None:
    for name, arguments in (("reset", (0, 0)), ("act", ((), ()))):
        method = getattr(policy, name, None)
        if not callable(method):
            raise ConfigError(
                f"expected {path} to give a policy, with name, dialect, reset and act "
                f"(pixel_env.agents.policies.base.Policy); {type(policy).__name__} has no {name}"
            )
        if fault := _refusal(method, *arguments):
            wanted = {"reset": "(lane, seed)", "act": "(observations, lanes)"}[name]
            raise ConfigError(f"expected {path}.{name} to take {wanted}: {fault}")
    if not isinstance(getattr(policy, "name", None), str):
        raise ConfigError(
            f"expected {path} to have a name, a text; got {_attribute(policy, 'name')}"
        )
    dialect = getattr(policy, "dialect", policy)
    if dialect is not None and not isinstance(dialect, str):
        raise ConfigError(
            f"expected {path} to have a dialect, the name of one or None for structured actions; "
            f"got {_attribute(policy, 'dialect')}"
        )
    if dialect is not None:
        get_dialect(dialect)


def _attribute(policy: Any, name: str) -> str:
    return repr(getattr(policy, name)) if hasattr(policy, name) else "none"


def _refusal(callee: Callable[..., Any], *arguments: Any, **named: Any) -> str:
    """Returns why something can't be called with these arguments; "" where it can."""
    try:
        inspect.signature(callee).bind(*arguments, **named)
    except TypeError as fault:
        return str(fault)
    except ValueError:  # it has no signature to read
        return ""
    return ""

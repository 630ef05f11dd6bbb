"""How a served model is asked; `--policy-arg NAME=VALUE` sets a field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from pixel_env.chat.conversation import SystemPrompt, system_text
from pixel_env.chat.parts import FORMATS, AsDataURL
from pixel_env.dialects import get_dialect
from pixel_env.errors import ConfigError, unknown_name

from ..settings.checks import check_least, check_positive
from .usage import Usage

PER_PRICE = 1e6
"""Tokens that a price is for."""

RESERVED = ("messages", "model", "tools", "stream", "stream_options", "n")
"""Fields of a request that are not the user's to set."""

NO_MATTER = ("timeout", "max_retries", "most_failures", "patience", "stream")
"""Settings that no reply depends on."""


@dataclass(frozen=True, slots=True)
class ServedSettings:
    """How a served model is asked."""

    dialect: str = "openai"
    """How messages are written: "openai" hands the operations over as tools, any other dialect
    keeps calls in the text."""
    system: SystemPrompt = "full"
    """The system message: "full", "brief" or "none"."""
    temperature: float | None = 0.0
    """Of sampling; 0 is greedy; null leaves it to the server."""
    top_p: float | None = None
    """Share of the probability mass that is sampled from; null leaves it to the server."""
    max_tokens: int | None = 1024
    """Longest reply in tokens, thinking included; null leaves it to the server."""
    seed: bool = True
    """Whether a seed is sent, each episode's own."""
    stop: tuple[str, ...] = ()
    """Texts that end a reply."""
    extra_body: Mapping[str, Any] = field(default_factory=dict)
    """Further fields of every request, such as {"top_k": 20}."""
    picture_format: str = "png"
    """How pictures are sent: "png" keeps every pixel, "jpeg" doesn't."""
    jpeg_quality: int = 90
    """Of JPEG pictures, 1 to 100."""
    detail: str | None = None
    """How finely the server is to look at pictures: "auto", "low", "high"; null sends nothing."""
    tool_pictures: bool = False
    """Whether a tool's message holds its pictures; else a user message after it does."""
    keep_reasoning: bool = False
    """Whether reasoning that came apart from a reply goes back in later requests."""
    stream: bool = False
    """Whether replies come piece by piece; `timeout` then is for one piece."""
    timeout: float = 600.0
    """Seconds that a server may be silent."""
    max_retries: int = 5
    """How often a request is repeated after a timeout, a lost connection or an error of the
    server, with growing pauses."""
    patience: float = 3600.0
    """Seconds for which a request waits at most while the server answers that it has too many."""
    most_failures: int = 8
    """After so many failed requests in a row the evaluation stops."""
    prompt_price: float | None = None
    """Money for a million tokens of prompts."""
    completion_price: float | None = None
    """Money for a million tokens of replies."""

    def __post_init__(self) -> None:
        """Checks every value.

        Raises:
            ConfigError: a value is out of its range.
        """
        system_text(get_dialect(self.dialect), self.system)
        if self.picture_format not in FORMATS:
            raise unknown_name("picture_format", self.picture_format, FORMATS)
        if not 1 <= self.jpeg_quality <= 100:
            raise ConfigError(f"expected jpeg_quality from 1 to 100, got {self.jpeg_quality}")
        self.picture()  # refuses an unknown detail
        check_least(self, {"max_retries": 0, "patience": 0, "most_failures": 1})
        check_positive(self, ("timeout",))
        least = {"temperature": 0, "max_tokens": 1, "prompt_price": 0, "completion_price": 0}
        given = [name for name in least if getattr(self, name) is not None]
        check_least(self, {name: least[name] for name in given})
        if self.top_p is not None and not 0 < self.top_p <= 1:
            raise ConfigError(f"expected top_p in (0, 1], got {self.top_p}")
        for name in self.extra_body:
            if name in RESERVED:
                raise ConfigError(f"expected extra_body without {name}, which the policy sets")

    def picture(self) -> AsDataURL:
        """Returns the form of pictures."""
        return AsDataURL(self.picture_format, self.jpeg_quality, self.detail)

    def request(self) -> dict[str, Any]:
        """Returns the fields of every request but the messages, the tools and the seed."""
        named = {name: getattr(self, name) for name in ("temperature", "top_p", "max_tokens")}
        known = {name: value for name, value in named.items() if value is not None}
        if self.stop:
            known["stop"] = list(self.stop)
        return {**known, "extra_body": dict(self.extra_body)}

    def cost(self, usage: Usage) -> float | None:
        """Returns the price of what was used; None without prices."""
        if self.prompt_price is None and self.completion_price is None:
            return None
        prompt = usage.prompt_tokens * (self.prompt_price or 0.0)
        return (prompt + usage.completion_tokens * (self.completion_price or 0.0)) / PER_PRICE

    def as_json(self) -> dict[str, Any]:
        """Returns the settings as a manifest holds them."""
        return {**asdict(self), "stop": list(self.stop), "extra_body": dict(self.extra_body)}


_KINDS: Mapping[str, tuple[tuple[type, ...], str]] = {
    "str": ((str,), "a text"),
    "SystemPrompt": ((str,), "a text"),
    "bool": ((bool,), "true or false"),
    "int": ((int,), "a whole number"),
    "float": ((int, float), "a number"),
    "tuple[str, ...]": ((list, tuple), "a list of texts"),
    "Mapping[str, Any]": ((Mapping,), "an object"),
}
"""By annotation: the types of a value, and what an error calls them."""


def read_settings(values: Mapping[str, Any]) -> ServedSettings:
    """Makes settings of values by name, as a command line or a manifest has them.

    Raises:
        ConfigError: a name is unknown, a value of another kind or out of range.

    >>> read_settings({"stop": "</answer>", "max_tokens": 64}).stop
    ('</answer>',)
    """
    annotations = {each.name: str(each.type) for each in fields(ServedSettings)}
    made: dict[str, Any] = {}
    for name, value in values.items():
        if name not in annotations:
            raise unknown_name("a setting of an openai policy", name, annotations)
        made[name] = _checked(name, value, annotations[name])
    return ServedSettings(**made)


def _checked(name: str, value: Any, annotation: str) -> Any:
    kind, _, nothing = annotation.partition(" | ")
    if value is None and nothing:
        return None
    if kind == "tuple[str, ...]" and isinstance(value, str):
        value = [value]
    types, title = _KINDS[kind]
    is_kind = isinstance(value, types) and (isinstance(value, bool) == (kind == "bool"))
    if kind == "tuple[str, ...]" and is_kind:
        is_kind = all(isinstance(each, str) and each for each in value)
    if not is_kind:
        raise ConfigError(f"expected {name} to be {title}, got {value!r}")
    return tuple(value) if kind == "tuple[str, ...]" else value

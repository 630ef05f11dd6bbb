"""The command line follows the configs: every field, its own words, its own kind."""

import argparse
import dataclasses

import pytest

from pixel_env.agents.run.config import RunConfig, tiny_defaults
from pixel_env.agents.settings.command_line import add_options, field_help, read_options
from pixel_env.errors import ConfigError


@dataclasses.dataclass(frozen=True)
class Inner:
    """Settings.

    Attributes:
        size: how large,
            in pixels.
        names: what is used.
    """

    size: int = 3
    names: tuple[str, ...] = ("a",)


@dataclasses.dataclass(frozen=True)
class Outer:
    """Settings of settings."""

    rate: float = 0.5
    """How fast, 100% at most."""
    word: str = "x"
    """A word."""
    on: bool = True
    """Whether."""
    limit: float | None = None
    """A limit; null for none."""
    inner: Inner = dataclasses.field(default_factory=Inner)
    """More."""


def read(*arguments, config=None):
    config = config or Outer()
    parser = argparse.ArgumentParser()
    add_options(parser, config)
    return read_options(vars(parser.parse_args(arguments)), config)


def test_nothing_given_leaves_the_defaults():
    assert read() == Outer()
    assert read(config=tiny_defaults()) == tiny_defaults()


def test_every_kind_of_value_is_read():
    given = read(
        *("--rate", "2", "--word", "12", "--on", "false", "--limit", "0.25"),
        *("--inner.size", "7", "--inner.names", "b,c"),
    )
    assert given == Outer(2.0, "12", False, 0.25, Inner(7, ("b", "c")))
    assert isinstance(given.rate, float)
    assert read("--inner.names", '["d"]').inner.names == ("d",)
    assert read("--limit", "null") == Outer()


@pytest.mark.parametrize(
    ("option", "text"), [("--rate", "fast"), ("--inner.size", "1.5"), ("--on", "1"), ("--rate", "")]
)
def test_a_value_of_another_kind_is_refused_by_name(option, text):
    with pytest.raises(ConfigError, match=option):
        read(option, text)


def test_a_value_out_of_range_is_refused_by_the_config():
    with pytest.raises(ConfigError, match="eval_samples"):
        read("--eval-samples", "0", config=RunConfig())
    with pytest.raises(ConfigError, match="clip"):
        read("--on-policy.clip-low", "-1", config=RunConfig())


def test_help_is_the_fields_own_line():
    assert field_help(Outer)["rate"] == "How fast, 100% at most."
    assert field_help(Inner)["size"] == "how large, in pixels."


def test_every_field_of_a_run_has_help():
    def check(config):
        told = field_help(type(config))
        for field in dataclasses.fields(config):
            assert told.get(field.name), f"{type(config).__name__}.{field.name}"
            value = getattr(config, field.name)
            if dataclasses.is_dataclass(value):
                check(value)

    check(tiny_defaults())


def test_help_can_be_printed():
    parser = argparse.ArgumentParser()
    add_options(parser, tiny_defaults())
    text = parser.format_help()
    assert "--on-policy.learning-rate" in text
    assert "--demonstrations.recrop-twice" in text

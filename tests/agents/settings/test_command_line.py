"""The command line follows the configs: every field, its own line of help, its own kind."""

import dataclasses
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pixel_env.agents.run.config import RunConfig, tiny_defaults
from pixel_env.agents.settings.command_line import (
    Page,
    UsageError,
    as_arguments,
    read,
    read_some,
)
from pixel_env.agents.settings.marks import FLAG, POSITIONAL, REPEATED, UNPREFIXED, mark
from pixel_env.errors import ConfigError, unknown_name


@dataclasses.dataclass(frozen=True)
class Inner:
    """Settings."""

    size: int = 3
    """How large,
    in pixels."""
    names: tuple[str, ...] = ("a",)
    """What is used."""
    betas: tuple[float, float] = (0.5, 0.9)
    """Two numbers."""

    def __post_init__(self) -> None:
        if self.size < 1:
            raise ConfigError(f"expected size >= 1, got {self.size}")


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
    env_args: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """Arguments."""
    in_ner: Inner = dataclasses.field(default_factory=Inner)
    """More."""

    def __post_init__(self) -> None:
        if self.word == "lft":
            raise unknown_name("word", self.word, ("left", "right"))
        if self.rate > 1:
            raise ConfigError("expected in_ner.size and env_args where rate is over 1")


@dataclasses.dataclass(frozen=True)
class Options:
    """A command's own options."""

    folder: Path | None = dataclasses.field(default=None, metadata=mark(POSITIONAL))
    """Where."""
    resume: bool = dataclasses.field(default=False, metadata=mark(FLAG))
    """Go on."""
    env_arg: tuple[str, ...] = dataclasses.field(default=(), metadata=mark(REPEATED))
    """NAME=VALUE."""
    config: Outer = dataclasses.field(default_factory=Outer, metadata=mark(UNPREFIXED))
    """All the rest."""


def given(*arguments, config=None):
    return read(arguments, config or Outer())


def test_nothing_given_leaves_the_defaults():
    assert given() == Outer()
    assert given(config=tiny_defaults()) == tiny_defaults()


def test_every_kind_of_value_is_read():
    made = given(
        *("--rate", "2e-1", "--word", "12", "--on", "false", "--limit", "0.25"),
        *("--in-ner.size", "7", "--in-ner.names", "b,c", "--env-args", '{"split": "train"}'),
    )
    assert made == Outer(0.2, "12", False, 0.25, {"split": "train"}, Inner(7, ("b", "c")))
    assert given("--limit", "null") == Outer()
    assert given("--on=TRUE") == Outer()


@pytest.mark.parametrize("arguments", [["d", "e f"], ["d,e f"], ['["d", "e f"]']])
def test_a_list_is_arguments_or_one_with_commas_or_json(arguments):
    assert given("--in-ner.names", *arguments).in_ner.names == ("d", "e f")
    assert given("--in-ner.names", "[]").in_ner.names == ()


@pytest.mark.parametrize("arguments", [["0.1", "0.2"], ["0.1,0.2"], ["[0.1, 0.2]"]])
def test_a_list_of_fixed_length_is_read_alike(arguments):
    assert given("--in-ner.betas", *arguments).in_ner.betas == (0.1, 0.2)


def test_hyphens_and_underscores_are_alike():
    assert given("--in_ner.size", "4") == given("--in-ner.size", "4")
    assert given("--in_ner.size=4").in_ner.size == 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--rate", "fast"), "expected --rate to be a number, got 'fast'"),
        (("--rate", ""), "expected --rate to be a number, got ''"),
        (("--in-ner.size", "1.5"), "expected --in-ner.size to be a whole number, got '1.5'"),
        (("--on", "1"), "expected --on to be {true,false}, got '1'"),
        (("--limit", "x"), "expected --limit to be a number, got 'x'"),
        (("--env-args", "[1]"), "expected --env-args to be an object of JSON, got '[1]'"),
        (("--env-args", "{"), "expected --env-args to be an object of JSON, got '{'"),
        (("--in-ner.betas", "0.1"), "got '0.1'"),
        (("--in-ner.betas", "0.1,a"), "got '0.1,a'"),
        (("--in-ner.names", "[1"), "expected --in-ner.names to be"),
        (("--in-ner.size", "0"), "expected --in-ner.size >= 1, got 0"),
        (("--word", "lft"), "expected --word to be one of left, right; got 'lft'. Did you"),
        (("--rate", "2"), "expected --in-ner.size and --env-args where rate is over 1"),
    ],
)
def test_what_is_wrong_is_one_sentence_that_names_the_option(arguments, message):
    with pytest.raises(ConfigError) as error:
        given(*arguments)
    assert message in str(error.value)
    assert not isinstance(error.value, UsageError)


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("--rte", "there is no option --rte. Did you mean --rate?"),
        ("--size", "Did you mean --in-ner.size?"),
        ("--sise=3", "there is no option --sise. Did you mean --in-ner.size?"),
        ("--inner.size", "Did you mean --in-ner.size?"),
        ("word", "expected options, got 'word'"),
        ("--nothing-like-it", "--help-all lists all of them"),
    ],
)
def test_an_unknown_option_is_named_with_the_nearest_one(word, message):
    with pytest.raises(UsageError) as error:
        given(word)
    assert message in str(error.value)


def test_a_name_that_several_parts_have_is_named_with_all_of_them():
    with pytest.raises(UsageError) as error:
        read(["--learning-rate", "1"], RunConfig())
    assert "--imitation.learning-rate or --on-policy.learning-rate" in str(error.value)


def test_options_of_a_command_stand_alone_repeat_and_need_no_name():
    made = read(["runs/x", "--resume", "--env-arg", "a=1", "--env-arg=b=2", "--rate=1"], Options())
    assert made == Options(Path("runs/x"), True, ("a=1", "b=2"), Outer(rate=1.0))
    assert read(["--in-ner.size=2"], Options()).config.in_ner.size == 2
    with pytest.raises(ConfigError, match=r"--in-ner\.size >= 1"):
        read(["--in-ner.size=0"], Options())


def test_the_last_of_two_values_counts():
    assert given("--rate", "0.1", "--rate", "0.2").rate == 0.2


def test_one_setting_can_be_read_before_the_others():
    assert read_some(["--rate=x", "--limit", "3", "--help"], Inner(size=9)) == Inner(size=9)
    assert read_some(["--size", "5", "--rate", "x"], Inner()).size == 5


def test_short_help_shows_what_is_changed_often_and_says_how_to_see_the_rest(capsys):
    page = Page("bake", "Bakes.", often=("rate", "in_ner.size"))
    for arguments, shown, left_out in (
        (["--help"], ("--rate", "--in-ner.size", "--help-all", "--resume"), ("--word",)),
        (["--rate=1", "-h"], ("--rate",), ("--word",)),
        (["--help-all"], ("--rate", "--word", "--in-ner.names", "--limit NUMBER"), ()),
    ):
        with pytest.raises(SystemExit) as stop:
            read(arguments, Options(), page)
        assert stop.value.code == 0
        text = capsys.readouterr().out
        assert text.startswith("usage: bake")
        assert "How fast, 100% at most." in text
        for option in shown:
            assert option.replace("NUMBER", "FLOAT") in text, option
        for option in left_out:
            assert option not in text, option
    assert "How large, in pixels." in " ".join(text.replace("│", " ").split())


def test_a_file_is_a_command_line_that_stands_before():
    values = {"rate": 1, "on": False, "limit": None, "env_args": {"split": "x"}, "word": "null"}
    values["in_ner"] = {"names": ["p", "q r"], "betas": [0.1, 0.3]}
    made = given(*as_arguments(values, Outer()))
    assert made == Outer(
        1.0, "null", False, None, {"split": "x"}, Inner(3, ("p", "q r"), (0.1, 0.3))
    )


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"in_ner": {"sise": 1}}, r"settings in in_ner .*'sise'.* Did you mean 'size'"),
        ({"wrd": 1}, "settings in the file .* Did you mean 'word'"),
        ({"in_ner": 3}, "expected in_ner to hold settings by name"),
        ([1], "expected the file to hold settings by name"),
        (None, "expected the file to hold settings by name"),
    ],
)
def test_an_unknown_name_in_a_file_is_named(values, message):
    with pytest.raises(ConfigError, match=message):
        as_arguments(values, Outer())


def test_a_whole_run_can_be_written_and_read_again():
    config = dataclasses.replace(tiny_defaults(), seed=3).seeded()
    assert read(as_arguments(dataclasses.asdict(config), RunConfig()), RunConfig()) == config


def test_no_torch_is_imported_before_the_arguments_are_read():
    """Of any command: help and a wrong option come at once."""
    check = (
        "import sys, contextlib, io\n"
        "from pixel_env.__main__ import COMMANDS, main\n"
        "for name in COMMANDS:\n"
        "    for word in ('--help', '--no-such-option', '--help-all'):\n"
        "        with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):\n"
        "            with contextlib.redirect_stderr(io.StringIO()):\n"
        "                main([name, word])\n"
        "heavy = {'torch', 'transformers', 'stable_baselines3', 'matplotlib'}\n"
        "print(sorted(heavy & {*sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (["--rate"], "--rate"),
        (["--rate", "--word", "y"], "--rate"),
        (["--word", "y", "--in_ner.size"], "--in_ner.size"),
        (["--rate", "--word=y"], "--rate"),
    ],
)
def test_an_option_without_its_value_is_one_sentence(arguments, option, capsys):
    with pytest.raises(UsageError, match=f"^expected a value behind {option}$"):
        read(arguments, Outer())
    assert capsys.readouterr().err == ""


def test_a_list_may_be_empty_and_a_value_may_begin_with_a_dash():
    made = read(["--in-ner.names", "--rate", "-1"], Outer())
    assert made.in_ner.names == ()
    assert made.rate == -1

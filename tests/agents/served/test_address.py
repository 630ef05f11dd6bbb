"""Addresses of served models, and their settings as a command line has them."""

import pytest

from pixel_env.agents.policies.by_name import make_policy
from pixel_env.agents.served.address import Address, read_address
from pixel_env.agents.served.settings import ServedSettings, read_settings
from pixel_env.agents.served.usage import Usage
from pixel_env.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "url", "model", "is_loopback"),
    [
        ("http://localhost:8000/v1#m", "http://localhost:8000/v1", "m", True),
        ("http://127.0.0.1:1/v1/#a/b#c", "http://127.0.0.1:1/v1", "a/b#c", True),
        ("http://[::1]:1/v1", "http://[::1]:1/v1", "", True),
        ("https://host.example/v1#m", "https://host.example/v1", "m", False),
        ("#m", "", "m", False),
    ],
)
def test_an_address_has_a_url_and_a_model(text, url, model, is_loopback):
    address = read_address(text)
    assert address == Address(url, model)
    assert address.is_loopback == is_loopback
    assert read_address(str(address)) == address


@pytest.mark.parametrize(
    "text", ["", "#", "localhost:8000#m", "ftp://host/v1#m", "http://#m", "http://host:x/v1#m"]
)
def test_another_form_is_refused(text):
    with pytest.raises(ConfigError, match="URL#MODEL"):
        make_policy(f"openai:{text}")


@pytest.mark.parametrize("text", ["http://me:secret@host/v1#m", "http://host/v1?key=secret#m"])
def test_secrets_in_an_address_are_refused_and_not_quoted(text):
    with pytest.raises(ConfigError, match="OPENAI_API_KEY") as caught:
        read_address(text)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("dialect", "latin"), ("system", "long"), ("temperature", -1), ("temperature", "hot"),
        ("temperature", True), ("top_p", 0), ("max_tokens", 0), ("max_tokens", 1.5), ("seed", 3),
        ("stop", [1]), ("stop", [""]), ("extra_body", "x"), ("extra_body", {"messages": []}),
        ("picture_format", "gif"), ("jpeg_quality", 0), ("detail", "best"), ("timeout", 0),
        ("timeout", None), ("max_retries", -1), ("most_failures", 0), ("prompt_price", -1),
        ("patience", -1), ("stream", "yes"),
    ],
)  # fmt: skip
def test_a_wrong_setting_is_refused_by_name(name, value):
    with pytest.raises(ConfigError, match=name if name != "extra_body" else "messages|extra_body"):
        read_settings({name: value})


def test_an_unknown_setting_is_answered_with_the_nearest_one():
    with pytest.raises(ConfigError, match="max_tokens"):
        read_settings({"max_token": 5})


def test_settings_survive_a_manifest():
    settings = read_settings({"stop": ["a", "b"], "extra_body": {"top_k": 2}, "temperature": 1})
    assert read_settings(settings.as_json()) == settings
    assert ServedSettings().request() == {"temperature": 0.0, "max_tokens": 1024, "extra_body": {}}


def test_usage_adds_up_and_costs_are_known_where_one_is():
    one = Usage(1, 10, 5, 2, 1, 0.5, 0.25, ("b",))
    two = Usage(2, 20, 0, 3, 4, 1.0, None, ("a", "b"))
    assert one + two == Usage(3, 30, 5, 5, 5, 1.5, 0.25, ("a", "b"))
    assert (two + two).cost is None

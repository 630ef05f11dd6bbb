"""Where a model is served: `URL#MODEL`."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from pixel_env.errors import ConfigError

_FORM = "expected openai:URL#MODEL, such as openai:http://localhost:8000/v1#my-model"


@dataclass(frozen=True, slots=True)
class Address:
    """A model behind an HTTP interface.

    Attributes:
        url: the base of the interface, such as "http://localhost:8000/v1"; "" for the client's own
            (`OPENAI_BASE_URL`, else api.openai.com).
        model: its name there; "" where the server has only one.
    """

    url: str
    model: str = ""

    def __str__(self) -> str:
        """Returns the form that `read_address` reads."""
        return f"{self.url}#{self.model}" if self.model else self.url

    @property
    def is_loopback(self) -> bool:
        """Whether the server runs on this machine."""
        host = urlsplit(self.url).hostname or ""
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return host == "localhost"


def read_address(text: str) -> Address:
    """Reads `URL#MODEL`, `#MODEL` or `URL`.

    Raises:
        ConfigError: it has another form, or the URL holds what is to stay out of manifests: a
            password, or arguments.

    >>> read_address("http://localhost:8000/v1#tiny")
    Address(url='http://localhost:8000/v1', model='tiny')
    """
    url, _, model = text.partition("#")
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  # raises where it is no number
    except ValueError as fault:
        raise ConfigError(f"{_FORM}; {fault}") from None
    if parts.username is not None or parts.password is not None or parts.query:
        # Not quoted: it may be a secret, and the name of a policy goes into manifests.
        raise ConfigError(f"{_FORM}; got a URL with a password or arguments: set OPENAI_API_KEY")
    if not (url or model) or (url and (parts.scheme not in ("http", "https") or not parts.netloc)):
        raise ConfigError(f"{_FORM}; got {text!r}")
    return Address(url.rstrip("/"), model)

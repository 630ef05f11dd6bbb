"""The small server answers its own page on this machine, and nobody else."""

import http.client
import json
from functools import partial
from urllib.parse import urlsplit

import pytest
from recorded_pictures import record

from pixel_env.viewer import read_site
from pixel_env.viewer.server import MOST_BODY, Answer, LoopbackServer
from pixel_env.viewer.written import respond


@pytest.fixture
def site(tmp_path):
    return read_site(record(tmp_path / "episodes"))


@pytest.fixture
def server(site):
    with LoopbackServer(partial(respond, site)) as made:
        yield made


def ask(server, path="", method="GET", host=None, token=None, body=None, **headers):
    """Sends a request; returns status, headers and body."""
    address = urlsplit(server.address)
    connection = http.client.HTTPConnection("127.0.0.1", address.port, timeout=10)
    own = address.path.strip("/") if token is None else token
    connection.putrequest(method, f"/{own}/{path}", skip_host=True)
    connection.putheader("Host", host or address.netloc)
    for name, value in headers.items():
        connection.putheader(name.replace("_", "-"), value)
    if body is not None:
        connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body)
    reply = connection.getresponse()
    found = reply.status, dict(reply.getheaders()), reply.read()
    connection.close()
    return found


def test_the_page_its_data_and_its_pictures_are_served(server, site):
    status, headers, body = ask(server)
    assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "script-src 'self' 'sha256-" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert b'id="index"' in body
    _, headers, body = ask(server, "view.data/0.js")
    assert headers["Content-Type"].startswith("text/javascript")
    assert len(json.loads(body.removeprefix(b"loaded(0,").removesuffix(b")\n"))) == 4
    for name, path in site.pictures.found.items():
        status, headers, body = ask(server, name)
        assert (status, headers["Content-Type"], body) == (200, "image/png", path.read_bytes())
    status, headers, body = ask(server, method="HEAD")
    assert (status, body) == (200, b"")


@pytest.mark.parametrize(
    "path",
    [
        *("trajectories.jsonl", "../secret.png", "%2e%2e/secret.png", "images/%2e%2e/secret.png"),
        *("images/", "images", "view.data/1.js", "view.data/-1.js", "view.data/0", "/etc/hostname"),
        *("view.data/%C2%B2.js", "images/unnamed.png", "%00", "view.data/99999999999999999999.js"),
    ],
)
def test_nothing_else_is_served(server, site, path):
    (site.root.parent / "secret.png").write_bytes(b"secret")
    (site.root / "images" / "unnamed.png").write_bytes(b"secret")
    status, _, body = ask(server, path)
    assert status == 404
    assert b"secret" not in body


def test_a_picture_that_became_a_link_is_not_followed(server, site):
    name, path = next(iter(site.pictures.found.items()))
    secret = site.root.parent / "secret.png"
    secret.write_bytes(b"secret")
    path.unlink()
    path.symlink_to(secret)
    assert ask(server, name)[0] == 404


@pytest.mark.parametrize(
    "how",
    [
        {"token": ""},
        {"token": "x"},
        {"token": "%C3%A9"},
        {"host": "evil.example"},
        {"host": "127.0.0.1"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"method": "POST", "body": b"{}"},
        {"method": "PUT", "body": b"{}"},
    ],
)
def test_whoever_is_not_the_page_is_refused(server, how):
    status, _, body = ask(server, **how)
    assert status in (403, 501)
    assert b"id=" not in body


def test_two_servers_have_other_tokens_and_an_end(site):
    with (
        LoopbackServer(partial(respond, site)) as one,
        LoopbackServer(partial(respond, site)) as other,
    ):
        assert urlsplit(one.address).path != urlsplit(other.address).path
        assert ask(one)[0] == 200
    with pytest.raises(ConnectionError):
        ask(one)


def test_a_site_that_takes_posts_gets_their_bodies_and_no_large_ones():
    def echo(method, path, body):
        return Answer(f"{method} {path} {len(body)}".encode())

    with LoopbackServer(echo, takes_posts=True) as server:
        assert ask(server, "act", method="POST", body=b"abc")[2] == b"POST act 3"
        assert ask(server, "act", method="POST")[0] == 403  # says no length
        for length in (MOST_BODY + 1, -1, "x"):
            assert ask(server, "act", method="POST", Content_Length=str(length))[0] == 403
        own = f"http://{urlsplit(server.address).netloc}"
        assert ask(server, "act", method="POST", body=b"", Origin=own)[0] == 200

"""The command that serves an environment: where it listens, what it refuses, how it ends."""

import json
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from pixel_env.__main__ import NAME
from pixel_env.agents.settings.command_line import read
from pixel_env.scripts.serve_env import PAGE, ServeOptions, is_loopback, main

ROOT = Path(__file__).resolve().parents[2]
ID = "PixelReason-SyntheticSearch-v0"
PARTS = ("ENTRYPOINT", "CMD")


def test_it_listens_on_this_machine_alone_unless_told_otherwise():
    assert is_loopback(ServeOptions().host)
    assert [is_loopback(host) for host in ("localhost", "::1", "127.9.9.9")] == [True] * 3
    assert [is_loopback(host) for host in ("0.0.0.0", "::", "10.0.0.1", "host")] == [False] * 4


def test_a_port_that_cannot_be_is_refused(capsys):
    assert main(["--env", ID, "--port", "70000"]) == 1
    assert "expected --port from 0 to 65535" in capsys.readouterr().out


def test_an_environment_must_be_named(capsys):
    with pytest.raises(SystemExit):
        main([])
    assert "expected --env" in capsys.readouterr().err


def test_the_image_runs_the_command_with_options_that_it_takes():
    text = (ROOT / "configs" / "openenv" / "Dockerfile").read_text(encoding="utf-8")
    parts = {name: json.loads(re.search(rf"^{name} (\[.*\])$", text, re.M)[1]) for name in PARTS}
    command, name, *arguments = [*parts["ENTRYPOINT"], *parts["CMD"]]
    assert (command, name) == (NAME, "serve-env")
    options = read(arguments, ServeOptions(), PAGE)
    assert (options.host, options.port, options.env) == ("0.0.0.0", 8000, ID)
    assert f"EXPOSE {options.port}" in text
    assert "USER runner" in text


@pytest.mark.slow
def test_wrong_settings_are_sentences_and_no_server(capsys):
    pytest.importorskip("openenv")
    for arguments, sentence in [
        (["--env", "PixelReason-SyntheticSerch-v0"], "Did you mean"),
        (["--env", ID, "--dialect", "klingon"], "klingon"),
        (["--env", ID, "--env-arg", "max_turns=0"], "max_turns"),
        (["--env", ID, "--max-sessions", "0"], "expected --max-sessions >= 1"),
    ]:
        assert main(arguments) == 1
        assert sentence in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_a_served_environment_answers_and_stops_when_asked(end):
    pytest.importorskip("openenv")
    command = [sys.executable, "-m", "pixel_env", "serve-env", "--env", ID, "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        line = server.stdout.readline()
        address = re.search(r"http://127\.0\.0\.1:\d+", line).group()
        try:
            with urllib.request.urlopen(f"{address}/metadata", timeout=60) as reply:
                assert ID in json.load(reply)["description"]
            server.send_signal(end)
            assert server.wait(timeout=30) in (0, 128 + end)
        finally:
            server.kill()

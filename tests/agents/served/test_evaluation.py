"""Evaluations through a server: what is lost is asked for again, what it cost is reported."""

import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from scripted_server import Reaction, ScriptedServer, completion, tool_call

from pixel_env.agents.evaluation.evaluate import EvaluationConfig, evaluate
from pixel_env.agents.evaluation.rerun import rerun
from pixel_env.agents.evaluation.results import read_results
from pixel_env.agents.policies.by_name import make_policy
from pixel_env.errors import ServiceError
from pixel_env.scripts.evaluate import main

ID = "PixelReason-SyntheticSearch-v0"
BOX = '{"bbox_2d": [0, 0, 0.5, 0.5]}'
KEY = "sk-of-the-test-0123456789"
BAD = Reaction({"error": {"message": f"no memory, {KEY}"}}, 500)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    from openai._base_client import BaseClient

    monkeypatch.setattr(BaseClient, "_calculate_retry_timeout", lambda *_: 0.0)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


def picture(request):
    """Returns the overview, which no two samples share."""
    return request.messages[1]["content"][0]["image_url"]["url"]


def zooms_once(request, number):
    """Zooms in the first turn and answers in the second, the same in every episode."""
    return completion("A") if len(request.messages) > 2 else completion(None, tool_call(BOX))


def config(out, samples=6, lanes=3):
    return EvaluationConfig(ID, {"split": "test"}, samples=samples, lanes=lanes, out=out)


def connect(server, **settings):
    return make_policy(f"openai:{server.url}#scripted", max_retries=0, **settings)


def files(folder):
    return {
        path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def outcomes(folder):
    """Returns the results without what they cost, which holds times."""
    return [
        {name: value for name, value in json.loads(line).items() if name != "usage"}
        for line in (folder / "results.jsonl").read_text().splitlines()
    ]


def test_results_do_not_depend_on_lanes(tmp_path):
    with ScriptedServer(zooms_once) as server:
        one, many = (
            evaluate(connect(server), config(tmp_path / str(lanes), lanes=lanes)).results
            for lanes in (1, 6)
        )
    assert one == many
    assert [result.n_operations for result in one] == [1] * 6
    assert all(result.usage.requests == 2 for result in many)


def test_a_lane_does_not_wait_for_a_slow_one(tmp_path):
    others = threading.Event()
    slow = []

    def script(request, number):
        if not slow:
            slow.append(picture(request))
        if picture(request) == slow[0]:
            return Reaction(completion("A"), wait=others)
        return zooms_once(request, number)

    order = []

    def note(result, n_episodes):
        order.append(result.index)
        if len(order) == 5:
            others.set()

    with ScriptedServer(script) as server:
        evaluate(connect(server), config(None, lanes=2), note)
    assert sorted(order) == list(range(6))
    assert order[-1] in (0, 1)  # one of the two that began; all others passed it by
    assert others.is_set()


def test_an_unanswered_episode_is_left_out_and_run_by_the_next_call(tmp_path):
    failing = []

    def script(request, number):
        if len(request.messages) > 2 and not failing:
            failing.append(picture(request))
        if failing == [picture(request)] and len(request.messages) > 2:
            return BAD
        return zooms_once(request, number)

    folder, whole = tmp_path / "out", tmp_path / "whole"
    with ScriptedServer(script) as server:
        first = evaluate(connect(server), config(folder))
        lost = [result for result in first.results if result.service_error]
        assert len(lost) == 1
        assert (lost[0].correct, lost[0].answer, lost[0].truncated) == (False, None, False)
        assert "no memory, [key]" in lost[0].service_error
        assert (first.overall.n, first.overall.n_unanswered, first.overall.n_env_errors) == (
            5,
            1,
            0,
        )
        report = (folder / "report.md").read_text()
        assert "unanswered" in report
        assert f"- {lost[0].sample_id}: " in report
        assert len((folder / "trajectories.jsonl").read_text().splitlines()) == 5
        n_before = len(server.requests)
        failing.append("")  # the server is well again
        second = evaluate(connect(server), config(folder, lanes=1))  # gently
        assert len(server.requests) - n_before == 2  # only the lost episode was run
        assert second.overall.n == 6
        evaluate(connect(server), config(whole))
    assert outcomes(folder) == outcomes(whole)
    assert "unanswered" not in (folder / "report.md").read_text()


def test_a_lost_server_stops_the_evaluation_and_what_is_done_stays(tmp_path, capsys):
    is_lost = []

    def script(request, number):
        if number >= 7:
            is_lost.append(True)
        return BAD if is_lost else zooms_once(request, number)

    folder = tmp_path / "out"
    with ScriptedServer(script) as server:
        arguments = [
            "--env", ID, "--policy", f"openai:{server.url}#scripted", "--samples", "20",
            "--lanes", "2", "--out", str(folder),
            "--policy-arg", "max_retries=0", "--policy-arg", "most_failures=4",
        ]  # fmt: skip
        assert main(arguments) == 1
        printed = capsys.readouterr().out
        assert "4 requests in a row have failed" in printed
        assert f"--out {folder} goes on" in printed
        assert not (folder / "report.md").exists()
        done = [each for each in read_results(folder / "results.jsonl") if not each.service_error]
        assert 1 <= len(done) <= 4
        server.script = zooms_once
        assert main(arguments) == 0
    assert len(read_results(folder / "results.jsonl")) == 20


def test_an_evaluation_with_unanswered_episodes_is_not_a_success(tmp_path, capsys):
    def script(request, number):
        return BAD if number == 0 else zooms_once(request, number)

    with ScriptedServer(script) as server:
        arguments = [
            "--env", ID, "--policy", f"openai:{server.url}#scripted", "--samples", "3",
            "--out", str(tmp_path / "out"), "--policy-arg", "max_retries=0",
        ]  # fmt: skip
        assert main(arguments) == 1
        assert "1 episodes are left out" in capsys.readouterr().out
        assert main(arguments) == 0


def test_costs_stand_in_results_report_and_record(tmp_path):
    def script(request, number):
        reply = zooms_once(request, number)
        reply["choices"][0]["message"]["reasoning_content"] = "Small."
        return reply

    with ScriptedServer(script) as server:
        policy = connect(server, prompt_price=1000, completion_price=2000)
        evaluation = evaluate(policy, config(tmp_path))
    usage = read_results(tmp_path / "results.jsonl")[0].usage
    assert (usage.requests, usage.prompt_tokens, usage.completion_tokens) == (2, 200, 20)
    assert usage.pictures == 3
    assert usage.cost == pytest.approx(0.2 + 0.04)
    report = (tmp_path / "report.md").read_text()
    assert "| all | 12 | 1,200 | 0 | 120 | 18 |" in report
    assert "| an episode | 2.0 | 200.0 | 0.0 | 20.0 | 3.0 |" in report
    assert "1.44 |" in report
    assert json.loads((tmp_path / "summary.json").read_text())["costs"]["total"]["requests"] == 12
    turn = json.loads((tmp_path / "trajectories.jsonl").read_text().splitlines()[0])["turns"][0]
    assert (turn["reasoning"], turn["finish_reason"]) == ("Small.", "tool_calls")
    assert (turn["prompt_tokens"], turn["completion_tokens"]) == (100, 10)
    assert json.loads(turn["message"]).get("reasoning_content") is None
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest == evaluation.manifest
    assert manifest["server_fingerprints"] == ["fp_1"]
    assert manifest["policy_facts"]["server"]["model"]["root"] == "models/scripted"


def test_a_finished_evaluation_is_run_again_from_its_manifest(tmp_path):
    with ScriptedServer(zooms_once) as server:
        evaluate(connect(server, temperature=0.5, stop=["END"]), config(tmp_path))
        before = files(tmp_path)
        evaluate(connect(server, temperature=0.5, stop=["END"]), config(tmp_path))
        assert files(tmp_path) == before
        again = rerun(tmp_path)
        assert again.is_identical
        assert server.requests[-1].body["temperature"] == 0.5
    assert "--policy-arg temperature=0.5" in (tmp_path / "report.md").read_text()
    assert "max_tokens" not in (tmp_path / "report.md").read_text()


def test_the_key_is_written_nowhere(tmp_path, capsys, caplog):
    caplog.set_level(0)
    with ScriptedServer(lambda *_: BAD) as server, pytest.raises(ServiceError) as caught:
        evaluate(connect(server, most_failures=2), config(tmp_path))
    printed = capsys.readouterr()
    everything = b"".join(files(tmp_path).values()).decode(errors="replace") + caplog.text
    assert KEY not in everything + printed.out + printed.err + str(caught.value)
    assert any("authorization" in request.headers for request in server.requests)


def test_a_killed_evaluation_goes_on(tmp_path):
    entered, leave = threading.Event(), threading.Event()

    def script(request, number):
        if number >= 5 and not leave.is_set():
            entered.set()
            leave.wait(30)
        return zooms_once(request, number)

    folder, whole = tmp_path / "out", tmp_path / "whole"
    with ScriptedServer(script) as server:
        command = [
            sys.executable, "-m", "pixel_env", "evaluate", "--env", ID, "--samples", "6",
            "--lanes", "1", "--policy", f"openai:{server.url}#scripted", "--out", str(folder),
        ]  # fmt: skip
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL, env={**os.environ})
        assert entered.wait(60)
        while len((folder / "results.jsonl").read_bytes().splitlines()) < 2:
            time.sleep(0.01)
        child.send_signal(signal.SIGKILL)
        child.wait(30)
        leave.set()
        policy = make_policy(f"openai:{server.url}#scripted")
        evaluate(policy, config(folder, lanes=1))
        evaluate(policy, config(whole, lanes=1))
    assert outcomes(folder) == outcomes(whole)


@pytest.fixture
def interruptible():
    """Lets Ctrl-C interrupt, also where the tests run in the background of a shell."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_ends_while_the_server_is_silent(tmp_path, capsys):
    never = threading.Event()

    def script(request, number):
        if number == 0:
            os.kill(os.getpid(), signal.SIGINT)
        return Reaction(completion("A"), wait=never)

    with ScriptedServer(script) as server:
        arguments = [
            "--env", ID, "--policy", f"openai:{server.url}#scripted", "--samples", "6",
            "--out", str(tmp_path / "out"),
        ]  # fmt: skip
        assert main(arguments) == 130
        never.set()
    assert "goes on" in capsys.readouterr().out

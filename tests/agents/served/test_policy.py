"""A served policy: what it asks, what it makes of replies, what it does with faults of a server."""

import json
import threading

import gymnasium as gym
import pytest
from scripted_server import (
    Reaction,
    ScriptedServer,
    chunks,
    completion,
    in_turn,
    streamed,
    tool_call,
)

import pixel_env
from pixel_env.agents.policies.base import Concurrent, Configured, Described, Metered
from pixel_env.agents.policies.by_name import is_named, make_policy
from pixel_env.agents.served import server as server_module
from pixel_env.errors import ConfigError, ServiceError
from pixel_env.wrappers import TextAction

BOX = '{"bbox_2d": [0, 0, 0.5, 0.5]}'
TEXT_CALL = f'<tool_call>\n{{"name": "zoom_in", "arguments": {BOX}}}\n</tool_call>'
KEY = "sk-of-the-test-0123456789"


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    """Repeats come at once, and no key of the machine is used."""
    from openai._base_client import BaseClient

    monkeypatch.setattr(BaseClient, "_calculate_retry_timeout", lambda *_: 0.0)
    monkeypatch.setattr(server_module, "FIRST_PAUSE_S", 0.0)
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def serve():
    """Starts servers, and ends them with the test."""
    started = []

    def start(*reactions, script=None):
        server = ScriptedServer(script or in_turn(*reactions))
        started.append(server)
        return server

    yield start
    for server in started:
        server.__exit__()


def connect(server, **settings):
    return make_policy(f"openai:{server.url}#scripted", **settings)


def play(policy, n_turns=1, lane=0, seed=7):
    """Plays some turns; returns the messages and the last `info`."""
    env = TextAction(gym.make("PixelReason-SyntheticSearch-v0"), policy.dialect)
    observation, info = env.reset(seed=3)
    policy.reset(lane, seed)
    messages = []
    for _ in range(n_turns):
        messages.append(policy.ask(observation, lane).result(30))
        observation, *_, info = env.step(messages[-1])
    return messages, info


def both_ways(reply):
    """Returns a reply whole, and as a stream, each with its setting."""
    return [(Reaction(reply), {}), (streamed(chunks(reply)), {"stream": True})]


@pytest.mark.parametrize("stream", [False, True])
def test_tools_are_called_and_answered_and_every_picture_is_sent_again(serve, stream):
    replies = [completion("Closer.", tool_call(BOX)), completion("B")]
    server = serve(*(both_ways(reply)[stream][0] for reply in replies))
    policy = connect(server, stream=stream)
    messages, info = play(policy, n_turns=2)
    assert info["answer"] == "B"
    assert info["n_operations"] == 1
    assert json.loads(messages[0])["tool_calls"] == [tool_call(BOX)]
    first, second = server.requests
    assert first.body["tools"] == pixel_env.dialects.get_dialect("openai").tool_schemas()
    assert [each["role"] for each in second.messages] == [
        "system", "user", "assistant", "tool", "user",
    ]  # fmt: skip
    assert second.messages[:2] == first.messages
    assert second.messages[3]["tool_call_id"] == "call_a"
    assert json.dumps(second.body).count("data:image/png;base64,") == 2
    usage = policy.usage(0)
    assert (usage.requests, usage.prompt_tokens, usage.completion_tokens) == (2, 200, 20)
    assert usage.pictures == 3  # one, then both
    assert usage.fingerprints == ("fp_1",)
    assert usage.seconds > 0
    assert usage.cost is None


def test_a_text_dialect_gets_no_tools_and_its_calls_stay_text(serve):
    server = serve(completion(TEXT_CALL), completion(r"\boxed{B}"))
    messages, info = play(connect(server, dialect="pixel-reasoner"), n_turns=2)
    assert messages == [TEXT_CALL, r"\boxed{B}"]
    assert info["answer"] == "B"
    assert all("tools" not in request.body for request in server.requests)
    assert server.requests[1].messages[2] == {"role": "assistant", "content": TEXT_CALL}


def test_a_call_that_the_server_took_out_of_the_text_is_put_back(serve):
    server = serve(completion("Closer.", tool_call(BOX)))
    messages, info = play(connect(server, dialect="pixel-reasoner"))
    assert messages[0] == f"Closer.\n{TEXT_CALL}"
    assert info["n_operations"] == 1


def test_settings_go_into_the_request(serve):
    server = serve(completion("B"))
    policy = connect(
        server, temperature=0.7, top_p=0.9, max_tokens=77, stop=["END"], system="none",
        extra_body={"top_k": 5}, picture_format="jpeg", jpeg_quality=70, detail="high",
    )  # fmt: skip
    play(policy)
    body = server.requests[0].body
    sent = {name: body[name] for name in ("temperature", "top_p", "max_tokens", "stop", "top_k")}
    assert sent == {
        "temperature": 0.7, "top_p": 0.9, "max_tokens": 77, "stop": ["END"], "top_k": 5,
    }  # fmt: skip
    assert body["model"] == "scripted"
    assert body["messages"][0]["role"] == "user"
    picture = body["messages"][0]["content"][0]["image_url"]
    assert picture["url"].startswith("data:image/jpeg;base64,")
    assert picture["detail"] == "high"


def test_what_is_null_is_left_to_the_server(serve):
    server = serve(completion("B"))
    play(connect(server, temperature=None, max_tokens=None, seed=False))
    assert not server.requests[0].body.keys() & {"temperature", "top_p", "max_tokens", "seed"}


def test_each_episode_and_each_turn_has_its_own_seed(serve):
    server = serve(completion(None, tool_call(BOX)))
    policy = connect(server)
    for seed in (7, 2**32 - 1):
        play(policy, n_turns=2, seed=seed)
    play(policy, seed=None)
    seeds = [request.body.get("seed") for request in server.requests]
    assert seeds == [7, 8, 2**31 - 1, 0, None]


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
@pytest.mark.parametrize("keep", [False, True])
def test_reasoning_is_recorded_graded_by_nobody_and_handed_back_only_if_asked(serve, name, keep):
    thought = "It is surely B."
    reply = completion(None, tool_call(BOX), **{name: thought})
    server = serve(reply, completion("", **{name: thought}))
    policy = connect(server, keep_reasoning=keep)
    _, info = play(policy, n_turns=2)
    assert policy.message_facts(0)["reasoning"] == thought
    assert info.get("answer") is None
    returned = server.requests[1].messages[2].get("reasoning_content")
    assert returned == (thought if keep else None)


def test_reasoning_comes_in_pieces_too(serve):
    server = serve(streamed(chunks(completion("B", reasoning_content="It is surely B."))))
    policy = connect(server, stream=True)
    _, info = play(policy)
    assert policy.message_facts(0)["reasoning"] == "It is surely B."
    assert info["answer"] == "B"


def test_a_text_that_ended_a_reply_is_put_back_where_the_server_names_it(serve):
    cut = completion(TEXT_CALL.removesuffix("</tool_call>"))
    cut["choices"][0]["stop_reason"] = "</tool_call>"
    server = serve(cut)
    policy = connect(server, dialect="pixel-reasoner", stop="</tool_call>")
    messages, info = play(policy)
    assert messages == [TEXT_CALL]
    assert info["n_operations"] == 1


@pytest.mark.parametrize("reason", [None, 151645, "other"])
def test_a_reply_that_ended_otherwise_stays_as_it_is(serve, reason):
    cut = completion("B")
    cut["choices"][0]["stop_reason"] = reason
    messages, _ = play(connect(serve(cut), dialect="pixel-reasoner", stop="</tool_call>"))
    assert messages == ["B"]


def test_a_reply_cut_at_its_limit_is_the_policys_message(serve):
    cut = completion(None, tool_call('{"bbox_2d": [0, 0'), finish="length")
    server = serve(cut, completion("B"))
    policy = connect(server)
    _, info = play(policy, n_turns=2)
    assert info["n_operation_errors"] == 1
    assert info["answer"] == "B"
    assert server.requests[1].messages[2]["content"].startswith('{"id": "call_a"')


def test_too_long_a_conversation_spends_the_turns_as_a_model_out_of_context_does(serve):
    refusal = {"error": {"message": "This model's maximum context length is 640 tokens."}}
    server = serve(Reaction(refusal, 400))
    policy = connect(server)
    messages, info = play(policy, n_turns=3)
    assert messages == ["", "", ""]
    assert len(server.requests) == 1
    assert policy.message_facts(0) == {"finish_reason": "over_context"}
    assert info.get("answer") is None


GOOD = completion("B")


@pytest.mark.parametrize(
    "first",
    [
        Reaction({"error": {"message": "busy"}}, 500),
        Reaction({}, 503),
        Reaction({"error": {"message": "slow down"}}, 429, {"retry-after": "0"}),
        Reaction(b'{"choices": [', drop=True),
        Reaction(b"<html>gateway</html>", headers={"content-type": "text/html"}),
        Reaction(b'{"choices": ['),
        {"choices": []},
        {"object": "error"},
        {"choices": [{"message": {"content": 5}}]},
        {"choices": [{"message": {"content": "B", "tool_calls": "zoom_in"}}]},
        {"choices": ["B"]},
        [],
    ],
    ids=lambda each: str(getattr(each, "status", each)),
)
def test_what_fails_once_is_asked_again(serve, first):
    server = serve(first, GOOD)
    _, info = play(connect(server))
    assert len(server.requests) == 2
    assert info["answer"] == "B"


@pytest.mark.parametrize(
    "first",
    [
        streamed(chunks(GOOD)[:2], done=False),
        Reaction(b'data: {"choices": [', headers={"content-type": "text/event-stream"}),
        Reaction(b"data: []\n\n", headers={"content-type": "text/event-stream"}),
        Reaction(b"data: {}\n\n", drop=True, headers={"content-type": "text/event-stream"}),
        Reaction(
            b'data: {"error": {"message": "engine died"}}\n\n',
            headers={"content-type": "text/event-stream"},
        ),
        Reaction({}, 500),
    ],
)
def test_a_stream_that_breaks_off_is_asked_for_again(serve, first):
    server = serve(first, streamed(chunks(GOOD)))
    _, info = play(connect(server, stream=True))
    assert len(server.requests) == 2
    assert info["answer"] == "B"


@pytest.mark.parametrize(
    ("reaction", "n_requests", "says"),
    [
        (Reaction({"error": {"message": "no memory"}}, 500), 3, "no memory"),
        (Reaction(b"x", drop=True), 3, "Connection"),
        (Reaction(b"no"), 3, "JSON"),
        (Reaction({"error": {"message": "no such field"}}, 400), 1, "no such field"),
    ],
)
def test_what_fails_for_good_is_a_fault_of_the_server(serve, reaction, n_requests, says):
    server = serve(reaction)
    with pytest.raises(ServiceError, match=says) as caught:
        play(connect(server, max_retries=2))
    assert len(server.requests) == n_requests
    assert not caught.value.stops


def test_a_server_that_is_silent_is_given_up_after_the_timeout(serve):
    never = threading.Event()
    server = serve(Reaction(GOOD, wait=never))
    with pytest.raises(ServiceError, match="timed out"):
        play(connect(server, timeout=0.05, max_retries=1))
    never.set()
    assert len(server.requests) == 2


def test_a_server_that_isnt_there_is_a_fault_of_the_server():
    with ScriptedServer(in_turn(GOOD)) as server:
        url = server.url
    with pytest.raises(ServiceError, match="Connection"):
        play(make_policy(f"openai:{url}#scripted", max_retries=0))
    with pytest.raises(ServiceError, match="Connection"):
        make_policy(f"openai:{url}", max_retries=0)


def test_too_many_requests_slow_down_and_dont_fail(serve, monkeypatch):
    paused = []

    async def pause(seconds):
        paused.append(seconds)

    limit = Reaction({"error": {"message": "slow down"}}, 429, {"retry-after": "0.01"})
    server = serve(*[limit] * 7, GOOD)
    policy = connect(server, max_retries=1)
    monkeypatch.setattr(server_module.asyncio, "sleep", pause)
    _, info = play(policy)
    assert len(server.requests) == 8  # two tries of the client each time
    assert info["answer"] == "B"
    assert max(paused) <= 0.01


def test_patience_with_a_server_has_an_end(serve):
    limit = Reaction({"error": {"message": "slow down"}}, 429, {"retry-after": "500"})
    server = serve(limit)
    with pytest.raises(ServiceError, match="slow down"):
        play(connect(server, patience=499))
    assert len(server.requests) == 1  # the client doesn't wait as long, and neither do we


@pytest.mark.parametrize(
    "reaction",
    [
        Reaction({"error": {"message": "bad key"}}, 401),
        Reaction({"error": {"message": "no such model"}}, 404),
        Reaction({"error": {"message": "no money", "code": "insufficient_quota"}}, 429),
    ],
)
def test_what_no_further_request_mends_stops_at_once(serve, reaction):
    with pytest.raises(ServiceError) as caught:
        play(connect(serve(reaction), max_retries=0))
    assert caught.value.stops


def test_failures_in_a_row_stop_and_a_reply_between_them_begins_again(serve):
    bad = Reaction({"error": {"message": "no memory"}}, 500)
    server = serve(bad, bad, GOOD, bad, bad, bad)
    policy = connect(server, max_retries=0, most_failures=3)
    stops = []
    for _ in range(6):
        try:
            play(policy)
        except ServiceError as fault:
            stops.append(fault.stops)
    assert stops == [False, False, False, False, True]


def test_all_lanes_are_asked_at_once(serve):
    together = threading.Barrier(6)

    def script(request, number):
        together.wait(20)
        return GOOD

    policy = connect(serve(script=script))
    env = TextAction(gym.make("PixelReason-SyntheticSearch-v0"), policy.dialect)
    observation, _ = env.reset(seed=3)
    for lane in range(6):
        policy.reset(lane, lane)
    assert len(policy.act([observation] * 6, range(6))) == 6


def test_money_is_counted_where_there_are_prices(serve):
    server = serve(completion("B", usage=(2_000_000, 500_000)))
    policy = connect(server, prompt_price=3, completion_price=10)
    play(policy)
    assert policy.usage(0).cost == pytest.approx(2 * 3 + 0.5 * 10)
    assert policy.message_facts(0)["cost"] == pytest.approx(11)


def test_the_manifest_holds_what_the_server_says_of_itself(serve):
    server = serve(GOOD)
    policy = connect(server)
    facts = policy.facts()
    assert facts["server"] == {
        "base_url": f"{server.url}/",
        "server": "scripted/1",
        "model": {"id": "scripted", "root": "models/scripted"},
    }
    assert facts["system_prompt"].startswith("You answer a question")
    server.models = None
    assert policy.facts()["server"]["model"] is None
    assert policy.settings()["dialect"] == "openai"
    assert not policy.settings().keys() & {"timeout", "max_retries", "patience"}


def test_the_only_model_needs_no_name(serve):
    server = serve(GOOD)
    assert make_policy(f"openai:{server.url}").name == f"openai:{server.url}#scripted"
    server.models = [{"id": "a"}, {"id": "b"}]
    with pytest.raises(ConfigError, match="models: a, b"):
        make_policy(f"openai:{server.url}")


def test_the_client_finds_its_server_and_key_in_the_environment(serve, monkeypatch):
    server = serve(GOOD)
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    policy = make_policy("openai:#scripted")
    assert policy.name == "openai:#scripted"
    assert policy.facts()["server"]["base_url"] == f"{server.url}/"
    play(policy)
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"


def test_a_server_elsewhere_needs_a_key_and_one_on_loopback_doesnt(serve):
    with pytest.raises(ConfigError, match="OPENAI_API_KEY"):
        make_policy("openai:https://models.example/v1#m")
    server = serve(GOOD)
    play(connect(server))
    assert server.requests[0].headers["authorization"] == "Bearer none"


def test_a_proxy_is_not_asked_for_a_server_on_this_machine(serve, monkeypatch):
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    _, info = play(connect(serve(GOOD), max_retries=0))
    assert info["answer"] == "B"


def test_a_key_that_a_server_quotes_stays_out_of_errors(serve, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    quoting = Reaction({"error": {"message": f"wrong key {KEY}"}}, 401)
    with pytest.raises(ServiceError, match=r"wrong key \[key\]"):
        play(connect(serve(quoting)))


def test_a_served_policy_is_what_evaluations_ask_for(serve):
    policy = connect(serve(GOOD))
    for protocol in (Concurrent, Metered, Configured, Described):
        assert isinstance(policy, protocol)
    assert is_named(policy.name)

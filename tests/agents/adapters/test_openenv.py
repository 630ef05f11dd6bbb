"""The server and the client of OpenEnv, on loopback: sessions, bounds, and nothing of the answer.

pytest tests/agents/adapters/test_openenv.py -m slow
"""

import gc
import json
import time
import urllib.error
import urllib.request

import pytest
from adapter_task import CLIP, ID, PLACE, SECRET, SMALL, UNGRADABLE, UNREADABLE

from pixel_env import PixelReasoningEnv

pytest.importorskip("openenv")
pytestmark = pytest.mark.slow

ZOOM = '<tool_call>{"name": "zoom_in", "arguments": {"bbox_2d": [0, 0, 0.5, 0.5]}}</tool_call>'
RIGHT = rf"\boxed{{{SECRET}}}"


@pytest.fixture(scope="module")
def serving():
    from openenv_play import serving

    return serving


@pytest.fixture(scope="module")
def client():
    from pixel_env.agents.adapters.openenv_client import PixelReasonClient

    return lambda address: PixelReasonClient(address).sync()


def act(message):
    from pixel_env.agents.adapters.openenv_messages import PixelAction

    return PixelAction(message=message)


def raw(address, **settings):
    from websockets.sync.client import connect

    return connect(f"{address.replace('http', 'ws')}/ws", max_size=None, **settings)


def ask(socket, kind, data=None):
    socket.send(json.dumps({"type": kind} if data is None else {"type": kind, "data": data}))
    return socket.recv()


def until(condition):
    """Waits for what another thread does."""
    for _ in range(500):
        if condition():
            return True
        time.sleep(0.02)
    return False


def test_sessions_run_side_by_side(serving, client):
    with serving(ID, SMALL) as (address, server):
        with client(address) as first, client(address) as second:
            assert first.reset(index=0).observation.messages[-1]["role"] == "user"
            assert second.reset(index=CLIP).observation.video
            assert server.active_sessions == 2
            assert first.step(act(ZOOM)).observation.n_calls == 1
            assert second.step(act(RIGHT)).reward == 1.0
            assert not first.step(act(ZOOM)).done
            result = first.step(act(r"\boxed{a cat}"))
            assert (result.reward, result.done, result.observation.n_calls) == (0.0, True, 2)
            assert first.reset(index=1).observation.n_calls == 0
        assert until(lambda: server.active_sessions == 0)


def test_one_session_too_many_is_refused(serving, client):
    with serving(ID, SMALL, max_sessions=1) as (address, server):
        with client(address) as first:
            first.reset(index=0)
            with raw(address) as second:
                assert "CAPACITY_REACHED" in second.recv()
            with client(address) as third, pytest.raises(Exception, match=r"CAPACITY|1000"):
                third.reset(index=0)
            assert first.step(act(RIGHT)).reward == 1.0
        assert until(lambda: server.active_sessions == 0)
        with client(address) as third:
            assert not third.reset(index=0).done


def test_a_silent_session_ends_and_makes_room(serving, client):
    with serving(ID, SMALL, max_sessions=1, timeout_s=0.4) as (address, server):
        with raw(address) as silent:
            ask(silent, "reset", {"index": 0})
            assert server.active_sessions == 1
            assert until(lambda: server.active_sessions == 0)
            with pytest.raises(Exception, match="1000"):
                silent.recv()
        with client(address) as other:
            assert not other.reset(index=0).done


def test_ended_sessions_leave_no_environment_behind(serving, client):
    def count():
        gc.collect()
        return sum(isinstance(each, PixelReasoningEnv) for each in gc.get_objects())

    before = count()
    with serving(ID, SMALL) as (address, server):
        for _ in range(5):
            with client(address) as each:
                each.reset(index=0)
                each.step(act(ZOOM))
        assert until(lambda: server.active_sessions == 0)
        # The one that others are copied from stays; a thread may let go of its last one later.
        assert until(lambda: count() - before <= 1)


def test_no_reply_leads_to_the_answer(serving):
    replies = []
    with serving(ID, SMALL) as (address, _), raw(address) as socket:
        for index in range(5):
            replies += [
                ask(socket, "reset", {"index": index, "episode_id": "mine"}),
                ask(socket, "step", {"message": ZOOM}),
                ask(socket, "step", {"message": "I wonder."}),
                ask(socket, "state"),
                ask(socket, "step", {"message": r"\boxed{a cat}"}),
                ask(socket, "step", {"message": "more"}),
            ]
        for path in ("health", "metadata", "schema"):
            with urllib.request.urlopen(f"{address}/{path}") as reply:
                replies.append(reply.read().decode())
    assert sum("What is hidden" in reply for reply in replies) == 4
    for reply in replies:
        for secret in (SECRET, "0.71", "0.72", PLACE, "rows.jsonl", "evidence", "SecretTask"):
            assert secret not in reply
    state = json.loads(replies[3])["data"]
    assert state == {"episode_id": "mine", "step_count": 2}


def test_faults_of_the_data_have_no_reward(serving, client):
    with serving(ID, SMALL) as (address, _), client(address) as session:
        result = session.reset(index=UNREADABLE)
        assert (result.reward, result.done, result.observation.left_out) == (None, True, True)
        assert not session.reset(index=UNGRADABLE).observation.left_out
        result = session.step(act(RIGHT))
        assert (result.reward, result.done, result.observation.left_out) == (None, True, True)


def test_a_seed_fixes_the_order(serving, client):
    with serving(ID, SMALL) as (address, _), client(address) as one, client(address) as other:
        first = [one.reset(seed=3).observation, one.reset().observation]
        second = [other.reset(seed=3).observation, other.reset().observation]
        assert first == second
        assert first[0] != first[1]


def test_what_cannot_be_read_is_answered_and_the_session_goes_on(serving):
    with serving(ID, SMALL) as (address, _), raw(address) as socket:
        ask(socket, "reset", {"index": 0})
        for kind, data in [
            ("step", {}),
            ("step", {"message": 5}),
            ("step", {"message": "B", "more": 1}),
            ("step", "B"),
            ("reset", {"index": 99}),
            ("reset", {"index": "x"}),
            ("reset", {"seed": -1}),
            ("reset", {"seed": "x"}),
            ("mcp", {"method": "tools/list"}),
            ("dance", {}),
        ]:
            assert "error" in ask(socket, kind, data), (kind, data)
        socket.send("{")
        assert "INVALID_JSON" in socket.recv()
        ask(socket, "reset", {"index": 0})
        assert json.loads(ask(socket, "step", {"message": RIGHT}))["data"]["reward"] == 1.0


def test_long_messages_are_refused(serving):
    from pixel_env.agents.adapters.openenv_messages import MAX_CHARS
    from pixel_env.agents.adapters.openenv_server import MESSAGE_BYTES

    with serving(ID, SMALL) as (address, server):
        with raw(address) as socket:
            ask(socket, "reset", {"index": 0})
            assert "VALIDATION_ERROR" in ask(socket, "step", {"message": "x" * (MAX_CHARS + 1)})
            with pytest.raises(Exception, match="1009"):
                ask(socket, "step", {"message": "x" * (MESSAGE_BYTES + 1)})
        assert until(lambda: server.active_sessions == 0)


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "reset"), ("POST", "step"), ("GET", "state"), ("POST", "mcp"), ("GET", "docs"),
     ("GET", "openapi.json"), ("GET", "web"), ("POST", "health"), ("GET", "")],
)  # fmt: skip
def test_routes_without_a_session_are_closed(serving, method, path):
    with serving(ID, SMALL) as (address, _):
        data = b"{}" if method == "POST" else None
        asked = urllib.request.Request(f"{address}/{path}", data=data, method=method)
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(asked)


def test_a_page_in_a_browser_gets_no_session(serving):
    with serving(ID, SMALL) as (address, server):
        with pytest.raises(Exception, match="403"), raw(address, origin="http://example.org"):
            pass
        assert server.active_sessions == 0

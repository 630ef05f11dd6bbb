"""The class of skyrl-gym, through its own registry.

pytest tests/agents/adapters/test_skyrl.py -m slow
"""

import pytest
from adapter_task import CLIP, ID, SECRET, SMALL, UNGRADABLE

pytest.importorskip("skyrl_gym")
pytestmark = pytest.mark.slow


@pytest.fixture
def made():
    from skyrl_play import made

    return made


def test_the_prompt_keeps_its_system_message_and_shows_the_sample(made):
    env = made(ID, SMALL, CLIP)
    system = {"role": "system", "content": "S"}
    messages, info = env.init([system, {"role": "user", "content": "<image>Q"}])
    assert messages[0] == system
    assert len(messages) == 2
    assert [part["type"] for part in messages[1]["content"]] == ["image_url"] * 16 + ["text"]
    assert info == {"n_calls": 0, "video": True, "left_out": False}


def test_metrics_hold_what_the_bonus_needs(made):
    env = made(ID, SMALL, 0)
    env.init([])
    call = '<tool_call>{"name": "zoom_in", "arguments": {"bbox_2d": [0, 0, 1, 0.5]}}</tool_call>'
    assert env.step(call)["reward"] == 0.0
    last = env.step(rf"\boxed{{{SECRET}}}")
    assert (last["reward"], last["done"], last["observations"]) == (1.0, True, [])
    assert env.get_metrics() == {"n_calls": 1, "video": False, "left_out": False}


def test_a_fault_is_paid_nothing_and_marked(made):
    env = made(ID, SMALL, UNGRADABLE)
    env.init([])
    last = env.step("It is \\boxed{a cat}")
    assert (last["reward"], last["done"]) == (0.0, True)
    assert last["metadata"]["left_out"]
    assert "rows.jsonl" not in str(last)


@pytest.mark.parametrize("index", range(5))
def test_nothing_that_is_handed_over_leads_to_the_answer(made, index):
    env = made(ID, SMALL, index)
    handed = [env.init([{"role": "user", "content": "<image>Q"}])]
    calls = (
        f'<tool_call>{{"name": "zoom_in", "arguments": {{"bbox_2d": {box}}}}}</tool_call>'
        for box in ("[0, 0, 1, 0.5]", 7)
    )
    handed += [env.step(message) for message in (*calls, r"\boxed{a cat}")]
    handed.append(env.get_metrics())
    for each in handed:
        for secret in (SECRET, "0.71", "0.72", "rows.jsonl", "SecretTask"):
            assert secret not in str(each)

"""TRL's side without TRL: the class, its tools, rows, rewards, and the chat template."""

import copy
import inspect
import json

import pytest
from adapter_task import CLIP, ID, SECRET, SMALL, UNGRADABLE, UNREADABLE
from tiny_models import tiny_processor, tiny_tokenizer
from transformers.utils.chat_template_utils import get_json_schema

from pixel_env import ConfigError, curiosity_bonus, register_operation
from pixel_env.agents.adapters.trl import curiosity, dataset_row, environment_class, score
from pixel_env.agents.adapters.trl_template import CHAT_TEMPLATE, prepare
from pixel_env.dialects import get_dialect
from pixel_env.operations import ChoiceArgument, Operation, Outcome

RIGHT = rf"\boxed{{{SECRET}}}"
BOX = [0.1, 0.2, 0.7, 0.8]
CALL = '<tool_call>{"name": "zoom_in", "arguments": {"bbox_2d": [0, 0, 1, 1]}}</tool_call>'


def row(index, **changes):
    plain = {"env_id": ID, "env_args": json.dumps(SMALL), "dialect": "pixel-reasoner"}
    return {**plain, "sample_index": index, **changes}


def said(text, calls=()):
    message = {"role": "assistant", "content": text}
    return [{**message, "tool_calls": list(calls)} if calls else message]


def rollouts(index, zooms):
    """Begins a rollout for each entry of `zooms`, which makes so many calls."""
    environments = [environment_class()() for _ in zooms]
    for environment, n_calls in zip(environments, zooms, strict=True):
        environment.reset(**row(index))
        for _ in range(n_calls):
            environment.crop_image_normalized(bbox_2d=BOX)
    return environments


def public(made):
    """Returns what TRL makes tools of."""
    names = [name for name, _ in inspect.getmembers(made, inspect.isfunction)]
    return {name for name in names if name not in ("reset", "get_reward") and name[0] != "_"}


def test_only_the_operations_are_tools():
    assert public(environment_class()) == {"crop_image_normalized", "select_frames"}
    assert public(environment_class("deepeyes")) == {
        schema["function"]["name"] for schema in get_dialect("deepeyes").tool_schemas()
    }


class Rotate(Operation):
    name, description = "rotate", "Turns a picture."
    arguments = (ChoiceArgument("degrees", values=(90, 180, 270)),)

    def do(self, action, history):
        return Outcome()

    def tell(self, facts, terms):
        return "It was turned."


def test_a_registered_operation_is_a_tool():
    with register_operation(Rotate()):
        made = environment_class()
    schema = get_json_schema(made().rotate)["function"]
    assert schema["parameters"]["properties"]["degrees"]["enum"] == [90, 180, 270]
    assert "rotate" not in public(environment_class())


def test_a_tools_schema_is_that_of_the_operation():
    for schema in get_dialect("pixel-reasoner").tool_schemas():
        function = schema["function"]
        made = get_json_schema(getattr(environment_class()(), function["name"]))["function"]
        assert made["description"] == function["description"]
        assert made["parameters"]["required"] == function["parameters"]["required"]
        assert list(made["parameters"]["properties"]) == list(function["parameters"]["properties"])
        for name, told in function["parameters"]["properties"].items():
            read = made["parameters"]["properties"][name]
            assert (read["type"], read["description"]) == (told["type"], told["description"])


def test_what_a_tool_cannot_take_is_refused_in_words():
    environment = environment_class()()
    environment.reset(**row(0))
    (part,) = environment.crop_image_normalized(box=BOX)
    assert part["text"].startswith('"crop_image_normalized" takes bbox_2d and target_image')
    (part,) = environment.crop_image_normalized(bbox_2d="everything", self=1)
    assert "takes" in part["text"]
    assert environment.episode.facts.n_calls == 2


def test_a_tool_without_an_episode_is_a_developers_mistake():
    with pytest.raises(ConfigError, match="expected a call of reset"):
        environment_class()().crop_image_normalized(bbox_2d=BOX)


def test_dialects_that_the_parser_cannot_read_are_refused():
    for name in ("openai", "qwen-xml", "mini-o3"):
        with pytest.raises(ConfigError, match="as JSON in <tool_call>"):
            environment_class(name)


def test_rows_of_another_dialect_are_refused():
    with pytest.raises(ConfigError, match="expected rows of pixel-reasoner, got 'deepeyes'"):
        environment_class()().reset(**row(0, dialect="deepeyes"))


def test_a_row_keeps_its_system_message_and_leaves_the_rest_to_reset():
    prompt = [{"role": "system", "content": "S"}, {"role": "user", "content": "<image>Q"}]
    made = dataset_row(row(3, prompt=prompt))
    assert made["prompt"] == [prompt[0], {"role": "user", "content": ""}]
    assert made["sample_index"] == 3


def test_the_last_message_is_graded_once():
    environments = rollouts(0, [0, 1, 0])
    finals = [said(RIGHT), said(r"\boxed{a cat}"), said(CALL)]
    assert score(environments, finals) == [1.0, 0.0, 0.0]
    assert score(environments, [said(RIGHT)] * 3) == [1.0, 0.0, 0.0]
    assert [each.facts.n_calls for each in environments] == [0, 1, 1]


def test_a_rollout_that_was_cut_at_a_call_has_no_answer():
    (environment,) = rollouts(0, [1])
    assert score([environment], [said(RIGHT, [{"type": "function"}])]) == [0.0]
    (environment,) = rollouts(0, [0])
    assert score([environment], [[]]) == [0.0]


def test_curiosity_is_what_the_paper_pays():
    zooms = [0, 0, 0, 0, 0, 0, 1, 3]
    environments = rollouts(0, zooms)
    paid = curiosity(8)(environments=environments, completions=[said(RIGHT)] * 8, prompts=None)
    bonus, penalty = curiosity_bonus(2 / 8, [n > 0 for n in zooms], zooms)
    assert paid == pytest.approx(list(bonus + penalty))
    assert paid[6] == pytest.approx(0.5 * (0.3 - 0.25))
    assert paid[7] == pytest.approx(0.5 * (0.3 - 0.25) + 0.05 * (1 - 3))


def test_settings_of_curiosity_are_taken():
    environments = rollouts(0, [0, 1])
    made = curiosity(2, threshold=0.75, alpha=1.0)
    assert made(environments, [said(RIGHT)] * 2) == pytest.approx([0.0, 0.25])
    with pytest.raises(ConfigError):
        curiosity(2, alpa=1.0)


def test_groups_are_paid_each_for_itself():
    environments = [*rollouts(0, [0, 1]), *rollouts(1, [1, 1])]
    paid = curiosity(2, threshold=0.6, alpha=1.0)(environments, [said(RIGHT)] * 4)
    assert paid == pytest.approx([0.0, 0.1, 0.0, 0.0])


def test_a_part_of_a_group_is_refused():
    environments = rollouts(0, [0, 1, 0])
    with pytest.raises(ConfigError, match="expected whole groups of 2"):
        curiosity(2)(environments, [said(RIGHT)] * 3)
    mixed = [*rollouts(0, [0]), *rollouts(1, [0])]
    with pytest.raises(ConfigError, match="expected whole groups of 2"):
        curiosity(2)(mixed, [said(RIGHT)] * 2)


@pytest.mark.parametrize("index", [UNREADABLE, UNGRADABLE])
def test_a_fault_of_the_data_is_left_out_of_every_reward(index):
    environments = rollouts(index, [0, 0])
    finals = [said(RIGHT), said("I wonder.")]
    scores, paid = score(environments, finals), curiosity(2)(environments, finals)
    assert scores[0] is None
    assert paid[0] is None
    if index == UNGRADABLE:  # the other rollout never got to the grader
        assert scores[1] == 0.0
        assert paid[1] == 0.0


def test_a_sample_that_cannot_be_read_still_shows_a_picture():
    """TRL can't take a batch of which some prompts have none."""
    parts = environment_class()().reset(**row(UNREADABLE))
    assert [part["type"] for part in parts] == ["image", "text"]
    assert "rows.jsonl" not in parts[1]["text"]


def test_a_fault_does_not_count_in_the_share_of_users():
    environments = rollouts(UNGRADABLE, [1, 0, 1])
    finals = [said(RIGHT), said("I wonder."), said("I wonder.")]
    paid = curiosity(3, threshold=0.75, alpha=1.0)(environments, finals)
    assert paid[0] is None
    assert paid[1:] == pytest.approx([0.0, 0.25])


@pytest.mark.parametrize("index", range(5))
def test_nothing_that_trl_is_handed_leads_to_the_answer(index):
    environment = environment_class()()
    handed = [dataset_row(row(index, prompt=[])), environment.reset(**row(index))]
    handed += [environment.crop_image_normalized(bbox_2d=box) for box in (BOX, [1, 0, 0, 1], 7)]
    handed += [environment.select_frames(target_frames=frames) for frames in ([2, 3], [99])]
    finals = [said(r"\boxed{a cat}")]
    handed += [score([environment], finals), curiosity(1)([environment], finals)]
    handed += [get_json_schema(getattr(environment, name)) for name in public(type(environment))]
    for each in handed:
        for secret in (SECRET, "0.71", "0.72", "rows.jsonl", "SecretTask"):
            assert secret not in str(each)


def render(messages, **settings):
    tokenizer = tiny_tokenizer()
    return tokenizer.apply_chat_template(
        messages, chat_template=CHAT_TEMPLATE, tokenize=False, **settings
    )


def conversation():
    environment = environment_class()()
    opening = [{"role": "system", "content": "S"}]
    opening += [{"role": "user", "content": environment.reset(**row(CLIP))}]
    call = {"name": "select_frames", "arguments": {"target_frames": [2, 3]}}
    message = {"role": "assistant", "content": "Look.", "tool_calls": [{"function": call}]}
    result = environment.select_frames(**call["arguments"])
    return [*opening, message, {"role": "tool", "content": result}, *said(RIGHT)]


def test_the_template_never_changes_the_past():
    messages = conversation()
    for n in range(1, len(messages)):
        past = render(messages[:n])
        for more in range(n + 1, len(messages) + 1):
            assert render(messages[:more]).startswith(past)
    assert render(messages).count("<|image_pad|>") == 18


def test_tools_are_written_where_no_system_message_names_them():
    tools = get_dialect("pixel-reasoner").tool_schemas()
    messages = conversation()
    assert render(messages, tools=tools) == render(messages)
    assert "bbox_2d" in render(messages[1:], tools=tools)
    assert "bbox_2d" not in render(messages[1:])


def test_no_picture_is_so_small_that_it_is_made_larger():
    class Parts:
        tokenizer = copy.deepcopy(tiny_tokenizer())
        image_processor = tiny_processor("qwen2_5_vl")

    made = prepare(Parts())
    assert made.image_processor.size["shortest_edge"] == 28 * 28
    assert made.tokenizer.padding_side == "left"

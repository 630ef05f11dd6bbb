"""The qwen-xml dialect's own syntax: one function, each argument in a tag of its own."""

import pytest
from dialect_calls import TWO, ZOOMS

from pixel_env import OperationError
from pixel_env.dialects import get_dialect

DIALECT = get_dialect("qwen-xml")
BOX = "<parameter=bbox_2d>[0, 0, 500, 500]</parameter>"


def call(inside, name="image_zoom_in_tool"):
    return f"<tool_call><function={name}>{inside}</function></tool_call>"


@pytest.mark.parametrize("space", ["", "\n", " \n\t"])
def test_white_space_around_tags_and_values_is_free(space):
    text = ZOOMS["qwen-xml"].replace(">", f">{space}").replace("<", f"{space}<")
    assert DIALECT.parse(text, TWO)["bbox"].tolist() == [0.25, 0.5, 0.75, 1]


LABELS = ["the [red] mug", "NaN", "nothing", "", "a > b, c < d", "null", "3 mugs", "[EXIT] sign"]
LABELS += ['"red" mug', "{mug", "-", "1e", "[1, 2", "9" * 50, "0.5", "</mug>"]


@pytest.mark.parametrize("label", LABELS)
def test_a_label_is_any_text(label):
    text = call(BOX + f"<parameter=label>{label}</parameter>")
    assert DIALECT.parse(text, TWO)["bbox"].tolist() == [0, 0, 0.5, 0.5]


@pytest.mark.parametrize("start", ["", "<tool_call>", "<tool_call>\n", "I look.\n\n"])
@pytest.mark.parametrize("end", ["</parameter></function>", "</parameter>\n</function>\n</tool_ca"])
@pytest.mark.parametrize("missing", ["", "</tool_ca", "</function>", "</parameter>"])
def test_closing_tags_may_be_missing_where_the_value_is_whole(start, end, missing):
    box = BOX.replace("</parameter>", "")
    text = f"{start}<function=image_zoom_in_tool>{box}{end.replace(missing, '')}"
    assert DIALECT.parse(text, TWO)["bbox"].tolist() == [0, 0, 0.5, 0.5]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (call(BOX).replace("</function>", f"</function><function=f>{BOX}</function>"), "several"),
        (call(BOX + "<function=f></function>"), "several"),
        (call(BOX + BOX), "malformed"),
        (call(BOX + "and"), "malformed"),
        (call("box: " + BOX), "malformed"),
        (call("<parameter=img_idx>0" + BOX + "<parameter=img_idx>0"), "malformed"),
        (call(BOX)[: -len("</function></tool_call>")] + " I wait.", "malformed"),
        (call(BOX)[: -len("</parameter></function></tool_call>") - 1], "malformed"),
        ("<function=image_zoom_in_tool>" + BOX + "<parameter=img_idx>1", "malformed"),
        ("<function=image_zoom_in_tool>" + BOX + "<parameter=label>a mu", "malformed"),
        (BOX, "malformed"),
        (call(BOX, name=""), "malformed"),
        (call(BOX, name="a b"), "malformed"),
        (f"<tool_call>{BOX}</tool_call>", "malformed"),
        (ZOOMS["qwen3-vl"], "malformed"),
        (call(BOX.replace("]", "")), "malformed"),
        (call(BOX.replace("[", "[NaN, ")), "bad_arguments"),
        (call(BOX.replace("[0, 0, 500, 500]", "all of it")), "bad_box"),
        (call(BOX.replace("[0, 0, 500, 500]", "0, 0, 500, 500")), "malformed"),
        (call(BOX + "<parameter=img_idx>first</parameter>"), "bad_image"),
        (call(BOX.replace("500]", "500" + " " * 10_000 + "]")), "malformed"),
    ],
)
def test_what_is_not_one_function_is_refused(text, kind):
    with pytest.raises(OperationError) as caught:
        DIALECT.parse(text, TWO)
    assert caught.value.kind.startswith(kind)

"""Calls and answers as published models write them, one for each dialect."""

from pixel_env.dialects import Shown

TWO = Shown(sizes=((400, 200), (100, 80)))
CLIP = Shown(sizes=((100, 100),) * 16, n_frames=16)
WITH_FRAMES = ("pixel-reasoner", "pixel-reasoner-pixels", "qwen3-vl", "qwen-xml", "openai")
PLAIN = ("qwen3-vl", "qwen-xml", "openai")

TOOL_CALLS = (
    '{"role": "assistant", "content": null, "tool_calls": [{"id": "x", "type": "function", '
    '"function": {"name": "%s", "arguments": "%s"}}]}'
)
ZOOMS = {
    "pixel-reasoner": '<tool_call>\n{"name": "crop_image_normalized", "arguments": '
    '{"bbox_2d": [0.25, 0.5, 0.75, 1], "target_image": 2}}\n</tool_call>',
    "pixel-reasoner-pixels": '<tool_call>\n{"name": "crop_image", "arguments": '
    '{"bbox_2d": [25, 40, 75, 80], "target_image": 2}}\n</tool_call>',
    "deepeyes": '<tool_call>{"name": "image_zoom_in_tool", "arguments": '
    '{"bbox_2d": [100, 100, 300, 200], "label": "the mug"}}</tool_call>',
    "mini-o3": '<grounding>{"bbox_2d": [0.25, 0.5, 0.75, 1.0], "source": "observation_1"}'
    "</grounding>",
    "qwen3-vl": '<tool_call>{"name": "image_zoom_in_tool", "arguments": '
    '{"bbox_2d": [250, 500, 750, 1000], "label": "the mug", "img_idx": 1}}</tool_call>',
    "qwen-xml": "<tool_call><function=image_zoom_in_tool><parameter=bbox_2d>[250, 500, 750, 1000]"
    "</parameter><parameter=label>the mug</parameter><parameter=img_idx>1</parameter></function>"
    "</tool_call>",
    "openai": TOOL_CALLS % ("zoom_in", r"{\"bbox_2d\": [0.25, 0.5, 0.75, 1], \"target_image\": 2}"),
}
"""One region, [0.25, 0.5, 0.75, 1] of image 2, or of the original where no other can be asked."""

ANSWERS = {
    "pixel-reasoner": r"\boxed{B}",
    "pixel-reasoner-pixels": r"\boxed{B}",
    "deepeyes": "<answer>B</answer>",
    "mini-o3": "<answer>B</answer>",
    "qwen3-vl": "<answer>B</answer>",
    "qwen-xml": "B",
    "openai": '{"role": "assistant", "content": "B"}',
}

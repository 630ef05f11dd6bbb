"""The chat template with which TRL trains Qwen2.5-VL on this environment, and its parser.

TRL refuses the model's own template: it has no tools. This one writes what our token encoder
writes, so a rollout in TRL has the same tokens as one of ours: the result of a call is a message of
the user, with its pictures where they stand. No message depends on what follows it, so the past
never changes. Operations are in the dialect's system message; where a prompt has none, the schemas
of the tools are written as Qwen's models know them.
"""

from __future__ import annotations

from typing import Any

CHAT_TEMPLATE = """\
{%- if tools and messages[0].role != 'system' %}
    {{- '<|im_start|>system\\n# Tools\\n\\nYou may call one function in a message. These are '
        'their signatures:\\n<tools>' }}
    {%- for tool in tools %}
        {{- '\\n' + (tool | tojson) }}
    {%- endfor %}
    {{- '\\n</tools>\\n\\nA call is a JSON object with name and arguments in tags:\\n<tool_call>\\n'
        '{"name": ..., "arguments": ...}\\n</tool_call><|im_end|>\\n' }}
{%- endif %}
{%- for message in messages %}
    {{- '<|im_start|>' + ('user' if message.role == 'tool' else message.role) + '\\n' }}
    {%- if message.content is string %}
        {{- message.content }}
    {%- else %}
        {%- for part in message.content or [] %}
            {%- if part.type == 'text' %}
                {{- part.text }}
            {%- else %}
                {{- '<|vision_start|><|image_pad|><|vision_end|>' }}
            {%- endif %}
        {%- endfor %}
    {%- endif %}
    {%- for call in message.tool_calls or [] %}
        {%- if not loop.first or message.content %}
            {{- '\\n' }}
        {%- endif %}
        {{- '<tool_call>\\n{"name": "' + call.function.name + '", "arguments": ' }}
        {{- call.function.arguments | tojson }}
        {{- '}\\n</tool_call>' }}
    {%- endfor %}
    {{- '<|im_end|>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}
"""

RESPONSE_TEMPLATE = {
    "defaults": {"role": "assistant"},
    "start_anchor": "<|im_start|>assistant\n",
    "fields": {
        "tool_calls": {
            "open": "<tool_call>",
            "close_pattern": r"</tool_call>\s*",
            "repeats": True,
            "content": "json",
            "transform": {"type": "function", "function": "{content}"},
        },
        "content": {"close_pattern": r"<\|im_end\|>\s*", "content": "text"},
    },
}
"""How transformers reads a response (from 5.13 on). Thoughts stay in the content: whether an answer
stands in them is the dialect's to decide."""


def prepare(processor: Any) -> Any:
    """Gives a Qwen2.5-VL processor the template and its parser, in place; returns it.

    A picture that is made of whole image tokens is never resized, however small it is: the
    environment has decided its size. Padding stands on the left, where TRL wants it and doesn't
    look: on the right, prompts of different lengths without a call fail, or mistake text for
    pictures.
    """
    processor.chat_template = CHAT_TEMPLATE
    processor.tokenizer.response_template = RESPONSE_TEMPLATE
    processor.tokenizer.padding_side = "left"
    images = processor.image_processor
    side_px = images.patch_size * images.merge_size
    images.size["shortest_edge"] = side_px * side_px  # a dict, or a class of transformers
    return processor

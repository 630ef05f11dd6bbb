"""What a model's folder needs so that servers and `AutoProcessor` take it as it is.

The chat template writes what the token encoder writes (`encoder.py`): the same text, one
image token for each picture, which a server replaces by as many as the picture has. It adds
nothing: no default system message, no trimming of past messages.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pixel_env.files.whole_file import write_whole

CHAT_TEMPLATE = "chat_template.jinja"

_TEMPLATE = """\
{%- if tools %}
    {{- raise_exception('This model writes its calls as text. Ask it without tools.') }}
{%- endif %}
{%- for message in messages %}
    {{- '<|im_start|>' + message.role + '\\n' }}
    {%- if message.content is string %}
        {{- message.content }}
    {%- else %}
        {%- for part in message.content %}
            {%- if part.type == 'text' %}
                {{- part.text }}
            {%- else %}
                {{- '<|vision_start|><|image_pad|><|vision_end|>' }}
            {%- endif %}
        {%- endfor %}
    {%- endif %}
    {{- '<|im_end|>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}
"""

_PROCESSORS = {
    "qwen2_5_vl": "Qwen2_5_VLProcessor",
    "qwen3_vl": "Qwen3VLProcessor",
    "qwen3_vl_moe": "Qwen3VLProcessor",
}
"""Transformers' processor of each architecture."""

_NAMED_IN = ("preprocessor_config.json", "tokenizer_config.json")
"""Files that name the processor."""


def write_serving_files(folder: Path, model_type: str) -> None:
    """Adds the chat template and the processor's name to a folder in the hub's layout.

    The smallest picture that a server takes without resizing it becomes one image token: the
    environment decides how large a view is, and a server that made it larger would change what
    the model was trained to see.

    Args:
        folder: has the tokenizer and the image processor already.
        model_type: of the model's config, such as "qwen2_5_vl".
    """
    write_whole(folder / CHAT_TEMPLATE, _TEMPLATE)
    for name in _NAMED_IN:
        _change(folder / name, {"processor_class": _PROCESSORS[model_type]})
    processor = json.loads((folder / _NAMED_IN[0]).read_text(encoding="utf-8"))
    side_px = processor["patch_size"] * processor["merge_size"]
    size = {**processor["size"], "shortest_edge": side_px * side_px}
    _change(folder / _NAMED_IN[0], {"size": size})


def _change(path: Path, values: Mapping[str, Any]) -> None:
    """Sets entries of a JSON file, and keeps the others."""
    known = json.loads(path.read_text(encoding="utf-8"))
    write_whole(path, json.dumps({**known, **values}, indent=2, sort_keys=True) + "\n")

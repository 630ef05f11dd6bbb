"""How many operations a gradient needs: what the speed of an update is held against.

A multiplication and an addition count as two. Counted is what any way of computing needs: what
rollouts of a group have in common once, no padding, no layer a second time. Norms, activations and
the optimizer's step are left out, as is usual (Chowdhery et al., PaLM, appendix B).
"""

from __future__ import annotations

from collections.abc import Sequence

from ..model.packing import SharedRow
from ..model.shapes import ModelShape
from ..tokens.trajectory import EncodedImage, TokenTrajectory

WINDOW_PX = 112
"""Side of an attention window of Qwen2.5-VL's tower."""


def gradient_operations(
    shape: ModelShape, trajectories: Sequence[TokenTrajectory], trains_all: bool
) -> float:
    """Returns the operations of a forward and a backward pass over rollouts.

    Args:
        shape: of the model.
        trajectories: rollouts; those of a sample stand side by side.
        trains_all: whether all weights are trained. Of adapters on the language model the forward
            pass counts, and the gradient that goes back through its layers: there is none of
            weights that stay, and none in the vision tower. The adapters' own are under 1%.
    """
    row, pairs = SharedRow(), 0
    for each in trajectories:
        *before, (start, stop) = row.add(each)
        new, behind = stop - start, sum(last - first for first, last in before)
        pairs += new * behind + new * (new + 1) // 2
    trained = sum(each.n_trainable for each in trajectories)
    language = 2.0 * shape.layers * shape.layer_weights * row.length
    language += 4.0 * shape.layers * shape.heads * shape.head_dim * pairs
    language += 2.0 * shape.hidden * shape.vocab * trained
    images = {id(image): image for each in trajectories for image in each.images}
    vision = sum(vision_operations(shape, image) for image in images.values())
    return 3 * (language + vision) if trains_all else 2 * language + vision


def vision_operations(shape: ModelShape, image: EncodedImage) -> float:
    """Returns the operations of a picture's pass through the vision tower."""
    _, height, width = image.grid
    patches = height * width
    full = windowed = patches * patches
    n_full = shape.vision_depth
    if shape.family == "qwen2_5_vl":
        side = WINDOW_PX // shape.patch
        windowed = _squares(height, side) * _squares(width, side)
        n_full = min(4, shape.vision_depth)
    pairs = n_full * full + (shape.vision_depth - n_full) * windowed
    return 2.0 * shape.vision_weights * patches + 4.0 * shape.vision_hidden * pairs


def _squares(length: int, side: int) -> int:
    """Returns the sum of the squares of the parts of a length that is cut every `side`."""
    whole, rest = divmod(length, side)
    return whole * side * side + rest * rest

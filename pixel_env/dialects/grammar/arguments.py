"""Reading the arguments of a call; what is wrong with one is told in one sentence."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ...actions import N_FRAMES, select_frames
from ...errors import OperationError
from ...types import Action
from .calls import Call, finite_number, quoted, whole_number
from .dialect import Shown


def check_names(call: Call, known: Collection[str]) -> None:
    """Refuses an argument that the operation doesn't have: it may be a misspelt one.

    Raises:
        OperationError: kind "bad_arguments".
    """
    for name in call.arguments:
        if name not in known:
            takes = " and ".join(known)
            raise OperationError(
                "bad_arguments", f"{quoted(call.name)} takes {takes}, got {quoted(name)}."
            )


def read_numbers(call: Call, keys: Sequence[str], unit: str) -> list[float]:
    """Reads the four finite numbers of a box, whatever their range.

    Args:
        call: the call.
        keys: names that the argument may have; the first one is told to the model.
        unit: what the numbers are, such as "from 0 to 1".

    Raises:
        OperationError: kind "bad_box", or "bad_arguments" where two names are given.
    """
    given = [key for key in keys if key in call.arguments]
    if len(given) > 1:
        raise OperationError("bad_arguments", f"Give {' or '.join(given)}, not both.")
    box = call.arguments.get(given[0] if given else keys[0])
    if not isinstance(box, list) or len(box) != 4:
        raise OperationError(
            "bad_box", f"{keys[0]} must be a list of 4 numbers, got {quoted(box)}."
        )
    numbers = [number for number in map(finite_number, box) if number is not None]
    if len(numbers) != 4:
        raise OperationError("bad_box", f"{keys[0]} must be 4 plain finite numbers {unit}.")
    return numbers


def read_frames(call: Call, key: str, first: int, shown: Shown) -> Action:
    """Makes a selection of frames; a frame named twice is refused.

    Args:
        call: the call.
        key: the argument's name.
        first: number of the first frame.
        shown: says how many frames there are.

    Raises:
        OperationError: kind "bad_frames", or "bad_arguments" for a name that is unknown.
    """
    check_names(call, (key,))
    listed = call.arguments.get(key)
    if not isinstance(listed, list) or not listed:
        raise OperationError("bad_frames", f"{key} must be a list of frame numbers, from {first}.")
    n_frames = shown.n_frames or N_FRAMES
    chosen = []
    for value in listed:
        number = whole_number(value)
        if number is None or not first <= number < first + n_frames:
            raise OperationError(
                "bad_frames",
                f"{key} must be numbers from {first} to {first + n_frames - 1}, "
                f"got {quoted(value)}.",
            )
        chosen.append(number - first + 1)
    if len(set(chosen)) != len(chosen):
        raise OperationError("bad_frames", f"{key} must name each frame once.")
    return select_frames(chosen, max(n_frames, N_FRAMES))

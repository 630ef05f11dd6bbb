"""Controls: what an operation shows is spoiled or given away, and nothing else changes."""

import gymnasium as gym
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tiny_tasks import ClipTask, PictureTask

from pixel_env import (
    ConfigError,
    Evidence,
    OperationError,
    PixelReasoningEnv,
    Sample,
    answer,
    select_frames,
    zoom_in,
)
from pixel_env.controls.controls import CONTROLS, add_controls
from pixel_env.wrappers import (
    AimedCrop,
    BlankViews,
    CuriosityReward,
    DemonstrationCrop,
    NoOperations,
    RandomCrop,
    RecordTrajectories,
    TextAction,
)

SMALL = {"overview_px": (784, 9000), "crop_px": (784, 9000), "frame_px": (784, 20_000)}
BOX = [0.25, 0.25, 0.5, 0.75]
CALL = '<tool_call>{"name": "zoom_in", "arguments": {"bbox_2d": [0, 0, 0.5, 1]}}</tool_call>'


class EventTask(ClipTask):
    """Clips whose event is in frames 12 and 33, at the right."""

    def __getitem__(self, index: int) -> Sample:
        bare = super().__getitem__(index)
        box = (0.5, 0.0, 1.0, 1.0)
        return Sample(
            bare.id,
            bare.question,
            bare.media,
            bare.answers,
            evidence=(Evidence(box, 12), Evidence(box, 33)),
        )


def pictures(**changes):
    return PixelReasoningEnv(PictureTask(), **(SMALL | changes))


def clips(task=None, **changes):
    return PixelReasoningEnv(task or ClipTask(), **(SMALL | {"clip_px": (784, 3000)} | changes))


def play(env, *actions, index=0):
    """Returns what the last step of an episode gave."""
    step = env.reset(options={"index": index})
    for action in actions:
        step = env.step(action)
    return step


def test_no_operations_refuses_operations_and_takes_answers():
    env = NoOperations(pictures())
    observation, *_, info = play(env, zoom_in(BOX))
    assert observation["feedback"] == "No operation is available here; answer now."
    assert (info["operation_error"], observation["images"]) == ("not_allowed", ())
    assert (info["n_calls"], info["n_operation_errors"], info["n_operations"]) == (1, 1, 0)
    assert info["control"] == {"no-operations": {"refused": "zoom_in"}}
    assert len(env.unwrapped.views) == 1
    *_, info = env.step(select_frames([1]))
    assert info["control"]["no-operations"] == {"refused": "select_frames"}
    _, _, terminated, truncated, info = env.step(answer("A"))
    assert (terminated, truncated, "control" in info) == (True, False, False)


def test_no_operations_tells_every_other_refusal_as_ever():
    for action in (None, {"operation": 9}, OperationError("malformed", "No call.")):
        plain, controlled = (play(env, action)[0] for env in (pictures(), NoOperations(pictures())))
        assert controlled["feedback"] == plain["feedback"]


def test_blank_views_are_grey_and_all_else_is_equal():
    plain, blank = play(pictures(), zoom_in(BOX)), play(BlankViews(pictures()), zoom_in(BOX))
    (shown,), (hidden,) = plain[0]["images"], blank[0]["images"]
    assert hidden.shape == shown.shape
    assert (hidden == 128).all()
    assert shown.std() > 1
    assert blank[0]["feedback"] == plain[0]["feedback"]
    assert blank[-1].pop("control") == {"blank-views": {"views": (2,)}}
    assert blank[-1] == plain[-1]


def test_blank_views_leaves_overviews_refusals_and_answers():
    env = BlankViews(clips())
    overview, _ = env.reset(options={"index": 0})
    assert [image[0, 0, 0] for image in overview["images"][:2]] != [128, 128]
    for action in (select_frames([99]), answer("very")):
        assert "control" not in env.step(action)[-1]
    *_, info = play(env, select_frames([2, 5]))
    assert info["control"]["blank-views"]["views"] == (17, 18)


@settings(max_examples=25, deadline=None)
@given(
    st.floats(0, 0.9),
    st.floats(0, 0.9),
    st.floats(0.05, 1),
    st.floats(0.05, 1),
    st.integers(0, 4),
    st.sampled_from(["original", "view"]),
)
@example(1e-9, 0.0, 0.5, 0.5, 0, "original")  # where a rounding error decides on a pixel
def test_random_crop_reads_a_box_of_the_same_size_in_the_same_view(x, y, w, h, index, source):
    box = [x, y, min(x + w, 1.0), min(y + h, 1.0)]
    asked = play(pictures(zoom_source=source), zoom_in(box), index=index)
    env = RandomCrop(pictures(zoom_source=source), seed=7)
    shown = play(env, zoom_in(box), index=index)
    assert shown[0]["feedback"] == asked[0]["feedback"]
    if "operation_error" in asked[-1]:
        assert "control" not in shown[-1]
        return
    assert shown[0]["images"][0].shape == asked[0]["images"][0].shape
    one, other = asked[-1]["executed_box"], shown[-1]["executed_box"]
    assert np.subtract(other[2:], other[:2]) == pytest.approx(np.subtract(one[2:], one[:2]))
    assert 0 <= other[0] < other[2] <= 1
    assert 0 <= other[1] < other[3] <= 1
    assert shown[-1]["control"]["random-crop"]["asked_box"] == tuple(box)
    assert env.unwrapped.views[1].box == other


def test_random_crop_is_fixed_by_sample_and_seed_and_by_nothing_else():
    def box(env, index):
        return play(env, zoom_in(BOX), index=index)[-1]["executed_box"]

    env = RandomCrop(pictures(), seed=1)
    first = box(env, 0)
    assert box(env, 3) != first
    assert box(env, 0) == first == box(RandomCrop(pictures(), seed=1), 0)
    assert box(RandomCrop(pictures(), seed=2), 0) != first


def test_random_crop_reaches_every_corner():
    env = RandomCrop(pictures())
    lefts, tops = set(), set()
    for index in range(5):
        env.reset(options={"index": index})
        for _ in range(4):
            x1, y1, *_ = env.step(zoom_in([0.1, 0.1, 0.6, 0.6]))[-1]["executed_box"]
            lefts.add(x1)
            tops.add(y1)
    assert min(lefts) < 0.12
    assert max(lefts) > 0.38
    assert len(lefts) == len(tops) == 20


def test_random_crop_of_a_crop_stays_in_that_crop():
    env = RandomCrop(pictures())
    *_, first = play(env, zoom_in([0, 0, 0.5, 0.5]))
    *_, second = env.step(zoom_in([0, 0, 0.5, 0.5], target_image=2))
    outer, inner = first["executed_box"], second["executed_box"]
    assert outer[0] <= inner[0] < inner[2] <= outer[2] + 1e-9
    assert inner[2] - inner[0] == pytest.approx(0.25)


def test_random_crop_selects_as_many_random_frames():
    env = RandomCrop(clips(), seed=0)
    observation, *_, info = play(env, select_frames([3, 7, 9]))
    entry = info["control"]["random-crop"]
    assert entry["asked_frames"] == [3, 7, 9] != entry["frames"]
    assert len(set(entry["frames"])) == 3
    assert observation["feedback"] == "Images 17 to 19 are frames 3, 7 and 9."
    numbers = env.unwrapped.history.frame_numbers
    assert [view.source for view in env.unwrapped.views[16:]] == [
        numbers[position - 1] for position in entry["frames"]
    ]
    assert observation["images"][0][0, 0, 0] == 5 * numbers[entry["frames"][0] - 1]


def test_refused_operations_are_refused_as_ever():
    for action in (zoom_in([0, 0, 2, 2]), zoom_in(BOX, target_image=5), select_frames([1])):
        plain = play(pictures(), action)
        for control in (RandomCrop, DemonstrationCrop, AimedCrop):
            env = control(pictures())
            step = play(env, action)
            assert step[0]["feedback"] == plain[0]["feedback"]
            assert step[-1] == plain[-1]


def test_feedback_on_the_end_of_turns_names_the_region_asked_for():
    for control in (RandomCrop, DemonstrationCrop, AimedCrop, BlankViews):
        observation, _, _, truncated, _ = play(control(pictures(max_turns=1)), zoom_in(BOX))
        assert truncated
        assert observation["feedback"] == (
            "Image 2 is the region [0.25, 0.25, 0.5, 0.75] of image 1. No turns are left."
        )


def test_demonstration_crop_shows_the_evidence_with_a_margin():
    env = DemonstrationCrop(pictures())
    observation, *_, info = play(env, zoom_in([0, 0, 0.2, 0.2]))
    # evidence (0.7, 0.7, 0.8, 0.8), half of its size added on every side, on 1000 x 800 pixels
    assert info["executed_box"] == pytest.approx((0.65, 0.65, 0.85, 0.85))
    assert info["control"]["demonstration-crop"]["asked_box"] == (0, 0, 0.2, 0.2)
    assert observation["feedback"] == "Image 2 is the region [0, 0, 0.2, 0.2] of image 1."
    *_, info = env.step(zoom_in([0, 0, 0.5, 0.5], target_image=2))
    assert info["executed_box"] == pytest.approx((0.65, 0.65, 0.85, 0.85))
    assert env.unwrapped.views[2].parent == 1


def test_aimed_crop_moves_the_box_that_was_asked_for_to_the_evidence():
    env = AimedCrop(pictures())
    plain, (observation, *_, info) = (play(each, zoom_in(BOX)) for each in (pictures(), env))
    # round (0.75, 0.75), but 0.5 high: moved up to the picture's edge, on 1000 x 800 pixels
    assert info["executed_box"] == pytest.approx((0.625, 0.5, 0.875, 1.0))
    assert observation["images"][0].shape == plain[0]["images"][0].shape
    assert observation["feedback"] == plain[0]["feedback"]
    # half of the sides of image 2, in the picture's own pixels
    *_, info = env.step(zoom_in([0, 0, 0.5, 0.5], target_image=2))
    assert info["executed_box"] == pytest.approx((0.688, 0.625, 0.813, 0.875), abs=0.001)
    assert env.unwrapped.views[2].parent == 1


def test_aimed_crop_zooms_as_large_as_the_picture_stay():
    *_, info = play(AimedCrop(pictures()), zoom_in([0, 0, 1, 1]))
    assert info["executed_box"] == (0, 0, 1, 1)


def test_demonstration_crop_of_a_speck_is_large_enough_to_be_shown():
    env = DemonstrationCrop(pictures(min_crop_side_px=200), margin=0)
    assert "operation_error" not in play(env, zoom_in([0, 0, 0.5, 0.5]))[-1]


def test_demonstration_crop_selects_the_frames_nearest_to_the_evidence():
    env = DemonstrationCrop(clips(EventTask()))
    *_, info = play(env, select_frames([1, 2, 3]))
    numbers = env.unwrapped.history.frame_numbers
    nearest = [min(range(16), key=lambda i: abs(numbers[i] - e)) + 1 for e in (12, 33)]
    assert info["control"]["demonstration-crop"]["frames"] == sorted([*nearest, 1])
    *_, info = play(env, select_frames([1]))
    assert info["control"]["demonstration-crop"]["frames"] == nearest[:1]
    *_, info = play(env, zoom_in([0, 0, 0.2, 0.2], target_image=16))
    assert env.unwrapped.views[16].source == numbers[nearest[1] - 1]


def test_demonstration_crop_passes_operations_of_a_sample_without_evidence():
    env = DemonstrationCrop(clips())
    for action in (select_frames([3]), zoom_in(BOX, target_image=2)):
        plain, passed = play(clips(), action), play(env, action)
        entry = passed[-1].pop("control")
        assert entry == {"demonstration-crop": {"passed": "no evidence is known"}}
        assert passed[-1] == plain[-1]
        assert np.array_equal(passed[0]["images"][0], plain[0]["images"][0])


def test_controls_stack_under_messages_and_are_recorded(tmp_path):
    env = add_controls(pictures(), ["random-crop", "blank-views"], seed=4)
    talk = RecordTrajectories(TextAction(CuriosityReward(env)), tmp_path)
    observation, *_, info = play(talk, CALL)
    assert set(info["control"]) == {"random-crop", "blank-views"}
    assert (observation["images"][0] == 128).all()
    talk.step(r"\boxed{A}")
    assert '"control": {"random-crop": {"asked_box": [0.0, 0.0, 0.5, 1.0]' in (
        tmp_path / "trajectories.jsonl"
    ).read_text("utf-8")


def test_unknown_control_is_named():
    with pytest.raises(ConfigError, match="Did you mean 'blank-views'"):
        add_controls(pictures(), ["blank-view"])


@pytest.mark.parametrize("name", CONTROLS)
def test_a_controlled_environment_passes_gymnasiums_own_check(name, register):
    env = add_controls(gym.make(register("Controlled", PictureTask), **SMALL), [name])
    observation, _ = env.reset(seed=0)
    assert env.observation_space.contains(observation)
    observation, *_ = env.step(zoom_in(BOX))
    assert env.observation_space.contains(observation)


@pytest.mark.parametrize("name", CONTROLS)
def test_an_unreadable_sample_ends_as_ever(name):
    class Broken(PictureTask):
        def __getitem__(self, index):
            sample = super().__getitem__(index)
            sample.media[0]._media = b"no picture"
            return sample

    plain = play(PixelReasoningEnv(Broken()), zoom_in(BOX))
    controlled = play(add_controls(PixelReasoningEnv(Broken()), [name]), zoom_in(BOX))
    assert controlled[0]["feedback"] == plain[0]["feedback"]
    assert controlled[1:4] == plain[1:4]
    assert controlled[-1]["env_error"] == plain[-1]["env_error"]


@pytest.mark.parametrize("name", ["random-crop", "demonstration-crop", "aimed-crop"])
def test_dialects_with_other_terms_tell_the_region_that_was_asked_for(name):
    talk = TextAction(add_controls(pictures(), [name]), "qwen3-vl")
    talk.reset(seed=0, options={"index": 0})
    observation, *_, info = talk.step(talk.dialect.render(zoom_in([0, 0, 0.25, 0.5]), talk.shown))
    assert observation["feedback"] == "Image 1 is the region [0, 0, 250, 500] of image 0."
    assert info["view_box"] != (0, 0, 0.25, 0.5)
    assert talk.shown.place(2).box == info["executed_box"]

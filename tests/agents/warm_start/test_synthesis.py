"""Demonstrations execute, answer right, and teach only what is right."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from tiny_models import tiny_processor, tiny_tokenizer

from pixel_env import ClipSource, Evidence, Grade, PixelReasoningEnv, Sample, Task
from pixel_env.agents.tokens.encoder import Encoder
from pixel_env.agents.warm_start.config import DemonstrationConfig
from pixel_env.agents.warm_start.demonstration import encode, with_observations
from pixel_env.agents.warm_start.synthesis import Synthesis, kinds
from pixel_env.agents.warm_start.zoom_boxes import contains, overlap
from pixel_env.dialects import get_dialect
from pixel_env.errors import ConfigError, DataError
from pixel_env.wrappers.text_action import TextAction

SMALL = {"overview_px": (112 * 112, 112 * 112), "crop_px": (56 * 56, 56 * 56)}
TARGET = (0.7, 0.7, 0.8, 0.8)
TINY = DemonstrationConfig(n=24, wording="brief", box_step=0.05, square_side=0.2, jitter=0.0)
PICTURE_KINDS = ("single_pass", "recrop", "recrop_twice", "zoom_further")


class HiddenFrame(Task):
    """Clips of 40 grey frames; one of them holds the answer."""

    name = "hidden-frame"

    def __init__(self, box=(0.0, 0.0, 1.0, 1.0)):
        self.box = box

    def __len__(self):
        return 6

    def __getitem__(self, index):
        frames = [np.full((60, 80, 3), i, np.uint8) for i in range(40)]
        return Sample(
            id=f"clip-{index}",
            question="How bright?",
            media=(ClipSource(frames),),
            answers=("dark",),
            evidence=(Evidence(self.box, image=5 * index + 3),),
        )

    def grade(self, sample, answer):
        return Grade(float(answer == "dark"), answer == "dark", answer)


@pytest.fixture
def env(picture_task):
    return PixelReasoningEnv(type(picture_task)(40, 500, 400), **SMALL)


@pytest.fixture
def encoder():
    return Encoder(
        tiny_tokenizer(), tiny_processor("qwen2_5_vl"), get_dialect("pixel-reasoner"), "brief"
    )


def only(kind, **settings):
    """A config of one kind of demonstration on pictures."""
    weights = {name: float(name == kind) for name in PICTURE_KINDS}
    if kind == "text_only":
        return replace(TINY, n=4, pixel_space=0.0, **settings)
    return replace(TINY, n=4, text_only=0.0, **weights, **settings)


def executed(env, demonstration):
    """Plays the messages again; returns each step's info, and the env's views."""
    text_env = TextAction(env)
    text_env.reset(options={"id": demonstration.sample_id})
    infos = [text_env.step(message)[4] for message in demonstration.messages]
    return infos, env.unwrapped.views


@pytest.mark.parametrize("settings", [{}, {"square_side": None, "wording": "full", "jitter": 0.5}])
@pytest.mark.parametrize("kind", [*PICTURE_KINDS, "text_only"])
def test_every_kind_executes_and_grades_1(env, kind, settings):
    made = list(Synthesis(env, only(kind, **settings)).run())
    assert [each.kind for each in made] == [kind] * 4
    n_looks = {"single_pass": 1, "recrop": 2, "recrop_twice": 3, "zoom_further": 2, "text_only": 0}
    for demonstration in made:
        infos, _ = executed(env, demonstration)
        assert infos[-1]["grade"]["score"] == 1.0
        assert infos[-1]["n_operations"] == n_looks[kind]
        assert infos[-1]["n_operation_errors"] == 0
        assert len(demonstration.observations) == len(demonstration.messages) == n_looks[kind] + 1


@pytest.mark.parametrize("padding", [0.0, 0.1])
@pytest.mark.parametrize("kind", ["recrop", "recrop_twice"])
def test_wrong_zooms_show_nothing_of_the_target_and_are_not_imitated(picture_task, kind, padding):
    env = PixelReasoningEnv(picture_task, **SMALL, padding=padding)
    for demonstration in Synthesis(env, only(kind)).run():
        infos, _ = executed(env, demonstration)
        boxes = [info["executed_box"] for info in infos[:-1]]
        n_wrong = len(boxes) - 1
        assert demonstration.imitate == (False,) * n_wrong + (True, True)
        assert not any(overlap(box, TARGET) for box in boxes[:-1])
        assert contains(boxes[-1], TARGET)
        assert len(set(boxes)) == len(boxes)


def test_a_further_zoom_reads_inside_the_first_and_still_shows_the_target(env):
    for demonstration in Synthesis(env, only("zoom_further")).run():
        infos, views = executed(env, demonstration)
        coarse, fine = (info["executed_box"] for info in infos[:2])
        assert [info["target_image"] for info in infos[:2]] == [1, 2]
        assert views[2].parent == 2
        assert contains(coarse, fine)
        assert contains(fine, TARGET)
        assert fine[2] - fine[0] < 0.6 * (coarse[2] - coarse[0])
        assert all(demonstration.imitate)


def test_brief_wording_is_exact(env):
    call = '<tool_call>\n{{"name": "crop_image_normalized", "arguments": {{"bbox_2d": {}, '
    call += '"target_image": {}}}}}\n</tool_call>'
    made = {kind: Synthesis(env, only(kind)).make(0) for kind in (*PICTURE_KINDS, "text_only")}
    right = call.format("[0.65, 0.65, 0.85, 0.85]", 1)
    assert made["single_pass"].messages[0] == f"Let me look closer.\n{right}"
    assert made["recrop"].messages[0].startswith("Let me look closer.\n<tool_call>")
    assert made["recrop"].messages[1] == f"That is not it, I look again.\n{right}"
    assert made["zoom_further"].messages[1].startswith("Closer still.\n<tool_call>")
    for demonstration in made.values():
        env.reset(options={"id": demonstration.sample_id})
        letter = "ABCD"[env.sample.right_choice]
        secret = env.sample.answers[0]
        assert demonstration.messages[-1] == rf"I see {secret}. \boxed{{{letter}}}"


def test_a_free_answer_is_written_out(env, picture_task):
    class Free(type(picture_task)):
        def __getitem__(self, index):
            return replace(super().__getitem__(index), choices=(), right_choice=None)

        def grade(self, sample, answer):
            return Grade(float(answer in sample.answers), answer in sample.answers, answer)

    made = Synthesis(PixelReasoningEnv(Free(3), **SMALL), only("text_only")).make(0)
    number = made.sample_id.removeprefix("picture-")
    assert made.messages == (rf"I see secret-{number}. \boxed{{secret-{number}}}",)


def test_only_messages_to_imitate_are_trainable(env, encoder):
    demonstration = Synthesis(env, only("recrop")).make(0)
    trajectory = encode(demonstration, encoder)
    learnt = encoder.texts([trajectory.ids[trajectory.trainable]])[0]
    end = encoder.texts([np.array([encoder.end_id, encoder.end_id])])[0]
    assert learnt == end.join(demonstration.messages[1:])
    written = [turn for turn in trajectory.turns if turn.role == "assistant"]
    assert len(written) == 3
    assert not trajectory.trainable[: written[1].start].any()
    for turn in written[1:]:
        assert trajectory.trainable[turn.start : turn.stop].all()
    assert trajectory.n_trainable == sum(turn.stop - turn.start for turn in written[1:])
    assert len(trajectory.images) == 3


def test_the_mix_keeps_to_its_weights(env):
    counts = Counter(each.kind for each in Synthesis(env, replace(TINY, n=75)).run())
    assert counts["text_only"] == 20
    expected = {"single_pass": 16.5, "recrop": 11, "recrop_twice": 11, "zoom_further": 16.5}
    for kind, count in expected.items():
        assert abs(counts[kind] - count) <= 1


def test_clip_kinds_have_their_own_weights():
    wanted = kinds(DemonstrationConfig(n=110, text_only=0))
    assert Counter(kind for _, kind in wanted) == {"select_frames": 99, "reselect_frames": 11}


@pytest.mark.parametrize("weights", [(1.0, 0.0), (0.0, 1.0)])
def test_frames_with_evidence_are_selected(weights):
    env = PixelReasoningEnv(HiddenFrame(), **SMALL, frame_px=(56 * 56, 56 * 56))
    select, reselect = weights
    config = replace(TINY, n=4, text_only=0.0, select_frames=select, reselect_frames=reselect)
    made = list(Synthesis(env, config).run())
    assert len(made) == 4
    for demonstration in made:
        infos, views = executed(env, demonstration)
        hidden = env.sample.evidence[0].image
        nearest = min(views[:16], key=lambda view: abs(view.source - hidden)).source
        selected = [view.source for view in views[16:]]
        assert selected[-1] == nearest
        assert infos[-1]["grade"]["score"] == 1.0
        if reselect:
            assert demonstration.imitate == (False, True, True)
            assert selected[0] != nearest


def test_samples_without_evidence_are_counted_and_given_up(clip_task):
    synthesis = Synthesis(PixelReasoningEnv(clip_task, **SMALL), replace(TINY, n=2, text_only=0.0))
    assert list(synthesis.run()) == []
    assert synthesis.dropped == {"the sample names no evidence": 128, "given up": 2}


def test_a_gold_answer_that_grades_under_1_is_left_out(picture_task):
    class Unfair(type(picture_task)):
        def grade(self, sample, answer):
            return Grade(0.5, False, answer)

    synthesis = Synthesis(PixelReasoningEnv(Unfair(3), **SMALL), only("text_only"))
    assert synthesis.make(0) is None
    assert synthesis.dropped["the gold answer does not grade 1"] == 64


def test_a_look_that_is_refused_or_does_not_fit_is_left_out(picture_task):
    synthesis = Synthesis(PixelReasoningEnv(picture_task, **SMALL, max_turns=2), only("recrop"))
    assert synthesis.make(0) is None
    assert synthesis.dropped["the turns would not suffice"] == 64
    synthesis = Synthesis(PixelReasoningEnv(picture_task, **SMALL, max_views=1), only("recrop"))
    assert synthesis.make(0) is None
    assert synthesis.dropped["a call was refused (too_many_views)"] == 64


def test_categories_are_chosen_by_kind(env):
    config = replace(TINY, pixel_space_categories=("hidden",), text_only_categories=("easy",))
    synthesis = Synthesis(env, config)
    assert {each.kind for each in synthesis.run()} == set(PICTURE_KINDS)
    assert synthesis.dropped["the sample is of another category"] > 0


def test_a_demonstration_depends_on_seed_and_number_alone(env):
    whole = list(Synthesis(env, TINY).run())
    assert Synthesis(env, TINY).make(7) == whole[7]
    rest = Synthesis(env, TINY).run(skip=range(20))
    assert list(rest) == whole[20:]
    other = list(Synthesis(env, replace(TINY, seed=1)).run())
    assert [each.messages for each in other] != [each.messages for each in whole]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n": 0}, "n of at least 1"),
        ({"pixel_space": 0.0, "text_only": 0.0}, "one over 0"),
        ({"recrop": -1.0}, ">= 0"),
        ({"margin": -0.1}, "margin"),
        ({"jitter": 1.5}, "jitter"),
        ({"box_step": 0.3}, "box_step"),
        ({"square_side": 0.6}, "square_side"),
        ({"coarse": 1.0}, "coarse"),
        ({"wording": "short"}, "wording"),
    ],
)
def test_a_wrong_setting_is_named(settings, message):
    with pytest.raises(ConfigError, match=message):
        DemonstrationConfig(**settings)


def retried(n=12, **settings):
    return replace(
        TINY, n=n, text_only=0.0, **dict.fromkeys(PICTURE_KINDS, 0.0), retry=1.0, **settings
    )


def test_a_refused_zoom_is_corrected_and_not_imitated(env):
    made = list(Synthesis(env, retried()).run())
    assert [each.kind for each in made] == ["retry"] * 12
    refusals = Counter()
    for demonstration in made:
        infos, _ = executed(env, demonstration)
        assert demonstration.imitate == (False, True, True)
        assert [("operation_error" in info) for info in infos] == [True, False, False]
        assert contains(infos[1]["executed_box"], TARGET)
        assert infos[-1]["grade"]["score"] == 1.0
        assert demonstration.observations[1]["feedback"]
        assert demonstration.messages[1].startswith("Let me try again.\n")
        refusals[infos[0]["operation_error"]] += 1
    assert len(refusals) >= 2  # a box, a view, a call that can't be read


def test_a_refused_call_stands_in_the_context_and_outside_the_loss(env, encoder):
    for demonstration in Synthesis(env, retried(4)).run():
        trajectory = encode(demonstration, encoder)
        wrong, right, answer = (turn for turn in trajectory.turns if turn.role == "assistant")
        assert not trajectory.trainable[wrong.start : wrong.stop].any()
        assert trajectory.trainable[right.start : right.stop].all()
        assert trajectory.trainable[answer.start : answer.stop].all()
        ids = trajectory.ids[wrong.start : wrong.stop].tolist()
        assert ids == encoder.message_ids(demonstration.messages[0]).tolist()


def test_a_refused_selection_is_corrected():
    env = PixelReasoningEnv(HiddenFrame(), **SMALL, frame_px=(56 * 56, 56 * 56))
    weights = {"select_frames": 0.0, "reselect_frames": 0.0, "retry_frames": 1.0}
    made = list(Synthesis(env, replace(TINY, n=6, text_only=0.0, **weights)).run())
    assert {each.kind for each in made} == {"retry_frames"}
    for demonstration in made:
        infos, views = executed(env, demonstration)
        assert [("operation_error" in info) for info in infos] == [True, False, False]
        assert len(views) == 17  # the refused call showed nothing
        assert demonstration.imitate == (False, True, True)


def test_refused_calls_are_played_again_and_an_accepted_one_is_a_fault(env):
    (first, *_) = Synthesis(env, retried(2)).run()
    again = with_observations(replace(first, observations=()), env)
    assert [o["feedback"] for o in again.observations] == [
        o["feedback"] for o in first.observations
    ]
    accepted = replace(first, messages=(first.messages[1], *first.messages[1:]))
    with pytest.raises(DataError, match="can't be played again"):
        with_observations(accepted, env)
    other = replace(first, kind="single_pass")
    with pytest.raises(DataError, match="can't be played again"):
        with_observations(other, env)


def test_too_few_turns_for_a_retry_are_counted(picture_task):
    env = PixelReasoningEnv(picture_task, **SMALL, max_turns=2)
    synthesis = Synthesis(env, retried(1))
    assert list(synthesis.run()) == []
    assert synthesis.dropped["the turns would not suffice"] > 0


def test_a_target_larger_than_the_square_is_fitted(picture_task):
    """The target has sides of 0.1; a square of 0.05 can't hold it, so the box fits the target."""
    env = PixelReasoningEnv(picture_task, **SMALL)
    config = only("single_pass", margin=0.0)
    for demonstration in Synthesis(env, replace(config, square_side=0.05)).run():
        infos, _ = executed(env, demonstration)
        assert infos[0]["executed_box"] == pytest.approx(TARGET, abs=0.01)

"""What every procedural twin promises: repeatable, disjoint, solvable, and giving nothing away."""

import pickle
import re
import subprocess
import sys
import warnings
import weakref
from collections import Counter
from dataclasses import fields

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env, data_equivalence
from synthetic_twins import TWINS, pixels

import pixel_env
from pixel_env import Evidence, PixelReasoningEnv, Sample, Task, View
from pixel_env.agents.evaluation.evaluate import EvaluationConfig, evaluate
from pixel_env.agents.policies.by_name import make_policy
from pixel_env.agents.warm_start.config import DemonstrationConfig
from pixel_env.agents.warm_start.synthesis import Synthesis
from pixel_env.config import FIELDS
from pixel_env.errors import ConfigError
from pixel_env.shuffle import with_shuffled_options
from pixel_env.tasks.synthetic.endless import CATEGORIES, N_KEPT, N_SAMPLES, EndlessTask


@pytest.fixture(params=TWINS, scope="module")
def twin(request):
    return request.param


def made(name, **arguments):
    return TWINS[name](**arguments)


def environment(name, **arguments):
    return gym.make(f"PixelReason-{name}-v0", **arguments)


def test_all_four_twins_are_tested_here():
    assert set(TWINS) == {
        f"Synthetic{name}" for name in ("Search", "Counting", "Infographic", "Clip")
    }
    assert all(issubclass(each, EndlessTask) for each in TWINS.values())


def test_the_same_index_gives_the_same_sample_and_pixels(twin):
    first, second = made(twin)[17], made(twin)[17]
    told = [
        (s.id, s.question, s.answers, s.choices, s.evidence, s.category) for s in (first, second)
    ]
    assert told[0] == told[1]
    assert np.array_equal(pixels(first), pixels(second))


def test_old_samples_are_let_go(twin):
    task = made(twin)
    first = weakref.ref(task[0].media[0])
    assert first() is task[0].media[0]
    for index in range(1, N_KEPT + 1):
        task[index]
    assert first() is None


def test_another_seed_and_another_index_give_other_contents(twin):
    task = made(twin)
    assert task.content(3) != made(twin, seed=1).content(3)
    assert task.content(3) != task.content(4)
    assert task.content(3) == task.content(3)


def test_splits_share_no_content(twin):
    held = {}
    for split in ("train", "test"):
        task = made(twin, split=split)
        contents = [task.content(index) for index in range(1000)]
        assert all(task.belongs_to(content) == split for content in contents)
        held[split] = {task._essence(content) for content in contents}
        assert len(held[split]) > 990
    assert not held["train"] & held["test"]


def test_one_content_in_five_is_for_the_test(twin):
    task, rng = made(twin), np.random.default_rng(0)
    splits = Counter(task.belongs_to(task._random(rng)) for _ in range(400))
    assert 50 < splits["test"] < 115


def test_ids_lead_back_to_the_index(twin):
    task = made(twin, split="test")
    assert task.index_of(task[123_456].id) == 123_456
    head = task.prefix
    for wrong in (
        f"{head}-train-1",
        f"{head}-test-x",
        f"{head}-test-{N_SAMPLES}",
        "",
        "other-test-1",
    ):
        with pytest.raises(ConfigError, match="no sample"):
            task.index_of(wrong)
    for wrong in (-1, N_SAMPLES):
        with pytest.raises(IndexError):
            task[wrong]


@pytest.mark.parametrize("options", [False, True])
def test_gold_grades_one_and_empty_zero(twin, options):
    task = made(twin, split="test", options=options)
    for index in range(0, 60_000, 1500):
        sample = task[index]
        gold = "ABCD"[sample.right_choice] if options else sample.answers[0]
        assert task.grade(sample, gold).score == 1.0
        assert task.grade(sample, gold).correct
        assert all(task.grade(sample, gold).score == 1.0 for gold in sample.answers[1:])
        assert task.grade(sample, "").score == 0.0
        assert task.grade(sample, "?").score == 0.0


def test_a_wrong_option_is_graded_wrong(twin):
    task = made(twin, split="test", options=True)
    for index in range(20):
        sample = task[index]
        for place, letter in enumerate("ABCD"):
            assert task.grade(sample, letter).correct == (place == sample.right_choice)


def rank(sample):
    """Returns the place of the right option among all, sorted by number or by text."""

    def order(text):
        digits = re.sub(r"\D", "", text)
        return (int(digits) if digits else 0, text)

    return sorted(sample.choices, key=order).index(sample.choices[sample.right_choice])


def test_options_give_nothing_away(twin):
    """The right one stands anywhere, before and after shuffling, and is neither low nor high."""
    task = made(twin, options=True, easy_share=0.5)
    samples = [task[index] for index in range(400)]
    for sample in samples:
        assert len(set(sample.choices)) == 4
        assert sample.answers == (sample.choices[sample.right_choice],)
    shown = [with_shuffled_options(sample) for sample in samples]
    for places in (
        [sample.right_choice for sample in samples],
        [sample.right_choice for sample in shown],
        [rank(sample) for sample in samples],
    ):
        counts = Counter(places)
        assert all(65 <= counts[place] <= 138 for place in range(4)), counts  # 4.3 sd around 100


def test_categories_follow_the_arguments(twin):
    assert {made(twin, category="hard")[i].category for i in range(15)} == {"hard"}
    assert {made(twin, category="easy")[i].category for i in range(15)} == {"easy"}
    easy = [made(twin, easy_share=0.8)[i].category for i in range(60)].count("easy")
    assert 38 <= easy <= 58
    assert CATEGORIES == ("easy", "hard")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"split": "val"}, "split"),
        ({"category": "medium"}, "category"),
        ({"easy_share": 1.5}, "easy_share"),
        ({"no_such_knob": 3}, "knob of Synthetic"),
    ],
)
def test_a_wrong_argument_is_named(twin, arguments, told):
    with pytest.raises(ConfigError, match=told):
        made(twin, **arguments)


def test_every_knob_has_a_range(twin):
    for knob in fields(TWINS[twin].knobs):
        if knob.type in ("int", "float"):
            with pytest.raises(ConfigError):
                made(twin, **{knob.name: -1})


def test_a_knob_written_nearly_right_is_suggested(twin):
    name = fields(TWINS[twin].knobs)[0].name
    with pytest.raises(ConfigError, match=f"Did you mean '{name}'"):
        made(twin, **{name + "s": 1})


def test_a_pickled_task_and_a_pickled_sample_give_the_same(twin):
    task = made(twin, split="test", options=True)
    again = pickle.loads(pickle.dumps(task))
    assert again[5].question == task[5].question
    assert again.fingerprint() == task.fingerprint()
    sent = pickle.loads(pickle.dumps(task[5]))
    assert np.array_equal(pixels(sent), pixels(task[5]))


def test_the_fingerprint_tells_split_seed_and_knobs(twin):
    knob = {"grid": 5, "bars": 6, "n_shapes": 4, "n_cards": 2}
    held = {field.name for field in fields(TWINS[twin].knobs)}
    changed = {name: value for name, value in knob.items() if name in held}
    tasks = [made(twin), made(twin, split="test"), made(twin, seed=1), made(twin, **changed)]
    assert len({task.fingerprint() for task in tasks}) == 4


def test_evidence_lies_within_the_picture_and_its_frames(twin):
    task = made(twin, easy_share=0.5)
    for index in range(40):
        for evidence in task[index].evidence:
            x1, y1, x2, y2 = evidence.box
            assert 0 <= x1 < x2 <= 1
            assert 0 <= y1 < y2 <= 1
            assert 1 <= evidence.image <= getattr(task.difficulty, "clip_frames", 1)


def test_check_env_is_silent(twin):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(environment(twin, render_mode="rgb_array").unwrapped)


def test_a_seeded_rollout_repeats(twin):
    played = []
    for _ in range(2):
        env = environment(twin, options=True)
        env.action_space.seed(5)
        steps = [env.reset(seed=11)]
        while len(steps) < 5 and not (len(steps) > 1 and (steps[-1][2] or steps[-1][3])):
            steps.append(env.step(env.action_space.sample()))
        played.append(steps)
    assert data_equivalence(played[0], played[1])


def words(value):
    """Yields the words of every text in an observation or an info; fails for a hidden value."""
    assert not isinstance(value, Sample | Task | View | Evidence | float)
    if isinstance(value, str):
        yield from re.findall(r"[\w,%-]+", value)
    elif isinstance(value, dict):
        for name, each in value.items():
            yield from words(each) if name not in ("sample_id", "origin", "feedback") else ()
    elif isinstance(value, tuple):
        for each in value:
            yield from words(each)


def test_nothing_leaks_before_the_answer(twin):
    task = made(twin)
    env = PixelReasoningEnv(task, overview_px=(784, 7840), crop_px=(784, 7840))
    feedback = set()
    for index in range(6):
        observation, info = env.reset(options={"index": index})
        assert info["sample_id"] == f"{task.prefix}-train-{index}"
        assert info["origin"] == f"{task.name} train {index}"
        looked, *_ = env.step(pixel_env.zoom_in([0.1, 0.1, 0.5, 0.5]))
        feedback.add(looked["feedback"])
        gold = env.sample.answers[0].split()
        for told in (observation, info, looked):
            heard = list(words(told))
            assert heard
            assert not any(heard[i : i + len(gold)] == gold for i in range(len(heard)))
    assert len(feedback) == 1  # it hangs on the action alone


@pytest.mark.parametrize("options", [False, True])
def test_the_demonstration_policy_solves_it_and_the_blind_one_does_not(twin, options):
    def score(policy, samples):
        made = {"split": "test", "options": options}
        config = EvaluationConfig(f"PixelReason-{twin}-v0", made, samples=samples, lanes=4)
        return evaluate(make_policy(policy), config).overall

    samples = 8 if options or twin == "SyntheticClip" else 30  # clips take longer to make
    assert score("demonstration", samples).accuracy.mean == 1.0
    if not options:  # with options it is right where A is: see the test of options
        assert score("direct", 4).accuracy.mean == 0.0


@pytest.mark.parametrize("wording", ["full", "brief"])
def test_demonstrations_are_made_of_it(twin, wording):
    config = DemonstrationConfig(n=5, wording=wording, pixel_space_categories=("hard",))
    synthesis = Synthesis(environment(twin, options=wording == "full"), config)
    demonstrations = list(synthesis.run())
    assert len(demonstrations) == 5
    assert {each.score for each in demonstrations} == {1.0}
    assert len({each.kind for each in demonstrations}) > 1


def test_making_one_imports_nothing_heavy():
    names = [f"PixelReason-{name}-v0" for name in TWINS]
    check = (
        f"import sys, gymnasium, pixel_env; [gymnasium.make(name) for name in {names}]; "
        "print(sorted({'torch', 'decord', 'av', 'pyarrow', 'rich'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_no_knob_of_a_twin_has_the_name_of_a_setting_of_the_environment(twin):
    """`gym.make` would give it to the environment."""
    assert not {each.name for each in fields(made(twin).difficulty)} & set(FIELDS)

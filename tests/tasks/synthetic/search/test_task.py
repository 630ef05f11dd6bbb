"""SyntheticSearch: what it asks can be seen where it says, and only there."""

import pickle

import gymnasium as gym
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pixel_env
from pixel_env.errors import ConfigError
from pixel_env.tasks.synthetic.endless import N_SAMPLES
from pixel_env.tasks.synthetic.search.layout import Difficulty
from pixel_env.tasks.synthetic.search.scene import COLOURS, GLYPHS, SHAPES, Scene, SceneObject, draw
from pixel_env.tasks.synthetic.search.task import SyntheticSearch, belongs_to, part_of


def pixels(scene):
    return np.asarray(draw(scene))


def one_object(**changes):
    thing = {
        "colour": "red",
        "shape": "square",
        "mark": "H",
        "centre": (448, 448),
        "size_px": 112,
        "dot_px": 3,
    }
    return SceneObject(**{**thing, **changes})


@pytest.fixture(scope="module")
def task():
    return SyntheticSearch(split="test", options=True)


def test_the_same_index_gives_the_same_sample_and_pixels():
    first, second = SyntheticSearch()[17], SyntheticSearch()[17]
    assert (first.id, first.question, first.choices) == (second.id, second.question, second.choices)
    box = (0.0, 0.0, 1.0, 1.0)
    one, other = (sample.media[0].region(box, (112, 112)) for sample in (first, second))
    assert np.array_equal(one, other)


def test_another_seed_gives_other_scenes():
    assert SyntheticSearch(seed=0).scene(3) != SyntheticSearch(seed=1).scene(3)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, N_SAMPLES - 1))
def test_gold_grades_one_and_empty_zero_in_both_forms(index):
    for options in (True, False):
        task = SyntheticSearch(split="test", options=options)
        sample = task[index]
        gold = "ABCD"[sample.right_choice] if options else sample.answers[0]
        assert task.grade(sample, gold).score == 1.0
        if len(sample.answers[0]) > 1:  # a single letter is always read as an option's letter
            assert task.grade(sample, sample.answers[0]).score == 1.0
        assert task.grade(sample, "").score == 0.0


@settings(max_examples=25, deadline=None)
@given(st.integers(0, N_SAMPLES - 1))
def test_a_scene_belongs_to_its_split_by_its_content(index):
    assert belongs_to(SyntheticSearch(split="test").scene(index)) == "test"
    assert belongs_to(SyntheticSearch(split="train").scene(index)) == "train"


def test_the_evidence_is_the_box_of_the_object_asked_for(task):
    for index in range(20):
        sample, scene = task[index], task.scene(index)
        subject = scene.objects[0]
        assert subject.colour in sample.question
        x1, y1, x2, y2 = sample.evidence[0].box
        x, y = subject.centre
        assert (x1 + x2) / 2 * scene.side_px == pytest.approx(x)
        assert (y2 - y1) * scene.side_px == pytest.approx(subject.size_px)
        picture = pixels(scene)
        spot = picture[y - 20, x]  # above the letter, inside every shape
        assert tuple(spot) == COLOURS[subject.colour]


def test_every_answer_is_what_the_scene_holds(task):
    kinds = set()
    for index in range(60):
        sample, scene = task[index], task.scene(index)
        subject = scene.objects[0]
        truth = {
            "Which letter": subject.mark,
            "What is": subject.shape,
            "In which": part_of(scene, subject),
        }
        (kind,) = (start for start in truth if sample.question.startswith(start))
        kinds.add(kind)
        assert sample.answers == (truth[kind],)
        assert sample.choices[sample.right_choice] == truth[kind]
        assert len(set(sample.choices)) == 4
        assert sample.category == ("hard" if kind == "Which letter" else "easy")
    assert len(kinds) == 3


def test_a_letter_can_be_read_in_a_zoom_and_not_in_the_overview():
    """Two scenes that differ in a letter alone: nearly equal overviews, plainly other zooms."""
    scenes = [Scene(896, (one_object(mark=mark),), 5) for mark in "HT"]
    sources = [pixel_env.media.pictures.ImageSource(draw(scene)) for scene in scenes]
    overviews = [source.overview((112, 112)).astype(int) for source in sources]
    zooms = [
        source.region((0.425, 0.425, 0.575, 0.575), (112, 112)).astype(int) for source in sources
    ]
    overview_change = np.abs(overviews[0] - overviews[1]).max(-1) > 24
    zoom_change = np.abs(zooms[0] - zooms[1]).max(-1) > 24
    assert overview_change.sum() <= 12  # a blot of 3 x 4 pixels
    assert zoom_change.sum() > 60


def test_the_share_of_easy_questions_and_the_categories_follow_the_arguments():
    easy = [SyntheticSearch(easy_share=0.8)[i].category for i in range(60)].count("easy")
    assert 38 <= easy <= 58
    assert {SyntheticSearch(category="hard")[i].category for i in range(20)} == {"hard"}
    assert {SyntheticSearch(category="easy")[i].category for i in range(20)} == {"easy"}


def test_knobs_change_the_scene():
    task = SyntheticSearch(scene_px=448, target_px=60, min_objects=2, max_objects=2, marks="EFKM")
    scene = task.scene(0)
    assert pixels(scene).shape == (448, 448, 3)
    assert len(scene.objects) == 2
    assert {thing.size_px for thing in scene.objects} == {60}
    assert {task.scene(i).objects[0].mark for i in range(30)} == set("EFKM")


def test_objects_never_overlap_and_colours_are_unique():
    for index in range(30):
        scene = SyntheticSearch(min_objects=10, max_objects=10).scene(index)
        colours = [thing.colour for thing in scene.objects]
        assert len(set(colours)) == 10
        for i, one in enumerate(scene.objects):
            for other in scene.objects[:i]:
                gaps = [abs(a - b) for a, b in zip(one.centre, other.centre, strict=True)]
                assert max(gaps) >= one.size_px


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"split": "val"}, "split"),
        ({"category": "medium"}, "category"),
        ({"easy_share": 1.5}, "easy_share"),
        ({"scene_pix": 3}, "scene_px"),
        ({"max_objects": 11}, "max_objects"),
        ({"min_objects": 0}, "min_objects"),
        ({"target_px": 500}, "target_px"),
        ({"mark_px": 90}, "mark_px"),
        ({"marks": "HH"}, "marks"),
        ({"marks": "HJLé"}, "marks"),
    ],
)
def test_a_wrong_argument_is_named(arguments, told):
    with pytest.raises(ConfigError, match=told):
        SyntheticSearch(**arguments)


def test_ids_lead_back_to_the_index(task):
    assert task.index_of(task[12345].id) == 12345
    for wrong in ("search-train-1", "search-test-x", f"search-test-{N_SAMPLES}", ""):
        with pytest.raises(ConfigError, match="no sample"):
            task.index_of(wrong)


def test_an_index_outside_the_split_is_refused(task):
    for wrong in (-1, N_SAMPLES):
        with pytest.raises(IndexError):
            task[wrong]


def test_a_pickled_task_gives_the_same_samples(task):
    again = pickle.loads(pickle.dumps(task))
    assert again[5].question == task[5].question
    assert again.fingerprint() == task.fingerprint()


def test_the_environment_takes_the_knobs():
    env = gym.make("PixelReason-SyntheticSearch-v0", split="test", scene_px=448, target_px=64)
    observation, info = env.reset(seed=1)
    assert observation["images"][0].shape == (112, 112, 3)
    assert info["category"] in ("easy", "hard")


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_and_letter_is_drawn(shape):
    ground = pixels(Scene(224, (), 1))
    drawn = {
        mark: pixels(Scene(224, (one_object(shape=shape, mark=mark, centre=(112, 112)),), 1))
        for mark in GLYPHS
    }
    assert len({picture.tobytes() for picture in drawn.values()}) == len(GLYPHS)
    assert all((picture != ground).any() for picture in drawn.values())


def test_each_glyph_is_seven_rows_of_five_dots():
    for rows in GLYPHS.values():
        assert [len(row) for row in rows.split()] == [5] * 7
        assert set(rows) == {"0", "1", " "}


def test_a_difficulty_that_is_too_coarse_to_draw_is_refused():
    with pytest.raises(ConfigError, match="target_px"):
        Difficulty(scene_px=100)

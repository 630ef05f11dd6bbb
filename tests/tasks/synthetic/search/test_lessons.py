"""What the tiny policy is pretrained on says what the pictures show."""

import numpy as np
import pytest

from pixel_env.tasks.synthetic.search import lessons
from pixel_env.tasks.synthetic.search.layout import Difficulty
from pixel_env.tasks.synthetic.search.scene import COLOURS, SHAPES, Scene, SceneObject
from pixel_env.tasks.synthetic.search.task import belongs_to

MARKS = Difficulty().marks


def exhibit(things, box=(0.0, 0.0, 1.0, 1.0)):
    picture = np.zeros((112, 112, 3), np.uint8)
    return lessons.Exhibit(picture, Scene(896, tuple(things), 0), box, things[0])


def thing(colour="red", centre=(112, 112), mark="H"):
    return SceneObject(colour, "circle", mark, centre, 112, 3)


def test_an_overview_and_crops_of_a_training_scene_are_shown():
    shown = lessons.exhibits(np.random.default_rng(0), Difficulty(), 3)
    assert [each.is_overview for each in shown] == [True, False, False, False]
    assert belongs_to(shown[0].scene) == "train"
    assert {each.picture.shape for each in shown} == {(112, 112, 3)}
    for each in shown[1:]:
        x, y = (centre / 896 for centre in each.subject.centre)
        assert each.box[0] < x < each.box[2]
        assert each.box[1] < y < each.box[3]


def test_labels_of_an_overview_by_hand():
    """A red circle in the middle of the first token; a blue one in that of the last."""
    labels = lessons.token_labels(exhibit([thing(), thing("blue", (784, 784))]), MARKS)
    nothing = [len(COLOURS), len(SHAPES)]
    red, blue = list(COLOURS).index("red"), list(COLOURS).index("blue")
    assert labels.shape == (16, 7)
    # centre 0.125, side 0.15: edges 0.05 and 0.2 are steps 1 and 4
    assert labels[0].tolist() == [red, 0, lessons.IGNORED, 1, 1, 4, 4]
    # centre 0.875, edges 0.8 and 0.95
    assert labels[15].tolist() == [blue, 0, lessons.IGNORED, 16, 16, 19, 19]
    assert labels[5, :2].tolist() == nothing
    assert set(labels[5, 2:]) == {lessons.IGNORED}


def test_labels_of_a_crop_name_the_letter_where_it_stands():
    """A crop of 0.2 with its object's centre in the middle of token 5, letter and all."""
    centre = round(0.475 * 896)
    shown = exhibit([thing(centre=(centre, centre))], (0.4, 0.4, 0.6, 0.6))
    labels = lessons.token_labels(shown, MARKS)
    assert labels[5, 2] == MARKS.index("H")
    assert (np.delete(labels[:, 2], 5) == lessons.IGNORED).all()
    assert set(labels[:, 3:].ravel()) == {lessons.IGNORED}
    assert labels[0, 0] == list(COLOURS).index("red")  # the shape reaches into its neighbours


def test_letters_are_not_asked_for_where_they_are_too_small():
    wide = exhibit([thing(centre=(448, 448))], (0.3, 0.3, 0.7, 0.7))
    assert not wide.is_readable
    assert (lessons.token_labels(wide, MARKS)[:, 2] == lessons.IGNORED).all()
    rng = np.random.default_rng(0)
    assert not any("letter" in lessons.lesson(rng, wide, MARKS).question for _ in range(30))


@pytest.mark.parametrize(
    ("centre", "box"),
    [
        ((448, 448), (0.4, 0.4, 0.55, 0.55)),
        ((56, 56), (0.0, 0.0, 0.15, 0.15)),
        ((840, 840), (0.85, 0.85, 1.0, 1.0)),
    ],
)
def test_a_written_box_lies_on_the_grid_and_inside(centre, box):
    item = thing(centre=centre)
    written = lessons.written_box(Scene(896, (item,), 0), item)
    assert written == pytest.approx(box, abs=0.051)
    assert written[2] - written[0] == pytest.approx(0.15)
    assert all(round(edge / 0.05, 6) == round(edge / 0.05) for edge in written)


def test_lessons_of_an_overview_say_the_truth():
    shown = exhibit([thing(), thing("blue", (784, 784), "T")])
    rng = np.random.default_rng(1)
    said = {}
    for _ in range(60):
        lesson = lessons.lesson(rng, shown, MARKS)
        said.setdefault(lesson.question.split()[0], lesson)
    assert said["What"].response  # a description or a shape
    description = lessons._describe(rng, shown, MARKS).response.split(", ")
    assert description[0] == "red circle"
    assert description[15] == "blue circle"
    assert description[1:15] == ["-"] * 14
    where = lessons._locate(rng, shown, MARKS)
    assert "red [0.05, 0.05, 0.2, 0.2]" in where.response
    assert (
        lessons._ground(rng, shown, MARKS).response == 'Here: {"bbox_2d": [0.05, 0.05, 0.2, 0.2]}'
    )
    forms = set()
    for _ in range(30):
        part = lessons._part(rng, shown, MARKS)
        assert part.response.startswith("I see top left. \\boxed{")
        declared = part.response[part.response.index("{") + 1 : -1]
        forms.add(bool(part.choices))
        right = part.choices["ABCD".index(declared)] if part.choices else declared
        assert right == "top left"
    assert forms == {True, False}


def test_first_lessons_ask_for_all_boxes_and_later_ones_for_one_as_well():
    (overview, *_) = lessons.exhibits(np.random.default_rng(1), Difficulty(), 1)
    asked = {}
    for is_first in (True, False):
        rng = np.random.default_rng(0)
        drawn = [lessons.lesson(rng, overview, MARKS, is_first) for _ in range(60)]
        asked[is_first] = [each for each in drawn if each.question.startswith("Where is")]
    assert not any("bbox_2d" in each.response for each in asked[True])
    assert any("bbox_2d" in each.response for each in asked[False])
    n_things = len(overview.scene.objects)
    assert all(len(each.response.splitlines()) == n_things for each in asked[True])


def test_the_vocabulary_covers_colours_and_shapes():
    texts = " ".join(lessons.vocabulary(np.random.default_rng(0), Difficulty(), 2))
    assert all(name in texts for name in (*COLOURS, *SHAPES))

"""The check that finds answers which a task set's own grader refuses."""

from __future__ import annotations

import pytest

from pixel_env import Grade, Sample, Task
from pixel_env.errors import DataError
from pixel_env.tasks.grading import grade_anls, grade_choice, grade_count, grade_text
from pixel_env.tasks.grading.gold_check import check_golds, gold_answers


class Rows(Task):
    """Samples from a list; one of None can't be read."""

    name = "rows"

    def __init__(self, grader, *samples):
        self.grader, self.samples = grader, samples

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, index):
        if self.samples[index] is None:
            raise DataError(f"rows.jsonl, row {index + 1}: not JSON")
        return self.samples[index]

    def grade(self, sample, answer):
        return self.grader(sample, answer)


def free(*golds, row=1):
    return Sample(f"free/{row}", "?", (), golds, origin=f"rows.jsonl, row {row}")


def options(choices, right, row=1):
    origin = f"rows.jsonl, row {row}"
    return Sample(f"options/{row}", "?", (), (choices[right],), choices, right, origin=origin)


@pytest.mark.parametrize(
    ("grader", "sample"),
    [
        (grade_text, free("white house", "The White House", "5 km")),
        (grade_count, free("4")),
        (grade_anls, free("Coca Cola", "Coca  Cola Company")),
        (grade_choice, options(("cotton", "rubber"), 1)),
        (grade_choice, options(("B", "A", "C"), 0)),
    ],
)
def test_a_good_task_has_no_faults(grader, sample):
    assert check_golds(Rows(grader, sample, sample)) == []


def test_a_gold_that_grades_0_is_named_with_its_sample_and_origin():
    task = Rows(grade_text, free("fine"), free("fine", "\u200b", row=2))
    (fault,) = check_golds(task)
    assert fault == (
        "Sample free/2 (rows.jsonl, row 2): its accepted answer '\\u200b' grades 0, wrong."
    )


def test_options_with_one_text_are_found():
    (fault,) = check_golds(Rows(grade_choice, options(("rubber", "rubber"), 1)))
    assert "its accepted answer 'rubber' grades 0, wrong" in fault


def test_a_wrong_index_is_found_by_its_letter_and_its_text():
    sample = options(("cotton", "rubber"), 1)

    def off_by_one(_, answer):
        return grade_choice(options(("cotton", "rubber"), 0), answer)

    faults = check_golds(Rows(off_by_one, sample))
    assert [("'B'" in fault, "'rubber'" in fault) for fault in faults] == [
        (True, False),
        (False, True),
    ]


def test_a_grader_that_credits_an_empty_answer_is_found():
    def contains(sample, answer):
        right = answer.strip() in sample.answers[0]
        return Grade(float(right), right, answer)

    faults = check_golds(Rows(contains, free("white house")))
    assert faults == [
        "Sample free/1 (rows.jsonl, row 1): the empty answer '' grades 1, right.",
        "Sample free/1 (rows.jsonl, row 1): the empty answer ' ' grades 1, right.",
    ]


@pytest.mark.parametrize("unsound", [Grade(0.9, True, "x"), Grade(1.0, False, "x")])
def test_a_score_under_1_and_a_grade_that_isnt_correct_are_found(unsound):
    def grader(_, answer):
        return unsound if answer.strip() else Grade(0.0, False, None)

    assert len(check_golds(Rows(grader, free("x")))) == 1


def test_rows_that_cant_be_read_and_golds_that_are_none_are_faults():
    task = Rows(grade_count, None, free("many", row=2), free("3", row=3), free(row=4))
    unreadable, no_number, none_accepted = check_golds(task)
    assert unreadable == "rows.jsonl, row 1: not JSON"
    assert no_number.startswith("rows.jsonl, row 2: expected whole numbers")
    assert none_accepted.startswith("rows.jsonl, row 4")


def test_only_the_samples_asked_for_are_checked():
    task = Rows(grade_text, free(""), free("fine", row=2), free("", row=3))
    assert check_golds(task, [1]) == []
    assert len(check_golds(task, [0, 1])) == 1
    assert len(check_golds(task)) == 2


def test_golds_of_options_are_the_letter_and_the_text():
    assert gold_answers(options(("cotton", "rubber"), 1)) == ("B", "rubber")
    assert gold_answers(options(("B", "A", "C"), 0)) == ("A",)
    many = tuple(f"number {index}" for index in range(30))
    assert gold_answers(options(many, 29)) == ("number 29",)

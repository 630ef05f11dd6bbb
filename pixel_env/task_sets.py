"""The task sets that have ids: where their classes are, and what their ids begin with.

Classes stand here as text, and `gym.make` imports them: the environment knows no task set.
"""

from __future__ import annotations

from typing import Any

TASKS: dict[str, tuple[str, dict[str, Any]]] = {
    "SmallSearch": (  # for small networks: few, large objects in four cells, a coarse overview
        "pixel_env.tasks.synthetic.search.task:SyntheticSearch",
        {
            "scene_px": 224,
            "grid": 2,
            "target_px": 112,
            "mark_px": 14,
            "marks": "LOTX",
            "min_objects": 1,
            "max_objects": 3,
            "overview_px": (28 * 28, 28 * 28),
            "crop_px": (56 * 56, 56 * 56),
            "max_turns": 2,
        },
    ),
    "SmallCounting": (  # for small networks: few stickers, two cards with six marks
        "pixel_env.tasks.synthetic.counting.task:SyntheticCounting",
        {
            "scene_px": 896,
            "sticker_px": 128,
            "card_px": 96,
            "mark_px": 15,
            "max_count": 4,
            "distractors": 3,
            "n_cards": 2,
            "marks_per_card": 6,
            "overlaps": 0.0,
            "visible": 1.0,
            "lit": True,
            "overview_px": (112 * 112, 112 * 112),
            "crop_px": (112 * 112, 112 * 112),
        },
    ),
    "SmallInfographic": (  # for small networks: titles and large figures, facts of the small print
        "pixel_env.tasks.synthetic.infographic.task:SyntheticInfographic",
        {
            "page_px": 560,
            "small_px": 11,
            "large_px": 23,
            "bars": 4,
            "rows": 4,
            "about": ("title", "figure", "source", "asked", "when", "edition"),
            "overview_px": (112 * 224, 112 * 224),
            "crop_px": (40 * 28 * 28, 56 * 28 * 28),
        },
    ),
    "SmallClip": (  # for small networks: two shapes, a frame is four tokens
        "pixel_env.tasks.synthetic.clip.task:SyntheticClip",
        {
            "side_px": 168,
            "n_shapes": 2,
            "shape_px": 56,
            "letter_px": 7,
            "letters": "HJLOTVXZ",
            "lit": True,
            "clip_px": (56 * 56, 56 * 56),
            "frame_px": (168 * 168, 168 * 168),
            "crop_px": (112 * 112, 112 * 112),
        },
    ),
    "VStar": ("pixel_env.tasks.vstar:VStar", {}),
    "TallyQA": ("pixel_env.tasks.tallyqa:TallyQA", {}),
    "InfographicsVQA": ("pixel_env.tasks.infographicsvqa:InfographicsVQA", {}),
    "MVBench": ("pixel_env.tasks.mvbench:MVBench", {}),
    "HRBench": ("pixel_env.tasks.hrbench:HRBench", {"option_order": "as_given"}),
    "Records": ("pixel_env.tasks.records:Records", {}),
    "PixelReasonerRL": ("pixel_env.tasks.pixel_reasoner_rl:PixelReasonerRL", {}),
    "PixelReasonerSFT": (  # recorded messages name options by letter
        "pixel_env.tasks.pixel_reasoner_sft:PixelReasonerSFT",
        {"option_order": "as_given"},
    ),
    "SyntheticSearch": (
        "pixel_env.tasks.synthetic.search.task:SyntheticSearch",
        {"overview_px": (112 * 112, 112 * 112), "crop_px": (112 * 112, 112 * 112)},
    ),
    "SyntheticMix": (  # each twin has sizes of its own; these are the least and the most of them
        "pixel_env.tasks.synthetic.mix:SyntheticMix",
        {
            "overview_px": (112 * 112, 112 * 224),
            "clip_px": (56 * 56, 56 * 56),
            "crop_px": (112 * 112, 56 * 28 * 28),
            "frame_px": (168 * 168, 168 * 168),
        },
    ),
    "SyntheticCounting": (
        "pixel_env.tasks.synthetic.counting.task:SyntheticCounting",
        {"overview_px": (224 * 224, 224 * 224), "crop_px": (224 * 224, 224 * 224)},
    ),
    "SyntheticInfographic": (  # pages are twice as high as wide
        "pixel_env.tasks.synthetic.infographic.task:SyntheticInfographic",
        {"overview_px": (224 * 448, 224 * 448), "crop_px": (224 * 224, 336 * 336)},
    ),
    "SyntheticClip": (  # many small frames, then a few large ones
        "pixel_env.tasks.synthetic.clip.task:SyntheticClip",
        {
            "clip_px": (84 * 84, 84 * 84),
            "frame_px": (224 * 224, 224 * 224),
            "crop_px": (224 * 224, 224 * 224),
        },
    ),
}
"""Task sets by name: where the class is, and the arguments that differ from the defaults."""

FLAT: dict[str, dict[str, Any]] = {
    "SmallSearch": {
        "vocabulary": (
            *("L", "O", "T", "X", "circle", "square", "triangle", "cross"),
            *("top left", "top right", "bottom left", "bottom right"),
        ),
        "view_px": 56,
        "n_views": 2,
        "question_chars": 48,
        "scales": (0.5,),
        "stride": 1.0,
    },
    "VStar": {"n_choices": 4},
    "TallyQA": {"vocabulary": 15},  # the counts 0 to 15
    "MVBench": {"n_choices": 5},
    "HRBench": {"n_choices": 4},
    "SyntheticSearch": {"options": True},
    "SyntheticCounting": {"options": True},
    "SyntheticInfographic": {"options": True},
    "SyntheticClip": {"options": True},
    "SyntheticMix": {"options": True, "n_choices": 4, "n_pictures": 16, "has_clips": True},
    "SmallCounting": {"options": True},
    "SmallInfographic": {"options": True},
    "SmallClip": {"options": True},
}
"""What the flat ids have beside that: sizes, and how an answer can be chosen. The others need a
`vocabulary` in `gym.make` where their questions have no options."""

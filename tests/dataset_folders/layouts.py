"""Every layout of every task set over files, by name."""

from vstar_folder import write_vstar

from . import hrbench, infographicsvqa, mvbench, pixel_reasoner, tallyqa, vstar_copies


def _vstar(write):
    return lambda folder: write(folder, write_vstar(folder.parent / f"{folder.name}-authors"))


LAYOUTS = {
    "vstar-authors": ("VStar", write_vstar, {}, 5),
    "vstar-lmms-lab": ("VStar", _vstar(vstar_copies.write_lmms_lab), {}, 5),
    "vstar-ohjoonhee": ("VStar", _vstar(vstar_copies.write_ohjoonhee), {}, 5),
    "vstar-released": ("VStar", _vstar(vstar_copies.write_released), {}, 5),
    "tallyqa-authors": ("TallyQA", tallyqa.write_authors, {}, 5),
    "tallyqa-train": (
        "TallyQA",
        lambda folder: tallyqa.write_authors(folder, "train"),
        {"split": "train"},
        5,
    ),
    "tallyqa-issimple": ("TallyQA", tallyqa.write_authors, {"complex_by": "issimple"}, 5),
    "tallyqa-copy": ("TallyQA", tallyqa.write_copy, {}, 5),
    "tallyqa-released": ("TallyQA", tallyqa.write_released, {}, 5),
    "infographicsvqa-authors": ("InfographicsVQA", infographicsvqa.write_authors, {}, 3),
    "infographicsvqa-train": (
        "InfographicsVQA",
        lambda folder: infographicsvqa.write_authors(folder, "train", "Images"),
        {"split": "train"},
        3,
    ),
    "infographicsvqa-copy": ("InfographicsVQA", infographicsvqa.write_copy, {}, 3),
    "infographicsvqa-released": ("InfographicsVQA", infographicsvqa.write_released, {}, 3),
    "mvbench-authors": (
        "MVBench",
        lambda folder: mvbench.write_mvbench(folder, n_rows=1, with_videos=True),
        {},
        20,
    ),
    "mvbench-released": ("MVBench", mvbench.write_released, {}, 2),
    "hrbench-4k": ("HRBench", hrbench.write_hrbench, {}, 8),
    "hrbench-8k": (
        "HRBench",
        lambda folder: hrbench.write_hrbench(folder, "hrbench_8k", 1),
        {"split": "hrbench_8k"},
        4,
    ),
    "pixel-reasoner-rl": ("PixelReasonerRL", pixel_reasoner.write_rl, {}, 4),
    "pixel-reasoner-sft": ("PixelReasonerSFT", pixel_reasoner.write_sft, {}, 2),
}
"""By name: the task set, what writes the folder, arguments, and how many samples there are."""

"""Where the data sets are published: repositories, revisions, licences and sizes, as data.

Nothing here reads or fetches anything: `pixel-reason prepare-data` fetches by this table, and a
task set that misses its data names the command.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pixel_env.errors import unknown_name

UNKNOWN = "not stated here: see the card of the repository"


@dataclass(frozen=True, slots=True)
class ReleaseSplit:
    """What one split of a release is expected to hold.

    Attributes:
        split: the split; "" where the task set has one only.
        counts: questions by category; the key "" stands for all of them.
        is_certain: whether another number is a fault; otherwise it is only remarked.
    """

    split: str
    counts: Mapping[str, int] = field(default_factory=dict)
    is_certain: bool = True


@dataclass(frozen=True, slots=True)
class Release:
    """One published copy of a data set on the Hugging Face hub.

    Attributes:
        name: what `pixel-reason prepare-data` calls it.
        title: what people call it.
        task: the task set that reads it, as in its id.
        repository: owner and name on the hub.
        files: patterns of the files that are fetched, by split; "" for those of every split.
        licence: as its card declares it.
        parts: its splits.
        revision: the pinned commit; None where none is known to be good, and the newest is taken.
        twin: the synthetic task set that is like it, as in its id; "" where there is none.
    """

    name: str
    title: str
    task: str
    repository: str
    files: Mapping[str, tuple[str, ...]]
    licence: str
    parts: tuple[ReleaseSplit, ...]
    revision: str | None = None
    twin: str = ""

    @property
    def folder(self) -> Path:
        """The folder that it is fetched into unless another one is named."""
        return Path("data") / self.name


def _pixel_reasoner(name: str, title: str, task: str, rows: str, split: str, twin: str) -> Release:
    """The evaluation sets published with Pixel Reasoner: one parquet and `images.zip` each."""
    return Release(
        name=f"pixel-reasoner-{name}",
        title=f"Pixel Reasoner's evaluation set of {title}",
        task=task,
        repository=f"JasperHaozhe/{rows}-EvalData-PixelReasoner",
        files={"": ("*.parquet", "images.zip")},
        licence=UNKNOWN,
        parts=(ReleaseSplit(split),),
        twin=twin,
    )


RELEASES: dict[str, Release] = {
    release.name: release
    for release in (
        Release(
            name="vstar",
            title="V* Bench",
            task="VStar",
            repository="craigwu/vstar_bench",
            files={"": ("test_questions.jsonl", "direct_attributes/*", "relative_position/*")},
            licence="none declared",
            parts=(ReleaseSplit("test", {"direct_attributes": 115, "relative_position": 76}),),
            revision="d9ae62c903da0c98336e85c5ee89cd863b04b4da",
            twin="SyntheticSearch",
        ),
        Release(
            name="vstar-lmms-lab",
            title="V* Bench, with the pictures in a parquet",
            task="VStar",
            repository="lmms-lab/vstar-bench",
            files={"": ("*.parquet", "data/*.parquet")},
            licence=UNKNOWN,
            parts=(ReleaseSplit("test", {"direct_attributes": 115, "relative_position": 76}),),
            twin="SyntheticSearch",
        ),
        Release(
            name="vstar-ohjoonhee",
            title="V* Bench, with the pictures in a parquet",
            task="VStar",
            repository="ohjoonhee/vstar_bench",
            files={"": ("*.parquet", "data/*.parquet")},
            licence=UNKNOWN,
            parts=(ReleaseSplit("test", {"direct_attributes": 115, "relative_position": 76}),),
            twin="SyntheticSearch",
        ),
        Release(
            name="tallyqa",
            title="TallyQA",
            task="TallyQA",
            repository="vikhyatk/tallyqa-test",
            files={"": ("*.parquet", "data/*.parquet")},
            licence=UNKNOWN,
            parts=(
                ReleaseSplit("test", {"simple": 22_991, "complex": 15_598}, is_certain=False),
                ReleaseSplit("train", {"": 249_318}, is_certain=False),
            ),
            twin="SyntheticCounting",
        ),
        Release(
            name="infographicsvqa",
            title="InfographicsVQA",
            task="InfographicsVQA",
            repository="lmms-lab/DocVQA",
            files={"val": ("InfographicVQA/validation-*.parquet",)},
            licence=UNKNOWN,
            parts=(ReleaseSplit("val", {"": 2801}), ReleaseSplit("train")),
            twin="SyntheticInfographic",
        ),
        Release(
            name="mvbench",
            title="MVBench",
            task="MVBench",
            repository="OpenGVLab/MVBench",
            files={"": ("json/*.json", "video/*")},
            licence="MIT",
            parts=(ReleaseSplit("test", {"": 4000}, is_certain=False),),
            twin="SyntheticClip",
        ),
        Release(
            name="hrbench",
            title="HR-Bench",
            task="HRBench",
            repository="DreamMr/HR-Bench",
            files={
                "hrbench_4k": ("hr_bench_4k.parquet",),
                "hrbench_8k": ("hr_bench_8k.parquet",),
            },
            licence=UNKNOWN,
            parts=(ReleaseSplit("hrbench_4k", {"": 800}), ReleaseSplit("hrbench_8k", {"": 800})),
            twin="SyntheticSearch",
        ),
        Release(
            name="pixel-reasoner-rl",
            title="Pixel Reasoner's questions for RL",
            task="PixelReasonerRL",
            repository="TIGER-Lab/PixelReasoner-RL-Data",
            files={"": ("release.parquet", "images.zip", "videos.zip")},
            licence=UNKNOWN,
            parts=(ReleaseSplit("train", {"": 15_400}, is_certain=False),),
            twin="SyntheticSearch",
        ),
        Release(
            name="pixel-reasoner-sft",
            title="Pixel Reasoner's warm-start conversations",
            task="PixelReasonerSFT",
            repository="TIGER-Lab/PixelReasoner-SFT-Data",
            files={"": ("release.json", "*.zip")},
            licence=UNKNOWN,
            parts=(ReleaseSplit("train", {"": 7850}, is_certain=False),),
            twin="SyntheticSearch",
        ),
        _pixel_reasoner("vstar", "V* Bench", "VStar", "VStar", "test", "SyntheticSearch"),
        _pixel_reasoner("tallyqa", "TallyQA", "TallyQA", "TallyQA", "test", "SyntheticCounting"),
        _pixel_reasoner(
            "infographicsvqa",
            "InfographicsVQA",
            "InfographicsVQA",
            "InfoVQA",
            "val",
            "SyntheticInfographic",
        ),
        _pixel_reasoner("mvbench", "MVBench", "MVBench", "MVBench", "test", "SyntheticClip"),
    )
}
"""The releases by name; of each task set, the first one is the one to fetch."""


def releases_of(task: str) -> tuple[Release, ...]:
    """Returns the releases that a task set reads, the one to fetch first.

    Args:
        task: the task set's name in its id.

    Raises:
        ConfigError: the table holds none.
    """
    found = tuple(release for release in RELEASES.values() if release.task == task)
    if not found:
        raise unknown_name("a task set", task, {each.task for each in RELEASES.values()})
    return found

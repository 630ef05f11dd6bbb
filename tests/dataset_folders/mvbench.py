"""MVBench: a JSON file a task beside the unpacked videos; and Pixel Reasoner's evaluation set."""

from __future__ import annotations

import json
from pathlib import Path

from videos import grey_pictures, write_video

from .files import write_parquet, write_picture

TASKS = {
    "action_sequence": "star/Charades_v1_480",
    "action_prediction": "star/Charades_v1_480",
    "action_antonym": "ssv2_video",
    "fine_grained_action": "Moments_in_Time_Raw/videos",
    "unexpected_action": "FunQA_test/test",
    "object_existence": "clevrer/video_validation",
    "object_interaction": "star/Charades_v1_480",
    "object_shuffle": "perception/videos",
    "moving_direction": "clevrer/video_validation",
    "action_localization": "sta/sta_video",
    "scene_transition": "scene_qa/video",
    "action_count": "perception/videos",
    "moving_count": "clevrer/video_validation",
    "moving_attribute": "clevrer/video_validation",
    "state_change": "perception/videos",
    "fine_grained_pose": "nturgbd",
    "character_order": "perception/videos",
    "egocentric_navigation": "vlnqa",
    "episodic_reasoning": "tvqa/frames_fps3_hq",
    "counterfactual_inference": "clevrer/video_validation",
}
BOUNDED = (
    "action_sequence",
    "action_prediction",
    "object_interaction",
    "action_localization",
    "episodic_reasoning",
)
CANDIDATES = ("Sat down.", "Opened the door.", "Closed it.")

N_FRAMES = 30


def write_mvbench(folder: Path, n_rows: int = 2, with_videos: bool = False) -> Path:
    """Writes all twenty tasks; clips are frame folders (Episodic Reasoning) or short mp4 files."""
    (folder / "json").mkdir(parents=True)
    for task, below in TASKS.items():
        rows = []
        for number in range(n_rows):
            is_folder = task == "episodic_reasoning"
            video = f"castle_{number}" if is_folder else f"{task}_{number}.mp4"
            row = {
                "video": video,
                "question": f"What happened in {number}?",
                "candidates": list(CANDIDATES),
                "answer": CANDIDATES[number % 3],
            }
            if task in BOUNDED:
                row |= {"start": 1.5 + number, "end": 8.0}
            rows.append(row)
            path = folder / "video" / below / video
            if is_folder:
                for frame in range(1, N_FRAMES + 1):
                    write_picture(path / f"{frame:05}.jpg", frame)
            elif with_videos:
                path.parent.mkdir(parents=True, exist_ok=True)
                write_video(path, grey_pictures(range(0, 240, 20)), fps=6)
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(b"no video")
        (folder / "json" / f"{task}.json").write_text(json.dumps(rows), "utf-8")
    return folder


def write_released(folder: Path) -> Path:
    """Pixel Reasoner's: a clip is a list of frames."""
    rows = []
    for number in range(2):
        frames = [f"images/{number}_{frame}.jpg" for frame in range(4)]
        for frame, path in enumerate(frames):
            write_picture(folder / path, frame)
        rows.append(
            {
                "question": "What happens?\n(A) a fall\n(B) a jump",
                "answer": ["\\boxed{B}"],
                "image": frames,
                "is_video": True,
                "qid": f"mvbench-{number}",
            }
        )
    write_parquet(folder / "mvbench.parquet", rows)
    return folder

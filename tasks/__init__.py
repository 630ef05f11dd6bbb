"""Task sets, one file each, and their graders (installed as `pixel_env.tasks`)."""

from .hrbench import HRBench
from .infographicsvqa import InfographicsVQA
from .mvbench import MVBench
from .pixel_reasoner_rl import PixelReasonerRL
from .pixel_reasoner_sft import PixelReasonerSFT
from .records import Records
from .tallyqa import TallyQA
from .vstar import VStar

__all__ = [
    "HRBench",
    "InfographicsVQA",
    "MVBench",
    "PixelReasonerRL",
    "PixelReasonerSFT",
    "Records",
    "TallyQA",
    "VStar",
]

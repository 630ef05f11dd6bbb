"""Many episodes side by side in one process, which reset themselves as Gymnasium's lanes do."""

from .arguments import check_waits
from .lanes import Lane, PixelReasoningVectorEnv
from .making import make_vector_env

__all__ = ["Lane", "PixelReasoningVectorEnv", "check_waits", "make_vector_env"]

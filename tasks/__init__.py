"""Task sets: samples and their graders (installed as `pixel_env.tasks`)."""

from .vstar import VStar

__all__ = ["VStar"]

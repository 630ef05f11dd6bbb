"""The package that verifiers loads by the id `pixel-reason-v1`."""

from pixel_env.agents.verifiers.environment import (
    ChatHarness,
    PixelReasonEnv,
    PixelReasonTaskset,
)

__all__ = ["ChatHarness", "PixelReasonEnv", "PixelReasonTaskset"]

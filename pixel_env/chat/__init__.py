"""Chat messages: what a dialect shows as parts of text and pictures, and conversations of them."""

from .conversation import Conversation, SystemPrompt, system_text
from .episode import ChatEpisode, EpisodeFacts
from .parts import AsArray, AsDataURL, AsPicture, AsPillow, message_parts

__all__ = [
    "AsArray",
    "AsDataURL",
    "AsPicture",
    "AsPillow",
    "ChatEpisode",
    "Conversation",
    "EpisodeFacts",
    "SystemPrompt",
    "message_parts",
    "system_text",
]

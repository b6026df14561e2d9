"""Whole conversations: captures of network traffic and recorded messages, judged message by message and together."""

from harness.validation.conversation.judge import judge_messages, validate_capture
from harness.validation.conversation.packets import is_capture

__all__ = ["is_capture", "judge_messages", "validate_capture"]

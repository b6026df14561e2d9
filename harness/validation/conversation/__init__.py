"""Whole conversations: captures of network traffic and recorded messages, judged message by message and together."""

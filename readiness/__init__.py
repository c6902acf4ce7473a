"""Validate that an LLM endpoint is ready for enterprise use."""

from readiness.chat import Chat
from readiness.check import Check, check
from readiness.probe import Probe
from readiness.reply import Reply, ToolCall
from readiness.score import PASSED, Score, failed

__all__ = ["PASSED", "Chat", "Check", "Probe", "Reply", "Score", "ToolCall", "check", "failed"]

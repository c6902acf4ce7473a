"""The normaliser: visible text without the reasoning and markup that some servers leave in it."""

from __future__ import annotations

import re

TAGS = (
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<seed:think>", "</seed:think>"),
    ("[THINK]", "[/THINK]"),
    ("◁think▷", "◁/think▷"),
)
BLOCKS = "|".join(f"{re.escape(a)}(.*?){re.escape(b)}" for a, b in TAGS)
BLOCK = re.compile(rf"\s*(?:{BLOCKS})", re.DOTALL)
CLOSING = "</think>"

CONTROL_TOKEN = re.compile(
    r"<\|[A-Za-z_0-9]{2,40}\|>"  # ChatML, Llama 3, harmony and most others
    r"|<｜[^<>｜\n]{2,40}｜>"  # DeepSeek
    r"|</?(?:\w{1,20}:)?tool_calls?>|</?arg_(?:key|value)>"  # Hermes, Qwen, MiniMax, GLM
    r"|\[/?(?:TOOL_CALLS|TOOL_RESULTS|AVAILABLE_TOOLS|INST)\]"  # Mistral
    r"|<(?:start|end)_of_turn>"  # Gemma
    r"|\bfunctions\.[\w-]{1,64}:\d+(?=\s*(?:\{|<\|))"  # Kimi; functions.py:10 is a place in a file
    r"|assistant(?:final|commentary)",  # harmony, its special tokens skipped
)
# Without one of these there is no control token. Looking for them takes a tenth of the time.
MARKS = ("<|", "<｜", "tool_call", "TOOL_", "arg_", "INST]", "_of_turn", "functions.", "assistantf")


def split(content: str, finish: str) -> tuple[str, str]:
    """Part visible text from the reasoning that stands in front of it."""
    thoughts = []
    start = 0
    while block := BLOCK.match(content, start):
        thoughts.append(block[block.lastindex or 0].strip())
        start = block.end()
    rest = content[start:].lstrip() if start else content
    opening = next((tag for tag, _ in TAGS if rest.lstrip().startswith(tag)), "")
    if opening and finish == "length":
        thoughts.append(rest.partition(opening)[2].strip())
        rest = ""
    elif not start and CLOSING in rest and "<think>" not in rest.partition(CLOSING)[0]:
        # The chat template had written the opening tag.
        thought, _, rest = rest.partition(CLOSING)
        thoughts.append(thought.strip())
        rest = rest.lstrip()
    return rest, "\n".join(filter(None, thoughts))


def control_tokens(text: str) -> tuple[str, ...]:
    """The control tokens of chat templates that stand in a text, each once."""
    if not any(mark in text for mark in MARKS):
        return ()
    return tuple(dict.fromkeys(CONTROL_TOKEN.findall(text)))

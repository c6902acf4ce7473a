from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from readiness.protocol.message import TAGS, control_tokens, excerpt, split

PIECES = st.sampled_from([*(tag for pair in TAGS for tag in pair), " ", "\n", "a", "<", "["])


@pytest.mark.parametrize(("opening", "closing"), TAGS)
def test_a_block_in_front_is_reasoning(opening: str, closing: str) -> None:
    block = f"\n{opening}\nLet me see.\n{closing}\n\nHello\n"
    assert split(block, "stop") == ("Hello\n", "Let me see.")


@pytest.mark.parametrize(
    ("content", "text", "reasoning"),
    [
        (" Hello\n", " Hello\n", ""),
        ("", "", ""),
        ("<think>\n\n</think>\n\nHello", "Hello", ""),
        ("<think>a</think><think>b</think>Hello", "Hello", "a\nb"),
        ("<think>a</think>Hello <think>b</think>", "Hello <think>b</think>", "a"),
        ("Let me see.</think>Hello", "Hello", "Let me see."),
        ("</think>\nHello", "Hello", ""),
        ("a</think>b</think>c", "b</think>c", "a"),
        ("Write <think> and </think>.", "Write <think> and </think>.", ""),
        ("Hello <think>a</think>", "Hello <think>a</think>", ""),
        ("<think>never closed", "<think>never closed", ""),
        ("<THINK>a</THINK>b", "<THINK>a</THINK>b", ""),
    ],
)
def test_only_what_stands_in_front_is_reasoning(content: str, text: str, reasoning: str) -> None:
    assert split(content, "stop") == (text, reasoning)


@pytest.mark.parametrize(("opening", "closing"), TAGS)
def test_a_block_that_the_budget_cut_is_reasoning(opening: str, closing: str) -> None:
    assert split(f" {opening}Let me", "length") == ("", "Let me")
    whole = f"{opening}a{closing}\n{opening}b"
    assert split(whole, "length") == ("", "a\nb")


@given(st.lists(PIECES).map("".join), st.sampled_from(["stop", "length"]))
@example("<think>a</think></think>", "stop")
def test_no_text_is_lost_or_added(content: str, finish: str) -> None:
    text, reasoning = split(content, finish)
    assert content.endswith(text)
    assert bare(reasoning) == bare(content[: len(content) - len(text)])


def bare(text: str) -> str:
    """A text without tags and spaces."""
    for tag in (tag for pair in TAGS for tag in pair):
        text = text.replace(tag, "")
    return "".join(text.split())


@pytest.mark.parametrize(
    ("start", "end", "shown"),
    [(25, 27, "567890123456789012345678901234567890123456"), (0, 0, "01234567890123456789"),
     (20, 21, "01234567890123456789012345678901234567890"), (21, 22, "1" + "2345678901" * 4),
     (58, 60, "8901234567890123456789")],
)  # fmt: skip
def test_twenty_characters_are_quoted_on_either_side(start: int, end: int, shown: str) -> None:
    text = "0123456789" * 6
    assert (excerpt(text, start, end), excerpt(text.encode(), start, end)) == (
        shown,
        shown.encode(),
    )


@given(st.text(st.characters(exclude_characters="<[◁")))
def test_text_without_tags_stays_as_it_is(text: str) -> None:
    assert split(text, "length") == (text, "")


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Hello<|im_end|>", ("<|im_end|>",)),
        ("<|start|>assistant<|channel|>final", ("<|start|>", "<|channel|>")),
        ("<|eot_id|><|eot_id|>", ("<|eot_id|>",)),
        ("<tool_call>{}</tool_call>", ("<tool_call>", "</tool_call>")),
        ("<minimax:tool_call>", ("<minimax:tool_call>",)),
        ("[TOOL_CALLS]look", ("[TOOL_CALLS]",)),
        ("[/INST] Hi", ("[/INST]",)),
        ("<｜tool▁calls▁begin｜>", ("<｜tool▁calls▁begin｜>",)),
        ("functions.get_weather:0{}", ("functions.get_weather:0",)),
        ("<end_of_turn>", ("<end_of_turn>",)),
        ("analysisWe see.assistantfinalHello", ("assistantfinal",)),
        ("a <| b |> c, x<|y, f <| g", ()),
        ("the tool_call tag, arg_key, functions.py:10 and [INST", ()),
        ("functions.py: 1. functions.md", ()),
        ("assistant final", ()),
        ("", ()),
    ],
)
def test_control_tokens_are_found_and_nothing_else(text: str, tokens: tuple[str, ...]) -> None:
    assert control_tokens(text) == tokens

"""What a text says of a value, in the languages in which it is asked for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readiness.scoring.assertions import Mention, Role, mentions, says_unsaid, says_unsure
from readiness.scoring.values import normalise

UNSAID = """\
没有提到
沒有提到。
未提及
我们前面没有提过
您还没告诉我这个
你没跟我说过呀
之前的对话中没有提到过
對話中沒有相關資訊
没有关于副楼车位的信息
没有登记编号的记录
從未說過
無相關記錄
尚未提供
没有人说过
查无此项
日志里不存在
Not mentioned
You didn't mention that.
You haven't told me
You haven’t told me this yet!
It was never mentioned.
It wasn't given.
There is no mention of it in our conversation.
You never told me that
I don't have that information.
I couldn't find it.
Nothing was said about it
Not in the log
No record.
No se mencionó.
No me lo ha dicho
Nunca se indicó.
No consta
No se ha mencionado en la conversación
言及されていません
記録にありません
まだ聞いていません。
教えてもらっていません""".splitlines()

SAID = """\
没错，就是这个
没问题，我记录了
没忘，我记录下来了
记得，没有其他记录
好的，这件事我已经记录下来了。
没有问题
不清楚
不知道
N/A
I don't know
Not sure, you said it
No problem, I noted it.
Sure, I have made a note of that.
not the oak shelf but the pine shelf
No sé
記録では青い方です
聞いたのは昨日です""".splitlines()


@pytest.mark.parametrize("text", UNSAID)
def test_a_text_may_say_in_many_ways_that_nothing_was_said(text: str) -> None:
    assert says_unsaid(normalise(text))


@pytest.mark.parametrize("text", SAID)
def test_other_denials_say_nothing_of_it(text: str) -> None:
    assert not says_unsaid(normalise(text))


@pytest.mark.parametrize("text", ["不知道", "不清楚。", "I don't know", "Unknown", "わかりません"])
def test_to_know_no_answer_is_not_to_say_that_there_was_none(text: str) -> None:
    assert (says_unsure(normalise(text)), says_unsaid(normalise(text))) == (True, False)


@pytest.mark.parametrize(
    ("text", "roles"),
    [
        ("4821", "stated"),
        ("大约4821", "stated"),
        ("没错，4821", "stated"),
        ("或许4821", "stated"),
        ("No. 4821", "stated"),
        ("不是4821", "denied"),
        ("不是4821，而是4827", "denied stated"),
        ("不，不是。是4827", "stated"),
        ("4827，不是4821", "stated denied"),
        ("4821不对，4827才对", "denied stated"),
        ("it isn't 4821", "denied"),
        ("4821 is wrong", "denied"),
        ("not 4821 but 4827", "denied stated"),
        ("not the oak shelf but 4827", "stated"),
        ("4827 rather than 4821", "stated denied"),
        ("no es 4821", "denied"),
        ("no es 4821 sino 4827", "denied stated"),
        ("4821ではなく4827", "denied stated"),
        ("4827（原为4821）", "stated former"),
        ("4827（原来登记为4821）", "stated former"),
        ("从4821改成4827", "former stated"),
        ("4821，后更正为4827", "former stated"),
        ("4827 (was 4821)", "stated former"),
        ("4827，取代4821", "stated former"),
        ("4827 (superseding 4821)", "stated former"),
        ("4821已作废，现为4827", "denied stated"),
        ("4827 (previously listed as 4821)", "stated former"),
        ("used to be 4821, now 4827", "former stated"),
        ("4821 was corrected to 4827", "former stated"),
        ("4821 or 4827", "alternative alternative"),
        ("4821，或者4827", "alternative alternative"),
        ("4821还是4827", "alternative alternative"),
        ("4821 o 4827", "alternative alternative"),
        ("4821 and 4827", "stated stated"),
        ("4821→4827", "stated stated"),
    ],
)
def test_a_value_has_the_role_that_the_words_around_it_give_it(text: str, roles: str) -> None:
    assert [each.role for each in mentions(normalise(text))] == roles.split()


@given(st.lists(st.integers(1000, 9999), min_size=1, max_size=9))
def test_values_in_a_list_are_all_stated(values: list[int]) -> None:
    text = normalise("、".join(map(str, values)))
    assert [*mentions(text)] == [Mention(str(each), Role.STATED) for each in values]


@pytest.mark.parametrize(
    "piece", ["没有", "没有关于", "not have ", "聞いた", "1 or ", "不是", "was old "]
)
def test_a_reply_that_runs_away_is_read_in_good_time(piece: str) -> None:
    # Where the time grew with the square of the length, some of these took minutes.
    text = piece * 20_000
    assert (says_unsaid(text), says_unsure(text)) == (False, False)
    assert len([*mentions(text)]) == text.count("1")

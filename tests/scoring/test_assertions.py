"""What a text says of a value, in the languages in which it is asked for."""

from __future__ import annotations

import pytest

from readiness.scoring.assertions import says_unsaid, says_unsure
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
不是没有提到
没错，这件事前面你确实说得很清楚，我也从头到尾看过了，记得是在第二段里，所以并不是没有提到
怎么会没有提到
没有提到吗？
没有说过别的
It is not true that it was never mentioned.
I wouldn't say that it was never mentioned
It was not mentioned until line 40.
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
    "piece", ["没有", "没有关于", "not have ", "聞いた", "1 or ", "不是", "was old "]
)
def test_a_reply_that_runs_away_is_read_in_good_time(piece: str) -> None:
    # Where the time grew with the square of the length, some of these took minutes.
    text = piece * 20_000
    assert (says_unsaid(text), says_unsure(text)) == (False, False)

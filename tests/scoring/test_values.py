"""Values as they are written: every way to write one is the same to a scorer."""

from __future__ import annotations

from datetime import date
from random import Random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from readiness.scoring.values import dates, holds, normalise, numbers

DIGITS = "零一二三四五六七八九"
FORMAL = str.maketrans("零一二三四五六七八九十百千万亿", "零壹贰叁肆伍陆柒捌玖拾佰仟萬億")
FULL = {ord(each): chr(ord(each) + 0xFEE0) for each in map(chr, range(0x21, 0x7F))}
MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August"]
MONTHS += ["September", "October", "November", "December"]
SMALL = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
SMALL += ["eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen"]
SMALL += ["eighteen", "nineteen"]
TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
DAYS = st.dates(date(2000, 1, 1), date(2099, 12, 31))


def in_chinese(number: int) -> str:
    """A number as it is read out in Chinese."""
    for scale, name in ((10**8, "亿"), (10**4, "万")):
        if number >= scale:
            high, low = divmod(number, scale)
            gap = DIGITS[0] if 0 < low < scale // 10 else ""
            return in_chinese(high) + name + gap + (in_chinese(low) if low else "")
    text = ""
    for scale, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = number // scale % 10
        within = bool(text) and not text.endswith(DIGITS[0])
        if digit:
            text += DIGITS[digit] + name
        elif within and number % scale:
            text += DIGITS[0]
    return text or DIGITS[0]


def in_english(number: int) -> str:
    """A number as it is read out in English."""
    for scale, name in ((10**6, "million"), (1000, "thousand"), (100, "hundred")):
        if number >= scale:
            high, low = divmod(number, scale)
            rest = f" {'and ' if low < 100 else ''}{in_english(low)}" if low else ""
            return f"{in_english(high)} {name}{rest}"
    if number < 20:
        return SMALL[number]
    ten, one = divmod(number, 10)
    return TENS[ten - 2] + (f"-{SMALL[one]}" if one else "")


@given(st.integers(0, 10**12 - 1) | st.integers(10**12, 10**16 - 1))
@example(10_0000_0005)
@example(1_0001_0000)
@example(1_0000_0000_0000)
def test_a_number_is_the_same_in_every_script(number: int) -> None:
    written = [f"{number:,}", str(number).translate(FULL), f"{number:,}".translate(FULL)]
    written += [f"{number:,}".replace(",", "\u202f"), f"{number}.00", in_chinese(number)]
    written += [in_chinese(number).translate(FORMAL)]
    assert {each: normalise(each) for each in written} == dict.fromkeys(written, str(number))


@given(st.integers(10, 10**8 - 1), st.randoms(use_true_random=False))
@example(4821, Random(1))
def test_a_number_is_the_same_with_some_of_its_digits_in_figures(
    number: int, chance: Random
) -> None:
    mixed = "".join(
        str(DIGITS.index(each)) if each in DIGITS[1:] and chance.random() < 0.5 else each
        for each in in_chinese(number)
    )
    assert {mixed: normalise(mixed)} == {mixed: str(number)}


@given(st.integers(2, 10**9 - 1))
def test_a_number_is_the_same_in_english_words(number: int) -> None:
    assert (normalise(in_english(number)), numbers(in_english(number).title())) == (
        str(number),
        [str(number)],
    )


@given(st.integers(1, 9999), st.integers(1, 9))
def test_tens_of_thousands_may_have_decimals(whole: int, tenths: int) -> None:
    number = str(whole * 10_000 + tenths * 1000)
    written = [
        f"{whole}.{tenths}万",
        f"{whole}万{tenths}千",
        f"{in_chinese(whole)}万{DIGITS[tenths]}千",
    ]
    assert [normalise(each) for each in written] == [number] * 3


@given(st.integers(0, 10**9), st.integers(1, 99))
def test_decimals_are_the_same_in_every_script(whole: int, part: int) -> None:
    decimals = f"{part:02}".rstrip("0")
    plain = f"{whole}.{decimals}"
    spoken = f"{in_chinese(whole)}点" + "".join(DIGITS[int(digit)] for digit in decimals)
    continental = f"{whole:,}".replace(",", ".") + f",{part:02}"
    written = [f"{whole:,}.{decimals}0", plain.translate(FULL), spoken]
    written += [continental] if whole >= 1000 else []
    assert {normalise(each) for each in written} == {plain}


@given(DAYS)
@example(date(2027, 5, 20))
@example(date(2030, 10, 10))
@example(date(2027, 1, 31))
@example(date(2027, 12, 13))
def test_a_date_is_the_same_however_it_is_written_or_spoken(day: date) -> None:
    year = "".join("〇一二三四五六七八九"[int(digit)] for digit in str(day.year))
    tens = [
        in_chinese(each).removeprefix("一" if 10 <= each < 20 else " ")
        for each in (day.month, day.day)
    ]
    name = MONTHS[day.month - 1]
    ending = {1: "st", 2: "nd", 3: "rd"}.get(day.day % 10 * (day.day // 10 != 1), "th")
    written = [
        day.isoformat(),
        f"{day.year}/{day.month}/{day.day}",
        f"{day.year}.{day.month:02}.{day.day:02}",
        f"{day.year}年{day.month}月{day.day}日",
        f"{day.year} 年 {day.month} 月 {day.day} 号".translate(FULL),
        f"{year}年{tens[0]}月{tens[1]}日",
        f"{name} {day.day}, {day.year}",
        f"{name[:3]}. {day.day}{ending} {day.year}",
        f"the {day.day}{ending} of {name}, {day.year}".removeprefix("the "),
        f"{day.day} {name.upper()} {day.year}",
    ]
    written += [f"{day.month}/{day.day}/{day.year}", f"{day.day}/{day.month}/{day.year}"] * (
        day.day > 12
    )
    found = {each: (*dates(each), *numbers(each)) for each in written}
    assert found == dict.fromkeys(written, (day.isoformat(),))


@given(DAYS)
def test_a_date_without_a_year_is_the_same_in_both_languages(day: date) -> None:
    written = [
        f"{day.month}月{day.day}号",
        f"{MONTHS[day.month - 1]} {day.day}",
        f"{day.day} {MONTHS[day.month - 1]}",
    ]
    assert [dates(each) for each in written] == [[f"--{day.month:02}-{day.day:02}"]] * 3


@pytest.mark.parametrize(
    ("texts", "same"),
    [
        (["€4,821", "4821欧元", "EUR 4821", "4,821 euros", "欧元四千八百二十一"], "4821 eur"),
        (["¥88", "88元", "RMB 88", "八十八块", "88 yuan"], "88 cny"),
        (["3.5%", "百分之三点五", "3.50 percent", "３．５％"], "3.5%"),
        (["15:20", "下午3点20分", "下午三点二十", "3:20 pm", "15点20分", "15：20"], "15:20"),
        (["12:30 a.m.", "凌晨0点半", "00:30"], "00:30"),
        (["KD-48213", "kd48213", "ＫＤ－４８２１３", "KD_48213"], "kd48213"),
        (["5公斤", "5kg", "五千克", "5 kilograms"], "5 kg"),
        (["三十人", "30名", "30 people"], "30 people"),
        (["一百二", "一百二十", "120"], "120"),
        (["一百十五", "一百一十五", "115"], "115"),
        (["二百十万", "210万"], "2100000"),
        (["一百九", "190"], "190"),
        (["8百10", "810"], "810"),
        (["一万零50", "1万〇50", "一万零五十"], "10050"),
        (["1百零10", "一百一十"], "110"),
        (["两千五", "2,500"], "2500"),
        (["23:59", "11:59 pm", "晚上11点59分"], "23:59"),
        (["12月31日", "12-31"], "--12-31"),
        (["1月1日", "01-01"], "--01-01"),
        (["0月1日"], "0 月 1 日"),
        (["13月1日"], "13 月 1 日"),
        (["1月0日"], "1 月 0 日"),
        (["12月32日"], "12 月 32 日"),
        (["24:00"], "24:00"),
        (["24点整"], "24 点整"),
        (["10:60"], "10:60"),
        (["3:60 pm"], "3 60 pm"),
        (["12:30 pm", "12:30"], "12:30"),
        (["Twenty fifteen"], "twenty fifteen"),
        (["hundred and one"], "hundred and one"),
        (["一亿二千万", "1.2亿", "120 million"], "120000000"),
        (["4千8百21", "四千8百二十一", "4 821", "４，８２１", "4\u202f821"], "4821"),
        (["1.25万", "1万2千5", "一万二千五百"], "12500"),
        (["廿三", "二十三", "贰拾叁"], "23"),
        (["卅一", "三十一"], "31"),
        (["负五", "-5", "负5", "零下五", "minus five", "negative 5", "−5"], "-5"),
        (["两百", "二百", "２００", "two hundred"], "200"),
        (["03-17", "3月17日", "March 17"], "--03-17"),
        (["张 伟，李娜。", "张伟李娜"], "张伟李娜"),
    ],
)  # fmt: skip
def test_other_values_are_the_same_however_they_are_written(texts: list[str], same: str) -> None:
    assert {text: normalise(text) for text in texts} == dict.fromkeys(texts, same)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("100，200、300", ["100", "200", "300"]),
        ("4821房间，不是4822", ["4821", "4822"]),
        ("-5 度，(-3)，−2", ["-5", "-3", "-2"]),
        ("2027年3月5日 15:20 售出1,234件", ["1234"]),
        ("KD-48213 and v1.2.3 and 10.0.3.17", []),
        ("十分抱歉，星期一我们一起再看一下", []),
        ("the other one, in a hundred ways", []),
        ("百货、万科和千米", []),
        ("三百百、十百、三百千", []),
        ("亿、一万万", []),
        ("nineteen five", []),
        ("twenty fifteen", []),
        ("胜负三比一，负责人", ["3", "1"]),
        ("10 minus 5", ["10", "5"]),
        ("两千2027年3月5日", ["2000"]),
        ("两千5日", ["2000", "5"]),
        ("三百零100", ["100"]),
        ("三百2027", ["2027"]),
        ("48213 59177 60342", ["48213", "59177", "60342"]),
        ("10-12人", ["10", "12"]),
        ("3/5/2027", ["3", "5", "2027"]),
        ("3/12/2027", ["3", "12", "2027"]),
        ("12/3/2027", ["12", "3", "2027"]),
    ],
)
def test_numbers_are_those_that_count_something(text: str, found: list[str]) -> None:
    assert numbers(text) == found


def test_what_goes_on_for_longer_than_any_number_is_none() -> None:
    english, chinese = "one million " * 20, "一万" * 20
    assert (numbers(english), numbers(chinese)) == (["20000000"], ["200000"])
    assert (numbers(f"{english}one"), numbers(f"{chinese}一")) == ([], [])


@pytest.mark.parametrize(
    ("text", "value", "held"),
    [
        ("房间4821号", "4821", True),
        ("14821", "4821", False),
        ("48213", "4821", False),
        ("3.4821", "4821", False),
        ("4821.5", "4821", False),
        ("KD4821", "4821", False),
        ("2027-03-17", "3月17日", False),
        ("3月17日", "3月17日", True),
        ("2027-03-17", "17", False),
        ("14:30", "30", False),
        ("4821.", "4821", True),
        ("-4821", "4821", False),
        ("负四千八百二十一", "4821", False),
        ("- 4821", "4821", True),
        ("4821%", "4821", False),
        ("百分之4821", "4821", False),
        ("4821k", "4821", False),
        ("14 821", "4821", False),
        ("03-17-2", "3月17日", False),
        ("4821", "", False),
        ("4", "4", True),
        ("张4", "张4", True),
        ("张48", "张4", False),
        ("14张", "4张", False),
    ],
)
def test_a_value_is_not_held_by_another_that_it_is_part_of(
    text: str, value: str, held: bool
) -> None:
    assert holds(normalise(text), normalise(value)) is held


@given(st.text(), st.text("0123456789一二十百千万亿两零点分年月日号/.-:,，% 元€$amp", max_size=30))
def test_any_text_can_be_normalised(text: str, hard: str) -> None:
    found = [normalise(text), normalise(hard), normalise(text + hard)]
    assert [each for each in found if each != " ".join(each.split())] == []


@pytest.mark.parametrize("piece", ["1", "1,234", "三", "万", "1 ", "3万5千", "1.", "one ", "一点"])
def test_a_reply_that_runs_away_is_normalised_in_good_time(piece: str) -> None:
    # Where the time grew with the square of the length, the first of these took minutes.
    assert holds(normalise(f"{piece * 20_000} KD-48213"), "kd48213")

"""Notes of a forecast in Chinese: what was understood of a table, what was found in it, and the combination.

The library writes its notes in English, and runs keep them so. `in_chinese` finds the sentence that a note was made
from, and writes the Chinese one with the same names and numbers; a note that is not in the table stays as it is.
"""

from __future__ import annotations

import re
from functools import cache

from gruworks.app.plain import rule_words

__all__ = ["frequency_zh", "in_chinese"]

NO_COMMA = "[^,]"
# English and Chinese sentences: {name} is itself translated, {name!} is kept, {name+} is a list of terms.
NOTES = (
    ("{file!} was read with {understood+}", "{file}的读取方式：{understood}"),
    ("the index: {understood+}", "索引：{understood}"),
    ("{count!} values are missing: they are {how}", "缺失 {count} 个值：{how}"),
    ("about {count!} rows are missing between the others ({frequency+}): {how}",
     "其间约缺 {count} 行（{frequency}）：{how}"),
    ("the last {count!} rows of {series!} series have no value: the forecast begins with them, at {time!}",
     "{series} 个序列末尾的行（至多 {count} 行）没有值：预测从这些行开始，起点为 {time}"),
    ("the last {count!} rows have no value: the forecast begins with them, at {time!}",
     "最后 {count} 行没有值：预测从这些行开始，起点为 {time}"),
    ("the rows were not in order of time: they are sorted in {series!} series",
     "{series} 个序列的行未按时间排列：已排序"),
    ("the rows were not in order of time: they are sorted", "各行未按时间排列：已排序"),
    ("{count!} times occur twice where clocks are set back in autumn: the mean of both is used",
     "{count} 个时刻因秋季调回时钟而出现两次：取两者的平均"),
    ("{count!} rows occur twice, with the same values: each is used once", "{count} 行重复出现且数值相同：各用一次"),
    ("the last {period} is incomplete (its last row is {time!}): left out",
     "最后一{period}不完整（末行为 {time}）：已略去"),
    ("the first {period} is incomplete (its first row is {time!}): left out",
     "第一{period}不完整（首行为 {time}）：已略去"),
    ("{count!} series never move: {names!}", "{count} 个序列的值从不变化：{names}"),
    ("{count!} series left out, with {reason+}: {names!}", "略去 {count} 个序列，原因是{reason}：{names}"),
    ("the timestamps are irregular: {frequency+}; the time between rows is an input",
     "时间间隔不固定（{frequency}）：各行之间的时间作为输入"),
    ("{count!} values differ from those that the fit has for the same times: they replace them",
     "{count} 个值与训练时同一时刻的值不同：以新值为准"),
    ("{rows!} of {all!} rows can be trained on at horizon {horizon!}, too few ({least!} are needed): "
     "the forecast is {how+}",
     "预测长度为 {horizon} 时，{all} 行中只有 {rows} 行可用于训练，数量不足（至少需要 {least} 行）：预测由{how}给出"),
    ("the network's forecast alone: it was not compared with a naive forecast", "仅用网络的预测：未与朴素预测比较"),
    ("no skill over the naive forecast ({rule}), which is taken alone: w = 0",
     "网络不优于朴素预测（{rule}），因此只用后者：w = 0"),
    ("w = {weight!}: {parts+}; {gain!} % below the error without it expected",
     "w = {weight}：{parts}；预计误差比不用网络时低 {gain} %"),
    ("w = {weight!}: {parts+}", "w = {weight}：{parts}"),
)  # fmt: skip
# Terms in these sentences.
TERMS = (
    ("read as such and left out of the loss", "按缺失处理，不计入损失"), ("read as missing values", "按缺失值处理"),
    ("replaced by the last value", "用前一个值填补"), ("read as 0", "按 0 处理"),
    ("separator blanks", "分隔符为空白"), ("separator {sign!}", "分隔符 {sign}"), ("sheet {name!}", "工作表 {name}"),
    ("{name!} as the {role} (--{flag!})", "{name} 作为{role}"),
    ("{count!} comment line skipped", "跳过 {count} 行注释"), ("{count!} comment lines skipped", "跳过 {count} 行注释"),
    ("{count!} repeated header line skipped", "跳过 {count} 行重复的表头"),
    ("{count!} repeated header lines skipped", "跳过 {count} 行重复的表头"),
    ("{count!} line above the header skipped", "跳过表头之上的 {count} 行"),
    ("{count!} lines above the header skipped", "跳过表头之上的 {count} 行"),
    ("{count!} units row left out ({text!})", "略去 {count} 行单位（{text}）"),
    ("{count!} units rows left out ({text!})", "略去 {count} 行单位（{text}）"),
    ("{count!} total row left out ({text!})", "略去 {count} 行合计（{text}）"),
    ("{count!} total rows left out ({text!})", "略去 {count} 行合计（{text}）"),
    ("{count!} note row left out ({text!})", "略去 {count} 行注释（{text}）"),
    ("{count!} note rows left out ({text!})", "略去 {count} 行注释（{text}）"),
    ("dates as spreadsheet serials (--date-format)", "日期为电子表格的序列号"),
    ("dates as years with fractions (--date-format)", "日期为带小数的年份"),
    ("dates as {unit} since 1970 (--date-format)", "日期为 1970 年以来的{unit}"),
    ("dates as {form!} (--date-format)", "日期按 {form} 读取"),
    ("decimal comma (--decimal)", "小数点为逗号"),
    ("parentheses as minus", "括号表示负数"), ("thousands", "千位分隔符"),
    ("{what} in {columns!}", "{columns} 列：{what}"),
    ("local times of the offset {offset!}", "偏移量为 {offset} 的当地时间"),
    ("times without an offset among others", "部分时间没有时区偏移量"),
    ("local days of changing offsets", "偏移量变化的当地日期"),
    ("changing offsets, times in UTC", "偏移量有变化，时间换算为 UTC"),
    ("{count!} rows", "仅 {count} 行"), ("{count!} values", "仅 {count} 个值"),
    ("timestamps off the frequency ({frequency+})", "时间不符合频率（{frequency}）"),
    ("the frequency {own+}, while the others are {frequency+}", "频率为{own}，而其他序列为{frequency}"),
    ("an autoregression on differences alone", "差分的自回归"), ("autoregression on differences alone", "差分的自回归"),
    ("autoregression on differences", "差分的自回归"), ("network", "网络"), ("{share!}% {part}", "{part} {share} %"),
    ("{method!} of logarithms", "{method}（对数）"),
    ("numbered rows", "无日期"), ("every second", "每秒"), ("every minute", "每分钟"), ("hourly", "每小时"),
    ("daily on {days+}", "每{days}"), ("daily", "每日"), ("every business day", "每个工作日"), ("weekly", "每周"),
    ("monthly, on day {day!}", "每月 {day} 日"), ("monthly", "每月"), ("quarterly", "每季度"), ("yearly", "每年"),
    ("every {count!} months, on day {day!}", "每 {count} 个月，{day} 日"),
    ("{step} while open, {some!} of {all!} a week", "营业时间内{step}，每周 {all} 个时段中有 {some} 个"),
    ("irregular (median step {step})", "不等间隔，间隔的中位数为 {step}"),
    ("{count!} days {clock!}", "{count} 天 {clock}"),
    ("hour", "小时"), ("day", "天"), ("week", "周"), ("month", "个月"), ("quarter", "个季度"), ("year", "年"),
    ("seconds", "秒数"), ("milliseconds", "毫秒数"), ("microseconds", "微秒数"), ("nanoseconds", "纳秒数"),
    ("time", "时间列"), ("target", "目标列"), ("series", "序列名称列"),
    ("Mon", "周一"), ("Tue", "周二"), ("Wed", "周三"), ("Thu", "周四"),
    ("Fri", "周五"), ("Sat", "周六"), ("Sun", "周日"),
)  # fmt: skip


Sentences = tuple[tuple[str, str], ...]
Table = tuple[tuple[re.Pattern[str], str, str], ...]


@cache  # compiled when a note is first translated
def _table(sentences: Sentences, kept: str) -> Table:
    """Pattern, Chinese sentence and names of the kept parts of each sentence; those are of characters `kept`."""
    return tuple(
        (_pattern(english, kept), chinese, " ".join(re.findall(r"{(\w+)!}", english))) for english, chinese in sentences
    )


def _pattern(english: str, kept: str) -> re.Pattern[str]:
    pieces = re.split(r"{(\w+)([!+]?)}", english)
    words, names, marks = pieces[::3], pieces[1::3], pieces[2::3]
    characters = {"": NO_COMMA, "!": kept, "+": "."}
    parts = [f"(?P<{name}>{characters[mark]}+?)" for name, mark in zip(names, marks, strict=True)]
    return re.compile("".join(re.escape(word) + part for word, part in zip(words, [*parts, ""], strict=True)))


def in_chinese(note: str) -> str:
    """A note in Chinese; the note itself where its sentence is unknown.

    >>> in_chinese("2 rows occur twice, with the same values: each is used once")
    '2 行重复出现且数值相同：各用一次'
    """
    return _translated(note, _table(NOTES, ".")) or _terms(note)


def frequency_zh(frequency: str) -> str:
    """A frequency in Chinese.

    >>> frequency_zh("daily on Mon, Tue"), frequency_zh("15min")
    ('每周一、周二', '15min')
    """
    return _terms(frequency)


def _translated(text: str, table: Table) -> str:
    for pattern, chinese, kept in table:
        if found := pattern.fullmatch(text):
            parts = found.groupdict().items()
            return chinese.format(**{name: part if name in kept.split() else _terms(part) for name, part in parts})
    return ""


def _terms(text: str) -> str:
    """One term or several; what is not in the table is the name of a naive forecast, or kept."""
    if whole := _translated(text, _table(TERMS, NO_COMMA)):
        return whole
    pieces = re.split(r", (?![^(]*\))", text)
    return "、".join(map(_terms, pieces)) if len(pieces) > 1 else rule_words(text, "", "zh")

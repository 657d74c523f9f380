"""The error of a forecast beside that of the best simple rule: numbers for every face, and a sentence of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["Language", "Plain", "plain", "rule_words"]

Language = Literal["en", "zh"]
MONTH = 365.25 / 12
# Unit of a frequency, the larger unit for long spans, rows of that unit, and the count from which it is taken.
LARGER = {
    "s": ("minute", 60, 120), "min": ("hour", 60, 120), "h": ("day", 24, 48), "D": ("month", MONTH, 60),
    "B": ("month", MONTH * 5 / 7, 45), "W": ("month", MONTH / 7, 26), "M": ("year", 12, 36),
}  # fmt: skip
UNITS = {"s": "second", "min": "minute", "h": "hour", "D": "day", "B": "business-day", "W": "week", "M": "month",
         "Q": "quarter", "Y": "year", "open": "opening-day"}  # fmt: skip
WORDS_ZH = {
    "second": "秒", "minute": "分钟", "hour": "小时", "day": "天", "business-day": "个工作日",
    "opening-day": "个营业日", "week": "周", "month": "个月", "quarter": "个季度", "year": "年", "row": "行",
}  # fmt: skip
# The season that a lag is at a frequency.
SEASONS = {
    ("D", 7): "week", ("B", 5): "week", ("h", 168): "week", ("h", 24): "day", ("min", 1440): "day", ("W", 52): "year",
    ("M", 12): "year", ("Q", 4): "year", ("D", 365): "year", ("D", 366): "year",
    ("open", 5): "week", ("open", 6): "week",
}  # fmt: skip
RULES_EN = {
    "last value": "the last value, repeated", "drift": "the line from the first to the last value",
    "mean": "the mean of all values", "climatology": "the usual value for the time of year",
    "climatology + AR(1)": "the usual value for the time of year, plus a share of the last difference from it",
    "mean of the last": "the mean of the last {} values", "seasonal naive": "the value {} rows before",
    "statistical baselines": "statistical baselines", "autoregression alone": "autoregression",
    "day": "the value a day before", "week": "last week's value", "year": "last year's value",
}  # fmt: skip
RULES_ZH = {
    "last value": "沿用最后一个值", "drift": "首末两值的连线", "mean": "全部数值的平均",
    "climatology": "同一时节的常年值", "statistical baselines": "统计基线", "autoregression alone": "自回归",
    "climatology + AR(1)": "同一时节的常年值，加上最近偏差的一部分", "mean of the last": "最近 {} 个值的平均",
    "seasonal naive": "{} 行之前的值", "day": "前一天的值", "week": "上一周的值", "year": "上一年的值",
}  # fmt: skip


@dataclass(frozen=True)
class Plain:
    """Mean absolute errors over the last `count` `unit`s: of the forecast, and of the best simple rule `rule`.

    Args:
        tested: "past" for rows of the table before the forecast, "held out" for those that a fit did not train on,
            "after" for rows after a fit.
    """

    ours: float
    best: float
    rule: str
    kind: str
    count: int
    unit: str
    tested: str

    def sentence(self, language: Language = "en") -> str:
        """
        >>> Plain(27.1, 32.8, "drift", "D", 7, "month", "past").sentence().partition(";")[0]
        'On the last 7 months the forecast was off by 27.1 on average'
        """
        ours, best, rule = f"{self.ours:.4g}", f"{self.best:.4g}", rule_words(self.rule, self.kind, language)
        if language == "zh":
            where = f"在最后 {self.count} {WORDS_ZH[self.unit]}里"
            unseen = {"held out": "（训练未使用）", "after": "（训练之后的数据）"}.get(self.tested, "")
            return f"{where}{unseen}，预测平均偏差 {ours}；最好的简单规则（{rule}）平均偏差 {best}。"
        unit = self.unit.replace("-", " ") + "s" * (self.count != 1)
        told = {"held out": ", which the fit did not train on,", "after": ", which came after the fit,"}
        return (
            f"On the last {self.count} {unit}{told.get(self.tested, '')} the forecast was off by {ours} on average; "
            f"the best simple rule, {rule}, by {best}."
        )


def plain(evaluation: Any, frequency: Any, tested: str, ours: str = "", ahead: int = 0) -> Plain:
    """The errors in an evaluation.

    Args:
        ours: name of the forecast among the scores; the one with an interval if not given.
        ahead: rows that the errors were measured on; those of origins a horizon apart if not given.
    """
    own = next(one for one in evaluation.scores if one.model == ours) if ours else evaluation.ours
    rules = [one for one in evaluation.scores if one.coverage is None]
    best = min(rules, key=lambda one: one.mae) if rules else own
    kind, multiple = frequency.kind
    count, unit = _span(kind, multiple * (ahead or evaluation.origins * evaluation.horizon))
    return Plain(own.mae, best.mae, best.model, kind, count, unit, tested)


def _span(kind: str, rows: int) -> tuple[int, str]:
    """Rows of a frequency as a count of a unit of time."""
    larger, size, least = LARGER.get(kind, ("", 1, 0))
    if larger and rows >= least:
        return round(rows / size), larger
    return rows, UNITS.get(kind, "row")


def rule_words(name: str, kind: str, language: Language = "en") -> str:
    """A naive forecast in everyday words.

    >>> rule_words("seasonal naive (7)", "D"), rule_words("mean of the last 5", "D")
    ("last week's value", 'the mean of the last 5 values')
    """
    words = RULES_ZH if language == "zh" else RULES_EN
    found = re.fullmatch(r"(.*?) \(?(\d+)\)?", name)
    if found is None or name in words:
        return words.get(name, name)
    lag = int(found[2])
    season = SEASONS.get((kind, lag)) if found[1] == "seasonal naive" else None
    return words[season] if season else words.get(found[1], name).format(lag)

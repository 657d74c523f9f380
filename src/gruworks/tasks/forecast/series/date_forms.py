"""Forms of dates in text, as patterns, and the timestamps of texts of a form."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Any

import numpy
import pandas
from numpy.typing import NDArray

__all__ = [
    "DAY_FIRST", "FORMS", "ISO", "MONTH_FIRST", "NUMBERS", "ORDERS", "PATTERNS", "STAMP", "Stamps", "Times", "of_form",
]  # fmt: skip

STAMP, NAT = "datetime64[us]", numpy.datetime64("NaT", "us")
Stamps = NDArray[Any]
ISO, NUMBERS = "YYYY-MM-DD", "numbers"
DAY_FIRST, MONTH_FIRST, SHORT_YEAR_FIRST = "DD/MM/YYYY", "MM/DD/YYYY", "YY-MM-DD"
ORDERS = (DAY_FIRST, MONTH_FIRST, SHORT_YEAR_FIRST)
ZONES = {
    "Z": 0, "UTC": 0, "GMT": 0, "WET": 0, "WEST": 1, "CET": 1, "CEST": 2, "EET": 2, "EEST": 3, "MSK": 3, "JST": 9,
    "AEST": 10, "AEDT": 11, "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7,
}  # fmt: skip
MONTHS = (
    "jan january januar janvier janeiro gen ene enero gennaio|feb fev february fevrier febrero febbraio|"
    "mar march maerz mrz mars marzo mrt|apr april avr avril abr abril|may mai mayo maggio mag mei|"
    "jun june juin juni junio giu giugno|jul july juil juillet juli julio lug luglio|aug august aout ago agosto|"
    "sep sept september septembre set|oct okt october oktober octobre out ott|nov november novembre|"
    "dec dez december dezember decembre dic diciembre dicembre"
)
NAMES = {name: at + 1 for at, month in enumerate(MONTHS.split("|")) for name in month.split()}
NAMES |= {name[:4]: number for name, number in NAMES.items()} | {
    name[:3]: n for name, n in NAMES.items() if n not in (6, 7)
}
NAMES |= {"jui": 6, "juin": 6, "juil": 7}
CHINESE = str.maketrans("一二三四", "1234")

Y4, Y2, MD, DD = r"(?P<Y>\d{4})", r"(?P<Y>\d{4}|\d{2})", r"(?P<m>\d{1,2})", r"(?P<d>\d{1,2})"
B = r"(?P<b>[^\W\d_]{3,})\.?"
CLOCK = (
    r"(?:(?:[T ,]|\s-\s)+(?P<H>\d{1,2})(?:[:.h](?P<M>\d{2}))?(?:[:.](?P<S>\d{2}(?:[.,]\d+)?))?"
    r"\s*(?P<p>[AaPp]\.?[Mm]\.?)?)?"
    r"\s*(?P<z>Z|UTC|GMT|[+-]\d{2}:?\d{2}|[+-]\d{2}|[A-Z]{3,4})?(?:\[[\w/]+\])?"
)
WEEKDAY = r"(?:[^\W\d_]{2,}\.?,?\s+)?"
FORMS = {
    ISO: rf"{Y4}([-/.]){MD}\2{DD}{CLOCK}",
    "YYYYMMDD": r"(?P<Y>(?:19|20|21)\d{2})(?P<m>\d{2})(?P<d>\d{2})"
                r"(?:[T ]?(?P<H>\d{2}):?(?P<M>\d{2})?:?(?P<S>\d{2})?)?(?P<z>Z|[+-]\d{2}:?\d{2})?",
    "YYYY-MM": rf"{Y4}[-/.]{MD}",
    "YYYY-ww": rf"{Y4}[-/.](?P<w>\d{{2}})",
    "YYYY:q": rf"{Y4}:(?P<q>[1-4])",
    "YYYY:MM": rf"{Y4}:{MD}",
    "YYYYMM": r"(?P<Y>(?:19|20|21)\d{2})(?P<m>\d{2})",
    "YYYYMmm": rf"{Y4}[-/. ]?[Mm]{MD}",
    "YYYYQn": rf"(?:FY\s?)?{Y4}[-/. :]*(?:[Qq]|[Qq]tr|QTR|Quarter|[Tt]|K|KV)[-. ]?(?P<q>[1-4])",
    "Qn YYYY": rf"[Qq](?:tr|uarter)?[-. ]?(?P<q>[1-4])[-/., ']*{Y2}",
    "nQYY": rf"(?P<q>[1-4])(?:\.|st|nd|rd|th)?[-. ]?(?:[QqTt]|quarter|Quartal|Quarter|Qtr|qtr)[-/., ']*{Y2}",
    "YYYY-Www": rf"{Y4}[-/. ]*(?:[Ww]|[Ww][Kk]|[Ww]eek|KW|CW)[-. ]?(?P<w>\d{{1,2}})(?:-?(?P<u>[1-7]))?",
    "Www YYYY": rf"(?:[Ww]|[Ww][Kk]|[Ww]eek|KW|CW)[-. ]?(?P<w>\d{{1,2}})[-/., ]*{Y4}",
    "YYYYHn": rf"{Y4}[-/. ]*[HhSs](?P<h>[12])",
    "Hn YYYY": rf"[HhSs](?P<h>[12])[-/. ]*{Y4}",
    "MM/YYYY": rf"{MD}[-/. ]{Y4}",
    "Mmm YYYY": rf"[Mm]{MD}[-/. ]*{Y4}",
    DAY_FIRST: rf"{DD}([-/. ]){MD}\2{Y2}\.?{CLOCK}",
    MONTH_FIRST: rf"{MD}([-/. ]){DD}\2{Y2}{CLOCK}",
    SHORT_YEAR_FIRST: rf"(?P<Y>\d{{2}})([-/.]){MD}\2{DD}{CLOCK}",
    "DD Mon YYYY": rf"{WEEKDAY}{DD}(?:st|nd|rd|th|\.)?(?:\s?de|\s?of)?[-/. ]*{B}(?:\s?de)?[-/., ']*{Y2}{CLOCK}",
    "DDMonYYYY": rf"{DD}{B}(?P<Y>\d{{4}})[: ]?{CLOCK}",
    "Mon DD, YYYY": rf"{WEEKDAY}{B}[-/ ]*{DD}(?:st|nd|rd|th)?(?:,|\s|-|/)+{Y4}{CLOCK}",
    "Mon YYYY": rf"{B}(?:\s?de)?[-/., ']*{Y2}",
    "YYYY Mon": rf"{Y2}[-/. ]*{B}",
    "YYYY Mon DD": rf"{Y4}[-/. ]*{B}[-/. ]*{DD}{CLOCK}",
    "YYYY年MM月DD日": rf"{Y4}\s*年\s*{MD}\s*月(?:\s*{DD}\s*[日号])?\s*{CLOCK}",
    "YYYY年第n季度": rf"{Y4}\s*年?\s*第?(?P<q>[1-4一二三四])\s*季度?",
    "YYYY年第ww周": rf"{Y4}\s*年?\s*第?(?P<w>\d{{1,2}})\s*周",
    "Y-MM": r"(?P<Y>\d{1,3})-(?P<m>\d{2})",
}  # fmt: skip
PATTERNS = {name: re.compile(form) for name, form in FORMS.items()}


@dataclass(frozen=True)
class Times:
    """Timestamps [N] (datetime64[us], or int64 for numbered rows), the mask of those that were read, and the form.

    `zone` tells the treatment of offsets from UTC in words, "" without any.
    """

    timestamps: Stamps
    ok: NDArray[numpy.bool_]
    form: str
    zone: str = ""


def of_form(text: Any, form: str) -> Times:
    """Timestamps of the texts that have a form, and exist in the calendar."""
    groups = text.str.extract(f"^{PATTERNS[form].pattern}$")
    parts = {name: groups[name] for name in groups.columns if isinstance(name, str)}
    matched = parts["Y"].notna().to_numpy()
    stamps = numpy.full(len(text), NAT, dtype=STAMP)
    if not matched.any():
        return Times(stamps, matched, form)
    stamps[matched] = _stamps({name: part[matched] for name, part in parts.items()})
    zone = parts["z"].fillna("").to_numpy(dtype=object) if "z" in parts else numpy.full(len(text), "", dtype=object)
    stamps, told = _in_one_zone(stamps, zone, ~numpy.isnat(stamps))
    return Times(stamps, ~numpy.isnat(stamps), form, told)


def _stamps(parts: dict[str, Any]) -> Stamps:
    """Timestamps from the parts of dates by their letters, NaT for dates that don't exist."""

    def part(name: str, otherwise: float) -> NDArray[numpy.float64]:
        if name not in parts:
            return numpy.full(len(parts["Y"]), float(otherwise))
        text = parts[name].fillna(str(otherwise)).astype(str).str.replace(",", ".", regex=False)
        return numpy.asarray(pandas.to_numeric(text.str.translate(CHINESE)), dtype=numpy.float64)

    year = part("Y", 0)
    if (parts["Y"].str.len() == 2).any():
        year = numpy.where(year < 69, year + 2000, numpy.where(year < 100, year + 1900, year))
    month = _month_numbers(parts["b"]) if "b" in parts else part("m", 1)
    month = 3 * part("q", 1) - 2 if "q" in parts else 6 * part("h", 1) - 5 if "h" in parts else month
    good = (month >= 1) & (month <= 12) & (year >= 1) & (year < 10_000)
    first = ((numpy.where(good, year, 1970) - 1970) * 12 + numpy.where(good, month, 1) - 1).astype("datetime64[M]")
    day = part("d", 1)
    days = (first + 1).astype("datetime64[D]") - first.astype("datetime64[D]")
    good &= (day >= 1) & (day <= days.astype(int))
    stamps = (first.astype("datetime64[D]") + (day - 1).astype(int)).astype(STAMP)
    if "w" in parts:
        stamps, fits = _weeks(year, part("w", 1), part("u", 1))
        good &= fits
    hour, minute, second = part("H", 0), part("M", 0), part("S", 0)
    if "p" in parts:
        half = parts["p"].fillna("").str.lower().str[:1].to_numpy()
        good &= (half == "") | ((hour >= 1) & (hour <= 12))
        hour = numpy.where(half == "", hour, hour % 12 + 12 * (half == "p"))
    good &= (hour <= 24) & (minute < 60) & (second < 60) & ((hour < 24) | (minute + second == 0))
    stamps = stamps + numpy.round((3600 * hour + 60 * minute + second) * 1e6).astype("timedelta64[us]")
    return numpy.where(good, stamps, NAT)


def _weeks(year: Any, week: Any, weekday: Any) -> tuple[Stamps, NDArray[numpy.bool_]]:
    """Days of ISO weeks, and the mask of the weeks that exist."""

    def first(of: Any) -> Stamps:
        """Monday of the week with 4 January."""
        fourth = (of - 1970).astype("datetime64[Y]").astype("datetime64[D]") + 3
        return numpy.asarray(fourth - (fourth.astype(int) + 3) % 7)

    stamps = first(year) + (7 * (week - 1) + weekday - 1).astype(int)
    return stamps.astype(STAMP), (week >= 1) & (first(year) + (7 * (week - 1)).astype(int) < first(year + 1))


def _month_numbers(names: Any) -> NDArray[numpy.float64]:
    """Numbers of months by their names in seven languages, 0 for other words."""

    def number(name: str) -> int:
        plain = unicodedata.normalize("NFD", name.lower().replace("ä", "ae")).encode("ascii", "ignore").decode()
        return NAMES.get(plain) or NAMES.get(plain[:4]) or NAMES.get(plain[:3]) or 0

    known = {name: number(name) for name in names.unique()}
    return numpy.asarray(names.map(known), dtype=numpy.float64)


def _in_one_zone(stamps: Stamps, zones: NDArray[Any], ok: NDArray[numpy.bool_]) -> tuple[Stamps, str]:
    """Timestamps without offsets: local ones where all have one offset or are days, else those of UTC."""
    unknown = numpy.array([one.isalpha() and one not in ZONES for one in zones], dtype=bool)
    stamps, ok = numpy.where(unknown, NAT, stamps), ok & ~unknown
    used = set(zones[ok].tolist())
    if used <= {"", "Z", "UTC", "GMT", "+00:00", "+0000", "+00", "-00:00"}:
        return stamps, ""
    if len(used) == 1:
        return stamps, f"local times of the offset {used.pop()}"
    if "" in used:
        return numpy.where(zones == "", NAT, stamps), "times without an offset among others"
    if (stamps[ok] == stamps[ok].astype("datetime64[D]")).all():
        return stamps, "local days of changing offsets"
    shift = {zone: _offset(zone) for zone in used}
    found = stamps.copy()
    found[ok] -= numpy.array([shift[zone] for zone in zones[ok]], dtype="timedelta64[m]")
    return found, "changing offsets, times in UTC"


def _offset(zone: str) -> int:
    """Minutes of an offset such as +02:00, or of a zone's abbreviation."""
    if zone in ZONES:
        return 60 * ZONES[zone]
    digits = re.sub(r"\D", "", zone).ljust(4, "0")
    return (-1 if zone.startswith("-") else 1) * (60 * int(digits[:2]) + int(digits[2:4]))

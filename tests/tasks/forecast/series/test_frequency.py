"""Frequencies: what is inferred from timestamps, what follows them, and which seasons they have."""

from __future__ import annotations

import numpy
import pandas
import pytest

from gruworks.tasks.forecast.series.frequency import STEPS, Frequency, infer_frequency

# alias of pandas, first stamp, what a person reads, names of the seasons
CALENDARS = [
    ("D", "2024-02-20", "daily", ["week", "year"]),
    ("W-SUN", "2023-12-03", "weekly", ["year"]),
    ("MS", "2023-11-01", "monthly", ["year"]),
    ("ME", "2023-11-30", "monthly", ["year"]),
    ("QS-JAN", "2022-01-01", "quarterly", ["year"]),
    ("QE-DEC", "2022-03-31", "quarterly", ["year"]),
    ("YS-JAN", "2019-01-01", "yearly", []),
    ("YE-DEC", "2019-12-31", "yearly", []),
    ("h", "2024-02-28 20:00", "hourly", ["day", "week", "year"]),
    ("15min", "2024-02-28 22:00", "15min", ["day", "week", "year"]),
    ("s", "2024-02-28 23:59:55", "every second", ["day", "week", "year"]),
    ("B", "2024-02-22", "every business day", ["week", "year"]),
]


def timestamps(alias: str, start: str, count: int) -> numpy.ndarray:
    return pandas.date_range(start, periods=count, freq=alias).to_numpy().astype("datetime64[us]")


@pytest.mark.parametrize(("alias", "start", "words", "seasons"), CALENDARS)
def test_a_calendar_is_inferred_and_continued(alias: str, start: str, words: str, seasons: list[str]) -> None:
    known = timestamps(alias, start, 24)
    frequency = infer_frequency(known[:12])
    assert frequency == Frequency(alias)
    assert str(frequency) == words
    assert numpy.array_equal(frequency.future(known[11], 12), known[12:])
    assert [season.name for season in frequency.seasons()] == seasons


@pytest.mark.parametrize(("alias", "start", "words", "seasons"), CALENDARS)
def test_positions_count_steps(alias: str, start: str, words: str, seasons: list[str]) -> None:
    positions = Frequency(alias).positions(timestamps(alias, start, 40))
    assert numpy.diff(positions) == pytest.approx(1, abs=1e-9)


def test_month_ends_and_leap_days_follow_the_calendar() -> None:
    ends = Frequency("ME").future(numpy.datetime64("2023-12-31", "us"), 3)
    assert [str(day)[:10] for day in ends] == ["2024-01-31", "2024-02-29", "2024-03-31"]
    days = Frequency("D").future(numpy.datetime64("2024-02-28", "us"), 2)
    assert [str(day)[:10] for day in days] == ["2024-02-29", "2024-03-01"]


def test_business_days_jump_over_the_weekend() -> None:
    friday = numpy.datetime64("2024-03-01", "us")
    assert str(Frequency("B").future(friday, 1)[0])[:10] == "2024-03-04"


@pytest.mark.parametrize(("step", "last"), [(1, 5), (10, 50), (3, -3)])
def test_numbered_rows_continue_by_their_step(step: int, last: int) -> None:
    frequency = infer_frequency(last + step * numpy.arange(-4, 1))
    assert frequency == Frequency(STEPS, step)
    assert frequency.future(last, 3).tolist() == [last + step, last + 2 * step, last + 3 * step]
    assert numpy.diff(frequency.positions(last + step * numpy.arange(3))).tolist() == [1, 1]
    assert frequency.seasons() == []
    assert str(frequency) == "numbered rows"


def test_series_of_one_week_share_their_phase() -> None:
    monday, other = timestamps("D", "2024-01-01", 7), timestamps("D", "2021-05-03", 7)  # both Mondays
    shift = (Frequency("D").positions(monday) - Frequency("D").positions(other)) % 7
    assert shift.tolist() == [0] * 7


def test_a_season_is_as_long_as_its_calendar_says() -> None:
    periods = {season.name: season.period for season in Frequency("h").seasons()}
    assert periods == {"day": 24, "week": 168, "year": 365.25 * 24}
    assert [season.period for season in Frequency("QE-DEC").seasons()] == [4]
    assert Frequency("B").seasons()[0].period == 5


def test_no_season_has_a_harmonic_shorter_than_two_steps() -> None:
    for alias, *_ in CALENDARS:
        for season in Frequency(alias).seasons():
            assert season.period / season.harmonics >= 2


def test_irregular_timestamps_have_no_frequency() -> None:
    days = timestamps("D", "2024-01-01", 10)
    assert infer_frequency(numpy.delete(days, 4)) is None
    assert infer_frequency(numpy.array([1, 2, 4])) is None
    assert infer_frequency(timestamps("WOM-2TUE", "2024-01-01", 10)) is None
    assert infer_frequency(timestamps("bh", "2024-01-01 09:00", 40)) is None

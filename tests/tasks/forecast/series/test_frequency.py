"""Frequencies: what is inferred from timestamps, what follows them, and which seasons they have."""

from __future__ import annotations

import numpy
import pandas
import pytest

from gruworks.tasks.forecast.series.frequency import IRREGULAR, STEPS, Frequency, grid_frequency, infer_frequency

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


def same_day(start: str, months: int) -> pandas.DatetimeIndex:
    first = pandas.Timestamp(start)
    return pandas.DatetimeIndex([first + pandas.DateOffset(months=months * i) for i in range(40)])


GAPPED = {
    **{alias: pandas.date_range("2015-01-01", periods=40, freq=alias) for alias in (
        "2D", "3D", "10D", "28D", "W-WED", "2MS", "6MS", "4ME", "QS-FEB", "QE-JAN", "YS-APR", "YE-JUN", "BME", "BMS",
        "BQE-MAR", "MS", "ME", "D", "h", "2h", "15min", "B")},
    "1M@15": same_day("2015-01-15", 1), "1M@30": same_day("2015-01-30", 1), "3M@15": same_day("2015-02-15", 3),
    "12M@15": same_day("1950-03-15", 12),
}  # fmt: skip


@pytest.mark.parametrize("code", GAPPED)
def test_a_frequency_survives_a_gap(code: str) -> None:
    whole = GAPPED[code].to_numpy().astype("datetime64[us]")
    known = numpy.delete(whole[:-6], 5)
    found = grid_frequency(known)
    assert found == Frequency(code)
    assert numpy.array_equal(found.grid(known[0], known[-1]), whole[:-6])
    assert numpy.array_equal(found.future(known[-1], 6), whole[-6:])
    assert numpy.diff(found.positions(whole)) == pytest.approx(1, abs=0.1)


HOURS, HALVES = (pandas.date_range("2024-01-01", "2024-03-30", freq=alias) for alias in ("h", "30min"))
DAYS = pandas.date_range("2024-01-01", periods=200)
OPEN = {
    "a shop": (HOURS[(HOURS.hour >= 8) & (HOURS.hour <= 20)],
               "hourly while open, 91 of 168 a week", {"day": 13, "week": 91}),
    "ten days of a shop": (HOURS[:240][(HOURS[:240].hour >= 8) & (HOURS[:240].hour <= 20)],
                           "hourly while open, 91 of 168 a week", {"day": 13, "week": 91}),
    "short Saturdays": (HOURS[(HOURS.hour >= 9) & (HOURS.hour < numpy.where(HOURS.day_of_week == 5, 13, 18))
                              & (HOURS.day_of_week < 6)], "hourly while open, 49 of 168 a week", {"week": 49}),
    "an exchange": (HALVES[(HALVES.day_of_week < 5) & (HALVES.hour * 60 + HALVES.minute >= 570) & (HALVES.hour < 16)],
                    "30min while open, 65 of 336 a week", {"day": 13, "week": 65}),
    "closed on Sundays": (DAYS[DAYS.day_of_week < 6], "daily on Mon, Tue, Wed, Thu, Fri, Sat", {"week": 6}),
}  # fmt: skip


@pytest.mark.parametrize("name", OPEN)
def test_open_days_and_hours_are_learnt(name: str) -> None:
    index, words, seasons = OPEN[name]
    whole = index.to_numpy().astype("datetime64[us]")
    known = numpy.delete(whole[:-9], 30)
    found = grid_frequency(known)
    assert found is not None
    assert str(found) == words
    assert numpy.array_equal(found.grid(known[0], known[-1]), whole[:-9])
    assert numpy.array_equal(found.future(known[-1], 9), whole[-9:])
    assert numpy.diff(found.positions(whole)).tolist() == [1] * (len(whole) - 1)
    assert {one.name: one.period for one in found.seasons() if one.name != "year"} == seasons


def test_days_that_are_missing_at_random_are_not_closed() -> None:
    days = numpy.delete(DAYS.to_numpy().astype("datetime64[us]"), numpy.arange(3, 190, 9))
    assert grid_frequency(days) == Frequency("D")
    assert grid_frequency(DAYS[DAYS.day_of_week < 6].to_numpy().astype("M8[us]"), slots=False) == Frequency("D")


@pytest.mark.parametrize("code", ["1h@ff", "7h@1ff", "0D@ff", "1D@80"])
def test_inconsistent_slots_are_refused(code: str) -> None:
    with pytest.raises(ValueError, match="no open slots of a week"):
        Frequency(code).seasons()


@pytest.mark.parametrize(("kept", "frequency"), [(0.4, "h"), (0.1, IRREGULAR)])
def test_times_on_a_grid_are_irregular_only_where_most_of_it_is_empty(kept: float, frequency: str) -> None:
    hours = numpy.arange("2024-01-01", "2024-03-01", dtype="datetime64[h]").astype("datetime64[us]")
    there = hours[numpy.random.default_rng(0).random(len(hours)) < kept]
    found = grid_frequency(there, slots=False)
    assert (IRREGULAR if found is None else found.code) == frequency

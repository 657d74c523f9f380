"""Inputs of the network: causal features, targets in units of the scale, windows that keep validation apart."""

from __future__ import annotations

from dataclasses import replace

import numpy
import pandas
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gruworks.tasks.forecast.config import Config
from gruworks.tasks.forecast.data import FEWEST_ORIGINS, WARM_UP, Encoded, Windows, encode
from gruworks.tasks.forecast.features.encoding import Codec
from gruworks.tasks.forecast.series.frequency import STEPS, Frequency, Season
from gruworks.tasks.forecast.series.panel import Series
from gruworks.tasks.forecast.series.reading import read
from gruworks.training.settings import FitSettings
from tests.tasks.forecast.conftest import wavy

WEEKLY = Codec(Frequency("D"), (Season("week", 7, 3),))
PLAIN = Codec(Frequency(STEPS), ())
PARTS = ("features", "slope", "season_state", "y", "scale")


def series(rows: int = 120, seed: int = 0) -> Series:
    return read(wavy(rows, seed), Config()).series[0]


@given(st.integers(0, 119))
def test_a_later_row_changes_no_earlier_step(at: int) -> None:
    one = series()
    y = one.y.copy()
    y[at] += 50
    before, after = encode(one, WEEKLY, 3), encode(Series(one.name, one.timestamps, y), WEEKLY, 3)
    for part in PARTS:
        assert numpy.array_equal(getattr(before, part)[:at], getattr(after, part)[:at]), part


def test_the_features_are_free_of_level_and_unit() -> None:
    one = series()
    other = encode(Series(one.name, one.timestamps, 3 * one.y + 1000), WEEKLY, 3)
    plain = encode(one, WEEKLY, 3)
    assert other.features == pytest.approx(plain.features, abs=1e-6)
    assert other.components()[0] == pytest.approx(plain.components()[0], abs=1e-6)
    assert other.components()[1] == pytest.approx(plain.components()[1], abs=1e-6)


def test_without_a_season_a_step_has_one_feature_and_no_season_path() -> None:
    encoded = encode(Series("0", numpy.arange(5), numpy.array([1.0, 2, 4, 4, 7])), PLAIN, 2)
    assert encoded.features[:, 0] == pytest.approx([0, 1, 2 / 1.5, 0, 3 / 1.5])
    assert encoded.features.shape == (5, PLAIN.inputs)
    assert not encoded.components()[1].any()


def test_the_season_path_stays_silent_for_its_first_period() -> None:
    encoded = encode(series(), WEEKLY, 3)
    assert encoded.features.shape[1] == WEEKLY.inputs
    assert not encoded.components()[1][:7].any()
    assert encoded.components()[1][7:].all()


def test_targets_are_the_moves_ahead_over_the_scale() -> None:
    encoded = encode(series(), WEEKLY, 3)
    batch = Windows([encoded], Config(horizon=3)).rows(0, 0, 120)
    target, weight = batch["target"].numpy(), batch["weight"].numpy()
    t = 60
    assert target[t] * encoded.scale[t] == pytest.approx(encoded.y[t + 1 : t + 4] - encoded.y[t], abs=1e-5)
    assert weight[t] == pytest.approx(encoded.scale[t] / encoded.scale[-1])


def test_nothing_is_learnt_where_the_target_or_the_scale_is_unknown() -> None:
    weight = Windows([encode(series(), WEEKLY, 3)], Config(horizon=3)).weight.numpy()
    assert weight[:WARM_UP].tolist() == [0] * WARM_UP
    assert weight[-3:].tolist() == [0, 0, 0]
    assert weight[WARM_UP:-3].all()


def test_a_wild_autoregression_teaches_nothing() -> None:
    doubling = Series("0", numpy.arange(40), 2.0 ** numpy.arange(40))
    assert not Windows([encode(doubling, PLAIN, 20)], Config(horizon=20)).weight.any()
    assert Windows([encode(doubling, PLAIN, 2)], Config(horizon=2)).weight.any()


def test_a_codec_comes_back_from_its_dict() -> None:
    for codec in (WEEKLY, PLAIN, Codec(Frequency(STEPS, 10), ())):
        assert Codec.from_dict(codec.to_dict()) == codec


def test_the_codec_keeps_a_weekly_season_that_shows_and_drops_one_that_does_not() -> None:
    noise = wavy(120).assign(y=numpy.random.default_rng(3).normal(size=120))
    assert [s.name for s in Codec.of(read(wavy(120), Config()), Config()).seasons] == ["week"]
    assert Codec.of(read(noise, Config()), Config()).seasons == ()
    assert Codec.of(read(wavy(120), Config()), Config(season=False)).seasons == ()


def windows(panel: list[Series], **settings: int) -> Windows:
    training = FitSettings(batch_size=3, seed=settings.pop("seed", 0))
    config = Config(horizon=5, window=settings.pop("window", 32), training=training)
    return Windows([encode(one, WEEKLY, 5) for one in panel], config)


def test_a_batch_is_a_function_of_seed_epoch_and_index() -> None:
    one = windows([series()])
    for other, same in ((windows([series()]), True), (windows([series()], seed=1), False)):
        assert numpy.array_equal(one.draw(2, 3)["features"], other.draw(2, 3)["features"]) is same
    assert not numpy.array_equal(one.draw(2, 3)["features"], one.draw(2, 4)["features"])
    assert not numpy.array_equal(one.draw(2, 3)["features"], one.draw(3, 3)["features"])


def test_no_training_window_reaches_into_the_validation_part() -> None:
    rows, horizon = 120, 5
    marked = encode(series(rows), WEEKLY, horizon)
    index = numpy.arange(float(rows))
    marked = Encoded(
        index[:, None] + 1, index, numpy.ones(rows), numpy.zeros(rows), marked.season_state, marked.basis,
        marked.observed, marked.ahead, marked.gaps,
    )  # fmt: skip
    found = Windows([marked], Config(horizon=horizon, window=32, training=FitSettings(batch_size=64)))
    steps = numpy.concatenate([found.draw(0, i)["features"].numpy().ravel() for i in range(20)])
    last_trained = steps.max() - 1 + horizon  # the furthest row that a training target touches
    first_validated = min(b["features"].numpy()[b["weight"].numpy() > 0].min() for b in found.validation()) - 1
    assert last_trained < first_validated + 1  # validation targets begin one row after its first origin
    assert steps.max() > 60  # training goes up to there


def test_validation_counts_the_tail_alone() -> None:
    (batch,) = windows([series(120)]).validation()
    assert int(batch["weight"].count_nonzero()) == 18  # 15 % of 120 rows
    assert batch["weight"][0, -18:].all()


def test_a_short_series_is_padded_with_steps_that_count_for_nothing() -> None:
    batch = windows([series(90)], window=200).draw(0, 0)
    assert batch["features"].shape[:2] == (3, 200)
    assert not batch["features"][:, 90:].any()
    assert not batch["weight"][:, 90:].any()


def test_windows_cut_at_once_are_the_rows_of_each_series() -> None:
    frame = wavy(120).assign(price=numpy.arange(120.0) % 7)
    config = Config(horizon=4, window=40, future=("price",), training=FitSettings(batch_size=6))
    panel = read(pandas.concat([frame.assign(unique_id="a"), frame[:70].assign(unique_id="b")]), config)
    codec = Codec.of(panel, config)
    for chosen in (codec, replace(codec, lag=7)):
        found = Windows([encode(one, chosen, 4) for one in panel.series], config)
        starts = numpy.array([0, 11, 50, 3])
        batch = found._cut(numpy.array([0, 1, 0, 1]), starts, numpy.array([40, 45, 90, 20]), 40)
        for i, (which, stop) in enumerate(((0, 40), (1, 45), (0, 90), (1, 20))):
            alone = found.rows(which, int(starts[i]), stop)
            for name, array in alone.items():
                kept = stop - int(starts[i])
                torch.testing.assert_close(batch[name][i, :kept], array, equal_nan=True)
                assert not batch[name][i, kept:].any(), name


def test_few_rows_are_not_enough() -> None:
    assert sum(windows([series(50)]).learnable) < FEWEST_ORIGINS
    assert sum(windows([series(120)]).learnable) >= FEWEST_ORIGINS
    many_short = [series(50), series(50, seed=1), series(50, seed=2)]
    assert sum(windows(many_short).learnable) >= FEWEST_ORIGINS


def test_a_panel_of_one_constant_and_one_moving_series_is_learnt_from_the_moving_one() -> None:
    still = series()
    still = Series("still", still.timestamps, numpy.ones(len(still)))
    both = windows([still, series()])
    assert both.learnable[0] == 0
    assert all(both.draw(0, i)["weight"].any(1).all() for i in range(5))
    assert len(both.validation()) == 1


def test_the_paths_of_a_batch_are_those_of_the_encoded_series() -> None:
    for codec in (WEEKLY, Codec(Frequency("D"), (), lag=7)):
        encoded = encode(series(), codec, 10)
        batch = Windows([encoded], Config(horizon=10)).rows(0, 20, 60)
        for name, path in (("difference_ar", encoded.components()[0]), ("seasonal", encoded.components()[1])):
            assert batch[name].numpy() == pytest.approx(path[20:60], abs=1e-4), name


def test_with_a_lag_the_season_repeats_and_the_level_s_move_since_is_added() -> None:
    one = series()
    encoded = encode(one, Codec(Frequency("D"), (), lag=7), 10)
    at, scale = numpy.array([50]), encoded.scale[50]
    repeated = one.y[50] + scale * encoded.components(at)[1][0]
    assert repeated == pytest.approx([*one.y[44:51], *one.y[44:47]])
    since = one.y[50] - one.y[43]
    assert scale * encoded.components(at)[0][0] == pytest.approx(since * numpy.array([1] * 7 + [2] * 3))


def test_a_missing_target_is_nan_and_a_missing_value_moves_nothing() -> None:
    one = series()
    y = one.y.copy()
    y[50] = numpy.nan
    encoded = encode(Series(one.name, one.timestamps, y), Codec(Frequency("D"), (), missing=True), 3)
    assert encoded.features[50].tolist() == [0, 1, pytest.approx(numpy.log(2))]
    assert encoded.y[50] == one.y[49]
    target = Windows([encoded], Config(horizon=3)).rows(0, 46, 51)["target"]
    assert target.isnan().sum(1).tolist() == [0, 1, 1, 1, 0]


def test_a_codec_with_covariates_comes_back_from_its_dict() -> None:
    frame = wavy(60).assign(sale=["a", "b", None] * 20, price=numpy.arange(60.0), shop="x")
    config = Config(past=("price",), future=("sale",), static=("shop",))
    codec = Codec.of(read(frame, config), config)
    assert Codec.from_dict(codec.to_dict()) == codec
    assert codec.inputs == encode(read(frame, config).series[0], codec, 2).features.shape[1]

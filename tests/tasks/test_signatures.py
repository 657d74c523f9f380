"""Settings in signatures, docstrings and stubs: all of them, and wrong ones refused by a type checker."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gruworks import Generator, Transcriber, Translator
from gruworks.errors import OptionError
from gruworks.settings import Settings
from gruworks.tasks import registry
from gruworks.tasks.generate.verse.forms import VerseOptions
from gruworks.tasks.signatures import takes

ROOT = Path(__file__).resolve().parents[2]
VERBS = [
    (Generator.write, "generate"), (Generator.write_many, "generate"), (Generator.stream, "generate"),
    (Transcriber.transcribe, "transcribe"), (Transcriber.stream, "transcribe"), (Transcriber.evaluate, "transcribe"),
    (Translator.translate, "translate"), (Translator.n_best, "translate"), (Translator.explain, "translate"),
    (Translator.evaluate, "translate"),
]  # fmt: skip


def lists_all(function: Any, text: str | None, settings: type[Settings]) -> None:
    parameters = inspect.signature(function).parameters
    assert all(one.kind != inspect.Parameter.VAR_KEYWORD for one in parameters.values())
    for one in settings.described():
        assert (parameters[one.name].default, parameters[one.name].annotation) == (one.default, one.hint)
        assert f"{one.name} (" in (text or "")
        assert " ".join(one.sentence.split()) in " ".join((text or "").split())


@pytest.mark.parametrize("task", registry.TASKS)
def test_help_of_an_estimator_lists_every_setting(task: str) -> None:
    made = registry.estimator(task)
    lists_all(made, made.__doc__, registry.settings(task, "Config"))


@pytest.mark.parametrize(("verb", "task"), VERBS, ids=lambda one: getattr(one, "__qualname__", ""))
def test_help_of_a_verb_lists_every_option(verb: Callable[..., Any], task: str) -> None:
    lists_all(verb, verb.__doc__, registry.settings(task, "Options"))


def test_help_of_verse_lists_its_rules() -> None:
    lists_all(Generator.verse, Generator.verse.__doc__, VerseOptions)


@pytest.mark.parametrize("kind", ["Config", "Options"])
@pytest.mark.parametrize("task", registry.TASKS)
def test_help_of_settings_lists_every_field(task: str, kind: str) -> None:
    settings = registry.settings(task, kind)
    text = " ".join((settings.__doc__ or "").split())
    hints = inspect.get_annotations(settings)
    assert hints
    for name in hints:
        assert f"{name} (" in text


def test_a_subclass_with_a_constructor_of_its_own_shows_that_one() -> None:
    class Short(Generator):
        def __init__(self, size: int) -> None:
            super().__init__(hidden_size=size)

    assert list(inspect.signature(Short).parameters) == ["size"]


def test_a_parameter_of_the_verb_itself_comes_before_an_option_of_that_name() -> None:
    @takes(registry.settings("translate", "Options"))
    def verb(seed: str, **options: Any) -> None:
        """A verb."""

    assert inspect.signature(verb).parameters["seed"].annotation == "str"


def test_an_unknown_option_is_still_refused_when_the_verb_is_called() -> None:
    with pytest.raises(OptionError, match="has no setting colour"):
        Generator(colour=1)  # type: ignore[call-arg]


USER_CODE = """
from gruworks import Forecaster, Generator, Transcriber, Translator

Forecaster(horizon=3, seed=1).fit([1, 2, 3]).predict(level=(80, 95))
text: str = Generator(hidden_size=16).fit("a.txt").write("Once", temperature=0.5)
Translator.load("run").translate(["one"], n_best=2)
Transcriber(streaming=True).transcribe("a.wav", n_best=2)
horizon: int = Forecaster().config.horizon
"""
MISTAKES = {
    "Forecaster(horizn=3)": 'Unexpected keyword argument "horizn" for "Forecaster"',
    'Forecaster(horizon="3")': 'Argument "horizon" to "Forecaster" has incompatible type "str"; expected "int"',
    'Forecaster(reset="behind")': "expected \"Literal['after', 'before']\"",
    'Generator().write("x", colour=1)': 'Unexpected keyword argument "colour" for "write" of "Generator"',
    'Translator().translate("x", n_best="2")': 'Argument "n_best" to "translate" of "Translator"',
    "Transcriber().stream(n_best=None)": 'Argument "n_best" to "stream" of "Transcriber"',
}


def test_a_type_checker_takes_right_settings_and_refuses_wrong_ones(tmp_path: Path) -> None:
    """Strictly, and the stubs themselves too; torch and the like are left out, for time."""
    code = USER_CODE + "\n".join(MISTAKES) + "\n"
    (tmp_path / "user.py").write_text(code, encoding="utf-8")
    outside = "torch,numpy,lightning,pandas,safetensors,narwhals,tokenizers,onnx"
    sections = "".join(f"[mypy-{name}.*]\nfollow_imports = skip\n" for name in outside.split(","))
    (tmp_path / "mypy.ini").write_text(f"[mypy]\nfollow_imports = silent\nmypy_path = {ROOT / 'src'}\n{sections}")
    stubs = sorted((ROOT / "src/gruworks/tasks").glob("*/estimator.pyi"))
    assert len(stubs) == len(registry.TASKS)
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file", "mypy.ini", "user.py", *stubs]
    told = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True).stdout
    first = USER_CODE.count("\n") + 1
    for number, message in enumerate(MISTAKES.values(), first):
        assert any(line.startswith(f"user.py:{number}:") and message in line for line in told.splitlines()), told
    assert f"Found {len(MISTAKES)} errors in 1 file" in told

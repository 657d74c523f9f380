"""Tests mirror the source: src/gruworks/a/b.py is tested by tests/a/test_b.py, but for the exceptions listed here."""

from __future__ import annotations

from fnmatch import fnmatch
from pathlib import Path
from posixpath import dirname, join, normpath

ROOT = Path(__file__).resolve().parents[1]

# Test file → the modules beside it that it tests through the module that uses them; "../" is the folder above.
COVERED = {
    "app/cli/tasks/test_forecast.py": ("forecast_check", "forecast_report", "../common/fitting"),
    "app/cli/test_main.py": ("demo", "../loading"),
    "app/server/test_access.py": ("hosts",),
    "app/server/test_application.py": ("metrics", "service", "routes/*"),
    "app/server/test_bodies.py": ("panels",),
    "app/server/test_batching.py": ("responses",),
    "app/server/test_jobs.py": ("child", "job"),
    "app/server/test_middleware.py": ("limits",),
    "data/test_samples.py": ("samples/*",),
    "interop/c/test_exporting.py": ("*",),
    "interop/c/test_tasks.py": ("../../tasks/*/c_program",),
    "interop/test_keras.py": ("keras_config", "keras_file", "keras_layers", "stack"),
    "interop/test_onnx_export.py": ("activations",),
    "interop/test_onnx.py": ("onnx_constants", "onnx_tensor", "onnx_write"),
    "interop/test_torch_file.py": ("state_dict_grus",),
    "lab/number_lines/test_next_number.py": ("unit",),
    "lab/problems/test_characters.py": ("batches",),
    "lab/test_experiment.py": ("settings",),
    "nn/recurrence/test_functorch.py": ("gate_gradients",),
    "nn/recurrence/test_kernel.py": ("fallback", "operators"),
    "nn/test_functional.py": ("explain",),
    "nn/test_gru.py": ("form",),
    "nn/test_activations.py": ("../ops/activations",),
    "nn/test_exact.py": ("../ops/exact",),
    "ops/test_recurrence.py": ("operands",),
    "ops/test_threads.py": ("../nn/recurrence/threads",),
    "nn/recurrence/test_linear_scan.py": ("../../ops/scan",),
    "plots/test_fan.py": ("figure",),
    "tasks/forecast/combination/test_selection.py": ("predictor",),
    "tasks/forecast/features/test_encoding.py": ("covariates", "naive"),
    "tasks/forecast/models/test_deepar.py": ("deepar_data",),
    "tasks/forecast/series/test_dates.py": ("date_forms", "date_numbers", "time_columns"),
    "tasks/forecast/series/test_frequency.py": ("calendars",),
    "tasks/forecast/series/test_reading.py": ("alignment", "columns", "gaps", "joining", "kinds", "panel", "rows"),
    "tasks/forecast/series/test_table_reader.py": ("layout", "opening", "raw_table"),
    "tasks/forecast/test_estimator.py": ("checking", "frames", "persistence"),
    "tasks/test_fifth.py": ("description", "../app/cli/tasks/described", "../app/server/routes/described"),
    "tasks/test_registry.py": ("*/config", "*/task"),
    "tasks/transcribe/test_manifest.py": ("directories", "entries", "utterance"),
    "tasks/translate/test_checking.py": ("chinese", "suspicions"),
    "tasks/translate/test_fused_decoder.py": ("../../ops/attention_decoder",),
    "tasks/translate/test_reading.py": ("columns",),
    "test_without_torch.py": ("__main__",),
    "training/test_fit.py": ("averaging", "checkpoints", "learner", "progress", "settings"),
}

# Test files of a property, of several modules, or of files that aren't Python.
OF_NO_MODULE = {
    "app/page/test_*.py",
    "app/test_defaults.py",
    "app/test_readme.py",
    "benchmarks/test_*.py",
    "examples/test_*.py",
    "fuzz/test_*.py",
    "interop/c/test_machines.py",
    "interop/c/test_tasks.py",
    "interop/test_keras_kinds.py",
    "nn/compatibility/test_leaf.py",
    "nn/compatibility/test_torchrl.py",
    "nn/recurrence/test_extremes.py",
    "nn/recurrence/test_half.py",
    "nn/recurrence/test_lengths.py",
    "nn/recurrence/test_negation.py",
    "nn/recurrence/test_single_steps.py",
    "nn/test_activations.py",
    "nn/test_all_layers.py",
    "nn/test_docstrings.py",
    "nn/test_exact.py",
    "nn/test_resets.py",
    "ops/test_examples.py",
    "ops/test_native_stub.py",
    "ops/test_threads.py",
    "tasks/test_fifth.py",
    "tasks/test_fit.py",
    "tasks/translate/test_recipe.py",
    "test_docs*.py",
    "test_imports.py",
    "test_mirror.py",
    "test_package.py",
    "test_quick.py",
    "test_requirements.py",
    "test_site.py",
    "test_without_torch.py",
}


def names(folder: str, pattern: str) -> set[str]:
    """Python files within a folder, relative to it, without packages' own files."""
    found = (path.relative_to(ROOT / folder) for path in (ROOT / folder).rglob(pattern))
    return {path.as_posix() for path in found if path.name != "__init__.py"}


def mirror(module: str) -> str:
    path = Path(module)
    return path.with_name(f"test_{path.name}").as_posix()


def covered() -> set[str]:
    """Patterns of the modules that the exceptions name, relative to src/gruworks."""
    return {normpath(join(dirname(test), f"{name}.py")) for test, modules in COVERED.items() for name in modules}


MODULES, TESTS = names("src/gruworks", "*.py"), names("tests", "test_*.py")
WITH_PACKAGES = {*map(mirror, MODULES), *(f"{Path(m).parent.parent}/test_{Path(m).parent.name}.py" for m in MODULES)}
UNTESTED = {module for module in MODULES if mirror(module) not in TESTS}


def test_a_module_has_a_test_file_in_its_place_or_is_an_exception() -> None:
    assert not {module for module in UNTESTED if not any(fnmatch(module, pattern) for pattern in covered())}


def test_a_test_file_has_a_module_in_its_place_or_is_an_exception() -> None:
    without = TESTS - WITH_PACKAGES
    assert not {test for test in without if not any(fnmatch(test, pattern) for pattern in OF_NO_MODULE)}


def test_no_exception_is_stale() -> None:
    assert COVERED.keys() <= TESTS
    assert not {pattern for pattern in covered() if not any(fnmatch(module, pattern) for module in UNTESTED)}
    assert not {pattern for pattern in OF_NO_MODULE if not any(fnmatch(t, pattern) for t in TESTS - WITH_PACKAGES)}

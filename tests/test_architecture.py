"""The few rules that keep the code apart: who may import whom, what is light, who prints."""

import ast
import subprocess
import sys
import tomllib

import pytest
from conftest import ROOT, clean_environment

# prompts ◀ generators ◀ filters ◀ factory and generators ◀ trainers ◀ factory.
MAY_IMPORT = {
    "prompts": {"prompts"},
    "generators": {"prompts", "generators"},
    "filters": {"generators", "filters"},
    "trainers": {"generators", "trainers"},
    "factory": {"prompts", "generators", "filters", "trainers", "factory"},
}
# Besides these, no folder of ours may hold Python that ships.
BESIDE = {"tests", "benchmarks", "examples", "docs"}
HEAVY = ("aiohttp", "anthropic", "datasets", "datasketch", "jinja2", "openai", "pydantic", "rich", "scipy", "torch",
         "transformers", "xllamacpp", "yaml", "numpy", "litellm", "genai_prices", "asyncio")  # fmt: skip
PRINTERS = {"factory/progress.py"}
# Arithmetic of tensors alone: whoever uses it imports it inside a function, so that no other module is heavy.
ARITHMETIC = {"trainers.head_loss", "trainers.lora_linear", "trainers.short_attention"}
SOURCES = sorted(path for package in MAY_IMPORT for path in (ROOT / package).rglob("*.py"))


def imported(source):
    """Every module that a file imports, at its top or inside a function, also by ``import_module("…")``."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide which package is meant"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and is_module(node.value):
            yield node.value


def is_module(text):
    """Whether a text in the code names one of our modules: ``filters.refusal`` or ``generators.x:Class``."""
    parts = text.partition(":")[0].split(".")
    place = ROOT.joinpath(*parts)
    return len(parts) > 1 and parts[0] in MAY_IMPORT and (place.with_suffix(".py").is_file() or place.is_dir())


def trespasses(path, source):
    own = path.relative_to(ROOT).parts[0]
    tops = {module.split(".")[0] for module in imported(source)}
    return sorted(tops & (MAY_IMPORT.keys() | BESIDE) - MAY_IMPORT[own])


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_follow_the_rule(path):
    assert trespasses(path, path.read_text()) == []


def test_the_rule_sees_imports_inside_functions_and_by_name():
    source = "def f():\n    from factory.store import Row\n    return import_module('filters.refusal')\n"
    assert trespasses(ROOT / "trainers" / "new.py", source) == ["factory", "filters"]
    assert trespasses(ROOT / "factory" / "new.py", source) == []


def test_there_are_exactly_five_packages():
    found = {path.parent.name for path in ROOT.glob("*/*.py")} - BESIDE
    assert found == MAY_IMPORT.keys()
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    assert settings["packages"]["find"]["include"] == [
        f"{name}*" for name in ("factory", "generators", "filters", "trainers", "prompts")
    ]
    for name in MAY_IMPORT:
        assert (ROOT / name / "py.typed").is_file()


def test_every_folder_of_modules_is_a_package():
    assert [path for path in SOURCES if not (path.parent / "__init__.py").is_file()] == []


def test_no_room_is_called_by_what_it_is_not():
    assert [path for path in SOURCES if path.stem in ("utils", "util", "common", "core", "helpers", "misc")] == []


def test_nobody_prints_but_the_screen_and_the_command_line():
    printing = {
        str(path.relative_to(ROOT))
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Name) and node.id == "print"
    }
    assert printing == PRINTERS
    echoing = {str(path.relative_to(ROOT)) for path in SOURCES if "click" in set(imported(path.read_text()))}
    assert echoing == {f"factory/{name}.py" for name in ("cli", "cli_options", "cli_student", "cli_versions", "run")}


@pytest.mark.parametrize(
    "arguments", [["--help"], ["generate", "--help"], ["filter", "--help"], ["score", "--help"], ["--version"]]
)
def test_help_loads_nothing_heavy(arguments, tmp_path):
    probe = (
        "import sys\nfrom factory.cli import main\n"
        f"sys.argv = ['factory', *{arguments!r}]\n"
        "try:\n    main()\nexcept SystemExit as done:\n    assert not done.code\n"
        f"sys.stderr.write(' '.join(name for name in {HEAVY!r} if name in sys.modules))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe], cwd=tmp_path, env=clean_environment(tmp_path), capture_output=True, check=True
    )
    assert (done.stderr, done.stdout != b"") == (b"", True)


def test_no_module_loads_anything_heavy_when_it_is_imported(tmp_path):
    """Each module by itself is light, so that a stage pays only for what it uses."""
    modules = {".".join(path.relative_to(ROOT).with_suffix("").parts) for path in SOURCES if path.stem != "__main__"}
    assert modules > ARITHMETIC
    modules = sorted(modules - ARITHMETIC)
    heaviest = (
        "torch",
        "transformers",
        "openai",
        "anthropic",
        "litellm",
        "datasets",
        "datasketch",
        "scipy",
        "xllamacpp",
    )
    probe = (
        f"import sys, importlib\nfor name in {modules!r}:\n    importlib.import_module(name)\n"
        f"    found = [heavy for heavy in {heaviest!r} if heavy in sys.modules]\n"
        "    assert not found, (name, found)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe], cwd=tmp_path, env=clean_environment(tmp_path), capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()

"""The real smollm2-135m through the command line: fetched, trained for a few steps, asked and scored (``weights``)."""

import json
import math
import os

import pytest
from conftest import SPEC, SPEC_TAIL, run_command, write_manual
from test_score import exam_script

from generators.models import cache_folder
from generators.teachers.scripted import ScriptedTeacher

pytest.importorskip("trl")
pytestmark = [pytest.mark.weights, pytest.mark.slow]
NAME = "smollm2-135m"


@pytest.fixture(scope="module")
def factory(tmp_path_factory):
    """The command line in a folder of its own, beside a teacher; weights are fetched once a machine."""
    folder = tmp_path_factory.mktemp("real")
    write_manual(folder / "manual", pages=("alerts", "billing", "caching"))
    (folder / "factory.toml").write_text(
        "test_share = 0.2\nvalidation_share = 0.3\nunseen_share = 0.3\n[train]\nbatch = 2\n"
    )
    passed_on = ("_proxy", "_url", "_bundle")
    network = {name: value for name, value in os.environ.items() if name.lower().endswith(passed_on)}
    with ScriptedTeacher(exam_script) as teacher:

        def run(*arguments):
            env = {**network, **teacher.environment(), "FACTORY_CACHE": str(cache_folder())}
            return run_command(*arguments, cwd=folder, env=env, timeout=1500)

        yield run


@pytest.fixture(scope="module")
def trained(factory):
    """How the training of the real student ended."""
    made = factory("generate", "--docs", "manual", *SPEC_TAIL)
    assert made.code == 0, made.err
    pulled = factory("models", "pull", NAME)
    assert pulled.code == 0, pulled.err
    ran = factory("train", "--student", NAME, "--epochs", 1, "--json")
    assert ran.code == 0, ran.err
    return ran


def test_it_learns(trained, tmp_path_factory):
    folder = next(path for path in tmp_path_factory.getbasetemp().glob("real*") if path.is_dir())
    metrics = (folder / trained.json["adapter"] / "metrics.jsonl").read_text().splitlines()
    losses = [entry["loss"] for entry in map(json.loads, metrics) if "loss" in entry]
    assert len(losses) > 3
    assert all(map(math.isfinite, losses))
    assert losses[-1] < 0.8 * losses[0]
    assert trained.json["base"] == NAME
    assert "0%|" not in trained.err


def test_it_answers(trained, factory):
    asked = factory("ask", "What does Quayline say about `alerts_limits_first` in Alerts Limits?", "--json")
    assert (asked.code, asked.json["student"]) == (0, "student/s0001"), asked.err
    assert "alerts" in asked.json["answer"]


def test_rows_are_shown_by_its_own_template(trained, factory):
    shown = factory("train", "--student", NAME, "--show-row", 1)
    assert shown.out.startswith("<|im_start|>system\n")
    assert "<|im_start|>assistant\n⟦The `" in shown.out
    assert shown.out.count("<|im_end|>⟧") == 1


def test_it_is_scored(trained, factory):
    scored = factory("score", "--against", SPEC, "--questions", 2, "--json")
    assert scored.code == 0, scored.err
    assert set(scored.json["systems"]) == {"teacher", "teacher_alone", "student", "base", "base_with_docs"}
    assert scored.json["verdict"] in ("ship", "hold")

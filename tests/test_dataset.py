"""Published folders open with the real ``datasets`` library, as they are and without a network."""

import json
import shutil
from pathlib import Path

import pytest
from conftest import answer, facts_in, run_command, write_manual

from factory.card import dataset_card
from generators.teachers.scripted import ScriptedTeacher

datasets = pytest.importorskip("datasets")
yaml = pytest.importorskip("yaml")
SPLITS = ("train", "validation", "test")


@pytest.fixture(autouse=True)
def offline(monkeypatch, tmp_path):
    """No network, no progress bars, and a cache that goes with the test."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("datasets.config.HF_HUB_OFFLINE", True)
    datasets.disable_progress_bars()
    return tmp_path / "cache"


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """A published workspace whose answers hold what breaks careless readers."""
    folder = tmp_path_factory.mktemp("published")
    write_manual(folder / "manual", pages=("alerts", "billing", "caching", "deploys"))

    def script(request):
        told = answer(request)
        for fact in told["facts"]:
            fact["answer"] += ' Say "yes": \u2028 – \\n {x} é 😀'
        return told

    with ScriptedTeacher(script) as teacher:
        ran = run_command(
            "generate", "--docs", "manual", "--teacher", "openai/x", "--json", cwd=folder, teacher=teacher
        )
    assert ran.code == 0, ran.err
    return folder / "factory-data", ran.json


def load(folder, cache):
    return datasets.load_dataset(str(folder), cache_dir=str(cache))


def test_a_version_opens_with_all_its_rows_in_order(published, offline):
    out, told = published
    found = load(out / "latest", offline)
    assert {split: len(found[split]) for split in found} == {split: n for split, n in told["splits"].items() if n}
    assert all(found[split].column_names == ["messages"] for split in found)
    for split in found:
        written = [json.loads(line) for line in (out / "latest" / f"{split}.jsonl").read_bytes().splitlines()]
        assert [dict(row) for row in found[split]] == written


@pytest.mark.parametrize("name", ["with space", "größe-数据", "a'b", "v1.2,3", "50% off & more", "-dash"])
def test_odd_folder_names_open_too(published, offline, tmp_path, name):
    copied = shutil.copytree(published[0] / "latest", tmp_path / name)
    assert len(load(copied, offline)["train"]) == published[1]["splits"]["train"]


@pytest.mark.parametrize(
    "name", ["docs", "a: b #c", 'say "hi"', "- [x] {y}", "größe 😀", "bell\x07\u0085\udce9", "%@`|<b>"]
)
def test_the_card_is_valid_whatever_the_documents_are_called(name):
    manifest = {
        "splits": {"train": 3, "validation": 0, "test": 1},
        "pairs": {"accepted": 4, "rejected": {}},
        "documents": [],
        "teacher": f"openai/{name}",
        "template": {"name": name},
        "versions": {"factory": "0"},
        "created": "now",
        "terms": "None.",
    }
    card = dataset_card(name, manifest)
    _, front, body = card.encode().decode().split("---\n", 2)
    settings = yaml.safe_load(front)
    assert settings["pretty_name"].startswith("Questions and answers about ")
    assert [each["split"] for each in settings["configs"][0]["data_files"]] == ["train", "test"]
    assert "<b>" not in body


def test_a_version_without_validation_rows_opens(offline, tmp_path, run_factory, serve):
    """One fact, one wording: a single row to train on; the other splits are empty files that nobody trips over."""
    write_manual(tmp_path / "manual", pages=("alerts",), sections=("Limits",))
    teacher = serve(lambda asked: {"facts": facts_in(asked.user, wordings=("What is `{name}` of {topic}?",))})
    ran = run_factory("generate", "--docs", "manual", "--teacher", "openai/x", "--json", teacher=teacher)
    assert (ran.code, ran.json["splits"]) == (0, {"train": 2, "validation": 0, "test": 0})
    version = Path(tmp_path / "factory-data" / "latest")
    assert all((version / f"{split}.jsonl").is_file() for split in SPLITS)
    found = load(version, offline)
    assert {split: len(found[split]) for split in found} == {"train": 2}

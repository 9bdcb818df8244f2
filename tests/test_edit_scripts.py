"""Random edits, run after run: what is published equals what a fresh run on the last documents publishes.

FACTORY_SCRIPTS=1000 pytest tests/test_edit_scripts.py

What is exactly true, for a teacher whose reply to a sentence depends on that sentence alone:

1. The set of (question, answer) is that of a fresh run on the same documents.
2. No pair is stale: each quote stands, verbatim, in the document that its provenance names.
3. A pair that stays keeps its id and its split; one that comes back comes back to its split.
4. Requests never outnumber the sections that are new; moves, reflowing and restoring cost none.

Ids, facts and splits differ from a fresh run's, since an edited section's old pairs keep theirs.
"""

import asyncio
import hashlib
import os
import re
import shutil
from dataclasses import dataclass, field, replace
from types import SimpleNamespace

import pytest
from conftest import SPEC
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from factory.config import Settings
from factory.inputs import prepare
from factory.pipeline import generate
from factory.store import Workspace
from generators.teachers import open_teacher
from generators.teachers.scripted import ScriptedTeacher

SCRIPTS = int(os.environ.get("FACTORY_SCRIPTS", "100"))
_FACT = re.compile(r"The `(\w+)` knob is set to (\d+) units\.")
WATCH = SimpleNamespace(
    note=lambda line: None, read=lambda item: None, asking=lambda total, spent: None, outcome=lambda outcome, best: None
)


def answer(request):
    """Every sentence of the request, as a flawless teacher would put it, wherever it stands."""
    facts = []
    for found in dict.fromkeys(_FACT.finditer(request.user)):
        name = found[1]
        questions = [f"What is `{name}` set to?", f"I need to know `{name}`, how many units?"]
        facts.append({"kind": "value", "answer": found[0], "quotes": [found[0]], "questions": questions})
    return {"facts": facts}


def name_of(number):
    """A name that resembles no other."""
    return "k" + hashlib.sha256(str(number).encode()).hexdigest()[:11]


@dataclass(frozen=True)
class Section:
    title: str
    facts: tuple  # (name, value)

    def text(self, width):
        sentences = [f"The `{name}` knob is set to {value} units." for name, value in self.facts]
        return f"## {self.title}\n\n" + width.join(sentences) + "\n"


@dataclass
class World:
    """The documents, and the state that each ever had."""

    documents: dict = field(default_factory=dict)  # path -> tuple of sections
    past: list = field(default_factory=list)  # (path, sections)
    count: int = 0
    width: str = " "

    def fresh(self):
        self.count += 1
        return self.count

    def section(self, facts=3):
        made = tuple((name_of(self.fresh()), self.count) for _ in range(facts))
        return Section(f"Part {self.fresh()}", made)

    def write(self, folder):
        shutil.rmtree(folder, ignore_errors=True)
        for path, sections in self.documents.items():
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("# Quayline\n\n" + "\n".join(section.text(self.width) for section in sections))


def edit(world, path, at, number):
    sections = list(world.documents[path])
    section = sections[at % len(sections)]
    facts = list(section.facts)
    place = number % len(facts)
    facts[place] = (facts[place][0], world.fresh() * 1000)
    sections[at % len(sections)] = replace(section, facts=tuple(facts))
    world.documents[path] = tuple(sections)


def add(world, path, at, number):
    sections = list(world.documents[path])
    section = sections[at % len(sections)]
    place = number % (len(section.facts) + 1)
    facts = (*section.facts[:place], (name_of(world.fresh()), world.count), *section.facts[place:])
    sections[at % len(sections)] = replace(section, facts=facts)
    world.documents[path] = tuple(sections)


def cut(world, path, at, number):
    sections = list(world.documents[path])
    section = sections[at % len(sections)]
    if len(section.facts) > 1:
        place = number % len(section.facts)
        sections[at % len(sections)] = replace(section, facts=section.facts[:place] + section.facts[place + 1 :])
    elif len(sections) > 1:
        del sections[at % len(sections)]
    world.documents[path] = tuple(sections)


def move(world, path, at, number):
    world.documents[f"folder{number}/page{world.fresh()}.md"] = world.documents.pop(path)


def rename(world, path, at, number):
    sections = list(world.documents[path])
    sections[at % len(sections)] = replace(sections[at % len(sections)], title=f"Part {world.fresh()}")
    world.documents[path] = tuple(sections)


def split(world, path, at, number):
    sections = list(world.documents[path])
    section = sections[at % len(sections)]
    if len(section.facts) > 1:
        place = 1 + number % (len(section.facts) - 1)
        halves = (
            replace(section, facts=section.facts[:place]),
            Section(f"Part {world.fresh()}", section.facts[place:]),
        )
        sections[at % len(sections) : at % len(sections) + 1] = halves
    world.documents[path] = tuple(sections)


def merge(world, path, at, number):
    sections = list(world.documents[path])
    place = at % len(sections)
    if place + 1 < len(sections):
        joined = replace(sections[place], facts=sections[place].facts + sections[place + 1].facts)
        sections[place : place + 2] = [joined]
    world.documents[path] = tuple(sections)


def delete(world, path, at, number):
    if len(world.documents) > 2:
        del world.documents[path]


def create(world, path, at, number):
    world.documents[f"page{world.fresh()}.md"] = tuple(world.section() for _ in range(1 + number % 3))


def restore(world, path, at, number):
    """An earlier state of a document whose names nobody else has taken since."""
    old_path, sections = world.past[number % len(world.past)]
    names = {name for section in sections for name, _ in section.facts}
    for other, there in world.documents.items():
        if other != old_path and names & {name for section in there for name, _ in section.facts}:
            return
    world.documents[old_path] = sections


def reflow(world, path, at, number):
    world.width = {" ": "\n", "\n": " "}[world.width]


EDITS = (edit, add, cut, move, rename, split, merge, delete, create, restore, reflow)
STEP = st.lists(st.tuples(st.sampled_from(EDITS), st.integers(0, 30), st.integers(0, 9), st.integers(0, 9)), max_size=4)


@pytest.fixture(scope="module")
def teacher():
    with ScriptedTeacher(answer) as serving, pytest.MonkeyPatch.context() as patch:
        for name, value in serving.environment().items():
            patch.setenv(name, value)
        yield serving


def run(folder, out):
    """One ``factory generate``, in this process."""

    async def go():
        asked = open_teacher(SPEC)
        try:
            return await generate(inputs, workspace, asked, WATCH, asyncio.Event())
        finally:
            await asked.aclose()

    chosen = Settings(docs=(str(folder),), out=str(out), teacher=SPEC, concurrency=4)
    # Made by rule, from what is kept: a share of it differs with the ids.
    chosen = replace(chosen, unanswerable_share=0.0, multi_section_share=0.0)
    workspace = Workspace(out)
    inputs = prepare(replace(chosen, sources={"teacher": "flag"}), WATCH, is_local=False, retire_all=True)
    result = asyncio.run(go())
    assert result.short == ""
    return result


def said(rows):
    return {(row.pair.question, row.pair.answer) for row in rows}


def assert_nothing_stale(rows, folder):
    for row in rows:
        there = " ".join((folder / row.document).read_text().split())
        assert all(quote in there for quote in row.pair.quotes), (row.document, row.pair.quotes)


@settings(
    max_examples=SCRIPTS,
    deadline=None,
    derandomize=SCRIPTS <= 100,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(STEP, min_size=1, max_size=4))
def test_refreshes_publish_what_a_fresh_run_would(teacher, tmp_path_factory, steps):
    base = tmp_path_factory.mktemp("script")
    folder, out = base / "docs", base / "out"
    world = World()
    for number in range(4):
        world.documents[f"page{number}.md"] = tuple(world.section() for _ in range(2))
    places, known = {}, set()
    for step in [(), *steps]:
        for change, at, place, number in step:
            world.past += world.documents.items()
            path = sorted(world.documents)[at % len(world.documents)]
            change(world, path, place, number)
        world.write(folder)
        already = teacher.requests
        result = run(folder, out)
        new = result.corpus.chunks.keys() - known
        assert teacher.requests - already <= len(new)
        known |= result.corpus.chunks.keys()
        rows = Workspace(out).latest().rows
        assert_nothing_stale(rows, folder)
        now = {row.pair.id: row.place for row in rows}
        assert {pair: places[pair] for pair in places.keys() & now.keys()} == {
            pair: now[pair] for pair in places.keys() & now.keys()
        }
        places |= now
    fresh = run(folder, base / "fresh")
    assert said(rows) == said(fresh.rows)
    already = teacher.requests
    again = run(folder, out)
    assert (teacher.requests, again.published) == (already, False)
    assert Workspace(out).verify() == []
    shutil.rmtree(base)

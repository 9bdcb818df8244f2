"""Shared by the tests that run the product as people do: a manual to read, a teacher on loopback, the command line."""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from forking import Forks
from hypothesis import settings

from generators.teachers.scripted import ScriptedTeacher

ROOT = Path(__file__).resolve().parent.parent
PAGES = ("alerts", "billing", "caching", "deploys", "exports", "filters", "groups", "hooks", "imports", "jobs", "keys")
SECTIONS = ("Limits", "Errors", "Defaults")
SPEC = "openai/scripted-1"
SPEC_TAIL = ("--teacher", SPEC, "--json")
_WORDINGS = (
    "What does {product} say about `{name}` in {topic}?",
    "I use {topic}: how is `{name}` settled there?",
    "Tell me everything that holds for `{name}`, please.",
)
_SENTENCE = re.compile(r"The `(\w+)` [^.]+\.")


@dataclass(frozen=True)
class Ran:
    """How a run of the command line ended."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        """What ``--json`` printed: the last line of stdout, and the only one."""
        [line] = self.out.splitlines()
        return json.loads(line)


def section(page, title, number):
    """A section with two facts that no other section states."""
    name, base = f"{page}_{title.lower()}", number * 100
    return (
        f"## {page.title()} {title}\n\n"
        f"The `{name}_first` value of the {page} service is {base + 11} and it is counted per project.\n"
        f"The `{name}_second` value of the {page} service is {base + 23}, beyond it the call fails.\n"
    )


def write_manual(folder, pages=PAGES, sections=SECTIONS):
    """Write a folder of Markdown pages; each section is a chunk, each page fits one request."""
    folder.mkdir(parents=True, exist_ok=True)
    for place, page in enumerate(pages):
        text = "".join(f"\n{section(page, title, place * 10 + i)}" for i, title in enumerate(sections))
        (folder / f"{page}.md").write_text(f"# Quayline {page}\n{text}")
    return folder


def facts_in(text, wordings=_WORDINGS):
    """The facts of a request's documents, as a flawless teacher would write them."""
    facts, topic = [], ""
    for line in text.splitlines():
        topic = line.split('"')[1].rpartition(" > ")[2] if line.startswith("<section") else topic
        for found in _SENTENCE.finditer(line):
            questions = [each.format(product="Quayline", name=found[1], topic=topic) for each in wordings]
            facts.append({"kind": "limit", "answer": found[0], "quotes": [found[0]], "questions": questions})
    return facts


def answer(request):
    """A script for the teacher: all facts of the request."""
    return {"facts": facts_in(request.user)}


@pytest.fixture
def manual(tmp_path):
    """A docs folder of eleven pages, 33 chunks, 66 facts."""
    return write_manual(tmp_path / "manual")


@pytest.fixture
def serve():
    """Start scripted teachers: ``serve(script, delay=0.1)``."""
    running = []

    def start(script=answer, **settings):
        running.append(ScriptedTeacher(script, **settings).__enter__())
        return running[-1]

    yield start
    for teacher in running:
        teacher.__exit__(None, None, None)


@pytest.fixture
def teacher(serve):
    """A teacher that knows the manual by heart."""
    return serve()


def clean_environment(home, teacher=None, **more):
    """An environment in which nothing of the developer's own settings, keys or proxies is left.

    Questions without an answer are off, so that tests can count what the teacher wrote; ``test_compose.py`` has them.
    """
    known = ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT")
    kept = {name: value for name, value in os.environ.items() if name in known or name.startswith("COVERAGE_")}
    served = teacher.environment() if teacher else {}
    return {
        **kept,
        "HOME": str(home),
        "PYTHONPATH": str(ROOT),
        "LANG": "C.UTF-8",
        "FACTORY_UNANSWERABLE_SHARE": "0",
        "FACTORY_MULTI_SECTION_SHARE": "0",
        **served,
        **more,
    }


def command(*arguments):
    """``factory …`` as an argument list."""
    return [sys.executable, "-m", "factory", *map(str, arguments)]


def run_command(*arguments, cwd, teacher=None, env=None, timeout=300):
    """Run the command line in a folder and wait for its end."""
    done = subprocess.run(
        command(*arguments),
        cwd=cwd,
        env=clean_environment(cwd, teacher, **(env or {})),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=timeout,
        check=False,
    )
    return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())


@pytest.fixture(scope="session")
def forks(tmp_path_factory):
    """Where runs of the command line can be forked off, for tests that need many."""
    with Forks(clean_environment(tmp_path_factory.mktemp("home"))) as running:
        yield running


@pytest.fixture(scope="session")
def fork_factory(forks):
    """As ``run_factory``, but quick: the command line in a fork of a process that has everything imported."""

    def run(*arguments, cwd, teacher=None, env=None):
        environment = clean_environment(cwd, teacher, **(env or {}))
        child, out, err = forks.start(*arguments, cwd=cwd, env=environment)
        code = forks.wait(child)
        ran = Ran(code, out.read_text(), err.read_text())
        out.unlink()
        err.unlink()
        return ran

    return run


@pytest.fixture
def run_factory(tmp_path):
    """Run ``factory`` with these arguments, in the test's own folder: ``run_factory("status", teacher=…, env={})``."""

    def run(*arguments, teacher=None, env=None, cwd=tmp_path):
        return run_command(*arguments, cwd=cwd, teacher=teacher, env=env)

    return run


@pytest.fixture
def start_factory(tmp_path):
    """Start ``factory`` and return the process; what is still running at the test's end is ended."""
    running = []

    def start(*arguments, teacher=None, env=None, **settings):
        settings = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **settings}
        environment = clean_environment(tmp_path, teacher, **(env or {}))
        running.append(subprocess.Popen(command(*arguments), cwd=tmp_path, env=environment, **settings))
        return running[-1]

    yield start
    for process in running:
        process.kill()
        process.communicate()


# Machines differ in speed: a property is not false because it was slow to show.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

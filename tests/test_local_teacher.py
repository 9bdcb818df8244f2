"""Teachers inside the process: what is refused before anything is loaded, and the real model (marked ``weights``)."""

import asyncio
import importlib.util
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from generators.errors import MissingExtraError, UsageError
from generators.models import local_path
from generators.teachers import Message, Request, TeacherSettings, open_teacher
from generators.teachers.cores import usable_cores
from generators.teachers.failures import PermanentFailure

NAME = "qwen2.5-coder-0.5b"
SCHEMA = {
    "type": "object",
    "properties": {"quote": {"type": "string", "maxLength": 60}, "limit": {"type": "integer"}},
    "required": ["quote", "limit"],
    "additionalProperties": False,
}


def request(number=60, **changes):
    page = f"Each key may send {number} requests a minute. Beyond that, the status is 429."
    messages = (Message("system", "Say in JSON how many requests are allowed, and quote it."), Message("user", page))
    return Request(**{"messages": messages, "schema": SCHEMA, "max_tokens": 100, "temperature": 0.0, **changes})


def test_without_llama_cpp_the_install_line_is_given(tmp_path):
    script = (
        "import sys; sys.modules['xllamacpp'] = None\n"
        "import importlib.util; importlib.util.find_spec = lambda name: None\n"
        "from generators.teachers import open_teacher\n"
        "open_teacher('local/qwen2.5-coder-0.5b')\n"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert ran.stderr.splitlines()[-1].endswith("pip install 'factory-qa[local]'")
    assert MissingExtraError.__name__ in ran.stderr


# Not importorskip: who imports the engine decides how its threads wait.
needs_engine = pytest.mark.skipif(importlib.util.find_spec("xllamacpp") is None, reason="needs the extra [local]")


@needs_engine
class TestWithEngine:
    @pytest.mark.parametrize("name", ["missing.gguf", "folder", "page.gguf", "empty.gguf"])
    def test_what_is_no_model_file_is_a_usage_error(self, tmp_path, name):
        (tmp_path / "folder").mkdir()
        (tmp_path / "page.gguf").write_text("# not a model")
        (tmp_path / "empty.gguf").touch()
        with pytest.raises(UsageError, match="give the path of a"):
            open_teacher(f"local:{tmp_path / name}")

    def test_damaged_model_is_a_usage_error_and_leaves_nothing(self, tmp_path, monkeypatch):
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        (tmp_path / "torn.gguf").write_bytes(b"GGUF" + bytes(1000))
        teacher = open_teacher(f"local:{tmp_path / 'torn.gguf'}")
        with pytest.raises(UsageError, match="cannot load"):
            asyncio.run(teacher.send(request()))
        assert [path.name for path in tmp_path.iterdir()] == ["torn.gguf"]

    def test_unknown_name_is_a_usage_error(self):
        with pytest.raises(UsageError, match="no-such-model"):
            open_teacher("local/no-such-model")


def test_usable_cores_are_at_most_those_of_the_process():
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    assert 1 <= usable_cores() <= allowed


@pytest.fixture(scope="module")
def path():
    return local_path(NAME)


@needs_engine
@pytest.mark.weights
class TestRealModel:
    def run(self, path, ask, **settings):
        async def opened():
            teacher = open_teacher(f"local:{path}", TeacherSettings(**settings))
            try:
                return await ask(teacher)
            finally:
                await teacher.aclose()

        return asyncio.run(opened())

    def test_answers_by_the_schema_several_at_once(self, path):
        async def ask(teacher):
            raws = await asyncio.gather(*(teacher.send(request(number)) for number in (30, 60, 90, 120)))
            return [teacher.read(raw.body) for raw in raws]

        replies = self.run(path, ask, slots=2)
        assert [json.loads(reply.text)["limit"] for reply in replies] == [30, 60, 90, 120]
        assert {(reply.finish, reply.model) for reply in replies} == {("stop", path.stem)}
        assert all(reply.input_tokens > 30 and reply.output_tokens > 5 for reply in replies)

    def test_repeats_itself_with_one_slot(self, path):
        async def ask(teacher):
            hot = request(temperature=1.0, schema=None, max_tokens=30)
            return [teacher.read((await teacher.send(each)).body).text for each in (hot, hot, request(), hot)]

        first = self.run(path, ask, slots=1)
        assert first == self.run(path, ask, slots=1)

    def test_room_of_the_context(self, path):
        async def ask(teacher):
            long = " ".join(f"word{number}" for number in range(300))
            with pytest.raises(PermanentFailure) as caught:
                await teacher.send(request(messages=(Message("user", long),)))
            fits = await teacher.send(request(messages=(Message("user", "word " * 300),), max_tokens=5))
            return caught.value.reason, teacher.read(fits.body)

        reason, cut = self.run(path, ask, slots=1, context_tokens=512)
        assert reason == "context_overflow"
        assert (cut.finish, cut.output_tokens) == ("length", 5)

    def test_abandoned_requests_free_their_slots(self, path):
        async def ask(teacher):
            endless = request(messages=(Message("user", "Tell a very long story."),), schema=None, max_tokens=3000)
            task = asyncio.create_task(teacher.send(endless))
            await teacher.load()
            await asyncio.sleep(1)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            return await asyncio.wait_for(teacher.send(request(max_tokens=10)), timeout=20)

        assert self.run(path, ask, slots=1).status == 200

    @pytest.mark.parametrize("closes", [True, False])
    def test_interrupt_ends_the_process_soon_and_quietly(self, path, closes):
        script = (
            "import asyncio, signal, sys\n"
            "from generators.teachers import Message, Request, open_teacher\n"
            "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
            "async def main():\n"
            "    teacher = open_teacher(sys.argv[1])\n"
            "    await teacher.load()\n"
            "    story = Request((Message('user', 'Tell a very long story.'),), max_tokens=3000)\n"
            "    print('asking', flush=True)\n"
            "    try:\n"
            "        await asyncio.gather(*(teacher.send(story) for _ in range(3)))\n"
            "    finally:\n"
            f"        await teacher.aclose() if {closes} else None\n"
            "try:\n"
            "    asyncio.run(main())\n"
            "except KeyboardInterrupt:\n"
            "    sys.exit(130)\n"
        )
        command = [sys.executable, "-c", script, f"local:{path}"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            process.stdout.readline()
            time.sleep(1)
            started = time.monotonic()
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=30)
        assert process.returncode == 130
        assert time.monotonic() - started < 5
        assert "terminate called" not in errors
        assert errors == "" or not closes

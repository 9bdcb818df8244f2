"""Signals and broken pipes from the first import to the last flush: one line, or none, and the right exit code."""

import os
import signal
import subprocess
import time

import pytest
from conftest import ROOT, SPEC, command, write_manual

from generators.journal import Journal

BOTH = pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 6)])
GENERATE = ("generate", "--docs", "manual", "--teacher", SPEC, "--concurrency", "2", "--quiet")


def wait_until(told):
    give_up_at = time.monotonic() + 30
    while not told():
        assert time.monotonic() < give_up_at
        time.sleep(0.01)


def ended(process, code):
    """The one line that it left."""
    out, said = process.communicate(timeout=20)
    assert (process.returncode, out) == (code, b""), said
    assert said.startswith(b"factory: ")
    assert said.count(b"\n") == 1
    return said.decode()


@BOTH
@pytest.mark.parametrize("module", ["click", "factory.run"])
def test_while_modules_are_imported(start_factory, tmp_path, teacher, number, code, module):
    write_manual(tmp_path / "manual", pages=("alerts",))
    (tmp_path / "slow").mkdir()
    (tmp_path / "slow" / "sitecustomize.py").write_text(
        "import sys, time, pathlib\n"
        "class Slow:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name == {module!r}:\n"
        "            pathlib.Path('importing').touch()\n"
        "            time.sleep(30)\n"
        "sys.meta_path.insert(0, Slow())\n"
    )
    process = start_factory(*GENERATE, teacher=teacher, env={"PYTHONPATH": f"{tmp_path / 'slow'}{os.pathsep}{ROOT}"})
    wait_until((tmp_path / "importing").exists)
    process.send_signal(number)
    assert "run again" in ended(process, code)
    assert not (tmp_path / "factory-data").exists()


@BOTH
@pytest.mark.parametrize("pause", [0, 0.05, 0.2])
def test_a_second_signal_ends_the_run_at_once(start_factory, tmp_path, serve, number, code, pause):
    write_manual(tmp_path / "manual")
    teacher = serve(delay=10)
    process = start_factory(*GENERATE, teacher=teacher)
    wait_until(lambda: teacher.requests)
    asked = time.monotonic()
    process.send_signal(number)
    time.sleep(pause)
    process.send_signal(number)
    said = ended(process, code)
    # Two of one kind that come before the first is looked at are one to the system; then the reply is waited for.
    assert time.monotonic() - asked < 5 or pause == 0
    assert "is kept" in said


@BOTH
def test_a_second_signal_after_the_last_reply_changes_no_code(start_factory, tmp_path, serve, number, code):
    """The moment in which the loop is closed and its handlers were gone."""
    write_manual(tmp_path / "manual")
    for pause in (0.0, 0.02, 0.05, 0.1):
        teacher = serve(delay=0.02)
        process = start_factory(*GENERATE, "--out", f"out{pause}", teacher=teacher)
        wait_until(lambda teacher=teacher: teacher.requests)
        process.send_signal(number)
        time.sleep(pause)
        process.send_signal(number)
        ended(process, code)
        assert Journal(tmp_path / f"out{pause}" / "journal").damage == []


@BOTH
def test_a_process_that_a_shell_put_behind_hears_too(start_factory, tmp_path, serve, number, code):
    write_manual(tmp_path / "manual")
    teacher = serve(delay=0.3)

    def ignore():
        signal.signal(number, signal.SIG_IGN)

    process = start_factory(*GENERATE, teacher=teacher, preexec_fn=ignore)
    wait_until(lambda: teacher.requests)
    process.send_signal(number)
    ended(process, code)


@pytest.mark.parametrize("redirected", [{}, {"stderr": subprocess.STDOUT}])
def test_a_reader_that_has_gone_is_no_fault(run_factory, start_factory, tmp_path, teacher, redirected):
    write_manual(tmp_path / "manual", pages=("alerts",))
    assert run_factory(*GENERATE, teacher=teacher).code == 0
    for arguments in (("status",), ("verify",), ("prompts", "show", "facts"), GENERATE, ("status", "--nonsense")):
        process = start_factory(*arguments, teacher=teacher, **redirected)
        process.stdout.close()
        said = process.stderr.read() if process.stderr else b""
        assert process.wait(20) == (2 if "--nonsense" in arguments else 0)
        assert said.count(b"\n") == ("--nonsense" in arguments and not redirected)
        process.stdout = None


def test_the_installed_command_is_the_same_program():
    assert 'factory = "factory.__main__:main"' in (ROOT / "pyproject.toml").read_text()
    assert command("--version")[1:3] == ["-m", "factory"]

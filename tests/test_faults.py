"""Every fault of ``docs/faults.md``, for both protocols over HTTP: what is done about it, and the exit code."""

import asyncio
import re
import time
from collections import Counter
from itertools import pairwise

import pytest
from conftest import ROOT

from generators.asking import AskConfig, Asker
from generators.errors import TeacherError
from generators.journal import Journal
from generators.prices import Prices
from generators.qa import QaConfig, build_requests
from generators.records import Chunk
from generators.teachers import TeacherSettings, open_teacher
from generators.teachers.scripted import Fault, ScriptedTeacher, default_script
from generators.templates import load_template

TEMPLATE = load_template("facts")
DOCUMENT = (ROOT / "docs" / "faults.md").read_text()
PROVIDERS = ("openai", "anthropic")
CONFIG = AskConfig(concurrency=4, attempts=3, backoff_seconds=0.05)


def rows():
    """(fault as written, reasons, provider, action, exit code) of each cell of the table."""
    for line in re.findall(r"^\| `.* exit \d.*$", DOCUMENT, re.MULTILINE):
        fault, reasons, *cells = (cell.strip() for cell in line.strip("|").split("|"))
        for provider, cell in zip(PROVIDERS, cells, strict=True):
            action, _, code = cell.partition(", exit ")
            yield pytest.param(
                fault.strip("`"), re.findall(r"\w+", reasons), provider, action, int(code), id=f"{fault}-{provider}"
            )


def fault_of(text):
    name, *more = text.split()
    settings = {"size": 1 << 30} if name == "huge" else {}
    for each in more:
        key, _, value = each.partition("=")
        if key.isdigit():
            settings["status"] = int(key)
        elif value:
            settings[key] = float(value) if key == "seconds" else value
    return Fault(name, **settings)


def chunks(count):
    text = "Key {n} may send {n}0 requests a minute. The header `X-Rate-{n}` tells how many are left. "
    more = "Whoever sends more than that gets status 429 and the seconds to wait in the header `Retry-{n}`.\n\n" * 5
    return [
        Chunk(f"c{n}", f"{n}.md", (f"Limits {n}",), (text + more).format(n=n), 1, 2, 200) for n in range(1, count + 1)
    ]


def run(folder, provider, script, count=12):
    """Ask about the chunks; (outcomes by index, asker, exit code, server)."""
    asked = list(build_requests(chunks(count), TEMPLATE, QaConfig()))

    async def main():
        teacher = open_teacher(f"{provider}/scripted-1", TeacherSettings(idle_seconds=1.0))
        journal = Journal(folder)
        asker = Asker(teacher, journal, TEMPLATE, Prices(), CONFIG)
        outcomes, code = [], 0
        try:
            async for outcome in asker.ask(asked):
                outcomes.append(outcome)
        except TeacherError as error:
            code = int(error.exit_code)
        finally:
            await teacher.aclose()
            journal.close()
        return {outcome.index: outcome for outcome in outcomes}, asker, code or (3 if asker.ending else 0)

    with ScriptedTeacher(script) as server, pytest.MonkeyPatch.context() as patch:
        for name, value in server.environment().items():
            patch.setenv(name, value)
        return *asyncio.run(main()), server


def once(fault):
    """The fault for the very first request about the third chunk, whatever becomes of it later."""
    seen = []

    def script(request):
        if "`X-Rate-3`" in str(request.messages) and not seen:
            seen.append(request)
            return fault
        return default_script(request)

    return script


@pytest.mark.parametrize(("written", "reasons", "provider", "action", "code"), list(rows()))
def test_the_table(written, reasons, provider, action, code, tmp_path):
    fault = fault_of(written)
    endless = "always" in written
    if action in ("stop", "give up"):
        outcomes, asker, ended, server = run(tmp_path, provider, lambda _: fault)
        assert ended == code
        assert (server.requests == 1) if action == "stop" else asker.failing
        assert not any(outcome.parsed.pairs for outcome in outcomes.values())
        return
    hard = lambda asked: fault if "-3`" in asked.user else default_script(asked)  # noqa: E731
    outcomes, asker, ended, server = run(tmp_path, provider, hard if endless else once(fault))
    assert (ended, len(outcomes)) == (code, 12)
    assert all(outcome.parsed.pairs and not outcome.parsed.rejects for n, outcome in outcomes.items() if n != 2)
    hit, found = outcomes[2].parsed, {reject.reason for reject in outcomes[2].parsed.rejects}
    assert found <= set(reasons)
    if action in ("retry", "wait"):
        assert (bool(hit.pairs), found, server.requests) == (True, set(), 13)
    elif action == "split":
        assert (bool(hit.pairs), found, server.requests) == (True, set(), 14)
        assert {pair.chunk for pair in hit.pairs} == {"c3"}
    elif action in ("more room", "repair"):
        assert (bool(hit.pairs), bool(found), server.requests) == (True, True, 13)
    else:
        assert found
    if action == "wait":
        assert longest_silence(server) >= 0.65
    assert_resumed(tmp_path, provider, action, hit, reasons)


def assert_resumed(folder, provider, action, before, reasons):
    """A later run asks again only where the table says so, and comes to the same."""
    outcomes, _, _, server = run(folder, provider, default_script)
    if action == "next run":
        assert (server.requests, outcomes[2].parsed.rejects) == (1, [])
        return
    free = {"context_overflow", "bad_request"} & set(reasons) and action in ("reject", "split")
    assert server.requests == 0 or free, "an answer that was paid for was bought again"
    if not free:
        assert outcomes[2].parsed == before
    assert Counter(charge.charged for charge in server.ledger)[True] <= (1 if free else 0)


def longest_silence(server):
    times = sorted(charge.at for charge in server.ledger)
    return max(later - earlier for earlier, later in pairwise(times))


def test_every_reason_code_is_documented():
    sources = [*(ROOT / "generators").glob("*.py"), *(ROOT / "generators" / "teachers").glob("*.py")]
    told = "\n".join(path.read_text() for path in sources if not path.name.startswith("scripted"))
    failures = (ROOT / "generators" / "teachers" / "failures.py").read_text()
    codes = set(re.findall(r"``(\w+)``", failures.split("Reason codes", 1)[1].split('"""')[0]))
    codes -= {"TransientFailure", "PermanentFailure"}
    codes |= set(re.findall(r'_(?:reject|whole)\(\s*origin,\s*"(\w+)"', told))
    codes |= set(re.findall(r'_failure\(asking, "(\w+)"', told)) | {"refused", "loop", "no_facts", "truncated"}
    assert len(codes) > 25
    assert {code for code in codes if f"`{code}`" not in DOCUMENT} == set()


def test_time_waited_is_not_charged_twice(tmp_path):
    """A server that is slow beyond the deadline may charge: that is counted, and told."""
    started = time.monotonic()
    _, asker, code, server = run(tmp_path, "openai", once(Fault("slow", seconds=3.0)), count=3)
    assert (code, server.requests, asker.spent.maybe_paid) == (0, 4, 1)
    assert [doubt.reason for doubt in Journal(tmp_path).doubts] == ["idle_timeout"]
    assert time.monotonic() - started < 10

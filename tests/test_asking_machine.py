"""Journal and asker against a simple model, over any sequence of asking, faults, kills, torn files and resuming."""

import asyncio
import shutil
import tempfile
from collections import Counter
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from generators.asking import AskConfig, Asker
from generators.journal import Journal
from generators.prices import Prices
from generators.qa import QaConfig, build_requests
from generators.records import Chunk
from generators.teachers import RawReply, Reply
from generators.teachers.failures import PermanentFailure, TransientFailure
from generators.teachers.scripted_replies import facts_of
from generators.templates import load_template

TEMPLATE = load_template("facts")
COUNT = 6
TEXT = "Key {n} may send {n}0 requests a minute. The header `X-Rate-{n}` tells how many are left."
CHUNKS = [Chunk(f"c{n}", f"{n}.md", (f"Limits {n}",), TEXT.format(n=n), 1, 2, 20) for n in range(COUNT)]
ASKINGS = list(build_requests(CHUNKS, TEMPLATE, QaConfig()))
CONFIG = AskConfig(concurrency=3, attempts=2, backoff_seconds=0.0)
FAULTS = st.sampled_from(["none", "none", "rate", "lost", "filter", "garbage"])


class Fake:
    """A teacher in this process that charges as a provider does, and dies with its asker where it is told to."""

    spec, is_local, slots = "openai/fake", False, 0

    def __init__(self, charges, faults, die_at):
        self.charges, self._faults, self._left = charges, list(faults), die_at
        self.run = None

    async def send(self, request):
        identity = request.identity(self.spec)
        fault = self._faults.pop() if self._faults else "none"
        if fault == "rate":
            raise TransientFailure("rate_limited")
        if fault == "filter":
            raise PermanentFailure("content_filter", "400: no", body=b'{"error": {}}')
        self.charges[identity] += 1
        self._left -= 1
        if not self._left:
            self.run.cancel()
        await asyncio.sleep(0)
        if fault == "lost":
            raise TransientFailure("disconnected", maybe_charged=True)
        text = "\xff" if fault == "garbage" else facts_of(request.messages[1].content, request.schema)
        return RawReply(text.encode("latin-1"), 200, 0.1)

    def read(self, body):
        if body == b"\xff":
            raise PermanentFailure("bad_reply", "not JSON")
        return Reply(body.decode("latin-1"), "stop", "fake-1", 10, 20)


class JournalAndAsker(RuleBasedStateMachine):
    """The model: what was charged, and which replies were seen in the journal."""

    @initialize()
    def begin(self):
        self.folder = Path(tempfile.mkdtemp())
        self.charges, self.seen = Counter(), Counter()

    def teardown(self):
        if hasattr(self, "folder"):
            shutil.rmtree(self.folder)

    def ask(self, askings, faults=(), die_at=0):
        """One run; its outcomes, or None if it was killed."""
        teacher = Fake(self.charges, faults, die_at)

        async def run():
            teacher.run = asyncio.current_task()
            journal = Journal(self.folder)
            asker = Asker(teacher, journal, TEMPLATE, Prices(), CONFIG)
            outcomes = [outcome async for outcome in asker.ask(askings)]
            journal.close()
            return outcomes, asker

        try:
            return asyncio.run(run())
        except asyncio.CancelledError:
            return None

    @rule(which=st.sets(st.integers(0, COUNT - 1), min_size=1), faults=st.lists(FAULTS, max_size=8))
    def send(self, which, faults):
        self.ask([ASKINGS[n] for n in sorted(which)], faults)

    @rule(faults=st.lists(FAULTS, max_size=8), die_at=st.integers(1, 5))
    def die(self, faults, die_at):
        self.ask(ASKINGS, faults, die_at)

    @rule(length=st.integers(1, 30))
    def tear(self, length):
        """A power cut leaves half a line at the end of the last segment."""
        segments = sorted(self.folder.iterdir())
        if segments and segments[-1].read_bytes().endswith(b"\n"):
            with segments[-1].open("ab") as file:
                file.write(b'0123abcd {"request":"0123456789abcdef'[:length])

    @rule()
    def resume_and_publish(self):
        """Without faults everything is had, and exactly what was not kept is asked for."""
        journal = Journal(self.folder)
        identities = [asking.request.identity(Fake.spec) for asking in ASKINGS]
        kept = {each for each in identities if (entry := journal.get(each)) and entry.body != b"\xff"}
        final = {each for each in kept if journal.get(each).failure}
        outcomes, asker = self.ask(ASKINGS)
        assert asker.spent.requests == COUNT - len(kept)
        assert asker.spent.cached == len(kept)
        for outcome in outcomes:
            filtered = identities[outcome.index] in final
            assert bool(outcome.parsed.pairs) is not filtered
            assert [reject.reason for reject in outcome.parsed.rejects] == ["content_filter"] * filtered
            assert not outcome.failed

    @invariant()
    def nothing_kept_is_lost_or_bought_again(self):
        if not hasattr(self, "folder"):
            return
        journal = Journal(self.folder)
        now = [(entry.request, entry.body) for entry in journal.entries() if not entry.failure]
        usable = Counter(request for request, body in now if body != b"\xff")
        assert not usable or max(usable.values()) == 1
        assert not self.seen - Counter(now), "a kept reply was lost"
        self.seen = Counter(now)
        doubts = Counter(doubt.request for doubt in journal.doubts)
        received = Counter(request for request, _ in now)
        for request, charged in self.charges.items():
            assert charged - received[request] <= doubts[request], "paid, not kept, and not listed"
        assert all(damage.reason == "cut short" for damage in journal.damage)


JournalAndAsker.TestCase.settings = settings(max_examples=60, stateful_step_count=12, deadline=None)
TestJournalAndAsker = JournalAndAsker.TestCase

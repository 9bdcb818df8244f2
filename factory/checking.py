"""A second look at what the filters let through: a model is asked, pair by pair, before anything is accepted.

    accepted pairs ─▶ Checker.refuted ─▶ {pair id: Reject}

``judge``: it reads the section and the pair, and says whether the one supports the other; of several votes the majority
counts. ``round_trip``: it answers the question from the section, and the two answers must agree by the rules that also
grade students. What was ever asked is in the journal and is not bought again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from factory.config import Settings
from factory.inputs import Inputs, Watch
from generators.asking import Asker
from generators.errors import ShortError
from generators.models import local_path
from generators.privacy import PrivacyConfig
from generators.records import Chunk, Pair, Reject
from generators.support import VALUES, read_support, support_request
from generators.teachers import Request, open_teacher
from generators.templates import Template, load_template
from trainers.grading import Key, grade
from trainers.prompting import Desk, answer_request, open_desk
from trainers.remote import Heard, Remote

STAGE = "check"
UNCHECKED = "unchecked"


def open_checker(inputs: Inputs, asker: Asker, watch: Watch) -> "Checker | None":
    """The checker of a run, if one is set; it shares the run's journal, caps and stop."""
    settings = inputs.settings
    if not settings.check:
        return None
    spec = checker_spec(settings)
    if spec != asker.teacher.spec and spec.startswith("local/"):
        local_path(spec.removeprefix("local/"))
    teacher = asker.teacher if spec == asker.teacher.spec else open_teacher(spec)
    watch.note(f"each pair is checked by {spec} ({settings.check_how})")
    config = replace(asker.config, concurrency=settings.concurrency or teacher.slots or asker.config.concurrency)
    remote = Remote(teacher, asker.journal, inputs.prices, config, watch.note, asker.spent, asker.stop)
    checks = ("judge", "round_trip") if settings.check_how == "both" else (settings.check_how,)
    return Checker(remote, checks, settings.check_votes, settings.product, settings.privacy)


def checker_spec(settings: Settings) -> str:
    """SPEC of the model that checks; empty for none."""
    return settings.teacher if settings.check == "teacher" else settings.check


@dataclass(slots=True)
class Checker:
    """Asks one model about pairs; what it said holds for the run.

    Attributes:
        remote: The model, through the journal.
        checks: ``judge``, ``round_trip`` or both.
        votes: Of the judge.
        product: What the documentation is about.
        privacy: What is replaced or withheld before the model sees a section.
        short: Why not all could be checked; empty if they were.
        checked: How many pairs it said something about.
    """

    remote: Remote
    checks: Sequence[str]
    votes: int
    product: str
    privacy: PrivacyConfig
    short: str = ""
    checked: int = 0
    _prompt: Template = field(init=False)
    _desk: Desk = field(init=False)
    _passed: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._prompt = load_template("check", VALUES)
        self._desk = open_desk(self.product, privacy=self.privacy)

    async def refuted(self, pairs: Sequence[Pair], chunks: Mapping[str, Chunk]) -> dict[str, Reject]:
        """Look at the pairs that were not looked at yet.

        Returns:
            Pair id → why it may not stay. Where no reply was had, the reason is ``unchecked``, and the next run asks.
        """
        found: dict[str, Reject] = {}
        for check in self.checks:
            fresh = [pair for pair in pairs if pair.id not in self._passed and pair.id not in found]
            made = [(pair, self._requests(check, pair, chunks[pair.chunk])) for pair in fresh]
            heard = iter(await self._replies([request for _, requests in made for request in requests]))
            for pair, requests in made:
                verdict = self._verdict(check, pair, chunks[pair.chunk], [next(heard) for _ in requests])
                if verdict is not None:
                    found[pair.id] = verdict
        self.checked += sum(pair.id not in self._passed for pair in pairs)
        self._passed.update(pair.id for pair in pairs if pair.id not in found)
        return found

    def _requests(self, check: str, pair: Pair, chunk: Chunk) -> list[Request]:
        local = self.remote.is_local
        if check == "round_trip":
            return [answer_request(self._desk, pair.question, [chunk], is_local=local)]
        made = (
            support_request(pair, chunk, self._prompt, self.privacy, product=self.product, vote=vote, is_local=local)
            for vote in range(self.votes)
        )
        return [request for request in made if request is not None]

    async def _replies(self, requests: Sequence[Request]) -> list[Heard]:
        if not requests:
            return []
        if not self.short:
            try:
                return await self.remote.replies(requests)
            except ShortError as error:
                self.short = str(error)
        return [Heard(lost=self.short)] * len(requests)

    def _verdict(self, check: str, pair: Pair, chunk: Chunk, heard: Sequence[Heard]) -> Reject | None:
        lost = next((each.lost for each in heard if each.lost), "")
        if lost:
            return Reject(STAGE, UNCHECKED, f"{self.remote.spec} did not say ({lost})", pair.chunk, pair)
        return self._again(pair, chunk, heard[0]) if check == "round_trip" else self._voted(pair, heard)

    def _voted(self, pair: Pair, heard: Sequence[Heard]) -> Reject | None:
        """The majority of the votes; a tie, and no vote at all, are against."""
        told = [read_support(each.text) for each in heard if not each.failed]
        votes = [supported for supported, _ in told if supported is not None]
        if sum(votes) * 2 > len(votes):
            return None
        why = next((why for supported, why in told if not supported and why), "")
        why = why or next((each.failed for each in heard if each.failed), "it gave no usable vote")
        detail = f"{self.remote.spec}, {len(votes) - sum(votes)} of {len(votes)} votes: {why}"
        return Reject(STAGE, "unsupported", detail, pair.chunk, pair)

    def _again(self, pair: Pair, chunk: Chunk, heard: Heard) -> Reject | None:
        """Whether the answer given anew from the section agrees."""
        if heard.failed:
            return Reject(STAGE, "other_answer", f"{self.remote.spec}: {heard.failed}", pair.chunk, pair)
        grade_of = grade(Key(pair.question, pair.answer, pair.quotes, chunk.text), heard.text)
        if grade_of.correct:
            return None
        detail = f"{self.remote.spec} answers from the section: {heard.text[:300]}"
        return Reject(STAGE, "other_answer", detail, pair.chunk, pair)

"""What a run works on: settings checked, documents read, template loaded, before anything is spent or written.

Settings ─▶ Inputs; everything that can be wrong is said here
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from factory.config import Settings
from factory.corpus import Corpus, read_corpus
from factory.gold import FILE, Gold, read_gold
from factory.store import Workspace
from filters.alike_meanings import by_meaning
from filters.apply import FilterConfig, make_filters
from generators.asking import Outcome, Spent
from generators.errors import UsageError
from generators.prices import Prices
from generators.qa import QaConfig, build_request, recipe
from generators.records import Document, Pair, Skipped, content_id
from generators.templates import Template, load_template

# Questions that a bound teacher writes must have this share of their content words in their answer.
_BOUND_OVERLAP = 0.8
CHECKS = ("judge", "round_trip", "both")


class Watch(Protocol):
    """Who is told what happens while it happens."""

    def note(self, line: str) -> None:
        """Say one line to the person."""

    def read(self, item: Document | Skipped) -> None:
        """Hear of a document read or skipped."""

    def asking(self, total: int, spent: Spent) -> None:
        """Hear that requests start: how many, and where the counts will stand."""

    def outcome(self, outcome: Outcome, best: Callable[[], Pair | None]) -> None:
        """Hear of a reply; ``best`` finds a pair of it worth showing, which costs something."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a run works on, once everything that can be wrong with it has been looked at."""

    settings: Settings
    corpus: Corpus
    template: Template
    qa: QaConfig
    filters: FilterConfig
    prices: Prices
    name: str
    gold: Sequence[Gold] = ()
    retire_all: bool = False

    @property
    def recipe(self) -> str:
        """What, besides the documents, decides what is asked."""
        return recipe(self.template, self.qa, self.settings.teacher)

    @property
    def own(self) -> str:
        """What, besides the documents and the teacher, rows are made of: a person's pairs, questions without answer."""
        settings = self.settings
        gold = [(each.pair.id, each.pinned, each.chunk.id) for each in self.gold]
        made = (
            settings.unanswerable_share,
            settings.multi_section_share,
            settings.rewordings,
            settings.product,
            settings.seed,
        )
        return content_id("own", gold, *made)

    @property
    def system_prompt(self) -> str:
        """The first message of every row."""
        return self.settings.system_prompt.replace("{name}", self.name)


def prepare(settings: Settings, watch: Watch, *, is_local: bool, retire_all: bool = False) -> Inputs:
    """Look at everything that can be wrong before anything is spent or written.

    ``retire_all``: a person has said that all documents may be gone.
    """
    if not settings.docs:
        raise UsageError("say where the documents are: factory generate --docs ./api_docs")
    template = load_template(settings.template or ("facts-light" if is_local else "facts"))
    filters = funnel_config(settings.filters, settings.product, bound=template.constants.bound_quotes)
    make_filters(filters)
    by_meaning(filters)  # questions are compared after the split, though the filter be skipped
    prices = Prices(settings.prices)
    _check_the_checker(settings, prices)
    if settings.max_cost is not None and prices.cost(settings.teacher, 1, 1) is None:
        raise UsageError(
            f"--max-cost cannot be kept: the price of {settings.teacher} is unknown; "
            f'put it in factory.toml: [prices] "{settings.teacher}" = [USD a million input tokens, output tokens]'
        )
    temperature = 0.0 if is_local and settings.temperature is None else settings.temperature
    published = (Path(settings.out).expanduser() / "latest").is_symlink()
    globs = (settings.include, settings.exclude)
    corpus = read_corpus(
        settings.docs, *globs, settings.privacy, watch.read, workspace=settings.out, may_be_empty=published
    )
    name = settings.product or _name_before(settings) or _folder_name(settings)
    qa = QaConfig(
        product=settings.product,
        temperature=temperature,
        seed=settings.seed,
        facts=settings.facts,
        privacy=settings.privacy,
    )
    if corpus.chunks:
        build_request(list(corpus.chunks.values())[:1], template, qa)  # a template that cannot be filled in fails here
    gold = _gold(settings, corpus)
    return Inputs(settings, corpus, template, qa, filters, prices, name, gold, retire_all)


def _name_before(settings: Settings) -> str:
    """What the last version calls the documents; empty if there is none, or a person had named a product.

    Their folder may be moved or renamed: rows hold the name, and would all be others.
    """
    workspace = Workspace(Path(settings.out).expanduser())
    if not workspace.latest_link.is_symlink():
        return ""
    before = workspace.manifest(workspace.latest_link)
    return "" if before.get("recipe_parts", {}).get("product") else str(before.get("name", ""))


def _folder_name(settings: Settings) -> str:
    root = Path(settings.docs[0]).expanduser().resolve()
    return root.name if root.is_dir() else root.stem


def _check_the_checker(settings: Settings, prices: Prices) -> None:
    """What checks the pairs must be known, and keep the cap."""
    if settings.check_how not in CHECKS:
        raise UsageError(f"check_how = {settings.check_how!r} is none of: {', '.join(CHECKS)}")
    spec = settings.check if settings.check != "teacher" else ""
    if spec and settings.max_cost is not None and prices.cost(spec, 1, 1) is None:
        raise UsageError(
            f"--max-cost cannot be kept: the price of {spec}, which checks the pairs, is unknown; "
            f'put it in factory.toml: [prices] "{spec}" = [USD a million input tokens, output tokens]'
        )


def _gold(settings: Settings, corpus: Corpus) -> list[Gold]:
    """The person's own pairs: of the file that is named, or of the workspace's, if there is one."""
    own = Path(settings.out).expanduser() / FILE
    if settings.gold:
        return read_gold(Path(settings.gold).expanduser(), corpus.chunks)
    return read_gold(own, corpus.chunks) if own.is_file() else []


def funnel_config(filters: FilterConfig, product: str, *, bound: bool) -> FilterConfig:
    """The thresholds as the documents and the prompt have them: a product to name, a teacher bound to quotes."""
    filters = replace(filters, known_names=(*filters.known_names, product))
    return replace(filters, answer_overlap=_BOUND_OVERLAP) if bound and not filters.answer_overlap else filters

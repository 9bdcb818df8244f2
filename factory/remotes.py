"""The models of an exam that are asked through the journal: teacher and judge, each opened once.

    async with Remotes(workspace, settings, listener) as remotes:  remotes.open(SPEC) ─▶ Remote

One cap on the cost holds for both together.
"""

from types import TracebackType
from typing import Protocol, Self

from factory.config import Settings
from factory.store import Workspace
from generators.errors import UsageError
from generators.journal import Journal
from generators.models import Progress, local_path
from generators.prices import Prices
from generators.sending import AskConfig
from generators.spending import Spent
from generators.teachers import open_teacher
from trainers.remote import Remote

_CONCURRENCY = 16


class Listener(Protocol):
    """Who is told what happens; ``progress.Screen`` is one."""

    def note(self, line: str) -> None:
        """Hear one line for the person."""

    def pulling(self, progress: Progress) -> None:
        """Hear how far a download is."""


class Remotes:
    """Opens models by SPEC and closes them all at the end."""

    def __init__(self, workspace: Workspace, settings: Settings, listener: Listener) -> None:
        self._settings = settings
        self._listener = listener
        self._prices = Prices(settings.prices)
        self._spent = Spent()
        self._opened: dict[str, Remote] = {}
        self._journal = Journal(workspace.journal)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for remote in self._opened.values():
            await remote.teacher.aclose()
        self._journal.close()

    @property
    def cost_usd(self) -> float | None:
        """What all of them have cost in this run; None where a price is unknown."""
        return self._spent.cost_usd

    def open(self, spec: str) -> Remote:
        """Open a model; a local one by name is fetched first.

        Raises:
            UsageError: No such model; or a cap that cannot be kept, since the price is unknown.
            TeacherError: The key is missing.
        """
        if spec not in self._opened:
            self._opened[spec] = self._remote(spec)
        return self._opened[spec]

    def _remote(self, spec: str) -> Remote:
        settings = self._settings
        if settings.max_cost is not None and self._prices.cost(spec, 1, 1) is None:
            raise UsageError(
                f"the cap of {settings.max_cost} USD cannot be kept: the price of {spec} is unknown; "
                f'put it in factory.toml: [prices] "{spec}" = [USD a million input tokens, output tokens]'
            )
        if spec.startswith("local/"):
            local_path(spec.removeprefix("local/"), self._listener.pulling)
        teacher = open_teacher(spec)
        concurrency = settings.concurrency or teacher.slots or _CONCURRENCY
        config = AskConfig(concurrency, max_cost=settings.max_cost, max_run_tokens=settings.max_tokens)
        return Remote(teacher, self._journal, self._prices, config, self._listener.note, self._spent)

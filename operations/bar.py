"""A bar on the error stream for work that takes longer than a moment."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from contract.screen import ERRORS

AFTER_SECONDS = 2.0


class LateBar:
    """Shows how far each step is, once the work has taken AFTER_SECONDS; nothing where nobody looks."""

    def __init__(self) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        self._progress = Progress(*columns, console=ERRORS, transient=True, disable=not ERRORS.is_terminal)
        self._began = time.monotonic()
        self._tasks: dict[str, TaskID] = {}
        self._shown = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._shown:
            self._progress.stop()

    def say(self, step: str, done: int, total: int | None) -> None:
        """Tell how much of a step is done."""
        if not self._shown and time.monotonic() - self._began > AFTER_SECONDS:
            self._progress.start()
            self._shown = True
        if step not in self._tasks:
            self._tasks[step] = self._progress.add_task(step, total=total)
        self._progress.update(self._tasks[step], completed=done, total=total)

"""What can go wrong, said so that it can be mended: the object, the amount, the limit and the remedy."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


class EvsimError(Exception):
    """Base of every error that evsim raises on purpose; the command line prints it without a traceback."""


@dataclass(frozen=True)
class Problem:
    """One thing about a network that cannot be.

    Attributes:
        where: the population or projection, by kind and label, e.g. ``projection 'exc to inh'``.
        what: the amount that was asked for and what is wrong with it, e.g. ``a delay of 80 steps``.
        limit: what would be possible, e.g. ``at most 63 steps on loihi2``.
        remedy: what to change.
    """

    where: str
    what: str
    limit: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}; {self.limit}. {self.remedy}"


class CheckError(EvsimError):
    """A network that cannot be run as asked, with every problem of it at once."""

    def __init__(self, title: str, problems: Sequence[Problem]) -> None:
        self.title = title
        self.problems = tuple(problems)
        count = f"{len(self.problems)} problem" + ("s" if len(self.problems) != 1 else "")
        super().__init__("\n".join([f"{title}: {count}", *(f"  - {problem}" for problem in self.problems)]))


def joined(errors: Sequence[CheckError]) -> CheckError:
    """One error with the titles and the problems of all of them, each said once."""
    titles = dict.fromkeys(title for error in errors for title in error.title.split("; "))
    problems = dict.fromkeys(problem for error in errors for problem in error.problems)
    return CheckError("; ".join(titles), list(problems))


class UnknownNameError(EvsimError):
    """A name that is not in a list of known ones; suggests the near miss."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        self.known = sorted(known)
        near = difflib.get_close_matches(name, self.known, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        super().__init__(f"there is no {kind} named {name!r}{hint} (known: {', '.join(self.known)})")


class MissingPartError(EvsimError):
    """A part that is not installed; names the extra that brings it, and an option that pip needs for it."""

    def __init__(self, what: str, extra: str, detail: str = "", option: str = "") -> None:
        because = f" ({detail})" if detail else ""
        command = f"pip install 'evsim[{extra}]' {option}".rstrip()
        super().__init__(f"{what} is not installed{because}. Install it with: {command}")


class BackendError(EvsimError):
    """A backend that failed while running; carries the traceback of the process that failed, if there was one."""

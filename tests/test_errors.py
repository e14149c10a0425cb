from __future__ import annotations

from evsim.errors import CheckError, Problem, joined


def test_joined_errors_say_each_title_and_problem_once():
    late, loud = (Problem(f"projection {name!r}", "too much", "at most 1", "Give less.") for name in ("late", "loud"))
    both = joined([CheckError("not on x", [late]), CheckError("not on y", [loud])])
    again = joined([both, CheckError("not on y", [loud, late])])
    assert again.title == "not on x; not on y" and again.problems == (late, loud)
    assert str(again).startswith(
        "not on x; not on y: 2 problems\n  - projection 'late': too much; at most 1. Give less."
    )

"""A score for people: the page of a report, the summary on the terminal, answers side by side.

    score's JSON (+ answers) ─▶ Markdown

The judge's name stands beside every figure that it made.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from factory.comparison import comparison_line
from factory.visible import visible
from generators.unanswerable import draw

_SIDE_BY_SIDE = ("base", "student", "teacher")
_EXAMPLES = 10
_LONGEST = 600

_WHAT = {
    "teacher": "reads the section: the ceiling",
    "teacher_alone": "the teacher from memory",
    "student": "closed-book",
    "base": "the student before training",
    "base_with_docs": "the base with sections found by BM25",
}


def page(score: Mapping[str, Any], answers: Sequence[Mapping[str, Any]]) -> str:
    """The report as Markdown; ``answers`` are the records of ``answers.jsonl``."""
    parts = [
        f"# {score['verdict'].capitalize()}: {_plain(score['student'])} on {score['version']}",
        "\n".join(f"- {'met' if each['passed'] else '**not met**'}: {each['text']}" for each in score["reasons"]),
        *(["\n".join(f"> {_plain(line)}  " for line in score["warnings"])] if score["warnings"] else []),
        f"## Accuracy, graded by rules\n\n{_table(score)}",
        _gap(score),
        comparison_line(score["last_score"]),
        _beside(score),
        *_labels(score),
        *_judge(score),
        *_agreement(score),
        *_mistakes(answers),
        _reading(),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def summary(score: Mapping[str, Any], path: str) -> str:
    """The last words of ``factory score``."""
    lines = ["", _table(score), "", _gap(score), ""]
    judge = score["judge"]
    if judge:
        lines += [_judged_gap(judge), ""]
    if told := comparison_line(score["last_score"]):
        lines += [f"  {visible(told)}", ""]
    lines += [f"  {'ok  ' if each['passed'] else 'HOLD'}  {each['text']}" for each in score["reasons"]]
    lines += [f"  note  {visible(line)}" for line in score["warnings"]]
    lines += ["", f"verdict: {score['verdict']}", f"report: {visible(path)}"]
    return "\n".join(lines)


def side_by_side(answers: Sequence[Mapping[str, Any]], count: int, seed: int) -> str:
    """So many questions with what base, student and teacher said, drawn by seed; for a person to read."""
    by_question: dict[str, dict[str, Mapping[str, Any]]] = {}
    for answer in answers:
        if answer["set"] in ("seen", "unseen"):
            by_question.setdefault(answer["id"], {})[answer["system"]] = answer
    chosen = sorted(by_question, key=lambda each: draw("sample", seed, each))[:count]
    return "\n\n".join(_shown(by_question[each]) for each in chosen)


def _shown(systems: Mapping[str, Mapping[str, Any]]) -> str:
    one = next(iter(systems.values()))
    lines = [
        f"  {visible(one['document'])}, lines {one['lines']} ({one['set']})",
        f"    Q          {_line(one['question'])}",
        f"    reference  {_line(one['reference'])}",
    ]
    for system in _SIDE_BY_SIDE:
        if system in systems:
            answer = systems[system]
            lines.append(f"    {system:<9}  [{_outcome(answer)}] {_line(answer['answer']) or '(nothing)'}")
    return "\n".join(lines)


def _outcome(answer: Mapping[str, Any]) -> str:
    return str(answer["grade"]["outcome"]).replace("_", " ")


def _line(text: str) -> str:
    return visible(" ".join(text.split()), _LONGEST)


def _table(figures: Mapping[str, Any]) -> str:
    rows = ["| system | seen | unseen | |", "|---|---|---|---|"]
    rows += [
        f"| {system} | {_share(sets['seen'])} | {_share(sets['unseen'])} | {_WHAT.get(system, '')} |"
        for system, sets in figures["systems"].items()
    ]
    return "\n".join(rows)


def _share(found: Mapping[str, Any]) -> str:
    if found["accuracy"] is None:
        return "–"
    return f"{_percent(found['accuracy'], found['ci95'])} of {found['n']}"


def _percent(value: float | None, ends: Sequence[float] | None) -> str:
    if value is None:
        return "cannot be told"
    span = f" ({100 * ends[0]:.0f} to {100 * ends[1]:.0f})" if ends else ""
    return f"{100 * value:.0f} %{span}"


def _points(value: float | None, ends: Sequence[float] | None) -> str:
    """A difference of shares."""
    if value is None:
        return "cannot be told"
    span = f" ({100 * ends[0]:+.0f} to {100 * ends[1]:+.0f})" if ends else ""
    return f"{100 * value:+.0f} points{span}"


def _gap(score: Mapping[str, Any]) -> str:
    closed = _percent(score["gap_closed"], score["gap_closed_ci95"])
    return f"Gap closed on seen questions, (student − base) / (teacher − base): {closed}."


def _beside(score: Mapping[str, Any]) -> str:
    """The student against the others, on the general set and on what has no answer."""
    rows = ["## The student against", "| | difference on seen | McNemar's p |\n|---|---|---|"]
    rows[1] += "".join(
        f"\n| {system} | {_points(each['difference'], each['ci95'])} | {each['p_value']:g} |"
        for system, each in score["student_against"].items()
    )
    for name, what in (("general", "General set (arithmetic, knowledge, instructions)"), ("unanswerable", "Declined")):
        found = score[name]
        shares = ", ".join(
            f"{system} {_percent(found[system]['accuracy'], found[system]['ci95'])} of {found[system]['n']}"
            for system in ("student", "base")
            if found.get(system, {}).get("accuracy") is not None
        )
        if shares:
            what = "Questions that the documents do not answer, declined" if name == "unanswerable" else what
            rows.append(f"{what}: {shares}; change {_points(found['change'], found['change_ci95'])}.")
    return "\n\n".join(rows)


def _labels(score: Mapping[str, Any]) -> list[str]:
    found = score["labels"]
    if not found:
        return []
    rows = "".join(
        f"\n| {_plain(label)} | {each['support']} | {_number(each['precision'])} | {_number(each['recall'])} |"
        f" {each['f1']:.2f} |"
        for label, each in found["student"].items()
    )
    head = f"## Labels\n\nThe student where the answer is a label; macro F1 {found['macro_f1']:.2f}."
    return [f"{head}\n\n| label | questions | precision | recall | F1 |\n|---|---|---|---|---|{rows}"]


def _judge(score: Mapping[str, Any]) -> list[str]:
    judge = score["judge"]
    if not judge:
        return []
    name, pairs = _plain(judge["spec"]), judge["student_vs_teacher"]
    own = " **It also taught this student, and flatters it.**" if judge["own_teacher"] else ""
    return [
        f"## Accuracy, graded by `{name}`\n\n{judge['votes']} vote(s) an answer.{own}\n\n{_table(judge)}",
        _judged_gap(judge),
        f"`{name}` agrees with the rules at κ {_number(judge['kappa_with_rules'])}.",
        f"Student against teacher by `{name}`, in both orders, {pairs['n']} questions: {pairs['wins']} wins, "
        f"{pairs['ties']} ties ({pairs['inconsistent']} for want of consistency), {pairs['losses']} losses; win rate "
        f"{_percent(pairs['win_rate'], None)}, at equal length {_percent(pairs['length_controlled_win_rate'], None)}.",
    ]


def _judged_gap(judge: Mapping[str, Any]) -> str:
    return f"By the judge `{_plain(judge['spec'])}`: {_gap(judge)[0].lower()}{_gap(judge)[1:]}"


def _agreement(score: Mapping[str, Any]) -> list[str]:
    found = score["agreement"]
    if not found:
        return []
    line = f"On {found['rows']} answers that a person labelled: rules κ {_number(found['rules'])}"
    if score["judge"]:
        line += f", `{_plain(score['judge']['spec'])}` κ {_number(found['judge'])}"
    return [f"{line}."]


def _mistakes(answers: Sequence[Mapping[str, Any]]) -> list[str]:
    """What the student got wrong on seen questions: the quickest way to see what it has not learned."""
    wrong = [
        each
        for each in answers
        if each["system"] == "student" and each["set"] == "seen" and each["grade"]["outcome"] != "correct"
    ]
    if not wrong:
        return []
    items = "\n".join(
        f"- {_plain(_line(each['question']))}\n  - reference: {_plain(_line(each['reference']))}\n"
        f"  - student ({_outcome(each)}): {_plain(_line(each['answer'])) or '(nothing)'}"
        for each in wrong[:_EXAMPLES]
    )
    return [
        f"## What the student got wrong\n\n{min(len(wrong), _EXAMPLES)} of {len(wrong)} on seen questions.\n\n{items}"
    ]


def _reading() -> str:
    return (
        "Intervals are at 95 % and allow for questions about one section being right or wrong together. "
        "`answers.jsonl` beside this page holds every answer with its conversation and its grade."
    )


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _plain(text: str) -> str:
    """Text from outside, without what would act in Markdown or HTML."""
    return visible(text).replace("<", "&lt;").replace("|", "/").replace("\n", " ")

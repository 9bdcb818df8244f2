"""A score beside the last one: on common questions only, with an interval, and nothing where there is nothing."""

from factory.comparison import compared, comparison_line
from factory.reports import write_report


def answers(right, asked, system="student"):
    return [
        {
            "id": f"q{number}",
            "system": system,
            "set": "seen",
            "chunk": f"c{number // 2}",
            "grade": {"outcome": "correct" if number in right else "incorrect"},
        }
        for number in asked
    ]


def test_only_common_questions_are_compared(tmp_path):
    earlier = [*answers({1, 2, 3}, range(1, 11)), *answers(range(11), range(1, 11), "base")]
    write_report(tmp_path, "page", {"student": "s0001", "version": "v0001"}, earlier)
    found = compared(tmp_path, answers(range(20), range(6, 16)), 0)
    assert (found["report"], found["student"], found["version"]) == ("r0001", "s0001", "v0001")
    assert (found["common"], found["before"], found["now"], found["change"]) == (5, 0.0, 1.0, 1.0)
    line = comparison_line(found)
    assert "0% of the 5 questions that both were asked, now it is 100%" in line


def test_nothing_to_compare_with(tmp_path):
    assert compared(tmp_path, answers({1}, range(3)), 0) is None
    assert comparison_line(None) == ""
    write_report(tmp_path, "page", {"student": "s0001", "version": "v0001"}, answers({1}, range(3)))
    found = compared(tmp_path, answers({1}, range(30, 33)), 0)
    assert (found["common"], found["before"], comparison_line(found)) == (0, None, "")
    (tmp_path / "reports" / "r0001" / "answers.jsonl").write_text("{broken\n")
    assert compared(tmp_path, answers({1}, range(3)), 0) is None

"""The journal under what happens to files: torn lines, flipped bits, full disks, odd bodies, many entries."""

import json
import os
import subprocess
import sys
import time
import zlib
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generators.errors import StoppedError, UsageError
from generators.journal import Damage, Entry, Journal
from generators.journal_purge import rewrite

ENTRY = Entry("a" * 64, "openai/x", b'{"choices": []}', 1.25, 1_700_000_000.5, 10, 20, 0.5)


def entries(count):
    return [replace(ENTRY, request=f"{n:064x}", body=f'{{"n": {n}}}'.encode()) for n in range(count)]


def written(folder, *kept):
    """Keep the entries in one segment; its path."""
    journal = Journal(folder)
    for entry in kept:
        journal.append(entry)
    journal.close()
    return max(folder.iterdir())


def test_a_reply_is_there_at_once_and_when_opened_again(tmp_path):
    journal = Journal(tmp_path / "journal")
    assert (len(journal), journal.get(ENTRY.request), ENTRY.request in journal) == (0, None, False)
    assert not journal.folder.exists()
    journal.append(ENTRY)
    for opened in (journal, Journal(journal.folder)):
        assert (len(opened), opened.get(ENTRY.request), ENTRY.request in opened) == (1, ENTRY, True)
        assert (list(opened.entries()), opened.damage) == ([ENTRY], [])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(st.binary(), st.text().map(lambda text: text.encode("utf-8", "replace"))), max_size=4))
def test_bodies_come_back_byte_for_byte(tmp_path_factory, bodies):
    folder = tmp_path_factory.mktemp("journal")
    awkward = [b"", b"\n\r\n", b"\xff\xfe\x00", "\u2028\u2029\x85\x0b\x00é\U0001f600".encode(), b'"\\ud800"']
    kept = [replace(ENTRY, request=str(n), body=body) for n, body in enumerate([*awkward, *bodies])]
    written(folder, *kept)
    journal = Journal(folder)
    assert [journal.get(entry.request) for entry in kept] == kept
    assert journal.damage == []


def test_a_text_body_can_be_read_with_other_tools(tmp_path):
    segment = written(tmp_path, replace(ENTRY, body="naïve".encode()))
    assert json.loads(segment.read_text().partition(" ")[2])["body"] == "naïve"


def test_only_the_owner_can_read_it_and_a_run_writes_its_own_segment(tmp_path):
    folder = tmp_path / "deep" / "journal"
    before = os.umask(0)
    try:
        first = written(folder, ENTRY)
        second = written(folder, replace(ENTRY, request="b"))
    finally:
        os.umask(before)
    assert [path.name for path in sorted(folder.iterdir())] == ["000001.jsonl", "000002.jsonl"]
    assert {path.stat().st_mode & 0o777 for path in (first, second)} == {0o600}
    assert folder.stat().st_mode & 0o777 == 0o700
    assert len(Journal(folder)) == 2


def test_the_later_of_two_replies_counts_and_both_were_paid(tmp_path):
    again = replace(ENTRY, body=b"again", cost_usd=None)
    written(tmp_path, ENTRY)
    written(tmp_path, again)
    journal = Journal(tmp_path)
    assert (journal.get(ENTRY.request), len(journal)) == (again, 1)
    assert list(journal.entries()) == [ENTRY, again]


def test_killed_at_any_byte_of_a_line_only_that_reply_is_lost(tmp_path):
    kept = entries(3)
    segment = written(tmp_path, *kept)
    data = segment.read_bytes()
    start = data.rindex(b"\n", 0, -1) + 1
    for end in range(start, len(data)):
        segment.write_bytes(data[:end])
        journal = Journal(tmp_path)
        assert [journal.get(entry.request) for entry in kept] == [*kept[:2], None]
        assert journal.damage == ([Damage(segment.name, 3, "cut short")] if end > start else [])
    journal.append(kept[2])
    opened = Journal(tmp_path)
    assert list(opened.entries()) == kept
    assert len(opened.damage) == 1


def test_every_flipped_bit_is_found_and_costs_no_other_line(tmp_path):
    kept = entries(3)
    segment = written(tmp_path, *kept)
    data = segment.read_bytes()
    start, end = data.index(b"\n") + 1, data.rindex(b"\n", 0, -1)
    for place in range(start, end):
        for bit in (0, 3, 7):
            segment.write_bytes(data[:place] + bytes([data[place] ^ 1 << bit]) + data[place + 1 :])
            journal = Journal(tmp_path)
            assert [journal.get(entry.request) for entry in kept] == [kept[0], None, kept[2]]
            assert journal.damage[0].line == 2


FULL = """
import resource, sys
from dataclasses import replace
from pathlib import Path
from generators.errors import StoppedError
from generators.journal import Entry, Journal

entry = Entry("", "openai/x", b"x" * 700, 1.0, 1.0, 1, 1, None)
journal = Journal(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))
for n in range(9):
    try:
        journal.append(replace(entry, request=str(n)))
    except StoppedError as error:
        print(n, error.exit_code, error)
        break
resource.setrlimit(resource.RLIMIT_FSIZE, (2500, 3000))
journal.append(replace(entry, request="small", body=b"fits in a new segment"))
journal.close()
"""


def test_a_full_disk_stops_the_run_and_keeps_what_was_written(tmp_path):
    folder = tmp_path / "journal"
    done = subprocess.run([sys.executable, "-c", FULL, str(folder)], capture_output=True, text=True, check=True)
    number, code, *_ = done.stdout.split()
    assert code == "6"
    assert str(folder) in done.stdout
    assert "run again" in done.stdout
    journal = Journal(folder)
    assert [n for n in range(9) if str(n) in journal] == list(range(int(number))) == [0, 1, 2]
    assert journal.get("small").body == b"fits in a new segment"
    assert journal.damage == []  # the torn line was taken back


def test_a_folder_that_cannot_be_used_is_said_in_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"cannot read the journal .*file: Not a directory"):
        Journal(tmp_path / "file")
    journal = Journal(tmp_path / "file" / "journal")
    with pytest.raises(StoppedError, match=r"cannot write the journal .*: Not a directory"):
        journal.append(ENTRY)


def test_twenty_thousand_replies_open_in_two_seconds(tmp_path):
    body = json.dumps({"choices": [{"message": {"content": "word " * 400}}]}).encode()
    kept = [replace(ENTRY, request=f"{n:064x}", body=body) for n in range(20_000)]
    written(tmp_path, *kept)
    started = time.process_time()
    journal = Journal(tmp_path)
    assert time.process_time() - started < 2
    assert len(journal) == 20_000
    assert journal.get(kept[12_345].request) == kept[12_345]


# What was sent and brought no reply.


def test_what_was_in_flight_when_a_run_died_is_listed(tmp_path):
    dying = Journal(tmp_path)
    assert dying.run == 1
    for entry in entries(4):
        dying.sent(entry.request)
    dying.append(entries(4)[0])
    dying.failed(entries(4)[1].request, "rate_limited", maybe_charged=False)
    dying.failed(entries(4)[2].request, "idle_timeout", maybe_charged=True)
    assert [doubt.reason for doubt in dying.doubts] == ["idle_timeout"]
    later = Journal(tmp_path)
    found = {(doubt.request, doubt.run, doubt.reason) for doubt in later.doubts}
    in_flight = (entries(4)[3].request, 1, "in_flight")
    assert found == {(entries(4)[2].request, 1, "idle_timeout"), in_flight}
    assert (later.run, len(later), later.damage) == (2, 1, [])
    later.sent(entries(4)[3].request)
    later.append(replace(entries(4)[3], run=later.run))
    assert [(d.request, d.run, d.reason) for d in Journal(tmp_path).doubts if d.reason == "in_flight"] == [in_flight]
    assert [receipt.run for receipt in later.receipts()] == [1, 2]


def test_a_retry_that_succeeds_leaves_no_doubt(tmp_path):
    journal = Journal(tmp_path)
    for _ in range(2):
        journal.sent(ENTRY.request)
        journal.failed(ENTRY.request, "overloaded", maybe_charged=False)
    journal.sent(ENTRY.request)
    journal.append(ENTRY)
    assert (Journal(tmp_path).doubts, len(Journal(tmp_path))) == ([], 1)


def test_receipts_tell_all_but_the_body(tmp_path):
    kept = [
        replace(ENTRY, request="a", body=b'{"x": ",\\"body\\":\\"no\\""}', model='m",\\"body', run=3),
        replace(ENTRY, request="b", body=b"\xff\xfe", run=3),
        replace(ENTRY, request="c", body=b"{}", run=3, failure="content_filter", detail='400: a ",body" \u2028'),
    ]
    written(tmp_path, *kept)
    journal = Journal(tmp_path)
    assert list(journal.receipts()) == [replace(entry, body=b"") for entry in kept]
    assert list(journal.entries()) == kept


def test_segments_of_before_are_read(tmp_path):
    """Written when entries had no model and no run: the run is told from the segment."""
    rest = (
        b'{"request":"%s","teacher":"openai/x","received":1700000000.5,"latency":1.25,"input_tokens":10,'
        b'"output_tokens":20,"cost_usd":0.5,"body":"{\\"choices\\": []}"}\n' % (b"a" * 64)
    )
    (tmp_path / "000007.jsonl").write_bytes(b"%08x %s" % (zlib.crc32(rest), rest))
    journal = Journal(tmp_path)
    assert journal.get(ENTRY.request) == ENTRY
    assert list(journal.receipts()) == [replace(ENTRY, body=b"", run=7)]
    assert (journal.damage, journal.doubts, journal.run) == ([], [], 8)


@pytest.mark.parametrize("rest", [b'{"folded":"x"}\n', b'{"purged":"x"}\n'], ids=["unknown", "no number"])
def test_lines_of_a_later_kind_are_left_alone(tmp_path, rest):
    written(tmp_path, ENTRY)
    (tmp_path / "000002.jsonl").write_bytes(b"%08x %s" % (zlib.crc32(rest), rest))
    journal = Journal(tmp_path)
    assert (len(journal), journal.damage, list(journal.entries())) == (1, [], [ENTRY])


def test_cut_at_each_of_the_last_bytes_all_whole_lines_are_read(tmp_path):
    """A power cut can leave any prefix of the file: up to 4,096 bytes of it."""
    journal, kept = Journal(tmp_path), entries(24)
    ends = []
    for entry in kept:
        journal.sent(entry.request)
        journal.append(entry)
        ends.append(journal._size)
    journal.close()
    [segment] = tmp_path.iterdir()
    data = segment.read_bytes()
    for end in range(len(data) - 1, len(data) - 4096 - 1, -1):
        os.truncate(segment, end)
        opened = Journal(tmp_path)
        assert len(opened) == sum(whole <= end for whole in ends)
        torn = data[end - 1 : end] != b"\n"
        assert [damage.reason for damage in opened.damage] == (["cut short"] if torn else [])
        assert [doubt.reason for doubt in opened.doubts] in ([], ["in_flight"])


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_random_flipped_bits_are_named_and_cost_no_other_line(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("journal")
    kept = entries(12)
    segment = written(folder, *kept)
    content = bytearray(segment.read_bytes())
    places = data.draw(st.sets(st.integers(0, len(content) - 1), min_size=1, max_size=4))
    hit = {bytes(content[:place]).count(b"\n") for place in places}
    for place in places:
        content[place] ^= 1 << data.draw(st.integers(0, 7))
    segment.write_bytes(content)
    journal = Journal(folder)
    for number, entry in enumerate(kept):
        if not {number, number - 1} & hit:  # a lost line end costs its neighbour too
            assert journal.get(entry.request) == entry
        elif number in hit:
            assert journal.get(entry.request) is None
    assert journal.damage


def test_a_hundred_thousand_replies_are_opened_without_decoding_any(tmp_path, monkeypatch):
    """Opening looks at checksums and first keys: the decoder of JSON is never called (``benchmarks/journal.py``)."""
    written(tmp_path, *(replace(ENTRY, request=f"{n:064x}") for n in range(2000)))
    monkeypatch.setattr(json, "loads", None)
    assert len(Journal(tmp_path)) == 2000


# Taking replies out of it.


def test_a_journal_that_is_not_there_has_nothing_to_lose(tmp_path):
    assert rewrite(tmp_path / "journal", lambda _: True) == 0


def test_a_rewriting_that_was_cut_short_is_begun_anew(tmp_path):
    journal = Journal(tmp_path)
    journal.append(ENTRY)
    journal.close()
    draft = tmp_path / "half.draft"
    draft.write_text("half a segm")
    assert rewrite(tmp_path, lambda _: False) == 0
    assert not draft.exists()
    draft.mkdir()  # cannot be taken away as a file
    with pytest.raises(StoppedError, match="run the same command again to go on"):
        rewrite(tmp_path, lambda _: True)
    assert list(Journal(tmp_path).entries()) == [ENTRY]

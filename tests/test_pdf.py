"""PDFs written here, text by text at its place, as programs write them; read back as a person reads the page."""

import io
import logging
import zlib
from collections.abc import Sequence

import pytest

pytest.importorskip("pypdf")

from pypdf import PdfWriter
from pypdf.generic import (
    ArrayObject,
    DecodedStreamObject,
    DictionaryObject,
    EncodedStreamObject,
    NameObject,
    NullObject,
)

from generators.docs import pdf
from generators.docs.parsed import Parsed
from generators.errors import UnreadableDocumentError

FONTS = {"/F": "/Helvetica", "/B": "/Helvetica-Bold", "/C": "/Courier"}
LOREM = "The service takes amounts in the minor unit of the currency, and a key,"


class Page:
    """A page that is written downwards; every method writes one line."""

    def __init__(self, top: float = 780) -> None:
        self.y = top
        self.operators: list[str] = []

    def at(self, x: float, y: float, text: str, font: str = "F", size: float = 10) -> "Page":
        escaped = text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
        show = f"BT /{font} {size} Tf {1.2 * size} TL 0 0 Td ({escaped}) Tj T* ET"
        self.operators.append(f"q 1 0 0 1 {x} {y} cm {show} Q")
        return self

    def line(self, text: str, font: str = "F", size: float = 10, x: float = 70, gap: float = 0) -> "Page":
        self.y -= 1.2 * size + gap
        return self.at(x, self.y, text, font, size)

    def paragraph(self, *texts: str) -> "Page":
        for number, text in enumerate(texts):
            self.line(text, gap=0 if number else 8)
        return self


def writer_of(pages: Sequence[Page]) -> PdfWriter:
    writer = PdfWriter()
    fonts = DictionaryObject(
        {
            NameObject(name): DictionaryObject(
                {
                    NameObject("/Type"): NameObject("/Font"),
                    NameObject("/Subtype"): NameObject("/Type1"),
                    NameObject("/BaseFont"): NameObject(base),
                    NameObject("/Encoding"): NameObject("/WinAnsiEncoding"),
                }
            )
            for name, base in FONTS.items()
        }
    )
    for page in pages:
        added = writer.add_blank_page(595, 842)
        added[NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): fonts})
        content = DecodedStreamObject()
        content.set_data("\n".join(page.operators).encode("latin-1"))
        added[NameObject("/Contents")] = writer._add_object(content)
    return writer


def data_of(writer: PdfWriter) -> bytes:
    stream = io.BytesIO()
    writer.write(stream)
    return stream.getvalue()


def read(*pages: Page) -> Parsed:
    return pdf.read(data_of(writer_of(pages)), "manual.pdf")


def shown(parsed: Parsed) -> list[tuple[str, str]]:
    return [(f"h{block.level}" if block.level else block.kind, block.text) for block in parsed.blocks]


def test_bookmarks_name_the_headings_and_their_levels():
    page = Page().line("2 Payments", "B", 12).paragraph(LOREM).line("2.1 Refunds", "B", 10, gap=8).paragraph(LOREM)
    writer = writer_of([page])
    payments = writer.add_outline_item(title="Payments", page_number=0)
    writer.add_outline_item(title="Refunds", page_number=0, parent=payments)
    writer.add_metadata({"/Title": "Payment manual"})
    parsed = pdf.read(data_of(writer), "manual.pdf")
    assert shown(parsed) == [("h1", "2 Payments"), ("prose", LOREM), ("h2", "2.1 Refunds"), ("prose", LOREM)]
    assert parsed.title == "Payment manual"


def test_larger_type_names_the_headings_where_there_are_no_bookmarks():
    page = Page().line("Payment manual", "B", 22).line("for everyone who pays", "B", 22)
    page.paragraph(LOREM).line("Refunds", "B", 14, gap=8).paragraph(LOREM, LOREM).line("Limits", "B", 14, gap=8)
    page.paragraph(LOREM).line("3.1 In test mode", "B", 10, gap=8).paragraph(LOREM)
    parsed = read(page)
    assert [entry for entry in shown(parsed) if entry[0] != "prose"] == [
        ("h1", "Payment manual for everyone who pays"),
        ("h2", "Refunds"),
        ("h2", "Limits"),
        ("h4", "3.1 In test mode"),
    ]
    assert parsed.title == "Payment manual for everyone who pays"


def test_a_title_that_a_program_made_up_is_none():
    writer = writer_of([Page().line(LOREM)])
    writer.add_metadata({"/Title": "Microsoft Word - draft.docx"})
    assert pdf.read(data_of(writer), "manual.pdf").title == ""


def test_lines_are_those_of_the_extracted_text():
    parsed = read(Page().line("Big", "B", 20).paragraph(LOREM, "more.").paragraph("Second."))
    assert [(block.first_line, block.last_line) for block in parsed.blocks] == [(1, 1), (3, 4), (6, 6)]


def test_running_lines_and_page_numbers_are_dropped():
    pages = []
    for number, name in enumerate(("Keys", "Limits", "Errors", "Hooks", "Tests"), 1):
        page = Page().paragraph(f"{name}: {LOREM}", f"as {name} do.")
        page.at(70, 820, "Acme manual").at(500, 820, f"Part {number}").at(280, 30, f"Page {number} of 5")
        pages.append(page)
    assert [text.splitlines()[1:] for _, text in shown(read(*pages))] == [
        ["as Keys do."],
        ["as Limits do."],
        ["as Errors do."],
        ["as Hooks do."],
        ["as Tests do."],
    ]


def test_text_that_counts_nothing_is_no_page_number():
    rows = [Page().paragraph(LOREM).at(70, 30, f"Limit: {limit}") for limit in (7, 30, 12)]
    assert [text for _, text in shown(read(*rows)) if "Limit" in text] == ["Limit: 7", "Limit: 30", "Limit: 12"]


def test_a_paragraph_goes_on_over_the_page_and_ends_at_a_gap():
    first = Page().paragraph(LOREM, "which is kept for a day,").paragraph("Then it is", "deleted, together with the")
    second = Page().paragraph("request it belongs to.").paragraph("Another paragraph.")
    assert [text for _, text in shown(read(first, second))] == [
        f"{LOREM}\nwhich is kept for a day,",
        "Then it is\ndeleted, together with the\nrequest it belongs to.",
        "Another paragraph.",
    ]


def test_words_parted_at_line_ends_are_joined_unless_they_have_a_hyphen():
    page = Page().paragraph("A real-time answer contains no declara-", "tions, but it needs a real-", "time clock.")
    assert shown(read(page)) == [
        ("prose", "A real-time answer contains no declarations,\nbut it needs a real-time\nclock.")
    ]


def test_fixed_width_lines_are_code_with_their_indentation():
    page = Page().paragraph(LOREM).line("if ready:", "C", 9, gap=8).line("pay(100)", "C", 9, x=70 + 4 * 0.6 * 9)
    page.line("done()", "C", 9, gap=11).paragraph(LOREM)
    assert shown(read(page))[1] == ("code", "```\nif ready:\n    pay(100)\n\ndone()\n```")


def test_a_fixed_width_word_in_a_paragraph_is_no_code():
    page = Page().paragraph(LOREM).line("retry_after_seconds", "C", 10).line("and so on.")
    assert shown(read(page)) == [("prose", f"{LOREM}\nretry_after_seconds\nand so on.")]


def test_a_bullet_and_its_text_are_put_together():
    page = Page().paragraph(LOREM).line("\x95", gap=8)
    page.at(90, page.y, "First point,").line("continued.", x=90).line("\x95 Second point.", gap=2)
    assert shown(read(page))[1:] == [("list_item", "- First point,\n  continued."), ("list_item", "- Second point.")]


def test_a_row_of_cells_is_a_table():
    page = Page().paragraph(LOREM)
    for number, cells in enumerate((("Code", "Meaning"), ("400", "Bad|broken"), ("429", "Too many"))):
        y = 700 - 14 * number
        page.at(70, y, cells[0]).at(300, y, cells[1])
    assert shown(read(page))[1] == (
        "table",
        "| Code | Meaning |\n| --- | --- |\n| 400 | Bad\\|broken |\n| 429 | Too many |",
    )


def test_a_table_of_contents_is_dropped():
    page = Page().line("Payments . . . . . . . . . 12").line("Refunds ............ 14").paragraph(LOREM)
    assert shown(read(page)) == [("prose", LOREM)]


def test_a_password_is_needed_or_not():
    writer = writer_of([Page().line(LOREM)])
    writer.encrypt("secret", algorithm="RC4-128")
    with pytest.raises(UnreadableDocumentError) as caught:
        pdf.read(data_of(writer), "manual.pdf")
    assert caught.value.reason == "encrypted"
    writer = writer_of([Page().line(LOREM)])
    writer.encrypt("", owner_password="secret", algorithm="RC4-128")
    assert shown(pdf.read(data_of(writer), "manual.pdf")) == [("prose", LOREM)]


def test_a_scan_has_no_text():
    with pytest.raises(UnreadableDocumentError, match="OCR") as caught:
        read(Page(), Page())
    assert caught.value.reason == "no_text"


@pytest.mark.parametrize("data", [b"", b"%PDF-1.7\n", b"no pdf at all", b"%PDF-1.4\n" + b"\0\xff" * 5_000])
def test_garbage_is_malformed(data: bytes, capfd: pytest.CaptureFixture[str]):
    with pytest.raises(UnreadableDocumentError) as caught:
        pdf.read(data, "manual.pdf")
    assert caught.value.reason == "malformed"
    assert capfd.readouterr() == ("", "")


def test_a_cycle_of_pages_is_malformed_and_ends():
    writer = writer_of([Page().line(LOREM)])
    tree = writer._root_object["/Pages"]
    tree[NameObject("/Kids")] = ArrayObject([writer._pages])
    with pytest.raises(UnreadableDocumentError) as caught:
        pdf.read(data_of(writer), "manual.pdf")
    assert caught.value.reason in ("malformed", "no_text")


def test_a_bomb_costs_its_page_and_no_other(caplog: pytest.LogCaptureFixture):
    writer = writer_of([Page().line(LOREM), Page().line("gone")])
    bomb = EncodedStreamObject()
    bomb._data = zlib.compress(b" " * 200_000_000, 9)
    bomb[NameObject("/Filter")] = NameObject("/FlateDecode")
    writer.pages[1][NameObject("/Contents")] = writer._add_object(bomb)
    with caplog.at_level(logging.WARNING):
        assert shown(pdf.read(data_of(writer), "manual.pdf")) == [("prose", LOREM)]
    assert "manual.pdf: page 2" in caplog.text


def test_a_broken_outline_costs_headings_and_no_text():
    writer = writer_of([Page().line(LOREM)])
    writer.add_outline_item(title="Title", page_number=0)
    writer._root_object["/Outlines"][NameObject("/First")] = NullObject()
    assert shown(pdf.read(data_of(writer), "manual.pdf")) == [("prose", LOREM)]

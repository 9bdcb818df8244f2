"""Word files built here from their XML; read back as the printed page is read."""

import io
import zipfile
from collections.abc import Mapping
from xml.sax.saxutils import escape

import pytest

pytest.importorskip("mammoth")
pytest.importorskip("bs4")

from generators.docs import docx
from generators.docs.docx_package import MAX_XML
from generators.docs.parsed import Parsed
from generators.errors import UnreadableDocumentError

WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
STRICT = "http://purl.oclc.org/ooxml/wordprocessingml/main"
TYPES = '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'
CORE = '<p:coreProperties xmlns:p="urn:p" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>{}</dc:title></p:coreProperties>'
COURIER = '<w:rFonts w:ascii="Courier New"/>'


def run(text: str, properties: str = "") -> str:
    return f'<w:r><w:rPr>{properties}</w:rPr><w:t xml:space="preserve">{escape(text)}</w:t></w:r>'


def paragraph(content: str = "", style: str = "", properties: str = "") -> str:
    named = f'<w:pStyle w:val="{style}"/>' if style else ""
    content = content if content.startswith("<") or not content else run(content)
    return f"<w:p><w:pPr>{named}{properties}</w:pPr>{content}</w:p>"


def style(key: str, name: str, content: str = "", based_on: str = "") -> str:
    base = f'<w:basedOn w:val="{based_on}"/>' if based_on else ""
    return f'<w:style w:type="paragraph" w:styleId="{key}"><w:name w:val="{name}"/>{base}{content}</w:style>'


def table(*rows: tuple[str, ...], look: str = "") -> str:
    cells = ("".join(f"<w:tc><w:tcPr/>{paragraph(cell)}</w:tc>" for cell in row) for row in rows)
    return f"<w:tbl><w:tblPr>{look}</w:tblPr>" + "".join(f"<w:tr>{row}</w:tr>" for row in cells) + "</w:tbl>"


def file_of(*body: str, parts: Mapping[str, str] | None = None, namespace: str = WORD, prolog: str = "") -> bytes:
    document = f'{prolog}<w:document xmlns:w="{namespace}"><w:body>{"".join(body)}</w:body></w:document>'
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for part, content in {"[Content_Types].xml": TYPES, "word/document.xml": document, **(parts or {})}.items():
            archive.writestr(part, content)
    return stream.getvalue()


def styles(*found: str) -> dict[str, str]:
    return {"word/styles.xml": f'<w:styles xmlns:w="{WORD}">{"".join(found)}</w:styles>'}


def read(*body: str, parts: Mapping[str, str] | None = None) -> Parsed:
    return docx.read(file_of(*body, parts=parts), "guide.docx")


def shown(*body: str, parts: Mapping[str, str] | None = None) -> list[tuple[str, str]]:
    found = read(*body, parts=parts).blocks
    return [(f"h{block.level}" if block.level else block.kind, block.text) for block in found]


def test_headings_by_style_by_what_it_is_based_on_and_by_outline_level():
    parts = styles(
        style("berschrift1", "heading 1"),
        style("Own", "Our chapter", based_on="berschrift1"),
        style("Deep", "Our part", '<w:pPr><w:outlineLvl w:val="2"/></w:pPr>'),
        style("Body", "Our text", '<w:pPr><w:outlineLvl w:val="9"/></w:pPr>', based_on="berschrift1"),
    )
    assert shown(
        paragraph("One", "berschrift1"),
        paragraph("Two", "Own"),
        paragraph("Three", "Deep"),
        paragraph("Four", properties='<w:outlineLvl w:val="1"/>'),
        paragraph("Text", "Body"),
        parts=parts,
    ) == [("h1", "One"), ("h1", "Two"), ("h3", "Three"), ("h2", "Four"), ("prose", "Text")]


def test_below_a_title_headings_are_one_level_deeper():
    parts = styles(style("T", "Title"), style("H", "heading 1")) | {"docProps/core.xml": CORE.format("Guide, 2nd ed.")}
    body = paragraph("Guide", "T"), paragraph("Keys", "H"), paragraph("Text.")
    assert shown(*body, parts=parts) == [("h1", "Guide"), ("h2", "Keys"), ("prose", "Text.")]
    assert read(*body, parts=parts).title == "Guide, 2nd ed."


def test_styles_based_on_each_other_in_a_circle_end():
    parts = styles(style("A", "a", based_on="B"), style("B", "b", based_on="A"))
    assert shown(paragraph("Text.", "A"), parts=parts) == [("prose", "Text.")]


def test_code_by_font_and_by_style_keeps_its_lines_and_indentation():
    code = [paragraph(run(line, COURIER)) for line in ("if ready:", "    pay(100)")]
    empty = paragraph(properties=f"<w:rPr>{COURIER}</w:rPr>")
    assert shown(paragraph("Then:"), *code, empty, paragraph(run("done()", COURIER)), paragraph("After.")) == [
        ("prose", "Then:"),
        ("code", "```\nif ready:\n    pay(100)\n\ndone()\n```"),
        ("prose", "After."),
    ]
    parts = styles(style("SourceCode", "Source Code"))
    assert shown(paragraph("a = 1", "SourceCode"), paragraph("b = 2", "SourceCode"), parts=parts) == [
        ("code", "```\na = 1\nb = 2\n```")
    ]


def test_code_within_a_line_and_within_a_cell():
    mixed = paragraph(run("Call ") + run("pay()", COURIER) + run(" now."))
    assert shown(mixed) == [("prose", "Call `pay()` now.")]
    assert ("table", "| `pay()` | x |\n| --- | --- |\n| y | z |") in shown(
        table((run("pay()", COURIER), "x"), ("y", "z"), look='<w:tblLook w:firstRow="1"/>')
    )


def test_hidden_deleted_and_moved_text_is_left_out_and_inserted_text_is_kept():
    parts = styles(
        style("Secret", "Secret", "<w:rPr><w:vanish/></w:rPr>"),
        '<w:style w:type="character" w:styleId="Quiet"><w:name w:val="q"/><w:rPr><w:vanish/></w:rPr></w:style>',
    )
    text = (
        run("kept")
        + run(" hidden", "<w:vanish/>")
        + run(" by style", '<w:rStyle w:val="Quiet"/>')
        + run(", shown", '<w:rStyle w:val="Quiet"/><w:vanish w:val="0"/>')
        + f"<w:ins>{run(', inserted')}</w:ins><w:del>{run(' deleted')}</w:del><w:moveFrom>{run(' moved')}</w:moveFrom>"
        + '<w:r><w:commentReference w:id="0"/></w:r>'
    )
    comments = {"word/comments.xml": f'<w:comments xmlns:w="{WORD}">{paragraph("a comment")}</w:comments>'}
    assert shown(paragraph(text), paragraph("gone", "Secret"), parts=parts | comments) == [
        ("prose", "kept, shown, inserted")
    ]


def test_the_table_of_contents_is_left_out():
    parts = styles(style("TOC1", "toc 1"), style("TOCHeading", "TOC Heading"))
    body = paragraph("Contents", "TOCHeading"), paragraph("Keys 3", "TOC1"), paragraph("Text.")
    assert shown(*body, parts=parts) == [("prose", "Text.")]


def test_lists_are_items_on_neighbouring_lines():
    numbering = {
        "word/numbering.xml": f'<w:numbering xmlns:w="{WORD}"><w:abstractNum w:abstractNumId="0"><w:lvl w:ilvl="0">'
        '<w:numFmt w:val="bullet"/></w:lvl></w:abstractNum><w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>'
        "</w:numbering>"
    }
    in_list = '<w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr>'
    body = paragraph("Two:"), paragraph("one", properties=in_list), paragraph("other", properties=in_list)
    blocks = read(*body, parts=numbering).blocks
    assert [(b.kind, b.text, b.first_line) for b in blocks] == [
        ("prose", "Two:", 1),
        ("list_item", "- one", 3),
        ("list_item", "- other", 4),
    ]


def test_a_table_is_whole_and_has_its_head():
    rows = ("Name", "Meaning"), ("a|b", "either")
    assert shown(table(*rows, look='<w:tblLook w:val="04A0"/>')) == [
        ("table", "| Name | Meaning |\n| --- | --- |\n| a\\|b | either |")
    ]


def test_the_strict_edition_of_the_format_is_read():
    data = file_of(paragraph(run("Call ") + run("pay()", COURIER)), namespace=STRICT)
    assert docx.read(data, "guide.docx").blocks[0].text == "Call `pay()`"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "malformed"),
        (b"PK\x03\x04 cut off", "malformed"),
        (file_of(paragraph("x"))[:-40], "malformed"),
        (file_of("<w:p>"), "malformed"),
        (file_of(), "empty"),
        (bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 600, "malformed"),
        (bytes.fromhex("d0cf11e0a1b11ae1") + "EncryptedPackage".encode("utf-16-le"), "encrypted"),
        (file_of("<w:tbl><w:tr><w:tc>" * 500 + "</w:tc></w:tr></w:tbl>" * 500), "malformed"),
        (file_of(paragraph("x"), prolog='<!DOCTYPE d [<!ENTITY e "x">]>'), "malformed"),
        (file_of(" " * (MAX_XML + 1)), "oversized"),
    ],
    ids=["empty", "cut", "cut end", "open tag", "no text", "old", "encrypted", "nested", "entities", "bomb"],
)
def test_what_cannot_be_read_says_why(data: bytes, reason: str):
    with pytest.raises(UnreadableDocumentError, match=r"guide\.docx") as caught:
        docx.read(data, "guide.docx")
    assert caught.value.reason == reason


def test_a_lie_about_the_size_helps_no_bomb():
    data = bytearray(file_of(" " * (MAX_XML + 1)))
    for signature, offset in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        at = data.index(b"word/document.xml") if signature == b"PK\x03\x04" else data.rindex(b"word/document.xml")
        header = data.rindex(signature, 0, at)
        data[header + offset : header + offset + 4] = (100).to_bytes(4, "little")
    with pytest.raises(UnreadableDocumentError) as caught:
        docx.read(bytes(data), "guide.docx")
    assert caught.value.reason in ("malformed", "oversized")


def test_pictures_and_other_files_are_not_unfolded():
    bomb = {"word/media/image1.png": " " * (2 * MAX_XML), "word/embeddings/x.bin": " " * MAX_XML}
    assert shown(paragraph("Text."), parts=bomb) == [("prose", "Text.")]

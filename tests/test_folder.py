"""Reading folders: what is found, what is left out and why, and that nothing in a folder can end or hang the run."""

import gzip
import hashlib
import os
import socket
import sys
import tracemalloc
from pathlib import Path

import pytest

from generators.docs.folder import FolderConfig, read_documents
from generators.errors import UsageError
from generators.records import Document, Skipped


def write(root: Path, files: dict[str, str | bytes]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


def paths(*roots: Path, **settings: object) -> list[str]:
    found = read_documents(roots, FolderConfig(**settings))  # type: ignore[arg-type]
    return [item.path for item in found if isinstance(item, Document)]


def skipped(*roots: Path, **settings: object) -> dict[str, str]:
    found = read_documents(roots, FolderConfig(**settings))  # type: ignore[arg-type]
    return {item.path: item.reason for item in found if isinstance(item, Skipped)}


# --- what is found


def test_documents_come_sorted_by_path_with_their_facts(tmp_path: Path) -> None:
    page = b"---\ntitle: T\n---\n# H\n"
    write(tmp_path, {"b.md": page, "a/z.md": "x", "a.md": "x", "a-b.md": "x", "C.TXT": "x"})
    documents = list(read_documents([tmp_path]))
    assert [item.path for item in documents] == ["C.TXT", "a-b.md", "a.md", "a/z.md", "b.md"]
    last = documents[-1]
    assert isinstance(last, Document)
    assert (last.format, last.title, last.size) == ("markdown", "T", len(page))
    assert last.sha256 == hashlib.sha256(page).hexdigest()
    assert [block.text for block in last.blocks] == ["H"]


def test_a_root_may_be_one_file_whatever_the_globs_say(tmp_path: Path) -> None:
    write(tmp_path, {".gitignore": "*", "page.md": "x", "other.md": "x"})
    assert paths(tmp_path / "page.md", exclude=("*",)) == ["page.md"]


def test_compressed_files_are_read_by_the_suffix_below(tmp_path: Path) -> None:
    page = gzip.compress(b"# H\n")
    write(tmp_path, {"a.md.gz": page, "b.tar.gz": page, "c.md.gz": b"no gzip", "d.md.gz": page[:-9]})
    (document,) = [item for item in read_documents([tmp_path]) if isinstance(item, Document)]
    assert (document.path, document.format, document.size) == ("a.md.gz", "markdown", len(page))
    assert document.sha256 == hashlib.sha256(page).hexdigest()
    assert skipped(tmp_path) == {"b.tar.gz": "unsupported", "c.md.gz": "malformed", "d.md.gz": "malformed"}


def test_restructured_text_is_told_from_plain_text(tmp_path: Path) -> None:
    source = "Title\n=====\n\n.. note::\n\n   Body\n\nSee :ref:`other`.\n"
    write(tmp_path, {"django.txt": source, "sphinx.rst.txt": "Title\n=====\n\nBody\n", "plain.txt": "a :b: c\n"})
    formats = {item.path: item.format for item in read_documents([tmp_path]) if isinstance(item, Document)}
    assert formats == {"django.txt": "rst", "plain.txt": "text", "sphinx.rst.txt": "rst"}


# --- what is left out


def test_hidden_and_vendored_folders_are_left_out_silently(tmp_path: Path) -> None:
    write(tmp_path, {".venv/a.md": "x", "node_modules/a.md": "x", "__pycache__/a.md": "x", ".a.md": "x", "b.md": "x"})
    assert [item.path for item in read_documents([tmp_path])] == ["b.md"]


def test_globs_select_files(tmp_path: Path) -> None:
    write(tmp_path, {"a.md": "x", "drafts/b.md": "x", "drafts/keep.md": "x", "c.txt": "x", "d.bin": "x"})
    assert paths(tmp_path, include=("*.md",)) == ["a.md", "drafts/b.md", "drafts/keep.md"]
    assert paths(tmp_path, exclude=("drafts/*", "!keep.md")) == ["a.md", "c.txt", "drafts/keep.md"]
    assert skipped(tmp_path, include=("*.md",), exclude=("drafts",)) == {}


def test_ignore_files_follow_git(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            ".git/HEAD": "",
            ".gitignore": "\ufefflog.md\n/top.md\nbuild/\n*.tmp.md\n!keep.tmp.md\ndocs/anchored.md\n"
            "white/*\n!white/*/\n!b.md\n",
            "docs/.gitignore": "!log.md\n/only-here.md\n\\#hash.md\r\ntrailing.md  \n",
            "docs/.factoryignore": "secret.md\n!only-here.md\n",
            **dict.fromkeys(
                ["docs/log.md", "docs/sub/log.md", "docs/only-here.md", "docs/#hash.md", "docs/trailing.md"], "x"
            ),
            **dict.fromkeys(["docs/secret.md", "docs/anchored.md", "docs/a.tmp.md", "docs/keep.tmp.md"], "x"),
            **dict.fromkeys(
                ["docs/build/.gitignore", "docs/build/x.md", "docs/top.md", "docs/sub/anchored.md"], "!x.md"
            ),
            **dict.fromkeys(["log.md", "top.md", "build", "white/a.md", "white/b.md", "white/in/c.md"], "x"),
        },
    )
    inside = ["keep.tmp.md", "log.md", "only-here.md", "sub/anchored.md", "sub/log.md", "top.md"]
    assert paths(tmp_path / "docs") == inside
    assert paths(tmp_path) == [*(f"docs/{path}" for path in inside), "white/b.md", "white/in/c.md"]


def test_a_folder_with_an_unreadable_ignore_file_is_not_read(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root reads everything")
    write(tmp_path, {"a.md": "x", "private/.gitignore": "*", "private/b.md": "x"})
    (tmp_path / "private/.gitignore").chmod(0)
    assert paths(tmp_path) == ["a.md"]
    assert skipped(tmp_path) == {"private/": "unreadable"}


# --- links


def test_links_are_followed_inside_the_root_only_and_nothing_is_read_twice(tmp_path: Path) -> None:
    root = write(tmp_path / "docs", {"a/page.md": "x", ".hidden/h.md": "x", ".hidden/sub/s.md": "x", "z.md": "x"})
    write(tmp_path, {"outside/o.md": "x"})
    for name, target in {
        "again.md": "a/page.md",
        "folder-again": "a",
        "to-hidden": ".hidden",
        "to-hidden-again": ".hidden",
        "file.md": ".hidden/h.md",
        "out.md": "../outside/o.md",
        "out": "../outside",
        "up": "..",
        "loop": ".",
        "a/loop": "../a",
        "a/self": "self",
        "gone.md": "nowhere.md",
        ".hidden/sub/back": "../../.hidden",
    }.items():
        (root / name).symlink_to(target)
    assert paths(root) == ["a/page.md", "file.md", "to-hidden-again/sub/s.md", "z.md"]
    assert skipped(root) == {
        "a/self": "broken_link",
        "gone.md": "broken_link",
        "out": "link_outside",
        "out.md": "link_outside",
        "up": "link_outside",
    }


def test_a_linked_file_is_still_subject_to_the_ignore_files(tmp_path: Path) -> None:
    write(tmp_path, {".gitignore": "secret*\n", "secret/a.md": "x", "b.md": "x"})
    (tmp_path / "secret.md").symlink_to("b.md")
    (tmp_path / "alias.md").symlink_to("b.md")
    assert paths(tmp_path) == ["b.md"]


# --- workspaces


def workspace(folder: Path) -> Path:
    """Write what the program leaves in a workspace, all of which could be read as documents."""
    names = ("versions/v0001/README.md", "students/s0001/README.md", "reports/r0001/report.md", "notes.md")
    write(folder, {**dict.fromkeys(names, "x"), "journal/000001.jsonl": "{}", "versions/v0001.sha256": "0"})
    (folder / "latest").symlink_to("versions/v0001")
    return folder


def test_a_workspace_inside_the_docs_is_no_document(tmp_path: Path) -> None:
    write(tmp_path, {"a.md": "x", "journal/b.md": "x", "versions/c.md": "x"})
    write(tmp_path / "api", {"journal/d.md": "x", "versions/e.md": "x"})
    workspace(tmp_path / "deep" / "out")
    (tmp_path / "link.md").symlink_to("deep/out/latest/README.md")
    (tmp_path / "folder").symlink_to("deep/out/reports")
    mine = ["a.md", "api/journal/d.md", "api/versions/e.md", "journal/b.md", "versions/c.md"]
    assert paths(tmp_path) == mine
    fresh = write(tmp_path / "fresh", {"reports/r.md": "x"})
    assert "fresh/reports/r.md" in paths(tmp_path)
    (tmp_path / "alias").symlink_to("fresh")
    assert paths(tmp_path, workspaces=(tmp_path / "alias",)) == mine
    assert fresh.is_dir()


def test_documents_may_lie_in_a_workspace_beside_its_own_parts(tmp_path: Path) -> None:
    out = workspace(tmp_path / "out")
    write(out / "docs", {"a.md": "x", "reports/b.md": "x"})
    assert paths(out / "docs") == ["a.md", "reports/b.md"]
    assert paths(out) == ["docs/a.md", "docs/reports/b.md", "notes.md"]
    for part in ("versions", "latest", "reports/r0001", "latest/README.md"):
        with pytest.raises(UsageError, match=f"is a part of the workspace {out}"):
            read_documents([out / part])


# --- several roots


def test_paths_of_several_roots_that_collide_get_the_folder_name(tmp_path: Path) -> None:
    write(tmp_path, {"v1/docs/index.md": "x", "v1/docs/one.md": "x", "v2/docs/index.md": "x", "api/index.md": "x"})
    first, second, third = tmp_path / "v1/docs", tmp_path / "v2/docs", tmp_path / "api"
    assert paths(first, third) == ["api/index.md", "docs/index.md", "one.md"]
    assert paths(third, first, second) == ["api/index.md", "v1/docs/index.md", "v2/docs/index.md", "one.md"]


def test_a_root_inside_another_is_read_once(tmp_path: Path) -> None:
    write(tmp_path, {"docs/a.md": "x", "docs/api/b.md": "x", "docs/c.md": "x"})
    docs = tmp_path / "docs"
    assert paths(docs, docs / "api", docs, docs / "c.md") == ["a.md", "b.md", "c.md"]


# --- what cannot be read is named


def test_every_bad_file_is_named_with_its_reason_and_the_rest_is_read(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "good.md": "# Good",
            "empty.md": "",
            "blank.md": " \n",
            "comments.md": "<!-- only -->",
            "binary.md": b"text\0more",
            "latin.md": "# Gr\xf6\xdfe".encode("latin-1"),
            "big.md": "x" * 2001,
            "bomb.md.gz": gzip.compress(b"x" * 9000),
            "image.png": b"\x89PNG",
            "LICENSE": "x",
            "book.ipynb": "{",
            "bell\a.md": "x",
        },
    )
    os.mkfifo(tmp_path / "pipe.md")
    (tmp_path / os.fsdecode(b"caf\xe9.md")).write_text("x")
    found = {item.path: item for item in read_documents([tmp_path], FolderConfig(max_bytes=2000))}
    assert {path for path, item in found.items() if isinstance(item, Document)} == {
        "good.md",
        "bell\\x07.md",
        "caf\\xe9.md",
    }
    reasons = {path: item.reason for path, item in found.items() if isinstance(item, Skipped)}
    assert reasons == {
        "LICENSE": "unsupported",
        "big.md": "oversized",
        "binary.md": "binary",
        "blank.md": "empty",
        "bomb.md.gz": "oversized",
        "book.ipynb": "malformed",
        "comments.md": "empty",
        "empty.md": "empty",
        "image.png": "unsupported",
        "latin.md": "undecodable",
        "pipe.md": "not_a_file",
    }
    latin = found["latin.md"]
    assert isinstance(latin, Skipped)
    assert "byte 4" in latin.detail


def test_sockets_and_unreadable_files_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # a socket's address must be short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("s.md")
        assert skipped(tmp_path) == {"s.md": "not_a_file"}
    if os.geteuid() != 0:
        write(tmp_path, {"secret.md": "x", "closed/a.md": "x"})
        (tmp_path / "secret.md").chmod(0)
        (tmp_path / "closed").chmod(0)
        assert skipped(tmp_path) == {"s.md": "not_a_file", "secret.md": "unreadable", "closed/": "unreadable"}
        (tmp_path / "closed").chmod(0o700)


def test_a_file_that_vanishes_or_turns_into_a_pipe_meanwhile_is_named(tmp_path: Path) -> None:
    write(tmp_path, {"a.md": "x", "b.md": "x", "c.md": "x", "d.md": "x"})
    found = read_documents([tmp_path])
    assert next(found).path == "a.md"
    (tmp_path / "c.md").unlink()
    (tmp_path / "d.md").unlink()
    os.mkfifo(tmp_path / "d.md")
    assert [(item.path, getattr(item, "reason", "")) for item in found] == [
        ("b.md", ""),
        ("c.md", "vanished"),
        ("d.md", "not_a_file"),
    ]


def test_folders_nested_deeper_than_python_recurses(tmp_path: Path) -> None:
    folders = [tmp_path]
    while len(folders) < sys.getrecursionlimit() + 100 and len(str(folders[-1])) < 3900:
        folders.append(folders[-1] / "d")
        folders[-1].mkdir()
    (folders[-1] / "end.md").write_text("x")
    try:
        assert len(paths(tmp_path)) == 1
    finally:  # pytest cannot remove it: it recurses
        (folders[-1] / "end.md").unlink()
        for folder in reversed(folders[1:]):
            folder.rmdir()


def test_a_missing_extra_costs_only_its_files(tmp_path: Path) -> None:
    # A folder in front of the import path that holds broken stand-ins is what an uninstalled extra looks like.
    stubs = write(tmp_path / "stubs", {"docutils.py": "raise ImportError", "bs4.py": "raise ImportError"})
    docs = write(tmp_path / "docs", {"a.md": "x", "b.html": "<p>x</p>", "c.rst": "x\n"})
    sys.path.insert(0, str(stubs))
    try:
        found = {item.path: item for item in read_documents([docs])}
    finally:
        sys.path.remove(str(stubs))
    assert isinstance(found["a.md"], Document)
    for name in ("b.html", "c.rst"):
        item = found[name]
        assert isinstance(item, Skipped)
        assert item.reason == "missing_extra"
        assert "pip install 'factory-qa[docs]'" in item.detail


# --- wrong roots


def test_wrong_roots_are_told_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(UsageError, match="nowhere does not exist"):
        read_documents([tmp_path, tmp_path / "nowhere"])
    with pytest.raises(UsageError, match="neither a folder nor a file"):
        read_documents([tmp_path / "pipe"])
    with pytest.raises(UsageError, match="loop does not exist"):
        read_documents([tmp_path / "loop"])
    with pytest.raises(UsageError, match="exclude"):
        read_documents([tmp_path], FolderConfig(exclude=("\\",)))


def test_an_empty_folder_is_for_the_caller_to_judge(tmp_path: Path) -> None:
    assert list(read_documents([tmp_path])) == []


# --- size


def test_memory_does_not_grow_with_the_folder(tmp_path: Path) -> None:
    for number in range(3000):
        folder = tmp_path / f"{number // 100:02}"
        folder.mkdir(exist_ok=True)
        (folder / f"{number}.md").write_text("# Heading\n\n" + "word " * 200)
    found = read_documents([tmp_path])
    tracemalloc.start()
    for _ in range(300):
        next(found)
    early = tracemalloc.get_traced_memory()[1]
    assert sum(1 for _ in found) == 2700
    late = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert late < early + 200_000

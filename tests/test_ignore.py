"""Ignore files, compared with git itself on random repositories."""

import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from generators.docs.ignore import Selection
from generators.docs.walk import Found, Walk

NAMES = ["a", "b", "c.md", "d.md", "ab", "x y", "#h", "e.txt"]
PATTERNS = [
    *["a", "b/", "/a", "*.md", "!c.md", "a/b", "a/*", "/a/*", "!/a/b", "**/b", "a/**", "!a/**/c.md", "*", "!*/"],
    *["!*.md", "[ab]", "?", "a/", "!a", "!a/", "**/a/b", "\\#h", "#h", "x\\ y", "x y ", "ab ", "/", "!", "**"],
    *["a/**/b", "/*", "!/b/", "c.*", "d.md/", "a/c.md", "b/**/", "!b/**/", "***", "[!a]", "[a", "\\", "foo//bar"],
    *["!!a", "*/c.md", "*/*"],
]


@pytest.mark.skipif(not shutil.which("git"), reason="git is not installed")
@pytest.mark.parametrize("seed", range(40))
def test_the_walk_finds_what_git_does_not_ignore(tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    root = tmp_path.resolve()
    environment = {**os.environ, "HOME": str(tmp_path), "GIT_CONFIG_NOSYSTEM": "1"}
    subprocess.run(["git", "init", "-q", root], check=True, env=environment)
    folders = [root]
    for _ in range(dice.randint(2, 7)):
        folder = dice.choice(folders) / dice.choice(NAMES)
        if not folder.exists():
            folder.mkdir()
            folders.append(folder)
    for folder in folders:
        for name in dice.sample(NAMES, 6):
            if not (folder / name).exists():
                (folder / name).touch()
        if folder == root or dice.random() < 0.5:
            (folder / ".gitignore").write_text("\n".join(dice.choices(PATTERNS, k=dice.randint(1, 5))))
    listed = subprocess.run(
        ["git", "-C", root, "ls-files", "-z", "--others", "--exclude-standard"],
        check=True,
        env=environment,
        stdout=subprocess.PIPE,
    ).stdout.decode()
    found = [item.path for item in Walk(root, Selection((), ())) if isinstance(item, Found)]
    assert found == sorted(path for path in listed.split("\0") if path and not path.endswith(".gitignore"))

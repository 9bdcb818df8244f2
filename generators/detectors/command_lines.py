"""Passwords that command lines pass by a flag of one letter: ``mysql -p…``, ``sshpass -p …``, ``redis-cli -a …``.

    "sshpass -p k29sjdKL ssh host" ─▶ Finding("password", 11, 19)

``-p`` is a port or a path to most programs, so each flag is looked for behind the programs that read a password there.
Flags with a name (``--password …``) are found by it, elsewhere.
"""

import re
from collections.abc import Iterator

from generators.detectors.guesses import is_password, is_random, is_stand_in
from generators.finding import Finding

# What may stand between: other arguments, also on the next line after a backslash, but no other command.
_ARGUMENTS = r"(?:\\\n|[^\n|;&`]){0,200}?"
_VALUE = r"(?:\"([^\"\n]{1,200})\"|'([^'\n]{1,200})'|([^\s\"'`|;&<>-][^\s\"'`|;&<>]{0,199}))"
_LOGIN = r"(?<![\w-])(?:docker|podman|buildah|skopeo|nerdctl|helm|crane|oc|az|cf)\s[^\n|;&`]{0,40}?\blogin"
# A mark that is in every text with the program; the program; its flag.
_FLAGS = tuple(
    (mark, re.compile(rf"{program}\b{_ARGUMENTS}\s{flag}{_VALUE}"))
    for mark, program, flag in (
        ("mysql", r"mysql[\w-]{0,20}", "-p"),
        ("mariadb", r"mariadb[\w-]{0,20}", "-p"),
        ("sshpass", "sshpass", "-p[ =]?"),
        (" login", _LOGIN, "-p[ =]"),
        ("redis-", "redis-(?:cli|benchmark)", "-a[ =]?"),
        ("ldap", r"ldap(?:search|add|modify|delete|passwd|whoami)", "-w[ ]?"),
        ("sqlcmd", "sqlcmd", "-P[ ]?"),
        ("zip ", r"(?<![\w-])(?:un)?zip", "-P[ ]?"),
        ("7z", r"(?<![\w-])7z[ar]?", "-p"),
        ("mongo", r"mongo(?:sh|dump|restore|export|import)?", "-p[ ]"),
        ("smbclient", "smbclient", r"-U[ ]?[\"']?[^\s%\"']{1,64}%"),
        ("openssl", "openssl", "-pass(?:in|out)?[ ]pass:"),
        ("keytool", "keytool", "-(?:src|dest)?(?:store|key)pass[ ]"),
        ("htpasswd", "htpasswd", r"-\w{0,4}b\w{0,4}\s{1,4}\S{1,100}\s{1,4}\S{1,64}\s{1,4}"),
    )
)


def find_command_lines(text: str) -> Iterator[Finding]:
    """Find the passwords of programs whose flags are known."""
    if " -" not in text:
        return
    for mark, pattern in _FLAGS:
        if mark in text:
            for found in pattern.finditer(text):
                group = next(number for number in (1, 2, 3) if found[number] is not None)
                if _is_secret(found[group]):
                    yield Finding("password", *found.span(group))


def _is_secret(value: str) -> bool:
    return not value.isdigit() and (is_password(value) or (is_random(value) and not is_stand_in(value)))

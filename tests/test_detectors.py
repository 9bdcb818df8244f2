"""Each kind of private value: what is found in a text, and what is left alone."""

import re
import string
import time
from base64 import b64encode
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators.chunks import chunk_document
from generators.detectors.account_numbers import has_luhn
from generators.docs import markdown
from generators.docs.folder import FolderConfig, read_documents
from generators.privacy import PrivacyConfig, clean, find_private, redact
from generators.records import Chunk, Document, Skipped
from generators.templates import load_template

ROOT = Path(__file__).resolve().parent.parent
FACTS, LIGHT = load_template("facts"), load_template("facts-light")
CONFIG = PrivacyConfig()


def found(text, config=CONFIG):
    return [(each.kind, text[each.start : each.end]) for each in find_private(text, config)]


def chunk(text, heading=("Limits",), first_line=1):
    last_line = first_line + text.count("\n")
    return Chunk("c1", "a.md", heading, text, first_line, last_line, 20, rows=((0, first_line, last_line),))


def chunks_of(text, path="a.md"):
    parsed = markdown.read(text.encode(), path)
    return list(chunk_document(Document(path, "markdown", "", 0, parsed.title, parsed.blocks)))


# Each kind: what is found. The value is the part between ‹ and ›; without them, all of the text.

PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEAq1\nZm9v+/aa=\n-----END RSA PRIVATE KEY-----"
# Put together here, so that no scanner of repositories takes them for somebody's.
STRIPE = "sk_" + "live_4eC39HqLyjWDarjtT1zdp7dc"
SLACK = "xox" + "b-123456789012-1234567890123-abcDEFghiJKLmno"
SENDGRID = "SG" + ".ngeVfQFYQlKU0ufo8x5d1A.TwL2iGABf9DHoTf-09kqeF8tAmbihYzrnopKc-1s5cr"
TWILIO = "SK" + "0123456789abcdef0123456789abcdef"
PRIVATE = [
    ("api_key", "AKIAIOSFODNN7EXAMPLE"),
    ("api_key", "ASIAQWERTYUIOP123456"),
    ("api_key", "AWS: ‹wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY›"),
    ("api_key", "aws_secret_access_key = ‹wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY›"),
    ("token", "ghp_16C7e42F292c6912E7710c838347Ae178B4a"),
    ("token", "github_pat_11ABCDEFG0abcdefghijkl_0123456789abcdefghijABCDEFGHIJ0123456789abcdefghijABC"),
    ("token", "glpat-abcDEF123_ghiJKL456-x"),
    ("token", SLACK),
    ("api_key", STRIPE),
    ("api_key", "sk_test_4eC39HqLyjWDarjtT1zdp7dc"),
    ("api_key", "rk_live_51H8xqZ2eZvKYlo2C0a1b2c3"),
    ("token", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
    ("api_key", "sk-proj-abcDEF123456ghiJKL789012mno"),
    ("api_key", "sk-ant-api03-R2D2c3poAbCdEfGhIjKlMnOpQrStUv-wxYZ0123"),
    ("api_key", "AIzaSyA-1234567890abcdefghijklmnopqrstu"),
    ("token", "ya29.a0AfH6SMBx1234567890abcdefghijkl"),
    ("private_key", PEM),
    ("private_key", PEM.replace("\n", "\\n")),
    ("private_key", '"key": "‹-----BEGIN PRIVATE KEY-----\\nMIIEvQIBADANBgkqhkiG9w0B\\n-----END PRIVATE KEY-----›\\n"'),
    ("private_key", "PuTTY-User-Key-File-2: ssh-rsa\nEncryption: none\nPrivate-MAC: 0123456789abcdef0123"),
    ("private_key", "AGE-SECRET-KEY-1" + "QWERTYUIOPASDFGHJKLZXCVBNM0123456789QWERTYUIOPASDFGHJKLZXC"),
    ("api_key", "AccountKey=‹" + b64encode(bytes(range(64))).decode() + "›;EndpointSuffix=core"),
    ("token", "https://x.blob.core/?sv=1&sig=‹abcDEF123%2Fghi456JKL%2B789mnoPQR012stuVWX345yz%3D›"),
    ("token", "Q1w8Q~" + "abcdefghijklmnop.qrstuv-wxyz_0123"),
    ("api_key", SENDGRID),
    ("api_key", TWILIO),
    ("api_key", "AC0123456789abcdef0123456789abcdef"),
    ("token", "TWILIO_AUTH_TOKEN=‹0123456789abcdef0123456789abcdef›"),
    ("token", "npm_" + "abcDEF123456ghiJKL789012mnoPQR345678"),
    ("token", "pypi-AgEIcHlwaS5vcmcCJDAwMDAwMDAwLTAwMDAtMDAwMA"),
    ("token", "hf_" + "abcDEFghiJKLmnoPQRstuVWXyzABCdefGH"),
    ("token", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"),
    ("token", "Authorization: Bearer ‹mF_9.B5f-4.1JqM›"),
    ("token", "curl -H 'Authorization: Bearer ‹9f8e7d6c5b4a3f2e1d0c›' https://api.acme.io"),
    ("password", "Authorization: Basic ‹QWxhZGRpbjpvcGVuIHNlc2FtZQ==›"),
    ("token", "123456789:AAF1234abcdEFGHijklMNOPqrstUVWXyz0"),
    ("token", "https://hooks.slack.com/services/‹T0AB12CD3/B0AB12CD3/abcDEF123456abcDEF123456›"),
    ("token", "dop_v1_" + "0123456789abcdef" * 4),
    ("api_key", "key-0123456789abcdef0123456789abcdef"),
    ("token", "shpat_0123456789abcdef0123456789abcdef"),
    ("api_key", "acme_live_a1B2c3D4e5F6g7H8i9"),
    # Unknown keys of a known shape.
    ("api_key", 'api_key = "‹9f8e7d6c5b4a3f2e›"'),
    ("api_key", "X-Api-Key: ‹0123456789abcdef0123456789abcdef›"),
    ("api_key", '{"apiKey": "‹Zx81-Kq93-Lm27-Pw55›"}'),
    ("api_key", "https://api.acme.io/v1?api_key=‹9f8e7d6c5b4a3f2e›&page=1"),
    ("api_key", "acme --api-key ‹9f8e7d6c5b4a3f2e›"),
    ("api_key", "| API key | `‹9f8e7d6c5b4a3f2e1d0c›` |"),
    ("api_key", "The API key is `‹9f8e7d6c5b4a3f2e1d›`."),
    ("api_key", "api_key: ‹550e8400-e29b-41d4-a716-446655440000›"),
    ("token", "secret: ‹a3f5b2c8d1e4›"),
    ("token", "export ACME_TOKEN=‹7d9f3b2a1c5e›"),
    ("token", "X-Auth-Token: ‹AbC123xYz456QwErTy78›"),
    ("token", "client_secret=‹7Fjfp0ZBr1KtDRbnfVdmIw›"),
    ("password", "password: ‹hunter2›"),
    ("password", 'password = "‹S3cr3t!pass›"'),
    ("password", 'PASSWORD="‹correct horse battery staple›"'),
    ("password", "DB_PASS=‹Tr0ub4dor&3›"),
    ("password", "<password>‹Tr0ub4dor&3›</password>"),
    ("password", "Server=db;User Id=sa;Password=‹Str0ng!Pa$$›;Encrypt=true"),
    ("password", "postgres://app:‹hunter2›@db.internal/prod"),
    ("password", "redis://:‹p4ss:w0rd@x›@cache:6379/0"),
    ("password", "mongodb+srv://admin:‹Gx7yQ1›@cluster0.mongodb.net"),
    ("token", "git clone https://‹a1b2c3d4e5f6a7b8c9d0›@git.acme.io/x.git"),
    ("password", "curl -u admin:‹Xy7zz9q› https://acme.io"),
    ("password", 'auth=("alice", "‹Zx81-spectrum›")'),
    ("password", "machine acme.io login daniel password ‹qwerty1›"),
    # People and accounts.
    ("email", "Write to ‹jane.doe+billing@acme.io›."),
    ("email", "[mail](mailto:‹o'brien@mail.acme.co.uk›)"),
    ("email", "<‹jörg@müller.de›>"),
    ("email", "support@example.com"),
    ("phone", "call ‹+1 (415) 555-2671› now"),
    ("phone", "‹+4915112345678›"),
    ("phone", "To=%2B14155552671"[3:]),
    ("phone", "‹(415) 555-2671›, Monday"),
    ("phone", "415-555-2671"),
    ("phone", "555-0123"),
    ("phone", "Phone: ‹0171 1234567›"),
    ("phone", '"phone_number": "‹4155552671›"'),
    ("card", "4242 4242 4242 4242"),
    ("card", "card ‹5555555555554444› exp 12/26"),
    ("card", "3782-822463-10005"),
    ("card", "‹4111 1111 1111 1111› 12/26"),
    ("iban", "IBAN ‹DE89 3704 0044 0532 0130 00› EUR"),
    ("iban", "GB82WEST12345698765432"),
    ("national_id", "SSN ‹123-45-6789›"),
    ("national_id", "social security number: ‹219099999›"),
    ("national_id", "NI number ‹AB 12 34 56 C›"),
    ("national_id", "12345678Z"),
    ("national_id", "X1234567L"),
    ("national_id", "RSSMRA85T10A562S"),
    ("national_id", "‹2 55 08 14 168 025 38›"),
    ("national_id", "131052-308T"),
    ("national_id", "756.9217.0769.85"),
    ("national_id", "BSN: ‹111222333›"),
    ("national_id", "PESEL ‹44051401359›"),
    ("national_id", "Steuer-ID: ‹86095742719›"),
    ("national_id", "NHS number ‹943 476 5919›"),
]


@pytest.mark.parametrize(("kind", "text"), PRIVATE, ids=lambda value: value[:40])
def test_finds(kind, text):
    marked = re.search("‹(.*)›", text, re.DOTALL)
    value = marked[1] if marked else text
    plain = text.replace("‹", "").replace("›", "")
    assert found(plain) == [(kind, value)]
    redacted = redact(plain, CONFIG)
    assert re.fullmatch(
        re.escape(plain).replace(re.escape(value), rf"\[{kind.upper()}_[0-9a-f]{{1,4}}\]"), redacted, re.DOTALL
    )


INNOCENT = r"""
YOUR_API_KEY
api_key = "YOUR_API_KEY"
token: <token>
Authorization: Bearer <token>
sk_live_xxxxxxxxxxxxxxxx
ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxx
password: $PASSWORD
api_key=${API_KEY}
-H 'X-Api-Key: {api_key}'
Authorization: Bearer $TOKEN
Authorization: Bearer KEY
https://user:password@localhost:8030
https://$USER:$PASS@host/x
postgres://user:<password>@host/db
password="secret"
password=********
auth=("username", "password")
sk-...
AKIAXXXXXXXXXXXXXXXX
ACXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX
^AC[0-9a-fA-F]{32}$
^(SK|AC)[0-9a-f]{32}$
550e8400-e29b-41d4-a716-446655440000
`id` (string): 550e8400-e29b-41d4-a716-446655440000
Idempotency-Key: 550e8400-e29b-41d4-a716-446655440000
sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
The digest e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 is empty.
commit 9fceb02d0ae598e95dc970b74767f19372d61af8
2024-01-15
2024-01-15T10:30:00+00:00
Mon, 15 Jan 2024 10:00:00 +0000
20240115-1030
1700000000
1700000000000
v1.2.3
10.0.0.1
192.168.178.20:8080
port 65535
Python 3.11.4
shp_8fK2mQ9x
cus_4QFJOjw2pOmAGJ
req_a1b2c3d4e5
ORDER-2024-000123
max_tokens: 4096
token_type: Bearer
`page_token` (string): CAESBQgKEgECGAE1234
next_page_token=abc123def456ghi789
primary_key: customer_id_2024a
public_key: 9f8e7d6c5b4a3f2e1d
password: string
password (string): The user's password.
self.token = token
token = get_token(client_id_1)
password = unquote(password)
password = base64.b16encode(data[8:])
key = os.environ['API_KEY']
password: str | None = None
keyboard: qwertz12345
the key is called `max_size`
keyword: something2024new
secret santa
token bucket: 100 requests
Basic authentication is used
git@github.com:acme/docs.git
icon@2x.png
@app.get('/x')
pip install acme@1.2.3
a@b
user@localhost
docker run -u 1000:1000 acme
404 200 500 1000
250 500 1000 ms
limit 10000000
1,000,000
3.14159265358979
4242 4242 4242 4243
1234567890123456
DE89 3704 0044 0532 0130 01
000-12-3456
666-12-3456
12345678A
ISBN 978-3-16-148410-0
status 429
`ql_live_`
"access_token": "ql_at_EXAMPLE"
a long-hyphenated-identifier-name-of-a-thing
AccessTokenProviderFactory
com.acme.service.impl.TokenFactory
the API is at https://api.acme.io/v1/tokens/create
sk-loading-indicator-wrapper
Pass a `timeout` of 5 seconds.
arn:aws:iam::123456789012:role/Deploy
s3://bucket/key/part-00000
call the endpoint 20000000 times
up to 1500 +/- 20 ms
""".strip().split("\n")
INNOCENT += [
    "-----BEGIN PUBLIC KEY-----\nMFwwDQYJKoZIhvcNAQEBBQADSwAwSAJB\n-----END PUBLIC KEY-----",
    "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
]


@pytest.mark.parametrize("text", INNOCENT)
def test_does_not_find(text):
    assert found(text) == []
    assert redact(text, CONFIG) == text


@pytest.mark.parametrize("folder", ["examples/api_docs"])
def test_documentation_of_an_api_is_left_as_it_is(folder):
    texts = [
        each.text
        for document in read_documents([ROOT / folder], FolderConfig())
        if not isinstance(document, Skipped)
        for each in chunk_document(document)
    ]
    assert [hit for text in texts for hit in found(text)] == [("email", "limits@quayline.example")]


@pytest.mark.parametrize("part", ["begin", "middle", "end"])
def test_a_private_key_cut_by_chunks_is_found_in_each(part):
    body = "\n".join("MIIEowIBAAKCAQEAq1Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MGFiY2RlZmdoaWpr" for _ in range(8))
    begin, end = "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----"
    text = {
        "begin": f"It is:\n\n{begin}\n{body}",
        "middle": body,
        "end": f"{body}\nZm9vYmFy\n{end}\n\nKeep it safe.",
    }[part]
    redacted = redact(text, CONFIG)
    assert "Zm9v" not in redacted
    assert ("It is:" in redacted, "Keep it safe." in redacted) == (part == "begin", part == "end")


# Planted anywhere, whatever it is made of.

WORDS = st.sampled_from(
    [
        "The",
        "limit",
        "is",
        "42",
        "`page_size`",
        "-",
        "|",
        "naïve",
        "日本語",
        "(see",
        "below)",
        "**note**",
        "{",
        "}",
        "…",
    ]
)
AROUND = st.lists(st.tuples(WORDS, st.sampled_from([" ", "\n", "  ", "\n\n"])), max_size=8).map(
    lambda pairs: "".join(word + gap for word, gap in pairs)
)
ALNUM, HEX = string.ascii_letters + string.digits, "0123456789abcdef"


def characters(alphabet, size):
    return st.text(st.sampled_from(alphabet), min_size=size, max_size=size).filter(
        lambda text: len(set(text.lower())) > 5
    )


def mixed(size, alphabet=ALNUM):
    """Random enough: letters and digits take turns somewhere."""
    return characters(alphabet, size).filter(lambda text: len(re.findall(r"[A-Za-z]\d|\d[A-Za-z]", text)) > 3)


def with_check(digits):
    return next(digits + check for check in "0123456789" if has_luhn(digits + check))


def iban(digits):
    check = 98 - int(digits + "131400") % 97
    return f"DE{check:02d}{digits}"


NAMES = st.text(st.sampled_from(string.ascii_lowercase), min_size=2, max_size=9)
PLANTS = st.one_of(
    st.tuples(
        st.just("api_key"), st.just(("", "")), characters(string.ascii_uppercase + "234567", 16).map("AKIA".__add__)
    ),
    st.tuples(st.just("token"), st.just(("", "")), mixed(36).map("ghp_".__add__)),
    st.tuples(st.just("api_key"), st.just(("", "")), mixed(24).map("sk_live_".__add__)),
    st.tuples(st.just("token"), st.just(("", "")), characters(ALNUM, 20).map("glpat-".__add__)),
    st.tuples(st.just("api_key"), st.just(("", "")), mixed(40).map("sk-ant-api03-".__add__)),
    st.tuples(st.just("api_key"), st.just(("", "")), characters(HEX, 32).map("SK".__add__)),
    st.tuples(
        st.just("api_key"),
        st.sampled_from([('api_key = "', '"'), ("X-Api-Key: ", ""), ('"apiKey": "', '"'), ("?api_key=", "&a=1")]),
        mixed(24),
    ),
    st.tuples(
        st.just("token"),
        st.sampled_from([("Authorization: Bearer ", ""), ("token=", ""), ("secret: '", "'")]),
        mixed(24),
    ),
    st.tuples(
        st.just("password"),
        st.sampled_from([("://app:", "@db/x"), ("Password=", ";"), ('password: "', '"')]),
        mixed(12),
    ),
    st.tuples(
        st.just("private_key"),
        st.just(("", "")),
        characters(ALNUM + "+/", 64).map(
            lambda body: f"-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----"
        ),
    ),
    st.tuples(
        st.just("email"),
        st.just(("", "")),
        st.builds("{}.{}@{}.{}".format, NAMES, NAMES, NAMES, st.sampled_from(["com", "io", "de"])),
    ),
    st.tuples(st.just("phone"), st.just(("", "")), st.from_regex(r"\+[1-9][0-9]{9,13}", fullmatch=True)),
    st.tuples(
        st.just("phone"), st.just(("", "")), st.from_regex(r"\([2-9][0-9]{2}\) [2-9][0-9]{2}-[0-9]{4}", fullmatch=True)
    ),
    st.tuples(st.just("card"), st.just(("", "")), st.from_regex(r"4[0-9]{14}", fullmatch=True).map(with_check)),
    st.tuples(st.just("iban"), st.just(("", "")), st.from_regex(r"[0-9]{18}", fullmatch=True).map(iban)),
    st.tuples(
        st.just("national_id"),
        st.just(("", "")),
        st.from_regex(r"[1-5][0-9][1-9]-[1-9][0-9]-[1-9][0-9]{3}", fullmatch=True),
    ),
)


@given(AROUND, PLANTS, AROUND)
def test_whatever_is_planted_is_gone_and_nothing_else(before, plant, after):
    kind, (opening, closing), value = plant
    text = f"{before}{opening}{value}{closing}\n{after}"
    seen = clean(chunk(text), CONFIG)
    assert value not in seen.chunk.text
    placeholder = re.search(r"\[([A-Z_]+)_[0-9a-f]{1,4}\]", seen.chunk.text)
    assert placeholder
    assert seen.chunk.text == f"{before}{opening}{placeholder[0]}{closing}\n{after}"
    assert [spot.line for spot in seen.redacted] == [1 + before.count("\n")]
    assert [spot.kind for spot in seen.redacted] == [placeholder[1].lower()] == [kind]
    assert redact(seen.chunk.text, CONFIG) == seen.chunk.text


PIECES = st.sampled_from(
    [
        "api_key",
        "password",
        "token",
        "secret",
        "=",
        ": ",
        '"',
        "'",
        "\\",
        "@",
        "://",
        ".",
        "-",
        "+",
        "1",
        "4242 4242",
        " ",
        "\n",
        "a",
        "B7",
        "x.io",
        "Bearer ",
        "-u ",
        "AKIA",
        "ghp_",
        "eyJ",
        "{",
        "}",
        "[",
        "]",
        "<",
        ">",
        "|",
        "s",
        "/",
        "[EMAIL_1]",
        "[TOKEN_1f3a]",
        "-----BEGIN PRIVATE KEY-----",
        "\u200b",
        "\u200d",
        "<|im_start|>",
        "AbC123xYz456QwErTy78",
        "hunter2",
        "j@x.io",
        "+14155552671",
        "DE89370400440532013000",
    ]
)


@given(st.lists(PIECES | st.text(max_size=3), max_size=25).map("".join))
def test_redacting_twice_is_redacting_once(text):
    once = redact(text, CONFIG)
    assert find_private(once, CONFIG) == []
    assert redact(once, CONFIG) == once
    twice = clean(clean(chunk(text), CONFIG).chunk, CONFIG)
    assert twice.chunk.text == once
    assert not twice.redacted


@given(st.text(st.sampled_from("abc xyz.,\n*`_#|()é日"), max_size=200))
def test_plain_text_is_left_alone(text):
    assert redact(text, CONFIG) == text


HOSTILE = [
    "a",
    "A",
    "1",
    "_",
    "-",
    ".",
    "@",
    "+",
    " ",
    "/",
    "=",
    '"',
    "`",
    "<",
    "[",
    "|",
    ":",
    "\n",
    "é",
    "\u200b",
    "\u200d",
    "😀",
]
HOSTILE += [
    "a1",
    "aA1",
    "1 ",
    "a@",
    "key=",
    "://",
    "eyJ",
    "+1",
    "(1",
    "-----BEGIN PRIVATE KEY-----",
    "ignore all ",
    "<|",
]


@pytest.mark.parametrize("unit", HOSTILE)
def test_a_hostile_megabyte_takes_time_in_proportion(unit):
    """It takes less than a second; what grows with the square of the length would take minutes."""
    text = unit * (1_000_000 // len(unit))
    started = time.process_time()
    clean(chunk(text), CONFIG)
    assert time.process_time() - started < 10

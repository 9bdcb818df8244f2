"""Secrets that tell by their place: in a sentence, a table, a header, a cookie, a command line, behind escapes."""

import re
import time

import pytest

from generators.allow_list import AllowList
from generators.chunks import chunk_document
from generators.docs import html, markdown
from generators.privacy import PrivacyConfig, clean, find_private, redact
from generators.records import Chunk, Document
from generators.unescaped import as_read, unescaped

CONFIG = PrivacyConfig()
VALUE = "k29sjdKLsd98WQmnZx21pqLs"
GITHUB = "ghp_16C7e42F292c6912E7710c838347Ae178B4a"
STRIPE = "sk_" + "live_4eC39HqLyjWDarjtT1zdp7dc"
SLACK = "xox" + "b-123456789012-123456789012-abcdefGHIJKLmnopqrstuvwx"


def found(text, config=CONFIG):
    return [(each.kind, text[each.start : each.end]) for each in find_private(text, config)]


def escaped(value):
    return re.sub(r"([_-])", r"\\\1", value)


# The private part stands between ‹ and ›.
PRIVATE = [
    # As converters, addresses and pages write it.
    ("token", f"Use ‹{escaped(GITHUB)}› with 3 rows."),
    ("api_key", f"Use ‹{escaped(STRIPE)}›, please."),
    ("token", f"and ‹{escaped(SLACK)}› too"),
    ("token", "Use ‹gh**p_16C7e42F292c6912E7710c838347Ae178B4a›** here"),
    ("token", "Use ‹ghp_16C7e42F292c<wbr>6912E7710c838347Ae178B4a› here"),
    ("api_key", "‹AKIAIOSF&#79;DNN7ABCDEFH› here"),
    ("api_key", "**API key:** ‹9f8e7d6c5b4a3f2e1d›"),
    ("password", "- **Password:** ‹Zx9!sBQocBDsk› for all"),
    ("password", "<b>Password</b>: <code>‹Zx9!sBQocBDsk›</code>"),
    ("email", "?email=‹jo%40acmecorp.de›&n=3"),
    ("email", "write to ‹bob%2Bx%40acme.io›."),
    ("email", "write to ‹bob＠acme.io›."),
    ("email", "write to ‹bob&commat;acme.io›."),
    ("api_key", f"https://api.acme.io/?api%5Fkey=‹{VALUE}›"),
    # In sentences.
    ("password", "Log in with password: ‹Zx9!sBQocBDsk› and retry 3 times."),
    ("password", "Password: ‹correct-horse-battery9› works for 3 days."),
    ("password", "The password is ‹hunter2› for all of staging."),
    ("password", "The password ‹Zx9!sBQocBDsk› is for staging."),
    ("password", "password: ‹P4sw0rt!2024› (staging)"),
    ("password", "| password | ‹Zx9!sBQocBDsk› | for staging |"),
    ("api_key", f"The API key is: ‹{VALUE}›. Keep it."),
    ("api_key", f"Our API key ‹{VALUE}› is valid for 3 days."),
    ("token", f"The token `‹{VALUE}›` lasts 3 days."),
    ("token", f"Token - ‹{VALUE}› lasts"),
    ("token", f"Token \u2013 ‹{VALUE}› lasts"),
    ("token", "x-auth-token: ‹Wq8kLmn2PzOO99› 3"),
    # On the line below.
    ("api_key", f'{{"apiKey": \n  "‹{VALUE}›", "n": 3}}'),
    ("api_key", f"api_key:\n  ‹{VALUE}›\n3 days"),
    ("api_key", f"api_key: >-\n  ‹{VALUE}›\n"),
    ("api_key", f"Your API key is:\n\n```text\n‹{VALUE}›\n```\n"),
    ("token", f"tokens:\n  - ‹{VALUE}›\n"),
    ("password", "password:\n  ‹hunter2›\n"),
    # In tables.
    ("api_key", f"| environment | api_key |\n|---|---|\n| prod | ‹{VALUE}› |\n"),
    ("api_key", f"| environment | API\\_KEY |\n| --- | :-: |\n| prod | `‹{VALUE}›` |\n"),
    ("api_key", f"environment | API key\n--- | ---\nprod | ‹{VALUE}›\n"),
    ("password", "| user | password |\n|---|---|\n| bob | ‹Wq8#kLmn2Pz› |\n"),
    ("password", "| user | **Password** | n |\n|---|---|---|\n| bob | ‹hunter2› | 3 |\n"),
    ("token", f"| name | type | example |\n|---|---|---|\n| auth_token | string | `‹{VALUE}›` |\n"),
    ("api_key", f"> | user | key |\n> |---|---|\n> | bob | ‹{VALUE}› |\n"),
    # Sessions and cookies.
    ("token", f"Send `Cookie: session=‹{VALUE}›; theme=dark` with 3 rows."),
    ("token", f'{{"session": "‹{VALUE}›", "n": 3}}'),
    ("token", f"`X-Session-Id: ‹{VALUE}›` 3"),
    ("token", f"Set-Cookie: sid=‹{VALUE}›; Path=/; HttpOnly"),
    ("token", f"Cookie: theme=dark; connect.sid=‹s%3A{VALUE}.AbCdEf0123456789›; n=3"),
    ("token", f'requests.get(url, cookies={{"theme": "dark", "sid": "‹{VALUE}›"}})'),
    ("token", f"curl -b 'sid=‹{VALUE}›' https://h"),
    # Authorization.
    ("token", "Authorization: ApiKey ‹VnVhQ2ZHY0JDZGJrUW0tZTVhT3g6dWkybHAyYXhUTm1zeWFrdzl0dk5udw==› is valid"),
    ("token", "Authorization: Key ‹8f14e45fceea167a5a36dedd4bea2543› is valid"),
    ("token", f'"Authorization": "SSWS ‹{VALUE}›"'),
    ("token", 'Authorization: Digest username="x", response="‹Wq8kLmn2PzRR0099aabbccddeeff00112233›" 3'),
    # Command lines.
    ("password", "mysql -u root -p‹k29sjdKLsd98NN› db"),
    ("password", "mysqldump \\\n  -u root \\\n  -p'‹k29sjd KLsd98›' db"),
    ("password", "sshpass -p ‹k29sjdKLsd98OO› ssh h"),
    ("password", "docker login -u x -p ‹k29sjdKLsd98PP› r"),
    ("password", "redis-cli -h r -a ‹k29sjdKLsd98QQ› ping"),
    ("password", "openssl rsa -in k.pem -passin pass:‹k29sjdKLsd98›"),
    ("password", "http://api.acme.io/?pw=‹Wq8kLmn2PzDD›&n=3"),
    ("iban", "pay to `‹de89370400440532013000›` 3"),
]


@pytest.mark.parametrize(("kind", "text"), PRIVATE, ids=lambda value: value[:40])
def test_finds(kind, text):
    value, plain = re.search("‹(.*)›", text, re.DOTALL)[1], re.sub("[‹›]", "", text)
    assert found(plain) == [(kind, value)]
    redacted = redact(plain, CONFIG)
    assert re.fullmatch(
        re.escape(plain).replace(re.escape(value), rf"\[{kind.upper()}_[0-9a-f]{{1,4}}\]"), redacted, re.DOTALL
    )
    assert redact(redacted, CONFIG) == redacted


INNOCENT = [
    *r"""
The API key is required
The API key is: required for every call of the endpoint
API key authentication
API key - the key of your project, see api-keys-and-permissions-2024
token - the token to use
Token - a string of 32 characters
token authentication/v2/endpoints is used
the token endpoint_url_v2_of_the_service
password: string
password: string, min length 8
password (string, min length 8)
password: 8-64 characters
password: 12-character minimum
password: sha256 of the salted text
password: SHA-256-hashed text
password: utf8-encoded text
password is base64 encoded before it is sent
password is case-sensitive and long
password: OAuth2PasswordRequestForm is read
password is OAuth2-style here
password - bcrypt/argon2id hash of it
password: varchar255 not null
password must match [A-Za-z0-9]{8,}
password: self.password2 or other
password: required! See below
The password is at least 12characters long
password field2 is ignored
| api_key | string | yes | Your key |
| password | string | yes | At least 8 characters |
| token | string | no | `page_token_2` of the reply |
Authorization: Bearer <token>
Authorization: ApiKey YOUR_API_KEY
Authorization: ApiKey <base64 of id:key>
Authorization: Token authentication is used
Authorization: OAuth2 authorizationCode
Authorization: Digest username="x", response="<response>"
authorization: AuthorizationCodeGrant2 object
session: Session object
session = requests.Session()
session: AsyncSession | None = None
with Session(engine) as session: session.add(hero_1)
the session is closed after 30 minutes
session_id: <session id>
session - a `Session2` object
Cookie: session=<session>; theme=dark
Cookie: theme=dark; lang=en-GB; consent=2024-01-15
cookies={"session": session_id, "theme": "dark"}
cookies = httpx.Cookies()
tar -b 20 -cf a.tar
api_key=$API_KEY
api_key: {{token}}
The token is {{token}} or $API_TOKEN_2
token <YOUR_API_KEY>
mysql -u root -p mydb
mysql -u root -p$MYSQL_PASSWORD mydb
mysql --port 3306 -ppassword
sshpass -p "$PASS" ssh h
sshpass -e ssh host2.acme.example
docker run -p 8080:80 nginx:1.25.3
docker login -u x --password-stdin registry2.acme.example
redis-cli -a $REDIS_PASSWORD ping
zip -r archive2024.zip folder
mongosh --port 27017 -p
50%20of the%40 time
a%40b and icon%402x.png
https://unpkg.com/%40scope/package2@1.2.3
C:\_build\_static\_1
**kwargs and a ** b ** c
Pass `check_0d=True` to it, or pass `x2=Zx9!sBQoc`.
assert code(pw) == "2*piecewise(x < 1, x, x^2)"
Authorization: MAC id="h480djs93hd8",
HTTPS://user:$PASS%20or%2F@acme.io/x
snake\_case\_name\_of\_a\_parameter\_2
pw: 12 nm
de12 1234 1234 1234 1234 12
be68539007547034ab
public\_key: 9f8e7d6c5b4a3f2e1d
""".strip().split("\n"),
    "Pass the token:\n\n```python\nclient.get_something_by_name_v2()\n```\n",
    "api_key:\n  type: string\n  description: Your key\n",
    "token:\n  $ref: '#/components/schemas/Token2'\n",
    "password:\n  minLength: 8\n  maxLength: 64\n",
    "Send the API key:\n\n1. Open settings\n2. Copy it\n",
    "session:\n  SessionConfigurationOptions\n",
    "| Token | Meaning |\n|---|---|\n| `%Y` | year |\n| `next_page_token_2` | the next |\n",
    "| Parameter | Password |\n|---|---|\n| Type | string |\n| Length | 8-64 |\n| Hash | argon2id |\n",
    "| key | description |\n|---|---|\n| max_connections_2 | n |\n| e3b0c44298fc1c149afbf4c8996fb92427ae41e4 | x |\n",
    "| API key | Permissions |\n|---|---|\n| YOUR_API_KEY | read_users_v2 |\n| `<key>` | all |\n",
    "| token_id | n |\n|---|---|\n| k29sjdKLsd98WQmnZx21pq | 3 |\n",
    "| api_key | x |\n|---|---|\n\nid k29sjdKLsd98WQmnZx21pq | 3\n",
]


@pytest.mark.parametrize("text", INNOCENT)
def test_does_not_find(text):
    assert found(text) == []
    assert redact(text, CONFIG) == text


def test_a_value_has_one_placeholder_however_it_is_written():
    seen = redact(f"{GITHUB} or {escaped(GITHUB)}; jo@acme.io or jo%40acme.io", CONFIG)
    assert re.fullmatch(r"(\[TOKEN_[0-9a-f]{4}\]) or \1; (\[EMAIL_1\]) or \2", seen)


def test_what_is_allowed_or_a_sample_is_so_however_it_is_written():
    allow = AllowList(("first_last@acme.io",))
    text = r"first\_last@acme.io, first\_last%40acme.io"
    assert redact(text, PrivacyConfig(allow=allow)) == text
    assert redact("jo%40example.com", PrivacyConfig(samples="keep")) == "jo%40example.com"
    assert redact(text, CONFIG) == "[EMAIL_1], [EMAIL_1]"


def test_a_page_s_bold_letters_and_tables_hide_nothing():
    page = (
        f"<html><body><h1>Keys</h1><p>gh<b>{GITHUB[2:]}</b></p><table><tr><th>user</th><th>password</th></tr>"
        f"<tr><td>bob</td><td>Wq8#kLmn2Pz</td></tr></table><dl><dt>API key</dt><dd>{VALUE}</dd></dl></body></html>"
    )
    parsed = html.read(page.encode(), "a.html")
    chunks = chunk_document(Document("a.html", "html", "", 0, parsed.title, parsed.blocks))
    text = "\n".join(clean(each, CONFIG).chunk.text for each in chunks)
    assert not [value for value in (GITHUB[4:], "Wq8#", VALUE) if value in text]
    assert "| bob | [PASSWORD_1] |" in text


def test_the_line_and_kind_of_what_is_escaped_are_listed():
    text = f"# A\n\nOne.\nUse {escaped(GITHUB)} here.\n\n| n | password |\n|---|---|\n| 1 | hunter2 |\n"
    parsed = markdown.read(text.encode(), "a.md")
    chunks = chunk_document(Document("a.md", "markdown", "", 0, parsed.title, parsed.blocks))
    spots = [spot for each in chunks for spot in clean(each, CONFIG).redacted]
    assert [(spot.line, spot.kind) for spot in spots] == [(4, "token"), (8, "password")]


@pytest.mark.parametrize(
    ("text", "read"),
    [
        (r"ghp\_1 \\ x\n", r"ghp_1 \ x\n"),
        ("gh**p_1** a * b *c*", "ghp_1 a * b c"),
        ("a%40b &lt;c&gt; &nosuch; ＠ <b>d</b><x>", "a@b <c> &nosuch; @ d<x>"),
    ],
)
def test_each_letter_that_is_read_has_its_place_in_the_original(text, read):
    seen = unescaped(text)
    assert seen.text == read == as_read(text)
    for at in range(len(read)):
        assert as_read(text[slice(*seen.span(at, at + 1))]) in (read[at], "")


def test_lines_far_from_any_mark_are_not_read_again():
    assert unescaped("a plain text_with (brackets)\n" * 9) is None
    seen = unescaped("far\n" * 9 + "a\\_b\n" + "near\n" * 9 + "c\\_d\n")
    assert seen.text == "a_b\nnear\nnear\nnear\n\n\n\nc_d\n"
    assert seen.span(seen.text.index("c_d"), seen.text.index("c_d") + 3) == (86, 90)


HOSTILE = [
    "\\_",
    "%40",
    "%2F",
    "&#79;",
    "&a",
    "**a",
    "*",
    "<b ",
    "＠",
    "|-",
    "|-|\n",
    "| a |\n|---|\n",
    "token ",
    "password is ",
]
HOSTILE += [
    "key:\n",
    "token:\n\n```\n",
    "cookie: a=b;",
    "Cookie: ",
    " -b a=b;",
    "Authorization: X y=",
    "mysql -p ",
    "docker login ",
]
HOSTILE += ["htpasswd -b a b ", "ldapsearch ", "a1Bc", "zip \\\n", "session", "DE89 ", "A1!"]


@pytest.mark.parametrize("unit", HOSTILE)
def test_a_long_hostile_line_takes_time_in_proportion(unit):
    text = unit * (300_000 // len(unit))
    started = time.process_time()
    clean(Chunk("c1", "a.md", ("Limits",), text, 1, 1 + text.count("\n"), 20), CONFIG)
    assert time.process_time() - started < 10

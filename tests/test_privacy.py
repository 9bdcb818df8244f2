"""What stands where a private value stood, what the policies do, and that no request goes round them."""

import re
from dataclasses import replace

import pytest

from factory.config import resolve
from generators.allow_list import AllowList, read_allow_list
from generators.chunks import chunk_document
from generators.docs import markdown
from generators.errors import UsageError
from generators.finding import Finding
from generators.privacy import DETECTORS, KINDS, PrivacyConfig, clean, redact
from generators.qa import QaConfig, build_request, build_requests, recipe
from generators.records import Chunk, Document
from generators.templates import load_template

FACTS, LIGHT = load_template("facts"), load_template("facts-light")
CONFIG = PrivacyConfig()
STRIPE = "sk_" + "live_4eC39HqLyjWDarjtT1zdp7dc"
ONE_OF_EACH = {
    "api_key": STRIPE,
    "token": "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
    "private_key": "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0B\n-----END PRIVATE KEY-----",
    "password": "password: Tr0ub4dor&3",
    "email": "j@x.io",
    "phone": "+1 415 555 2671",
    "card": "4242 4242 4242 4242",
    "iban": "DE89 3704 0044 0532 0130 00",
    "national_id": "123-45-6789",
}


def chunk(text, heading=("Limits",)):
    last_line = 1 + text.count("\n")
    return Chunk("c1", "a.md", heading, text, 1, last_line, 20, rows=((0, 1, last_line),))


def chunks_of(text, path="a.md"):
    parsed = markdown.read(text.encode(), path)
    return list(chunk_document(Document(path, "markdown", "", 0, parsed.title, parsed.blocks)))


# What stands there instead.


def test_a_key_has_one_placeholder_in_every_chunk_and_two_keys_have_two():
    one, other = (f"key {STRIPE}{end}" for end in ("", "x"))
    assert redact(one, CONFIG) == redact(one, CONFIG) == redact(f"{one}\n", CONFIG).strip()
    assert redact(one, CONFIG) != redact(other, CONFIG)
    assert re.fullmatch(r"key \[API_KEY_[0-9a-f]{4}\]", redact(one, CONFIG))


def test_what_can_be_guessed_is_numbered_in_its_chunk():
    seen = clean(chunk("b@x.io and a@x.io, again B@x.io; [EMAIL_7] is ours", ("Ask a@x.io",)), CONFIG).chunk
    assert seen.heading == ("Ask [EMAIL_8]",)
    assert seen.text == "[EMAIL_9] and [EMAIL_8], again [EMAIL_9]; [EMAIL_7] is ours"
    phones = "+1 415 555 2671, +14155552671 and +1 415 555 2672"
    assert redact(phones, CONFIG) == "[PHONE_1], [PHONE_1] and [PHONE_2]"


def test_with_a_salt_a_value_has_one_placeholder_everywhere_and_another_salt_another():
    mine, yours = PrivacyConfig(salt="a long secret"), PrivacyConfig(salt="another one")
    assert redact("a@x.io", mine) == redact("A@x.io", mine)
    assert redact("c@x.io a@x.io", mine).endswith(redact("a@x.io", mine))
    assert redact("a@x.io", mine) != redact("a@x.io", yours)
    assert re.fullmatch(r"\[EMAIL_[0-9a-f]{4}\]", redact("a@x.io", mine))
    assert "long secret" not in repr(mine) + mine.fingerprint


@pytest.mark.parametrize("padding", range(0, 900, 60))
def test_no_key_is_cut_in_two_by_the_chunks(padding):
    key = "9f8e7d6c5b4a3f2e1d0c"
    items = ",".join(f'"n{number}":{number}' for number in range(120))
    minified = f'{{"{"p" * padding}":1,{items},"api_key":"{key}",{items},"token":"{key}",{items}}}'
    chunks = chunks_of(f"# A\n\n```json\n{minified}\n```\n")
    assert len(chunks) > 1
    assert not [each for each in chunks if key[:6] in clean(each, CONFIG).chunk.text]


# Policies.


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("policy", ["redact", "skip", "stop", "keep"])
def test_every_kind_has_its_policy(kind, policy):
    text = ONE_OF_EACH[kind]
    seen = clean(chunk(f"first\n\n{text}\n"), PrivacyConfig(policies={kind: policy}))
    kept = text in seen.chunk.text
    assert (kept, seen.withheld is not None, bool(seen.stopped)) == (
        policy == "keep",
        policy == "skip",
        policy == "stop",
    )
    if policy == "skip":
        assert (seen.withheld.stage, seen.withheld.reason, seen.withheld.chunk) == ("privacy", "private_chunk", "c1")
        assert seen.withheld.detail == f"{kind} in a.md:3"


def test_samples_are_redacted_unless_they_are_to_be_kept():
    samples = ("a@example.com", "b@mail.example.org", "c@acme.test", "d@x.invalid", "555-0123", "+1 415 555 0199")
    for each in samples:
        assert redact(each, CONFIG) != each
        assert redact(each, PrivacyConfig(samples="keep")) == each
    for each in ("a@example.com.acme.io", "a@exampleco.com", "555-1234", "+1 415 555 2671"):
        assert redact(each, PrivacyConfig(samples="keep")) != each


def test_a_detector_of_your_own_is_one_more():
    def names(text):
        return [Finding("name", *each.span()) for each in re.finditer("Ada Lovelace", text)]

    config = PrivacyConfig(detectors=(*DETECTORS, names))
    assert redact("Ask Ada Lovelace <ada@x.io>", config) == "Ask [NAME_1] <[EMAIL_1]>"
    assert config.fingerprint != CONFIG.fingerprint


def test_the_line_is_that_of_the_source():
    text = "# Title\n\nProse\nover lines.\n\n\n\n- one\n- two j@x.io\n\n"
    text += "```\nA=1\nAPI_KEY=9f8e7d6c5b4a3f2e\n```\n\n## c@x.io\n\nText.\n"
    spots = [spot for each in chunks_of(text) for spot in clean(each, CONFIG).redacted]
    assert [(spot.line, spot.kind) for spot in spots] == [(9, "email"), (13, "api_key"), (16, "email")]


# The allow list.


def test_an_allow_list_keeps_values_and_what_its_patterns_find(tmp_path):
    path = tmp_path / "allowed.txt"
    path.write_text(
        "# ours\nsupport@acme.io  # on every page\n\n/@docs\\.acme\\.io$/\n/^\\+1 800/\n4242 4242 4242 4242\n"
    )
    config = PrivacyConfig(allow=read_allow_list(str(path)))
    text = "support@acme.io x@docs.acme.io +1 800 555 2671 4242 4242 4242 4242"
    assert redact(text, config) == text
    assert redact("xsupport@acme.io x@acme.io", config) == "[EMAIL_1] [EMAIL_2]"
    assert "acme" not in repr(config)


def test_a_bad_pattern_is_named_with_its_file_and_line(tmp_path):
    path = tmp_path / "allowed.txt"
    path.write_text("fine@x.io\n\n/(unclosed/\n")
    with pytest.raises(UsageError, match=rf"{re.escape(str(path))}, line 3: .*no regular expression"):
        read_allow_list(str(path))
    with pytest.raises(UsageError, match="cannot read the allow list"):
        read_allow_list(str(tmp_path / "none"))


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('email = "drop"', "privacy.email = 'drop' must be one of redact, skip, stop, keep"),
        ('names = "redact"', "no setting 'privacy.names'"),
        ('instructions = "redact"', "privacy.instructions"),
        ("salt = 5", "privacy.salt is no text"),
        ("email = [1]", "privacy.email"),
    ],
)
def test_a_wrong_table_is_refused(table, said, tmp_path, monkeypatch):
    monkeypatch.delenv("FACTORY_CONFIG_FILE", raising=False)
    (tmp_path / "factory.toml").write_text(f"[privacy]\n{table}\n")
    with pytest.raises(UsageError) as refused:
        resolve({}, tmp_path)
    assert said in str(refused.value)


def test_the_table_is_read(tmp_path, monkeypatch):
    monkeypatch.delenv("FACTORY_CONFIG_FILE", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "allowed.txt").write_text("a@x.io\n")
    (tmp_path / "factory.toml").write_text(
        '[privacy]\nemail = "skip"\nphone = "keep"\nsamples = "keep"\nallow = "allowed.txt"\nsalt = "s"\n'
    )
    privacy = resolve({}, tmp_path).privacy
    assert [privacy.policy(kind) for kind in ("email", "phone", "card")] == ["skip", "keep", "redact"]
    assert (privacy.samples, privacy.allow.entries, privacy.salt) == ("keep", ["a@x.io"], "s")


# Where requests are built.


def request_text(asking):
    return "\n".join(message.content for message in asking.request.messages) + str(asking.request.schema)


@pytest.mark.parametrize("template", [FACTS, LIGHT], ids=["facts", "light"])
def test_no_request_holds_what_is_private(template):
    text = f"# Ask j@x.io\n\nThe key {STRIPE} is sent to `ops@acme.io` within 5 seconds. Call `+1 415 555 2671`.\n"
    for asking in build_requests(chunks_of(text), template, QaConfig()):
        sent = request_text(asking)
        assert not [value for value in ("j@x.io", STRIPE, "ops@acme.io", "555") if value in sent]
        assert "[EMAIL_1]" in sent
        assert asking.chunks[0].id == chunks_of(text)[0].id
        assert "[EMAIL_2]" in asking.chunks[0].text


def test_what_is_withheld_is_not_asked_about_and_what_stops_is_not_sent():
    found_chunks = chunks_of("# A\n\nAt most 5 calls.\n\n# B\n\nWrite to j@x.io.\n")
    skipping = QaConfig(privacy=PrivacyConfig(policies={"email": "skip"}))
    assert [each.heading for asking in build_requests(found_chunks, FACTS, skipping) for each in asking.chunks] == [
        ("A",)
    ]
    with pytest.raises(UsageError, match="withhold"):
        build_request(found_chunks[1:], FACTS, skipping)
    stopping = QaConfig(privacy=PrivacyConfig(policies={"email": "stop"}))
    with pytest.raises(UsageError, match=r"a\.md:7 email") as stopped:
        list(build_requests(found_chunks, FACTS, stopping))
    assert "j@x.io" not in str(stopped.value)


def test_a_request_does_not_change_when_another_chunk_does():
    first = "# A\n\nWrite to j@x.io or k@x.io.\n\n"
    one, other = (
        next(build_requests(chunks_of(f"{first}# B\n\nWrite to {name}@x.io.\n"), LIGHT, QaConfig())) for name in "lm"
    )
    assert one.request.identity("x") == other.request.identity("x")


def test_a_seal_spares_the_second_look_and_is_broken_by_a_letter():
    looks = []

    def watching(text):
        looks.append(text)
        return []

    config = PrivacyConfig(detectors=(*DETECTORS, watching))
    seen = clean(chunk("Write to j@x.io."), config).chunk
    looks.clear()
    assert clean(seen, config).chunk is seen
    assert not looks
    changed = replace(seen, text="Write to k@x.io.")
    assert clean(changed, config).chunk.text == "Write to [EMAIL_1]."
    assert looks
    assert clean(seen, PrivacyConfig(policies={"phone": "skip"})).chunk.text == seen.text


def test_other_privacy_settings_are_another_recipe():
    settings = [
        PrivacyConfig(),
        PrivacyConfig(policies={"email": "keep"}),
        PrivacyConfig(allow=AllowList(frozenset(["a@x.io"]))),
        PrivacyConfig(salt="s"),
        PrivacyConfig(samples="keep"),
        PrivacyConfig(instructions="keep"),
    ]
    recipes = {recipe(FACTS, QaConfig(privacy=each), "openai/x") for each in settings}
    assert len(recipes) == len(settings)
    assert recipe(FACTS, QaConfig(privacy=PrivacyConfig(policies={"email": "redact"})), "openai/x") in recipes

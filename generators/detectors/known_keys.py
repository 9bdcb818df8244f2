"""Keys and tokens that tell by their shape whose they are: a table of shapes.

    "ghp_16C7e42F292c6912E7710c838347Ae178B4a" ─▶ Finding("token", …)

The samples of the providers' own documentation are keys like any other. What is no key is a stand-in for one:
``sk_live_xxxxxxxx``, ``ghp_YOUR_TOKEN``.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from generators.detectors.guesses import is_filler, is_random
from generators.finding import Finding


@dataclass(frozen=True, slots=True, eq=False)
class _Shape:
    """A key's pattern; its body is group 1. ``least``: no text without a word so long holds one."""

    kind: str
    marks: tuple[str, ...]
    pattern: re.Pattern[str]
    random: bool
    least: int


def _shape(kind: str, marks: str, pattern: str, *, random: bool = False, least: int = 0) -> _Shape:
    return _Shape(kind, tuple(marks.split()), re.compile(pattern), random, least)


_EDGE = r"(?<![A-Za-z0-9])"
# Long bodies take all that follows, so that no end of a longer key than expected is left.
_SHAPES = (
    # Clouds
    _shape("api_key", "AKIA ASIA ABIA ACCA", r"(?:AKIA|ASIA|ABIA|ACCA)([A-Z0-9]{16,64})"),
    _shape("api_key", "AIza", r"AIza([\w-]{35,})"),
    _shape("token", "ya29.", r"ya29\.([\w.-]{20,})"),
    _shape("token", "GOCSPX-", r"GOCSPX-([\w-]{20,})"),
    _shape("token", "1//0", r"(?<![\w/:])1//0([\w-]{30,})"),
    _shape("api_key", "AccountKey= SharedAccessKey=", r"(?:Account|SharedAccess)Key=(?P<key>[A-Za-z0-9+/]{40,}={0,2})"),
    _shape("token", "sig=", r"(?<=[?&;])sig=(?P<key>[A-Za-z0-9%+/-]{40,}={0,2})"),
    _shape("token", "X-Amz-Signature=", r"X-Amz-Signature=(?P<key>[0-9a-f]{64})"),
    _shape("token", "Q~", r"(?<![\w~.-])[\w~.-]{3}[0-9]Q~([\w~.-]{31,34})"),
    _shape("api_key", "LTAI", _EDGE + r"LTAI([A-Za-z0-9]{12,24})(?![A-Za-z0-9])", random=True),
    _shape("token", "dop_v1_ doo_v1_ dor_v1_", r"do[opr]_v1_([0-9a-f]{64,})"),
    _shape("token", "hvs. hvb. hvr.", _EDGE + r"hv[sbr]\.([\w-]{20,})"),
    _shape("token", "atlasv1.", r"[A-Za-z0-9]{14}\.atlasv1\.([\w-]{40,})"),
    _shape("token", "dapi", _EDGE + r"dapi([0-9a-f]{32}(?:-\d)?)(?![0-9a-f])"),
    _shape("token", "sbp_ sb_secret_", _EDGE + r"(?:sbp|sb_secret)_([\w-]{20,})"),
    _shape("token", "pscale_", r"pscale_(?:tkn|pw|oauth)_([\w.=-]{20,})"),
    _shape("token", "HRKU-", r"HRKU-([\w-]{30,})"),
    _shape("token", "nfp_ vcp_ fo1_ rnd_", _EDGE + r"(?:nfp|vcp|fo1|rnd)_([\w-]{20,})", random=True),
    # Code and packages
    _shape("token", "ghp_ gho_ ghu_ ghs_ ghr_", r"gh[pousr]_([A-Za-z0-9]{20,})"),
    _shape("token", "github_pat_", r"github_pat_(\w{20,})"),
    _shape("token", "glpat- gldt- glrt- glptt- glcbt- glft- glimt- glagent- gloas- glsoat- GR1348941",
           r"(?:gl(?:pat|dt|rt|ptt|cbt|ft|imt|agent|oas|soat)-|GR1348941)([\w.-]{20,})"),
    _shape("token", "ATATT3 ATCTT3 ATBB", r"(?:ATATT3|ATCTT3|ATBB)([\w=-]{24,})"),
    _shape("token", "npm_", _EDGE + r"npm_([A-Za-z0-9]{30,})"),
    _shape("token", "pypi-", _EDGE + r"pypi-([\w-]{20,})", random=True),
    _shape("token", "rubygems_", r"rubygems_([0-9a-f]{32,})"),
    _shape("token", "dckr_pat_ dckr_oat_", r"dckr_[po]at_([\w-]{20,})"),
    _shape("token", "CLOJARS_", r"CLOJARS_([a-z0-9]{40,})"),
    _shape("token", "AKCp", _EDGE + r"AKCp([A-Za-z0-9]{60,})"),
    _shape("token", "cmVmdGtu", r"cmVmdGtu([A-Za-z0-9]{40,})"),
    _shape("token", "pul- PMAK- NRAK- NRII-", _EDGE + r"(?:pul-|PMAK-|NRAK-|NRII-)([\w-]{20,})", random=True),
    _shape("token", "sntrys_ sntryu_", r"sntry[su]_([\w+/=-]{30,})"),
    _shape("token", "glsa_ glc_", _EDGE + r"(?:glsa|glc)_([\w+/=]{30,})"),
    _shape("token", "dp.pt. dp.st. dp.sa.", _EDGE + r"dp\.(?:pt|st|sa|ct|scim|audit)\.([\w.-]{30,})"),
    _shape("token", "lin_api_ ntn_ figd_ fio-u- tfp_ rdme_",
           _EDGE + r"(?:lin_api_|ntn_|figd_|fio-u-|tfp_|rdme_)([\w-]{20,})", random=True),
    _shape("token", "secret_", _EDGE + r"secret_([A-Za-z0-9]{43})(?!\w)"),
    _shape("token", "pat", _EDGE + r"pat[A-Za-z0-9]{14}\.([0-9a-f]{64})", least=80),
    # Models
    _shape("api_key", "sk-", _EDGE + r"sk-((?:[a-z0-9]{2,10}-){0,3}[\w-]{16,})", random=True),
    _shape("token", "hf_ api_org_", _EDGE + r"(?:hf|api_org)_([A-Za-z0-9]{20,})", random=True),
    _shape("api_key", "gsk_ xai- pplx- r8_ fw_ nvapi- tgp_v1_",
           _EDGE + r"(?:gsk_|xai-|pplx-|r8_|fw_|nvapi-|tgp_v1_)([\w-]{20,})", random=True),
    # Chat
    _shape("token", "xox", _EDGE + r"xox[abceoprs](?:\.xox[bp])?-([A-Za-z0-9-]{10,})"),
    _shape("token", "xapp-", _EDGE + r"xapp-([A-Za-z0-9-]{20,})"),
    _shape("token", "hooks.slack.com/", r"hooks\.slack\.com/(?:services|workflows|triggers)/(?P<key>[\w+/-]{20,})"),
    _shape("token", "/api/webhooks/", r"discord(?:app)?\.com/api/webhooks/(?P<key>\d{5,}/[\w-]{30,})"),
    _shape("token", "webhook.office.com/", r"webhook\.office\.com/(?P<key>webhookb2/[\w@/-]{40,})"),
    _shape("token", ".", r"[MNO](?<![\w.-].)([\w-]{22,27}\.[\w-]{6,7}\.[\w-]{27,})", random=True, least=57),
    _shape("token", ":AA", _EDGE + r"(\d{8,10}:AA[\w-]{32,33})(?![\w-])"),
    # Payment and post
    _shape("api_key", "sk_ rk_", _EDGE + r"[sr]k_(?:live|test|prod)_([A-Za-z0-9]{10,})"),
    _shape("token", "whsec_", _EDGE + r"whsec_([A-Za-z0-9+/=_-]{16,})"),
    _shape("token", "sq0", _EDGE + r"sq0[a-z]{3}-([\w-]{22,})"),
    _shape("token", "access_token$", r"access_token\$(?:production|sandbox)\$([0-9a-z]{16}\$[0-9a-f]{32})"),
    _shape("api_key", "FLWSECK", r"FLWSECK(?:_TEST)?-([\w-]{12,})"),
    _shape("api_key", "EZAK EZTK", _EDGE + r"EZ[AT]K([A-Za-z0-9]{54,})"),
    _shape("api_key", "shippo_", r"shippo_(?:live|test)_([0-9a-f]{40,})"),
    _shape("token", "shpat_ shpca_ shppa_ shpss_", r"shp(?:at|ca|pa|ss)_([0-9a-fA-F]{32,})"),
    _shape("api_key", "SG.", _EDGE + r"SG\.([\w-]{16,32}\.[\w-]{16,64})"),
    _shape("api_key", "key- pubkey-", r"(?<![\w-])(?:pub)?key-([0-9a-f]{32})(?![0-9a-f])"),
    _shape("api_key", "-us", _EDGE + r"([0-9a-f]{32}-us\d{1,2})(?!\w)", least=36),
    _shape("api_key", "-", _EDGE + r"([0-9a-f]{32}-[0-9a-f]{8}-[0-9a-f]{8})(?![\w-])", least=50),
    _shape("api_key", "xkeysib- xsmtpsib-", r"x(?:key|smtp)sib-([0-9a-f]{64}-?[\w-]*)"),
    _shape("api_key", "SK AC", _EDGE + r"(?:SK|AC)([0-9a-f]{32})(?![A-Za-z0-9])", least=34),
    # Everybody's
    _shape("token", "eyJ", r"(?<![\w-])(eyJ[\w-]{8,}+(?:\.[\w-]*+){1,4})"),
    _shape("private_key", "AGE-SECRET-KEY-1", r"AGE-SECRET-KEY-1([A-Z0-9]{58})"),
    # An unknown provider's, of the shape that many have taken over: a prefix, what it is for, a random body.
    _shape("api_key", "_live_ _test_ _prod_ _sandbox_ _secret_ _sk_ _at_ _pat_ _key_",
           _EDGE + r"[a-z][a-z0-9]{1,11}_(?:live|test|prod|sandbox|secret|sk|at|pat|key)_([A-Za-z0-9]{16,})",
           random=True),
)  # fmt: skip
_BY_MARK = tuple((mark, shape) for shape in _SHAPES for mark in shape.marks)
_SHORTEST, _SECRET_LENGTH = 15, 40
_SECRET_KEY = re.compile(r"(?<![A-Za-z0-9+/=])[A-Za-z0-9+/]{40}(?![A-Za-z0-9+/=])")
_AWS = re.compile(r"(?i:aws|amazon)|AKIA|ASIA")


def find_known_keys(text: str) -> Iterator[Finding]:
    """Find the keys of known shapes; a key is a long word, so most texts hold none."""
    words = [word for word in text.split() if len(word) >= _SHORTEST]
    if not words:
        return
    longest, joined = max(map(len, words)), " ".join(words)
    likely = {shape: None for mark, shape in _BY_MARK if mark in joined}
    for shape in likely:
        if longest >= shape.least:
            yield from _of_shape(shape, text)
    if longest >= _SECRET_LENGTH:
        yield from _aws_secrets(text)


def _of_shape(shape: _Shape, text: str) -> Iterator[Finding]:
    # Where the pattern holds what stands before the key, only the key is private.
    group = "key" if "key" in shape.pattern.groupindex else 0
    for found in shape.pattern.finditer(text):
        if not is_filler(found[1]) and (not shape.random or is_random(found[1])):
            yield Finding(shape.kind, *found.span(group))


def _aws_secrets(text: str) -> Iterator[Finding]:
    """The forty characters that belong to an access key have no mark of their own: Amazon must be spoken of."""
    found = list(_SECRET_KEY.finditer(text))
    if found and _AWS.search(text):
        for each in found:
            value = each[0]
            mixed = any(map(str.isupper, value)) and any(map(str.islower, value)) and any(map(str.isdigit, value))
            if mixed and value.count("/") < 5 and is_random(value):
                yield Finding("api_key", each.start(), each.end())

"""What a statement can be asked for: one focus, and the words that questions about it are made of.

Focus("4 times", ("How many times",)) ─▶ the schema that binds a small teacher's question (``generators.qa``)
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Focus:
    """Something that a statement answers.

    Attributes:
        asks: The part of the statement, or what of it, as told to the teacher.
        opening: The words that the question begins with, one of them.
        whole: The opening may be the whole question.
    """

    asks: str
    opening: tuple[str, ...]
    whole: bool = False


# What technical prose calls the things it names: "the `trio` package" can be asked for as "Which package …?".
NOUN = (
    r"(?:environment variable|keyword argument|query parameter|path parameter|command[- ]line option|error code|"
    r"status code|exit code|event type|data type|content type|media type|config(?:uration)? (?:key|option|file)|"
    r"response header|request header|context manager|parameter|argument|option|flag|switch|field|property|attribute|"
    r"header|cookie|method|function|class|package|library|module|extension|plug-?in|API|endpoint|route|variable|"
    r"keyword|constructor|decorator|interface|protocol|exception|error|warning|setting|command|subcommand|tool|scope|"
    r"permission|role|event|webhook|type|status|state|section|key|token|plan|tier|object|operation|resource|format|"
    r"encoding|scheme|algorithm|model|callback|hook|handler|middleware|backend|driver|adapter|client|server|service|"
    r"tag|label|prefix|suffix|column|table|directive|element|dictionary|file|folder|directory|path|branch|image|"
    r"container|node|pod|cluster|namespace|region|queue|topic|index|filter|query|expression|operator|macro|signal|"
    r"register|instruction|constant|enum|struct|trait|annotation|marker|fixture|mode|level|strategy|policy|profile|"
    r"template|schema|currency|unit)"
)
UNIT = (
    r"(?:times|bytes|bits|characters|letters|digits|lines|seconds?|minutes?|hours?|days?|weeks?|months?|years?|"
    r"milliseconds?|[kMGT]i?B|ms|requests?|calls?|items?|pages?|retries|attempts?|rows?|records?|entries|keys?|users?|"
    r"events?|endpoints?|addresses|files?|connections?|threads?|workers?|processes|cores?|euros?|dollars?|cents?|"
    r"percent|kilometers|meters|kg|grams|cm|mm|km|MHz|GHz|[a-z]{3,}s(?! (?:the|an?|its|also|every|all)\b))"
)
TIME = r"(?:seconds?|minutes?|hours?|days?|weeks?|months?|years?|milliseconds?|ms)"


def base_form(verb: str) -> str:
    """The infinitive of a verb in the third person: ``matches`` gives ``match``; empty if that would be a guess."""
    if verb.endswith("ies"):
        return verb[:-3] + "y"
    if verb.endswith(("sses", "shes", "ches", "xes", "zzes")):
        return verb[:-2]
    return "" if verb.endswith(("oes", "ss", "us", "is")) else verb[:-1]

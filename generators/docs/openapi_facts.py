"""The keywords of one schema that need no look at other schemas -> phrases such as ``minimum 1``."""

from generators.docs.marks import code, codes
from generators.docs.openapi_tree import Node, Numeral, flag, mapping, sequence, string
from generators.docs.openapi_values import literal, literals

MAX_ENUM = 200
MAX_EXAMPLES = 8
MAX_OBJECT_EXAMPLE = 200
# An enum beyond this moves behind the description, where it does not part the name from its meaning.
SHORT_ENUM = 100

_LIMITS = (
    ("minimum", "minimum {}"),
    ("maximum", "maximum {}"),
    ("multipleOf", "multiple of {}"),
    ("minLength", "min length {}"),
    ("maxLength", "max length {}"),
    ("minItems", "min items {}"),
    ("maxItems", "max items {}"),
    ("minProperties", "min properties {}"),
    ("maxProperties", "max properties {}"),
)
_FLAGS = (
    ("uniqueItems", "unique items"),
    ("readOnly", "read-only"),
    ("writeOnly", "write-only"),
    ("allowEmptyValue", "may be empty"),
    ("deprecated", "deprecated"),
)
_SEPARATORS = {
    "csv": "comma-separated",
    "ssv": "space-separated",
    "tsv": "tab-separated",
    "pipes": "separated by `|`",
    "multi": "given once per value",
    "spaceDelimited": "space-separated",
    "pipeDelimited": "separated by `|`",
    "deepObject": "written as `name[key]=value`",
}
_RARE = ("not", "if", "then", "else", "contains", "dependentRequired", "dependentSchemas", "propertyNames")


def type_names(schema: Node) -> list[str]:
    """The types that a schema names, or that its other keywords imply; without ``null``."""
    declared = schema.get("type")
    names = declared if isinstance(declared, list) else [declared]
    types = [name for name in names if isinstance(name, str) and name != "null"]
    if types or declared:
        return types
    if any(key in schema for key in ("properties", "additionalProperties", "patternProperties")):
        return ["object"]
    if "items" in schema or "prefixItems" in schema:
        return ["array"]
    values = sequence(schema, "enum") or ([schema["const"]] if "const" in schema else [])
    return [_type_of_value(values[0])] if values else []


def _type_of_value(value: Node) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, Numeral):
        return "number" if "." in value else "integer"
    return "object" if isinstance(value, dict) else "array" if isinstance(value, list) else "string"


def is_nullable(schema: Node) -> bool:
    """Whether null is allowed, in the words of 3.0, 3.1 or Swagger 2."""
    return flag(schema, "nullable") or flag(schema, "x-nullable") or "null" in sequence(schema, "type")


def constraints(schema: Node) -> list[str]:
    """What limits the value, each as a short phrase."""
    phrases = [f"format {string(schema, 'format')}"] if string(schema, "format") else []
    phrases += [
        f"{words} {literal(schema[key])}"
        for key, words in (("contentMediaType", "content type"), ("contentEncoding", "encoded as"))
        if string(schema, key)
    ]
    if "default" in schema:
        phrases.append(f"default {literal(schema['default'])}")
    phrases += _values(schema)
    phrases += _exclusive_limits(schema)
    phrases += [words.format(schema[key]) for key, words in _LIMITS if _is_inclusive(schema, key)]
    if string(schema, "pattern"):
        phrases.append(f"pattern {code(string(schema, 'pattern'))}")
    phrases += [words for key, words in _FLAGS if flag(schema, key)]
    return phrases + _separator(schema)


def _values(schema: Node) -> list[str]:
    if "const" in schema:
        return [f"always {literal(schema['const'])}"]
    values = sequence(schema, "enum")
    row = literals(values, MAX_ENUM)
    if not values or len(row) > SHORT_ENUM:
        return []
    return [f"always {row}" if len(values) == 1 else f"one of {row}"]


def _is_inclusive(schema: Node, key: str) -> bool:
    if not isinstance(schema.get(key), str):
        return False
    return not flag(schema, f"exclusive{key[0].upper()}{key[1:]}")


def _exclusive_limits(schema: Node) -> list[str]:
    """OpenAPI 3.0 has a flag beside the limit, 3.1 has the limit itself under ``exclusive…``."""
    phrases = []
    for key, base, words in (
        ("exclusiveMinimum", "minimum", "greater than"),
        ("exclusiveMaximum", "maximum", "less than"),
    ):
        limit = schema.get(base) if flag(schema, key) else schema.get(key)
        if isinstance(limit, Numeral):
            phrases.append(f"{words} {limit}")
    return phrases


def _separator(schema: Node) -> list[str]:
    words = _SEPARATORS.get(string(schema, "collectionFormat")) or _SEPARATORS.get(string(schema, "style"))
    if words is None and schema.get("explode") is False and "array" in type_names(schema):
        words = "comma-separated"
    return [words] if words else []


def remarks(schema: Node) -> list[str]:
    """What is too long for a phrase, each as a sentence."""
    values = sequence(schema, "enum")
    row = literals(values, MAX_ENUM)
    sentences = [f"Allowed values: {row}."] if len(row) > SHORT_ENUM and "const" not in schema else []
    sentences += discriminator(schema) + _examples(schema)
    dependent = [
        f"When {code(key)} is given, {codes(str(name) for name in names)} must be given too."
        for key, names in mapping(schema, "dependentRequired").items()
        if isinstance(names, list)
    ]
    rare = [f"Rule `{key}`: {literal(schema[key])}." for key in _RARE if key in schema and key != "dependentRequired"]
    more = string(mapping(schema, "externalDocs"), "url")
    return sentences + dependent + rare + ([f"More: {more}"] if more else [])


def _examples(schema: Node) -> list[str]:
    """Small examples in a line; a large object would only repeat what the examples of whole bodies show."""
    values = [schema["example"]] if "example" in schema else sequence(schema, "examples")
    row = literals((value for value in values if not _is_large(value)), MAX_EXAMPLES)
    if not row:
        return []
    return [f"Example: {row}." if len(values) == 1 else f"Examples: {row}."]


def _is_large(value: Node) -> bool:
    return isinstance(value, (dict, list)) and len(literal(value)) > MAX_OBJECT_EXAMPLE


def discriminator(schema: Node) -> list[str]:
    """Which property tells the alternatives apart, as at most one sentence."""
    if string(schema, "discriminator"):  # Swagger 2 has only the name
        return [f"The property {code(string(schema, 'discriminator'))} tells which kind it is."]
    name = string(mapping(schema, "discriminator"), "propertyName")
    if not name:
        return []
    kinds = [
        f"{code(value)} is {code(str(target).rsplit('/', 1)[-1])}"
        for value, target in mapping(mapping(schema, "discriminator"), "mapping").items()
    ]
    return [f"The property {code(name)} tells which{': ' if kinds else ''}{', '.join(kinds)}."]

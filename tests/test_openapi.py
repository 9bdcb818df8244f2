"""The OpenAPI reader: one section per operation and schema, saying all that the description says."""

import json
import time
import tracemalloc

import pytest

from generators.docs.openapi import read
from generators.errors import UnreadableDocumentError

SPEC = """\
openapi: 3.1.0
info:
  title: Key service
  version: 1.10
  description: |
    Manages keys.

    # Limits
    60 calls a minute.
servers:
  - url: https://api.example.com/v1
    description: Production
security:
  - bearer: []
paths:
  /keys:
    parameters:
      - $ref: '#/components/parameters/Trace'
    get:
      summary: List keys
      operationId: listKeys
      parameters:
        - name: PageSize
          in: query
          description: How many keys to return.
          schema: {type: integer, default: 50, minimum: 1, maximum: 1000}
        - {name: state, in: query, schema: {type: string, enum: [on, off, expired], default: on}}
        - {name: since, in: query, schema: {type: string, format: date}, example: 2024-01-01}
      responses:
        200:
          description: The keys.
          headers:
            X-Total: {description: How many there are., schema: {type: integer}}
          content:
            application/json:
              schema: {type: array, items: {$ref: '#/components/schemas/Key'}}
              example: [{id: k1, cost: 1.10, owner: {name: Ann}}]
        '404': {$ref: '#/components/responses/Missing'}
        default:
          description: Anything else.
          content: {application/json: {schema: {$ref: '#/components/schemas/Error'}}}

    post:
      summary: 'Full documentation: https://docs.example.com/keys'
      operationId: createKey
      deprecated: true
      security: []
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              required: [name]
              properties:
                name: {type: string, maxLength: 64, pattern: '^[a-z]+$', example: ci}
                owner: {$ref: '#/components/schemas/Owner', description: Who pays.}
                limits:
                  type: object
                  properties:
                    daily: {type: [integer, 'null'], exclusiveMinimum: 0}
                kind:
                  oneOf: [{$ref: '#/components/schemas/Key'}, {type: string}]
      responses: {201: {description: Created.}}
      callbacks:
        rotated:
          '{$request.body#/url}':
            post: {description: Sent when a key rotates.}
webhooks:
  keyExpired:
    post: {summary: A key has expired}
components:
  securitySchemes:
    bearer: {type: http, scheme: bearer, bearerFormat: JWT, description: From the console.}
  parameters:
    Trace: {name: X-Trace, in: header, schema: {type: string}}
  responses:
    Missing: {description: No such key.}
  schemas:
    Key:
      type: object
      description: A key.
      required: [id]
      properties:
        id: {type: string, readOnly: true}
        owner: {$ref: '#/components/schemas/Owner'}
        parent: {$ref: '#/components/schemas/Key'}
      example: {id: k1}
    Owner:
      type: object
      properties:
        name: {type: string, description: Full name.}
    Admin:
      allOf:
        - $ref: '#/components/schemas/Owner'
        - {type: object, required: [level], properties: {level: {type: integer}}}
    Error:
      type: object
      properties: {code: {type: string}}
"""


def parse(text=SPEC, name="api.yaml"):
    return read(text.encode(), name)


def sections(text=SPEC, name="api.yaml"):
    """Title of each section -> its text."""
    found, title = {}, ""
    for block in parse(text, name).blocks:
        if block.kind == "heading":
            title = block.text
            found[title] = []
        else:
            found[title].append(block.text)
    return {title: "\n".join(lines) for title, lines in found.items()}


def reason(text, name="api.yaml"):
    with pytest.raises(UnreadableDocumentError) as caught:
        read(text.encode(), name)
    return caught.value.reason, caught.value.detail


def test_sections_and_their_kinds():
    parsed = parse()
    assert parsed.title == "Key service"
    assert [(block.level, block.section, block.text) for block in parsed.blocks if block.kind == "heading"] == [
        (1, "section", "Key service"),
        (2, "section", "Limits"),
        (2, "section", "Servers"),
        (2, "section", "Authentication"),
        (2, "operation", "GET /keys: List keys"),
        (2, "operation", "POST /keys: createKey"),
        (2, "operation", "Webhook keyExpired (POST): A key has expired"),
        (2, "schema", "Schema Key"),
        (2, "schema", "Schema Owner"),
        (2, "schema", "Schema Admin"),
        (2, "schema", "Schema Error"),
    ]


def test_an_operation_says_everything():
    assert sections()["GET /keys: List keys"].split("\n") == [
        "`GET /keys` (operation id `listKeys`): List keys",
        "Authentication required: `bearer`.",
        "Parameters:",
        "- `X-Trace` (header, string, optional)",
        "- `PageSize` (query, integer, optional, default 50, minimum 1, maximum 1000): How many keys to return.",
        "- `state` (query, string, optional, default `on`, one of `on`, `off`, `expired`)",
        "- `since` (query, string, optional, format date): Example: `2024-01-01`.",
        "Responses:",
        "- `200`: The keys. Content `application/json`: array of `Key`.",
        "  - `id` (string, required, read-only)",
        "  - `owner` (`Owner`): See schema `Owner`.",
        "  - `parent` (`Key`): See schema `Key`.",
        "  - `X-Total` (response header, integer): How many there are.",
        "- `404`: No such key.",
        "- `default` (any other status): Anything else. Content `application/json`: `Error`. See schema `Error`.",
        "Example of the response `200`, `application/json`:",
        "```json",
        "[",
        "  {",
        '    "id": "k1",',
        '    "cost": 1.10,',
        '    "owner": {',
        '      "name": "Ann"',
        "    }",
        "  }",
        "]",
        "```",
    ]


def test_a_request_body_unfolds_one_reference_deep():
    text = sections()["POST /keys: createKey"]
    for line in (
        "This operation is deprecated.",
        "`POST /keys` (operation id `createKey`): Full documentation: https://docs.example.com/keys",
        "Authentication: none needed.",
        "Request body (required): Content `application/json`: object.",
        "- `name` (string, required, max length 64, pattern `^[a-z]+$`): Example: `ci`.",
        "- `owner` (object `Owner`, optional): Who pays.",
        "  - `name` (string, optional): Full name.",
        "  - `daily` (integer, optional, nullable, greater than 0)",
        "- `kind` (`Key` or string, optional)",
        "- Callback `rotated`: POST `{$request.body#/url}`: Sent when a key rotates.",
    ):
        assert line in text.split("\n")


def test_a_schema_names_the_schemas_it_uses():
    found = sections()
    assert "- `owner` (`Owner`): See schema `Owner`." in found["Schema Key"]
    assert "Includes all properties of schema `Owner`.\n- `level` (integer, required)" in found["Schema Admin"]
    assert found["Schema Key"].endswith('Example of `Key`:\n```json\n{\n  "id": "k1"\n}\n```')


def test_the_server_stands_in_one_section_only():
    before, after = sections(), sections(SPEC.replace("https://api.example.com/v1", "https://other.test/v2"))
    assert [title for title in before if before[title] != after[title]] == ["Servers"]
    swagger = (
        "swagger: '2.0'\ninfo: {title: A}\nhost: a.test\nbasePath: /v1\nschemes: [https]\npaths: {/x: {get: {}}}\n"
    )
    before, after = sections(swagger), sections(swagger.replace("a.test", "b.test").replace("/v1", "/v9"))
    assert before["Servers"] == "- `https://a.test/v1`"
    assert [title for title in before if before[title] != after[title]] == ["Servers"]


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        ("How many keys to return", "The page size", {"GET /keys: List keys"}),
        ("Full name.", "Whole name.", {"POST /keys: createKey", "Schema Owner"}),
        ("{name: Ann}", "{name: Bob}", {"GET /keys: List keys"}),
        ("A key.", "The key.", {"POST /keys: createKey", "Schema Key"}),
        ("{code: {type", "{code: {format: x, type", {"Schema Error"}),
    ],
)
def test_an_edit_changes_only_what_shows_it(old, new, changed):
    before, after = sections(), sections(SPEC.replace(old, new, 1))
    assert {title for title in before if before[title] != after[title]} == changed


def test_json_says_the_same_as_yaml():
    import yaml

    class Literal(yaml.SafeLoader):
        """Keeps dates and ``on`` as text, as the reader does."""

    Literal.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in found if tag.rsplit(":", 1)[1] in ("int", "float", "null", "merge")]
        for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    tree = yaml.load(SPEC, Loader=Literal)
    tree["info"]["version"] = "1.10"
    as_json = json.dumps(tree, indent="\t").replace('"cost": 1.1', '"cost": 1.10').replace('"true"', "true")
    assert sections(as_json, "api.json") == sections()


def test_lines_are_those_of_the_source():
    def spans(text, name):
        headings = [block for block in parse(text, name).blocks if block.kind == "heading"]
        return {block.text: (block.first_line, block.last_line) for block in headings}

    lines = SPEC.split("\n")
    first, last = spans(SPEC, "api.yaml")["GET /keys: List keys"]
    assert lines[first - 1].strip() == "get:"
    assert lines[last - 1].strip().startswith("content: {application/json")  # not the blank line behind it
    first, last = spans(SPEC, "api.yaml")["Schema Owner"]
    assert (lines[first - 1].strip(), lines[last - 1].strip()[:5]) == ("Owner:", "name:")
    text = (
        '{"openapi": "3.0.0",\n"paths": {"/a": {\n"get": {"summary": "\\"post\\": {"},\n"post": {\n"summary": "B"}}}}'
    )
    assert spans(text, "api.json") == {'GET /a: "post": {': (3, 3), "POST /a: B": (4, 5)}


def test_swagger_2():
    found = sections("""\
swagger: '2.0'
info: {title: Pets}
consumes: [application/json]
produces: [application/json]
securityDefinitions:
  login: {type: oauth2, flow: implicit, authorizationUrl: 'https://a.test/o', scopes: {'read:pets': See pets}}
paths:
  /pets:
    post:
      security: [{login: ['read:pets']}]
      parameters:
        - {name: body, in: body, required: true, schema: {$ref: '#/definitions/Pet'}}
        - {name: tags, in: query, type: array, items: {type: string, enum: [a, b]}, collectionFormat: csv}
      responses:
        200: {description: OK, schema: {$ref: '#/definitions/Pet'}, examples: {application/json: {id: 1}}}
  /photo:
    post:
      consumes: [multipart/form-data]
      parameters: [{name: file, in: formData, type: file, required: true, description: A picture.}]
definitions:
  Pet: {type: object, required: [id], properties: {id: {type: integer, format: int64}}}
""")
    assert found["POST /pets"].split("\n") == [
        "`POST /pets`",
        "Authentication required: `login` (scope `read:pets`).",
        "Parameters:",
        "- `tags` (query, array of string, optional, comma-separated): Each item: one of `a`, `b`.",
        "Request body (required): Content `application/json`: object `Pet`.",
        "- `id` (integer, required, format int64)",
        "Responses:",
        "- `200`: OK. Content `application/json`: object `Pet`.",
        "  - `id` (integer, required, format int64)",
        "Example of the response `200`, `application/json`:",
        "```json",
        "{",
        '  "id": 1',
        "}",
        "```",
    ]
    assert "Content `multipart/form-data`: object.\n- `file` (file, required): A picture." in found["POST /photo"]
    assert "- Flow `implicit`: authorization URL `https://a.test/o`" in found["Authentication"]
    assert "- Scope `read:pets`: See pets" in found["Authentication"]


def wrap(schema, head="openapi: 3.0.3\npaths: {}\n"):
    return f"{head}components: {{schemas: {schema}}}"


def test_references_that_lead_nowhere_are_said():
    found = sections(
        wrap(
            "{A: {properties: {x: {$ref: '#/components/schemas/No~1ne'}, y: {$ref: 'other.yaml#/B'},"
            " z: {$ref: '#/components/schemas/Odd~1%7Bname%7D'}}}, 'Odd/{name}': {type: string},"
            " L: {$ref: '#/components/schemas/M'}, M: {$ref: '#/components/schemas/L'}}"
        )
    )
    assert "`x` (unresolved reference `#/components/schemas/No~1ne`)" in found["Schema A"]
    assert "`y` (reference to another file: `other.yaml#/B`)" in found["Schema A"]
    assert "`z` (`Odd/{name}`): See schema `Odd/{name}`." in found["Schema A"]
    assert "circular reference" in found["Schema L"]


def test_merged_parts_and_alternatives():
    found = sections("""\
openapi: 3.0.3
paths:
  /pay:
    post:
      requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/Pay'}}}}
components:
  schemas:
    Base: {required: [id], properties: {id: {type: string}}}
    Card: {properties: {number: {type: string}}}
    Pay:
      allOf:
        - {$ref: '#/components/schemas/Base'}
        - properties:
            how:
              oneOf: [{$ref: '#/components/schemas/Card'}, {type: object, properties: {iban: {type: string}}}]
              discriminator: {propertyName: t, mapping: {c: '#/components/schemas/Card'}}
""")
    text = found["POST /pay"]
    assert "- `id` (string, required)\n- `how` (`Card` or object, optional)" in text
    assert "The property `t` tells which: `c` is `Card`." in text
    assert "  - Alternative: object\n    - `iban` (string, optional)" in text


def test_html_in_descriptions_becomes_markdown_and_placeholders_stay():
    text = "<p>Send <b>one</b> of:<ul><li><code>a</code></li><li>see <a href='/b'>b</a></li></ul>"
    text += "Use Bearer <token> &amp; `<br>`."
    found = sections(wrap(json.dumps({"A": {"type": "string", "description": text}})))
    description = "Send **one** of:\n- `a`\n- see [b](/b)\nUse Bearer <token> & `<br>`."
    assert found["Schema A"].split("\nSchema")[0] == description


@pytest.mark.parametrize(
    ("text", "name", "code", "detail"),
    [
        ("kind: Deployment\nspec: {}\n", "a.yaml", "not_openapi", ""),
        ("[1, 2]", "a.json", "not_openapi", ""),
        ("", "a.yaml", "not_openapi", ""),
        ("swagger: '1.2'\npaths: {}\n", "a.yaml", "not_openapi", "1.2"),
        ("openapi: 3.0.0\npaths: [\n", "a.yaml", "malformed", "line 3"),
        ("openapi: 3.0.0\npaths:\n\t/x: 1\n", "a.yaml", "malformed", "line 3"),
        ('{"openapi": "3.0.0",\n "paths": {,}}', "a.json", "malformed", "line 2"),
        ("openapi: 3.0.0\npaths: {}\n---\nopenapi: 3.0.0\n", "a.yaml", "malformed", "line 3"),
        ("a: *nobody\n", "a.yaml", "malformed", "line 1"),
        ("? [a]\n: b\n", "a.yaml", "malformed", "line 1"),
        ("a: " + "[" * 100_000, "a.yaml", "too_complex", "deep"),
        ('{"openapi": "3.0.0", "paths": ' + "[" * 100_000, "a.json", "too_complex", "deep"),
    ],
)
def test_what_cannot_be_read_is_named(text, name, code, detail):
    found, said = reason(text, name)
    assert found == code
    assert detail in said


def test_an_alias_bomb_is_refused_at_once():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    started = time.monotonic()
    tracemalloc.start()
    assert reason("openapi: 3.0.0\npaths: {}\n" + "\n".join(lines))[0] == "too_complex"
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()
    assert time.monotonic() - started < 2


def test_a_reference_bomb_is_refused():
    properties = {f"p{n}": {"type": "string", "description": "d" * 20} for n in range(3000)}
    operation = {"requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Big"}}}}}
    spec = {
        "openapi": "3.0.0",
        "paths": {f"/{n}": {"post": operation} for n in range(3000)},
        "components": {"schemas": {"Big": {"properties": properties}}},
    }
    assert reason(json.dumps(spec), "a.json")[0] == "too_complex"


def test_what_people_write_is_read():
    many = json.dumps([f"v{n}" for n in range(5000)])
    found = sections(f"""\
openapi: 3.0.0
openapi: "3.0.2"
info: {{title: 2024-01-01, version: 1.10}}
paths:
  /a: &shared
    get: {{summary: First, responses: {{200: {{description: yes}}, 4XX: null}}, parameters: {{}}, tags: no}}
  /b: *shared
  /c: {{<<: *shared, post: {{summary: Second}}}}
  x-ignored: 1
components:
  schemas: {{On: {{enum: [on, off, yes, no, null, 1, 1.0]}}, A: true, B: null, C: {{type: string, enum: {many}}}}}
""")
    assert list(found) == [
        "2024-01-01",
        "GET /a: First",
        "GET /b: First",
        "GET /c: First",
        "POST /c: Second",
        "Schema On",
        "Schema A",
        "Schema B",
        "Schema C",
    ]
    assert "- `200`: yes" in found["GET /a: First"]
    assert "one of `on`, `off`, `yes`, `no`, `null`, 1, 1.0" in found["Schema On"]
    assert found["Schema C"].endswith("and 4800 more.")
    assert "API version: 1.10" in found["2024-01-01"]


@pytest.mark.slow
def test_a_large_description_is_read_quickly():
    schema = {"properties": {f"p{n}": {"type": "string", "description": "What it is for. " * 8} for n in range(40)}}
    reference = {"application/json": {"schema": {"$ref": "#/components/schemas/S1"}}}
    operation = {"summary": "Do it", "responses": {"200": {"description": "OK", "content": reference}}}
    spec = {
        "openapi": "3.0.0",
        "info": {"title": "Big", "version": "1"},
        "paths": {f"/p{n}": {"get": operation} for n in range(2000)},
        "components": {"schemas": {f"S{n}": schema for n in range(1500)}},
    }
    text = json.dumps(spec, indent=2)
    assert len(text) > 10_000_000
    started = time.monotonic()
    assert len(sections(text, "api.json")) == 3501
    assert time.monotonic() - started < 60

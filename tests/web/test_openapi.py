"""The API's description: a valid one, whole, and true of what is really answered."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

import msgspec
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from coinlog.errors import StoreUnavailableError
from coinlog.web.admission import RATE
from coinlog.web.answers import ErrorAnswer
from coinlog.web.api_examples import ERRORS, EXAMPLES
from coinlog.web.problems import INTERNAL, store_away
from coinlog.web.refusals import TOO_SLOW, too_often
from samples import SLOT
from sites import Site, slots_before

Json = dict[str, Any]


@pytest.fixture
def described(sqlite_web: Site) -> Json:
    sqlite_web.store(*slots_before(4))
    found: Json = sqlite_web.json("/schema/openapi.json")
    return found


def operations(described: Json) -> list[tuple[str, Json]]:
    return [(path, item["get"]) for path, item in described["paths"].items()]


def test_it_is_valid(described: Json) -> None:
    assert described["openapi"].startswith("3.1")
    assert [error.message for error in OpenAPIV31SpecValidator(described).iter_errors()] == []


def test_every_operation_has_an_example_and_no_example_is_left_over(described: Json) -> None:
    assert sorted(EXAMPLES) == sorted(described["paths"])


def test_every_operation_is_told_whole(described: Json) -> None:
    for path, operation in operations(described):
        assert operation["summary"] == EXAMPLES[path].title
        assert operation["description"].endswith(".")
        for parameter in operation["parameters"]:
            assert all(parameter[part] not in {"", None} for part in ("description", "example"))
            assert parameter["schema"]["type"] in {"integer", "string"}
        (content,) = operation["responses"]["200"]["content"].values()
        assert content["example"]
        expected = {"200", *map(str, ERRORS)} - (set() if "{" in path else {"404"})
        assert set(operation["responses"]) == expected
    names = [operation["operationId"] for _, operation in operations(described)]
    assert len(set(names)) == len(names)


def test_each_example_is_what_its_operation_answers(described: Json) -> None:
    for path, operation in operations(described):
        answer = EXAMPLES[path].answer
        (content,) = operation["responses"]["200"]["content"].values()
        if isinstance(answer, msgspec.Struct):
            assert msgspec.convert(content["example"], type(answer)) == answer
            assert content["schema"]["$ref"].endswith(f"/{type(answer).__name__}")
        else:
            assert path.endswith((".csv", "/live", "/ready", "/fresh", "/metrics", "/{name}"))


def test_each_example_can_really_be_asked_for(sqlite_web: Site, described: Json) -> None:
    for path, operation in operations(described):
        asked, example = EXAMPLES[path].request, EXAMPLES[path].answer
        pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path))
        assert re.fullmatch(pattern, asked.partition("?")[0])
        reply = sqlite_web.get(asked)
        assert reply.status == 200
        (media_type,) = operation["responses"]["200"]["content"]
        assert reply.headers["content-type"].startswith(media_type)
        if isinstance(example, msgspec.Struct):
            assert reply.json().keys() == msgspec.to_builtins(example).keys()
        elif media_type == "text/csv":
            real, made_up = (list(csv.reader(io.StringIO(text))) for text in (reply.text, example))
            assert real[0] == made_up[0]
            assert {len(row) for row in made_up} == {len(real[0])}


def test_each_parameter_is_accepted_with_its_example(sqlite_web: Site, described: Json) -> None:
    for path, operation in operations(described):
        plain = EXAMPLES[path].request.partition("?")[0]
        for parameter in operation["parameters"]:
            if parameter["in"] == "query":
                reply = sqlite_web.get(f"{plain}?{parameter['name']}={parameter['example']}")
                # A window has two ends, and one of them alone is no error.
                assert reply.status == 200, (path, parameter["name"], reply.text)


def test_errors_have_the_one_shape_and_the_sentences_that_are_really_given(
    sqlite_web: Site, described: Json
) -> None:
    given = {
        400: sqlite_web.get("/api/v1/log?limit=0").body,
        404: sqlite_web.get("/api/v1/assets/999999").body,
        405: sqlite_web.get("/api/v1/log", method="POST").body,
        408: TOO_SLOW.partition(b"\r\n\r\n")[2],
        429: too_often(RATE, 1, head=False).content,
    }

    for status, (name, description, sentence) in ERRORS.items():
        response = described["components"]["responses"][name]
        assert response["description"] == description
        (content,) = response["content"].values()
        error = msgspec.convert(content["example"], ErrorAnswer).error
        assert (error.status, error.message) == (status, sentence)
        if status in given:
            assert msgspec.json.decode(given[status]) == content["example"]
    assert ERRORS[500][2] == INTERNAL
    away = StoreUnavailableError("(2003, 'made up for a test')")
    assert ERRORS[503][2] == store_away(away, SLOT)


def test_the_page_shows_every_operation_parameter_and_error(
    sqlite_web: Site, described: Json
) -> None:
    for prefix in ("", "/es"):
        page = sqlite_web.get(f"{prefix}/schema").text
        anchors = re.findall(r'<a href="#([^"]+)"', page)
        assert {f'id="{anchor}"' in page for anchor in anchors} == {True}
        for path, operation in operations(described):
            assert f"GET {path}</code>" in page
            for parameter in operation["parameters"]:
                assert f"<code>{parameter['name']}</code>" in page
        assert page.count("curl &#39;http://coinlog.test/") == len(described["paths"])
        assert all(f'id="error-{status}"' in page for status in ERRORS)
        elsewhere = re.findall(r'(?:src|href)="(https?://(?!coinlog\.test/)[^"]+)"', page)
        assert set(elsewhere) == {"https://coinmarketcap.com"}


def test_all_of_it_is_true_of_a_store_that_has_only_one_slot(sqlite_web: Site) -> None:
    sqlite_web.store(SLOT)

    answers = {path: sqlite_web.get(one.request).status for path, one in EXAMPLES.items()}

    assert set(answers.values()) == {200}

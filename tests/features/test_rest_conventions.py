"""What every route does alike."""

import re

import pytest

from hoshu.rest import Rest, problem_of

PRODUCT = {"name": "x", "nodeType": "DEVICE", "dataFormat": "ALINK_JSON", "edition": "PRO"}


def test_an_unknown_field_is_refused_by_its_name(rest):
    problem = rest.refused("POST", "/products", 400, body={**PRODUCT, "nodetype": "DEVICE"})
    assert "nodetype" in str(problem)


@pytest.mark.parametrize("raw", [
    "{", "[]", "7", "null", '"text"', '{"name": 5}', '{"name": null, "nodeType": []}', "\x00", "{'name': 'x'}",
    '{"name":"x","name":"y"}', '{"name":"\\ud800"}', "[" * 10_000, '{"a":' * 5_000,
])
def test_a_body_that_cannot_be_read_is_400(rest, raw):
    rest.refused("POST", "/products", 400, raw=raw)


def test_bytes_that_are_no_text_are_400(rest):
    rest.refused("POST", "/products", 400, raw=b'{"name":"\xff\xfe"}')


def test_a_body_over_a_mebibyte_is_413(rest):
    rest.refused("POST", "/products", 413, body={**PRODUCT, "name": "x" * 1_100_000})


def test_a_missing_body_lacks_its_fields(rest, boilers):
    rest.refused("POST", "/products", 400)
    rest.refused("POST", f"{boilers.path}/device-batches", 400)
    assert rest.send("POST", f"{boilers.path}/devices").status_code == 201, "all of its fields are optional"


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/api/v1/products/x/nothing", "/api/v2/products", "/api/nothing"])
def test_a_path_that_is_none_is_404(rest, path):
    rest.refused("GET", path, 404)


def test_another_method_is_405_and_says_which_are_taken(rest):
    for method, path, allowed in [
        ("PUT", "/products", {"GET", "POST"}),
        ("DELETE", "/products", {"GET", "POST"}),
        ("POST", "/account", {"GET"}),
    ]:
        response = rest.send(method, path)
        problem_of(response, 405)
        assert allowed <= set(re.split(r",\s*", response.headers["Allow"]))


def test_an_unknown_query_parameter_is_400(rest):
    rest.refused("GET", "/products", 400, query={"pagesize": 5})
    rest.refused("GET", "/products", 400, query={"pageSize": "many"})
    rest.refused("GET", "/products", 400, query={"pageSize": -1})


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic YTpi", "bearer\tx", "Bearer a b", "x" * 5000])
def test_an_authorization_that_is_none_is_401(platform, header):
    response = Rest(platform.url).send("GET", "/products", headers={"Authorization": header})
    assert response.status_code in (401, 431), response.text


def test_the_scheme_is_read_in_any_letter_case(platform, rest):
    response = Rest(platform.url).send("GET", "/account", headers={"Authorization": f"bearer {rest.token}"})
    assert response.status_code == 200


def test_names_are_percent_encoded_in_paths(rest, boilers):
    rest.create(f"{boilers.path}/devices", {"deviceName": "a:b@c.d"})
    for form in ["a:b@c.d", "a%3Ab%40c.d", "%61:b@c%2Ed"]:
        assert rest.get(f"{boilers.path}/devices/{form}")["deviceName"] == "a:b@c.d"
    for bad in ["%", "%zz", "%ff%fe", "a%2Fb", "%00abc"]:
        response = rest.send("GET", f"{boilers.path}/devices/{bad}")
        assert response.status_code in (400, 404), (bad, response.text)


@pytest.mark.parametrize("path", ["/", "/api/docs", "/api/openapi.json"])
def test_the_documents_need_no_token(platform, path):
    response = Rest(platform.url).session.get(platform.url + path, timeout=30)
    assert response.status_code == 200, response.text


def test_the_first_page_leads_to_the_api_browser(platform):
    response = Rest(platform.url).session.get(platform.url + "/", timeout=30, allow_redirects=False)
    assert response.status_code in (302, 303, 307, 308)
    assert response.headers["Location"].endswith("/api/docs")
    page = Rest(platform.url).session.get(platform.url + "/api/docs", timeout=30)
    assert page.headers["Content-Type"].startswith("text/html")


def test_the_openapi_document_says_how_each_route_is_called(openapi, routes):
    assert openapi["openapi"].startswith("3.")
    assert openapi["components"]["securitySchemes"]
    for name, (method, path) in routes.items():
        about = openapi["paths"][path][method.lower()]
        assert about["operationId"] == name
        assert any(status.startswith("2") for status in about["responses"])
        named = {parameter["name"] for parameter in about.get("parameters", []) if parameter["in"] == "path"}
        assert named == set(re.findall(r"{(\w+)}", path)), path
    for reference in re.findall(r"'\$ref': '#/([^']+)'", str(openapi)):
        place = openapi
        for part in reference.split("/"):
            place = place[part]


def test_a_trace_id_differs_from_request_to_request(rest):
    first, second = (rest.refused("GET", "/products/nothing", 404)["traceId"] for _ in range(2))
    assert first != second and re.fullmatch(r"[0-9a-f]{32}", first)


def test_the_operators_door_tells_health_and_metrics(platform):
    session = Rest(platform.url).session
    assert session.get(f"{platform.ops_url}/livez", timeout=30).status_code == 200
    ready = session.get(f"{platform.ops_url}/readyz", timeout=30)
    assert ready.status_code == 200 and "failing" not in ready.text
    metrics = session.get(f"{platform.ops_url}/metrics", timeout=30)
    assert metrics.status_code == 200 and "# TYPE" in metrics.text

"""The REST door, as a program uses it."""

import json
from urllib.parse import quote

import requests

PROBLEM = "application/problem+json"


def segment(text):
    """A name as a part of a path."""
    return quote(text, safe="")


class Rest:
    def __init__(self, url, token=None):
        self.url = url
        self.token = token
        self.session = requests.Session()

    def again(self):
        """The same account, on connections of its own: a session is not for two threads."""
        return Rest(self.url, self.token)

    def send(self, method, path, body=None, query=None, raw=None, headers=None):
        """One request and its response, whatever that is. `raw` is a body that is sent as it stands."""
        headers = dict(headers or {})
        if self.token:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        if raw is None and body is not None:
            raw = json.dumps(body)
        if isinstance(raw, str):
            raw = raw.encode()
        if raw is not None:
            headers.setdefault("Content-Type", "application/json")
        path = path if path.startswith("/api/") else f"/api/v1{path}"
        return self.session.request(method, self.url + path, params=query, data=raw, headers=headers, timeout=60)

    def _good(self, method, path, status, **request):
        response = self.send(method, path, **request)
        assert response.status_code == status, f"{method} {path}: {response.status_code} {response.text}"
        return response.json() if response.content else None

    def get(self, path, **query):
        return self._good("GET", path, 200, query=query)

    def post(self, path, body=None, status=200):
        return self._good("POST", path, status, body=body)

    def create(self, path, body=None):
        return self.post(path, body, status=201)

    def put(self, path, body):
        return self._good("PUT", path, 200, body=body)

    def patch(self, path, body):
        return self._good("PATCH", path, 200, body=body)

    def delete(self, path):
        return self._good("DELETE", path, 204)

    def items(self, path, page_size=500, **query):
        """Every item of a list, over all its pages."""
        for page in self.pages(path, page_size, **query):
            yield from page

    def pages(self, path, page_size, **query):
        token = None
        while True:
            page = self.get(path, pageSize=page_size, **query, **({"pageToken": token} if token else {}))
            yield page["items"]
            token = page.get("nextPageToken")
            if not token:
                return

    def refused(self, method, path, status, code=None, **request):
        """A request that must be refused; answers with its problem document."""
        response = self.send(method, path, **request)
        return problem_of(response, status, code)


def problem_of(response, status, code=None):
    """Checks that it is the refusal that is expected, in the form that every refusal has."""
    assert response.status_code == status, f"{response.request.method} {response.url}: {response.status_code} {response.text}"
    assert response.headers["Content-Type"].split(";")[0] == PROBLEM, response.headers
    problem = response.json()
    assert problem["status"] == status
    for member in ("type", "title", "detail", "traceId"):
        assert isinstance(problem[member], str) and problem[member], f"{member} in {problem}"
    assert problem.get("code") == code, problem
    for word in ("SELECT ", "sqlx", "panicked", "stack backtrace", ".rs:", "PgDatabaseError"):
        assert word not in response.text, response.text
    return problem

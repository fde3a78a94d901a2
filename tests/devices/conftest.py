"""What both vendors' SDKs are tested with."""

import json

import pytest


@pytest.fixture(params=["TCP", "TLS"])
def tls(request):
    return request.param == "TLS"


@pytest.fixture(scope="session")
def model_file(boilers, rest, tmp_path_factory):
    """The product's model as a user saves it for the Python SDK: just as the platform hands it out."""
    file = tmp_path_factory.mktemp("model") / "model.json"
    file.write_text(json.dumps(rest.get(f"{boilers.path}/tsl")))
    return file

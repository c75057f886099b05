"""Validate an RO-Crate with the rocrate-validator; the two contexts that it asks for are given to it as files.

Usage: crate_check.py CRATE; prints what was found, one in a line, and exits with 1 where anything
was.
"""

import io
import sys
import urllib.request
from email.message import Message
from pathlib import Path
from typing import Any
from urllib.response import addinfourl

import requests
from urllib3 import HTTPResponse

CASES = Path(__file__).parent.parent / "cases" / "contexts"
CONTEXTS = {
    "https://w3id.org/ro/crate/1.1/context": (CASES / "ro-crate-1.1.jsonld").read_bytes(),
    "https://w3id.org/ro/terms/workflow-run/context": (CASES / "workflow-run.jsonld").read_bytes(),
}


class Offline(urllib.request.HTTPSHandler):
    def https_open(self, request: urllib.request.Request) -> Any:
        headers = Message()
        headers["Content-Type"] = "application/ld+json"
        reply = addinfourl(io.BytesIO(CONTEXTS[request.full_url]), headers, request.full_url, 200)
        reply.msg = "OK"  # type: ignore[attr-defined]
        return reply


def send(_: Any, request: requests.PreparedRequest, **__: Any) -> requests.Response:
    known = CONTEXTS.get(str(request.url))
    headers = {"Content-Type": "application/ld+json"}
    raw = HTTPResponse(io.BytesIO(known or b""), headers, 200 if known else 404, preload_content=False)
    raw._request_url = str(request.url)
    return requests.adapters.HTTPAdapter().build_response(request, raw)


urllib.request.install_opener(urllib.request.build_opener(Offline))
requests.adapters.HTTPAdapter.send = send  # type: ignore[method-assign,assignment]

from rocrate_validator import services  # noqa: E402 - after the network is gone
from rocrate_validator.models import Severity, ValidationSettings  # noqa: E402

settings = ValidationSettings(
    rocrate_uri=sys.argv[1],
    profile_identifier="provenance-run-crate-0.5",
    requirement_severity=Severity.REQUIRED,
    no_cache=True,
)
issues = services.validate(settings).get_issues()
for issue in issues:
    print(issue.check.identifier, issue.message, issue.violatingEntity)
sys.exit(1 if issues else 0)

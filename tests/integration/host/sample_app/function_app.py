"""An app for testing the local host: every trigger and output that it does."""

from __future__ import annotations

import json
import logging
import os

import azure.functions as func
from more.blueprint import blueprint

log = logging.getLogger(__name__)
app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
app.register_functions(blueprint)


@app.route("things/{kind:alpha}/{id:int?}", methods=["GET", "POST"], auth_level="anonymous")
async def things(req: func.HttpRequest) -> func.HttpResponse:
    """Says what it was asked."""
    answer = {
        "route": dict(req.route_params),
        "query": dict(req.params),
        "header": req.headers.get("x-test", ""),
        "body": req.get_body().decode(),
    }
    response = func.HttpResponse(json.dumps(answer), status_code=201, mimetype="application/json")
    response.headers.add("Set-Cookie", "a=1; Path=/; HttpOnly")
    response.headers.add("Set-Cookie", "b=2; Path=/")
    return response


@app.route("blobs/{name}", methods=["POST"])
@app.blob_output(arg_name="out", path="written/{name}.bin", connection="STORE_B")
def write_blob(req: func.HttpRequest, out: func.Out[bytes]) -> str:
    """Puts the body into the second connection's storage."""
    out.set(req.get_body())
    log.info("wrote a blob")
    return "written"


@app.route("queue/{name}", methods=["POST"])
@app.queue_output(arg_name="out", queue_name="%RUN%-{name}", connection="AzureWebJobsStorage")
def write_queue(req: func.HttpRequest, out: func.Out[str]) -> func.HttpResponse:
    """Puts the body on a queue named by the route."""
    out.set(req.get_body().decode())
    return func.HttpResponse(status_code=202)


@app.route("admin-only", auth_level=func.AuthLevel.ADMIN)
def admin_only(req: func.HttpRequest) -> str:  # noqa: ARG001 - the binding's name
    """Needs the master key."""
    return "yes"


@app.route("fails", auth_level="anonymous")
def fails(req: func.HttpRequest) -> str:  # noqa: ARG001 - the binding's name
    """Always fails."""
    message = "planted"
    raise ValueError(message)


@app.route("environment", auth_level="anonymous")
def environment(req: func.HttpRequest) -> str:
    """One setting as the worker sees it."""
    return json.dumps({"value": os.environ.get(req.params["name"]), "pid": os.getpid()})

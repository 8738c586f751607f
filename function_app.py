"""The entry that Azure Functions looks for: the blueprints of this app's role, nothing else."""

import os

import azure.functions as func

from functions import blueprints

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
for blueprint in blueprints(os.environ.get("SEKISHO_ROLE") or "all"):
    app.register_functions(blueprint)

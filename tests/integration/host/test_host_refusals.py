"""What the host does not do, it refuses at start by name."""

from __future__ import annotations

from tests.integration.host.host_bench import call, refusal

HTTP = """
import azure.functions as func
app = func.FunctionApp()
@app.route("x", auth_level="anonymous")
def x(req: func.HttpRequest) -> str:
    import os
    return os.environ.get("FROM_FILE", "") + os.environ.get("FROM_BOTH", "")
"""


def test_start_refuses_a_binding_by_name(bench, app_folder):
    folder = app_folder("""
import azure.functions as func
app = func.FunctionApp()
@app.service_bus_queue_trigger(arg_name="m", queue_name="q", connection="C")
def subject(m: func.ServiceBusMessage) -> None:
    pass
""")
    assert "subject: the trigger or input binding serviceBusTrigger" in refusal(
        bench.host(appdir=folder)
    )


def test_start_refuses_a_connection_by_identity(bench):
    env = {"STORE_B": "", "STORE_B__queueServiceUri": "https://x.queue.core.windows.net"}
    reason = refusal(bench.host(env=env))
    assert "STORE_B is by identity (STORE_B__queueServiceUri)" in reason
    assert "set STORE_B to a connection string" in reason


def test_start_refuses_an_app_that_does_not_import_and_shows_why(bench, app_folder):
    reason = refusal(bench.host(appdir=app_folder("import no_such_module_here\n")))
    assert "no_such_module_here" in reason


def test_start_refuses_an_app_without_functions(bench, app_folder):
    folder = app_folder("import azure.functions as func\napp = func.FunctionApp()\n")
    assert "no functions" in refusal(bench.host(appdir=folder))


def test_start_refuses_a_port_that_is_taken(bench, host, app_folder):
    reason = refusal(bench.host(appdir=app_folder(HTTP), port=host.port))
    assert "address already in use" in reason


def test_local_settings_are_read_and_the_environment_wins(bench, app_folder):
    values = {"FROM_FILE": "file", "FROM_BOTH": "lost"}
    folder = app_folder(HTTP, local={"IsEncrypted": False, "Values": values})
    with bench.host(appdir=folder, env={"FROM_BOTH": "+environment"}) as host:
        assert call(host, "/api/x")[1] == "file+environment"


def test_route_prefix_is_honoured(bench, app_folder):
    folder = app_folder(HTTP, {"version": "2.0", "extensions": {"http": {"routePrefix": ""}}})
    with bench.host(appdir=folder) as host:
        assert call(host, "/x")[0] == 200
        assert call(host, "/api/x")[0] == 404


def test_ready_line_counts_functions_and_notes_what_is_ignored(host):
    assert host.ready_line.startswith(f"READY {host.url} functions=12 seconds=")
    assert "host.json: logging is accepted and ignored here" in host.log_path.read_text()

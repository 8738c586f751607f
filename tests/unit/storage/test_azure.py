"""The translation of the SDK's errors."""

from __future__ import annotations

import pytest
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
    ServiceRequestError,
    ServiceResponseError,
)

from shared.errors import (
    GoneError,
    PermanentError,
    SettingsError,
    StorageConflictError,
    ThrottledError,
    TransientError,
    UnavailableError,
)
from shared.storage.azure import Place, translate
from shared.storage.stores import AzureStores


class Response:
    def __init__(self, status, code="", retry=""):
        self.status_code = status
        self.reason = "a reason that names secret.eml"
        self.headers = {"x-ms-error-code": code, "Retry-After": retry}


def http(status, code="", retry="", kind=HttpResponseError):
    error = kind("The blob secret.eml …", response=Response(status, code, retry))
    error.error_code = code or None
    return error


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ServiceRequestError("secret.eml"), UnavailableError),
        (ServiceResponseError("secret.eml"), UnavailableError),
        (AzureError("secret.eml"), UnavailableError),
        (ClientAuthenticationError("secret.eml"), UnavailableError),
        (http(401), UnavailableError),
        (http(403, "AuthorizationPermissionMismatch"), UnavailableError),
        (http(408), UnavailableError),
        (http(500, "InternalError"), UnavailableError),
        (http(409, "TableBeingDeleted"), UnavailableError),
        (http(429), ThrottledError),
        (http(503, "ServerBusy"), ThrottledError),
        (http(404, "BlobNotFound"), GoneError),
        (http(409, "EntityAlreadyExists"), StorageConflictError),
        (http(412, "ConditionNotMet"), StorageConflictError),
        (http(400, "InvalidInput"), PermanentError),
        (http(413, "RequestBodyTooLarge"), PermanentError),
    ],
)
def test_error_has_its_kind_and_names_no_item(error, kind):
    ours = translate(error, "blob get")
    assert type(ours) is kind
    assert "secret" not in str(ours)
    assert "blob get" in str(ours)


def test_throttling_says_how_long_to_wait():
    ours = translate(http(503, "ServerBusy", "17"), "x")
    assert isinstance(ours, TransientError)
    assert ours.retry_after == 17.0
    assert translate(http(503, "ServerBusy", "Wed, 21 Oct 2026"), "x").retry_after is None


async def test_missing_place_is_made_and_the_call_tried_once_more():
    made, calls = [], []

    async def create():
        made.append(1)

    async def call():
        calls.append(1)
        if len(calls) == 1:
            raise http(404, "QueueNotFound", kind=ResourceNotFoundError)
        return "done"

    assert await Place(create).run("x", call) == "done"
    assert (len(made), len(calls)) == (1, 2)


async def test_place_that_stays_missing_is_gone_not_a_loop():
    async def create():
        raise http(409, "QueueAlreadyExists", kind=ResourceExistsError)

    async def call():
        raise http(404, "QueueNotFound", kind=ResourceNotFoundError)

    with pytest.raises(GoneError):
        await Place(create).run("x", call)


async def test_place_that_is_being_deleted_is_tried_again_later():
    async def create():
        raise http(409, "ContainerBeingDeleted", kind=ResourceExistsError)

    async def call():
        raise http(404, "ContainerNotFound", kind=ResourceNotFoundError)

    with pytest.raises(UnavailableError):
        await Place(create).run("x", call)


def test_stores_want_a_connection():
    with pytest.raises(SettingsError):
        AzureStores(blob_url="https://a.blob.core.windows.net")

"""Getting in: real signatures from a local issuer, and everything that is almost right."""

from __future__ import annotations

import base64
import json
import time
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from local.environment import app_settings
from local.oidc import Oidc
from local.oidc.issuer import CLIENT
from shared.console.assemble import assemble
from shared.console.oidc import Issuer
from shared.console.session import COOKIE, User
from shared.console.web import BASE, Request
from shared.errors import RefusedError, SettingsError, UnavailableError
from shared.settings import Settings
from tests.unit.console.conftest import House, text

BACK = f"http://127.0.0.1:7071{BASE}/login/back"


@pytest.fixture(scope="module")
def oidc():
    with Oidc(BACK) as running:
        yield running


@pytest.fixture
async def issuer(oidc):
    oidc.down = False
    oidc.who = {"oid": "u-1", "name": "確認 花子", "roles": ["reviewer"]}
    async with httpx.AsyncClient() as http:
        yield Issuer(oidc.url, CLIENT, BACK, lambda: int(time.time()), http)


async def test_token_of_the_issuer_is_believed(oidc, issuer):
    person = await issuer.verify(oidc.token("n", roles=["auditor", "owner", "viewer"]), "n")
    assert (person.id, person.name, person.roles) == ("u-1", "確認 花子", ("viewer", "auditor"))


NOW = int(time.time())


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://evil.example"}, {"aud": "another"}, {"aud": None}, {"iss": None},
        {"exp": NOW - 3600}, {"exp": None}, {"exp": "soon"}, {"iat": NOW + 3600}, {"iat": None},
        {"nbf": NOW + 3600}, {"nonce": "m"}, {"nonce": None}, {"nonce": ""}, {"sub": None},
    ],
    ids=range(14),  # the times differ from one process to the next
)  # fmt: skip
async def test_token_that_is_almost_right_is_refused(oidc, issuer, changes):
    nonce = changes.pop("nonce", "n")
    claims = oidc.claims(nonce=nonce, **changes)
    name = list(oidc.keys)[-1]
    token = jwt.encode(claims, oidc.keys[name], algorithm="RS256", headers={"kid": name})
    with pytest.raises(RefusedError):
        await issuer.verify(token, "n")


async def test_token_of_another_key_or_algorithm_is_refused(oidc, issuer):
    name = list(oidc.keys)[-1]
    claims = oidc.claims(nonce="n")
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    good = oidc.token("n")
    head, body, mark = good.split(".")
    none = (
        base64.urlsafe_b64encode(json.dumps({"alg": "none", "kid": name}).encode())
        .decode()
        .rstrip("=")
    )
    forged = [
        jwt.encode(claims, other, algorithm="RS256", headers={"kid": name}),
        jwt.encode(claims, oidc.keys[name], algorithm="RS512", headers={"kid": name}),
        jwt.encode(claims, oidc.keys[name], algorithm="RS256", headers={"kid": "unknown"}),
        jwt.encode(claims, "k" * 32, algorithm="HS256", headers={"kid": name}),
        f"{none}.{body}.", f"{none}.{body}.{mark}", f"{head}.{body}.", f"{head}.{body}x.{mark}",
        "", "a.b.c", "…",
    ]  # fmt: skip
    for token in forged:
        with pytest.raises(RefusedError):
            await issuer.verify(token, "n")
    await issuer.verify(good, "n")


async def test_new_key_of_the_issuer_is_fetched_but_not_at_every_forgery(oidc):
    now = [1000]
    async with httpx.AsyncClient() as http:
        issuer = Issuer(oidc.url, CLIENT, BACK, lambda: now[0], http)
        token = oidc.token("n", iat=1000, nbf=1000, exp=5000)
        await issuer.verify(token, "n")
        oidc.rotate()
        fresh = oidc.token("n", iat=1000, nbf=1000, exp=5000)
        with pytest.raises(RefusedError):
            await issuer.verify(fresh, "n")
        now[0] += 60
        await issuer.verify(fresh, "n")


async def test_issuer_that_is_away_is_no_refusal(oidc, issuer):
    oidc.down = True
    with pytest.raises(UnavailableError):
        await issuer.verify(oidc.token("n"), "n")
    oidc.down = False
    oidc.who = {"oid": "u-1", "name": "確認 花子", "roles": ["reviewer"]}


async def walk(house, oidc, who=None):
    """Sign in as a browser does; the response to the way back, and what was carried there."""
    oidc.who = who or {"oid": "u-1", "name": "確認 花子", "roles": ["reviewer"]}
    begun = await house.console.handle(Request("GET", "login/start"))
    assert begun.status == 303
    async with httpx.AsyncClient() as http:
        sent = (await http.get(begun.location)).headers["location"]
    query = {name: values[0] for name, values in parse_qs(urlsplit(sent).query).items()}
    cookie = begun.cookie.split(";")[0]
    return (
        await house.console.handle(Request("GET", "login/back", query, {"cookie": cookie})),
        query,
        cookie,
    )


async def test_sign_in_by_code_with_pkce_opens_a_session_once(oidc, issuer):
    house = House("oidc", issuer)
    answer, query, cookie = await walk(house, oidc)
    assert (answer.status, answer.location) == (303, BASE)
    assert {"HttpOnly", "SameSite=Lax"} <= {each.strip() for each in answer.cookie.split(";")}
    user = house.sessions.open(answer.cookie.split(";")[0].partition("=")[2], User)
    assert (user.id, user.roles) == ("u-1", ("reviewer",))
    again = await house.console.handle(Request("GET", "login/back", query, {"cookie": cookie}))
    assert again.status == 403  # a code works once


async def test_sign_in_that_did_not_begin_here_is_refused(oidc, issuer):
    house = House("oidc", issuer)
    _, query, cookie = await walk(house, oidc)
    for changed, headers in (
        ({**query, "state": "other"}, {"cookie": cookie}),
        ({"code": "x"}, {"cookie": cookie}),
        (query, {}),
        (query, {"cookie": f"{COOKIE}={house.sessions.seal(house.user('admin'))}"}),
    ):
        answer = await house.console.handle(Request("GET", "login/back", changed, headers))
        assert answer.status == 403
        assert not answer.cookie


async def test_person_without_a_role_gets_in_and_sees_nothing(oidc, issuer):
    house = House("oidc", issuer)
    answer, _, _ = await walk(house, oidc, {"oid": "u-2", "roles": "admin"})
    cookie = answer.cookie.split(";")[0]
    page = await house.console.handle(Request("GET", "incidents", {}, {"cookie": cookie}))
    assert page.status == 403


async def test_platform_header_counts_only_where_a_setting_says_so():
    claims = [
        {"typ": "http://schemas.microsoft.com/identity/claims/objectidentifier", "val": "u-9"},
        {"typ": "name", "val": "太郎"}, {"typ": "roles", "val": "viewer"},
        {"typ": "roles", "val": "boss"},
    ]  # fmt: skip
    header = base64.b64encode(json.dumps({"claims": claims}).encode()).decode()
    request = Request("GET", "incidents", {}, {"x-ms-client-principal": header})
    assert (await House("easyauth").console.handle(request)).status == 200
    for kind in ("oidc", "local"):
        assert (await House(kind).console.handle(request)).status == 401
    for bad in (
        "",
        "%%%",
        base64.b64encode(b"{}").decode(),
        base64.b64encode(b'{"claims":[]}').decode(),
    ):
        request = Request("GET", "incidents", {}, {"x-ms-client-principal": bad})
        assert (await House("easyauth").console.handle(request)).status == 401


async def test_stand_in_sign_in_opens_nothing_but_this_machine():
    house = House("local")
    form = b"role=reviewer"
    headers = {"origin": "http://127.0.0.1:7071"}
    for host in ("sekisho.example.lg.jp", "127.0.0.1.example.jp", "10.0.0.1:7071", ""):
        answer = await house.console.handle(Request("POST", "login", {}, headers, form, host))
        assert (answer.status, answer.cookie) == (403, "")
    answer = await house.console.handle(
        Request("POST", "login", {}, headers, form, "127.0.0.1:7071")
    )
    assert answer.status == 303
    other = await House("oidc").console.handle(
        Request("POST", "login", {}, headers, form, "127.0.0.1")
    )
    assert other.status == 401


async def test_signing_out_ends_the_session(house):
    answer = await house.post("logout", "viewer")
    assert (answer.status, answer.location) == (303, f"{BASE}/login")
    assert "Max-Age=0" in answer.cookie
    assert "role" in text(await house.console.handle(Request("GET", "login")))


def env(**changes):
    settings = app_settings(
        storage="UseDevelopmentStorage=true",
        graph_base_url="http://127.0.0.1:1/v1.0",
        host_url="http://127.0.0.1:7071",
    )
    return {**settings, **changes}


@pytest.mark.parametrize(
    "changes",
    [
        {"SEKISHO_CONSOLE_URL": "https://sekisho.example.lg.jp"},
        {"SEKISHO_CONSOLE_URL": ""},
        {"WEBSITE_SITE_NAME": "sekisho-console"},
        {"SEKISHO_CONSOLE_LOGIN": "oidc"},
        {"SEKISHO_CONSOLE_LOGIN": "oidc", "SEKISHO_CONSOLE_ISSUER": "https://login.example.com"},
        {"SEKISHO_CONSOLE_LOGIN": "easyauth", "SEKISHO_CONSOLE_URL": ""},
    ],
    ids=str,
)
def test_settings_refuse_a_door_that_stands_open(changes):
    with pytest.raises(SettingsError, match="SEKISHO_CONSOLE"):
        Settings.load(env(**changes))


def test_console_without_a_sign_in_is_not_there():
    with pytest.raises(SettingsError):
        assemble(Settings.load(env(SEKISHO_CONSOLE_LOGIN="off")), lambda: None)
    assert assemble(Settings.load(env()), lambda: None).door.kind == "local"

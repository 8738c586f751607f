"""Notifications of Teams: plain ones, encrypted ones with their proof, and forged ones.

The receiving side is written here from the documentation, apart from the sender's code.
"""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import hashlib
import hmac
import json

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, padding, serialization
from cryptography.hazmat.primitives.asymmetric import padding as oaep
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.x509.oid import NameOID

UPN = "hanako@city.example"
PUBLISHER = "0bf30f3b-4a52-48df-9a82-234910c4a086"


class Receiver:
    """A certificate with its private key."""

    def __init__(self, bits=2048):
        self.key = rsa.generate_private_key(65537, bits)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "receiver")])
        now = dt.datetime.now(dt.UTC)
        made = x509.CertificateBuilder().subject_name(name).issuer_name(name).serial_number(1)
        made = made.public_key(self.key.public_key()).not_valid_before(now)
        made = made.not_valid_after(now + dt.timedelta(days=1)).sign(self.key, hashes.SHA256())
        self.pem = base64.b64encode(made.public_bytes(serialization.Encoding.DER)).decode()

    def open(self, content):
        """The steps of the documentation; ValueError where the signature does not match."""
        sha1 = hashes.SHA1()
        scheme = oaep.OAEP(mgf=oaep.MGF1(sha1), algorithm=sha1, label=None)
        key = self.key.decrypt(base64.b64decode(content["dataKey"]), scheme)
        data = base64.b64decode(content["data"])
        signature = base64.b64encode(hmac.digest(key, data, hashlib.sha256)).decode()
        if signature != content["dataSignature"]:
            message = "signature"
            raise ValueError(message)
        cipher = Cipher(algorithms.AES(key), modes.CBC(key[:16])).decryptor()
        unpadder = padding.PKCS7(128).unpadder()
        plain = unpadder.update(cipher.update(data) + cipher.finalize()) + unpadder.finalize()
        return json.loads(plain)


RECEIVER = Receiver()


def in_minutes(minutes):
    return (dt.datetime.now(dt.UTC) + dt.timedelta(minutes=minutes)).isoformat()


def rich(hook, resource="/chats/getAllMessages", **changes):
    return {
        "changeType": "created,updated,deleted",
        "notificationUrl": hook.url,
        "lifecycleNotificationUrl": hook.url,
        "resource": resource,
        "expirationDateTime": in_minutes(4000),
        "clientState": "synthetic",
        "includeResourceData": True,
        "encryptionCertificate": RECEIVER.pem,
        "encryptionCertificateId": "first",
    } | changes


def plain(hook, resource="/chats/getAllMessages"):
    body = rich(hook, resource)
    return {k: v for k, v in body.items() if "ncryption" not in k and k != "includeResourceData"}


async def subscribe(tenant, body):
    answer = await tenant.call("POST", "/v1.0/subscriptions", json=body)
    assert answer.status == 201, answer.body
    return answer.json


async def chat(tenant):
    made = await tenant.admin("POST", "chats", json={"members": [UPN]})
    return f"chats/{made['id']}"


async def send(tenant, where, text="本文", **body):
    sent = {"from": UPN, "text": text} | body
    return (await tenant.admin("POST", f"{where}/messages", json=sent))["id"]


async def claims(tenant, token):
    """Verified as a receiver must; raises jwt's errors."""
    configuration = (await tenant.call("GET", "/common/.well-known/openid-configuration")).json
    path = "/common/" + configuration["jwks_uri"].partition("/common/")[2]
    keys = {k["kid"]: k for k in (await tenant.call("GET", path, token=False)).json["keys"]}
    kid = jwt.get_unverified_header(token)["kid"]
    if kid not in keys:
        message = "kid"
        raise jwt.InvalidTokenError(message)
    state = await tenant.admin("GET", "state")
    found = jwt.decode(
        token,
        jwt.PyJWK(keys[kid]).key,
        algorithms=["RS256"],
        audience=state["application_id"],
        issuer=f"https://sts.windows.net/{state['tenant_id']}/",
        options={"require": ["exp", "iss", "aud"]},
    )
    if found["appid"] != PUBLISHER:
        message = "appid"
        raise jwt.InvalidTokenError(message)
    return found


async def test_plain_notification_names_the_chat_message(tenant, hook):
    where = await chat(tenant)
    await subscribe(tenant, plain(hook))
    key = await send(tenant, where)
    (one,) = await hook.wait(1)
    assert one["resource"] == f"chats('{where.removeprefix('chats/')}')/messages('{key}')"
    assert one["resourceData"]["id"] == key
    assert "encryptedContent" not in one
    assert "validationTokens" not in hook.bodies[0]


async def test_channel_notification_names_team_channel_message_and_reply(tenant, hook):
    made = await tenant.admin("POST", "teams", json={"name": "課"})
    where = f"teams/{made['id']}/channels/{made['channels'][0]['id']}"
    await subscribe(tenant, plain(hook, "/teams/getAllMessages"))
    key = await send(tenant, where)
    reply = await send(tenant, where, reply_to=key)
    names = sorted(each["resource"] for each in await hook.wait(2))
    root = f"teams('{made['id']}')/channels('{made['channels'][0]['id']}')/messages('{key}')"
    assert names == [root, f"{root}/replies('{reply}')"]


@pytest.mark.parametrize("resource", ["/chats/{id}/messages", "/users/{user}/chats/getAllMessages"])
async def test_narrow_subscription_hears_of_its_chats_only(tenant, hook, resource):
    await tenant.admin("POST", "users", json={"upn": "taro@city.example"})
    other = await tenant.admin("POST", "chats", json={"members": ["taro@city.example"]})
    where = await chat(tenant)
    given = {"id": where.removeprefix("chats/"), "user": tenant.user["id"]}
    await subscribe(tenant, plain(hook, resource.format(**given)))
    await send(tenant, f"chats/{other['id']}")
    key = await send(tenant, where)
    await hook.wait(1)
    await asyncio.sleep(0.1)
    assert [each["resourceData"]["id"] for each in hook.notifications()] == [key]


async def test_rich_notification_holds_the_message_and_proves_its_sender(tenant, hook):
    where = await chat(tenant)
    await subscribe(tenant, rich(hook))
    key = await send(tenant, where, "窓口の件")
    (one,) = await hook.wait(1)
    assert one["encryptedContent"]["encryptionCertificateId"] == "first"
    opened = RECEIVER.open(one["encryptedContent"])
    shown = (await tenant.call("GET", f"/v1.0/{where}/messages/{key}")).json
    assert opened == shown
    (token,) = hook.bodies[0]["validationTokens"]
    assert (await claims(tenant, token))["tid"] == one["tenantId"]
    assert "窓口" not in json.dumps(hook.bodies, ensure_ascii=False)


async def test_every_change_of_a_message_is_told(tenant, hook):
    where = await chat(tenant)
    await subscribe(tenant, rich(hook))
    key = await send(tenant, where)
    path = f"{where}/messages/{key}"
    await tenant.admin("PATCH", path, json={"text": "変更"})
    violation = {"policyViolation": {"dlpAction": "BlockAccess"}}
    await tenant.call("PATCH", f"/v1.0/{path}", json=violation)
    await tenant.admin("DELETE", path)
    found = await hook.wait(4)
    etags = [RECEIVER.open(each["encryptedContent"])["etag"] for each in found]
    assert len(set(etags)) == 4
    assert sorted(each["changeType"] for each in found) == [
        "created",
        "deleted",
        "updated",
        "updated",
    ]


@pytest.mark.parametrize(
    "forgery",
    [
        "signature",
        "unknown_key",
        "algorithm",
        "audience",
        "issuer",
        "expired",
        "publisher",
    ],
)
async def test_forged_token_does_not_verify(tenant, hook, forgery):
    where = await chat(tenant)
    await subscribe(tenant, rich(hook))
    await tenant.admin("POST", "faults", json={"forge_notifications": [forgery]})
    await send(tenant, where, "forged")
    await send(tenant, where, "genuine")
    await hook.wait(2)
    verdicts = {}
    for body in hook.bodies:
        (one,) = body["value"] if len(hook.bodies) == 2 else body["value"][:1]
        try:
            await claims(tenant, body["validationTokens"][0])
            verdict = True
        except jwt.PyJWTError:
            verdict = False
        verdicts[RECEIVER.open(one["encryptedContent"])["body"]["content"]] = verdict
    assert verdicts == {"forged": False, "genuine": True}


async def test_missing_token_can_be_asked_for(tenant, hook):
    where = await chat(tenant)
    await subscribe(tenant, rich(hook))
    await tenant.admin("POST", "faults", json={"forge_notifications": ["no_token"]})
    await send(tenant, where)
    await hook.wait(1)
    assert set(hook.bodies[0]) == {"value"}


@pytest.mark.parametrize("forgery", ["ciphertext", "content_signature"])
async def test_tampered_content_does_not_match_its_signature(tenant, hook, forgery):
    where = await chat(tenant)
    await subscribe(tenant, rich(hook))
    await tenant.admin("POST", "faults", json={"forge_notifications": [forgery]})
    await send(tenant, where)
    (one,) = await hook.wait(1)
    with pytest.raises(ValueError, match="signature"):
        RECEIVER.open(one["encryptedContent"])


async def test_new_certificate_is_used_from_its_renewal_on(tenant, hook):
    where, second = await chat(tenant), Receiver()
    made = await subscribe(tenant, rich(hook))
    change = {"encryptionCertificate": second.pem, "encryptionCertificateId": "second"}
    answer = await tenant.call("PATCH", f"/v1.0/subscriptions/{made['id']}", json=change)
    assert answer.json["encryptionCertificateId"] == "second"
    await send(tenant, where)
    (one,) = await hook.wait(1)
    assert one["encryptedContent"]["encryptionCertificateId"] == "second"
    assert second.open(one["encryptedContent"])["body"]["content"] == "本文"


async def test_new_signing_key_joins_the_old_one(tenant, hook):
    where = await chat(tenant)
    await subscribe(tenant, rich(hook))
    await send(tenant, where)
    await hook.wait(1)
    kid = (await tenant.admin("POST", "keys"))["kid"]
    await send(tenant, where)
    await hook.wait(2)
    tokens = [body["validationTokens"][0] for body in hook.bodies]
    assert jwt.get_unverified_header(tokens[1])["kid"] == kid
    for token in tokens:
        await claims(tenant, token)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"encryptionCertificate": None}, 400),
        ({"encryptionCertificate": "no certificate"}, 400),
        ({"encryptionCertificateId": None}, 400),
        ({"lifecycleNotificationUrl": None}, 400),
        ({"resource": "/chats/19:nobody@thread.v2/messages"}, 404),
        ({"resource": "/users/hanako@city.example/messages"}, 400),
        ({"resource": "/drives/{drive_id}/root", "changeType": "updated"}, 400),
    ],
)
async def test_creation_refuses_what_graph_refuses(tenant, hook, changes, status):
    body = rich(hook) | changes
    body["resource"] = body["resource"].format(**tenant.user)
    answer = await tenant.call("POST", "/v1.0/subscriptions", json=body)
    assert answer.status == status
    assert hook.validations == []


async def test_small_key_is_refused(tenant, hook):
    body = rich(hook, encryptionCertificate=Receiver(1024).pem)
    assert (await tenant.call("POST", "/v1.0/subscriptions", json=body)).status == 400


async def test_second_subscription_to_the_same_chats_is_over_quota(tenant, hook):
    made = await subscribe(tenant, rich(hook))
    again = await tenant.call("POST", "/v1.0/subscriptions", json=rich(hook))
    assert again.status == 403
    await tenant.call("DELETE", f"/v1.0/subscriptions/{made['id']}")
    await subscribe(tenant, rich(hook))


async def test_reordered_notifications_come_last_first(tenant, hook):
    where = await chat(tenant)
    await subscribe(tenant, plain(hook))
    await tenant.admin("POST", "faults", json={"reorder_notifications": 3})
    keys = [await send(tenant, where, str(n)) for n in range(2)]
    await asyncio.sleep(0.1)
    assert hook.bodies == []
    keys.append(await send(tenant, where, "2"))
    found = await hook.wait(3)
    assert [each["resourceData"]["id"] for each in found] == keys[::-1]


async def test_cleared_faults_release_what_was_held_back(tenant, hook):
    where = await chat(tenant)
    await subscribe(tenant, plain(hook))
    await tenant.admin("POST", "faults", json={"reorder_notifications": 3})
    key = await send(tenant, where)
    await tenant.admin("DELETE", "faults")
    assert [each["resourceData"]["id"] for each in await hook.wait(1)] == [key]


async def test_lossy_line_loses_doubles_and_shuffles_by_shares(tenant, hook):
    where = await chat(tenant)
    await subscribe(tenant, plain(hook))
    lossy = {"drop": 0.2, "duplicate": 0.3, "delay": 0.2, "seed": 1}
    await tenant.admin("POST", "faults", json={"lossy": lossy})
    keys = [await send(tenant, where, str(n)) for n in range(40)]
    counts = await tenant.admin("GET", "faults")
    assert counts["told"] == 40
    assert counts["dropped"] > 0
    assert counts["doubled"] > 0
    came = await hook.wait(40 - counts["dropped"] + counts["doubled"])
    found = [each["resourceData"]["id"] for each in came]
    assert len(set(found)) == 40 - counts["dropped"]
    assert found != sorted(found, key=keys.index)


async def test_lossy_line_with_a_share_above_one_is_refused(tenant):
    answer = await tenant.call("POST", "/_admin/faults", json={"lossy": {"drop": 2}})
    assert answer.status == 400

"""Sharing: Graph's permissions as a place of the matrix; what is unknown counts as the widest."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.services.sharing import sharing

INSIDE = ("city.example.jp",)
OWNER = {"id": "o", "roles": ["owner"], "grantedToV2": {"user": {"id": "1"}}}


def link(scope, **given):
    return {"id": scope, "roles": ["read"], "link": {"scope": scope, "type": "view"}, **given}


def grant(name, roles=("write",), **person):
    return {"id": name, "roles": list(roles), "grantedToV2": {"user": {"id": name, **person}}}


@pytest.mark.parametrize(
    ("permission", "place"),
    [
        (link("anonymous"), "onedrive_anonymous"),
        (link("organization"), "onedrive_inside"),
        (link("users"), "onedrive_inside"),
        (grant("a", email="taro@CITY.example.jp"), "onedrive_inside"),
        (grant("a"), "onedrive_inside"),
        (grant("a", email="x@other.example.com"), "onedrive_guest"),
        (grant("a", loginName="x_other.com#EXT#@city.onmicrosoft.com"), "onedrive_guest"),
        (
            {"id": "i", "roles": ["read"], "invitation": {"email": "x@other.example.com"}},
            "onedrive_guest",
        ),
        (
            link("users", grantedToIdentitiesV2=[{"user": {"email": "x@other.example.com"}}]),
            "onedrive_guest",
        ),
        ({"id": "?", "roles": ["read"], "somethingNew": {}}, "onedrive_anonymous"),
        (link("anonymous", roles=["owner"]), "onedrive_anonymous"),
    ],
)
def test_grant_makes_a_place_of_the_file(permission, place):
    assert sharing([OWNER, permission], INSIDE).place == place


def test_owners_domain_is_the_organisations_where_none_is_given():
    owner = {"id": "o", "roles": ["owner"], "grantedToV2": {"user": {"email": "a@city.example.jp"}}}
    assert sharing([owner, grant("b", email="b@city.example.jp")], ()).place == "onedrive_inside"
    assert sharing([owner, grant("b", email="b@other.example.com")], ()).place == "onedrive_guest"
    site_user = grant("b", loginName="i:0#.f|membership|b@other.example.com")
    assert sharing([owner, site_user], ()).place == "onedrive_guest"


def site_group(role):
    granted = {"siteGroup": {"id": "3", "displayName": "福祉課", "loginName": "福祉課"}}
    inherited = {"driveId": "d", "id": "root"}
    return {"id": role, "roles": [role], "grantedToV2": granted, "inheritedFrom": inherited}


def site_user(login, **more):
    return {"id": "u", "roles": ["read"], "grantedToV2": {"siteUser": {"loginName": login, **more}}}


@pytest.mark.parametrize(
    ("permission", "inside", "place"),
    [
        (site_group("owner"), INSIDE, "onedrive_inside"),  # nobody's own
        (site_group("write"), (), "onedrive_inside"),
        (grant("a", email="taro@fukushi.city.example.jp"), INSIDE, "onedrive_inside"),
        (grant("a", email="taro@notcity.example.jp"), INSIDE, "onedrive_guest"),
        (grant("a", email="taro@city.example.jp"), (), "onedrive_guest"),  # nothing says it is ours
        (grant("a", email="x@other.example.com", roles=["owner"]), INSIDE, "onedrive_guest"),
        (site_user("i:0i.t|00000003|urn:spo:guest#x@other.example.com"), INSIDE, "onedrive_guest"),
        (site_user("c:0(.s|true", displayName="Everyone"), INSIDE, "onedrive_guest"),
        (site_user("c:0-.f|rolemanager|spo-grid-all-users/t"), INSIDE, "onedrive_inside"),
        (site_user("SHAREPOINT\\system"), INSIDE, "onedrive_inside"),
        (
            {"id": "g", "roles": ["write"], "grantedToV2": {"group": {"email": "g@x.example.com"}}},
            INSIDE,
            "onedrive_inside",
        ),
        (link("anonymous"), INSIDE, "onedrive_anonymous"),
        ({"id": "?", "roles": ["read"]}, INSIDE, "onedrive_anonymous"),
    ],
)
def test_grant_in_a_library_makes_a_place_of_the_file(permission, inside, place):
    assert sharing([permission], inside, library=True).place == place


def test_owner_of_a_library_is_no_grant_to_revoke_and_no_news():
    alone = sharing([site_group("owner")], INSIDE, library=True)
    assert (alone.direct, alone.inherited, alone.digest) == ((), 0, "")


def test_those_who_reach_it_by_a_group_make_the_place_too():
    found = sharing([site_group("write")], INSIDE, library=True)
    assert found.reached("") == found
    assert found.reached("guest").place == found.reached("members_unread").place == "onedrive_guest"


def test_owner_alone_is_private_and_has_no_digest():
    found = sharing([OWNER], INSIDE)
    assert (found.place, found.kinds, found.direct, found.digest) == (
        "onedrive_private",
        (),
        (),
        "",
    )


def test_inherited_grants_are_counted_apart():
    found = sharing([link("anonymous", inheritedFrom={"id": "f"}), link("organization")], INSIDE)
    assert (found.direct, found.inherited) == (("organization",), 1)


def test_digest_is_that_of_the_grants_and_not_of_the_domains_we_know():
    grants = [grant("a", email="x@other.example.com")]
    assert sharing(grants, INSIDE).digest == sharing(grants, ()).digest
    assert sharing(grants, ()).digest != sharing([*grants, link("anonymous")], ()).digest


permissions = st.lists(
    st.sampled_from([OWNER, link("anonymous"), link("users"), grant("a"), grant("b", email="x@y")])
)


@given(permissions, st.randoms(use_true_random=False))
def test_digest_knows_no_order(grants, random):
    shuffled = list(grants)
    random.shuffle(shuffled)
    assert sharing(grants, INSIDE).digest == sharing(shuffled, INSIDE).digest


anything = st.recursive(
    st.none() | st.text(max_size=4) | st.integers(),
    lambda inner: st.dictionaries(
        st.sampled_from(["user", "email", "scope", "id", "loginName"]), inner, max_size=2
    ),
    max_leaves=4,
)


@given(st.lists(st.dictionaries(st.sampled_from(["id", "roles", "link", "grantedToV2"]), anything)))
def test_grant_of_any_shape_is_never_private(grants):
    grants = [{**each, "roles": ["read"]} for each in grants]
    assert (sharing(grants, INSIDE).place == "onedrive_private") is (not grants)

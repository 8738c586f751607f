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


def grant(name, **person):
    return {"id": name, "roles": ["write"], "grantedToV2": {"user": {"id": name, **person}}}


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

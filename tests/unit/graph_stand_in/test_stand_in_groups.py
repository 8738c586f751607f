"""Groups: direct and transitive members, paging, people who leave."""

from __future__ import annotations


async def members(tenant, group, kind="transitiveMembers/microsoft.graph.user?$top=2"):
    path, found = f"/v1.0/groups/{group}/{kind}", []
    while path:
        answer = (await tenant.call("GET", path)).json
        found += [each.get("userPrincipalName") or each["displayName"] for each in answer["value"]]
        path = (
            "/v1.0" + answer["@odata.nextLink"].partition("/v1.0")[2]
            if ("@odata.nextLink" in answer)
            else ""
        )
    return found


async def add(tenant, name, people):
    return (await tenant.admin("POST", "groups", json={"name": name, "members": people}))["id"]


async def test_transitive_members_are_each_found_once_even_in_a_ring(tenant):
    upns = [f"{n}@city.example" for n in range(5)]
    await tenant.admin("POST", "users", json={"users": [{"upn": upn} for upn in upns]})
    inner = await add(tenant, "inner", upns[:4])
    outer = await add(tenant, "outer", [*upns[3:], inner])
    await tenant.admin("POST", f"groups/{inner}/members", json={"add": [outer]})
    assert sorted(await members(tenant, outer)) == upns
    assert await members(tenant, outer, "members") == [*upns[3:], "inner"]


async def test_member_who_left_is_gone(tenant):
    upns = [f"{n}@city.example" for n in range(2)]
    await tenant.admin("POST", "users", json={"users": [{"upn": upn} for upn in upns]})
    group = await add(tenant, "g", upns)
    await tenant.admin("POST", f"groups/{group}/members", json={"remove": [upns[0]]})
    assert await members(tenant, group) == upns[1:]


async def test_unknown_group_is_404(tenant):
    answer = await tenant.call("GET", "/v1.0/groups/nobody/members")
    assert (answer.status, answer.code) == (404, "Request_ResourceNotFound")

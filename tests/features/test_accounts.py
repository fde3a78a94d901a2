"""Accounts, users, tokens, and the audit trail of every change."""

import datetime
import json

from hoshu.rest import Rest
from hoshu.things import make_product
from hoshu.wait import until


def test_the_first_account_is_the_default(rest):
    account = rest.get("/account")
    assert account["name"] == "default" and account["id"]


def test_a_user_is_made_changed_and_deleted(rest):
    made = rest.create("/users", {"name": "Ada", "role": "OPERATOR"})
    path = f"/users/{made['id']}"
    assert rest.get(path) == made
    assert made["id"] in [user["id"] for user in rest.items("/users")]
    assert rest.patch(path, {"role": "VIEWER"})["role"] == "VIEWER"
    assert rest.patch(path, {"name": "Ada L."})["role"] == "VIEWER", "what is not named stays"
    rest.refused("POST", "/users", 409, body={"name": "Ada L.", "role": "VIEWER"})
    rest.refused("PATCH", path, 400, body={"role": "KING"})
    for bad in [{"name": "", "role": "VIEWER"}, {"name": "x" * 65, "role": "VIEWER"}, {"name": "x"}, {"role": "VIEWER"}]:
        rest.refused("POST", "/users", 400, body=bad)
    rest.delete(path)
    rest.refused("GET", path, 404)
    rest.refused("GET", "/users/nothing", 404)


def test_the_last_administrator_stays(platform):
    lonely = platform.rest(platform.create_account("Hermits"))
    (admin,) = lonely.items("/users")
    lonely.refused("DELETE", f"/users/{admin['id']}", 409)
    lonely.refused("PATCH", f"/users/{admin['id']}", 409, body={"role": "VIEWER"})


def test_a_token_is_shown_once_works_and_ends(platform, rest):
    made = rest.create("/tokens", {"name": "ci", "role": "VIEWER"})
    assert len(made["token"]) >= 32
    listed = next(token for token in rest.items("/tokens") if token["id"] == made["id"])
    assert "token" not in listed
    assert made["token"] not in json.dumps(list(rest.items("/tokens")))
    viewer = Rest(platform.url, made["token"])
    viewer.get("/account")
    viewer.refused("POST", "/tokens", 403, body={"name": "more", "role": "ADMIN"})
    rest.delete(f"/tokens/{made['id']}")
    viewer.refused("GET", "/account", 401)
    rest.refused("DELETE", f"/tokens/{made['id']}", 404)


def test_a_token_that_is_over_is_no_token(platform, rest):
    soon = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=2)
    made = rest.create("/tokens", {"name": "short", "role": "VIEWER", "expiresAt": soon.isoformat()})
    viewer = Rest(platform.url, made["token"])
    viewer.get("/account")
    until(lambda: viewer.send("GET", "/account").status_code == 401, "the token over")
    rest.refused("POST", "/tokens", 400, body={"name": "past", "role": "VIEWER", "expiresAt": "2001-01-01T00:00:00Z"})


def test_a_users_token_is_never_more_than_the_user(platform, rest):
    user = rest.create("/users", {"name": "Grace", "role": "VIEWER"})
    made = rest.create("/tokens", {"name": "hers", "role": "VIEWER", "userId": user["id"]})
    assert made["userId"] == user["id"]
    hers = Rest(platform.url, made["token"])
    hers.get("/products")
    response = rest.send("POST", "/tokens", body={"name": "too much", "role": "ADMIN", "userId": user["id"]})
    if response.status_code == 201:
        stronger = Rest(platform.url, response.json()["token"])
        stronger.refused("POST", "/products", 403, body={})
    else:
        assert response.status_code in (400, 403, 409), response.text
    rest.delete(f"/users/{user['id']}")
    until(lambda: hers.send("GET", "/products").status_code == 401, "a deleted user's token over", within=10)


def test_every_change_is_in_the_audit_trail_with_before_and_after(rest):
    product = make_product(rest)
    rest.patch(product.path, {"name": "Renamed"})
    device = product.device()
    rest.post(f"{device.path}/disable")
    rest.post(f"{device.path}/enable")
    rest.post(f"{device.path}/reset-secret")
    rest.delete(device.path)
    rest.delete(product.path)

    def entries(subject):
        return list(rest.items("/audit", subject=subject))

    of_product = until(lambda: len(entries(f"product/{product.product_key}")) >= 3 and entries(f"product/{product.product_key}"), "the product's entries")
    deleted, renamed, created = of_product
    assert [entry["action"] for entry in of_product] == ["product.deleted", "product.updated", "product.created"]
    assert created["before"] is None and created["after"]["name"] == product.answer["name"]
    assert (renamed["before"]["name"], renamed["after"]["name"]) == (product.answer["name"], "Renamed")
    assert deleted["before"]["name"] == "Renamed" and deleted["after"] is None
    assert created["actor"] and created["time"] <= renamed["time"] <= deleted["time"]
    of_device = until(
        lambda: len(entries(f"device/{product.product_key}/{device.device_name}")) == 5
        and entries(f"device/{product.product_key}/{device.device_name}"),
        lambda: f"the device's five entries, but {entries(f'device/{product.product_key}/{device.device_name}')}",
    )
    assert [entry["action"] for entry in of_device][::-1] == [
        "device.created", "device.disabled", "device.enabled", "device.secret-reset", "device.deleted",
    ]
    everything = json.dumps(of_device + of_product)
    assert device.device_secret not in everything and product.answer["productSecret"] not in everything


def test_the_audit_trail_is_filtered_by_actor_and_time(platform, rest):
    made = rest.create("/tokens", {"name": "the auditor", "role": "OPERATOR"})
    operator = Rest(platform.url, made["token"])
    product = make_product(operator)
    subject = f"product/{product.product_key}"
    (entry,) = until(lambda: list(rest.items("/audit", subject=subject)), "its entry")
    found = list(rest.items("/audit", actor=entry["actor"], subject=subject))
    assert [one["id"] for one in found] == [entry["id"]]
    assert list(rest.items("/audit", actor="nobody at all")) == []
    assert list(rest.items("/audit", subject=subject, to=entry["time"])) == []
    assert len(list(rest.items("/audit", subject=subject, **{"from": entry["time"]}))) == 1

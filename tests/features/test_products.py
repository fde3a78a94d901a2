"""Products, as the contract's REST table has them."""

import re

from hoshu.things import make_product


def test_a_product_is_made_read_renamed_and_deleted(rest):
    made = rest.create(
        "/products", {"name": "Boilers", "nodeType": "DEVICE", "dataFormat": "ALINK_JSON", "edition": "PRO"}
    )
    assert re.fullmatch(r"[A-Za-z0-9]{11}", made["productKey"])
    assert re.fullmatch(r"[A-Za-z0-9]{16}", made["productSecret"])
    path = f"/products/{made['productKey']}"
    read = rest.get(path)
    assert "productSecret" not in read, "it is shown once"
    assert read == {name: value for name, value in made.items() if name != "productSecret"}
    assert (read["name"], read["nodeType"], read["dataFormat"], read["edition"]) == (
        "Boilers", "DEVICE", "ALINK_JSON", "PRO",
    )
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", read["createdAt"])
    assert rest.patch(path, {"name": "Big boilers"})["name"] == "Big boilers"
    assert rest.get(path)["name"] == "Big boilers"
    rest.delete(path)
    rest.refused("GET", path, 404)
    rest.refused("DELETE", path, 404)


def test_a_product_with_devices_is_not_deleted(rest):
    product = make_product(rest)
    device = product.device()
    rest.refused("DELETE", product.path, 409)
    rest.delete(device.path)
    rest.delete(product.path)


def test_a_product_needs_a_name_and_known_kinds(rest):
    good = {"name": "x", "nodeType": "DEVICE", "dataFormat": "ALINK_JSON", "edition": "PRO"}
    for change in [
        {"name": ""},
        {"name": "x" * 65},
        {"nodeType": "SERVER"},
        {"nodeType": None},
        {"dataFormat": "XML"},
        {"edition": "FREE"},
        {"edition": 2.5},
        {"color": "red"},
    ]:
        problem = rest.refused("POST", "/products", 400, body={**good, **change})
        assert next(iter(change)) in str(problem), problem
    for name in good:
        without = {other: value for other, value in good.items() if other != name}
        rest.refused("POST", "/products", 400, body=without)


def test_products_are_listed_newest_first_over_pages(rest):
    made = [make_product(rest).product_key for _ in range(5)]
    pages = rest.pages("/products", 2)
    first, second = next(pages), next(pages)
    assert [product["productKey"] for product in first] == made[:-3:-1]
    assert [product["productKey"] for product in second] == made[2:0:-1]
    assert all("productSecret" not in product for product in first)
    rest.refused("GET", "/products", 400, query={"pageSize": 501})
    rest.refused("GET", "/products", 400, query={"pageToken": "nonsense"})

#!/usr/bin/env python3
"""Who may call what: tests/security/matrix.py

Walks /openapi.json as anonymous, as each role, and as 28 accounts that hold one permission each. Every cell must be as the document
declares and as the contract's access column says, of which this file keeps a copy of its own. Internal routes do not exist outside.
"""
import sys
import uuid

from wire import Checks, Connection, administrator, expect, message_of
from shop import opened

PUBLIC, TOKEN = "public", "token"

# The contract's access column. A permission, or several of which one is enough; PUBLIC; TOKEN; "visitor": open, but a token that is
# given must be good, and the object decides (owner, order token).
CONTRACT = {
    "POST /auth/register": PUBLIC,
    "POST /auth/login": PUBLIC,
    "GET /auth/me": TOKEN,
    "POST /auth/validate": PUBLIC,
    "POST /auth/complete-invitation": PUBLIC,
    "GET /auth/.well-known/jwks.json": PUBLIC,
    "POST /auth/resync-users": "write:user",
    "GET /auth/users": "read:user",
    "GET /auth/users/{}": "read:user",
    "POST /auth/users/invite": "write:user",
    "PUT /auth/users/{}": "write:user",
    "DELETE /auth/users/{}": "delete:user",
    "POST /auth/users/{}/activate": "write:user",
    "GET /auth/roles": "read:role",
    "POST /auth/roles": "write:role",
    "GET /auth/roles/{}": "read:role",
    "PUT /auth/roles/{}": "write:role",
    "DELETE /auth/roles/{}": "write:role",
    "GET /auth/permissions": "read:role",
    "GET /products": PUBLIC,
    "GET /products/id/{}": PUBLIC,
    "GET /products/sku/{}": PUBLIC,
    "POST /products": "create:product",
    "PUT /products/{}": "update:product",
    "DELETE /products/{}": "delete:product",
    "POST /products/{}/categories": "update:product",
    "DELETE /products/{}/categories": "update:product",
    "POST /products/{}/images": "update:product",
    "DELETE /products/{}/images": "update:product",
    "POST /products/bulk": "create:product",
    "POST /products/internal/resync-products": "update:product",
    "GET /products/{}/variants": PUBLIC,
    "GET /products/variants/{}": PUBLIC,
    "POST /products/{}/variants": "update:product",
    "PUT /products/variants/{}": "update:product",
    "DELETE /products/variants/{}": "update:product",
    "POST /products/stock/adjust/{}": "adjust:stock",
    "GET /products/stock/history/{}": ("read:stock", "adjust:stock"),
    "GET /products/categories": PUBLIC,
    "GET /products/categories/id/{}": PUBLIC,
    "GET /products/categories/slug/{}": PUBLIC,
    "POST /products/categories": "create:category",
    "PUT /products/categories/{}": "update:category",
    "DELETE /products/categories/{}": "delete:category",
    "POST /products/categories/bulk": "create:category",
    "GET /products/currencies": PUBLIC,
    "POST /products/currencies": "write:currency",
    "GET /products/promotions": PUBLIC,
    "GET /products/promotions/all": "read:promotion",
    "GET /products/promotions/{}": "read:promotion",
    "POST /products/promotions": "write:promotion",
    "PUT /products/promotions/reorder": "write:promotion",
    "PUT /products/promotions/{}": "write:promotion",
    "DELETE /products/promotions/{}": "write:promotion",
    "POST /images/upload": PUBLIC,
    "GET /images/{}": PUBLIC,
    "GET /images/images/{}": PUBLIC,  # the service's own path, as clients that know only imageUrl may ask for
    "GET /search/products": PUBLIC,
    "POST /carts": "visitor",
    "GET /carts/{}": "visitor",
    "POST /carts/{}/items": "visitor",
    "PUT /carts/{}/items/{}": "visitor",
    "DELETE /carts/{}/items/{}": "visitor",
    "DELETE /carts/{}/items": "visitor",
    "DELETE /carts/{}": "visitor",
    "POST /carts/associate": TOKEN,
    "POST /orders": "visitor",
    "GET /orders": "read:order",
    "GET /orders/my-orders": "read:my-orders",
    "GET /orders/{}": "visitor",
    "POST /orders/guest-lookup": PUBLIC,
    "POST /orders/{}/cancel": "visitor",
    "PUT /orders/{}/status": "update:order",
}

# Additions of ours: health, for every service.
for service in ("auth", "products", "images", "search", "carts", "orders"):
    for path in ("health", "health/live", "health/ready"):
        CONTRACT[f"GET /{service}/{path}"] = PUBLIC

INTERNAL = [
    ("GET", "/auth/users/internal/total-count"), ("POST", "/auth/internal/accounts"), ("POST", "/auth/internal/rotate-key"),
    ("POST", "/products/internal/variant-details"), ("GET", "/products/internal/product-documents"), ("POST", "/products/internal/stock/reserve"),
    ("POST", "/products/internal/stock/release"), ("GET", "/products/currencies/internal/rates/USD"), ("POST", "/search/internal/reindex"),
    ("GET", "/orders/internal/verify-purchase"), ("POST", "/orders/internal/orders/x/settle"), ("GET", "/internal"), ("GET", "/products/internal"),
    ("POST", "/payments/process"), ("POST", "/payments/refund"), ("GET", "/auth/metrics"), ("GET", "/products/metrics"),
]
OPERATOR = "POST /products/internal/resync-products"

PERMISSIONS = ("read:user write:user delete:user read:role write:role read:product create:product update:product delete:product read:category create:category update:category "
               "delete:category read:stock adjust:stock read:order update:order read:my-orders create:order read:returns write:returns read:review write:review delete:review "
               "read:currency write:currency read:promotion write:promotion").split()
ROLES = {
    "ADMIN": set(PERMISSIONS),
    "Supervisor": set("read:user read:order read:product read:category read:stock update:order adjust:stock".split()),
    "Support": set("read:user read:order".split()),
    "Auditor": set("read:user read:role read:product read:category read:order read:stock".split()),
    "Customer": set("read:my-orders create:order read:review write:review delete:review".split()),
}
RULES = {PUBLIC: {"anyone", "recognised"}, TOKEN: {"signed_in"}, "visitor": {"visitor", "recognised"}}


def plain(method, path):
    """"GET /auth/users/{id}" -> "GET /auth/users/{}" """
    parts = ["{}" if part.startswith("{") else part for part in path.split("/")]
    return f"{method.upper()} {'/'.join(parts)}"


def operations(document):
    return {plain(method, path): operation for path, methods in document["paths"].items() for method, operation in methods.items()
            if method in ("get", "post", "put", "patch", "delete")}


def declared(document):
    """The document declares every route of the contract with the contract's access, and nothing else"""
    found = operations(document)
    running = {key.split("/")[1] for key in found}  # services that are built
    wrong = []
    for key, access in CONTRACT.items():
        if key.split("/")[1].split()[0] not in running:
            wrong.append(f"{key}: no service")
        elif key not in found:
            wrong.append(f"{key} is missing")
        else:
            told = found[key]["x-access"]
            if access in RULES:
                if told["rule"] not in RULES[access]:
                    wrong.append(f"{key} is {told['rule']}, the contract says {access}")
            else:
                wanted = {access} if isinstance(access, str) else set(access)
                if told["rule"] != "permission" or set(told["anyOf"]) != wanted:
                    wrong.append(f"{key} needs {told}, the contract says {access}")
    wrong += [f"{key} is not in the contract" for key in found if key not in CONTRACT]
    wrong += [f"{key} is internal but described" for key in found if "/internal" in key and key != OPERATOR]
    expect(not wrong, "\n         ".join(wrong))


def roles(shop, admin):
    """The five roles hold the contract's permissions"""
    found = {role["name"]: {permission["name"] for permission in role["permissions"]} for role in admin.get("/auth/roles").json()}
    for name, permissions in ROLES.items():
        expect(found.get(name) == permissions, f"{name}: {sorted(found.get(name, set()) ^ permissions)}")
    expect({one["name"] for one in admin.get("/auth/permissions").json()} == set(PERMISSIONS), "the 28 permissions")


def identities(shop, admin):
    """name -> (token or None, permissions): anonymous, the roles, and one account for each single permission."""
    roles = {role["name"]: role["id"] for role in admin.get("/auth/roles").json()}
    permissions = {one["name"]: one["id"] for one in admin.get("/auth/permissions").json()}
    made = {"anonymous": (None, None)}

    def account(name, role_id):
        email = f"{uuid.uuid4().hex[:12]}@shop.test"
        found = shop.client().post("/auth/register", {"name": "Matrix", "email": email, "password": "a-good-password"})
        expect(found.status == 201, f"{found}")
        token = found.json()["token"]
        if role_id:
            me = shop.client(token).get("/auth/me").json()
            changed = admin.put(f"/auth/users/{me['id']}", {"roleId": role_id})
            expect(changed.status == 200, f"{changed}")
        return shop.client().log_in(email, "a-good-password").token

    for name, wanted in ROLES.items():
        made[name] = (account(name, None if name == "Customer" else roles[name]), wanted)
    suffix = uuid.uuid4().hex[:8]
    for name in PERMISSIONS:
        role = admin.post("/auth/roles", {"name": f"only {name} {suffix}", "permissionIds": [permissions[name]]})
        expect(role.status == 201, f"{role}")
        made[f"only {name}"] = (account(name, role.json()["id"]), {name})
    nothing = admin.post("/auth/roles", {"name": f"nothing {suffix}", "permissionIds": []})
    made["nothing"] = (account("nothing", nothing.json()["id"]), set())
    return made


def filled(path):
    """Ids that exist nowhere: what is let in finds nothing and changes nothing."""
    parts = []
    for part in path.split("/"):
        parts.append(str(uuid.uuid4()) if part == "{}" else part)
    return "/".join(parts)


def cell(shop, key, access, name, token, held):
    method, path = key.split(" ")
    if key == "POST /auth/register" or key == "POST /auth/login":
        body = {}
    else:
        body = {} if method in ("POST", "PUT") else None
    path = filled(path)
    found = shop.client(token).request(method, path, body)
    status = found.status
    if access == TOKEN:
        wanted = status == 401 if token is None else status not in (401, 403)
    elif access == PUBLIC or (access == "visitor" and token):
        wanted = status not in (401, 403)
    elif access == "visitor":
        wanted = status not in (401, 403) or (status == 401 and key == "POST /orders/{}/cancel")  # "401 neither"
    else:
        needed = {access} if isinstance(access, str) else set(access)
        wanted = status == 401 if token is None else status not in (401, 403) if held & needed else status == 403
    if not wanted or status >= 500:
        return f"{name}: {key} is {status}, {found.text[:200]}"
    if status in (401, 403) and not message_of(found.body):
        return f"{name}: {key} has no message"
    return None


def walk(shop, made, document):
    """Every cell of routes x identities is as declared"""
    found = operations(document)
    wrong, cells = [], 0
    for key, access in CONTRACT.items():
        if key not in found:
            continue  # declared() has said so
        for name, (token, held) in made.items():
            if access in (PUBLIC, "visitor", TOKEN) and name.startswith("only "):
                continue  # all with a token are alike there; the roles stand for them
            if key.split("/", 1)[1] in ("auth/resync-users", "products/bulk", "products/categories/bulk") and name not in ("anonymous", "ADMIN", "Customer"):
                continue  # long work, asked for once
            cells += 1
            problem = cell(shop, key, access, name, token, held)
            if problem:
                wrong.append(problem)
    print(f"  {cells} cells")
    expect(not wrong, "\n         ".join(wrong[:15]))
    expect(cells > 1000, f"only {cells} cells were looked at")


def spellings(path):
    yield path
    yield path.replace("internal", "INTERNAL")
    yield path.replace("internal", "Internal")
    yield path.replace("internal", "%69nternal")
    yield path.replace("internal", "%69%6E%74%65%72%6e%61%6C")
    yield path.replace("internal", "%2569nternal")
    yield path.replace("/internal", "//internal")
    yield path.replace("internal", "internal;v=1")
    yield path.replace("internal", "internal%3bv=1")
    yield path + "/"
    yield path + "?internal=1"
    yield path.replace("metrics", "METRICS")
    yield path.replace("metrics", "%6detrics")


def unseen(shop, made):
    """Internal routes are 404 outside: for everybody, in every spelling, with guessed credentials"""
    guesses = "X-Internal-Token: change-me\r\nX-Internal-Service: order-service\r\nX-Forwarded-For: 127.0.0.1\r\nX-Request-Budget-Ms: 1\r\n"
    wrong = []
    for method, path in INTERNAL:
        for spelt in dict.fromkeys(spellings(path)):
            for name in ("anonymous", "ADMIN"):
                token = made[name][0]
                with Connection(shop.port) as connection:
                    bearer = f"Authorization: Bearer {token}\r\n" if token else ""
                    length = "Content-Type: application/json\r\nContent-Length: 2\r\n" if method == "POST" else ""
                    connection.send(f"{method} {spelt} HTTP/1.1\r\nHost: shop.test\r\n{bearer}{guesses}{length}\r\n" + ("{}" if method == "POST" else ""))
                    found = connection.answer()
                if found[0] != 404 or not message_of(found[2]):
                    wrong.append(f"{name}: {method} {spelt} is {found[0]}")
    expect(not wrong, "\n         ".join(wrong[:15]))


def inactive_products(shop, admin, made):
    """Inactive products and cost prices are seen with read:product only"""
    sku = f"HID-{uuid.uuid4().hex[:8]}"
    found = admin.post("/products", {"sku": sku, "name": {"en": "Hidden"}, "isActive": False, "variants": [{"attributes": {"Size": "M"}, "price": "10", "costPrice": "4"}]})
    expect(found.status == 201, f"{found}")
    product = found.json()
    for name, (token, held) in made.items():
        sees = bool(held and "read:product" in held)
        client = shop.client(token)
        for path in (f"/products/id/{product['id']}", f"/products/sku/{sku}", f"/products/variants/{product['variants'][0]['id']}", f"/products/{product['id']}/variants"):
            found = client.get(path)
            expect(found.status == (200 if sees else 404), f"{name}: {path} is {found.status}")
            expect(("\"costPrice\":\"4\"" in found.text) == sees, f"{name}: cost price, {found.text[:300]}")
        listed = sku in client.get("/products?isActive=false&limit=100").text
        expect(listed == sees, f"{name}: listed {listed}")
    expect(admin.delete(f"/products/{product['id']}").status == 204, "not deleted")


def main():
    checks = Checks("matrix")
    with opened(demo=False) as shop:
        administrator(shop)
        admin = shop.admin()
        document = shop.client().get("/openapi.json").json()
        checks.run(declared, document)
        checks.run(roles, shop, admin)
        people = identities(shop, admin)
        checks.run(walk, shop, people, document)
        checks.run(unseen, shop, people)
        checks.run(inactive_products, shop, admin, people)
    return checks.done()


if __name__ == "__main__":
    sys.exit(main())

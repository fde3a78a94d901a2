"""What a device shows in CONNECT (alink-protocol.md §2.1)."""

import hashlib
import hmac
from dataclasses import dataclass

DIGESTS = {"hmacmd5": hashlib.md5, "hmacsha1": hashlib.sha1, "hmacsha256": hashlib.sha256}


@dataclass(frozen=True)
class Credentials:
    client_id: str
    username: str
    password: str


def credentials(device, method="hmacsha256", timestamp="1700000000000", secret=None, own_id=None, **parameters):
    """Signed as the device does it; `parameters` go into the client id beside `signmethod` and `timestamp`."""
    parameters = {"securemode": 3, "_ss": 1, **parameters}
    own_id = own_id or f"{device.product_key}.{device.device_name}"
    shown = {**parameters, "signmethod": method}
    content = f"clientId{own_id}deviceName{device.device_name}productKey{device.product_key}"
    if timestamp is not None:
        shown["timestamp"] = timestamp
        content += f"timestamp{timestamp}"
    key = secret if secret is not None else device.device_secret
    return Credentials(
        client_id=f"{own_id}|{','.join(f'{name}={value}' for name, value in shown.items())}|",
        username=f"{device.device_name}&{device.product_key}",
        password=hmac.new(key.encode(), content.encode(), DIGESTS.get(method, hashlib.sha1)).hexdigest(),
    )

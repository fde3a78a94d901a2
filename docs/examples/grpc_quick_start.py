"""Makes a product and a device, lists devices, and reads a refusal's code.

usage: grpc_quick_start.py ADDRESS TOKEN_FILE, with the generated stubs on PYTHONPATH
"""

import sys
from pathlib import Path

import grpc
from google.rpc.error_details_pb2 import ErrorInfo
from grpc_status import rpc_status
from hoshu.registry.v1 import registry_pb2 as registry
from hoshu.registry.v1.registry_pb2_grpc import RegistryServiceStub
from hoshu.thing.v1 import thing_pb2 as thing
from hoshu.thing.v1.thing_pb2_grpc import ThingServiceStub

address, token_file = sys.argv[1:]
metadata = [("authorization", f"Bearer {Path(token_file).read_text().strip()}")]

with grpc.insecure_channel(address) as channel:
    products = RegistryServiceStub(channel)
    things = ThingServiceStub(channel)

    product = products.CreateProduct(
        registry.CreateProductRequest(
            name="Made from Python",
            node_type=registry.Product.DEVICE,
            data_format=registry.DataFormatKind.ALINK_JSON,
            edition=registry.EditionKind.PRO,
        ),
        metadata=metadata,
    )
    print("product", product.product_key)

    products.CreateDevice(
        registry.CreateDeviceRequest(product_key=product.product_key, device_name="boiler_01"), metadata=metadata
    )
    listed = products.ListDevices(registry.ListDevicesRequest(product_key=product.product_key), metadata=metadata)
    for device in listed.items:
        print("device", device.device_name, "is", registry.Device.Status.Name(device.status))

    try:
        things.SetProperties(
            thing.SetPropertiesRequest(
                product_key=product.product_key, device_name="boiler_01", params='{"setpoint":7.5}'
            ),
            metadata=metadata,
        )
    except grpc.RpcError as error:
        info = ErrorInfo()
        for detail in rpc_status.from_call(error).details:
            detail.Unpack(info)  # a detail of another kind changes nothing
        print("refused:", error.code().name, "code", info.metadata.get("code"), error.details())

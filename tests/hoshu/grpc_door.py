"""The gRPC door by reflection alone, as grpcurl and others use it: no file of ours is read."""

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory
from google.protobuf.descriptor import FieldDescriptor
from google.rpc import error_details_pb2
from grpc_reflection.v1alpha import reflection_pb2
from grpc_status import rpc_status

REFLECTION = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"


class GrpcDoor:
    def __init__(self, target):
        self.channel = grpc.insecure_channel(target)
        self._pool = descriptor_pool.DescriptorPool()
        self._added = set()
        # v1 has the messages of v1alpha.
        self._reflect = self.channel.stream_stream(
            REFLECTION,
            request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
            response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
        )

    def _asked(self, **request):
        (answer,) = self._reflect(iter([reflection_pb2.ServerReflectionRequest(**request)]), timeout=30)
        assert not answer.HasField("error_response"), answer.error_response
        return answer

    def services(self):
        return sorted(one.name for one in self._asked(list_services="").list_services_response.service)

    def methods(self):
        """Each public method's full path and descriptor; health and reflection left out."""
        found = {}
        for name in self.services():
            if name.startswith("grpc."):
                continue
            self._load(file_containing_symbol=name)
            for method in self._pool.FindServiceByName(name).methods:
                found[f"/{name}/{method.name}"] = method
        return found

    def _load(self, **request):
        files = {}
        for text in self._asked(**request).file_descriptor_response.file_descriptor_proto:
            file = descriptor_pb2.FileDescriptorProto.FromString(text)
            files[file.name] = file
        for file in files.values():
            self._add(file, files)

    def _add(self, file, siblings):
        if file.name in self._added:
            return
        self._added.add(file.name)
        for name in file.dependency:
            if name in siblings:
                self._add(siblings[name], siblings)
            elif name not in self._added:
                self._load(file_by_filename=name)
        self._pool.Add(file)

    def call(self, path, fields, token=None, within=30):
        """Calls with fields named as in REST; answers with the response, shown as REST shows it."""
        method = self.methods_cached()[path]
        request = message_factory.GetMessageClass(method.input_type)()
        json_format.ParseDict(_enums(fields, method.input_type), request, descriptor_pool=self._pool)
        response_class = message_factory.GetMessageClass(method.output_type)
        ask = self.channel.unary_unary(
            path,
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=response_class.FromString,
        )
        metadata = [("authorization", f"Bearer {token}")] if token else []
        return ask(request, metadata=metadata, timeout=within)

    def methods_cached(self):
        if not hasattr(self, "_methods"):
            self._methods = self.methods()
        return self._methods


def _enums(fields, kind):
    """Values of enums, found by their names; JSON wants them as they are declared."""
    by_name = {field.json_name: field for field in kind.fields}
    shown = {}
    for name, value in fields.items():
        field = by_name[name]
        if field.type == FieldDescriptor.TYPE_ENUM:
            value = field.enum_type.values_by_name[value].number
        shown[name] = value
    return shown


def error_info(error):
    """The google.rpc.ErrorInfo of an error."""
    for detail in rpc_status.from_call(error).details:
        if detail.Is(error_details_pb2.ErrorInfo.DESCRIPTOR):
            info = error_details_pb2.ErrorInfo()
            detail.Unpack(info)
            return info
    raise AssertionError(f"no ErrorInfo in {error}")

"""Google services without an emulator, served on loopback for the real client libraries.

Secret Manager speaks its own protocol buffers over gRPC; Cloud Storage and BigQuery their JSON over HTTP.
Each does only what the adapters ask, and refuses as the service does.
"""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import google_crc32c
import grpc
from google.cloud.secretmanager_v1 import SecretManagerServiceAsyncClient
from google.cloud.secretmanager_v1.services.secret_manager_service.transports import (
    SecretManagerServiceGrpcAsyncIOTransport,
)
from google.cloud.secretmanager_v1.types import AccessSecretVersionRequest, AccessSecretVersionResponse


@dataclass
class Vault:
    """Secret Manager: values by ``secret/version``; a value may be a status to refuse with."""

    values: dict[str, bytes | grpc.StatusCode] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    damaged: bool = False

    async def access(self, request: bytes, context: grpc.aio.ServicerContext) -> bytes:
        """AccessSecretVersion."""
        name: str = AccessSecretVersionRequest.deserialize(request).name
        _, _, _, secret, _, version = name.split("/")
        self.asked.append(f"{secret}/{version}")
        value = self.values.get(f"{secret}/{version}", grpc.StatusCode.NOT_FOUND)
        if isinstance(value, grpc.StatusCode):
            await context.abort(value, f"Secret Version [{name}] is {value.name}")
        assert isinstance(value, bytes)
        crc = google_crc32c.value(value) + self.damaged
        answer = AccessSecretVersionResponse(name=name, payload={"data": value, "data_crc32c": crc})
        data: bytes = AccessSecretVersionResponse.serialize(answer)
        return data


@asynccontextmanager
async def secret_manager(vault: Vault) -> AsyncIterator[SecretManagerServiceAsyncClient]:
    """A real client of ``vault``."""
    server = grpc.aio.server()
    method = grpc.unary_unary_rpc_method_handler(vault.access)
    service = "google.cloud.secretmanager.v1.SecretManagerService"
    handler = grpc.method_handlers_generic_handler(service, {"AccessSecretVersion": method})
    server.add_generic_rpc_handlers((handler,))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    channel = grpc.aio.insecure_channel(f"127.0.0.1:{port}")
    try:
        yield SecretManagerServiceAsyncClient(
            transport=SecretManagerServiceGrpcAsyncIOTransport(channel=channel)
        )
    finally:
        await channel.close()
        await server.stop(0)


@dataclass
class Cloud:
    """Cloud Storage and BigQuery: objects by name, answers to queries, and what was asked."""

    objects: dict[str, bytes] = field(default_factory=dict)
    refuse: tuple[int, str] | None = None
    schema: list[dict[str, str]] = field(default_factory=list)
    rows: list[list[Any]] = field(default_factory=list)
    queries: list[dict[str, Any]] = field(default_factory=list)

    def answer(self, method: str, path: str, headers: Any, body: bytes) -> tuple[int, bytes]:
        """One request."""
        url = urlsplit(path)
        asked = {name: values[0] for name, values in parse_qs(url.query).items()}
        if self.refuse is not None:
            status, reason = self.refuse
            error = {"code": status, "message": reason, "errors": [{"reason": reason, "message": reason}]}
            return status, json.dumps({"error": error}).encode()
        if "/queries" in url.path:
            return 200, self._query(json.loads(body))
        if method == "POST":
            return 200, self._upload(headers["content-type"], body)
        name = unquote(url.path.partition("/o/")[2])
        if not name:
            return 200, self._list(asked.get("prefix", ""))
        if name not in self.objects:
            return 404, json.dumps({"error": {"code": 404, "message": f"No such object: {name}"}}).encode()
        return 200, self.objects[name]

    def _upload(self, kind: str, body: bytes) -> bytes:
        boundary = kind.partition("boundary=")[2].strip('"').encode()
        _, described, content, _ = body.split(b"--" + boundary)
        name = json.loads(described.partition(b"\r\n\r\n")[2])["name"]
        self.objects[name] = content.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n")
        return json.dumps({"name": name, "bucket": "raw"}).encode()

    def _list(self, prefix: str) -> bytes:
        items = [{"name": name} for name in self.objects if name.startswith(prefix)]
        return json.dumps({"kind": "storage#objects", "items": items}).encode()

    def _query(self, asked: dict[str, Any]) -> bytes:
        self.queries.append(asked)
        rows = [{"f": [{"v": value} for value in row]} for row in self.rows]
        answer = {
            "jobComplete": True,
            "schema": {"fields": self.schema},
            "rows": rows,
            "totalRows": str(len(rows)),
            "jobReference": {"projectId": "p", "jobId": "j"},
        }
        return json.dumps(answer).encode()


@contextmanager
def serving(cloud: Cloud) -> Iterator[str]:
    """The address of ``cloud``, in threads of its own."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            status, answer = cloud.answer(self.command, self.path, self.headers, body)
            self.send_response(status)
            kind = "application/octet-stream" if "alt=media" in self.path else "application/json"
            self.send_header("content-type", kind if status == 200 else "application/json")
            self.send_header("content-length", str(len(answer)))
            self.send_header("x-goog-hash", f"crc32c={_crc32c(answer)}")
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_POST = do_PUT = _answer  # noqa: N815 - names that the standard library calls

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _crc32c(data: bytes) -> str:
    return base64.b64encode(google_crc32c.value(data).to_bytes(4, "big")).decode()

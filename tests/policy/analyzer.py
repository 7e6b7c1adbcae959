"""The pack in the process that Pulumi's command starts for it, spoken to as its engine does."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import struct_pb2
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc

ROOT = Path(__file__).resolve().parents[2]
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""How the engine writes a text that is not known in a preview."""
NEVER_ASKED = "127.0.0.1:1"
"""The engine's own address, which a pack does not call."""


class Analyzer:
    """A running pack."""

    def __init__(self, stub: Any) -> None:
        self.stub = stub

    def info(self) -> Any:
        return self.stub.GetAnalyzerInfo(struct_pb2.Struct())

    def resource(self, entry: Mapping[str, Any], region: str | None = None) -> list[Any]:
        """What the pack says of one resource of a graph."""
        said = list(self.stub.Analyze(self._request(analyzer_pb2.AnalyzeRequest, entry, region)).diagnostics)
        for each in said:
            # as the engine fills it in
            each.urn = each.urn or entry["urn"]
        return said

    def stack(self, entries: Sequence[Mapping[str, Any]]) -> list[Any]:
        """What the pack says of a graph as a whole."""
        resources = []
        for entry in entries:
            resource = self._request(analyzer_pb2.AnalyzerResource, entry, None)
            resource.parent = entry.get("parent", "")
            resource.dependencies.extend(entry.get("dependencies", []))
            resources.append(resource)
        return list(self.stub.AnalyzeStack(analyzer_pb2.AnalyzeStackRequest(resources=resources)).diagnostics)

    def graph(self, entries: Sequence[Mapping[str, Any]], region: str = "us-east-1") -> list[Any]:
        """All that the pack says of a graph, resource by resource and as a whole."""
        return [said for entry in entries for said in self.resource(entry, region)] + self.stack(entries)

    @staticmethod
    def _request(kind: Any, entry: Mapping[str, Any], region: str | None) -> Any:
        properties = struct_pb2.Struct()
        properties.update({key: value for key, value in entry["inputs"].items() if value is not None})
        request = kind(type=entry["type"], properties=properties, urn=entry["urn"], name=entry["name"])
        if region is not None and entry.get("custom", True):
            request.provider.type, request.provider.name = "pulumi:providers:aws", "default"
            request.provider.properties.update({"region": region})
        return request


@contextmanager
def running(folder: Path = ROOT / "policy") -> Iterator[Analyzer]:
    """Start the pack as the command does (`python -m pulumi.policy ENGINE PROGRAM`) and stop it afterwards."""
    command = [sys.executable, "-u", "-m", "pulumi.policy", NEVER_ASKED, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT.parent) as child:
        try:
            assert child.stdout and child.stderr
            port = child.stdout.readline().strip()
            if not port.isdigit():
                child.kill()
                raise AssertionError(f"the pack did not start: {port} {child.stderr.read()}")
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                yield Analyzer(analyzer_pb2_grpc.AnalyzerStub(channel))
        finally:
            child.terminate()


def told(diagnostics: Sequence[Any]) -> list[tuple[str, str, str]]:
    """Rule, URN and complaint of each."""
    return [(each.policyName, each.urn, each.message) for each in diagnostics]

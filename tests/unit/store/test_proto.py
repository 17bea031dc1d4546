"""The generated code is what the .proto says, and the .proto is what etcd speaks."""

from __future__ import annotations

import importlib.resources
import subprocess
import sys
from pathlib import Path

from bps.store.etcd import _proto
from bps.store.etcd._proto import bps_etcd_pb2 as pb
from bps.store.etcd.methods import UNARY

_DIRECTORY = Path(_proto.__file__).parent
_GENERATED = ("bps_etcd_pb2.py", "bps_etcd_pb2.pyi")


def test_the_generated_code_is_up_to_date(tmp_path: Path) -> None:
    subprocess.run(
        [
            sys.executable,
            "-m",
            "grpc_tools.protoc",
            f"-I{_DIRECTORY}",
            f"--python_out={tmp_path}",
            f"--pyi_out={tmp_path}",
            "bps_etcd.proto",
        ],
        check=True,
    )
    for name in _GENERATED:
        # protoc leaves a generic without its parameters in the stubs.
        header = '# mypy: disable-error-code="type-arg"\n' if name.endswith(".pyi") else ""
        assert header + (tmp_path / name).read_text() == (_DIRECTORY / name).read_text()


def test_the_sources_are_packaged() -> None:
    files = {entry.name for entry in importlib.resources.files(_proto).iterdir()}
    assert {"bps_etcd.proto", *_GENERATED} <= files


def test_the_package_is_our_own() -> None:
    """etcd's own names would clash with any other etcd library in the process."""
    assert pb.DESCRIPTOR.package == "bps.etcd.v1"
    assert not pb.DESCRIPTOR.services_by_name
    assert all(method.path.startswith("/etcdserverpb.") for method in UNARY)


def test_wire_bytes_of_a_transaction() -> None:
    """Field numbers as in etcd's rpc.proto, spelled out by hand."""
    request = pb.TxnRequest()
    request.compare.add(target=2, key=b"k", mod_revision=7)
    request.success.add().request_put.key = b"k"
    request.failure.add().request_range.key = b"k"
    assert request.SerializeToString() == bytes.fromhex(
        "0a07"
        "1002"
        "1a016b"
        "3007"  # compare: target MOD, key, mod_revision (6)
        "1205"
        "1203"
        "0a016b"  # success: request_put (2), key
        "1a05"
        "0a03"
        "0a016b"  # failure: request_range (1), key
    )

"""etcd's RPCs by path: the calls need no generated stubs, hence no `etcdserverpb` package."""

from __future__ import annotations

from typing import Generic, TypeVar

from google.protobuf.message import Message

from bps.store.etcd._proto import bps_etcd_pb2 as pb

RequestT = TypeVar("RequestT", bound=Message)
ResponseT = TypeVar("ResponseT", bound=Message)


class Method(Generic[RequestT, ResponseT]):
    """A unary call: its path, what goes out and what comes back. Compared by identity."""

    __slots__ = ("path", "request", "response")

    def __init__(self, path: str, request: type[RequestT], response: type[ResponseT]) -> None:
        self.path = path
        self.request = request
        self.response = response


RANGE = Method("/etcdserverpb.KV/Range", pb.RangeRequest, pb.RangeResponse)
TXN = Method("/etcdserverpb.KV/Txn", pb.TxnRequest, pb.TxnResponse)
COMPACT = Method("/etcdserverpb.KV/Compact", pb.CompactionRequest, pb.CompactionResponse)
GRANT = Method("/etcdserverpb.Lease/LeaseGrant", pb.LeaseGrantRequest, pb.LeaseGrantResponse)
REVOKE = Method("/etcdserverpb.Lease/LeaseRevoke", pb.LeaseRevokeRequest, pb.LeaseRevokeResponse)
# A stream in etcd's API; one request and one answer on it have the wire form of a unary call.
KEEPALIVE = Method(
    "/etcdserverpb.Lease/LeaseKeepAlive", pb.LeaseKeepAliveRequest, pb.LeaseKeepAliveResponse
)
STATUS = Method("/etcdserverpb.Maintenance/Status", pb.StatusRequest, pb.StatusResponse)
DEFRAGMENT = Method(
    "/etcdserverpb.Maintenance/Defragment", pb.DefragmentRequest, pb.DefragmentResponse
)
ALARM = Method("/etcdserverpb.Maintenance/Alarm", pb.AlarmRequest, pb.AlarmResponse)
AUTHENTICATE = Method(
    "/etcdserverpb.Auth/Authenticate", pb.AuthenticateRequest, pb.AuthenticateResponse
)
WATCH_PATH = "/etcdserverpb.Watch/Watch"

UNARY = (
    RANGE,
    TXN,
    COMPACT,
    GRANT,
    REVOKE,
    KEEPALIVE,
    STATUS,
    DEFRAGMENT,
    ALARM,
    AUTHENTICATE,
)

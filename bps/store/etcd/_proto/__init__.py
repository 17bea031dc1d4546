"""Generated from `bps_etcd.proto` by `python -m grpc_tools.protoc`; a test regenerates it."""

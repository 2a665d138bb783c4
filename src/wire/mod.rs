//! Between the provider protocol's bytes and the framework: the only user of protobuf and msgpack.

pub mod msgpack;

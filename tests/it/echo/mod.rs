//! The rules of the protocol and of the framework, over the protocol, on the echo provider of `tests/echo`.

mod bad_calls;
mod concurrency;
mod hostile_values;
mod kinds;
mod lifecycle;
mod spelling;
mod values;

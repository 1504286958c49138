//! The life of a credential in an account, and its stores, over sockets. Most of these tests wait, so they wait
//! together.

#![allow(clippy::unwrap_used)]
#![allow(clippy::print_stderr, reason = "a test that is skipped says so")]

mod lifecycle;
#[cfg(all(feature = "secretsmanager", feature = "ssm"))]
mod moto;
mod stores;

//! The edge to AWS: does what the library decided, through the official AWS SDK for Rust.

pub mod config;
pub mod error;
pub mod iam;
pub mod lifecycle;
pub mod profile;
mod retry;
pub mod sender;
pub mod smtp;
pub mod store;

pub use config::{Account, Options};
pub use error::{Cause, Error};

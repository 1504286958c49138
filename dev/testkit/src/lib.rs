//! The common parts of the tests of several crates: a local SES and its users, its clients, and the proxies and servers
//! that fail on purpose.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

pub mod apis;
pub mod lambda;
pub mod mail;
pub mod object;
pub mod organization;
pub mod process;
pub mod proxy;
pub mod scripted;
pub mod secrets_manager;
pub mod signer;
pub mod smtp_client;
pub mod tls;
pub mod users;
pub mod wire;

//! The life of a credential in the account of a local SES, over sockets.

#![allow(clippy::unwrap_used)]

mod account;
mod audit;
mod create;
mod failures;
mod faults;
mod migrate;
mod proxy;
mod stage;
mod users;

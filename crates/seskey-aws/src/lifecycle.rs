//! The life cycle of a credential in an account: made, proven, listed, migrated, deleted.

mod change;
pub mod converge;
pub mod create;
pub mod delete;
pub mod end;
#[cfg(feature = "secretsmanager")]
pub mod function;
mod group;
mod interrupt;
pub mod list;
pub mod migrate;
mod permission;
mod preflight;
pub mod prove;
pub mod revoke;
pub mod rotate;
pub mod undelivered;
pub mod undo;

pub use interrupt::Interrupt;
pub(crate) use permission::{SEND, identity};

//! The life of a credential in an account: made, proven, listed, deleted.

pub mod create;
pub mod delete;
pub mod end;
mod interrupt;
pub mod list;
mod permission;
mod preflight;
pub mod prove;
pub mod revoke;
pub mod rotate;
pub mod undo;

pub use interrupt::Interrupt;
pub(crate) use permission::SEND;

//! The connection to AWS: carries out the library's decisions through the official AWS SDK for Rust.

pub mod audit;
mod clock;
pub mod config;
pub mod error;
pub mod iam;
pub mod lifecycle;
pub mod object;
pub mod organization;
mod pace;
pub mod process;
pub mod profile;
mod retry;
pub mod sender;
pub mod ses;
pub mod smtp;
pub mod store;

pub use config::{Account, Options, Role};
pub use error::{Cause, Denial, Error};

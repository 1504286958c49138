//! A local Amazon SES: the IAM, STS, SES and SNS APIs, the SMTP endpoint and a mailbox, in one process.
//!
//! The password of each SMTP login is derived from an access key of the IAM in the same process, so that a credential
//! works here exactly when it would work at AWS. The state and the protocols are pure code; only [`server`] and the two
//! listeners touch sockets.

pub use api::{iam, query::xml, sts};
pub use journal::{CommitFailed, JournalError};
pub use service::{faults, inbox};
pub use tls::CertificateError;
pub use wire::{http, smtp};

pub mod account;
pub mod address;
pub mod api;
mod clock;
pub mod event;
mod journal;
mod lock;
pub mod mailbox;
pub mod message;
pub mod refusal;
pub mod sending;
pub mod server;
mod service;
pub mod sigv4;
mod tls;
mod wire;

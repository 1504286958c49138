//! A local Amazon SES: the IAM, STS and SES APIs, the SMTP endpoint and a mailbox, in one process.
//!
//! The password of each SMTP login is derived from an access key of the IAM in the same process, so that a credential
//! works here exactly when it would work at AWS. All knowledge of state and protocol is pure; only [`server`] and the
//! two listeners touch sockets.

pub mod account;
pub mod address;
pub mod api;
mod clock;
mod connections;
mod dispatch;
pub mod faults;
mod http;
pub mod iam;
mod journal;
mod local_ses;
mod lock;
pub mod mailbox;
pub mod message;
mod metrics;
pub mod refusal;
pub mod sending;
pub mod server;
pub mod ses;
pub mod sigv4;
pub mod smtp;
pub mod sts;
mod tls;
pub mod xml;

pub use journal::JournalError;
pub use tls::CertificateError;

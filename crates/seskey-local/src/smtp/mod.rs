//! The SMTP endpoint (RFC 5321) as Amazon SES runs it: what it replies, and the sockets it replies on.

pub(crate) mod address;
mod auth;
pub mod framing;
pub(crate) mod listener;
mod reply;
mod session;

pub use reply::Reply;
pub use session::{Envelope, Session, Step};

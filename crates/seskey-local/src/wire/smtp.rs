//! The SMTP endpoint (RFC 5321) as Amazon SES runs it: what it replies, and the sockets it replies on.

mod auth;
mod conversation;
mod error_limit;
pub mod framing;
mod limits;
pub(crate) mod listener;
mod path;
mod reply;
mod room;
mod session;
mod transcript;

pub use limits::Limits;
pub use listener::{ListenOn, Listener, Tls};
pub use reply::Reply;
pub use session::{Session, Step};

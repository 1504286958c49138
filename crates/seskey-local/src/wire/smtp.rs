//! The SMTP endpoint (RFC 5321) in the manner of Amazon SES: its replies and its sockets.

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

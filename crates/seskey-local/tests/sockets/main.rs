//! The local SES over sockets: SMTP and HTTP, their limits and their faults.

#![allow(clippy::unwrap_used)]

mod attempts;
mod conversations;
mod events;
mod faults;
mod http_hosts;
mod http_limits;
mod mailbox_api;
mod smtp_lettre;
mod smtp_limits;
mod sns;
mod sns_subscriber;

//! The library, except for rotation: values, parsers, decisions and texts.

#![allow(clippy::unwrap_used)]

mod audit;
mod credentials;
mod diagnose;
mod diagnose_typed;
mod fleet;
mod passwords;
mod policy;
mod policy_sending;
mod redact;
mod render;
mod render_docs;
mod render_places;
mod stores;
mod threads;

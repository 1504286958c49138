//! The pages in a real Chromium: each flow as a person goes through it.

#![allow(clippy::unwrap_used)]

mod browser;
mod console;
mod mailbox;

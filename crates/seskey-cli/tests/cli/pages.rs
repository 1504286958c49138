//! The pages in a real Chromium: each flow as a person goes through it.

mod browser;
mod console;
mod mailbox;

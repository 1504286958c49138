//! The output and the effects of the program: golden cases, diagnoses, documentation and examples, rotations from end
//! to end, and the local SES as a process. All of them wait for logins, so they wait together.

#![allow(clippy::unwrap_used)]

mod demo;
mod documents;
mod examples;
mod golden;
mod listeners;
mod local;
mod mail_manager;
mod mailbox;
mod matrix;
mod rotation;
mod secrets;
mod sending;
mod stage;
mod throttled;

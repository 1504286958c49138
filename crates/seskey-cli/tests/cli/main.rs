//! What the program says and does, as a person sees it: golden cases, diagnoses, documentation and examples.

#![allow(clippy::unwrap_used)]

mod demo;
mod documents;
mod examples;
mod golden;
mod listeners;
mod mail_manager;
mod matrix;
mod sending;
mod stage;
mod throttled;

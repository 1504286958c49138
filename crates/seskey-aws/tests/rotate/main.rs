//! The rotation of a credential in the account of a local SES, step by step, with somebody in its way.

#![allow(clippy::unwrap_used)]

mod answers;
mod beforehand;
mod scene;
#[allow(dead_code)]
#[path = "../lifecycle/stage.rs"]
mod stage;
mod starts;
mod whole;

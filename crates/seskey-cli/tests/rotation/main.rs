//! Rotations from end to end: the program against a local SES, while somebody logs in, ten times a second, with what
//! the store holds. Not one of these logins may fail, whatever happens to the program.

#![allow(clippy::unwrap_used)]

mod arena;
mod kills;
mod many;
mod proxy;
mod trouble;
mod watcher;

//! Rotations from end to end: the program against a local SES, while somebody logs in and sends, ten times a second, with
//! what the store holds. Nothing of it may fail, whatever happens to the program.

mod arena;
mod deeds;
mod function;
mod interrupt;
mod kills;
mod many;
mod on_record;
mod organization;
mod proxy;
mod storm;
mod trouble;
mod watcher;

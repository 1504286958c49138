//! Rotations from end to end: the program against a local SES, while a watcher logs in and sends, ten times a second,
//! with the credentials in the store. No message may fail, whatever happens to the program.

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

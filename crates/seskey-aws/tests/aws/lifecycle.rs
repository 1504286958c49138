//! The life of a credential in the account of a local SES, over sockets: single calls, rotations, and the SMTP client
//! against servers.

mod account;
mod audit;
mod create;
mod failures;
mod faults;
mod migrate;
mod proxy;
mod rotate;
mod smtp;
mod stage;
mod users;

//! What the verbs work on: the account, and the SMTP endpoint. Nothing is explained here.

pub(crate) mod aws;
pub(crate) mod smtp;

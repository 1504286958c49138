//! The account and the SMTP endpoint that the verbs work on. Failures are worded in `explain`.

pub(crate) mod aws;
pub(crate) mod smtp;

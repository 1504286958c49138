//! The rotation of a credential in the account of a local SES, step by step, with somebody in its way.

mod answers;
mod beforehand;
mod scene;
mod starts;
mod whole;

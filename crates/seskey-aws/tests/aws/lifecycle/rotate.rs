//! The rotation of a credential in the account of a local SES, step by step, with obstacles.

mod answers;
mod beforehand;
mod scene;
mod starts;
mod whole;

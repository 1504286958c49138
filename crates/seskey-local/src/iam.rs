//! The IAM Query API, version 2010-05-08: parameters in, an [`Action`](crate::account::Action) out; an
//! [`Answer`](crate::account::Answer) in, XML out.
//!
//! Source: IAM API Reference. [`OPERATIONS`] is the table of all that is served.

pub use encode::encode;
pub use members::Members;
pub use operations::{OPERATIONS, Operation};

mod encode;
mod members;
mod operations;
mod resource;
mod shapes;

/// The namespace of every answer.
pub const NAMESPACE: &str = "https://iam.amazonaws.com/doc/2010-05-08/";

/// The one version of the API.
pub const VERSION: &str = "2010-05-08";

//! The IAM Query API, version 2010-05-08: parameters in, an [`Action`](crate::account::Action) out; an
//! [`Answer`](crate::account::Answer) in, XML out.
//!
//! Source: IAM API Reference. [`OPERATIONS`] is the table of all that is served. STS is read and written the same way.

pub use encode::encode;
pub use members::Members;
pub(crate) use members::value_of;
pub(crate) use operations::op;
pub use operations::{OPERATIONS, Operation};
pub(crate) use resource::Resource;

mod details;
mod elements;
mod encode;
mod members;
mod operations;
mod resource;
pub(crate) mod shapes;

/// The namespace of every answer.
pub const NAMESPACE: &str = "https://iam.amazonaws.com/doc/2010-05-08/";

/// The one version of the API.
pub const VERSION: &str = "2010-05-08";

//! IAM policy documents: a parser as strict as IAM, an evaluation, and the least policy for sending.
//!
//! This is the whole language of identity-based policies: both versions, `NotAction` and `NotResource`, every condition
//! operator with its set operators, policy variables, permissions boundaries. [`Policy::parse_resource`] reads the
//! policies of resources, such as SES identities: the same language, in which each statement names its `Principal`.
//!
//! ```
//! use seskey::policy::{evaluate, Context, Policy, PolicySource, Request, SendingPolicy};
//!
//! let sending = SendingPolicy { from_addresses: vec!["*@example.com".into()], ..SendingPolicy::default() };
//! let policy = Policy::parse(&sending.to_json()?)?;
//! let source = PolicySource::Inline { name: "AmazonSesSendingAccess".into() };
//!
//! let context = Context::new().with("ses:FromAddress", ["news@example.com"]);
//! let resource = "arn:aws:ses:eu-west-1:111122223333:identity/example.com";
//! let request = Request { action: "ses:SendRawEmail", resource, context: &context };
//! assert!(evaluate([(&source, &policy)], &request).is_allowed());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Values that cannot be compared
//! A text where a number is required, or a policy variable with several values, does not match. Under a negated
//! operator it satisfies no `Allow` and every `Deny`: a value that cannot be compared never helps the requester. A
//! policy variable without a value equals nothing and is like nothing, so that a negated operator holds.
//!
//! Sources: IAM User Guide, "Grammar of the IAM JSON policy language", "Policy evaluation logic" and the pages of the
//! single policy elements.

mod condition;
mod context;
mod document;
mod evaluate;
mod json;
mod malformed;
mod operator;
mod parse;
mod pattern;
mod principal;
mod resource;
mod sending;
mod value;
pub mod written;

pub use context::{Context, Known, Request};
pub use document::{Effect, Policy, Statement, Version, counted_size};
pub use evaluate::{Decision, MissingAllow, PolicySource, StatementRef, evaluate};
pub use malformed::{Fault, MalformedPolicy};
pub use pattern::is_like;
pub use sending::{Reach, SEND, SendingPolicy, SendingPolicyError};

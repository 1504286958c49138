//! Amazon SES SMTP credentials, without any input or output.
//!
//! Sending mail through the SES SMTP endpoint takes a user name and a password that are *not* the AWS keys: the user
//! name is the access key ID of an IAM user, the password is computed from its secret access key for one region. This
//! crate derives the password, recognises a pasted string, knows the regions, reads and writes the console's file,
//! builds and evaluates the IAM policies that let a user send, and plans the rotation of its key.
//!
//! It makes no connection and reads no file, clock or environment: everything that varies is an argument.
//!
//! ```
//! use seskey::{Region, SecretAccessKey, SmtpPassword};
//!
//! let secret = SecretAccessKey::parse("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")?;
//! let password = SmtpPassword::derive(&secret, &Region::parse("us-west-2")?);
//! assert_eq!(password.expose(), "BF2PynzbSCAjX08zhZZnP/kW+T9P5zs/1Er0pi5vTEmd");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod access_key;
#[cfg(feature = "fleet")]
pub mod audit;
#[cfg(feature = "credential")]
pub mod credential;
#[cfg(feature = "credential")]
pub mod diagnose;
#[cfg(feature = "fleet")]
pub mod duration;
#[cfg(feature = "fleet")]
pub mod fleet;
mod from_str;
mod hmac;
pub mod mail_manager;
pub mod partition;
pub mod password;
#[cfg(feature = "credential")]
pub mod pasted;
#[cfg(feature = "fleet")]
pub mod permissions;
#[cfg(feature = "policy")]
pub mod policy;
#[cfg(feature = "credential")]
pub mod recognise;
pub mod redact;
pub mod region;
#[cfg(feature = "credential")]
pub mod render;
#[cfg(feature = "fleet")]
pub mod rotation;
pub mod secret;
#[cfg(feature = "fleet")]
pub mod store;
#[cfg(feature = "fleet")]
pub mod user;

pub use access_key::{AccessKeyId, SecretAccessKey};
#[cfg(feature = "credential")]
pub use credential::{Credential, SmtpCredential};
#[cfg(feature = "fleet")]
pub use fleet::Fleet;
pub use partition::Partition;
pub use password::{Algorithm, SigningDate, SmtpPassword, derive_each};
pub use region::Region;
pub use secret::Secret;

/// The examples of the README, run as doctests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

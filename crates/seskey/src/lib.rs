//! Everything there is to know about an Amazon SES SMTP credential, and nothing that touches the world.
//!
//! To send mail through the SES SMTP endpoint one needs a user name and a password that are *not* the AWS keys:
//! the user name is the access key ID of an IAM user, the password is computed from its secret access key for one
//! region. This crate derives the password, recognises what somebody pasted, knows the regions, reads and writes
//! the console's file, builds and evaluates the IAM policies that let a user send, and plans the rotation of its key.
//!
//! It makes no connection, reads no file, no clock and no environment: whatever varies is an argument.
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

/// What the README shows is run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

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
pub mod credential;
pub mod diagnose;
pub mod duration;
pub mod fleet;
mod hmac;
pub mod mail_manager;
pub mod partition;
pub mod password;
pub mod pasted;
pub mod permissions;
pub mod policy;
pub mod recognise;
pub mod redact;
pub mod region;
pub mod render;
pub mod rotation;
pub mod secret;
pub mod store;
pub mod user;

pub use access_key::{AccessKeyId, SecretAccessKey};
pub use credential::{Credential, SmtpCredential};
pub use fleet::Fleet;
pub use partition::Partition;
pub use password::{Algorithm, SigningDate, SmtpPassword, derive_each};
pub use region::Region;
pub use secret::Secret;

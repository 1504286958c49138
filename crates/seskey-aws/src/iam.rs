//! The calls to IAM and STS, one function each. Lists are read to the last page.

mod access_key;
mod caller;
mod credential_report;
mod details;
mod group;
mod policy;
mod sign_in;
mod simulate;
mod user;

pub use access_key::{AccessKey, KeyStatus, LastUsed, NewAccessKey};
pub use caller::Caller;
pub(crate) use credential_report::CredentialReport;
pub use details::UserDetails;
pub(crate) use details::{Details, GroupDetails};
pub(crate) use policy::Attached;
pub use sign_in::SignIn;
pub(crate) use simulate::Simulation;
pub use simulate::{Simulated, Verdict};

use aws_sdk_iam::primitives::DateTime;
use jiff::Timestamp;

pub(crate) fn timestamp(time: &DateTime) -> Option<Timestamp> {
    Timestamp::new(time.secs(), i32::try_from(time.subsec_nanos()).ok()?).ok()
}

//! `FromStr` for each type that has a `parse` function.

use std::str::FromStr;

#[cfg(feature = "policy")]
use crate::policy::{MalformedPolicy, Policy};
#[cfg(feature = "fleet")]
use crate::user::{UserError, UserName, UserPath};
use crate::{
    access_key::{AccessKeyId, AccessKeyIdError, SecretAccessKey, SecretAccessKeyError},
    mail_manager::{IngressPassword, IngressPasswordError, IngressPointId, IngressPointIdError},
    partition::{Partition, UnknownPartition},
    password::{SmtpPassword, SmtpPasswordError},
    region::{Region, RegionError},
};

macro_rules! from_str {
    ($($type:ty, $error:ty;)*) => {$(
        impl FromStr for $type {
            type Err = $error;

            fn from_str(text: &str) -> Result<Self, $error> {
                Self::parse(text)
            }
        }
    )*};
}

from_str! {
    AccessKeyId, AccessKeyIdError;
    SecretAccessKey, SecretAccessKeyError;
    IngressPassword, IngressPasswordError;
    IngressPointId, IngressPointIdError;
    Partition, UnknownPartition;
    Region, RegionError;
    SmtpPassword, SmtpPasswordError;
}

#[cfg(feature = "policy")]
from_str! {
    Policy, MalformedPolicy;
}

#[cfg(feature = "fleet")]
from_str! {
    UserName, UserError;
    UserPath, UserError;
}

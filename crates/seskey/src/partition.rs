//! The partitions of AWS: commercial, GovCloud, China and the others.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A group of regions with its own accounts and its own IAM. Source: AWS General Reference, "AWS partitions".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[allow(missing_docs)] // the names say it all
pub enum Partition {
    #[serde(rename = "aws")]
    Aws,
    #[serde(rename = "aws-cn")]
    AwsCn,
    #[serde(rename = "aws-us-gov")]
    AwsUsGov,
    #[serde(rename = "aws-iso")]
    AwsIso,
    #[serde(rename = "aws-iso-b")]
    AwsIsoB,
    #[serde(rename = "aws-iso-e")]
    AwsIsoE,
    #[serde(rename = "aws-iso-f")]
    AwsIsoF,
    #[serde(rename = "aws-eusc")]
    AwsEusc,
}

/// The error for a text that names no partition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no such partition")]
pub struct UnknownPartition;

impl Partition {
    /// Returns the name, as in the second part of an ARN.
    pub fn as_str(self) -> &'static str {
        self.facts().0
    }

    /// Returns the suffix of the host names of its services.
    pub fn dns_suffix(self) -> &'static str {
        self.facts().1
    }

    /// Returns the region for which requests to its IAM are signed.
    pub fn iam_signing_region(self) -> &'static str {
        self.facts().2
    }

    /// Finds the partition of a name, such as the second part of an ARN.
    ///
    /// # Errors
    /// Fails if no partition has that name.
    pub fn parse(name: &str) -> Result<Self, UnknownPartition> {
        use Partition::*;
        [Aws, AwsCn, AwsUsGov, AwsIso, AwsIsoB, AwsIsoE, AwsIsoF, AwsEusc]
            .into_iter()
            .find(|p| p.as_str() == name)
            .ok_or(UnknownPartition)
    }

    /// Returns the partition of a region by the first words of its code.
    /// Source: botocore 1.44.5, `partitions.json`, the patterns of region names.
    pub(crate) fn of_region_code(code: &str) -> Self {
        let found = REGION_PREFIXES.iter().find(|(prefix, _)| code.starts_with(prefix));
        found.map_or(Self::Aws, |(_, partition)| *partition)
    }

    /// Returns name, DNS suffix and IAM signing region. Source: botocore 1.44.5, `partitions.json` and the endpoints of
    /// `iam`.
    fn facts(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Aws => ("aws", "amazonaws.com", "us-east-1"),
            Self::AwsCn => ("aws-cn", "amazonaws.com.cn", "cn-north-1"),
            Self::AwsUsGov => ("aws-us-gov", "amazonaws.com", "us-gov-west-1"),
            Self::AwsIso => ("aws-iso", "c2s.ic.gov", "us-iso-east-1"),
            Self::AwsIsoB => ("aws-iso-b", "sc2s.sgov.gov", "us-isob-east-1"),
            Self::AwsIsoE => ("aws-iso-e", "cloud.adc-e.uk", "eu-isoe-west-1"),
            Self::AwsIsoF => ("aws-iso-f", "csp.hci.ic.gov", "us-isof-south-1"),
            Self::AwsEusc => ("aws-eusc", "amazonaws.eu", "eusc-de-east-1"),
        }
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

const REGION_PREFIXES: &[(&str, Partition)] = &[
    ("cn-", Partition::AwsCn),
    ("us-gov-", Partition::AwsUsGov),
    ("us-iso-", Partition::AwsIso),
    ("us-isob-", Partition::AwsIsoB),
    ("eu-isoe-", Partition::AwsIsoE),
    ("us-isof-", Partition::AwsIsoF),
    ("eusc-", Partition::AwsEusc),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::region::table;

    #[test]
    fn partitions_are_found_by_name() {
        for facts in table() {
            assert_eq!(Partition::parse(facts.partition.as_str()), Ok(facts.partition));
        }
        assert_eq!(Partition::parse("azure"), Err(UnknownPartition));
    }
}

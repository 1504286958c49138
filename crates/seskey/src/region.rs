//! AWS Regions and their SES SMTP endpoints. The table is data with a date: `data/regions.json`.

use std::{borrow::Cow, fmt, sync::LazyLock};

use serde::Deserialize;

use crate::partition::Partition;

/// An AWS Region by its code, such as `eu-west-1`: one of the table, or an unknown one of the right form.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Region(Cow<'static, str>);

/// The row of the table for a region. Source: AWS General Reference, "Amazon SES endpoints and quotas".
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct RegionFacts {
    /// The code, such as `eu-west-1`.
    pub region: String,
    /// The name, such as `Europe (Ireland)`.
    pub name: String,
    /// The partition it belongs to.
    pub partition: Partition,
    /// Whether the region has the SES API.
    pub ses: bool,
    /// Whether the region has an SES SMTP endpoint.
    pub smtp: bool,
    /// Whether the SMTP endpoint has a FIPS name too.
    pub smtp_fips: bool,
    /// The first four characters of a message ID of this region, where one was seen.
    pub message_id_prefix: Option<String>,
}

/// The ports on which a client begins without TLS and changes to TLS by STARTTLS.
pub const STARTTLS_PORTS: [u16; 3] = [25, 587, 2587];

/// The ports on which a client begins with TLS.
pub const TLS_WRAPPER_PORTS: [u16; 2] = [465, 2465];

/// The reason why a string is not taken as a region.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegionError {
    /// The text is empty.
    #[error("the region is empty")]
    Empty,
    /// A zone inside a region.
    #[error("{given} is an availability zone")]
    AvailabilityZone {
        /// The given text.
        given: String,
        /// The region that the zone is in.
        region: String,
    },
    /// A host name, a URL or a path.
    #[error("{given} is a host name or a path")]
    HostName {
        /// The given text.
        given: String,
        /// A region of the table that it names.
        region: Option<&'static str>,
    },
    /// A text without the form of a region.
    #[error("{given} does not look like a region")]
    Malformed {
        /// The given text.
        given: String,
        /// The region of the table nearest in spelling.
        nearest: Option<&'static str>,
    },
    /// A text of the form of a region that is not in the table.
    #[error("{given} is not a known region")]
    Unknown {
        /// The given text.
        given: String,
        /// The region of the table nearest in spelling.
        nearest: Option<&'static str>,
    },
}

impl Region {
    /// Parses a region of the table. Surrounding blanks and upper case are corrected.
    ///
    /// # Errors
    /// Fails for a text that is not a region of the table, and names the nearest one.
    pub fn parse(text: &str) -> Result<Self, RegionError> {
        let region = Self::parse_unknown(text)?;
        match region.facts() {
            Some(_) => Ok(region),
            None => Err(RegionError::Unknown {
                nearest: nearest(region.as_str()),
                given: region.0.into_owned(),
            }),
        }
    }

    /// Parses a region of the table, or an unknown one of the right form: the table ages.
    ///
    /// # Errors
    /// Fails for an availability zone, a host name and any other text without the form of a region.
    pub fn parse_unknown(text: &str) -> Result<Self, RegionError> {
        let code = text.trim().to_ascii_lowercase();
        if code.is_empty() {
            return Err(RegionError::Empty);
        }
        if let Some(facts) = TABLE.regions.iter().find(|facts| facts.region == code) {
            return Ok(Self(Cow::Borrowed(&facts.region)));
        }
        if code.contains(['.', '/', ':', '\\']) {
            let mut words = code.split(['.', '/', ':', '\\']);
            let region =
                words.find_map(|word| TABLE.regions.iter().find(|facts| facts.region == word));
            return Err(RegionError::HostName {
                region: region.map(|facts| facts.region.as_str()),
                given: code,
            });
        }
        if let Some(region) = region_of_zone(&code) {
            return Err(RegionError::AvailabilityZone { region: region.to_owned(), given: code });
        }
        if !has_region_form(&code) {
            return Err(RegionError::Malformed { nearest: nearest(&code), given: code });
        }
        Ok(Self(Cow::Owned(code)))
    }

    /// Returns every region of the table that has an SMTP endpoint, in the order of the table.
    pub fn with_smtp() -> impl Iterator<Item = Self> {
        table()
            .iter()
            .filter(|facts| facts.smtp)
            .map(|facts| Self(Cow::Borrowed(facts.region.as_str())))
    }

    /// Returns the code, such as `eu-west-1`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the row of the table; `None` for a region that is not in it.
    pub fn facts(&self) -> Option<&'static RegionFacts> {
        TABLE.regions.iter().find(|facts| facts.region == self.0)
    }

    /// Whether the table lists an SMTP endpoint for it.
    pub fn has_smtp(&self) -> bool {
        self.facts().is_some_and(|facts| facts.smtp)
    }

    /// Returns the partition: from the table, or else from the first words of the code.
    pub fn partition(&self) -> Partition {
        match self.facts() {
            Some(facts) => facts.partition,
            None => Partition::of_region_code(&self.0),
        }
    }

    /// Returns the name of the SMTP endpoint by its pattern, even for a region without one.
    pub fn smtp_endpoint(&self) -> String {
        format!("email-smtp.{self}.{}", self.partition().dns_suffix())
    }

    /// Returns the FIPS name of the SMTP endpoint, if there is one.
    pub fn smtp_endpoint_fips(&self) -> Option<String> {
        let facts = self.facts().filter(|facts| facts.smtp_fips)?;
        Some(format!("email-smtp-fips.{self}.{}", facts.partition.dns_suffix()))
    }

    /// Returns the dual-stack name (IPv4 and IPv6) of the SMTP endpoint, if there is one.
    pub fn smtp_endpoint_dual_stack(&self) -> Option<String> {
        self.has_smtp().then(|| format!("email-smtp.{self}.api.aws"))
    }

    /// Returns the dual-stack FIPS name of the SMTP endpoint, if there is one.
    pub fn smtp_endpoint_fips_dual_stack(&self) -> Option<String> {
        self.smtp_endpoint_fips().map(|_| format!("email-smtp-fips.{self}.api.aws"))
    }

    /// Returns the region whose SMTP endpoint has this name in any of its forms; `None` for any other host.
    pub fn of_smtp_endpoint(host: &str) -> Option<Self> {
        if let Some(region) = Self::of_vpc_endpoint(host) {
            return Some(region);
        }
        let region = Self::parse(host.split('.').nth(1)?).ok()?;
        let known = [
            Some(region.smtp_endpoint()),
            region.smtp_endpoint_fips(),
            region.smtp_endpoint_dual_stack(),
            region.smtp_endpoint_fips_dual_stack(),
        ];
        known.iter().flatten().any(|name| name.eq_ignore_ascii_case(host)).then_some(region)
    }

    /// Returns the region of `vpce-….email-smtp.REGION.vpce.amazonaws.com`, the DNS name of a VPC endpoint or of its
    /// part in one zone. Sources: for such names, AWS PrivateLink Guide, "Access an AWS service using an interface VPC
    /// endpoint"; for `email-smtp`, SES Developer Guide, "Setting up VPC endpoints". No page says that SES's names have
    /// this form.
    fn of_vpc_endpoint(host: &str) -> Option<Self> {
        let host = host.to_ascii_lowercase();
        let (_, name) = host.strip_prefix("vpce-")?.split_once('.')?;
        let code = name.strip_prefix("email-smtp.")?.strip_suffix(".vpce.amazonaws.com")?;
        Self::parse(code).ok()
    }
}

/// Returns all regions of the table.
pub fn table() -> &'static [RegionFacts] {
    &TABLE.regions
}

/// Returns the month of the table, such as `2026-10`.
pub fn table_date() -> &'static str {
    &TABLE.date
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Returns the nearest region: one whose name contains the text, or else the one with the most similar code.
fn nearest(text: &str) -> Option<&'static str> {
    let by_name = || {
        let named =
            |facts: &&RegionFacts| text.len() > 3 && facts.name.to_ascii_lowercase().contains(text);
        table().iter().find(named).map(|facts| facts.region.as_str())
    };
    let distance = |facts: &RegionFacts| strsim::damerau_levenshtein(&facts.region, text);
    // among equally near regions, one with an SMTP endpoint is the likelier
    let most_alike = table().iter().min_by_key(|facts| (distance(facts), !facts.smtp))?;
    by_name().or_else(|| (distance(most_alike) <= 3).then_some(most_alike.region.as_str()))
}

/// Returns the region of a zone such as `us-east-1a` or `us-west-2-lax-1a`; `None` for a zone ID such as `use1-az2`.
fn region_of_zone(code: &str) -> Option<&str> {
    let known = table().iter().map(|facts| facts.region.as_str()).find(|region| {
        code.strip_prefix(region).is_some_and(|rest| {
            rest.starts_with('-')
                || (rest.len() == 1 && rest.starts_with(|c: char| c.is_ascii_lowercase()))
        })
    });
    let unknown = || {
        code.strip_suffix(|c: char| c.is_ascii_lowercase()).filter(|region| has_region_form(region))
    };
    known.or_else(unknown)
}

/// Whether it is two or more words of letters, then a number: `eu-west-1`, `us-gov-east-1`.
fn has_region_form(code: &str) -> bool {
    let Some((words, number)) = code.rsplit_once('-') else { return false };
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase());
    let is_number = (1..=2).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
    is_number && code.len() <= 32 && words.contains('-') && words.split('-').all(is_word)
}

#[derive(Deserialize)]
struct Table {
    date: String,
    regions: Vec<RegionFacts>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../data/regions.json"))
        .expect("the table is read by every test")
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nineteen_have_smtp() {
        assert_eq!(Region::with_smtp().count(), 19);
        assert_eq!(table().len(), 46);
        assert!(table().iter().all(|facts| facts.ses || !facts.smtp));
        assert_eq!(table().iter().filter(|facts| facts.smtp_fips).count(), 7);
    }

    #[test]
    fn blanks_and_upper_case_are_put_right() {
        assert_eq!(Region::parse("  US-East-1\n"), Region::parse("us-east-1"));
    }

    #[test]
    fn what_is_no_region_is_refused_with_what_was_meant() {
        use RegionError as E;
        let given = |text: &str| text.to_owned();
        for (text, error) in [
            ("", E::Empty),
            (" ", E::Empty),
            (
                "us-east-1a",
                E::AvailabilityZone { given: given("us-east-1a"), region: given("us-east-1") },
            ),
            (
                "us-west-2-lax-1a",
                E::AvailabilityZone {
                    given: given("us-west-2-lax-1a"),
                    region: given("us-west-2"),
                },
            ),
            (
                "zz-east-9b",
                E::AvailabilityZone { given: given("zz-east-9b"), region: given("zz-east-9") },
            ),
            (
                "email-smtp.eu-west-1.amazonaws.com",
                E::HostName {
                    given: given("email-smtp.eu-west-1.amazonaws.com"),
                    region: Some("eu-west-1"),
                },
            ),
            ("../../etc", E::HostName { given: given("../../etc"), region: None }),
            ("us_east_1", E::Malformed { given: given("us_east_1"), nearest: Some("us-east-1") }),
            (
                "frankfurt",
                E::Malformed { given: given("frankfurt"), nearest: Some("eu-central-1") },
            ),
            ("x", E::Malformed { given: given("x"), nearest: None }),
            ("us-esat-1", E::Unknown { given: given("us-esat-1"), nearest: Some("us-east-1") }),
            ("eu-north-9", E::Unknown { given: given("eu-north-9"), nearest: Some("eu-north-1") }),
        ] {
            assert_eq!(Region::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn an_unknown_region_has_the_names_that_its_form_gives() {
        for (code, partition, endpoint) in [
            ("eu-north-9", Partition::Aws, "email-smtp.eu-north-9.amazonaws.com"),
            ("cn-south-1", Partition::AwsCn, "email-smtp.cn-south-1.amazonaws.com.cn"),
            ("us-gov-south-1", Partition::AwsUsGov, "email-smtp.us-gov-south-1.amazonaws.com"),
            ("us-isob-south-1", Partition::AwsIsoB, "email-smtp.us-isob-south-1.sc2s.sgov.gov"),
        ] {
            let region = Region::parse_unknown(code).unwrap();
            assert_eq!(
                (region.partition(), region.smtp_endpoint().as_str()),
                (partition, endpoint)
            );
        }
    }

    #[test]
    fn endpoints_lead_back_to_their_region() {
        let ohio = Region::parse("us-east-2").unwrap();
        for host in [
            "email-smtp.us-east-2.amazonaws.com",
            "EMAIL-SMTP-FIPS.us-east-2.amazonaws.com",
            "email-smtp.us-east-2.api.aws",
            "email-smtp-fips.us-east-2.api.aws",
            "vpce-0ebd5a1c2f3e4d5b6-t7zh1k4x.email-smtp.us-east-2.vpce.amazonaws.com",
            "vpce-0ebd5a1c2f3e4d5b6-t7zh1k4x-us-east-2a.email-smtp.us-east-2.vpce.amazonaws.com",
        ] {
            assert_eq!(Region::of_smtp_endpoint(host), Some(ohio.clone()), "{host}");
        }
        for host in [
            "localhost",
            "email.us-east-2.amazonaws.com",
            "email-smtp.us-east-2.example.com",
            "email-smtp",
            "vpce-0ebd5a1c2f3e4d5b6-t7zh1k4x.email.us-east-2.vpce.amazonaws.com",
            "vpce-0ebd5a1c2f3e4d5b6-t7zh1k4x.email-smtp.us-east-2.vpce.example.com",
        ] {
            assert_eq!(Region::of_smtp_endpoint(host), None, "{host}");
        }
    }
}

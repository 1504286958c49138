//! The managed policies of AWS that are served, as they stand in every account.
//!
//! Source: AWS Managed Policy Reference. Only those are here whose documents are known to the letter.

use std::{collections::BTreeMap, sync::LazyLock};

use jiff::Timestamp;
use seskey::{Partition, policy::PolicySource};

use super::{
    authority::Document,
    policies::{Entry, ManagedPolicy},
    versions::{Version, VersionId},
};

/// Name, ID, date, document.
const POLICIES: [(&str, &str, &str, &str); 2] = [
    (
        "AdministratorAccess",
        "ANPAIWMBCKSKIEE64ZLYK",
        "2015-02-06T18:39:46Z",
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#,
    ),
    (
        "AmazonSESFullAccess",
        "ANPAJ2P4NXCHAT7NDPNR4",
        "2015-02-06T18:41:02Z",
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ses:*"],"Resource":"*"}]}"#,
    ),
];

/// The policies as a partition has them.
pub(super) fn policies<'a>(partition: Partition) -> impl Iterator<Item = &'a Entry> {
    let prefix = format!("arn:{partition}:iam::aws:");
    ENTRIES.iter().filter(move |entry| entry.policy.arn.starts_with(&prefix))
}

static ENTRIES: LazyLock<Vec<Entry>> = LazyLock::new(|| {
    use Partition::*;
    let partitions = [Aws, AwsCn, AwsUsGov, AwsIso, AwsIsoB, AwsIsoE, AwsIsoF, AwsEusc];
    partitions
        .iter()
        .flat_map(|&partition| POLICIES.map(|policy| entry(partition, policy)))
        .collect()
});

fn entry(partition: Partition, (name, id, date, document): (&str, &str, &str, &str)) -> Entry {
    let arn = format!("arn:{partition}:iam::aws:policy/{name}");
    let create_date: Timestamp = date.parse().expect("a date of the table");
    let source = PolicySource::Managed { arn: arn.clone() };
    let document = Document::parse(document.to_owned(), source).expect("a document of the table");
    Entry {
        versions: BTreeMap::from([(VersionId::FIRST, Version { document, create_date })]),
        next_version: VersionId::FIRST.next(),
        as_boundary: PolicySource::Boundary { arn: arn.clone() },
        policy: ManagedPolicy {
            policy_name: name.to_owned(),
            policy_id: id.to_owned(),
            arn,
            path: "/".to_owned(),
            default_version_id: VersionId::FIRST,
            attachment_count: 0,
            permissions_boundary_usage_count: 0,
            description: None,
            create_date,
            update_date: create_date,
            tags: Vec::new(),
        },
    }
}

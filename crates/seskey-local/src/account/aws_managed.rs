//! The AWS managed policies that are served; every account has them.
//!
//! Source: AWS Managed Policy Reference. Only policies whose documents are known word for word are here.

use std::{collections::BTreeMap, sync::LazyLock};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use seskey::{Partition, policy::PolicySource};

use super::{
    authority::Document,
    policies::{ManagedPolicy, PolicyEntry},
    versions::{Version, VersionId},
};

/// One policy of the table, in its default version of early 2026; older versions are not served.
#[derive(Deserialize)]
struct Row {
    name: String,
    id: String,
    version: VersionId,
    created: Timestamp,
    updated: Timestamp,
    document: Value,
}

/// Returns the policies with the ARNs of a partition.
pub(super) fn policies<'a>(partition: Partition) -> impl Iterator<Item = &'a PolicyEntry> {
    let prefix = format!("arn:{partition}:iam::aws:");
    ENTRIES.iter().filter(move |entry| entry.policy.arn.starts_with(&prefix))
}

static ENTRIES: LazyLock<Vec<PolicyEntry>> = LazyLock::new(|| {
    use Partition::*;
    let rows: Vec<Row> = serde_json::from_str(include_str!("../../data/aws-managed-policies.json"))
        .expect("the table is JSON of rows");
    let partitions = [Aws, AwsCn, AwsUsGov, AwsIso, AwsIsoB, AwsIsoE, AwsIsoF, AwsEusc];
    partitions
        .iter()
        .flat_map(|&partition| rows.iter().map(move |row| entry(partition, row)))
        .collect()
});

fn entry(partition: Partition, row: &Row) -> PolicyEntry {
    let arn = format!("arn:{partition}:iam::aws:policy/{}", row.name);
    let source = PolicySource::Managed { arn: arn.clone() };
    let text = row.document.to_string().replace("\"arn:aws:", &format!("\"arn:{partition}:"));
    let document = Document::parse(text, source).expect("a document of the table");
    PolicyEntry {
        versions: BTreeMap::from([(row.version, Version { document, create_date: row.updated })]),
        next_version: row.version.next(),
        as_boundary: PolicySource::Boundary { arn: arn.clone() },
        policy: ManagedPolicy {
            policy_name: row.name.clone(),
            policy_id: row.id.clone(),
            arn,
            path: "/".to_owned(),
            default_version_id: row.version,
            attachment_count: 0,
            permissions_boundary_usage_count: 0,
            description: None,
            create_date: row.created,
            update_date: row.updated,
            tags: Vec::new(),
        },
    }
}

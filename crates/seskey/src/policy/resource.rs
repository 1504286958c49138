//! The ARNs that IAM stores as the resource of a statement.
//!
//! Sources: IAM User Guide, "IAM identifiers" (incomplete ARN), "IAM JSON policy elements: Resource", "IAM policy
//! elements: Variables and tags"; the refusals are those that IAM was seen to give.

use super::{document::Version, malformed::Fault, pattern::Pattern};
use crate::Partition;

/// Reads `*`, or an ARN with wildcards and, after the fifth colon, policy variables; with the fault that IAM finds in
/// it. "You can't use a variable to replace parts of the ARN before the fifth colon": a variable there never gets a
/// value.
///
/// An ARN of fewer than six fields is completed with `*`, as IAM does, unless a field ends in a `*`, which may itself
/// "expand to match beyond the colon boundaries".
pub(super) fn resource(text: &str, version: Version) -> (Pattern, Option<Fault>) {
    let variables = version == Version::V2012;
    let fault = if text == "*" { None } else { fault(text, version) };
    let fields: Vec<&str> = text.splitn(ARN_FIELDS, ':').collect();
    let fixed = text.split_once("${").filter(|_| variables).map_or(text, |(fixed, _)| fixed);
    if fixed != text && fixed.matches(':').count() < ARN_FIELDS - 1 {
        return (Pattern::without_value(), fault);
    }
    let is_whole = text == "*" || fields.iter().skip(3).any(|field| field.ends_with('*'));
    let missing = if is_whole { 0 } else { ARN_FIELDS - fields.len() };
    (Pattern::parse(&(text.to_owned() + &":*".repeat(missing)), true, variables), fault)
}

fn fault(text: &str, version: Version) -> Option<Fault> {
    // a colon in a variable ends no field
    let plain = if version == Version::V2012 { without_variables(text) } else { text.to_owned() };
    let fields: Vec<&str> = plain.splitn(ARN_FIELDS, ':').collect();
    let [first, partition, others @ ..] = fields.as_slice() else {
        return Some(Fault::Resource(text.to_owned()));
    };
    if *partition != "*" && Partition::parse(partition).is_err() {
        let mut completed = format!("arn:{partition}");
        for field in others.iter().filter(|_| *others != [""]).chain(&["*"; 4]).take(4) {
            completed.push(':');
            completed.push_str(field);
        }
        return Some(Fault::Partition { partition: (*partition).to_owned(), completed });
    }
    let [service, others @ ..] = others else { return Some(Fault::ResourceVendor) };
    if *first != "arn" {
        return Some(Fault::Resource(text.to_owned()));
    }
    if !service.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        return Some(Fault::ResourceVendor);
    }
    let region = others.first().filter(|region| !region.is_empty());
    let name = others.get(2);
    let begins = |prefixes: &[&str]| {
        name.is_none_or(|name| *name == "*" || prefixes.iter().any(|it| name.starts_with(it)))
    };
    match *service {
        "iam" if region.is_some() => Some(Fault::IamRegion(text.to_owned())),
        "iam" if !begins(&IAM_RESOURCES) => Some(Fault::IamResource(&IAM_RESOURCES)),
        "s3" if region.is_some() && !begins(&S3_RESOURCES_OF_REGIONS) => {
            Some(Fault::S3Region(text.to_owned()))
        }
        service => {
            let too_few = fields.len() < ARN_FIELDS && plain.contains("::");
            (service.is_empty() || too_few).then_some(Fault::ArnFields)
        }
    }
}

fn without_variables(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, variable)) = rest.split_once("${")
        && let Some((_, after)) = variable.split_once('}')
    {
        plain.push_str(before);
        plain.push('$');
        rest = after;
    }
    plain + rest
}

const ARN_FIELDS: usize = 6;

/// The beginnings, in the order of AWS's text.
const IAM_RESOURCES: [&str; 13] = [
    "user/",
    "federated-user/",
    "role/",
    "group/",
    "instance-profile/",
    "mfa/",
    "server-certificate/",
    "policy/",
    "sms-mfa/",
    "saml-provider/",
    "oidc-provider/",
    "report/",
    "access-report/",
];

/// Source: Service Authorization Reference, "Actions, resources, and condition keys for Amazon S3".
const S3_RESOURCES_OF_REGIONS: [&str; 6] = [
    "accesspoint/",
    "access-grants/",
    "async-request/",
    "job/",
    "storage-lens/",
    "storage-lens-group/",
];

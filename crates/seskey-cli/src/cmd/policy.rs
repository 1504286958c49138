//! `seskey policy`: the least policy that may send, the check of a policy, and the least policy of an operator.

use std::path::Path;

use serde::Deserialize;
use serde_json::{Value, json};
use seskey::{
    Partition, Region, permissions,
    policy::{
        Context, Decision, MissingAllow, Policy, PolicySource, Reach, Request, SendingPolicy,
        SendingPolicyError, StatementRef, evaluate, written,
    },
};

use seskey_aws::sender;

use crate::{
    args::{Global, PolicyArgs, PolicyCheck, PolicyVerb, Sending},
    connect::aws,
    exit::Exit,
    explain::{self, Failure, Result},
    input,
    output::Output,
};

pub(crate) fn run(args: &PolicyArgs, global: &Global, output: &Output) -> Result<Exit> {
    match &args.verb {
        None => {
            let reach = match aws::typed_region(global, false)? {
                Some(region) => Reach::Region(region),
                None => Reach::Partition(Partition::Aws),
            };
            let policy = sending_policy(&args.sending, reach, args.account.clone(), output)?;
            output.answer(&format!("{}\n", document(&policy)?))?;
            Ok(Exit::Done)
        }
        Some(PolicyVerb::Check(args)) => check(args, global, output),
        Some(PolicyVerb::Operator { verbs }) => operator(verbs, output),
    }
}

/// Returns the policy that these options ask for. Corrected values are noted.
pub(crate) fn sending_policy(
    sending: &Sending,
    reach: Reach,
    account: Option<String>,
    output: &Output,
) -> Result<SendingPolicy> {
    let all = |option, given: &[String], put_right: PutRight| {
        given.iter().map(|text| right(option, text, put_right, output)).collect::<Result<Vec<_>>>()
    };
    Ok(SendingPolicy {
        reach,
        account,
        identities: all("--identity", &sending.identity, written::identity)?,
        configuration_sets: sending.configuration_set.clone(),
        from_addresses: all("--from", &sending.from, written::address_pattern)?,
        recipients: all("--recipient", &sending.recipient, written::address_pattern)?,
        source_ips: sending.source_ip.clone(),
    })
}

type PutRight = fn(&str) -> std::result::Result<String, SendingPolicyError>;

/// Returns the policy as a document.
pub(crate) fn document(policy: &SendingPolicy) -> Result<String> {
    policy.to_json().map_err(|error| explain::input::sending_policy(&error))
}

/// Returns the value of an option in the form that can match. A correction is noted.
pub(crate) fn right(
    option: &str,
    text: &str,
    put_right: PutRight,
    output: &Output,
) -> Result<String> {
    let right =
        put_right(text).map_err(|error| explain::input::sending_policy_option(option, &error))?;
    if right != text {
        output.note(&format!("{option} {text:?} is taken as {right}"));
    }
    Ok(right)
}

fn check(args: &PolicyCheck, global: &Global, output: &Output) -> Result<Exit> {
    let verdict = match (&args.request, &args.user, &args.file) {
        (Some(path), ..) => check_request(path)?,
        (None, Some(user), _) => {
            let (arn, policies) = of_user(user, global)?;
            let account = arn.split(':').nth(4).unwrap_or_default();
            check_sending(args, &policies, account, aws::region(global, true)?, output)?
        }
        (None, None, Some(path)) => {
            let region = match aws::typed_region(global, false)? {
                Some(region) => region,
                None => Region::parse("us-east-1").expect("a region of the table"),
            };
            let account = args.account.as_deref().unwrap_or("000000000000");
            let source = PolicySource::Inline { name: input::name(path) };
            check_sending(
                args,
                &[(source, input::read(path)?.to_string())],
                account,
                region,
                output,
            )?
        }
        (None, None, None) => unreachable!("the parser requires one of them"),
    };
    if output.json {
        output.answer_json(&json!({"decision": verdict.decision, "reason": verdict.reason}))?;
    } else {
        output.answer(&format!(
            "{}\n{}\n",
            verdict.decision,
            crate::output::printable(&verdict.reason)
        ))?;
    }
    let found = args.exit_code && verdict.decision != "allow";
    Ok(if found { Exit::Findings } else { Exit::Done })
}

struct Verdict {
    decision: &'static str,
    reason: String,
}

#[derive(Deserialize)]
struct Check {
    policies: Vec<CheckedPolicy>,
    request: CheckedRequest,
}

#[derive(Deserialize)]
struct CheckedPolicy {
    via: Via,
    doc: Option<Value>,
    raw: Option<String>,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum Via {
    Inline,
    Group,
    Managed,
    Boundary,
}

#[derive(Deserialize)]
struct CheckedRequest {
    action: String,
    resource: String,
    #[serde(default)]
    context: serde_json::Map<String, Value>,
}

fn check_request(path: &Path) -> Result<Verdict> {
    let text = input::read(path)?;
    let malformed = |what: String| {
        Failure::usage(
            format!("{} is no policy check: {what}", input::name(path)),
            r#"it looks like {"policies":[{"via":"inline","doc":{…}}],"request":{"action":"…","resource":"…","context":{}}}"#,
        )
    };
    let check: Check = serde_json::from_str(&text).map_err(|error| malformed(error.to_string()))?;
    let policies = check.policies.iter().enumerate().map(|(index, policy)| {
        let text = match (&policy.doc, &policy.raw) {
            (Some(doc), None) => doc.to_string(),
            (None, Some(raw)) => raw.clone(),
            _ => return Err(malformed(format!("policy {index} has not one of doc and raw"))),
        };
        Ok((policy.via.source(index), text))
    });
    let policies = policies.collect::<Result<Vec<_>>>()?;
    let mut context = Context::new();
    for (key, values) in &check.request.context {
        let values = match values {
            Value::Array(values) => values.iter().map(value_text).collect(),
            value => vec![value_text(value)],
        };
        context.insert(key, values);
    }
    let CheckedRequest { action, resource, .. } = &check.request;
    Ok(decide(&policies, &Request { action, resource, context: &context }))
}

/// Returns the ARN of a user, and all policies that decide what it may do.
fn of_user(user: &str, global: &Global) -> Result<(String, Vec<(PolicySource, String)>)> {
    aws::existing_user(user)?;
    let policies =
        aws::block_on(async { sender::policies(&aws::account(global, None).await, user).await })?;
    policies.map_err(|error| explain::aws::failure(&error))
}

fn check_sending(
    args: &PolicyCheck,
    policies: &[(PolicySource, String)],
    account: &str,
    region: Region,
    output: &Output,
) -> Result<Verdict> {
    let address = |option, text: &str| right(option, text, written::address, output);
    let from = &address("--from", args.from.as_deref().unwrap_or_default())?;
    let to = args.to.iter().map(|to| address("--to", to)).collect::<Result<Vec<_>>>()?;
    let mut context = Context::new()
        .with("ses:ApiVersion", ["2"])
        .with("ses:FromAddress", [from.as_str()])
        .with("ses:FeedbackAddress", [from.as_str()])
        .with("ses:Recipients", &to)
        .with("aws:SecureTransport", ["true"]);
    for pair in &args.context {
        let Some((key, value)) = pair.split_once('=') else {
            return Err(Failure::usage(
                format!("--context: {pair:?} has no value"),
                "such as --context aws:SourceIp=192.0.2.1",
            ));
        };
        context.insert(key, [value]);
    }
    let domain = from.rsplit_once('@').map_or(from.as_str(), |(_, domain)| domain);
    let verdicts = [domain, from.as_str()].map(|identity| {
        let resource =
            format!("arn:{}:ses:{region}:{account}:identity/{identity}", region.partition());
        let mut verdict = decide(
            policies,
            &Request { action: "ses:SendRawEmail", resource: &resource, context: &context },
        );
        if verdict.decision != "reject" {
            verdict.reason = format!("{} on {resource}", verdict.reason);
        }
        verdict
    });
    // the user sends as the domain or as the address: either may be the identity
    let [by_domain, by_address] = verdicts;
    Ok(if by_address.decision == "allow" { by_address } else { by_domain })
}

impl Via {
    fn source(self, index: usize) -> PolicySource {
        let name = format!("policy {index}");
        match self {
            Self::Inline => PolicySource::Inline { name },
            Self::Group => PolicySource::Group { group: "group".to_owned(), name },
            Self::Managed => PolicySource::Managed { arn: name },
            Self::Boundary => PolicySource::Boundary { arn: name },
        }
    }
}

fn decide(documents: &[(PolicySource, String)], request: &Request<'_>) -> Verdict {
    let mut policies = vec![];
    for (source, document) in documents {
        match Policy::parse(document) {
            Ok(policy) => policies.push((source, policy)),
            Err(error) => {
                return Verdict {
                    decision: "reject",
                    reason: format!("{}: {error}", name(source)),
                };
            }
        }
    }
    let (decision, reason) =
        match evaluate(policies.iter().map(|(source, policy)| (*source, policy)), request) {
            Decision::Allowed { by } => ("allow", format!("allowed by {}", statement(by))),
            Decision::ExplicitDeny { by } => {
                ("deny", format!("explicitly denied by {}", statement(by)))
            }
            Decision::ImplicitDeny { missing: MissingAllow::Boundary { source, .. } } => {
                ("deny", format!("the permissions boundary {} does not allow it", name(source)))
            }
            Decision::ImplicitDeny { .. } => ("deny", "no statement allows it".to_owned()),
        };
    Verdict { decision, reason }
}

fn statement(statement: StatementRef<'_>) -> String {
    let which = match statement.sid {
        Some(sid) => format!("statement {sid}"),
        None => format!("statement {}", statement.index),
    };
    format!("{which} of {}", name(statement.source))
}

fn name(source: &PolicySource) -> String {
    match source {
        PolicySource::Inline { name }
        | PolicySource::Group { name, .. }
        | PolicySource::Resource { name, .. } => name.clone(),
        PolicySource::Managed { arn } | PolicySource::Boundary { arn } => arn.clone(),
    }
}

fn value_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn operator(verbs: &[String], output: &Output) -> Result<Exit> {
    let verbs: Vec<&str> = verbs.iter().map(|verb| verb.trim()).collect();
    if let Some(unknown) = verbs.iter().find(|verb| !permissions::VERBS.contains(verb)) {
        return Err(Failure::usage(
            format!("--for: {unknown:?} is no verb that needs permissions"),
            format!("these are: {}", permissions::VERBS.join(", ")),
        ));
    }
    output.answer_json(&permissions::policy(&verbs))?;
    Ok(Exit::Done)
}

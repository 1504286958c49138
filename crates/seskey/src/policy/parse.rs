//! Reads a policy document, and refuses what IAM would not store, saying where and why.
//!
//! Sources: IAM User Guide, "Grammar of the IAM JSON policy language" and the pages of the elements.

use std::collections::HashSet;

use super::{
    condition::{Condition, Test},
    document::{Effect, Policy, Selection, Statement, Version},
    json::Json,
    malformed::{Fault, MalformedPolicy, inside},
    operator::Comparison,
    pattern::Pattern,
    principal::Principal,
    value::Value,
};
use crate::Partition;

type Result<T, E = MalformedPolicy> = std::result::Result<T, E>;

impl Policy {
    /// Reads an identity-based policy as strictly as IAM does before it stores one, and more strictly where AWS's
    /// pages forbid what IAM was seen to store. Quotas are not checked.
    ///
    /// # Errors
    /// Whatever is not such a policy, with the place and the reason.
    pub fn parse(text: &str) -> Result<Self> {
        Self::parse_as(Side::Identity, text)
    }

    /// Reads a resource-based policy, such as a sending authorization policy of an SES identity: each statement has a
    /// `Principal`. `NotPrincipal`, federated and canonical users are refused.
    /// Source: SES Developer Guide, "Amazon SES policy anatomy".
    ///
    /// # Errors
    /// Whatever is not such a policy, with the place and the reason.
    pub fn parse_resource(text: &str) -> Result<Self> {
        Self::parse_as(Side::Resource, text)
    }

    fn parse_as(side: Side, text: &str) -> Result<Self> {
        refuse_characters(text)?;
        let mut document = Elements::of(serde_json::from_str(text).map_err(syntax_error)?)?;
        let version = match document.text("Version")?.as_deref() {
            Some("2012-10-17") => Version::V2012,
            Some("2008-10-17") | None => Version::V2008,
            Some(_) => return Err(Fault::Version.at("Version")),
        };
        // an identity-based policy has no use for its Id, and IAM stores it nevertheless
        document.text("Id")?;
        let statements = document.take("Statement").ok_or(Fault::Missing("Statement"))?;
        document.finish()?;
        let statements = one_or_many(statements, |json| statement(json, side, version))
            .map_err(inside("Statement"))?;
        let mut sids = HashSet::new();
        let mut named = statements
            .iter()
            .enumerate()
            .filter(|(_, s)| s.sid.as_ref().is_some_and(|sid| !sid.is_empty()));
        match named.find(|(_, statement)| !sids.insert(&statement.sid)) {
            Some((index, _)) => Err(Fault::DuplicateSid.at(&format!("Statement[{index}].Sid"))),
            None => Ok(Self { version, statements }),
        }
    }
}

/// What a policy is attached to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Identity,
    Resource,
}

fn statement(json: Json, side: Side, version: Version) -> Result<Statement> {
    let mut elements = Elements::of(json)?;
    let sid = elements.text("Sid")?;
    if sid.iter().any(|sid| !sid.bytes().all(|b| b.is_ascii_alphanumeric())) {
        return Err(Fault::Sid.at("Sid"));
    }
    let effect = match elements.text("Effect")?.as_deref() {
        Some("Allow") => Effect::Allow,
        Some("Deny") => Effect::Deny,
        Some(_) => return Err(Fault::Effect.at("Effect")),
        None => return Err(Fault::Missing("Effect").into()),
    };
    let principals = match (side, elements.take("Principal")) {
        (Side::Identity, None) => None,
        (Side::Resource, Some(json)) => Some(principals(json).map_err(inside("Principal"))?),
        (Side::Identity, Some(_)) => return Err(Fault::Principal.at("Principal")),
        (Side::Resource, None) => return Err(Fault::Missing("Principal").into()),
    };
    if elements.take("NotPrincipal").is_some() {
        return Err(Fault::Principal.at("NotPrincipal"));
    }
    let actions = elements.selection("Action", "NotAction", action)?;
    let resources =
        elements.selection("Resource", "NotResource", |text| resource(text, version))?;
    let conditions = match elements.take("Condition") {
        Some(json) => conditions(json, version).map_err(inside("Condition"))?,
        None => Vec::new(),
    };
    elements.finish()?;
    Ok(Statement { sid, effect, principals, actions, resources, conditions })
}

/// `"*"`, or `{ "AWS": one or many, "Service": one or many }`.
fn principals(json: Json) -> Result<Vec<Principal>> {
    if json == Json::String("*".to_owned()) {
        return Ok(vec![Principal::Anyone]);
    }
    let mut elements = Elements::of(json)?;
    let mut principals = Vec::new();
    if let Some(json) = elements.take("AWS") {
        let read = |json| Ok(Principal::parse(&text(json)?)?);
        principals.extend(one_or_many(json, read).map_err(inside("AWS"))?);
    }
    if let Some(json) = elements.take("Service") {
        let read = |json| text(json).map(|_| Principal::Service);
        principals.extend(one_or_many(json, read).map_err(inside("Service"))?);
    }
    elements.finish()?;
    if principals.is_empty() { Err(Fault::Empty.into()) } else { Ok(principals) }
}

/// `*`, or `service:action` with wildcards in the action.
/// Source: IAM User Guide, "IAM JSON policy elements: Action".
fn action(text: &str) -> Result<Pattern, Fault> {
    let is_service =
        |text: &str| !text.is_empty() && text.bytes().all(|b| is_name_byte(b) || b == b'.');
    let is_action = |text: &str| {
        !text.is_empty() && text.bytes().all(|b| is_name_byte(b) || b"*?_".contains(&b))
    };
    let well_formed = text == "*"
        || text.split_once(':').is_some_and(|(service, name)| {
            (is_service(service) || service == "*") && is_action(name)
        });
    if well_formed { Ok(Pattern::parse(text, true, false)) } else { Err(Fault::Action) }
}

/// `*`, or an ARN with wildcards and, after the fifth colon, policy variables. "You can't use a variable to replace
/// parts of the ARN before the fifth colon": one there never gets a value.
///
/// An ARN of fewer than six fields is completed with `*`, as IAM does, unless a field ends in a `*`, which may itself
/// "expand to match beyond the colon boundaries".
/// Sources: IAM User Guide, "IAM identifiers" (incomplete ARN), "IAM JSON policy elements: Resource", "IAM policy
/// elements: Variables and tags".
fn resource(text: &str, version: Version) -> Result<Pattern, Fault> {
    let variables = version == Version::V2012;
    if text == "*" {
        return Ok(Pattern::parse(text, true, variables));
    }
    let fields: Vec<&str> = text.splitn(ARN_FIELDS, ':').collect();
    let ["arn", partition, service, others @ ..] = fields.as_slice() else {
        return Err(Fault::Resource);
    };
    let is_partition = *partition == "*" || Partition::parse(partition).is_some();
    if !is_partition || service.is_empty() || !service.bytes().all(is_name_byte) {
        return Err(Fault::Resource);
    }
    let fixed = text.split_once("${").filter(|_| variables).map_or(text, |(fixed, _)| fixed);
    if fixed != text && fixed.matches(':').count() < ARN_FIELDS - 1 {
        return Ok(Pattern::without_value());
    }
    let missing =
        if others.iter().any(|field| field.ends_with('*')) { 0 } else { ARN_FIELDS - fields.len() };
    Ok(Pattern::parse(&(text.to_owned() + &":*".repeat(missing)), true, variables))
}

/// `{ operator: { key: value or values, … }, … }`.
fn conditions(json: Json, version: Version) -> Result<Vec<Condition>> {
    let mut conditions = Vec::new();
    for (name, keys) in Elements::of(json)?.0 {
        let test = Test::parse(&name).ok_or_else(|| Fault::Operator.at(&name))?;
        for (key, values) in Elements::of(keys).map_err(inside(&name))?.0 {
            if key.is_empty() {
                return Err(Fault::Empty.at(&format!("{name}.{key}")));
            }
            let values = one_or_many(values, |json| value(json, test.operator.comparison, version));
            let values = values.map_err(inside(&key)).map_err(inside(&name))?;
            conditions.push(Condition { test, key: key.to_ascii_lowercase(), values });
        }
    }
    Ok(conditions)
}

/// IAM stores a number that is none and compares it with nothing; a date that is none it refuses.
fn value(json: Json, comparison: Comparison, version: Version) -> Result<Value> {
    let text = match json {
        Json::String(text) | Json::Number(text) => text,
        Json::Bool(value) => value.to_string(),
        _ => return Err(Fault::NotAScalar.into()),
    };
    match Value::read(&text, comparison, version == Version::V2012) {
        Value::Unreadable if matches!(comparison, Comparison::Date(_)) => Err(Fault::Date.into()),
        value => Ok(value),
    }
}

/// The elements of an object, each taken once.
struct Elements(Vec<(String, Json)>);

impl Elements {
    fn of(json: Json) -> Result<Self> {
        let Json::Object(elements) = json else { return Err(Fault::NotAnObject.into()) };
        let mut names = HashSet::new();
        match elements.iter().find(|(name, _)| !names.insert(name)) {
            Some((name, _)) => Err(Fault::Duplicate.at(name)),
            None => Ok(Self(elements)),
        }
    }

    fn take(&mut self, name: &str) -> Option<Json> {
        let index = self.0.iter().position(|(other, _)| other == name)?;
        Some(self.0.swap_remove(index).1)
    }

    fn text(&mut self, name: &str) -> Result<Option<String>> {
        self.take(name).map(text).transpose().map_err(inside(name))
    }

    fn selection(
        &mut self,
        including: &'static str,
        excluding: &'static str,
        pattern: impl Fn(&str) -> Result<Pattern, Fault>,
    ) -> Result<Selection> {
        let (name, json) = match (self.take(including), self.take(excluding)) {
            (Some(json), None) => (including, json),
            (None, Some(json)) => (excluding, json),
            (Some(_), Some(_)) => return Err(Fault::Both(including, excluding).into()),
            (None, None) => return Err(Fault::Missing(including).into()),
        };
        let patterns =
            one_or_many(json, |json| Ok(pattern(&text(json)?)?)).map_err(inside(name))?;
        Ok(Selection { excluding: name == excluding, patterns })
    }

    /// Whatever has not been taken has no business here.
    fn finish(self) -> Result<()> {
        self.0.first().map_or(Ok(()), |(name, _)| Err(Fault::UnknownElement.at(name)))
    }
}

/// One value, or a list with at least one.
fn one_or_many<T>(json: Json, read: impl Fn(Json) -> Result<T>) -> Result<Vec<T>> {
    match json {
        Json::List(list) if list.is_empty() => Err(Fault::Empty.into()),
        Json::List(list) => {
            let items = list.into_iter().enumerate();
            items.map(|(index, json)| read(json).map_err(inside(&format!("[{index}]")))).collect()
        }
        one => Ok(vec![read(one)?]),
    }
}

fn text(json: Json) -> Result<String> {
    let Json::String(text) = json else { return Err(Fault::NotAString.into()) };
    Ok(text)
}

fn refuse_characters(text: &str) -> Result<()> {
    let is_refused = |c: &char| !matches!(c, '\t' | '\n' | '\r' | ' '..='\u{ff}');
    for (line, content) in (1..).zip(text.split('\n')) {
        if let Some((column, character)) = (1..).zip(content.chars()).find(|(_, c)| is_refused(c)) {
            return Err(MalformedPolicy::Character { line, column, character });
        }
    }
    Ok(())
}

fn syntax_error(error: serde_json::Error) -> MalformedPolicy {
    let (line, column) = (error.line(), error.column());
    let message = error.to_string();
    let reason = message
        .strip_suffix(&format!(" at line {line} column {column}"))
        .unwrap_or(&message)
        .to_owned();
    MalformedPolicy::Syntax { line, column, reason }
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-'
}

const ARN_FIELDS: usize = 6;

//! The parser of policy documents. It refuses a document that IAM would not store, with the place and the reason.
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
    resource::resource,
    value::{Value, is_stored_date},
};

type Result<T, E = MalformedPolicy> = std::result::Result<T, E>;

impl Policy {
    /// Reads an identity-based policy as strictly as IAM does before it stores one, and more strictly where AWS's pages
    /// forbid a form that IAM was seen to store. Quotas are not checked.
    ///
    /// # Errors
    /// Fails for any other text, with the place and the reason. Of several faults it is the one that IAM names.
    pub fn parse(text: &str) -> Result<Self> {
        Reader::of(Side::Identity).read(text)
    }

    /// Reads the document of a managed policy, which is of version 2012-10-17.
    ///
    /// # Errors
    /// Fails for any other text, with the place and the reason.
    pub fn parse_managed(text: &str) -> Result<Self> {
        Reader::of(Side::Managed).read(text)
    }

    /// Reads a resource-based policy, such as a sending authorization policy of an SES identity: each statement has a
    /// `Principal`. `NotPrincipal`, federated and canonical users are refused.
    /// Source: SES Developer Guide, "Amazon SES policy anatomy".
    ///
    /// # Errors
    /// Fails for any other text, with the place and the reason.
    pub fn parse_resource(text: &str) -> Result<Self> {
        Reader::of(Side::Resource).read(text)
    }

    /// Reads an identity-based policy that was stored by rules that may have been less strict: a known syntax is
    /// enough. A part that it does not understand matches nothing.
    ///
    /// # Errors
    /// Fails for a text with another syntax.
    pub fn parse_stored(text: &str) -> Result<Self> {
        Ok(Reader::of(Side::Identity).document(text)?.0)
    }

    /// Reads a resource-based policy that was stored by such rules.
    ///
    /// # Errors
    /// Fails for a text with another syntax.
    pub fn parse_stored_resource(text: &str) -> Result<Self> {
        Ok(Reader::of(Side::Resource).document(text)?.0)
    }
}

/// The side that a policy is attached to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Identity,
    /// An identity too, by way of a managed policy.
    Managed,
    Resource,
}

/// The reader of one document. A fault of syntax ends it; others are gathered, since IAM may name a later one.
struct Reader {
    side: Side,
    version: Version,
    /// The current statement, such as `Statement[1]`.
    statement: String,
    faults: Vec<MalformedPolicy>,
}

impl Reader {
    fn of(side: Side) -> Self {
        Self { side, version: Version::V2008, statement: String::new(), faults: Vec::new() }
    }

    fn read(self, text: &str) -> Result<Policy> {
        let (policy, faults) = self.document(text)?;
        match faults.into_iter().min_by_key(MalformedPolicy::check) {
            Some(fault) => Err(fault),
            None => Ok(policy),
        }
    }

    fn document(mut self, text: &str) -> Result<(Policy, Vec<MalformedPolicy>)> {
        refuse_characters(text)?;
        let mut document = Elements::of(serde_json::from_str(text).map_err(syntax_error)?)?;
        self.version = match document.text("Version")?.as_deref() {
            Some("2012-10-17") => Version::V2012,
            Some("2008-10-17") | None => Version::V2008,
            Some(_) => return Err(Fault::Version.at("Version")),
        };
        if self.side == Side::Managed && self.version != Version::V2012 {
            self.faults.push(Fault::OldVersion.into());
        }
        // an identity-based policy has no use for its Id, but IAM stores it
        document.text("Id")?;
        let statements = document.take("Statement").ok_or(Fault::Missing("Statement"))?;
        document.finish()?;
        let statements = placed("Statement", statements);
        if statements.is_empty() {
            return Err(Fault::Empty.at("Statement"));
        }
        let mut sids = HashSet::new();
        let mut policy = Policy { version: self.version, statements: Vec::new() };
        for (place, json) in statements {
            self.statement = place;
            let statement = self.statement(json).map_err(inside(&self.statement))?;
            let sid = statement.sid.clone().filter(|sid| !sid.is_empty());
            if sid.is_some_and(|sid| !sids.insert(sid)) {
                self.fault("Sid", Fault::DuplicateSid);
            }
            policy.statements.push(statement);
        }
        Ok((policy, self.faults))
    }

    fn statement(&mut self, json: Json) -> Result<Statement> {
        let mut elements = Elements::of(json)?;
        let sid = elements.text("Sid")?;
        if sid.iter().any(|sid| !sid.bytes().all(|b| b.is_ascii_alphanumeric())) {
            self.fault("Sid", Fault::Sid);
        }
        let effect = elements.text("Effect")?.ok_or(Fault::Missing("Effect"))?;
        let effect = match effect.to_ascii_lowercase().as_str() {
            "allow" => (Effect::Allow, effect == "Allow"),
            "deny" => (Effect::Deny, effect == "Deny"),
            _ => return Err(Fault::Effect.at("Effect")),
        };
        if !effect.1 {
            self.fault("Effect", Fault::EffectCase);
        }
        let principals = match (self.side, elements.take("Principal")) {
            (Side::Resource, Some(json)) => Some(principals(json).map_err(inside("Principal"))?),
            (Side::Resource, None) => return Err(Fault::Missing("Principal").into()),
            (_, None) => None,
            (_, Some(_)) => {
                self.fault("Principal", Fault::Principal);
                None
            }
        };
        if elements.take("NotPrincipal").is_some() {
            self.fault("NotPrincipal", Fault::Principal);
        }
        let version = self.version;
        let actions = self.selection(&mut elements, ["Action", "NotAction"], action)?;
        let resources = self.selection(&mut elements, ["Resource", "NotResource"], |text| {
            resource(text, version)
        })?;
        let conditions = match elements.take("Condition") {
            Some(json) => self.conditions(json).map_err(inside("Condition"))?,
            None => Vec::new(),
        };
        elements.finish()?;
        Ok(Statement { sid, effect: effect.0, principals, actions, resources, conditions })
    }

    /// Reads the actions or resources of a statement, included or, by the second name, excluded.
    fn selection(
        &mut self,
        elements: &mut Elements,
        [including, excluding]: [&'static str; 2],
        pattern: impl Fn(&str) -> (Pattern, Option<Fault>),
    ) -> Result<Selection> {
        let (name, json) = match (elements.take(including), elements.take(excluding)) {
            (Some(_), Some(_)) => return Err(Fault::Both(including, excluding).into()),
            (None, Some(json)) => (excluding, json),
            (Some(json), None) => (including, json),
            (None, None) => (including, Json::List(Vec::new())),
        };
        let mut patterns = Vec::new();
        for (place, json) in placed(name, json) {
            let (pattern, fault) = pattern(&text(json).map_err(inside(&place))?);
            patterns.push(pattern);
            if let Some(fault) = fault {
                self.fault(&place, fault);
            }
        }
        if patterns.is_empty() {
            let fault = if including == "Action" { Fault::NoActions } else { Fault::NoResources };
            self.faults.push(fault.at(&self.statement));
        }
        Ok(Selection { excluding: name == excluding, patterns })
    }

    /// Reads `{ operator: { key: value or values, … }, … }`. IAM stores an operator of any name without keys, and a key
    /// without values.
    fn conditions(&mut self, json: Json) -> Result<Vec<Condition>> {
        let mut conditions = Vec::new();
        for (name, keys) in Elements::of(json)?.0 {
            let keys = Elements::of(keys).map_err(inside(&name))?.0;
            if keys.is_empty() {
                continue;
            }
            let test = Test::parse(&name).ok_or_else(|| Fault::Operator.at(&name))?;
            for (key, values) in keys {
                if key.is_empty() {
                    return Err(Fault::Empty.at(&format!("{name}.{key}")));
                }
                let values = placed(&format!("{name}.{key}"), values);
                let values = values.into_iter().map(|(place, json)| {
                    let text = scalar(json).map_err(|fault| fault.at(&place))?;
                    if matches!(test.operator.comparison, Comparison::Date(_))
                        && !is_stored_date(&text)
                    {
                        self.fault(&format!("Condition.{place}"), Fault::Date);
                    }
                    let variables = self.version == Version::V2012;
                    Ok(Value::read(&text, test.operator.comparison, variables))
                });
                let values = values.collect::<Result<_>>()?;
                conditions.push(Condition { test, key: key.to_ascii_lowercase(), values });
            }
        }
        Ok(conditions)
    }

    /// Adds a fault that is not one of syntax.
    fn fault(&mut self, place: &str, fault: Fault) {
        self.faults.push(fault.at(&format!("{}.{place}", self.statement)));
    }
}

/// Reads `"*"`, or `{ "AWS": one or many, "Service": one or many }`.
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

/// Reads `*`, or `service:action` with wildcards in the action. IAM stores an action of any other characters, which no
/// request has.
/// Source: IAM User Guide, "IAM JSON policy elements: Action"; the refusals are those that IAM was seen to give.
fn action(text: &str) -> (Pattern, Option<Fault>) {
    let is_vendor = |vendor: &str| {
        vendor == "*"
            || !vendor.is_empty()
                && vendor.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b))
    };
    let fault = match text.split_once(':') {
        None if text == "*" => None,
        None => Some(Fault::Action),
        Some((_, name)) if name.contains(':') => Some(Fault::ActionColons),
        Some((vendor, _)) if !is_vendor(vendor) => Some(Fault::Vendor(vendor.to_owned())),
        Some((_, name)) => name.is_empty().then_some(Fault::Action),
    };
    (Pattern::parse(text, true, false), fault)
}

/// Reads a text, a number or a Boolean, which a policy may quote or not.
fn scalar(json: Json) -> Result<String, Fault> {
    match json {
        Json::String(text) | Json::Number(text) => Ok(text),
        Json::Bool(value) => Ok(value.to_string()),
        _ => Err(Fault::NotAScalar),
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

    /// Refuses an element that has not been taken.
    fn finish(self) -> Result<()> {
        self.0.first().map_or(Ok(()), |(name, _)| Err(Fault::UnknownElement.at(name)))
    }
}

/// Returns the value, or each of a list of values, with its place.
fn placed(place: &str, json: Json) -> Vec<(String, Json)> {
    match json {
        Json::List(list) => {
            let items = list.into_iter().enumerate();
            items.map(|(index, json)| (format!("{place}[{index}]"), json)).collect()
        }
        one => vec![(place.to_owned(), one)],
    }
}

/// Reads one value, or a list with at least one.
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

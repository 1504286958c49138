//! Trust policies: the principals that may assume a role.
//!
//! Source: IAM User Guide, "IAM roles" (role trust policy), "AWS JSON policy elements: Principal".

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use serde_json::{Map, Value, json};
use seskey::policy::{Decision, PolicySource, Request, counted_size, evaluate};

use super::{Account, Principal, authority::Document, roles::TRUST_POLICY_SIZE};
use crate::refusal::{ApiRefusal, TrustFault};

/// A trust policy, as text and parsed.
#[derive(Debug, Clone)]
pub struct TrustPolicy {
    text: String,
    statements: Vec<Statement>,
}

/// A statement. Apart from its principals it is an ordinary policy whose resource is the role.
#[derive(Debug, Clone)]
struct Statement {
    principals: Vec<Trusted>,
    document: Document,
}

/// The rules for that policy.
struct Rules {
    is_taken: fn(action: &str) -> bool,
    read: fn(String, PolicySource) -> Result<Document, ApiRefusal>,
}

const TODAY: Rules = Rules { is_taken: is_action, read: Document::parse };

/// The rules for a stored policy, which may be older than the rules of today.
const STORED: Rules = Rules { is_taken: is_sts, read: Document::parse_stored };

/// A principal in a trust policy. Services and identity providers assume no role here.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Trusted {
    Everyone,
    /// All principals of an account, if their own policies allow it too.
    Account(String),
    /// A user, a role or a session.
    Arn(String),
}

/// The way in which a statement names a principal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Named {
    /// As a principal of its account.
    InAccount,
    ByItself,
}

impl TrustPolicy {
    /// The document as it was given.
    pub fn text(&self) -> &str {
        &self.text
    }

    fn parse(text: String, rules: &Rules) -> Result<Self, ApiRefusal> {
        let malformed = |_| ApiRefusal::MalformedTrustPolicy(TrustFault::Json);
        let document: Value = serde_json::from_str(&text).map_err(malformed)?;
        let Value::Object(mut document) = document else { return Err(SYNTAX) };
        let statements = match document.remove("Statement") {
            Some(Value::Array(statements)) => statements,
            Some(statement) => vec![statement],
            None => return Err(SYNTAX),
        };
        if statements.is_empty() {
            return Err(SYNTAX);
        }
        let parse = |statement| Statement::parse(statement, &document, rules);
        let statements = statements.into_iter().map(parse).collect::<Result<_, _>>()?;
        Ok(Self { text, statements })
    }
}

impl Statement {
    fn parse(
        statement: Value,
        document: &Map<String, Value>,
        rules: &Rules,
    ) -> Result<Self, ApiRefusal> {
        let Value::Object(mut statement) = statement else { return Err(SYNTAX) };
        if statement.contains_key("Resource") || statement.contains_key("NotResource") {
            return Err(ApiRefusal::MalformedTrustPolicy(TrustFault::Resource));
        }
        let actions = one_or_many(statement.get("Action"));
        if actions.is_empty() || !actions.iter().all(|action| (rules.is_taken)(action)) {
            return Err(ApiRefusal::MalformedTrustPolicy(TrustFault::Action));
        }
        let principals = trusted(statement.remove("Principal"))?;
        statement.insert("Resource".into(), json!("*"));
        let mut whole = document.clone();
        whole.insert("Statement".into(), Value::Object(statement));
        let source = PolicySource::Inline { name: "trust policy".into() };
        let document = (rules.read)(Value::Object(whole).to_string(), source)?;
        Ok(Self { principals, document })
    }
}

impl Account {
    /// Parses a new trust policy, and checks that its users and roles of this account exist.
    pub(super) fn trust_policy(&self, text: String) -> Result<TrustPolicy, ApiRefusal> {
        // the elements that all statements share are parsed again with each
        if counted_size(&text) > TRUST_POLICY_SIZE {
            return Err(ApiRefusal::LimitExceeded {
                quota: "ACLSizePerRole",
                limit: TRUST_POLICY_SIZE,
            });
        }
        let policy = TrustPolicy::parse(text, &TODAY)?;
        let own = [self.arn("user/"), self.arn("role/")];
        let unknown = |trusted: &&Trusted| match trusted {
            Trusted::Arn(arn) => {
                let name = arn.rsplit('/').next().unwrap_or_default();
                own.iter().any(|own| arn.starts_with(own))
                    && self.user(name).is_none_or(|user| user.arn != *arn)
                    && self.role_of_arn(arn).is_none()
            }
            _ => false,
        };
        match policy.statements.iter().flat_map(|statement| &statement.principals).find(unknown) {
            Some(Trusted::Arn(arn)) => {
                Err(ApiRefusal::MalformedTrustPolicy(TrustFault::Principal(arn.clone())))
            }
            _ => Ok(policy),
        }
    }

    /// Decides whether a principal may assume a role: nothing denies it, and the trust policy allows it, alone if it
    /// names the principal, else together with a policy of the principal.
    /// Source: IAM User Guide, "Policy evaluation logic" (role trust policies).
    pub(super) fn decide_to_assume<'a>(
        &'a self,
        trust: &'a TrustPolicy,
        principal: &Principal,
        own: Decision<'a>,
        request: &Request<'_>,
    ) -> Decision<'a> {
        if matches!(own, Decision::ExplicitDeny { .. }) {
            return own;
        }
        let decide = |least: &[Named]| {
            let meant = trust.statements.iter().filter(|statement| {
                let mut named =
                    statement.principals.iter().filter_map(|it| self.means(it, principal));
                named.any(|named| least.contains(&named))
            });
            evaluate(
                meant.map(|statement| (&statement.document.source, statement.document.policy())),
                request,
            )
        };
        match decide(&[Named::InAccount, Named::ByItself]) {
            Decision::Allowed { .. } => match decide(&[Named::ByItself]) {
                allowed @ Decision::Allowed { .. } => allowed,
                _ => own,
            },
            denied => denied,
        }
    }

    fn means(&self, trusted: &Trusted, principal: &Principal) -> Option<Named> {
        match trusted {
            Trusted::Everyone => Some(Named::ByItself),
            Trusted::Account(id) => (id == self.id.as_str()).then_some(Named::InAccount),
            Trusted::Arn(arn) => {
                let role = match principal {
                    Principal::AssumedRole { role, .. } => self.role_entry(role).ok(),
                    _ => None,
                };
                let named = *arn == self.principal_arn(principal)
                    || role.is_some_and(|it| it.role.arn == *arn);
                named.then_some(Named::ByItself)
            }
        }
    }
}

/// A document is stored as it was given, and is parsed again.
impl Serialize for TrustPolicy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.text.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for TrustPolicy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(String::deserialize(deserializer)?, &STORED).map_err(D::Error::custom)
    }
}

fn is_sts(action: &str) -> bool {
    action.get(..4).is_some_and(|service| service.eq_ignore_ascii_case("sts:"))
}

/// Whether it is an action of STS, or a pattern with wildcards for some.
fn is_action(action: &str) -> bool {
    let is = |known: &&str| action.get(4..).is_some_and(|name| name.eq_ignore_ascii_case(known));
    is_sts(action) && (action.contains(['*', '?']) || ACTIONS.iter().any(is))
}

/// Source: Service Authorization Reference, "Actions, resources, and condition keys for AWS Security Token Service".
const ACTIONS: [&str; 15] = [
    "AssumeRole",
    "AssumeRoleWithSAML",
    "AssumeRoleWithWebIdentity",
    "AssumeRoot",
    "DecodeAuthorizationMessage",
    "GetAccessKeyInfo",
    "GetCallerIdentity",
    "GetFederationToken",
    "GetServiceBearerToken",
    "GetSessionToken",
    "GetWebIdentityToken",
    "SetContext",
    "SetSourceIdentity",
    "TagGetWebIdentityToken",
    "TagSession",
];

const SYNTAX: ApiRefusal = ApiRefusal::MalformedTrustPolicy(TrustFault::Syntax);

fn trusted(principal: Option<Value>) -> Result<Vec<Trusted>, ApiRefusal> {
    let kinds = match principal {
        Some(Value::String(all)) if all == "*" => return Ok(vec![Trusted::Everyone]),
        Some(Value::Object(kinds)) if !kinds.is_empty() => kinds,
        _ => return Err(SYNTAX),
    };
    let mut principals = Vec::new();
    for (kind, names) in &kinds {
        let names = one_or_many(Some(names));
        match (kind.as_str(), names.as_slice()) {
            (_, []) => return Err(SYNTAX),
            ("AWS", names) => {
                for name in names {
                    principals.push(aws_principal(name)?);
                }
            }
            ("Service" | "Federated", _) => {}
            _ => return Err(SYNTAX),
        }
    }
    Ok(principals)
}

fn aws_principal(name: &str) -> Result<Trusted, ApiRefusal> {
    let is_account = |text: &str| text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit());
    let fields: Vec<&str> = name.splitn(6, ':').collect();
    match fields.as_slice() {
        ["*"] => Ok(Trusted::Everyone),
        [id] if is_account(id) => Ok(Trusted::Account((*id).to_owned())),
        ["arn", _, "iam", "", id, "root"] if is_account(id) => {
            Ok(Trusted::Account((*id).to_owned()))
        }
        // "You cannot use a wildcard to match part of a principal name or ARN."
        ["arn", _, "iam" | "sts", "", id, resource]
            if is_account(id) && resource.contains('/') && !resource.contains(['*', '?']) =>
        {
            Ok(Trusted::Arn(name.to_owned()))
        }
        _ => Err(ApiRefusal::MalformedTrustPolicy(TrustFault::Principal(name.to_owned()))),
    }
}

/// Returns the texts of a string or a list of strings; none of any other value.
fn one_or_many(value: Option<&Value>) -> Vec<&str> {
    let texts = match value {
        Some(Value::String(text)) => Some(vec![text.as_str()]),
        Some(Value::Array(texts)) => texts.iter().map(Value::as_str).collect(),
        _ => None,
    };
    texts.unwrap_or_default()
}

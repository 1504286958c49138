//! An organization whose accounts are local SES, behind one endpoint as at AWS: Organizations lists the accounts, STS
//! issues sessions of their roles, and IAM and Systems Manager answer for the account whose key signs.
//!
//! It is strict: only the given caller may list; pages are short, and the first is empty, which AWS allows; an account
//! has a `State` and no `Status`, which is retired. The IAM of an account decides whether its roles may be assumed.
//!
//! Sources: Organizations API, `ListAccounts`, `ListAccountsForParent`, `ListOrganizationalUnitsForParent`; STS API,
//! `AssumeRole`; Systems Manager API, `GetParameter`, `PutParameter`.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use crate::{
    apis::{FORM, Iam, texts},
    proxy,
};

/// An account of an organization.
#[derive(Clone)]
pub struct Member {
    /// The account ID.
    pub id: &'static str,
    /// The state of the account.
    pub state: &'static str,
    /// The root or the organizational unit that it is in.
    pub parent: &'static str,
    /// Its local SES, and the access key of a user who may assume its roles; `None` if no caller gets so far.
    pub server: Option<(SocketAddr, [String; 2])>,
    /// Whether a service control policy denies all of IAM.
    pub is_denied: bool,
}

/// The caller who may list the accounts.
pub struct Caller {
    /// The access key ID.
    pub access_key_id: String,
    /// The ARN of the user.
    pub arn: String,
}

struct Organization {
    caller: Caller,
    members: Vec<Member>,
    /// The organizational units, each with its parent.
    units: Vec<(&'static str, &'static str)>,
    /// The accounts of the sessions, by their access key IDs.
    sessions: Mutex<BTreeMap<String, usize>>,
    /// The values of parameters, by account and name.
    parameters: Mutex<BTreeMap<(usize, String), String>>,
}

/// An answer of a JSON API, or the code of an error and its message.
type Answer = Result<Value, (&'static str, String)>;

const PAGE: usize = 2;

/// Serves an organization, and returns its address. The first member is the management account.
pub fn start(
    caller: Caller,
    members: Vec<Member>,
    units: Vec<(&'static str, &'static str)>,
) -> SocketAddr {
    let (sessions, parameters) = (Mutex::default(), Mutex::default());
    let organization = Arc::new(Organization { caller, members, units, sessions, parameters });
    // each request has a server of its own
    let nowhere = SocketAddr::from(([127, 0, 0, 1], 1));
    proxy::start(nowhere, move |request, _| organization.answer(request))
}

impl Organization {
    fn answer(&self, request: &[u8]) -> Option<Vec<u8>> {
        let text = String::from_utf8_lossy(request);
        let (head, body) = text.split_once("\r\n\r\n")?;
        let field = |name: &str| head.lines().find_map(|line| line.strip_prefix(name));
        let (_, key) = field("authorization: ")?.split_once("Credential=")?;
        let key = key.split('/').next()?;
        let account = self.sessions.lock().unwrap().get(key).copied().unwrap_or_default();
        if let Some((service, operation)) =
            field("x-amz-target: ").and_then(|it| it.split_once('.'))
        {
            let body = serde_json::from_str(body).unwrap();
            let answer = match service {
                "AWSOrganizationsV20161128" => self.list(key, operation, &body),
                "AmazonSSM" => self.parameter(account, operation, &body),
                other => panic!("{other} is not served"),
            };
            let (status, body) = match answer {
                Ok(body) => (200, body),
                Err((code, message)) => (400, json!({"__type": code, "Message": message})),
            };
            return Some(proxy::answer(status, "application/x-amz-json-1.1", &body.to_string()));
        }
        match parameter(body, "Action").as_deref() {
            Some("AssumeRole") => Some(self.assume_role(body)),
            Some(action) if self.members[account].is_denied && action != "GetCallerIdentity" => {
                Some(refusal(&format!(
                    "User: arn:aws:sts::{}:assumed-role/seskey/seskey is not authorized to perform: iam:{action} on \
                     resource: * with an explicit deny in a service control policy",
                    self.members[account].id
                )))
            }
            _ => proxy::send(self.members[account].server.as_ref()?.0, request),
        }
    }

    fn list(&self, key: &str, operation: &str, body: &Value) -> Answer {
        if key != self.caller.access_key_id {
            let message = "You don't have permissions to access this resource.";
            return Err(("AccessDeniedException", message.to_owned()));
        }
        let parent = body["ParentId"].as_str();
        let is_known = |parent: &str| {
            let mut all = self.units.iter().flat_map(|(unit, above)| [*unit, *above]);
            all.any(|known| known == parent)
        };
        if let Some(parent) = parent.filter(|parent| !is_known(parent)) {
            let message = format!("You specified parent that doesn't exist: {parent}");
            return Err(("ParentNotFoundException", message));
        }
        let account = |member: &Member| {
            json!({
                "Id": member.id, "State": member.state, "Name": member.id, "JoinedMethod": "CREATED",
                "Arn": format!("arn:aws:organizations::{}:account/o-ab12cd34ef/{}", self.members[0].id, member.id),
            })
        };
        let is_in = |member: &&Member| parent.is_none_or(|parent| parent == member.parent);
        let accounts = || self.members.iter().filter(is_in).map(account).collect();
        let units = self.units.iter().filter(|(_, above)| Some(*above) == parent);
        match (operation, parent) {
            ("ListAccounts", None) | ("ListAccountsForParent", Some(_)) => {
                page("Accounts", accounts(), body)
            }
            ("ListOrganizationalUnitsForParent", Some(_)) => page(
                "OrganizationalUnits",
                units.map(|(unit, _)| json!({"Id": unit})).collect(),
                body,
            ),
            _ => panic!("{operation} is not served with {body}"),
        }
    }

    /// Assumes a role as the user who stands for the caller in the account, so that the IAM there decides.
    fn assume_role(&self, body: &str) -> Vec<u8> {
        let role = parameter(body, "RoleArn").unwrap();
        let at = self.members.iter().position(|member| role.split(':').nth(4) == Some(member.id));
        let Some((at, (server, key))) =
            at.and_then(|at| Some((at, self.members[at].server.as_ref()?)))
        else {
            return refusal(&format!(
                "User: {} is not authorized to perform: sts:AssumeRole on resource: {role}",
                self.caller.arn
            ));
        };
        let sts = Iam::by(&server.to_string(), key.clone());
        let (status, answer) = sts.post("sts", "/", FORM, body).unwrap();
        for session in texts(&answer, "AccessKeyId") {
            self.sessions.lock().unwrap().insert(session, at);
        }
        let place = format!("arn:aws:iam::{}:user/{GATE}", self.members[at].id);
        proxy::answer(status, "text/xml", &answer.replace(&place, &self.caller.arn))
    }

    fn parameter(&self, account: usize, operation: &str, body: &Value) -> Answer {
        let mut parameters = self.parameters.lock().unwrap();
        let name = body["Name"].as_str().unwrap().to_owned();
        let place = (account, name.clone());
        match (operation, parameters.get(&place)) {
            ("GetParameter", Some(value)) => Ok(json!({
                "Parameter": {"Name": name, "Type": "SecureString", "Value": value},
            })),
            ("GetParameter", None) => Err(("ParameterNotFound", String::new())),
            ("PutParameter", None) => {
                parameters.insert(place, body["Value"].as_str().unwrap().to_owned());
                Ok(json!({"Version": 1, "Tier": "Standard"}))
            }
            _ => panic!("{operation} is not served"),
        }
    }
}

/// The name of the user who stands for the caller in each account.
pub const GATE: &str = "gate";

/// Returns a page of a list; the first page is empty.
fn page(name: &str, all: Vec<Value>, body: &Value) -> Answer {
    let number = match body["NextToken"].as_str() {
        None => return Ok(json!({name: [], "NextToken": "page-0"})),
        Some(token) => token.strip_prefix("page-").and_then(|number| number.parse::<usize>().ok()),
    };
    let Some(number) = number else {
        return Err(("InvalidInputException", "You provided an invalid token.".to_owned()));
    };
    let here: Vec<&Value> = all.iter().skip(number * PAGE).take(PAGE).collect();
    let mut answer = json!({name: here});
    if all.len() > (number + 1) * PAGE {
        answer["NextToken"] = format!("page-{}", number + 1).into();
    }
    Ok(answer)
}

fn parameter(form: &str, name: &str) -> Option<String> {
    let value = form.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))?;
    Some(percent_decode_str(value).decode_utf8().unwrap().into_owned())
}

/// Returns a refusal. Source: IAM API, "Common Error Types".
fn refusal(message: &str) -> Vec<u8> {
    let body = format!(
        "<ErrorResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><Error><Type>Sender</Type>\
         <Code>AccessDenied</Code><Message>{message}</Message></Error>\
         <RequestId>7a62c49f-347e-4fc4-9331-6e8eEXAMPLE</RequestId></ErrorResponse>"
    );
    proxy::answer(403, "text/xml", &body)
}

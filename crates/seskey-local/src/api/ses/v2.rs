//! Version 2, the REST API: a method, a path and JSON in, JSON out.

use std::mem;

use percent_encoding::percent_decode_str;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use self::bounded::NoText;
use super::{Call, SesRefusal, v1::policy_name};
use crate::{
    account::{Identity, Page, SesResourceKind},
    api::Response,
    sigv4::HttpRequest,
};

mod bounded;
mod events;
mod resources;
mod send;

/// Whether a path is one of this API.
pub(super) fn serves(path: &str) -> bool {
    path.starts_with("/v2/")
}

/// Returns the name of the requested operation.
pub(super) fn action(request: &HttpRequest<'_>) -> Option<&'static str> {
    matched(request).map(|(route, _)| route.name)
}

pub(super) fn is_served(name: &str) -> bool {
    routes().any(|route| route.name == name)
}

pub(super) fn answer(
    call: &mut Call<'_>,
    head: &HttpRequest<'_>,
    body: Vec<u8>,
) -> Result<String, SesRefusal> {
    let (route, names) = matched(head).ok_or(SesRefusal::UnknownOperation)?;
    let input = &mut Input { names, query: head.query, body };
    match route.on {
        On::Body => {}
        On::Everything => call.authorize(route.name)?,
        On::Identity => call.authorize_on(route.name, &input.identity(call)?)?,
    }
    Ok((route.proceed)(call, input)?.to_string())
}

pub(super) fn response(answered: Result<String, SesRefusal>, request_id: String) -> Response {
    let (status, error_type, body) = match answered {
        Ok(body) => (200, None, body),
        Err(refusal) => {
            let (error_type, status) = refusal.v2();
            (status, Some(error_type), json!({"message": refusal.to_string()}).to_string())
        }
    };
    Response { status, content_type: "application/json", error_type, request_id, body }
}

/// Returns the operation and the names in its path.
fn matched(request: &HttpRequest<'_>) -> Option<(&'static Route, Vec<String>)> {
    routes()
        .filter(|route| route.method == request.method)
        .find_map(|route| Some((route, names_in(route.path, request.path)?)))
}

fn routes() -> impl Iterator<Item = &'static Route> {
    [ROUTES, resources::ROUTES, events::ROUTES].into_iter().flatten()
}

/// One operation. Its permission is `ses:` and its name.
struct Route {
    method: &'static str,
    /// The pattern of the path; `{}` stands for a name.
    path: &'static str,
    name: &'static str,
    on: On,
    proceed: fn(&mut Call<'_>, &mut Input<'_>) -> Result<Value, SesRefusal>,
}

/// The resource that the permission is checked against.
enum On {
    Everything,
    /// The identity that is the first name in the path.
    Identity,
    /// A resource that the body names; it is checked there.
    Body,
}

/// The input of a request.
struct Input<'a> {
    /// The names in the path, decoded.
    names: Vec<String>,
    query: &'a str,
    /// The body, dropped when it is read.
    body: Vec<u8>,
}

const ACCOUNT: &str = "/v2/email/account";
const IDENTITIES: &str = "/v2/email/identities";
const IDENTITY: &str = "/v2/email/identities/{}";
const POLICIES: &str = "/v2/email/identities/{}/policies";
const POLICY: &str = "/v2/email/identities/{}/policies/{}";

const ROUTES: &[Route] = &[
    Route {
        method: "POST",
        path: "/v2/email/outbound-emails",
        name: "SendEmail",
        on: On::Body,
        proceed: send::send_email,
    },
    Route {
        method: "GET",
        path: ACCOUNT,
        name: "GetAccount",
        on: On::Everything,
        proceed: get_account,
    },
    Route {
        method: "PUT",
        path: "/v2/email/account/sending",
        name: "PutAccountSendingAttributes",
        on: On::Everything,
        proceed: |call, input| {
            let enabled = input.json::<SendingAttributes>()?.sending_enabled;
            call.account.enable_sending(&call.region, enabled);
            Ok(json!({}))
        },
    },
    Route {
        method: "GET",
        path: IDENTITIES,
        name: "ListEmailIdentities",
        on: On::Everything,
        proceed: |call, input| {
            let page_size = input.query("PageSize").and_then(|text| text.parse().ok());
            let next_token = input.query("NextToken");
            list_identities(call, ListIdentities { next_token, page_size, ..Default::default() })
        },
    },
    // the form of this request since the model of 2026
    Route {
        method: "POST",
        path: "/v2/email/list-identities",
        name: "ListEmailIdentities",
        on: On::Everything,
        proceed: |call, input| list_identities(call, input.json()?),
    },
    Route {
        method: "POST",
        path: IDENTITIES,
        name: "CreateEmailIdentity",
        on: On::Body,
        proceed: create_identity,
    },
    Route {
        method: "GET",
        path: IDENTITY,
        name: "GetEmailIdentity",
        on: On::Identity,
        proceed: get_identity,
    },
    Route {
        method: "DELETE",
        path: IDENTITY,
        name: "DeleteEmailIdentity",
        on: On::Identity,
        proceed: |call, input| {
            let identity = input.identity(call)?;
            match call.account.delete_identity(&call.region, &identity) {
                true => Ok(json!({})),
                false => Err(SesRefusal::NoSuchIdentity(identity.to_string())),
            }
        },
    },
    Route {
        method: "GET",
        path: POLICIES,
        name: "GetEmailIdentityPolicies",
        on: On::Identity,
        proceed: |call, input| Ok(json!({"Policies": policies(call, &input.identity(call)?)?})),
    },
    Route {
        method: "POST",
        path: POLICY,
        name: "CreateEmailIdentityPolicy",
        on: On::Identity,
        proceed: |call, input| put_policy(call, input, false),
    },
    Route {
        method: "PUT",
        path: POLICY,
        name: "UpdateEmailIdentityPolicy",
        on: On::Identity,
        proceed: |call, input| put_policy(call, input, true),
    },
    Route {
        method: "DELETE",
        path: POLICY,
        name: "DeleteEmailIdentityPolicy",
        on: On::Identity,
        proceed: |call, input| {
            let (identity, name) = (input.identity(call)?, &input.names[1]);
            policies(call, &identity)?;
            // "This API returns successfully even if a policy with the specified name does not exist."
            call.account.delete_identity_policy(&call.region, &identity, name);
            Ok(json!({}))
        },
    },
];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SendingAttributes {
    #[serde(default, deserialize_with = "bounded::no_text")]
    sending_enabled: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateIdentity {
    #[serde(deserialize_with = "bounded::text")]
    email_identity: String,
    #[serde(default, deserialize_with = "bounded::optional_text")]
    configuration_set_name: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListIdentities {
    #[serde(default, deserialize_with = "bounded::no_text")]
    filter: Filter,
    #[serde(default, deserialize_with = "bounded::optional_text")]
    next_token: Option<String>,
    #[serde(default, deserialize_with = "bounded::optional_no_text")]
    page_size: Option<usize>,
}

/// Source: botocore 1.44.8, `IdentityFilterKey`.
#[derive(Default, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE", deny_unknown_fields)]
struct Filter {
    #[serde(default, deserialize_with = "bounded::optional_text")]
    identity_name_contains: Option<String>,
    #[serde(default, deserialize_with = "bounded::optional_text")]
    identity_type: Option<String>,
    #[serde(default, deserialize_with = "bounded::optional_text")]
    verification_status: Option<String>,
}

impl Filter {
    fn takes(&self, identity: &Identity) -> bool {
        let is = |wanted: &Option<String>, given| wanted.as_deref().is_none_or(|it| it == given);
        let part = self.identity_name_contains.as_deref().unwrap_or_default();
        identity.as_str().contains(part)
            && is(&self.identity_type, identity_type(identity))
            && is(&self.verification_status, VERIFIED)
    }
}

/// Every identity is verified.
const VERIFIED: &str = "SUCCESS";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PutPolicy {
    policy: String,
}

fn get_account(call: &mut Call<'_>, _: &mut Input<'_>) -> Result<Value, SesRefusal> {
    let [max_24_hour_send, max_send_rate, sent] = call.send_quota();
    Ok(json!({
        "DedicatedIpAutoWarmupEnabled": false,
        "EnforcementStatus": "HEALTHY",
        "ProductionAccessEnabled": !call.settings.sandbox,
        "SendQuota": {
            "Max24HourSend": max_24_hour_send,
            "MaxSendRate": max_send_rate,
            "SentLast24Hours": sent,
        },
        "SendingEnabled": call.account.is_sending_enabled(&call.region),
        "SuppressionAttributes": {
            "SuppressedReasons": call.account.suppressed_reasons(&call.region),
        },
    }))
}

fn list_identities(call: &Call<'_>, given: ListIdentities) -> Result<Value, SesRefusal> {
    let ListIdentities { filter, next_token, page_size } = given;
    let max_items = page_size.filter(|n| (1..=1000).contains(n)).unwrap_or(1000);
    let page = Page { marker: next_token, max_items };
    let identities = call.account.identities(&call.region).filter(|it| filter.takes(it));
    let listed = page.of(identities.map(|identity| {
        let described = json!({
            "IdentityType": identity_type(&identity),
            "IdentityName": identity.as_str(),
            "SendingEnabled": true,
            "VerificationStatus": VERIFIED,
        });
        (identity.to_string(), described)
    }))?;
    let mut answer = json!({"EmailIdentities": listed.items});
    if let Some(marker) = listed.marker {
        answer["NextToken"] = Value::from(marker);
    }
    Ok(answer)
}

/// Creates an identity, which is verified at once: no mail is sent and no DNS is looked up.
fn create_identity(call: &mut Call<'_>, input: &mut Input<'_>) -> Result<Value, SesRefusal> {
    let given: CreateIdentity = input.json()?;
    let identity = call.identity(&given.email_identity)?;
    call.authorize_on("CreateEmailIdentity", &identity)?;
    if let Some(set) = &given.configuration_set_name {
        call.resource(SesResourceKind::ConfigurationSet, set)?;
    }
    if !call.create_identity(&identity)? {
        return Err(SesRefusal::IdentityAlreadyExists(identity.to_string()));
    }
    events::set_default(call, &identity, given.configuration_set_name)?;
    Ok(json!({
        "IdentityType": identity_type(&identity),
        "VerifiedForSendingStatus": true,
        "DkimAttributes": dkim(),
    }))
}

fn get_identity(call: &mut Call<'_>, input: &mut Input<'_>) -> Result<Value, SesRefusal> {
    let identity = input.identity(call)?;
    let policies = policies(call, &identity)?;
    let settings = call.account.identity_settings(&call.region, &identity);
    let mut answer = json!({
        "IdentityType": identity_type(&identity),
        "FeedbackForwardingStatus": true,
        "VerifiedForSendingStatus": true,
        "VerificationStatus": VERIFIED,
        "DkimAttributes": dkim(),
        "MailFromAttributes": mail_from(call, &identity),
        "Policies": policies,
        "Tags": [],
    });
    if let Some(set) = settings.and_then(|settings| settings.configuration_set.as_deref()) {
        answer["ConfigurationSetName"] = set.into();
    }
    Ok(answer)
}

fn put_policy(
    call: &mut Call<'_>,
    input: &mut Input<'_>,
    update: bool,
) -> Result<Value, SesRefusal> {
    let (identity, name) = (input.identity(call)?, policy_name(&input.names[1])?);
    let PutPolicy { policy } = input.json()?;
    match (policies(call, &identity)?.contains_key(&name), update) {
        (true, false) => return Err(SesRefusal::PolicyAlreadyExists(name)),
        // it "returns successfully even if a policy with the specified name does not exist"
        (false, true) => return Ok(json!({})),
        _ => {}
    }
    call.account.put_identity_policy(&call.region, &identity, &name, &policy)?;
    Ok(json!({}))
}

fn policies(
    call: &Call<'_>,
    identity: &Identity,
) -> Result<serde_json::Map<String, Value>, SesRefusal> {
    let policies =
        call.policies(identity).ok_or_else(|| SesRefusal::NoSuchIdentity(identity.to_string()))?;
    Ok(policies.into_iter().map(|(name, policy)| (name, Value::from(policy))).collect())
}

fn identity_type(identity: &Identity) -> &'static str {
    if identity.is_address() { "EMAIL_ADDRESS" } else { "DOMAIN" }
}

/// Returns the MAIL FROM domain, if any. As in version 1 it is always valid, as no DNS is looked up.
fn mail_from(call: &Call<'_>, identity: &Identity) -> Value {
    let settings = call.account.identity_settings(&call.region, identity);
    match settings.and_then(|settings| settings.mail_from_domain.as_deref()) {
        Some(domain) => json!({
            "MailFromDomain": domain,
            "MailFromDomainStatus": "SUCCESS",
            "BehaviorOnMxFailure": "USE_DEFAULT_VALUE",
        }),
        None => json!({"BehaviorOnMxFailure": "USE_DEFAULT_VALUE"}),
    }
}

fn dkim() -> Value {
    json!({"SigningEnabled": false, "Status": "NOT_STARTED", "Tokens": []})
}

impl Input<'_> {
    fn identity(&self, call: &Call<'_>) -> Result<Identity, SesRefusal> {
        call.identity(&self.names[0])
    }

    fn json<T: DeserializeOwned>(&mut self) -> Result<T, SesRefusal> {
        let read = serde_json::from_slice(&mem::take(&mut self.body));
        read.map(|NoText(input)| input).map_err(|error| {
            // the error may quote a whole text of the request
            let mut text = error.to_string();
            text.truncate(text.floor_char_boundary(LONGEST_REASON));
            SesRefusal::Serialization(text)
        })
    }

    fn query(&self, wanted: &str) -> Option<String> {
        let mut pairs = form_urlencoded::parse(self.query.as_bytes());
        pairs.find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned())
    }
}

const LONGEST_REASON: usize = 500;

/// Returns the names in a path at the `{}` of a pattern, if it matches.
fn names_in(pattern: &str, path: &str) -> Option<Vec<String>> {
    let mut names = Vec::new();
    let (mut wanted, mut given) = (pattern.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return Some(names),
            (Some("{}"), Some(name)) if !name.is_empty() => {
                names.push(percent_decode_str(name).decode_utf8().ok()?.into_owned());
            }
            (Some(wanted), Some(given)) if wanted == given && wanted != "{}" => {}
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_gives_its_names() {
        for (path, expected) in [
            ("/v2/email/identities/a%40b.c/policies/p", Some(vec!["a@b.c", "p"])),
            ("/v2/email/identities/a%2Fb/policies/p", Some(vec!["a/b", "p"])),
            ("/v2/email/identities/a/policies/", None),
            ("/v2/email/identities/a/policies/p/q", None),
            ("/v2/email/identities/a/policies", None),
            ("/v2/email/identities/%ff/policies/p", None),
        ] {
            let expected = expected.map(|names| names.into_iter().map(str::to_owned).collect());
            assert_eq!(names_in(POLICY, path), expected, "{path}");
        }
    }
}

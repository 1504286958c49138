//! Version 1, the Query API: parameters in, XML out.

use base64::{Engine, prelude::BASE64_STANDARD};

use super::{
    Call, SesRefusal,
    compose::{Content, compose},
    submit::{Draft, decoded},
};
use crate::{
    account::{Identity, Page},
    api::{
        Response,
        query::{self, Members, Query, Xml},
    },
    mailbox::Body,
    message::IdentityArns,
    sending::SendDataPoint,
    sigv4::HttpRequest,
};

mod events;
mod settings;

const QUERY: Query =
    Query { namespace: "http://ses.amazonaws.com/doc/2010-12-01/", version: "2010-12-01" };

/// Returns the name of the requested operation.
pub(super) fn action(request: &HttpRequest<'_>) -> Option<&'static str> {
    operation(&query::named_action(request)?).map(|operation| operation.name)
}

pub(super) fn is_served(name: &str) -> bool {
    operation(name).is_some()
}

fn operation(name: &str) -> Option<&'static Operation> {
    let mut operations =
        [OPERATIONS, settings::OPERATIONS, events::OPERATIONS].into_iter().flatten();
    operations.find(|operation| operation.name == name)
}

pub(super) fn answer(
    call: &mut Call<'_>,
    head: &HttpRequest<'_>,
    body: Vec<u8>,
    request_id: &str,
) -> Result<String, SesRefusal> {
    let members = &mut query::members(&HttpRequest { body: &body, ..*head })?;
    drop(body);
    if !members.are_short_but(CONTENT) {
        return Err(SesRefusal::InvalidParameter("Parameter is too long.".to_owned()));
    }
    let operation = QUERY.operation(members, operation)?;
    // the permission to send depends on the message
    if !operation.name.starts_with("Send") {
        call.authorize(operation.name)?;
    }
    let mut done = Ok(());
    let result = |xml: &mut Xml| done = (operation.proceed)(call, members, xml);
    let document = QUERY.answer(operation.name, operation.has_result, result, request_id);
    done.map(|()| document)
}

pub(super) fn response(answered: Result<String, SesRefusal>, request_id: String) -> Response {
    let (status, document) = answered.map_or_else(
        |refusal| {
            let (code, status) = refusal.v1();
            (status, QUERY.error(status, code, &refusal.to_string(), &request_id))
        },
        |document| (200, document),
    );
    query::response(status, request_id, document)
}

/// One operation. Its permission is `ses:` and its name.
struct Operation {
    name: &'static str,
    has_result: bool,
    proceed: Proceed,
}

type Proceed = fn(&mut Call<'_>, &mut Members, &mut Xml) -> Result<(), SesRefusal>;

/// All operations, by name.
const OPERATIONS: &[Operation] = &[
    op("DeleteIdentity", delete_identity),
    op("DeleteIdentityPolicy", delete_identity_policy),
    silent("DeleteVerifiedEmailAddress", |call, members, _| {
        let identity = email_address(call, members)?;
        call.account.delete_identity(&call.region, &identity);
        Ok(())
    }),
    op("GetAccountSendingEnabled", |call, _, xml| {
        xml.text("Enabled", &call.account.is_sending_enabled(&call.region).to_string());
        Ok(())
    }),
    op("GetIdentityPolicies", get_identity_policies),
    op("GetIdentityVerificationAttributes", get_identity_verification_attributes),
    op("GetSendQuota", |call, _, xml| {
        let names = ["Max24HourSend", "MaxSendRate", "SentLast24Hours"];
        for (name, value) in names.into_iter().zip(call.send_quota()) {
            xml.text(name, &format!("{value:.1}"));
        }
        Ok(())
    }),
    op("GetSendStatistics", get_send_statistics),
    op("ListIdentities", list_identities),
    op("ListIdentityPolicies", list_identity_policies),
    op("ListVerifiedEmailAddresses", |call, _, xml| {
        let identities = call.account.identities(&call.region).filter(Identity::is_address);
        let names: Vec<String> = identities.map(|identity| identity.to_string()).collect();
        xml.texts("VerifiedEmailAddresses", &names);
        Ok(())
    }),
    op("PutIdentityPolicy", put_identity_policy),
    op("SendEmail", send_email),
    op("SendRawEmail", send_raw_email),
    silent("UpdateAccountSendingEnabled", |call, members, _| {
        let enabled = members.flag("Enabled")?;
        call.account.enable_sending(&call.region, enabled);
        Ok(())
    }),
    op("VerifyDomainIdentity", verify_domain_identity),
    silent("VerifyEmailAddress", verify_email_address),
    op("VerifyEmailIdentity", verify_email_address),
];

const fn op(name: &'static str, proceed: Proceed) -> Operation {
    Operation { name, has_result: true, proceed }
}

const fn silent(name: &'static str, proceed: Proceed) -> Operation {
    Operation { name, has_result: false, proceed }
}

/// The parameters that may be as long as a message.
const CONTENT: &[&str] = &[
    "RawMessage.Data",
    "Message.Subject.Data",
    "Message.Body.Text.Data",
    "Message.Body.Html.Data",
    "Template.TextPart",
    "Template.HtmlPart",
];

fn send_raw_email(call: &mut Call<'_>, m: &mut Members, xml: &mut Xml) -> Result<(), SesRefusal> {
    let name = "RawMessage.Data";
    let message = decoded(name, m.take_required(name)?, call.interface)?;
    let text = |name: &str| m.get(name).map(str::to_owned);
    let draft = Draft {
        action: "ses:SendRawEmail",
        message,
        source: text("Source"),
        recipients: m.texts("Destinations"),
        arns: IdentityArns {
            source: text("SourceArn"),
            from: text("FromArn"),
            return_path: text("ReturnPathArn"),
        },
        ..common_to_both(m)?
    };
    xml.text("MessageId", &call.send(draft)?);
    Ok(())
}

fn send_email(call: &mut Call<'_>, m: &mut Members, xml: &mut Xml) -> Result<(), SesRefusal> {
    let (from, subject) = (m.required_text("Source")?, m.take_required("Message.Subject.Data")?);
    let [text_part, html_part] =
        ["Text", "Html"].map(|part| m.take(&format!("Message.Body.{part}.Data")));
    let text = |name: &str| m.get(name).map(str::to_owned);
    let list = |name: &str| m.texts(&format!("Destination.{name}"));
    let content = Content {
        from,
        to: list("ToAddresses"),
        cc: list("CcAddresses"),
        reply_to: m.texts("ReplyToAddresses"),
        subject,
        text: text_part,
        html: html_part,
        headers: vec![],
    };
    let lists = [&content.to, &content.cc, &list("BccAddresses")];
    let draft = Draft {
        action: "ses:SendEmail",
        message: compose(&content)?,
        source: Some(content.from),
        recipients: lists.into_iter().flatten().cloned().collect(),
        return_path: text("ReturnPath"),
        arns: IdentityArns {
            source: text("SourceArn"),
            from: None,
            return_path: text("ReturnPathArn"),
        },
        composed_of: Some((
            content.subject,
            Body { html_part: content.html, text_part: content.text },
        )),
        ..common_to_both(m)?
    };
    xml.text("MessageId", &call.send(draft)?);
    Ok(())
}

fn common_to_both(m: &Members) -> Result<Draft, SesRefusal> {
    let mut draft = Draft {
        configuration_set: m.get("ConfigurationSetName").map(str::to_owned),
        ..Draft::default()
    };
    for n in 1.. {
        let tag = |part: &str| format!("Tags.member.{n}.{part}");
        let Some(name) = m.get(&tag("Name")) else { break };
        draft.tags.push((name.to_owned(), m.required_text(&tag("Value"))?));
    }
    Ok(draft)
}

fn get_send_statistics(
    call: &mut Call<'_>,
    _: &mut Members,
    xml: &mut Xml,
) -> Result<(), SesRefusal> {
    let quarters = call.sent.by_quarter(&call.region, call.circumstances.now);
    let quarters: Vec<(i64, SendDataPoint)> = quarters.into_iter().collect();
    xml.list("SendDataPoints", &quarters, |xml, (second, point)| {
        let begin = jiff::Timestamp::from_second(*second).unwrap_or_default();
        xml.text("Timestamp", &begin.to_string());
        for (name, number) in [
            ("DeliveryAttempts", point.delivery_attempts),
            ("Bounces", point.bounces),
            ("Complaints", point.complaints),
            ("Rejects", point.rejects),
        ] {
            xml.text(name, &number.to_string());
        }
    });
    Ok(())
}

fn list_identities(call: &mut Call<'_>, m: &mut Members, xml: &mut Xml) -> Result<(), SesRefusal> {
    let is_address = |word: &str| match word {
        "EmailAddress" => Some(true),
        "Domain" => Some(false),
        _ => None,
    };
    let wanted = m.one_of("IdentityType", is_address)?;
    let max_items = m.get("MaxItems").and_then(|text| text.parse().ok());
    let page = Page {
        marker: m.get("NextToken").map(str::to_owned),
        max_items: max_items.filter(|n| (1..=1000).contains(n)).unwrap_or(1000),
    };
    let identities = call.account.identities(&call.region);
    let identities = identities.filter(|one| wanted.is_none_or(|w| w == one.is_address()));
    let listed = page.of(identities.map(|one| (one.to_string(), one.to_string())))?;
    xml.texts("Identities", &listed.items);
    if let Some(marker) = listed.marker {
        xml.text("NextToken", &marker);
    }
    Ok(())
}

/// Creates an identity, which is verified at once: no mail is sent.
fn verify_email_address(
    call: &mut Call<'_>,
    m: &mut Members,
    _: &mut Xml,
) -> Result<(), SesRefusal> {
    let identity = email_address(call, m)?;
    call.create_identity(&identity)?;
    Ok(())
}

fn verify_domain_identity(
    call: &mut Call<'_>,
    m: &mut Members,
    xml: &mut Xml,
) -> Result<(), SesRefusal> {
    let identity = domain(m.required_str("Domain")?)?;
    call.create_identity(&identity)?;
    let mut token = [0; 32];
    call.rng.fill_bytes(&mut token);
    xml.text("VerificationToken", &BASE64_STANDARD.encode(token));
    Ok(())
}

fn get_identity_verification_attributes(
    call: &mut Call<'_>,
    m: &mut Members,
    xml: &mut Xml,
) -> Result<(), SesRefusal> {
    let identities = m.texts("Identities").into_iter();
    let identities: Vec<Identity> = identities
        .filter_map(|name| Identity::parse(&name))
        .filter(|identity| call.account.has_identity(&call.region, identity))
        .collect();
    xml.element("VerificationAttributes", |xml| {
        for identity in &identities {
            xml.element("entry", |xml| {
                xml.text("key", identity.as_str());
                xml.element("value", |xml| xml.text("VerificationStatus", "Success"));
            });
        }
    });
    Ok(())
}

fn delete_identity(call: &mut Call<'_>, m: &mut Members, _: &mut Xml) -> Result<(), SesRefusal> {
    let identity = identity(call, m)?;
    call.account.delete_identity(&call.region, &identity);
    Ok(())
}

fn put_identity_policy(
    call: &mut Call<'_>,
    m: &mut Members,
    _: &mut Xml,
) -> Result<(), SesRefusal> {
    let (identity, name) = (identity(call, m)?, policy_name(&m.required_text("PolicyName")?)?);
    let policy = m.required_text("Policy")?;
    Ok(call.account.put_identity_policy(&call.region, &identity, &name, &policy)?)
}

fn get_identity_policies(
    call: &mut Call<'_>,
    m: &mut Members,
    xml: &mut Xml,
) -> Result<(), SesRefusal> {
    let identity = identity(call, m)?;
    let wanted = m.texts("PolicyNames");
    let policies = policies(call, &identity)?;
    xml.element("Policies", |xml| {
        for (name, policy) in policies.iter().filter(|(name, _)| wanted.contains(name)) {
            xml.element("entry", |xml| {
                xml.text("key", name);
                xml.text("value", policy);
            });
        }
    });
    Ok(())
}

fn list_identity_policies(
    call: &mut Call<'_>,
    m: &mut Members,
    xml: &mut Xml,
) -> Result<(), SesRefusal> {
    let policies = policies(call, &identity(call, m)?)?;
    let names: Vec<String> = policies.into_iter().map(|(name, _)| name).collect();
    xml.texts("PolicyNames", &names);
    Ok(())
}

fn delete_identity_policy(
    call: &mut Call<'_>,
    m: &mut Members,
    _: &mut Xml,
) -> Result<(), SesRefusal> {
    let (identity, name) = (identity(call, m)?, m.required_text("PolicyName")?);
    call.account.delete_identity_policy(&call.region, &identity, &name);
    Ok(())
}

fn policies(call: &Call<'_>, identity: &Identity) -> Result<Vec<(String, String)>, SesRefusal> {
    call.policies(identity)
        .ok_or_else(|| SesRefusal::InvalidParameter(format!("Identity {identity} does not exist.")))
}

fn identity(call: &Call<'_>, m: &Members) -> Result<Identity, SesRefusal> {
    call.identity(&m.required_text("Identity")?)
}

fn domain(name: &str) -> Result<Identity, SesRefusal> {
    let identity = Identity::parse(name).filter(|identity| !identity.is_address());
    identity.ok_or_else(|| SesRefusal::InvalidParameter(format!("Invalid domain name {name}.")))
}

fn email_address(call: &Call<'_>, m: &Members) -> Result<Identity, SesRefusal> {
    let identity = call.identity(&m.required_text("EmailAddress")?)?;
    match identity.is_address() {
        true => Ok(identity),
        false => Err(SesRefusal::InvalidParameter(format!("Invalid email address {identity}."))),
    }
}

/// Checks the name of a policy. Source: SES API Reference, `PutIdentityPolicy`.
pub(super) fn policy_name(name: &str) -> Result<String, SesRefusal> {
    let is_name = (1..=64).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    match is_name {
        true => Ok(name.to_owned()),
        false => Err(SesRefusal::InvalidParameter("Invalid policy name.".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_stands_once_and_in_order() {
        for operations in [OPERATIONS, settings::OPERATIONS, events::OPERATIONS] {
            assert!(operations.is_sorted_by(|a, b| a.name < b.name));
        }
    }
}

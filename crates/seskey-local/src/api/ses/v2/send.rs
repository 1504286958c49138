//! `SendEmail` of version 2: a raw message, or one that is composed here.

use serde::{Deserialize, de::IgnoredAny};
use serde_json::{Value, json};

use super::{Input, bounded};
use crate::{
    api::ses::{
        Call, SesRefusal,
        compose::{Content, compose},
        submit::{Draft, decoded},
    },
    mailbox::Body,
    message::IdentityArns,
};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SendEmail {
    #[serde(default, deserialize_with = "bounded::optional_text")]
    from_email_address: Option<String>,
    #[serde(default, deserialize_with = "bounded::optional_text")]
    from_email_address_identity_arn: Option<String>,
    #[serde(default, deserialize_with = "bounded::no_text")]
    destination: Destination,
    #[serde(default, deserialize_with = "bounded::texts")]
    reply_to_addresses: Vec<String>,
    #[serde(default, deserialize_with = "bounded::optional_text")]
    feedback_forwarding_email_address: Option<String>,
    #[serde(default, deserialize_with = "bounded::optional_text")]
    feedback_forwarding_email_address_identity_arn: Option<String>,
    #[serde(deserialize_with = "bounded::no_text")]
    content: EmailContent,
    #[serde(default, deserialize_with = "bounded::list")]
    email_tags: Vec<NameAndValue>,
    #[serde(default, deserialize_with = "bounded::optional_text")]
    configuration_set_name: Option<String>,
    list_management_options: Option<IgnoredAny>,
    endpoint_id: Option<IgnoredAny>,
    tenant_name: Option<IgnoredAny>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Destination {
    #[serde(deserialize_with = "bounded::texts")]
    to_addresses: Vec<String>,
    #[serde(deserialize_with = "bounded::texts")]
    cc_addresses: Vec<String>,
    #[serde(deserialize_with = "bounded::texts")]
    bcc_addresses: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct EmailContent {
    #[serde(default, deserialize_with = "bounded::optional_no_text")]
    simple: Option<Simple>,
    #[serde(default, deserialize_with = "bounded::optional_no_text")]
    raw: Option<Data>,
    template: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Simple {
    #[serde(deserialize_with = "bounded::no_text")]
    subject: Data,
    #[serde(deserialize_with = "bounded::no_text")]
    body: SimpleBody,
    #[serde(default, deserialize_with = "bounded::list")]
    headers: Vec<NameAndValue>,
    #[serde(default, deserialize_with = "bounded::no_text")]
    attachments: Vec<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SimpleBody {
    #[serde(default, deserialize_with = "bounded::optional_no_text")]
    text: Option<Data>,
    #[serde(default, deserialize_with = "bounded::optional_no_text")]
    html: Option<Data>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Data {
    data: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct NameAndValue {
    #[serde(deserialize_with = "bounded::text")]
    name: String,
    #[serde(deserialize_with = "bounded::text")]
    value: String,
}

/// Source: SES API v2 Reference, `Message`.
const MOST_HEADERS: usize = 15;

pub(super) fn send_email(call: &mut Call<'_>, input: &mut Input<'_>) -> Result<Value, SesRefusal> {
    let given: SendEmail = input.json()?;
    let unserved = [
        (given.list_management_options.is_some(), "ListManagementOptions"),
        (given.endpoint_id.is_some(), "EndpointId"),
        (given.tenant_name.is_some(), "TenantName"),
        (given.content.template.is_some(), "Template"),
    ];
    if let Some((_, name)) = unserved.into_iter().find(|(is_given, _)| *is_given) {
        return Err(SesRefusal::NotServed(name));
    }
    let Destination { to_addresses, cc_addresses, bcc_addresses } = given.destination;
    let lists = [&to_addresses, &cc_addresses, &bcc_addresses];
    let recipients = lists.into_iter().flatten().cloned().collect();
    let from = given.from_email_address;
    let content = match (given.content.raw, given.content.simple) {
        (Some(raw), None) => {
            let message = decoded("Raw.Data", raw.data, call.interface)?;
            Draft { action: "ses:SendRawEmail", message, ..Draft::default() }
        }
        (None, Some(simple)) => {
            let from = from.clone().ok_or_else(|| refused("Missing FromEmailAddress."))?;
            of_simple(simple, from, to_addresses, cc_addresses, given.reply_to_addresses)?
        }
        _ => return Err(refused("Content is either Simple or Raw.")),
    };
    // "overrides the X-SES-SOURCE-ARN and X-SES-FROM-ARN headers" (SES API v2 Reference, `SendEmail`)
    let identity = given.from_email_address_identity_arn;
    let message_id = call.send(Draft {
        source: from,
        recipients,
        return_path: given.feedback_forwarding_email_address,
        arns: IdentityArns {
            source: identity.clone(),
            from: identity,
            return_path: given.feedback_forwarding_email_address_identity_arn,
        },
        configuration_set: given.configuration_set_name,
        tags: given.email_tags.into_iter().map(|tag| (tag.name, tag.value)).collect(),
        ..content
    })?;
    Ok(json!({"MessageId": message_id}))
}

fn of_simple(
    simple: Simple,
    from: String,
    to: Vec<String>,
    cc: Vec<String>,
    reply_to: Vec<String>,
) -> Result<Draft, SesRefusal> {
    if !simple.attachments.is_empty() {
        return Err(SesRefusal::NotServed("Attachments, but in a raw message,"));
    }
    if simple.headers.len() > MOST_HEADERS {
        return Err(refused("Too many headers."));
    }
    let data = |data: Option<Data>| data.map(|data| data.data);
    let content = Content {
        from,
        to,
        cc,
        reply_to,
        subject: simple.subject.data,
        text: data(simple.body.text),
        html: data(simple.body.html),
        headers: simple.headers.into_iter().map(|field| (field.name, field.value)).collect(),
    };
    Ok(Draft {
        action: "ses:SendEmail",
        message: compose(&content)?,
        composed_of: Some((
            content.subject,
            Body { html_part: content.html, text_part: content.text },
        )),
        ..Draft::default()
    })
}

fn refused(text: &str) -> SesRefusal {
    SesRefusal::InvalidParameter(text.to_owned())
}

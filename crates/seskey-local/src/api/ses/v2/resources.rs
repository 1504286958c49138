//! Configuration sets, templates and suppressed addresses in version 2.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Call, Input, On, Route, SesRefusal, bounded};
use crate::{
    account::{Identity, Page, SUPPRESSED_REASONS, SesResource, SesResourceKind as Kind, Template},
    api::ses::resource_name,
};

const SETS: &str = "/v2/email/configuration-sets";
const SET: &str = "/v2/email/configuration-sets/{}";
const TEMPLATES: &str = "/v2/email/templates";
const TEMPLATE: &str = "/v2/email/templates/{}";
const SUPPRESSED: &str = "/v2/email/suppression/addresses";
const SUPPRESSED_ONE: &str = "/v2/email/suppression/addresses/{}";

pub(super) const ROUTES: &[Route] = &[
    route("POST", SETS, "CreateConfigurationSet", |call, input| {
        let given: NewSet = input.json()?;
        let name = resource_name(&given.configuration_set_name)?;
        call.create(Kind::ConfigurationSet, name, SesResource::ConfigurationSet)?;
        Ok(json!({}))
    }),
    route("GET", SETS, "ListConfigurationSets", |call, input| {
        list(call, input, "ConfigurationSets", Kind::ConfigurationSet, |name, _| json!(name))
    }),
    // the form of this request since the model of 2026
    route("POST", "/v2/email/list-configuration-sets", "ListConfigurationSets", |call, input| {
        let Pages { next_token, page_size } = input.json()?;
        let rows = call.account.ses_resources_of(&call.region, Kind::ConfigurationSet);
        page("ConfigurationSets", next_token, page_size, rows.map(|(name, _)| (name, json!(name))))
    }),
    route("GET", SET, "GetConfigurationSet", |call, input| {
        call.resource(Kind::ConfigurationSet, &input.names[0])?;
        Ok(json!({"ConfigurationSetName": input.names[0]}))
    }),
    route("DELETE", SET, "DeleteConfigurationSet", |call, input| {
        delete(call, Kind::ConfigurationSet, &input.names[0])
    }),
    route("POST", TEMPLATES, "CreateEmailTemplate", |call, input| {
        let given: NewTemplate = input.json()?;
        let template = given.template_content.template(call);
        let name = resource_name(&given.template_name)?;
        call.create(Kind::Template, name, SesResource::Template(template))?;
        Ok(json!({}))
    }),
    route("GET", TEMPLATES, "ListEmailTemplates", |call, input| {
        list(call, input, "TemplatesMetadata", Kind::Template, |name, row| match row {
            SesResource::Template(it) => {
                json!({"TemplateName": name, "CreatedTimestamp": it.created.as_second()})
            }
            _ => json!({"TemplateName": name}),
        })
    }),
    route("GET", TEMPLATE, "GetEmailTemplate", |call, input| {
        let name = &input.names[0];
        let content = match call.resource(Kind::Template, name)? {
            SesResource::Template(Template { subject, text, html, .. }) => {
                json!({"Subject": subject, "Text": text, "Html": html})
            }
            _ => json!({}),
        };
        Ok(json!({"TemplateName": name, "TemplateContent": content}))
    }),
    route("PUT", TEMPLATE, "UpdateEmailTemplate", |call, input| {
        let given: UpdatedTemplate = input.json()?;
        call.resource(Kind::Template, &input.names[0])?;
        let template = SesResource::Template(given.template_content.template(call));
        call.account.put_ses_resource(&call.region, &input.names[0], template)?;
        Ok(json!({}))
    }),
    route("DELETE", TEMPLATE, "DeleteEmailTemplate", |call, input| {
        delete(call, Kind::Template, &input.names[0])
    }),
    route("PUT", SUPPRESSED, "PutSuppressedDestination", |call, input| {
        let given: NewSuppressed = input.json()?;
        let address = address(&given.email_address)?;
        if !SUPPRESSED_REASONS.contains(&&*given.reason) {
            return Err(SesRefusal::InvalidParameter(format!("Invalid reason: {}.", given.reason)));
        }
        let (reason, last_update_time) = (given.reason, call.circumstances.now);
        let row = SesResource::SuppressedAddress { reason, last_update_time };
        call.account.put_ses_resource(&call.region, address.as_str(), row)?;
        Ok(json!({}))
    }),
    route("GET", SUPPRESSED, "ListSuppressedDestinations", |call, input| {
        list(call, input, "SuppressedDestinationSummaries", Kind::SuppressedAddress, suppressed)
    }),
    route("GET", SUPPRESSED_ONE, "GetSuppressedDestination", |call, input| {
        let name = &input.names[0];
        let row = call.resource(Kind::SuppressedAddress, name)?;
        Ok(json!({"SuppressedDestination": suppressed(name, row)}))
    }),
    route("DELETE", SUPPRESSED_ONE, "DeleteSuppressedDestination", |call, input| {
        delete(call, Kind::SuppressedAddress, &input.names[0])
    }),
];

pub(super) const fn route(
    method: &'static str,
    path: &'static str,
    name: &'static str,
    proceed: fn(&mut Call<'_>, &mut Input<'_>) -> Result<Value, SesRefusal>,
) -> Route {
    Route { method, path, name, on: On::Everything, proceed }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct NewSet {
    #[serde(deserialize_with = "bounded::text")]
    configuration_set_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Pages {
    #[serde(default, deserialize_with = "bounded::optional_text")]
    next_token: Option<String>,
    #[serde(default, deserialize_with = "bounded::optional_no_text")]
    page_size: Option<usize>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct NewTemplate {
    #[serde(deserialize_with = "bounded::text")]
    template_name: String,
    #[serde(deserialize_with = "bounded::no_text")]
    template_content: Content,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UpdatedTemplate {
    #[serde(deserialize_with = "bounded::no_text")]
    template_content: Content,
}

/// Source: SES API v2 Reference, `EmailTemplateContent`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Content {
    subject: Option<String>,
    text: Option<String>,
    html: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct NewSuppressed {
    #[serde(deserialize_with = "bounded::text")]
    email_address: String,
    #[serde(deserialize_with = "bounded::text")]
    reason: String,
}

impl Content {
    fn template(self, call: &Call<'_>) -> Template {
        let Self { subject, text, html } = self;
        Template { subject, text, html, created: call.circumstances.now }
    }
}

fn address(name: &str) -> Result<Identity, SesRefusal> {
    Identity::parse(name)
        .filter(Identity::is_address)
        .ok_or_else(|| SesRefusal::InvalidParameter(format!("Invalid email address {name}.")))
}

fn suppressed(name: &str, row: &SesResource) -> Value {
    match row {
        SesResource::SuppressedAddress { reason, last_update_time } => json!({
            "EmailAddress": name,
            "Reason": reason,
            "LastUpdateTime": last_update_time.as_second(),
        }),
        _ => json!({"EmailAddress": name}),
    }
}

fn delete(call: &mut Call<'_>, kind: Kind, name: &str) -> Result<Value, SesRefusal> {
    match call.account.delete_ses_resource(&call.region, kind, name) {
        true => Ok(json!({})),
        false => Err(SesRefusal::NoSuchResource(kind, name.to_owned())),
    }
}

fn list(
    call: &Call<'_>,
    input: &Input<'_>,
    name: &str,
    kind: Kind,
    item: fn(&str, &SesResource) -> Value,
) -> Result<Value, SesRefusal> {
    let page_size = input.query("PageSize").and_then(|text| text.parse().ok());
    let rows = call.account.ses_resources_of(&call.region, kind);
    let rows = rows.map(|(name, row)| (name, item(name, row)));
    page(name, input.query("NextToken"), page_size, rows)
}

fn page<'a>(
    name: &str,
    marker: Option<String>,
    page_size: Option<usize>,
    rows: impl Iterator<Item = (&'a str, Value)>,
) -> Result<Value, SesRefusal> {
    let max_items = page_size.filter(|n| (1..=1000).contains(n)).unwrap_or(1000);
    let listed = Page { marker, max_items }.of(rows)?;
    let mut answer = json!({name: listed.items});
    if let Some(marker) = listed.marker {
        answer["NextToken"] = Value::from(marker);
    }
    Ok(answer)
}

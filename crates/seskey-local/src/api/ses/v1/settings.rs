//! The operations of version 1 beside sending: DKIM, MAIL FROM domains and notifications of identities, configuration
//! sets, templates.
//!
//! Source: SES API Reference; the texts about missing resources are recorded from AWS.

use super::{Call, Members, Operation, SesRefusal, Xml, domain, identity, op};
use crate::{
    account::{Identity, IdentitySettings, Page, SesResource, SesResourceKind as Kind, Template},
    api::ses::resource_name,
};

pub(super) const OPERATIONS: &[Operation] = &[
    op("CreateConfigurationSet", |call, m, _| {
        let name = resource_name(m.required_str("ConfigurationSet.Name")?)?;
        call.create(Kind::ConfigurationSet, name, SesResource::ConfigurationSet)
    }),
    op("CreateTemplate", |call, m, _| {
        let (name, template) = template(call, m)?;
        call.create(Kind::Template, &name, SesResource::Template(template))
    }),
    op("DeleteConfigurationSet", |call, m, _| {
        let name = m.required_str("ConfigurationSetName")?;
        match call.account.delete_ses_resource(&call.region, Kind::ConfigurationSet, name) {
            true => Ok(()),
            false => Err(SesRefusal::NoSuchResource(Kind::ConfigurationSet, name.to_owned())),
        }
    }),
    op("DeleteTemplate", |call, m, _| {
        let name = m.required_str("TemplateName")?;
        call.account.delete_ses_resource(&call.region, Kind::Template, name);
        Ok(())
    }),
    op("GetIdentityDkimAttributes", |call, m, xml| {
        of_each(call, m, xml, "DkimAttributes", |settings, xml| {
            let signs = !settings.dkim_tokens.is_empty();
            xml.text("DkimEnabled", &signs.to_string());
            xml.text("DkimVerificationStatus", if signs { "Success" } else { "NotStarted" });
            xml.texts("DkimTokens", &settings.dkim_tokens);
        })
    }),
    op("GetIdentityMailFromDomainAttributes", |call, m, xml| {
        of_each(call, m, xml, "MailFromDomainAttributes", |settings, xml| {
            xml.text("MailFromDomain", settings.mail_from_domain.as_deref().unwrap_or_default());
            xml.text("MailFromDomainStatus", "Success");
            xml.text("BehaviorOnMXFailure", "UseDefaultValue");
        })
    }),
    op("GetIdentityNotificationAttributes", |call, m, xml| {
        of_each(call, m, xml, "NotificationAttributes", |settings, xml| {
            for kind in NOTIFICATIONS {
                let topic = settings.notification_topics.get(kind).map(String::as_str);
                xml.text(&format!("{kind}Topic"), topic.unwrap_or_default());
            }
            xml.text("ForwardingEnabled", "true");
            for kind in NOTIFICATIONS {
                let with_headers = settings.headers_in_notifications.contains(kind);
                xml.text(
                    &format!("HeadersIn{kind}NotificationsEnabled"),
                    &with_headers.to_string(),
                );
            }
        })
    }),
    op("GetTemplate", |call, m, xml| {
        let name = m.required_str("TemplateName")?;
        let SesResource::Template(it) = call.resource(Kind::Template, name)? else { return Ok(()) };
        xml.element("Template", |xml| {
            xml.text("TemplateName", name);
            for (part, text) in
                [("SubjectPart", &it.subject), ("TextPart", &it.text), ("HtmlPart", &it.html)]
            {
                if let Some(text) = text {
                    xml.text(part, text);
                }
            }
        });
        Ok(())
    }),
    op("ListConfigurationSets", |call, m, xml| {
        listed(call, m, xml, "ConfigurationSets", Kind::ConfigurationSet)
    }),
    op("ListTemplates", |call, m, xml| listed(call, m, xml, "TemplatesMetadata", Kind::Template)),
    op("SetIdentityHeadersInNotificationsEnabled", |call, m, _| {
        let kind = notification_type(m)?;
        let (identity, enabled) = (identity(call, m)?, m.flag("Enabled")?);
        let settings = call.account.identity_settings_mut(&call.region, &identity);
        let settings = settings.ok_or_else(|| SesRefusal::UnknownIdentity(identity.to_string()))?;
        match enabled {
            true => settings.headers_in_notifications.insert(kind.to_owned()),
            false => settings.headers_in_notifications.remove(kind),
        };
        Ok(())
    }),
    op("SetIdentityMailFromDomain", |call, m, _| {
        let identity = identity(call, m)?;
        let mail_from = m.get("MailFromDomain").filter(|name| !name.is_empty());
        let mail_from = mail_from.map(domain).transpose()?;
        let settings = call.account.identity_settings_mut(&call.region, &identity);
        let settings = settings.ok_or_else(|| SesRefusal::UnknownIdentity(identity.to_string()))?;
        settings.mail_from_domain = mail_from.map(|domain| domain.to_string());
        Ok(())
    }),
    op("UpdateTemplate", |call, m, _| {
        let (name, template) = template(call, m)?;
        call.resource(Kind::Template, &name)?;
        let template = SesResource::Template(template);
        Ok(call.account.put_ses_resource(&call.region, &name, template)?)
    }),
    op("VerifyDomainDkim", |call, m, xml| {
        let domain = domain(m.required_str("Domain")?)?;
        call.create_identity(&domain)?;
        let tokens: Vec<String> = (0..DKIM_TOKENS).map(|_| dkim_token(call)).collect();
        if let Some(settings) = call.account.identity_settings_mut(&call.region, &domain) {
            if settings.dkim_tokens.is_empty() {
                settings.dkim_tokens = tokens;
            }
            xml.texts("DkimTokens", &settings.dkim_tokens);
        }
        Ok(())
    }),
];

const NOTIFICATIONS: [&str; 3] = ["Bounce", "Complaint", "Delivery"];

/// Reads a notification type. The text of the refusal is recorded.
pub(super) fn notification_type(m: &Members) -> Result<&'static str, SesRefusal> {
    let kind = m.required_str("NotificationType")?;
    NOTIFICATIONS.into_iter().find(|known| *known == kind).ok_or_else(|| {
        let valid = "Valid values are: Bounce, Complaint, Delivery.";
        SesRefusal::InvalidParameter(format!("Invalid notification type: {kind}. {valid}"))
    })
}

/// Source: SES Developer Guide, "Easy DKIM in Amazon SES".
const DKIM_TOKENS: usize = 3;

fn dkim_token(call: &mut Call<'_>) -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let mut bytes = [0; 32];
    call.rng.fill_bytes(&mut bytes);
    bytes.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect()
}

fn template(call: &Call<'_>, m: &mut Members) -> Result<(String, Template), SesRefusal> {
    let name = resource_name(m.required_str("Template.TemplateName")?)?.to_owned();
    let mut part = |name: &str| m.take(&format!("Template.{name}"));
    let template = Template {
        subject: part("SubjectPart"),
        text: part("TextPart"),
        html: part("HtmlPart"),
        created: call.circumstances.now,
    };
    Ok((name, template))
}

/// Writes the settings of the given identities, by name. An identity that does not exist has the defaults.
fn of_each(
    call: &Call<'_>,
    m: &Members,
    xml: &mut Xml,
    list: &str,
    entry: impl Fn(&IdentitySettings, &mut Xml),
) -> Result<(), SesRefusal> {
    let identities = m.texts("Identities");
    let none = IdentitySettings::default();
    xml.element(list, |xml| {
        for identity in identities.iter().filter_map(|name| Identity::parse(name)) {
            let settings = call.account.identity_settings(&call.region, &identity);
            xml.element("entry", |xml| {
                xml.text("key", identity.as_str());
                xml.element("value", |xml| entry(settings.unwrap_or(&none), xml));
            });
        }
    });
    Ok(())
}

fn listed(
    call: &Call<'_>,
    m: &Members,
    xml: &mut Xml,
    list: &str,
    kind: Kind,
) -> Result<(), SesRefusal> {
    let max_items = m.get("MaxItems").and_then(|text| text.parse().ok());
    let page = Page {
        marker: m.get("NextToken").map(str::to_owned),
        max_items: max_items.filter(|n| (1..=1000).contains(n)).unwrap_or(1000),
    };
    let rows = call.account.ses_resources_of(&call.region, kind);
    let rows = page.of(rows.map(|(name, row)| (name, (name, row))))?;
    xml.list(list, &rows.items, |xml, (name, row)| {
        xml.text("Name", name);
        if let SesResource::Template(template) = row {
            xml.text("CreatedTimestamp", &template.created.to_string());
        }
    });
    if let Some(marker) = rows.marker {
        xml.text("NextToken", &marker);
    }
    Ok(())
}

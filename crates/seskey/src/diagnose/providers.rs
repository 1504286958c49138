//! The SMTP servers of other providers, so that they are not taken for a relay of the user's own.

/// Their domains, with the name of the provider. Source: the documentation of each.
const PROVIDERS: &[(&str, &str)] = &[
    ("brevo.com", "Brevo"),
    ("elasticemail.com", "Elastic Email"),
    ("fastmail.com", "Fastmail"),
    ("gmail.com", "Google"),
    ("googlemail.com", "Google"),
    ("mailersend.net", "MailerSend"),
    ("mailgun.org", "Mailgun"),
    ("mailjet.com", "Mailjet"),
    ("mailtrap.io", "Mailtrap"),
    ("mandrillapp.com", "Mandrill"),
    ("office365.com", "Microsoft"),
    ("outlook.com", "Microsoft"),
    ("postmarkapp.com", "Postmark"),
    ("resend.com", "Resend"),
    ("sendgrid.net", "SendGrid"),
    ("sendinblue.com", "Brevo"),
    ("smtp2go.com", "SMTP2GO"),
    ("sparkpostmail.com", "SparkPost"),
    ("yahoo.com", "Yahoo"),
    ("zoho.com", "Zoho"),
    ("zoho.eu", "Zoho"),
];

/// Returns the provider of a host, by its name in lower case.
pub(super) fn provider(host: &str) -> Option<&'static str> {
    let is_under = |domain: &str| host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'));
    PROVIDERS.iter().find(|(domain, _)| is_under(domain)).map(|(_, whose)| *whose)
}

/// Words that only the servers of one provider say. Source: the documentation of each.
const WORDS: &[(&str, &str)] = &[
    ("support.google.com", "Google"),
    ("gsmtp", "Google"),
    ("5.7.139", "Microsoft"),
    ("smtpclientauthentication", "Microsoft"),
    ("sendgrid", "SendGrid"),
    ("mailgun", "Mailgun"),
];

/// Returns the provider that wrote a line in lower case, or is named in it. A mail address proves nothing.
pub(super) fn speaker(line: &str) -> Option<&'static str> {
    if line.contains("amazon") {
        return None;
    }
    let is_of_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '@' | '_');
    line.split(|c: char| !is_of_word(c)).filter(|word| !word.contains('@')).find_map(|word| {
        let said = WORDS.iter().find(|(part, _)| word.contains(part)).map(|(_, whose)| *whose);
        said.or_else(|| provider(word.trim_end_matches('.')))
    })
}

//! The forms that are a text with places for the values, each with the page that it is taken from.
//!
//! A form that needs more has a file of its own.

use super::{
    Grammar, Listed, Row, Target,
    applications::APPLICATIONS,
    msmtp::is_account,
    names::{is_variable, none},
    template::{
        Kind::{self, Line, Whole},
        Template,
    },
};

/// All rows, in the order in which they are listed.
pub(super) static ROWS: [Row; COUNT] = rows();

const fn rows() -> [Row; COUNT] {
    let mut rows = [row(0); COUNT];
    let mut index = 0;
    while index < rows.len() {
        rows[index] = row(index);
        index += 1;
    }
    rows
}

const fn row(index: usize) -> Row {
    let Text { name, description, file, source, judge, kind, names, text } =
        if index < TEXTS.len() { TEXTS[index] } else { APPLICATIONS[index - TEXTS.len()] };
    Row {
        target: Target::Listed(Listed(index)),
        name,
        description,
        file,
        source,
        judge,
        names,
        whole: matches!(kind, Whole),
        entry_fits: if names[0].is_empty() { none } else { is_account },
        namespace_fits: none,
        key_fits: if names[2].is_empty() { none } else { is_variable },
        grammar: Grammar::Template(Template { kind, text }),
    }
}

/// A form as data.
#[derive(Clone, Copy)]
pub(super) struct Text {
    pub(super) name: &'static str,
    pub(super) description: &'static str,
    /// The usual file; empty if that depends on the reader.
    pub(super) file: &'static str,
    /// The page of its documentation.
    pub(super) source: &'static str,
    /// The programs that read it in the tests.
    pub(super) judge: &'static str,
    pub(super) kind: Kind,
    pub(super) names: [&'static str; 7],
    pub(super) text: &'static str,
}

/// A whole file, whose names cannot be chosen.
pub(super) const PLAIN: Text = Text {
    name: "",
    description: "",
    file: "",
    source: "",
    judge: "",
    kind: Whole,
    names: [""; 7],
    text: "",
};

const COUNT: usize = TEXTS.len() + APPLICATIONS.len();

const KEYS: [&str; 7] =
    ["", "", "smtp_host", "smtp_port", "smtp_username", "smtp_password", "smtp_from"];

const TEXTS: [Text; 12] = [
    Text {
        name: "url",
        description: "one URL, smtp:// or smtps://",
        source: "RFC 3986",
        judge: "Python, Node, Symfony, curl by a message",
        text: "{smtp|smtps}://{user-name}:{url-password}@{address}:{port}",
        ..PLAIN
    },
    Text {
        name: "password",
        description: "the SMTP password alone, as for a variable …_PASSWORD_FILE",
        judge: "systemd-creds",
        text: "{password}",
        ..PLAIN
    },
    Text {
        name: "user-name",
        description: "the SMTP user name alone",
        text: "{user-name}",
        ..PLAIN
    },
    Text {
        name: "yaml",
        description: "values of a YAML file",
        source: "https://yaml.org/spec/1.2.2/#73-flow-scalar-styles",
        judge: "PyYAML, Ruby",
        names: KEYS,
        text: "{host-key}: \"{host}\"
{port-key}: {port}
{user-name-key}: \"{user-name}\"
{password-key}: \"{password}\"
{from-key}: \"{from}\"",
        ..PLAIN
    },
    Text {
        name: "toml",
        description: "values of a TOML file",
        source: "https://toml.io/en/v1.0.0#string",
        judge: "Python",
        names: KEYS,
        text: ASSIGNED,
        ..PLAIN
    },
    Text {
        name: "tfvars",
        description: "variables of Terraform",
        file: "smtp.auto.tfvars",
        source: "https://developer.hashicorp.com/terraform/language/values/variables",
        judge: "python-hcl2",
        names: KEYS,
        text: ASSIGNED,
        ..PLAIN
    },
    Text {
        name: "postfix-unbracketed",
        description: "a line of smtp_sasl_password_maps, for a relayhost without brackets",
        file: "/etc/postfix/sasl_passwd",
        source: "https://www.postfix.org/SASL_README.html#client_sasl_enable",
        judge: "Postfix",
        kind: Line(' '),
        text: "{host-name}:{port} {user-name}:{password}",
        ..PLAIN
    },
    Text {
        name: "postfix-sender",
        description: "a line of smtp_sasl_password_maps, for the sender that --from says",
        file: "/etc/postfix/sasl_passwd",
        source: "https://www.postfix.org/SASL_README.html#client_sasl_sender",
        judge: "Postfix",
        kind: Line(' '),
        text: "{from} {user-name}:{password}",
        ..PLAIN
    },
    Text {
        name: "exim",
        description: "a line of Exim's passwd.client",
        file: "/etc/exim4/passwd.client",
        source: "exim4_passwd_client(5)",
        judge: "Exim",
        kind: Line(':'),
        text: "{host-name}:{user-name}:{password}",
        ..PLAIN
    },
    Text {
        name: "sendmail",
        description: "a line of sendmail's authinfo",
        file: "/etc/mail/authinfo",
        source: "sendmail, cf/README, \"SMTP AUTHENTICATION\"",
        judge: "makemap",
        kind: Line(' '),
        text: "AuthInfo:{host-name} \"U:{user-name}\" \"I:{user-name}\" \"P:{password}\" \"M:PLAIN\"",
        ..PLAIN
    },
    Text {
        name: "opensmtpd",
        description: "a line of a table of credentials of OpenSMTPD",
        file: "/etc/mail/secrets",
        source: "table(5), \"Credentials tables\"",
        judge: "smtpd",
        kind: Line(' '),
        names: ["ses", "", "", "", "", "", ""],
        text: "{entry} {user-name}:{password}",
    },
    Text {
        name: "nullmailer",
        description: "a line of nullmailer's remotes",
        file: "/etc/nullmailer/remotes",
        source: "nullmailer-send(8), \"CONTROL FILES\"",
        judge: "nullmailer, by a message",
        kind: Line(' '),
        text: "{host-name} smtp --port={port} --{starttls|ssl} --auth-login --user={user-name} --pass={password}",
        ..PLAIN
    },
];

const ASSIGNED: &str = "{host-key} = \"{host}\"
{port-key} = {port}
{user-name-key} = \"{user-name}\"
{password-key} = \"{password}\"
{from-key} = \"{from}\"";

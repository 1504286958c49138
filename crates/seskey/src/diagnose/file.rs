//! User name, password, host and port in the file of an application, including wrong values.
//!
//! [`credential`](crate::credential) takes only right values; here nothing is checked, so that wrong values show.

use percent_encoding::percent_decode_str;

use super::evidence::{TlsMode, WrittenPlace};
use crate::{
    credential::{Found, Kind, place},
    pasted::plain_name,
    secret::Secret,
};

/// The values of a file, as its reader takes them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileValues {
    /// The SMTP user name; held as a secret, because a secret may stand in its place.
    pub user_name: Option<Secret>,
    /// The SMTP password.
    pub password: Option<Secret>,
    /// The host.
    pub host: Option<String>,
    /// The port.
    pub port: Option<u16>,
    /// The errors in the written host and port.
    pub place: WrittenPlace,
    /// The way in which the application changes to TLS.
    pub tls_mode: Option<TlsMode>,
    /// The secret access key of the user name, if the AWS access key stands beside the SMTP credential.
    pub secret: Option<Secret>,
    /// Whether it is a table of Postfix's.
    pub is_of_postfix: bool,
}

impl FileValues {
    /// Reads a `.env` or another file of assignments, a URL, JSON, CSV with a header, or a line of `sasl_passwd`.
    pub fn read(text: &str) -> Self {
        let text = text.trim_start_matches('\u{feff}');
        let values = Self::as_it_stands(text);
        match Found::read(text).ok().and_then(|found| found.into_iter().next()) {
            Some(found) if !values.has_blanks_around(&found) && !values.is_cut_off(&found) => {
                let Self { place, tls_mode, secret, is_of_postfix, .. } = values;
                Self { place, tls_mode, secret, is_of_postfix, ..Self::from(found) }
            }
            _ => values,
        }
    }

    /// Whether the reader of credentials has skipped white space that is in the value.
    fn has_blanks_around(&self, found: &Found) -> bool {
        let given = self.password.as_ref().map(Secret::expose).unwrap_or_default();
        let bare = given.trim();
        let opened = bare.strip_prefix(['"', '\'']).unwrap_or_default();
        let password = found.credential.expose_password();
        opened == password || bare == password && bare != given
    }

    /// Whether a strict reader of the form gets only the beginning of the value.
    fn is_cut_off(&self, found: &Found) -> bool {
        let given = self.password.as_ref().map(Secret::expose).unwrap_or_default();
        let password = found.credential.expose_password();
        !given.is_empty() && given.len() < password.len() && password.starts_with(given)
    }

    fn as_it_stands(text: &str) -> Self {
        if let Some(url) = text.split_whitespace().find_map(of_url) {
            return url;
        }
        if let Ok(value) = serde_json::from_str(text) {
            let mut values = Self::default();
            values.take_json(&value);
            return values;
        }
        let mut values = Self::default();
        let header = text.lines().next().unwrap_or_default();
        let is_of_login =
            ["password", "secretaccesskey"].iter().any(|name| plain_name(header).contains(name));
        if header.contains(',') && is_of_login {
            values.take_csv(text);
            return values;
        }
        let lines = || text.lines().filter(|line| !line.trim_start().starts_with(['#', ';']));
        lines().filter_map(entry).for_each(|entry| values.take_entry(entry));
        let assigned = lines().filter(|line| entry(line).is_none()).filter_map(assignment);
        let assigned: Vec<_> = assigned.collect();
        let value = |wanted: &str| {
            let named = assigned.iter().rev().find(|(name, _)| plain_name(name) == wanted);
            named.map(|(_, value)| *value)
        };
        let (id, secret) = (value("awsaccesskeyid"), value("awssecretaccesskey"));
        let is_of_django = value("emailhost").is_some() && value("emailport").is_some();
        let by_default = is_of_django.then_some(TlsMode::ClearByDefault);
        let (of_mail, others): (Vec<_>, Vec<_>) =
            assigned.iter().copied().partition(|(name, _)| is_of_mail(name));
        others.into_iter().chain(of_mail).for_each(|(name, value)| values.take(name, value));
        let is_of_login = id.is_some() && id == values.user_name.as_ref().map(Secret::expose);
        let is_beside = secret != values.password.as_ref().map(Secret::expose);
        let secret = secret.filter(|secret| is_of_login && is_beside && !secret.is_empty());
        values.secret = secret.map(|secret| Secret::new(secret.to_owned()));
        values.tls_mode = values.tls_mode.or(by_default);
        values
    }

    /// Whether it has no values.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Takes a value by its name. The last of a name counts, as for other readers; unrelated names are ignored.
    fn take(&mut self, name: &str, value: &str) {
        let name = plain_name(name);
        let secret = || Some(Secret::new(value.to_owned()));
        let ends = |ends: &[&str]| ends.iter().any(|end| name.ends_with(end));
        if value.is_empty() && !ends(&["password", "pass", "passwd", "user", "username"])
            || name.contains("iam")
        {
        } else if name == "url" || ends(&["dsn", "smtpurl", "mailurl", "mailerurl"]) {
            *self = of_url(value).unwrap_or_default();
        } else if ends(&["password", "pass", "passwd"]) {
            self.password = secret();
        } else if ends(&["secretaccesskey"]) {
            // of an AWS access key alone: an application that has nothing else uses it unchanged
            self.password = self.password.take().or_else(secret);
        } else if ends(&["awsaccesskeyid"]) {
            self.user_name = self.user_name.take().or_else(secret);
        } else if ends(&["user", "username", "hostuser", "login", "accesskeyid"]) {
            self.user_name = secret();
        } else if ends(&["host", "server", "endpoint", "relay", "address"])
            && !name.contains("from")
        {
            let (host, port) = place(value);
            // Grafana requires both there, in its file under this name alone
            let is_host_alone =
                ends(&["host", "server"]) && name != "host" && !name.starts_with("gf");
            self.place.port_in_host |= port.is_some() && is_host_alone;
            (self.host, self.port) = (host, port.or(self.port));
        } else if ends(&["port"]) {
            self.port = value.parse().ok().or(self.port);
            // a variable is replaced before it is read
            self.place.port_is_none = self.port.is_none() && !value.contains('$');
        } else {
            self.tls_mode = match TlsMode::of(&name, value) {
                // another setting may turn it on
                Some(TlsMode::Clear) => self.tls_mode.or(Some(TlsMode::Clear)),
                mode => mode.or(self.tls_mode),
            };
        }
    }

    fn take_json(&mut self, value: &serde_json::Value) {
        match value {
            serde_json::Value::Object(members) => {
                // the name of the IAM user stands beside the one of SMTP
                let has_own = members.contains_key("smtp_user_name");
                for (name, value) in members {
                    match value {
                        serde_json::Value::String(text) if !(has_own && name == "user_name") => {
                            self.take(name, text);
                        }
                        serde_json::Value::Number(_) | serde_json::Value::Bool(_) => {
                            self.take(name, &value.to_string());
                        }
                        value => self.take_json(value),
                    }
                }
            }
            serde_json::Value::Array(values) => {
                values.iter().take(1).for_each(|value| self.take_json(value));
            }
            _ => {}
        }
    }

    fn take_csv(&mut self, text: &str) {
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let Ok(header) = reader.headers().cloned() else { return };
        if let Some(Ok(record)) = reader.records().next() {
            for (name, value) in header.iter().zip(&record) {
                self.take(name, value);
            }
        }
    }

    /// Takes an entry. One of SES goes before those of other servers.
    fn take_entry(&mut self, (key, user_name, password): (&str, &str, &str)) {
        let (host, port) = place(key);
        let is_of_ses = key.contains("amazonaws") || Kind::of_user_name(user_name).is_some();
        if self.password.is_none() || is_of_ses {
            let secret = |text: &str| Some(Secret::new(text.to_owned()));
            let (user_name, password) = (secret(user_name), secret(password));
            let is_of_postfix = true;
            *self = Self { user_name, password, host, port, is_of_postfix, ..Self::default() };
        }
    }
}

impl TlsMode {
    /// Reads a setting of Django, nodemailer, PHPMailer, Rails or a similar one, its name in plain letters. `None` if
    /// their readers differ, as over `encryption=tls`.
    fn of(name: &str, value: &str) -> Option<Self> {
        let value = value.to_ascii_lowercase();
        let is_on = matches!(&*value, "true" | "1" | "yes" | "on");
        let ends = |ends: &[&str]| ends.iter().any(|end| name.ends_with(end));
        match &*value {
            "ssl" | "smtps" if ends(&["encryption", "secure", "security", "scheme"]) => {
                Some(Self::Wrapper)
            }
            "starttls" if ends(&["encryption", "secure", "security", "tlsmode"]) => {
                Some(Self::Starttls)
            }
            _ if ends(&["usessl", "smtpssl"]) && is_on => Some(Self::Wrapper),
            _ if ends(&["usetls", "usestarttls", "starttls"]) && is_on => Some(Self::Starttls),
            "false" | "0" | "no" | "off" if ends(&["usetls"]) => Some(Self::Clear),
            "true" | "1" if ends(&["secure"]) => Some(Self::Secure),
            "false" | "0" if ends(&["secure"]) => Some(Self::NotSecure),
            _ => None,
        }
    }
}

/// Whether it is the name of a variable for mail, which goes before those of a database or of anything else.
fn is_of_mail(name: &str) -> bool {
    let name = plain_name(name);
    ["mail", "smtp", "ses"].iter().any(|word| name.contains(word))
}

impl From<Found> for FileValues {
    fn from(Found { credential, port }: Found) -> Self {
        let secret = |text: &str| Some(Secret::new(text.to_owned()));
        Self {
            user_name: secret(credential.user_name()),
            password: secret(credential.expose_password()),
            host: credential.endpoint().map(str::to_owned),
            port,
            ..Self::default()
        }
    }
}

/// Splits `[host]:port user:password`, of a table that is looked up by a host.
fn entry(line: &str) -> Option<(&str, &str, &str)> {
    let (key, login) = line.trim().split_once([' ', '\t'])?;
    let (user_name, password) = login.trim_start().split_once(':')?;
    let is_place = key.contains(['.', '[', '@']) && !key.ends_with([':', '=']);
    (is_place && !user_name.contains(' ')).then_some((key, user_name, password))
}

/// Splits `NAME=value`, `name: value` or `name = "value"`, without the quotation marks that the reader removes.
fn assignment(line: &str) -> Option<(&str, &str)> {
    let line = line.trim_start();
    let line = line.strip_prefix("export ").unwrap_or(line);
    let at = line.find(['=', ':'])?;
    let name = line[..at].trim().trim_matches(['"', '\'', '$']);
    let is_name = !name.is_empty()
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-[] '\"".contains(&b))
        && !line[..at].trim_end().contains(['@', '/'])
        && !line.starts_with('[');
    let value = line[at + 1..].trim().trim_end_matches([',', ';']);
    let quoted = |quote| value.strip_prefix(quote)?.strip_suffix(quote);
    let value = quoted('"').or_else(|| quoted('\'')).unwrap_or(value);
    is_name.then_some((name, value))
}

/// Splits `smtp://user:password@host:port`, and decodes it once.
fn of_url(text: &str) -> Option<FileValues> {
    let text = text.trim_matches(['"', '\'', ',', ';']);
    let text =
        text.split_once('=').filter(|(name, _)| !name.contains(':')).map_or(text, |(_, url)| url);
    let text = text.trim_matches(['"', '\'']);
    let (scheme, rest) = text.split_once("://")?;
    if !scheme.contains("smtp") {
        return None;
    }
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let (login, host) = rest.rsplit_once('@')?;
    let (user_name, password) = login.split_once(':').unwrap_or((login, ""));
    // for every reader of URLs, the part before the host ends here (RFC 3986, section 3.2)
    let password = password.split('/').next().unwrap_or_default();
    let decoded = |text: &str| {
        let decoded = percent_decode_str(text).decode_utf8_lossy().into_owned();
        Some(Secret::new(decoded)).filter(|text| !text.expose().is_empty())
    };
    let (host, port) = place(host.trim_end_matches('/'));
    let (user_name, password) = (decoded(user_name), decoded(password));
    let tls_mode = (scheme == "smtps").then_some(TlsMode::Wrapper);
    Some(FileValues { user_name, password, host, port, tls_mode, ..FileValues::default() })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const PASSWORD: &str = "BLBM/9hSUELfq8Gw+rU1YcBjkOxGbhT2XG763xVLGWL9";

    /// The password of a URL ends at a `/`, unless that is encoded.
    #[test]
    fn a_url_is_read_as_its_readers_do() {
        let read = |password: &str| {
            let host = "email-smtp.us-east-1.amazonaws.com";
            let text = format!("SMTP_URL=smtp://AKIAIOSFODNN7EXAMPLE:{password}@{host}:587\n");
            let values = FileValues::read(&text);
            assert_eq!((values.host.as_deref(), values.port), (Some(host), Some(587)));
            values.password.unwrap().expose().to_owned()
        };
        assert_eq!(read(PASSWORD), "BLBM");
        assert_eq!(read(&PASSWORD.replace('/', "%2F")), PASSWORD);
    }

    #[test]
    fn every_form_is_read_as_it_stands() {
        let host = "email-smtp.us-east-1.amazonaws.com";
        for text in [
            format!(
                "SMTP_HOST={host}\nSMTP_PORT=587\nSMTP_USERNAME=mailer\nSMTP_PASSWORD='{PASSWORD}'\n"
            ),
            format!(
                "export EMAIL_HOST=\"{host}\"\nEMAIL_PORT=587 \nEMAIL_HOST_USER=mailer\nEMAIL_HOST_PASSWORD={PASSWORD}\n"
            ),
            format!("[{host}]:587 mailer:{PASSWORD}\n"),
            format!("{host}:587\tmailer:{PASSWORD}\n"),
            format!("# a relay\n[{host}]:587 mailer:{PASSWORD}\n[smtp.example.com]:25 me:mine\n"),
            format!(
                "smtp://mailer:{}@{host}:587\n",
                PASSWORD.replace('/', "%2F").replace('+', "%2B")
            ),
            format!(
                "MAILER_DSN=smtp://mailer:{}@{host}:587\n",
                PASSWORD.replace('/', "%2F").replace('+', "%2B")
            ),
            format!(
                "{{\"user_name\":\"x\",\"smtp_user_name\":\"mailer\",\"smtp_password\":\"{PASSWORD}\",\"smtp_endpoint\":\"{host}\",\"smtp_port\":587}}"
            ),
            format!(
                "{{\"host\":\"{host}\",\"port\":587,\"auth\":{{\"user\":\"mailer\",\"pass\":\"{PASSWORD}\"}}}}"
            ),
            format!(
                "IAM User Arn,SMTP endpoint,SMTP username,SMTP password\nx,{host}:587,mailer,{PASSWORD}\n"
            ),
            format!(
                "smtp_host: \"{host}\"\nsmtp_port: 587\nsmtp_username: mailer\nsmtp_password: \"{PASSWORD}\"\n"
            ),
        ] {
            let read = FileValues::read(&text);
            let exposed =
                |secret: &Option<Secret>| secret.as_ref().map(|secret| secret.expose().to_owned());
            assert_eq!(exposed(&read.user_name).as_deref(), Some("mailer"), "{text}");
            assert_eq!(exposed(&read.password).as_deref(), Some(PASSWORD), "{text}");
            assert_eq!((read.host.as_deref(), read.port), (Some(host), Some(587)), "{text}");
        }
        let mixed = "MAIL_USERNAME=mailer\nMAIL_PASSWORD=\nDB_USERNAME=root\nDB_PASSWORD=x\nDB_HOST=db\nMAIL_HOST=mail.example\n";
        let read = FileValues::read(mixed);
        let user_name = read.user_name.as_ref().map(Secret::expose);
        let password = read.password.as_ref().map(Secret::expose);
        assert_eq!((user_name, password), (Some("mailer"), Some("")));
        assert_eq!(read.host.as_deref(), Some("mail.example"));
        let secret = "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbIAMSECRET+";
        for text in [
            format!("AWS_ACCESS_KEY_ID=mailer\nAWS_SECRET_ACCESS_KEY={secret}\n"),
            format!("\u{feff}Access key ID,Secret access key\r\nmailer,{secret}\r\n"),
        ] {
            let read = FileValues::read(&text);
            assert_eq!(read.user_name.unwrap().expose(), "mailer", "{text}");
            assert_eq!(read.password.unwrap().expose(), secret, "{text}");
        }
        let both = format!(
            "SMTP_USERNAME=mailer\nSMTP_PASSWORD={PASSWORD}\nAWS_ACCESS_KEY_ID=x\nAWS_SECRET_ACCESS_KEY={secret}\n"
        );
        let read = FileValues::read(&both);
        assert_eq!(read.user_name.unwrap().expose(), "mailer");
        assert_eq!(read.password.unwrap().expose(), PASSWORD);
        for text in ["", "hello", "PORT=80\n", "{}", "[]"] {
            assert!(FileValues::read(text).password.is_none(), "{text}");
        }
    }
}

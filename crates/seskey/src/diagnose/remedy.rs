//! Remedies with the known values filled in, so that a command can be pasted unchanged.

use super::{Evidence, said::Problem};
use crate::region::{Region, TLS_WRAPPER_PORTS};

impl Evidence {
    /// Returns a remedy with the known values filled in; an unknown value stays in capitals.
    pub(super) fn filled(&self, remedy: &str) -> String {
        let denied = match self.said() {
            Some(Problem::NotAuthorized(denied)) => Some(denied),
            _ => None,
        };
        // the region of a reply goes before the typed one
        let said = self.said().and_then(Problem::region).map(str::to_owned);
        let region = said.or_else(|| self.region.as_ref().map(ToString::to_string));
        let user = self.iam_user.as_deref().or_else(|| denied?.user_name());
        let user = user.map_or_else(|| "USER".to_owned(), word);
        let endpoint = || self.region.as_ref().map(Region::smtp_endpoint);
        let of_server = |(host, _): &(String, u16)| host.clone();
        let server = self.server.as_ref().map(of_server);
        let host = server.or_else(|| self.host_text.clone()).or_else(endpoint);
        let port = self.server.as_ref().map(|(_, port)| *port).or(self.port).unwrap_or(587);
        let starttls = if TLS_WRAPPER_PORTS.contains(&port) { "" } else { "-starttls smtp " };
        let identity = self.from.clone().or_else(|| self.identities().first().cloned());
        let sender = match (&self.from, denied.and_then(|denied| denied.identity())) {
            (Some(from), _) => format!("--from {}", word(from)),
            (None, Some(identity)) => format!("--identity {}", word(identity)),
            (None, None) => "--from FROM".to_owned(),
        };
        let is_arn = |text: &&str| text.starts_with("arn:");
        let user_arn = denied.map(|denied| &*denied.user).filter(is_arn).map_or_else(
            || format!("\"$(aws iam get-user --user-name {user} --query User.Arn --output text)\""),
            word,
        );
        let resource = denied.map(|denied| &*denied.resource).filter(is_arn).unwrap_or("*");
        let or = |value: Option<String>, name: &str| {
            value.as_deref().map_or_else(|| name.to_owned(), word)
        };
        let (set_login, read_anew) = if self.is_of_postfix { OF_POSTFIX } else { OF_ANY };
        [
            ("{SET_LOGIN}", set_login.to_owned()),
            ("{READ_ANEW}", read_anew.to_owned()),
            ("{REGION}", or(region, "REGION")),
            ("{HOST}", or(host, "HOST")),
            ("{PORT}", port.to_string()),
            ("{STARTTLS}", starttls.to_owned()),
            ("{ACCESS_KEY_ID}", or(self.user_name_text.clone(), "ACCESS_KEY_ID")),
            ("{USER}", user),
            ("{USER_ARN}", user_arn),
            ("{RESOURCE}", word(resource)),
            ("{SENDER}", sender),
            ("{FROM}", or(self.from.clone(), "FROM")),
            ("{IDENTITY}", or(identity, "IDENTITY")),
            ("{RECIPIENT}", or(self.to.clone(), "RECIPIENT")),
        ]
        .iter()
        .fold(remedy.to_owned(), |text, (place, value)| text.replace(place, value))
    }

    /// Returns the addresses and domains that a reply says are not verified, without display names.
    fn identities(&self) -> Vec<String> {
        let Some(Problem::NotVerified { identities, .. }) = self.said() else { return vec![] };
        let bare = |identity: &String| {
            let bare = identity.rsplit('<').next().unwrap_or_default();
            bare.trim_end_matches('>').to_owned()
        };
        identities.iter().map(bare).collect()
    }
}

/// The ways to give Postfix a login, and to make it read the login anew.
const OF_POSTFIX: (&str, &str) = (
    "postmap -q '[{HOST}]:{PORT}' hash:/etc/postfix/sasl_passwd; host and port must be written alike in both files",
    "postmap /etc/postfix/sasl_passwd && systemctl reload postfix",
);

/// The same for an unknown application.
const OF_ANY: (&str, &str) = (
    "set user name and password where the application reads them, and turn its login on",
    "restart the application, so that it reads its configuration anew",
);

/// Returns a value as one word of a shell, since a value from a log may be anything.
fn word(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"@%+=:,./_-".contains(&byte);
    match !text.is_empty() && text.bytes().all(is_plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', "'\\''")),
    }
}

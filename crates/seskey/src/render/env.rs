//! Environment variables, as in a `.env` file or for a shell.

use super::{
    Row, Target,
    assignments::{self, Syntax, held, lines, pieces, render, word},
    names::{HOST, PASSWORD, PORT, USER_NAME, VARIABLES, is_variable, none},
    pieces::put,
};
use crate::credential::SmtpCredential;

pub(super) const ROW: Row = Row {
    target: Target::Env,
    name: "env",
    description: "environment variables, as a .env file or for a shell",
    names: VARIABLES,
    whole: false,
    entry_fits: none,
    namespace_fits: none,
    key_fits: is_variable,
    render: |entry, names, before| render(Syntax::Shell, entry, names, before),
    held: |text, names, place| held(Syntax::Shell, text, names, place),
    values: |text, _| assignments::values(Syntax::Shell, text),
};

/// What is known of a credential, its endpoint with the port that everybody uses.
pub(crate) fn write(credential: &SmtpCredential) -> String {
    let place = credential.endpoint.as_ref();
    let place = place.map(|host| [(HOST, host.clone()), (PORT, "587".to_owned())]);
    let login = [
        (USER_NAME, credential.user_name.to_string()),
        (PASSWORD, credential.password.expose().to_owned()),
    ];
    put(&[], &lines(place.into_iter().flatten().chain(login)))
}

/// The usual names of the SMTP user name and the SMTP password.
pub(crate) const NAMES: [&str; 2] = [USER_NAME, PASSWORD];

/// The assignments of a whole file, by the rules of a shell or else of systemd, with their lines; none if it has none.
pub(crate) fn values(text: &str) -> Option<Vec<(u64, String, String)>> {
    [Syntax::Shell, Syntax::Systemd].into_iter().find_map(|syntax| {
        let pieces = pieces(syntax, text).ok()?;
        let values = pieces.into_iter().filter_map(|piece| {
            let value = word(syntax, piece.value).unwrap_or_default().to_owned();
            Some((piece.line, piece.key?, value))
        });
        Some(values.collect::<Vec<_>>()).filter(|values| !values.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let text = "# mail\nexport SMTP_USERNAME='AKIAIOSFODNN7EXAMPLE'\nSMTP_HOST=email-smtp.eu-west-1.amazonaws.com\n\
                    SMTP_PASSWORD = \"BLBM/9hSUELfq8Gw+rU1YcBjkOxGbhT2XG763xVLGWL9\"\n";
        let credentials = SmtpCredential::read(text).unwrap();
        assert_eq!(credentials[0].endpoint.as_deref(), Some("email-smtp.eu-west-1.amazonaws.com"));
        assert_eq!(SmtpCredential::read(&credentials[0].to_env()), Ok(credentials));
    }
}

//! Environment variables, as in a `.env` file or for a shell.

use super::{
    Row, Target,
    assignments::{Syntax, held, lines, pieces, render, word},
    names::{HOST, PASSWORD, PORT, USER_NAME, VARIABLES, is_variable, none},
    pieces::{last, put},
};
use crate::credential::{CredentialError, SmtpCredential};

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

/// The credential of a whole file, for whatever host it is.
pub(crate) fn read(text: &str) -> Result<Vec<SmtpCredential>, CredentialError> {
    let pieces = pieces(Syntax::Shell, text).map_err(|_| CredentialError::UnknownForm)?;
    let value =
        |name| last(&pieces, name).map(|piece| (piece.line, word(Syntax::Shell, piece.value)));
    let (user_name, password) = (value(USER_NAME), value(PASSWORD));
    if user_name.is_none() && password.is_none() {
        return Err(CredentialError::UnknownForm);
    }
    let (_, user_name) = user_name.ok_or(CredentialError::Missing { line: 1, what: USER_NAME })?;
    let (line, password) = password.ok_or(CredentialError::Missing { line: 1, what: PASSWORD })?;
    let host = value(HOST).and_then(|(_, host)| host);
    let (user_name, password) = (user_name.unwrap_or_default(), password.unwrap_or_default());
    Ok(vec![SmtpCredential::from_cells(line, None, user_name, password, host)?])
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

//! Environment variables, as in a `.env` file.

use super::{CredentialError, SmtpCredential};

const HOST: &str = "SMTP_HOST";
const PORT: &str = "SMTP_PORT";
const USER_NAME: &str = "SMTP_USERNAME";
const PASSWORD: &str = "SMTP_PASSWORD";

pub(super) fn write(credential: &SmtpCredential) -> String {
    let host = credential
        .endpoint
        .as_ref()
        .map(|host| format!("{HOST}={host}\n{PORT}=587\n"))
        .unwrap_or_default();
    format!(
        "{host}{USER_NAME}={}\n{PASSWORD}={}\n",
        credential.user_name,
        credential.password.expose()
    )
}

pub(super) fn read(text: &str) -> Result<Vec<SmtpCredential>, CredentialError> {
    let value = |wanted: &str| {
        (1..).zip(text.lines()).find_map(|(line, text)| {
            let text = text.trim();
            let (name, value) = text.strip_prefix("export ").unwrap_or(text).split_once('=')?;
            (name.trim() == wanted).then(|| (line, unquote(value.trim())))
        })
    };
    let (user_name, password) = (value(USER_NAME), value(PASSWORD));
    if user_name.is_none() && password.is_none() {
        return Err(CredentialError::UnknownForm);
    }
    let (_, user_name) = user_name.ok_or(CredentialError::Missing { line: 1, what: USER_NAME })?;
    let (line, password) = password.ok_or(CredentialError::Missing { line: 1, what: PASSWORD })?;
    let host = value(HOST).map(|(_, host)| host);
    Ok(vec![SmtpCredential::from_cells(line, None, user_name, password, host)?])
}

fn unquote(value: &str) -> &str {
    ['"', '\''].iter().find_map(|&q| value.strip_prefix(q)?.strip_suffix(q)).unwrap_or(value)
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

//! JSON, in the form that creating a credential answers: one object, or a list of them.

use serde::Deserialize;

use super::{CredentialError, SmtpCredential};

#[derive(Deserialize)]
#[serde(untagged)]
enum File {
    One(Row),
    Many(Vec<Row>),
}

#[derive(Deserialize)]
struct Row {
    user_name: Option<String>,
    #[serde(alias = "access_key_id")]
    smtp_user_name: String,
    smtp_password: String,
    smtp_endpoint: Option<String>,
}

pub(super) fn read(text: &str) -> Result<Vec<SmtpCredential>, CredentialError> {
    let malformed =
        |error: serde_json::Error| CredentialError::Malformed { line: error.line().max(1) as u64 };
    let rows = match serde_json::from_str(text).map_err(malformed)? {
        File::One(row) => vec![row],
        File::Many(rows) => rows,
    };
    rows.iter()
        .map(|row| {
            let (iam_user, endpoint) = (row.user_name.as_deref(), row.smtp_endpoint.as_deref());
            SmtpCredential::from_cells(
                1,
                iam_user,
                &row.smtp_user_name,
                &row.smtp_password,
                endpoint,
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_of_create_is_read() {
        let text = r#"{"user_name":"mailer","smtp_user_name":"AKIAIOSFODNN7EXAMPLE","region":"us-east-1","verified":true,
            "smtp_password":"BLBM/9hSUELfq8Gw+rU1YcBjkOxGbhT2XG763xVLGWL9","smtp_endpoint":"localhost"}"#;
        let credentials = SmtpCredential::read(text).unwrap();
        assert_eq!(credentials[0].iam_user.as_deref(), Some("mailer"));
        assert_eq!(SmtpCredential::read(&format!("[{text}]")), Ok(credentials));
    }
}

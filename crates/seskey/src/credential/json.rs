//! The reader of JSON: the answer of creating a credential or several, the output of `render`, and a Kubernetes secret.

use serde_json::{Map, Value};

use super::{
    CredentialError, Found,
    lines::decoded,
    values::{Called, Values},
};

const CALLED: Called = Called {
    user_name: "smtp_user_name",
    password: "smtp_password",
    neither: "smtp_user_name and no smtp_password",
};

pub(super) fn read(text: &str) -> Result<Vec<Found>, CredentialError> {
    let malformed =
        |error: serde_json::Error| CredentialError::Malformed { line: error.line().max(1) as u64 };
    match serde_json::from_str(text).map_err(malformed)? {
        Value::Object(object) => Ok(vec![found(&object)?]),
        Value::Array(values) => {
            let object = |value: &Value| match value {
                Value::Object(object) => found(object),
                _ => Err(CredentialError::UnknownForm),
            };
            values.iter().map(object).collect()
        }
        _ => Err(CredentialError::UnknownForm),
    }
}

fn found(object: &Map<String, Value>) -> Result<Found, CredentialError> {
    let mut values = Values::default();
    let data = object.get("data").and_then(Value::as_object);
    for (name, value) in data.into_iter().flatten() {
        values.push(name, value.as_str().and_then(decoded).unwrap_or_default());
    }
    for (name, value) in object {
        match value {
            Value::String(text) => values.push(name, text.clone()),
            Value::Number(number) => values.push(name, number.to_string()),
            _ => {}
        }
    }
    let found = values.found(&CALLED)?;
    // an endpoint that is not AWS's has one port
    let listed = |tls| object.get("ports").and_then(|ports| ports.get(tls)?.as_array());
    let only = match (listed("starttls"), listed("tls_wrapper")) {
        (Some(starttls), Some(wrapper)) if starttls.len() + wrapper.len() == 1 => {
            starttls.iter().chain(wrapper).next().and_then(Value::as_u64)
        }
        _ => None,
    };
    Ok(Found { port: found.port.or_else(|| only?.try_into().ok()), ..found })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SmtpCredential;

    #[test]
    fn an_answer_of_create_is_read() {
        let text = r#"{"user_name":"mailer","smtp_user_name":"AKIAIOSFODNN7EXAMPLE","region":"us-east-1","verified":true,
            "smtp_password":"BLBM/9hSUELfq8Gw+rU1YcBjkOxGbhT2XG763xVLGWL9","smtp_endpoint":"localhost"}"#;
        let credentials = SmtpCredential::read(text).unwrap();
        assert_eq!(credentials[0].iam_user.as_deref(), Some("mailer"));
        assert_eq!(SmtpCredential::read(&format!("[{text}]")), Ok(credentials));
    }

    #[test]
    fn what_is_missing_is_named() {
        for (text, what) in [
            (r#"{"smtp_user_name":"AKIAIOSFODNN7EXAMPLE"}"#, "smtp_password"),
            (r#"{"smtp_user_name":"AKIAIOSFODNN7EXAMPLE","smtp_password":null}"#, "smtp_password"),
            (
                r#"{"smtp_password":"BLBM/9hSUELfq8Gw+rU1YcBjkOxGbhT2XG763xVLGWL9"}"#,
                "smtp_user_name",
            ),
            (r#"{"ready":true}"#, "smtp_user_name and no smtp_password"),
        ] {
            assert_eq!(read(text), Err(CredentialError::Missing { line: 1, what }), "{text}");
        }
    }
}

//! The text of a secret: a JSON object with chosen keys, or the user name and the password with a colon between.

use std::time::Duration;

use serde_json::{Map, Value};
use seskey::{
    AccessKeyId, Region, Secret, SmtpCredential, SmtpPassword,
    render::Entry,
    store::{Keys, SecretForm},
};

use super::{Held, StoreError};

/// A secret of AWS: where it is, and how its text is written and read.
#[derive(Clone, Copy)]
pub(super) struct AwsSecret<'a> {
    pub(super) name: &'a str,
    pub(super) region: &'a Option<Region>,
    pub(super) kms_key: &'a Option<String>,
    pub(super) form: SecretForm,
    pub(super) keys: &'a Keys,
}

impl AwsSecret<'_> {
    /// What the text holds. An object without the two values, or with empty ones, has room for them and holds nothing.
    pub(super) fn held(&self, text: &str) -> Held {
        if text.trim().is_empty() {
            return Held::Nothing;
        }
        let values = match self.form {
            SecretForm::Json => {
                let Ok(object) = serde_json::from_str::<Map<String, Value>>(text) else {
                    return Held::Foreign;
                };
                let keys = self.keys;
                let [user_name, password] = [&keys.user_name, &keys.password].map(|key| {
                    object.get(key).map_or(Some(""), |value| match value {
                        Value::Null => Some(""),
                        value => value.as_str(),
                    })
                });
                if (user_name, password) == (Some(""), Some("")) {
                    return Held::Nothing;
                }
                user_name.zip(password).and_then(|(user_name, password)| parse(user_name, password))
            }
            SecretForm::UserPassword => text
                .trim()
                .split_once(':')
                .and_then(|(user_name, password)| parse(user_name, password)),
        };
        values
            .map_or(Held::Foreign, |(user_name, password)| Held::Credential { user_name, password })
    }

    /// The text with the entry, in place of the one before (empty if there is none), whose other members are kept.
    pub(super) fn with(&self, entry: &Entry, before: &str) -> Result<Secret, StoreError> {
        if self.held(before) == Held::Foreign {
            return Err(StoreError::NotOurs);
        }
        let SmtpCredential { user_name, password, .. } = &entry.credential;
        let (user_name, password) = (user_name.as_str(), password.expose());
        if self.form == SecretForm::UserPassword {
            return Ok(Secret::new(format!("{user_name}:{password}")));
        }
        let mut object: Map<String, Value> = serde_json::from_str(before).unwrap_or_default();
        for (key, value) in [
            (&self.keys.user_name, Some(user_name.into())),
            (&self.keys.password, Some(password.into())),
            (&self.keys.host, Some(entry.host.as_str().into())),
            (&self.keys.port, Some(entry.port.into())),
            (&self.keys.from, entry.from.as_deref().map(Value::from)),
        ] {
            object.extend(value.map(|value| (key.clone(), value)));
        }
        Ok(Secret::new(Value::Object(object).to_string()))
    }

    /// Reads until what was written is there: an answer may be older than a write that was acknowledged.
    pub(super) async fn read_back(
        &self,
        written: &Secret,
        read: impl AsyncFn() -> Result<Option<Secret>, StoreError>,
    ) -> Result<(), StoreError> {
        let mut held = Held::Nothing;
        for pause in PAUSES {
            tokio::time::sleep(Duration::from_millis(pause)).await;
            let found = read().await?;
            if found.as_ref() == Some(written) {
                return Ok(());
            }
            held = found.map_or(Held::Nothing, |text| self.held(text.expose()));
        }
        Err(StoreError::NotKept { held })
    }
}

/// What a new secret is described as; anyone who lists secrets reads it.
pub(super) fn description(credential: &SmtpCredential) -> String {
    match &credential.iam_user {
        Some(user) => format!("SES SMTP credential of the IAM user {user}"),
        None => "SES SMTP credential".to_owned(),
    }
}

fn parse(user_name: &str, password: &str) -> Option<(AccessKeyId, SmtpPassword)> {
    Some((AccessKeyId::parse(user_name).ok()?, SmtpPassword::parse(password)?))
}

/// Before each reading, in milliseconds.
const PAUSES: [u64; 7] = [0, 50, 100, 200, 400, 800, 1600];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_is_read_and_the_rest_stays(
            others in proptest::collection::vec(("[a-z\"é]{1,3}", "[ -~é]{0,5}"), 0..5),
            from in proptest::option::of("[a-z@]{1,9}"),
            form in prop_oneof![Just(SecretForm::Json), Just(SecretForm::UserPassword)],
        ) {
            let others: Map<_, _> = others.into_iter().map(|(k, v)| (k, v.into())).collect();
            let before = match form {
                SecretForm::Json => Value::Object(others.clone()).to_string(),
                SecretForm::UserPassword => String::new(),
            };
            let user_name = AccessKeyId::parse("AKIAIOSFODNN7EXAMPLE").unwrap();
            let password = "BLBM/9hSUELfq8Gw+rU1YcBjkOxGbhT2XG763xVLGWL9";
            let password = SmtpPassword::parse(password).unwrap();
            let keys = Keys::json();
            let (name, region, kms_key) = ("n", &None, &None);
            let text = AwsSecret { name, region, kms_key, form, keys: &keys };
            let credential = SmtpCredential { iam_user: None, user_name, password, endpoint: None };
            let entry = Entry { credential, host: "localhost".to_owned(), port: 2587, from };
            prop_assert_eq!(text.held(&before), Held::Nothing);
            let after = text.with(&entry, &before).unwrap();
            let SmtpCredential { user_name, password, .. } = entry.credential.clone();
            prop_assert_eq!(text.held(after.expose()), Held::Credential { user_name, password });
            prop_assert_eq!(&text.with(&entry, after.expose()).unwrap(), &after);
            if form == SecretForm::Json {
                let after: Map<String, Value> = serde_json::from_str(after.expose()).unwrap();
                let kept: Vec<_> = after.into_iter().take(others.len()).collect();
                prop_assert_eq!(kept, others.into_iter().collect::<Vec<_>>());
            }
        }
    }
}

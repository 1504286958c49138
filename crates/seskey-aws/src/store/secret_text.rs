//! The text of an AWS secret: a JSON object with chosen keys, or the user name and the password with a colon between.

use std::{collections::BTreeSet, time::Duration};

use seskey::{
    AccessKeyId, Secret, SmtpCredential,
    render::{Entry, Form},
    store::{AwsSecret, SecretText},
};

use super::{Held, StoreError, json};

/// Returns the content of the text.
pub(crate) fn held(
    secret: &AwsSecret,
    form: &Form,
    text: &str,
    keys: &BTreeSet<AccessKeyId>,
) -> Result<Held, StoreError> {
    Ok(match secret.text {
        SecretText::Json => json::held_of(form, text, keys)?,
        SecretText::UserPassword => {
            let text = text.trim();
            let (user_name, password) = text.split_once(':').unwrap_or((text, ""));
            Held::values(user_name, password)
        }
    })
}

/// Returns the text with the entry, in place of the old text (empty if there is none), whose other members are kept.
pub(crate) fn with(
    secret: &AwsSecret,
    form: &Form,
    entry: &Entry,
    before: &str,
    keys: &BTreeSet<AccessKeyId>,
) -> Result<Secret, StoreError> {
    if held(secret, form, before, keys)? == Held::Foreign {
        return Err(StoreError::NotOurs);
    }
    Ok(Secret::new(match secret.text {
        SecretText::Json => {
            let before = if before.trim().is_empty() { "{}" } else { before };
            form.render(entry, before, keys)?
        }
        SecretText::UserPassword => {
            let SmtpCredential { user_name, password, .. } = &entry.credential;
            format!("{user_name}:{}", password.expose())
        }
    }))
}

/// Checks that there is room for the text.
pub(super) fn fits(text: &Secret, limit: usize) -> Result<(), StoreError> {
    let length = text.expose().len();
    if length > limit { Err(StoreError::NoRoom { limit, length }) } else { Ok(()) }
}

/// Reads until the written text is there: an answer may be older than a write that was acknowledged.
pub(super) async fn read_back<F: Future<Output = Result<Option<Secret>, StoreError>>>(
    secret: &AwsSecret,
    form: &Form,
    written: &Secret,
    read: impl Fn() -> F,
) -> Result<(), StoreError> {
    let mut last = Held::Nothing;
    for pause in PAUSES {
        tokio::time::sleep(Duration::from_millis(pause)).await;
        let found = read().await?;
        if found.as_ref() == Some(written) {
            return Ok(());
        }
        let held = found.map(|text| held(secret, form, text.expose(), &BTreeSet::new()));
        last = held.transpose()?.unwrap_or(Held::Nothing);
    }
    Err(StoreError::NotKept { held: last })
}

/// Returns the description of a new secret, which anyone who lists secrets can read.
pub(super) fn description(credential: &SmtpCredential) -> String {
    match &credential.iam_user {
        Some(user) => format!("SES SMTP credential of the IAM user {user}"),
        None => "SES SMTP credential".to_owned(),
    }
}

/// The pauses before each read, in milliseconds.
pub(super) const PAUSES: [u64; 7] = [0, 50, 100, 200, 400, 800, 1600];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Map, Value};
    use seskey::{AccessKeyId, SmtpPassword, render::Target};

    fn secret(text: SecretText) -> AwsSecret {
        AwsSecret { name: "n".to_owned(), region: None, kms_key: None, text }
    }

    #[test]
    fn what_is_half_written_or_wrong_is_of_somebody_else() {
        for (text, members, expected) in [
            (SecretText::Json, "", Held::Nothing),
            (SecretText::Json, "{}", Held::Nothing),
            (SecretText::Json, r#"{"a":1}"#, Held::Nothing),
            (SecretText::Json, r#"{"smtp_user_name":"","smtp_password":null}"#, Held::Nothing),
            (SecretText::Json, r#"{"smtp_password":"changeme"}"#, Held::Foreign),
            (SecretText::Json, r#"{"smtp_user_name":"AKIAIOSFODNN7EXAMPLE"}"#, Held::Foreign),
            (SecretText::Json, r#"{"smtp_user_name":1}"#, Held::Foreign),
            (SecretText::Json, "[]", Held::Foreign),
            (SecretText::UserPassword, " ", Held::Nothing),
            (SecretText::UserPassword, ":", Held::Nothing),
            (SecretText::UserPassword, "changeme", Held::Foreign),
            (SecretText::UserPassword, "AKIAIOSFODNN7EXAMPLE:", Held::Foreign),
        ] {
            let held = held(&secret(text), &Target::Json.into(), members, &BTreeSet::new());
            assert_eq!(held, Ok(expected), "{members}");
        }
    }

    #[test]
    fn members_of_other_names_are_replaced() {
        let pair = |id, password| {
            (AccessKeyId::parse(id).unwrap(), SmtpPassword::parse(password).unwrap())
        };
        let old = pair("AKIAI44QH8DHBEXAMPLE", "BF2PynzbSCAjX08zhZZnP/kW+T9P5zs/1Er0pi5vTEmd");
        let new = pair("AKIAIOSFODNN7EXAMPLE", "BLBM/9hSUELfq8Gw+rU1YcBjkOxGbhT2XG763xVLGWL9");
        let text = |(id, password): &(AccessKeyId, SmtpPassword)| {
            let password = password.expose();
            format!(r#"{{"a": 1, "username": "{id}", "password": "{password}", "port": 2587}}"#)
        };
        let (secret, form) = (secret(SecretText::Json), Form::from(Target::Json));
        let keys = BTreeSet::from([old.0.clone()]);
        let read = held(&secret, &form, &text(&old), &keys);
        assert_eq!(read, Ok(Held::Credentials(vec![old.clone()])));
        let (user_name, password) = new.clone();
        let credential = SmtpCredential { iam_user: None, user_name, password, endpoint: None };
        let entry = Entry { credential, host: "localhost".to_owned(), port: 587, from: None };
        let after = with(&secret, &form, &entry, &text(&old), &keys).unwrap();
        assert_eq!(after.expose(), text(&new));
        let url = format!(r#"{{"url": "smtp://{}:x@h"}}"#, old.0);
        assert!(matches!(held(&secret, &form, &url, &keys), Err(StoreError::Render(_))));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_and_the_rest_stays(
            others in proptest::collection::vec(("[a-z\"é]{1,3}", "[ -~é]{0,5}"), 0..5),
            from in proptest::option::of("[a-z]{1,9}@[a-z]{1,9}"),
            text in prop_oneof![Just(SecretText::Json), Just(SecretText::UserPassword)],
        ) {
            let others: Map<_, _> = others.into_iter().map(|(k, v)| (k, v.into())).collect();
            let before = match text {
                SecretText::Json => Value::Object(others.clone()).to_string(),
                SecretText::UserPassword => String::new(),
            };
            let user_name = AccessKeyId::parse("AKIAIOSFODNN7EXAMPLE").unwrap();
            let password = "BLBM/9hSUELfq8Gw+rU1YcBjkOxGbhT2XG763xVLGWL9";
            let password = SmtpPassword::parse(password).unwrap();
            let (secret, form) = (secret(text), Form::from(Target::Json));
            let credential = SmtpCredential { iam_user: None, user_name, password, endpoint: None };
            let entry = Entry { credential, host: "localhost".to_owned(), port: 2587, from };
            let keys = BTreeSet::new();
            prop_assert_eq!(held(&secret, &form, &before, &keys), Ok(Held::Nothing));
            let after = with(&secret, &form, &entry, &before, &keys).unwrap();
            let expected = Held::of(Some(entry.credential.clone()));
            prop_assert_eq!(held(&secret, &form, after.expose(), &keys), Ok(expected));
            prop_assert_eq!(&with(&secret, &form, &entry, after.expose(), &keys).unwrap(), &after);
            if text == SecretText::Json {
                let after: Map<String, Value> = serde_json::from_str(after.expose()).unwrap();
                let kept: Vec<_> = after.into_iter().take(others.len()).collect();
                prop_assert_eq!(kept, others.into_iter().collect::<Vec<_>>());
            }
        }
    }
}

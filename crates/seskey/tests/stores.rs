//! Stores, as they are typed.

#![allow(clippy::unwrap_used)]

use std::path::PathBuf;

use proptest::prelude::*;
use seskey::{
    Region,
    region::RegionError,
    render::Target,
    store::{Keys, KubernetesSecret, SecretForm, Store, StoreKind, StoreNameError as E},
};

fn store(kind: StoreKind) -> Store {
    let keys = match kind {
        StoreKind::Kubernetes(_) => Keys::environment(),
        _ => Keys::json(),
    };
    Store { kind, host: None, port: None, from: None, keys }
}

fn file(path: &str, target: Target) -> Store {
    store(StoreKind::File { path: PathBuf::from(path), target })
}

#[test]
fn what_is_typed_is_understood() {
    let arn = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:app/mail-AbCdEf";
    let secret = |name: &str| StoreKind::SecretsManager {
        name: name.to_owned(),
        region: None,
        kms_key: None,
        form: SecretForm::Json,
    };
    let kubernetes = |namespace: &str, name: &str| {
        StoreKind::Kubernetes(KubernetesSecret {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            kubectl: None,
            kubeconfig: None,
            context: None,
        })
    };
    let exec = |command: &str| store(StoreKind::Exec { command: command.to_owned() });
    for (text, expected) in [
        ("file:/etc/postfix/sasl_passwd", file("/etc/postfix/sasl_passwd", Target::PostfixSasl)),
        ("file:.env", file(".env", Target::Env)),
        ("file:deploy/.env.production", file("deploy/.env.production", Target::Env)),
        ("file:mail.env", file("mail.env", Target::Env)),
        ("file:../a b/\"ü'.json", file("../a b/\"ü'.json", Target::Json)),
        ("file:what%3F%26%25.csv", file("what?&%.csv", Target::Csv)),
        ("file:100%.json", file("100%.json", Target::Json)),
        ("file:C:\\mail.json", file("C:\\mail.json", Target::Json)),
        ("file:/etc/mail?format=systemd", file("/etc/mail", Target::Systemd)),
        (
            "file:x.json?host=10.0.0.1&port=2587&from=Mail%20%26%20More%20<a@b.example>",
            Store {
                host: Some("10.0.0.1".into()),
                port: Some(2587),
                from: Some("Mail & More <a@b.example>".into()),
                ..file("x.json", Target::Json)
            },
        ),
        ("secretsmanager:app/mail", store(secret("app/mail"))),
        (&format!("secretsmanager:{arn}"), store(secret(arn))),
        (
            "secretsmanager:m?user-name-key=username&password-key=password",
            Store {
                keys: Keys {
                    user_name: "username".into(),
                    password: "password".into(),
                    ..Keys::json()
                },
                ..store(secret("m"))
            },
        ),
        (
            "ssm:/app/mail?region=eu-west-1&kms-key-id=alias/mail&form=text",
            store(StoreKind::Ssm {
                name: "/app/mail".into(),
                region: Some(Region::parse("eu-west-1").unwrap()),
                kms_key: Some("alias/mail".into()),
                form: SecretForm::UserPassword,
            }),
        ),
        ("kubernetes:mail/smtp.ses", store(kubernetes("mail", "smtp.ses"))),
        (
            "kubernetes:mail/smtp?context=arn:aws:eks:x&kubectl=/opt/my kubectl&kubeconfig=k%3F",
            store(StoreKind::Kubernetes(KubernetesSecret {
                namespace: "mail".into(),
                name: "smtp".into(),
                kubectl: Some("/opt/my kubectl".into()),
                kubeconfig: Some("k?".into()),
                context: Some("arn:aws:eks:x".into()),
            })),
        ),
        ("exec:curl -d @- 'https://v/?a=%41&b'", exec("curl -d @- 'https://v/?a=%41&b'")),
    ] {
        assert_eq!(text.parse(), Ok(expected), "{text}");
    }
}

#[test]
fn what_is_wrong_is_said_with_what_was_meant() {
    let name = |name: &str| name.to_owned();
    for (text, error) in [
        ("", E::NoScheme),
        ("/etc/postfix/sasl_passwd", E::NoScheme),
        (":x", E::UnknownScheme { given: name(""), nearest: None }),
        ("fiel:x.json", E::UnknownScheme { given: name("fiel"), nearest: Some("file") }),
        ("FILE:x.json", E::UnknownScheme { given: name("FILE"), nearest: Some("file") }),
        (
            "secretmanager:x",
            E::UnknownScheme { given: name("secretmanager"), nearest: Some("secretsmanager") },
        ),
        ("vault:x", E::UnknownScheme { given: name("vault"), nearest: None }),
        ("file:", E::Empty { scheme: "file" }),
        ("file:?format=json", E::Empty { scheme: "file" }),
        ("exec: ", E::Empty { scheme: "exec" }),
        ("exec:a\0b", E::Name { scheme: "exec" }),
        ("file:a%00.json", E::Name { scheme: "file" }),
        ("file:a%FF.json", E::Name { scheme: "file" }),
        (
            "file:x?fromat=json",
            E::UnknownOption { scheme: "file", given: name("fromat"), nearest: Some("format") },
        ),
        (
            "file:x.json?password-key=p",
            E::UnknownOption { scheme: "file", given: name("password-key"), nearest: None },
        ),
        ("file:x.json?port=1&port=2", E::OptionTwice { option: "port" }),
        ("file:x.json?port=0", E::OptionValue { option: "port", expected: "1 to 65535" }),
        ("file:x.json?port=65536", E::OptionValue { option: "port", expected: "1 to 65535" }),
        (
            "file:x.json?host=a b",
            E::OptionValue { option: "host", expected: "a host name or an address" },
        ),
        (
            "file:x.json?from=a%0Ab",
            E::OptionValue { option: "from", expected: "an address of mail" },
        ),
        (
            "file:x.json?host",
            E::OptionValue { option: "host", expected: "a text of UTF-8 that is not empty" },
        ),
        ("file:x?format=jsno", E::UnknownFormat { given: name("jsno"), nearest: Some("json") }),
        ("file:x?format=postfix", E::UnknownFormat { given: name("postfix"), nearest: None }),
        ("ssm:/x?form=xml", E::OptionValue { option: "form", expected: "json or text" }),
        (
            "ssm:/x?region=eu-west-1a",
            E::Region(RegionError::AvailabilityZone {
                given: name("eu-west-1a"),
                region: name("eu-west-1"),
            }),
        ),
        ("ssm:/x?host-key=a&port-key=a", E::SameKey { key: name("a") }),
        (
            "ssm:/x?host-key=a/b",
            E::OptionValue {
                option: "host-key",
                expected: "a name of letters, digits, -, _ and .",
            },
        ),
        ("kubernetes:smtp", E::KubernetesName { given: name("smtp") }),
        ("kubernetes:a/b/c", E::KubernetesName { given: name("a/b/c") }),
        ("kubernetes:A/b", E::KubernetesName { given: name("A/b") }),
        ("kubernetes:a/-n", E::KubernetesName { given: name("a/-n") }),
        ("kubernetes:a/", E::KubernetesName { given: name("a/") }),
    ] {
        assert_eq!(text.parse::<Store>(), Err(error), "{text}");
    }
    let Err(E::NoFormat { formats }) = "file:/etc/mail".parse::<Store>() else { panic!() };
    assert!(formats.contains(&"postfix-sasl"));
}

proptest! {
    #[test]
    fn what_is_shown_is_the_same_store(store in any_store()) {
        prop_assert_eq!(store.to_string().parse(), Ok(store));
    }

    #[test]
    fn what_is_typed_never_panics(text in "(file|ssm|kubernetes|exec|secretsmanager|.*):\\PC*") {
        if let Ok(store) = text.parse::<Store>() {
            prop_assert_eq!(store.to_string().parse(), Ok(store));
        }
    }
}

fn any_store() -> impl Strategy<Value = Store> {
    use proptest::option::of;
    let text = "[^\0]{1,20}";
    let target = prop::sample::select(vec![Target::PostfixSasl, Target::Json, Target::Systemd]);
    let secret = (
        text,
        of("eu-west-1|us-gov-west-1|eu-north-9".prop_map(|r| Region::parse_unknown(&r).unwrap())),
        of(text),
        prop::sample::select(vec![SecretForm::Json, SecretForm::UserPassword]),
    );
    let kind = prop_oneof![
        (text, target)
            .prop_map(|(path, target)| StoreKind::File { path: PathBuf::from(path), target }),
        secret.clone().prop_map(|(name, region, kms_key, form)| StoreKind::SecretsManager {
            name,
            region,
            kms_key,
            form
        }),
        secret.prop_map(|(name, region, kms_key, form)| StoreKind::Ssm {
            name,
            region,
            kms_key,
            form
        }),
        (
            "[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?",
            "[a-z]{1,5}(\\.[a-z0-9]{1,5}){0,3}",
            of(text),
            of(text),
            of(text)
        )
            .prop_map(|(namespace, name, kubectl, kubeconfig, context)| {
                StoreKind::Kubernetes(KubernetesSecret {
                    namespace,
                    name,
                    kubectl,
                    kubeconfig: kubeconfig.map(PathBuf::from),
                    context,
                })
            }),
    ];
    let named =
        (of("[a-z0-9.:-]{1,20}"), of(1u16..), of("[^\0\\p{Cc}]{1,20}"), of("[a-zA-Z._-]{3,9}"));
    let with_options = (kind, named).prop_map(|(kind, (host, port, from, password_key))| {
        let mut store = Store { host, port, from, ..store(kind) };
        let file = matches!(store.kind, StoreKind::File { .. });
        if let Some(key) = password_key.filter(|_| !file) {
            store.keys.password = key;
        }
        store
    });
    let command = "[^\0]{0,20}[^\0\\s][^\0]{0,20}";
    prop_oneof![
        4 => with_options,
        1 => command.prop_map(|command| store(StoreKind::Exec { command })),
    ]
}

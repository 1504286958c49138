//! Stores, as they are typed.

use std::{collections::BTreeSet, path::PathBuf};

use proptest::prelude::*;
use seskey::{
    Region,
    region::RegionError,
    render::{Form, Names, RenderError, Target},
    store::{AwsSecret, Kubectl, OPTIONS, SecretText, Store, StoreKind, StoreNameError as E},
};

const DOCUMENTATION: &str = include_str!("../../../../docs/stores.md");

fn store(kind: StoreKind) -> Store {
    Store { kind, form: Target::Json.into(), region: None, host: None, port: None, from: None }
}

fn file(path: &str, target: Target) -> Store {
    Store { form: target.into(), ..store(StoreKind::File { path: PathBuf::from(path) }) }
}

fn named(store: Store, names: impl FnOnce(&mut Names)) -> Store {
    let mut chosen = store.form.names().clone();
    names(&mut chosen);
    Store { form: Form::new(store.form.target(), chosen).unwrap(), ..store }
}

fn kubernetes(namespace: &str, name: &str, kubectl: Kubectl) -> Store {
    let kind = StoreKind::Kubernetes(kubectl);
    named(Store { form: Target::Kubernetes.into(), ..store(kind) }, |names| {
        namespace.clone_into(&mut names.namespace);
        name.clone_into(&mut names.entry);
    })
}

#[test]
fn what_is_typed_is_understood() {
    let arn = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:app/mail-AbCdEf";
    let secret = |name: &str| AwsSecret {
        name: name.to_owned(),
        region: None,
        kms_key: None,
        text: SecretText::Json,
    };
    let secret = |name: &str| StoreKind::SecretsManager(secret(name));
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
            "file:x.json?host=10.0.0.1&port=2587&from=a%26b@c.example",
            Store {
                host: Some("10.0.0.1".into()),
                port: Some(2587),
                from: Some("a&b@c.example".into()),
                ..file("x.json", Target::Json)
            },
        ),
        ("secretsmanager:app/mail", store(secret("app/mail"))),
        (&format!("secretsmanager:{arn}"), store(secret(arn))),
        (
            "secretsmanager:m?user-name-key=username&password-key=password",
            named(store(secret("m")), |names| {
                names.user_name = "username".into();
                names.password = "password".into();
            }),
        ),
        (
            "file:m.json?user-name-key=Mail User&from-key=sender",
            named(file("m.json", Target::Json), |names| {
                names.user_name = "Mail User".into();
                names.from = "sender".into();
            }),
        ),
        (
            "file:.msmtprc?name=bulk",
            named(file(".msmtprc", Target::Msmtp), |names| names.entry = "bulk".into()),
        ),
        (
            "file:s.yaml?format=kubernetes&name=a.b&namespace=mail",
            named(file("s.yaml", Target::Kubernetes), |names| {
                names.entry = "a.b".into();
                names.namespace = "mail".into();
            }),
        ),
        (
            "ssm:/app/mail?secret-region=eu-west-1&kms-key-id=alias/mail&form=text",
            store(StoreKind::Ssm(AwsSecret {
                name: "/app/mail".into(),
                region: Some(Region::parse("eu-west-1").unwrap()),
                kms_key: Some("alias/mail".into()),
                text: SecretText::UserPassword,
            })),
        ),
        (
            "secretsmanager:app/mail?region=eu-west-1",
            Store {
                region: Some(Region::parse("eu-west-1").unwrap()),
                ..store(StoreKind::SecretsManager(AwsSecret {
                    name: "app/mail".into(),
                    region: Some(Region::parse("eu-west-1").unwrap()),
                    kms_key: None,
                    text: SecretText::Json,
                }))
            },
        ),
        (
            "file:app.json?region=eu-west-1",
            Store {
                region: Some(Region::parse("eu-west-1").unwrap()),
                ..file("app.json", Target::Json)
            },
        ),
        ("kubernetes:mail/smtp.ses", kubernetes("mail", "smtp.ses", Kubectl::default())),
        (
            "kubernetes:mail/smtp?context=arn:aws:eks:x&kubectl=/opt/my kubectl&kubeconfig=k%3F",
            kubernetes(
                "mail",
                "smtp",
                Kubectl {
                    program: Some("/opt/my kubectl".into()),
                    kubeconfig: Some("k?".into()),
                    context: Some("arn:aws:eks:x".into()),
                },
            ),
        ),
        ("exec:curl -d @- 'https://v/?a=%41&b'", exec("curl -d @- 'https://v/?a=%41&b'")),
    ] {
        assert_eq!(text.parse(), Ok(expected), "{text}");
    }
}

#[test]
fn what_is_wrong_is_said_with_what_was_meant() {
    let name = |name: &str| name.to_owned();
    let part = |given: &str, what| E::Part { given: given.to_owned(), what };
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
        ("exec:a\0b", E::Unreadable { scheme: "exec" }),
        ("file:a%00.json", E::Unreadable { scheme: "file" }),
        ("file:a%FF.json", E::Unreadable { scheme: "file" }),
        (
            "file:x?fromat=json",
            E::UnknownOption { scheme: "file", given: name("fromat"), nearest: Some("format") },
        ),
        ("file:x.csv?password-key=p", E::Name(RenderError::Name { what: "SMTP password" })),
        ("file:x.env?password-key=a-b", E::Name(RenderError::Name { what: "SMTP password" })),
        ("file:x.csv?from-key=FROM", E::Name(RenderError::Name { what: "address to send from" })),
        ("file:x.csv?from=a@b.example", E::NoFrom { target: Target::Csv }),
        ("file:x.env?name=a", E::Name(RenderError::Name { what: "entry" })),
        (
            "kubernetes:a/b?name=c",
            E::UnknownOption { scheme: "kubernetes", given: name("name"), nearest: None },
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
        ("ssm:/x:1", part("/x:1", "parameter")),
        ("ssm:/x:latest?form=text", part("/x:latest", "parameter")),
        (
            "ssm:arn:aws:ssm:eu-west-1:111122223333:parameter/x:3",
            part("arn:aws:ssm:eu-west-1:111122223333:parameter/x:3", "parameter"),
        ),
        ("secretsmanager:x:AWSPREVIOUS", part("x:AWSPREVIOUS", "secret")),
        (
            "secretsmanager:arn:aws:secretsmanager:eu-west-1:111122223333:secret:x-AbCdEf:password::",
            part(
                "arn:aws:secretsmanager:eu-west-1:111122223333:secret:x-AbCdEf:password::",
                "secret",
            ),
        ),
        ("ssm:/x?form=xml", E::OptionValue { option: "form", expected: "json or text" }),
        (
            "ssm:/x?region=eu-west-1a",
            E::Region(RegionError::AvailabilityZone {
                given: name("eu-west-1a"),
                region: name("eu-west-1"),
            }),
        ),
        ("ssm:/x?host-key=a&port-key=a", E::Name(RenderError::SameName { what: "port" })),
        ("kubernetes:a/b?host-key=a/b", E::Name(RenderError::Name { what: "host" })),
        ("kubernetes:smtp", E::KubernetesName { given: name("smtp") }),
        ("kubernetes:a/b/c", E::KubernetesName { given: name("a/b/c") }),
        ("kubernetes:A/b", E::KubernetesName { given: name("A/b") }),
        ("kubernetes:a/-n", E::KubernetesName { given: name("a/-n") }),
        ("kubernetes:a/", E::KubernetesName { given: name("a/") }),
        ("kubernetes:/a", E::KubernetesName { given: name("/a") }),
        ("file:/etc/mail", E::NoFormat),
        ("file:p?format=password", E::WriteOnly { target: "password".parse().unwrap() }),
    ] {
        assert_eq!(text.parse::<Store>(), Err(error), "{text}");
    }
}

/// The rows of the table of options: `| `option`, `option` | `store:`, `store:` | …`.
#[test]
fn every_option_is_documented_and_every_documented_option_is_one() {
    let code = |cell: &'static str| cell.split('`').skip(1).step_by(2);
    let documented: BTreeSet<_> = DOCUMENTATION
        .lines()
        .skip_while(|line| !line.starts_with("| option |"))
        .skip(2)
        .map_while(|line| line.strip_prefix("| "))
        .flat_map(|row| {
            let (options, rest) = row.split_once(" | ").unwrap();
            let (stores, _) = rest.split_once(" | ").unwrap();
            code(options).flat_map(move |option| code(stores).map(move |store| (option, store)))
        })
        .collect();
    let schemes: Vec<_> = OPTIONS
        .iter()
        .flat_map(|(option, schemes)| schemes.iter().map(move |scheme| (*option, scheme)))
        .map(|(option, scheme)| (option, format!("{scheme}:")))
        .collect();
    let options = schemes.iter().map(|(option, scheme)| (*option, scheme.as_str())).collect();
    assert_eq!(documented, options);
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
    let target =
        prop::sample::select(Target::all().filter(|target| target.is_store()).collect::<Vec<_>>());
    let secret = (
        "[^\0:]{1,20}",
        of("eu-west-1|us-gov-west-1|eu-north-9".prop_map(|r| Region::parse_unknown(&r).unwrap())),
        of(text),
        prop::sample::select(vec![SecretText::Json, SecretText::UserPassword]),
    )
        .prop_map(|(name, region, kms_key, text)| AwsSecret { name, region, kms_key, text });
    let kubectl = (of(text), of(text), of(text)).prop_map(|(program, kubeconfig, context)| {
        Kubectl { program, kubeconfig: kubeconfig.map(PathBuf::from), context }
    });
    let secret_name = "[a-z]{1,5}(\\.[a-z0-9]{1,5}){0,3}";
    let kind = prop_oneof![
        (text, target).prop_map(|(path, target)| file(&path, target)),
        secret.clone().prop_map(|secret| store(StoreKind::SecretsManager(secret))),
        secret.prop_map(|secret| store(StoreKind::Ssm(secret))),
        ("[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", secret_name, kubectl)
            .prop_map(|(namespace, name, kubectl)| kubernetes(&namespace, &name, kubectl)),
    ];
    let hosts = "[a-z0-9]{1,9}(\\.[a-z0-9]{1,9}){0,2}|::1";
    let options = (of(hosts), of(1u16..), of("[a-z&=+]{1,9}@[a-z]{1,9}"), of("[^\0]{1,9}"));
    let with_options = (kind, options).prop_map(|(store, (host, port, from, key))| {
        let (target, mut names) = (store.form.target(), store.form.names().clone());
        names.password = key.unwrap_or(names.password);
        // not every name fits
        let form = Form::new(target, names).unwrap_or_else(|_| store.form.clone());
        let from = from.filter(|_| target.options().any(|option| option == "--from"));
        Store { form, host, port, from, ..store }
    });
    let command = "[^\0]{0,20}[^\0\\s][^\0]{0,20}";
    prop_oneof![
        4 => with_options,
        1 => command.prop_map(|command| store(StoreKind::Exec { command })),
    ]
}

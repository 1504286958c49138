//! The table of causes: each row has evidence that shows it and evidence that refutes it, and typed values become the
//! right evidence.

use std::collections::BTreeSet;

use proptest::{prelude::*, sample::select};
use seskey::{
    Algorithm, Region, SecretAccessKey, SmtpPassword,
    diagnose::{
        Around, Banner, Cause, Certainty, Certificate, ConfigurationSet, Derivation, Evidence,
        Host, Identity, Key, Password, Permission, Phase, Ports, Problem, Said, Tls, UNEXPLAINED,
        UserName, Values, WrittenPlace, causes, diagnose,
    },
    recognise::Mistake,
};

const SECRET: &str = "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbIAMSECRET+";
const ID: &str = "AKIAI44QH8DHBABCDEFG";
const DENIED: &str = "554 Access denied: User `arn:aws:iam::123456789012:user/app' is not authorized to perform `ses:SendRawEmail' on resource `arn:aws:ses:us-east-1:123456789012:identity/example.com'";
const NOT_VERIFIED: &str = "554 Message rejected: Email address is not verified. The following identities failed the check in region US-EAST-1: news@example.com";
const INVALID: &str = "535 Authentication Credentials Invalid";

type Change = fn(&mut Evidence);

fn region(code: &str) -> Option<Region> {
    Some(Region::parse(code).unwrap())
}

fn say(e: &mut Evidence, text: &str) {
    e.said = Some(Said::read(text).unwrap());
}

fn ports(e: &mut Evidence, open: &[u16], closed: &[u16]) {
    e.ports = Some(Ports { open: open.to_vec(), closed: closed.to_vec() });
}

fn host(e: &mut Evidence, name: &str) {
    e.host = Some(Host::of(name));
}

fn allow(e: &mut Evidence) {
    e.permission = Some(Permission::Allowed);
}

fn smtp_password(e: &mut Evidence) {
    e.password = Some(Password::Smtp(Algorithm::V4));
}

fn access_key_id(e: &mut Evidence) {
    e.user_name = Some(UserName::AccessKeyId);
}

/// Each cause, with evidence that shows it and evidence that refutes it.
#[rustfmt::skip]
const CASES: &[(&str, Change, Change)] = &[
    ("foreign-host", |e| host(e, "smtp.gmail.com"), |e| host(e, "email-smtp.us-east-1.amazonaws.com")),
    ("host-not-set", |e| say(e, "connect ECONNREFUSED 127.0.0.1:587"), |e| say(e, INVALID)),
    ("raw-secret-as-password", |e| e.password = Some(Password::SecretAccessKey { is_given: false }), smtp_password),
    ("other-region", |e| { e.derivation = region("eu-west-1").map(Derivation::Right); e.region = region("us-east-1"); },
        |e| { e.derivation = region("us-east-1").map(Derivation::Right); e.region = region("us-east-1"); }),
    ("v2-password", |e| e.password = Some(Password::Smtp(Algorithm::V2)), smtp_password),
    ("wrong-recipe", |e| e.derivation = Some(Derivation::Mistaken(Mistake::RealDate)), |e| e.derivation = Some(Derivation::V2)),
    ("iam-user-name", |e| e.user_name = Some(UserName::Other), access_key_id),
    ("email-as-user-name", |e| e.user_name = Some(UserName::Email), access_key_id),
    ("swapped", |e| e.password = Some(Password::AccessKeyId), |e| { access_key_id(e); smtp_password(e); }),
    ("temporary-key", |e| e.user_name = Some(UserName::Temporary), access_key_id),
    ("other-unique-id", |e| e.user_name = Some(UserName::UniqueId("a role")), access_key_id),
    ("mistyped-user-name", |e| e.user_name = Some(UserName::Mistyped(19)), access_key_id),
    ("white-space", |e| e.around = Some(Around { white_space: true, quotes: false }), |e| e.around = Some(Around::default())),
    ("quoted", |e| e.around = Some(Around { white_space: false, quotes: true }), |e| e.around = Some(Around::default())),
    ("percent-encoded", |e| e.password = Some(Password::PercentEncoded), smtp_password),
    ("cut-off", |e| e.password = Some(Password::CutOff(20)), smtp_password),
    ("base64-of-password", |e| e.password = Some(Password::Base64), smtp_password),
    ("not-a-password", |e| { access_key_id(e); e.password = Some(Password::Other(3)); }, smtp_password),
    ("empty", |e| e.password = Some(Password::Empty), |e| { access_key_id(e); smtp_password(e); }),
    ("placeholder", |e| e.password = Some(Password::Placeholder), |e| { access_key_id(e); smtp_password(e); }),
    ("mail-manager-credential", |e| { e.user_name = Some(UserName::IngressPointId); host(e, "email-smtp.us-east-1.amazonaws.com"); }, access_key_id),
    ("mail-manager-host", |e| { access_key_id(e); host(e, "a.b.mail-manager-smtp.amazonaws.com"); }, |e| host(e, "email-smtp.us-east-1.amazonaws.com")),
    ("derived-for-mail-manager", |e| { e.user_name = Some(UserName::IngressPointId); smtp_password(e); }, access_key_id),
    ("api-host", |e| host(e, "email.us-east-1.amazonaws.com"), |e| host(e, "email-smtp.us-east-1.amazonaws.com")),
    ("region-without-smtp", |e| host(e, "email-smtp.eu-south-1.amazonaws.com"), |e| host(e, "email-smtp.us-east-1.amazonaws.com")),
    ("misspelled-host", |e| host(e, "email-smtp.us-west2.amazonaws.com"), |e| host(e, "email-smtp.us-west-2.amazonaws.com")),
    ("wrapper-at-mail-manager", |e| { host(e, "a.b.mail-manager-smtp.amazonaws.com"); e.port = Some(465); },
        |e| { host(e, "a.b.mail-manager-smtp.amazonaws.com"); e.port = Some(587); }),
    ("other-port", |e| { host(e, "email-smtp.us-east-1.amazonaws.com"); e.port = Some(586); },
        |e| { host(e, "email-smtp.us-east-1.amazonaws.com"); e.port = Some(587); }),
    ("port-is-no-number", |e| e.place = Some(WrittenPlace { port_is_none: true, ..WrittenPlace::default() }),
        |e| { e.place = Some(WrittenPlace::default()); e.port = Some(587); }),
    ("port-in-host", |e| e.place = Some(WrittenPlace { port_in_host: true, ..WrittenPlace::default() }),
        |e| { e.place = Some(WrittenPlace::default()); host(e, "email-smtp.us-east-1.amazonaws.com"); }),
    ("dns-failure", |e| e.resolves = Some(false), |e| e.resolves = Some(true)),
    ("port-blocked", |e| { e.port = Some(25); ports(e, &[587], &[25]); }, |e| ports(e, &[25, 587], &[])),
    ("other-port-blocked", |e| { e.port = Some(587); ports(e, &[2587], &[587]); }, |e| { e.port = Some(587); ports(e, &[587], &[25]); }),
    ("connection-refused", |e| { host(e, "email-smtp.us-east-1.amazonaws.com"); say(e, "Connection refused"); }, |e| say(e, INVALID)),
    ("all-ports-blocked", |e| ports(e, &[], &[25, 587]), |e| ports(e, &[587], &[25])),
    ("vpc-endpoint-unreached", |e| ports(e, &[], &[25, 587]), |e| ports(e, &[587], &[25])),
    ("wrong-vpc-endpoint", |e| e.banner = Some(Banner::NotSmtp), |e| e.banner = Some(Banner::Ses)),
    ("foreign-server", |e| e.banner = Some(Banner::Foreign), |e| e.banner = Some(Banner::Ses)),
    ("ipv6-broken", |e| e.families = Some((true, false)), |e| e.families = Some((true, true))),
    ("starttls-stripped", |e| { e.banner = Some(Banner::Ses); e.starttls = Some(false); }, |e| e.starttls = Some(true)),
    ("tls-wrapper-on-starttls-port", |e| say(e, "SSL: WRONG_VERSION_NUMBER"), |e| say(e, INVALID)),
    ("starttls-on-wrapper-port", |e| e.banner = Some(Banner::Silent), |e| e.banner = Some(Banner::Ses)),
    ("no-tls", |e| say(e, "530 Must issue a STARTTLS command first"), |e| e.tls = Some(Tls::Good)),
    ("old-tls", |e| e.tls = Some(Tls::NoVersion), |e| e.tls = Some(Tls::Good)),
    ("untrusted-certificate", |e| e.tls = Some(Tls::Certificate(Certificate::Other("CaUsedAsEndEntity".into()))), |e| e.tls = Some(Tls::Good)),
    ("host-name-mismatch", |e| e.tls = Some(Tls::Certificate(Certificate::OtherName(vec!["a".into()]))), |e| e.tls = Some(Tls::Good)),
    ("clock-off", |e| { e.tls = Some(Tls::Certificate(Certificate::Time)); e.clock_offset = Some(86400); }, |e| e.clock_offset = Some(1)),
    ("no-mechanism", |e| say(e, "SASL authentication failed; no mechanism available"), |e| say(e, INVALID)),
    ("mechanism-not-offered", |e| e.offers_login = Some(false), |e| e.offers_login = Some(true)),
    ("other-mechanism", |e| say(e, "504 The requested authentication mechanism is not supported"), |e| say(e, INVALID)),
    ("auth-not-tried", |e| say(e, "530 Authentication required"), |e| say(e, INVALID)),
    ("other-auth-host", |e| say(e, "wrong host name"), |e| say(e, INVALID)),
    ("stale-password", |e| { say(e, INVALID); e.logged_in = Some(true); }, |e| { say(e, INVALID); e.logged_in = Some(false); }),
    ("key-inactive", |e| e.key = Some(Key::Inactive), |e| e.key = Some(Key::Active)),
    ("key-unknown", |e| e.key = Some(Key::Unknown), |e| e.key = Some(Key::Active)),
    ("key-expired", |e| e.key = Some(Key::Expired), |e| e.key = Some(Key::Active)),
    ("key-too-new", |e| { e.logged_in = Some(false); e.key_age = Some(4); }, |e| e.key_age = Some(4000)),
    ("other-key", |e| e.derivation = Some(Derivation::Unrelated), |e| e.derivation = Some(Derivation::V2)),
    ("other-ingress-password", |e| { e.user_name = Some(UserName::IngressPointId); e.logged_in = Some(false); }, access_key_id),
    ("not-subscribed", |e| say(e, "535 Account not subscribed to SES"), |e| say(e, INVALID)),
    ("quarantined", |e| e.quarantined = Some(true), |e| e.quarantined = Some(false)),
    ("too-many-connections", |e| say(e, "421 Too many concurrent SMTP connections"), |e| say(e, INVALID)),
    ("service-trouble", |e| say(e, "454 Temporary authentication failure"), |e| say(e, INVALID)),
    ("idle-timeout", |e| say(e, "451 4.4.2 Timeout waiting for data from client."), |e| say(e, INVALID)),
    ("not-permitted", |e| e.permission = Some(Permission::NotAllowed), allow),
    ("other-resource", |e| e.permission = Some(Permission::OtherResource), allow),
    ("send-email-only", |e| e.permission = Some(Permission::SendEmailOnly), allow),
    ("condition-not-met", |e| e.permission = Some(Permission::Condition(vec!["ses:FromAddress".into()])), allow),
    ("explicit-deny", |e| e.permission = Some(Permission::ExplicitDeny), allow),
    ("boundary", |e| e.permission = Some(Permission::Boundary), allow),
    ("sender-not-verified", |e| { say(e, NOT_VERIFIED); e.from = Some("news@example.com".into()); }, |e| e.sender = Some(Identity::Verified)),
    ("sandbox", |e| { say(e, NOT_VERIFIED); e.to = Some("news@example.com".into()); }, |e| e.sandbox = Some(false)),
    ("identity-of-other-account", |e| say(e, &DENIED.replace("us-east-1:123456789012", "us-east-1:210987654321")), |e| say(e, DENIED)),
    ("paused", |e| say(e, "554 Message rejected: Sending paused for this account."), |e| { e.sending_enabled = Some(true); e.configuration_set = Some(ConfigurationSet::Sending); }),
    ("configuration-set-missing", |e| say(e, "554 Configuration set <news> does not exist."), |e| e.configuration_set = Some(ConfigurationSet::Sending)),
    ("mail-from-domain", |e| say(e, "554 MAIL FROM domain not verified: DNS setup"), |e| e.mail_from_rejects = Some(false)),
    ("quota", |e| say(e, "454 Throttling failure: Daily message quota exceeded"), |e| e.quota_exhausted = Some(false)),
    ("message-refused", |e| say(e, "554 Transaction failed: Recipient count exceeds 50."), |e| say(e, DENIED)),
    ("suppressed-recipient", |e| e.suppressed = Some(true), |e| e.suppressed = Some(false)),
    ("rule-set-sends-nowhere", |e| { host(e, "a.b.mail-manager-smtp.amazonaws.com"); e.logged_in = Some(true); },
        |e| host(e, "email-smtp.us-east-1.amazonaws.com")),
];

fn changed(changes: &[Change]) -> Evidence {
    let mut evidence = Evidence::default();
    changes.iter().for_each(|change| change(&mut evidence));
    evidence
}

/// Returns the causes that are found, in order.
fn found(evidence: &Evidence) -> Vec<&'static str> {
    diagnose(evidence).findings.iter().map(|finding| finding.cause.id).collect()
}

#[test]
fn every_cause_is_shown_first_and_refuted() {
    let cases: Vec<&str> = CASES.iter().map(|(id, ..)| *id).collect();
    let ids: Vec<&str> = causes().map(|cause| cause.id).collect();
    assert_eq!(ids, cases);
    for (id, shows, refutes) in CASES {
        let shown = found(&changed(&[*shows]));
        // if every port is blocked, nothing distinguishes the two causes
        let first = shown.iter().take_while(|other| *other != id).count();
        assert!(
            shown.contains(id) && first <= usize::from(*id == "vpc-endpoint-unreached"),
            "{id}: {shown:?}"
        );
        let report = diagnose(&changed(&[*refutes]));
        assert!(report.refuted.contains(id), "{id}: {report:?}");
    }
}

#[test]
fn of_nothing_nothing_is_said() {
    let report = diagnose(&Evidence::default());
    assert!(report.findings.is_empty() && report.refuted.is_empty(), "{report:?}");
}

#[test]
fn rows_are_well_formed() {
    let ids: BTreeSet<&str> = causes().map(|cause| cause.id).collect();
    assert_eq!(ids.len(), causes().count());
    assert!(causes().map(|cause| cause.phase).is_sorted());
    for cause in causes() {
        assert!(
            cause.id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        );
        assert!(cause.source.starts_with("https://"), "{cause:?}");
        assert!(!cause.sentence.ends_with('.') && !cause.sentence.is_empty(), "{cause:?}");
    }
}

/// docs/diagnose.md lists each cause, and no other.
#[test]
fn the_page_lists_every_cause() {
    let page = include_str!("../../../../docs/diagnose.md");
    let row = |cause: &Cause| {
        let shown = if cause.is_shown_by_aws { " AWS, or the error text |" } else { " |" };
        format!("| `{}` | {} | {} |{shown}", cause.id, cause.phase.as_str(), cause.sentence)
    };
    let rows: Vec<String> = causes().map(row).collect();
    let listed: Vec<&str> =
        page.lines().skip_while(|line| !line.starts_with("| cause |")).skip(2).collect();
    assert_eq!(listed, rows);
}

proptest! {
    /// For any evidence, a cause is found or refuted, never both, and the certain ones come first.
    #[test]
    fn what_is_refuted_is_not_found(changes in prop::collection::vec((select(CASES), any::<bool>()), 0..6)) {
        let changes: Vec<Change> = changes.iter().map(|((_, shows, refutes), shown)| if *shown { *shows } else { *refutes }).collect();
        let report = diagnose(&changed(&changes));
        let refuted: BTreeSet<_> = report.refuted.iter().collect();
        prop_assert!(report.findings.iter().all(|finding| !refuted.contains(&finding.cause.id)));
        prop_assert!(report.findings.iter().map(|finding| finding.certainty).is_sorted());
    }
}

/// The first cause of typed values is the right one.
#[test]
fn what_was_typed_shows_its_cause() {
    let secret = SecretAccessKey::parse(SECRET).unwrap();
    let ohio = Region::parse("us-east-2").unwrap();
    let right = SmtpPassword::derive(&secret, &ohio);
    let right = right.expose();
    let legacy = SmtpPassword::derive_v2(&secret);
    let of = |user_name, password| Values {
        user_name: Some(user_name),
        password: Some(password),
        region: Some(&ohio),
        ..Values::default()
    };
    let encoded = right.replace('/', "%2F").replace('+', "%2B") + "%3D";
    let encoded = encoded.trim_end_matches("%3D").replacen('B', "%42", 1);
    let base64 = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, right);
    let open = format!("\"{right}");
    let broken = format!("{}\n{}", &right[..20], &right[20..]);
    let (line, quoted) = (format!("{right}\r\n"), format!("'{right}'"));
    let elsewhere = SmtpPassword::derive(&secret, &Region::parse("eu-west-1").unwrap());
    let secret_beside = |password| Values { secret: Some(&secret), ..of(ID, password) };
    for (values, id) in [
        (of(ID, SECRET), "raw-secret-as-password"),
        (secret_beside(elsewhere.expose()), "other-region"),
        (of(ID, legacy.expose()), "v2-password"),
        (secret_beside("BH60U4ZD3sd4fg+FvXUjayOipTt8LO4rUUmhpdX6ctDy"), "other-key"),
        (of("mailer", right), "iam-user-name"),
        (of("news@example.com", right), "email-as-user-name"),
        (of(right, ID), "swapped"),
        (of("ASIAI44QH8DHBABCDEFG", right), "temporary-key"),
        (of("AIDAI44QH8DHBABCDEFG", right), "other-unique-id"),
        (of(&ID[..19], right), "mistyped-user-name"),
        (of("akiai44qh8dhbabcdefg", right), "mistyped-user-name"),
        (of(ID, &line), "white-space"),
        (of(ID, &broken), "white-space"),
        (of(ID, &open), "white-space"),
        (of(ID, &quoted), "quoted"),
        (of(ID, &encoded), "percent-encoded"),
        (of(ID, &right[..30]), "cut-off"),
        (of(ID, &base64), "base64-of-password"),
        (secret_beside(&right[..40]), "cut-off"),
        (of(ID, ""), "empty"),
        (of("", right), "empty"),
        (of(ID, "tr0ub4dor&3"), "not-a-password"),
        (of(ID, "tr0ub4dör"), "not-a-password"),
        (of(ID, "your-smtp-password"), "placeholder"),
        (of("inp-3q4cpdgvz5l2mvd7kxrj9a0b", right), "derived-for-mail-manager"),
    ] {
        let evidence = Evidence::of(values);
        assert_eq!(found(&evidence).first(), Some(&id), "{id}: {evidence:?}");
        assert!(!format!("{evidence:?}").contains(&right[..12]), "{evidence:?}");
    }
    assert_eq!(found(&Evidence::of(of(ID, right))), [""; 0]);
    assert_eq!(found(&Evidence::of(secret_beside(right))), [""; 0]);
}

/// A failure that no cause explains is a finding of its own.
#[test]
fn a_failure_is_never_passed_over() {
    let failed = Some((Phase::Tls, "the handshake broke".to_owned()));
    let report = diagnose(&Evidence { failed, ..Evidence::default() });
    assert_eq!(
        (report.findings[0].cause.id, report.findings[0].cause.phase),
        (UNEXPLAINED, Phase::Tls)
    );
    assert_eq!(report.findings[0].evidence, "the handshake broke");
}

proptest! {
    /// A refused login has a finding, whatever else is known.
    #[test]
    fn a_refused_login_is_never_passed_over(changes in prop::collection::vec((select(CASES), any::<bool>()), 0..6)) {
        let changes: Vec<Change> = changes.iter().map(|((_, shows, refutes), shown)| if *shown { *shows } else { *refutes }).collect();
        let refused = Evidence { logged_in: Some(false), ..changed(&changes) };
        prop_assert!(!diagnose(&refused).findings.is_empty());
    }
}

/// The error text alone names the identity that it is about.
#[test]
fn an_error_alone_names_what_it_is_about() {
    let of = |text: &str| Evidence { said: Said::read(text), ..Evidence::default() };
    let report = diagnose(&of(DENIED));
    let denied = &report.findings[0];
    assert!(denied.evidence.contains("example.com"), "{denied:?}");
    assert!(found(&of(DENIED)).contains(&"not-permitted"));
    let policy =
        report.findings.iter().find(|finding| finding.cause.id == "not-permitted").unwrap();
    assert!(policy.remedy.starts_with("seskey policy --identity example.com >"), "{policy:?}");
    // the reply is about its own moment: the key may have been deactivated since
    assert!(!report.refuted.contains(&"key-inactive"));
    let report = diagnose(&of(NOT_VERIFIED));
    assert_eq!(report.findings[0].cause.id, "sender-not-verified");
    assert!(report.findings[0].evidence.contains("us-east-1: news@example.com"), "{report:?}");
    assert!(matches!(of(NOT_VERIFIED).said.unwrap().problem, Problem::NotVerified { .. }));
    let report = diagnose(&of("550 user unknown"));
    assert!(report.findings.is_empty(), "{report:?}");
}

/// With several facts at once, the right cause is first, and others are not shown.
#[test]
#[rustfmt::skip]
fn causes_stand_in_the_order_of_the_facts() {
    let said = |text: &str| Evidence::default().with_said(Some(Said::read(text).unwrap()));
    let refused = Evidence { user_name: Some(UserName::AccessKeyId), password: Some(Password::Smtp(Algorithm::V4)),
        region: region("us-east-1"), logged_in: Some(false), key_age: Some(86400), ..said(INVALID) };
    let of_key = |key| Evidence { key: Some(key), ..refused.clone() };
    let explicit = format!("{DENIED} with an explicit deny in an identity-based policy");
    let no_policy = format!("{DENIED} because no identity-based policy allows the ses:SendRawEmail action");
    let boundary = format!("{DENIED} because no permissions boundary allows the ses:SendRawEmail action");
    const SILENT: &str = "Error: Greeting never received\n  code: 'ETIMEDOUT',\n  command: 'CONN'";
    const POSTFIX: &str = "connect to email-smtp.us-east-1.amazonaws.com[192.0.2.1]:25: Connection timed out";
    for (evidence, first, absent) in [
        (of_key(Key::Active), "other-region", &["key-inactive", "key-too-new"][..]),
        (of_key(Key::Unknown), "key-unknown", &["other-region", "other-key", "key-too-new"]),
        (of_key(Key::Inactive), "key-inactive", &["other-region", "other-key", "key-too-new"]),
        (said(&explicit), "explicit-deny", &["not-permitted", "boundary", "other-resource"]),
        (said(&no_policy), "other-resource", &["explicit-deny", "boundary"]),
        (said(&boundary), "boundary", &["explicit-deny", "not-permitted", "other-resource"]),
        (said(POSTFIX), "port-blocked", &["starttls-on-wrapper-port", "other-port-blocked"]),
        (said(&POSTFIX.replace("]:25", "]:587")), "other-port-blocked", &["starttls-on-wrapper-port", "port-blocked"]),
        (said(SILENT), "starttls-on-wrapper-port", &["port-blocked", "all-ports-blocked"]),
        (said("conversation with h[192.0.2.1] timed out while receiving the initial server greeting"), "starttls-on-wrapper-port", &["port-blocked"]),
        (said("Error: Connection timeout\n  code: 'ETIMEDOUT',\n  command: 'CONN'"), "all-ports-blocked", &["starttls-on-wrapper-port"]),
        (said("Could not connect to SMTP host: email-smtp.us-east-1.amazonaws.com, port: 25"), "port-blocked", &["starttls-on-wrapper-port"]),
        (said("SMTP Error: Could not authenticate."), "raw-secret-as-password", &["dns-failure", "port-blocked"]),
        (said("getaddrinfo ENOTFOUND email-smtp.eu-west-1.amazonaw.com"), "misspelled-host", &[]),
        (Evidence { resolves: Some(false), ..said("getaddrinfo ENOTFOUND email-smtp.eu-west-1.amazonaw.com") }, "misspelled-host", &[]),
        (said("SMTP AUTH extension not supported by server."), "mechanism-not-offered", &["no-tls"]),
        (said("certificate verify failed"), "untrusted-certificate", &["no-tls"]),
        (said("Missing credentials for \"PLAIN\""), "auth-not-tried", &["other-region"]),
        (said("554 Message rejected: Address blacklisted."), "suppressed-recipient", &["not-permitted"]),
    ] {
        let shown = found(&evidence);
        assert_eq!(shown.first(), Some(&first), "{evidence:?}: {shown:?}");
        assert!(absent.iter().all(|id| !shown.contains(id)), "{first}: {shown:?}");
    }
}

/// A remedy has the host, the port and the identity from the text, quoted for a shell.
#[test]
fn remedies_have_what_the_text_says() {
    let remedies = |text: &str| -> String {
        let evidence = Evidence::default().with_said(Said::read(text));
        diagnose(&evidence).findings.iter().map(|finding| format!("{}\n", finding.remedy)).collect()
    };
    for (text, remedy) in [
        (NOT_VERIFIED, "--email-identity news@example.com --region us-east-1"),
        (&NOT_VERIFIED.replace("news@", "$(id)@"), "--email-identity '$(id)@example.com' "),
        (DENIED, "--policy-source-arn arn:aws:iam::123456789012:user/app "),
        (
            "email-smtp.us-east-1.amazonaws.com[192.0.2.1]:2587: Connection timed out",
            "nc -vz email-smtp.us-east-1.amazonaws.com 2587,",
        ),
        (
            "postfix/smtp[7]: 530 Authentication required by email-smtp.us-east-1.amazonaws.com:25",
            "'[email-smtp.us-east-1.amazonaws.com]:25'",
        ),
        (
            "Could not connect to SMTP host: email-smtp.us-east-1.amazonaws.com, port: 465",
            "nc -vz email-smtp.us-east-1.amazonaws.com 465,",
        ),
    ] {
        assert!(remedies(text).contains(remedy), "{text}: {}", remedies(text));
    }
}

/// A secret in place of an address is not shown.
#[test]
fn no_secret_of_a_text_is_shown() {
    let secret = SecretAccessKey::parse(SECRET).unwrap();
    let password = SmtpPassword::derive(&secret, &Region::parse("us-east-2").unwrap());
    for hidden in [SECRET, password.expose()] {
        for text in [
            NOT_VERIFIED.replace("news@example.com", hidden),
            DENIED.replace("example.com", hidden),
            format!("554 Configuration set <{hidden}> does not exist."),
        ] {
            let report = diagnose(&Evidence::default().with_said(Said::read(&text)));
            let shown = format!("{report:?}");
            assert!(!report.findings.is_empty() && !shown.contains(&hidden[..12]), "{shown}");
        }
    }
}

#[test]
fn certain_is_before_possible() {
    assert!(Certainty::Certain < Certainty::Possible(0));
    assert!(Certainty::Possible(0) < Certainty::Possible(1));
}

//! Every entry with an access key of the user is a place of the user's credential, under any name, and nothing else is
//! touched.

use std::collections::BTreeSet;

use proptest::{
    prelude::*,
    sample::{Index, select},
};
use seskey::{
    AccessKeyId, Region, SmtpCredential, SmtpPassword,
    render::{Entry, Form, Lines, Names, RenderError, Target},
};

const HOST: &str = "email-smtp.us-east-1.amazonaws.com";

/// Keys of the user, each with its password.
const OLD: (&str, &str) = ("AKIAIOSFODNN7EXAMPLE", "BF2PynzbSCAjX08zhZZnP/kW+T9P5zs/1Er0pi5vTEmd");
const OLDER: (&str, &str) =
    ("AKIAI44QH8DHBEXAMPLE", "BLBM/9hSUELfq8Gw+rU1YcBjkOxGbhT2XG763xVLGWL9");
const NEW: (&str, &str) = ("AKIANEWNEWNEWEXAMPLE", "BHo7Vn2q0Vt1nGHnNHyR7QXUpmXGV1GGcHrvpvqEDfrU");
/// A key of somebody else, with its password.
const OTHER: (&str, &str) =
    ("AKIAOTHEROTHEREXAMPL", "BEP1Z4Un3KmvCfNgK1YtDVJGVbDfjPSsCjaO8vJAvv+3");

fn credential((id, password): (&str, &str)) -> SmtpCredential {
    SmtpCredential {
        iam_user: None,
        user_name: AccessKeyId::parse(id).unwrap(),
        password: SmtpPassword::parse(password).unwrap(),
        endpoint: Some(HOST.to_owned()),
    }
}

fn keys(of: &[(&str, &str)]) -> BTreeSet<AccessKeyId> {
    of.iter().map(|(id, _)| AccessKeyId::parse(id).unwrap()).collect()
}

/// Returns the text with the values in place of their names; the remarks of others name the key OLD, too.
fn filled(text: &str) -> String {
    let pairs = [("OLDER", OLDER), ("OLD", OLD), ("NEW", NEW), ("OTHER", OTHER), ("REMARK", OLD)];
    pairs.iter().fold(text.to_owned(), |text, (name, (id, password))| {
        text.replace(&format!("{{{name}}}"), id).replace(&format!("{{{name} password}}"), password)
    })
}

/// Returns the same after a delivery.
fn delivered(text: &str) -> String {
    filled(&text.replace("{OLDER", "{NEW").replace("{OLD", "{NEW"))
}

fn read(target: Target, text: &str) -> Result<Vec<SmtpCredential>, RenderError> {
    Form::from(target).read(text, HOST, 587, &keys(&[OLD, OLDER, NEW]))
}

fn render(target: Target, before: &str) -> Result<String, RenderError> {
    let entry = Entry { credential: credential(NEW), host: HOST.to_owned(), port: 587, from: None };
    Form::from(target).render(&entry, before, &keys(&[OLD, OLDER]))
}

/// The entries of the user, in their possible spellings in a file for this form.
const OURS: [(Target, &[&str]); 4] = [
    (
        Target::PostfixSasl,
        &[
            "[email-smtp.us-east-1.amazonaws.com]:587 {OLD}:{OLD password}\n",
            "email-smtp.us-east-1.amazonaws.com:587 {OLD}:{OLD password}\n",
            "email-smtp.us-east-1.amazonaws.com\t{OLD}:{OLD password}\n",
            "[email-smtp.us-east-1.amazonaws.com] \t {OLD}:{OLD password}  \n",
            "[Email-SMTP.us-east-1.amazonaws.com]:25 {OLD}:{OLD password}\r\n",
            "email-smtp.us-east-1.amazonaws.com:2587 {OLDER}:{OLDER password}\n",
            "email-smtp-fips.us-east-1.amazonaws.com:2587 {OLD}:{OLD password}\n",
            "[relay.internal]:25 {OLD}:{OLD password}\n",
            "news@example.com {OLD}:{OLD password}\n",
            "\"two words\"@example.com {OLD}:{OLD password}\n",
            "@example.com\n# was {REMARK}:x\n\t{OLDER}:{OLDER password}\n",
            "machine email-smtp.us-east-1.amazonaws.com login {OLD} password {OLD password}\n",
            "machine relay.internal\n login {OLD}\n password {OLD password}\n",
        ],
    ),
    (
        Target::Env,
        &[
            "SMTP_USERNAME={OLD}\nSMTP_PASSWORD={OLD password}\n",
            "MAIL_PASSWORD='{OLD password}' # of the relay\nMAIL_PORT=25\nexport MAIL_USERNAME=\"{OLD}\"\n",
            "EMAIL_HOST_USER={OLDER}\r\nEMAIL_HOST_PASSWORD={OLDER password}\r\n",
            "GF_SMTP_HOST=email-smtp.us-east-1.amazonaws.com:2587\nGF_SMTP_USER = {OLD}\nGF_SMTP_PASSWORD = {OLD password}\n",
            "USER_NEWS={OLD}\nPASS_NEWS={OLD password}\n",
        ],
    ),
    (
        Target::Systemd,
        &[
            "SMTP_USERNAME={OLD}\nSMTP_PASSWORD=\"{OLD password}\"\n",
            "MAIL_USERNAME='{OLD}'\n; {REMARK}\nMAIL_PASSWORD={OLD password}\n",
        ],
    ),
    (
        Target::Msmtp,
        &[
            "account ses\nhost email-smtp.us-east-1.amazonaws.com\nuser {OLD}\npassword {OLD password}\n",
            "account news\n# {REMARK}\nhost relay.internal\nport 25\npassword \"{OLD password}\"\nuser\t\"{OLD}\"\nfrom news@example.com\n",
            "defaults\nuser {OLDER}\npassword {OLDER password}\n",
        ],
    ),
];

/// The entries of others in such a file.
const OTHERS: [(Target, &[&str]); 4] = [
    (
        Target::PostfixSasl,
        &[
            "# {REMARK}:{REMARK password}\n",
            "\n",
            "[smtp.example.com]:587 {OTHER}:{OTHER password}\n",
            "[email-smtp.us-east-1.amazonaws.com]:465 {OTHER}:{OTHER password}\n",
            "bob@example.com apikey:SG.x\n",
            "x y\n  # of another line\n\tz\n",
        ],
    ),
    (
        Target::Env,
        &[
            "# MAIL_USERNAME={REMARK}\n",
            "\n",
            "export C='a\n# b\n'\n",
            "OTHER_USER={OTHER}\nOTHER_PASSWORD={OTHER password}\n",
            "AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n",
            "URL=http://h/?a=b#e # {REMARK}\n",
        ],
    ),
    (
        Target::Systemd,
        &[
            "; {REMARK}\n",
            "no assignment {REMARK}\n",
            "OTHER_USER={OTHER}\nOTHER_PASSWORD={OTHER password}\n",
        ],
    ),
    (
        Target::Msmtp,
        &[
            "# {REMARK}\n",
            "\n",
            "account other\nhost b\nuser {OTHER}\npassword {OTHER password}\n",
            "account bob : other\nuser bob\npasswordeval pass bob\n",
        ],
    ),
];

proptest! {
    /// In any order and among entries of others, every entry of the user is read and gets the new credential, and the
    /// rest of the text stays the same, byte for byte.
    #[test]
    fn every_entry_of_the_user_is_replaced(
        row in 0..OURS.len(),
        ours in prop::collection::vec(any::<Index>(), 1..4),
        others in prop::collection::vec((any::<Index>(), any::<Index>()), 0..4),
        newline in any::<bool>(),
    ) {
        let (target, spellings) = OURS[row];
        let mut entries: Vec<&str> = vec![];
        for index in ours {
            let entry = *index.get(spellings);
            if !entries.contains(&entry) {
                entries.push(entry);
            }
        }
        let places = entries.len();
        for (which, at) in others {
            let entry = *which.get(OTHERS[row].1);
            if !entries.contains(&entry) {
                entries.insert(at.index(entries.len() + 1), entry);
            }
        }
        let mut text = entries.concat();
        if !newline {
            text.truncate(text.trim_end().len());
        }
        let (before, after) = (filled(&text), delivered(&text));
        let read_before = read(target, &before).unwrap();
        prop_assert_eq!(read_before.len(), places);
        prop_assert!(read_before.iter().all(|c| [credential(OLD), credential(OLDER)].contains(c)));
        prop_assert_eq!(render(target, &before), Ok(after.clone()));
        prop_assert_eq!(read(target, &after), Ok(vec![credential(NEW); places]));
    }

    /// Any text is refused, or has no key of the user left except in remarks.
    #[test]
    fn no_key_is_overlooked(
        target in select(vec![Target::PostfixSasl, Target::Env, Target::Msmtp, Target::Json]),
        words in prop::collection::vec(select(WORDS), 0..24),
    ) {
        let before = filled(&words.concat());
        if let Ok(after) = render(target, &before) {
            prop_assert!(!after.contains(OLD.0), "{after}");
            let held = read(target, &after);
            prop_assert!(held.iter().flatten().all(|held| *held == credential(NEW)), "{after}");
            prop_assert!(held.is_ok_and(|held| !held.is_empty()), "{after}");
        }
    }
}

const WORDS: &[&str] = &[
    "{OLD}",
    "{OLD password}",
    "{OLDER password}",
    "{OTHER}",
    "{OTHER password}",
    ":",
    " ",
    "\n",
    "\n ",
    "\t",
    "=",
    "\"",
    "'",
    "A_USER=",
    "A_PASS=",
    "B_USER=",
    "SMTP_USERNAME=",
    "SMTP_PASSWORD=",
    "export ",
    "account a\n",
    "account ses\n",
    "user ",
    "password ",
    "host ",
    "{",
    "}",
    "[",
    "]",
    ",",
    "\"a\":",
    "\"b\":",
    "\"smtp_user_name\":",
    "\"smtp_password\":",
    "smtp://",
    "@h",
    "email-smtp.eu-west-1.amazonaws.com",
];

#[test]
fn the_places_of_json_are_in_any_object_and_list() {
    for text in [
        r#"{"smtp_user_name":"{OLD}","smtp_port":2587,"smtp_password":"{OLD password}"}"#,
        r#"{ "mail" : { "password" : "{OLD password}", "n": 1.0, "user": "{OLD}" } }"#,
        r#"{"a": [{"smtpUser": "{OLD}", "smtpPass": "{OLD password}"}, {"smtpUser": "{OTHER}", "smtpPass": "{OTHER password}"}]}"#,
        r#"{"args": ["--user", "{OLD}", "--password", "{OLD password}", "x", 1, null]}"#,
        r#"{"login": "{OLD}", "secret": "{OLD password}", "other": {"login": "{OLDER}", "secret": "{OLDER password}"}}"#,
    ] {
        assert_eq!(render(Target::Json, &filled(text)), Ok(delivered(text)));
        let held = read(Target::Json, &delivered(text)).unwrap();
        assert!(!held.is_empty() && held.iter().all(|held| *held == credential(NEW)), "{text}");
    }
}

#[test]
fn names_that_were_chosen_belong_together() {
    let names = Names {
        user_name: "RELAY_LOGIN".to_owned(),
        password: "SECRET_OF_OTHER".to_owned(),
        ..Names::of(Target::Env)
    };
    let text = filled(
        "OTHER_USER={OTHER}\nOTHER_PASSWORD={OTHER password}\nSECRET_OF_OTHER={OLD password}\nRELAY_LOGIN={OLD}\n",
    );
    let form = Form::new(Target::Env, names).unwrap();
    assert_eq!(form.read(&text, HOST, 587, &keys(&[OLD])), Ok(vec![credential(OLD)]));
    let refused = RenderError::Unclear { lines: Lines(vec![4]) };
    assert_eq!(read(Target::Env, &text), Err(refused));
}

#[test]
fn what_is_anothers_is_left_if_there_is_an_entry_of_the_user() {
    let text = "[email-smtp.us-east-1.amazonaws.com]:587 {OTHER}:{OTHER password}\nnews@example.com {OLD}:{OLD password}\n";
    assert_eq!(render(Target::PostfixSasl, &filled(text)), Ok(delivered(text)));
    assert_eq!(read(Target::PostfixSasl, &filled(text)), Ok(vec![credential(OLD)]));
    // without one, the entry under our own name is the place, and the caller decides whose it is
    let (own, _) = text.split_once('\n').unwrap();
    assert_eq!(read(Target::PostfixSasl, &filled(own)), Ok(vec![credential(OTHER)]));
}

/// With a store for each region in one file, one key has two passwords.
#[test]
fn each_region_has_its_own_entries() {
    const EU: &str = "email-smtp.eu-west-1.amazonaws.com";
    let region = |name: &str| BTreeSet::from([Region::parse(name).unwrap()]);
    let of = |target, other: &str| Form::from(target).beside(region(other));
    let entry = |host: &str| Entry {
        credential: SmtpCredential { endpoint: Some(host.to_owned()), ..credential(NEW) },
        host: host.to_owned(),
        port: 587,
        from: None,
    };
    for (target, us, eu) in [
        (
            Target::PostfixSasl,
            "[email-smtp.us-east-1.amazonaws.com]:587 {OLD}:{OLD password}\n",
            "[email-smtp.eu-west-1.amazonaws.com]:587 {OLD}:{OLDER password}\n",
        ),
        (
            Target::Env,
            "US_HOST=email-smtp.us-east-1.amazonaws.com\nUS_USER={OLD}\nUS_PASSWORD={OLD password}\n",
            "EU_HOST=email-smtp.eu-west-1.amazonaws.com\nEU_USER={OLD}\nEU_PASSWORD={OLDER password}\n",
        ),
        (
            Target::Msmtp,
            "account us\nhost email-smtp.us-east-1.amazonaws.com\nuser {OLD}\npassword {OLD password}\n",
            "account eu\nhost email-smtp.eu-west-1.amazonaws.com\nuser {OLD}\npassword {OLDER password}\n",
        ),
        (
            Target::Json,
            r#"{"us": {"host": "email-smtp.us-east-1.amazonaws.com", "user": "{OLD}", "pass": "{OLD password}"},"#,
            r#" "eu": {"host": "email-smtp.eu-west-1.amazonaws.com", "user": "{OLD}", "pass": "{OLDER password}"}}"#,
        ),
    ] {
        let both = filled(us) + &filled(eu);
        let keys = keys(&[OLD, NEW]);
        let read = |form: Form, text: &str, host| {
            let held = form.read(text, host, 587, &keys).unwrap();
            held.into_iter().map(|held| held.password).collect::<Vec<_>>()
        };
        let (of_us, of_eu) = (of(target, "eu-west-1"), of(target, "us-east-1"));
        assert_eq!(read(of_us.clone(), &both, HOST), [credential(OLD).password]);
        assert_eq!(read(of_eu.clone(), &both, EU), [credential(OLDER).password]);
        let once = of_us.render(&entry(HOST), &both, &keys).unwrap();
        assert_eq!(once, delivered(us) + &filled(eu));
        let twice = of_eu.render(&entry(EU), &once, &keys).unwrap();
        assert_eq!(twice, delivered(us) + &delivered(eu));
        // without a store for it, no entry is left behind: the write is refused
        let alone = Form::from(target).render(&entry(HOST), &both, &keys);
        assert!(matches!(alone, Err(RenderError::OtherRegion { .. })), "{alone:?}");
    }
    // an entry for another region under the form's own names is not overwritten
    let taken = "SMTP_HOST=email-smtp.us-east-1.amazonaws.com\nSMTP_USERNAME={OLD}\nSMTP_PASSWORD={OLD password}\n";
    let refused = of(Target::Env, "us-east-1").render(&entry(EU), &filled(taken), &keys(&[OLD]));
    assert_eq!(refused, Err(RenderError::OtherRegion { lines: Lines(vec![3]) }));
    // one user name, two endpoints
    let text = format!("A_HOST={HOST}\nB_HOST={EU}\nUSER={{OLD}}\nPASS={{OLD password}}\n");
    let refused = of(Target::Env, "eu-west-1").read(&filled(&text), HOST, 587, &keys(&[OLD]));
    assert_eq!(refused, Err(RenderError::OtherRegion { lines: Lines(vec![2]) }));
}

#[test]
fn what_cannot_be_told_apart_is_refused_with_its_lines() {
    use Target as T;
    let unclear = |lines: &[u64]| RenderError::Unclear { lines: Lines(lines.to_vec()) };
    let several = |lines: &[u64]| RenderError::SeveralPasswords { lines: Lines(lines.to_vec()) };
    let elsewhere = |lines: &[u64]| RenderError::OtherRegion { lines: Lines(lines.to_vec()) };
    for (target, text, error) in [
        (T::PostfixSasl, "#\n[h]:25 {OLD}:changeme\n", unclear(&[2])),
        (T::PostfixSasl, "[h]:25 {OLD}\n", unclear(&[1])),
        (T::PostfixSasl, "a {OLD}:{OLD password}\n{OLD}@h x:y\n", unclear(&[2])),
        (T::PostfixSasl, "a {OLD}:{OLD password} {OTHER}\n", unclear(&[1])),
        (T::PostfixSasl, "a {OLD}:{OLD password}\n\nb {OLD}:{OLDER password}\n", several(&[1, 3])),
        (
            T::PostfixSasl,
            "a {OLD}:{OLD password}\n[email-smtp.eu-west-1.amazonaws.com]:587 {OLD}:{OLDER password}\n",
            elsewhere(&[2]),
        ),
        (T::Env, "A=1\nMAILER_DSN=ses+smtp://{OLD}:x%2F@default\n", unclear(&[2])),
        (
            T::Env,
            "SMTP_USERNAME={OLD}\nSMTP_PASSWORD={OLD password}\nAWS_ACCESS_KEY_ID={OLD}\n",
            unclear(&[3]),
        ),
        (T::Env, "A_USER={OLD}\nB_USER={OTHER}\nPASSWORD={OLD password}\n", unclear(&[1, 3])),
        (
            T::Env,
            "MAIL_USER={OLD}\nMAIL_PASS={OLD password}\nMAIL_PASS_EU={OLDER password}\n",
            several(&[2, 3]),
        ),
        (
            T::Env,
            "SMTP_HOST=email-smtp.eu-west-1.amazonaws.com\nSMTP_USERNAME={OLD}\nSMTP_PASSWORD={OLD password}\n",
            elsewhere(&[1]),
        ),
        (T::Systemd, "A_USER={OLD}\nA_PASS=\n", unclear(&[1])),
        (T::Msmtp, "account a\nuser {OLD}\npasswordeval pass ses\n", unclear(&[2])),
        (T::Msmtp, "defaults\npassword {OLD password}\naccount a\nuser {OLD}\n", unclear(&[4])),
        (
            T::Msmtp,
            "account a\nhost email-smtp-fips.us-west-2.amazonaws.com\nuser {OLD}\npassword {OLD password}\n",
            elsewhere(&[2]),
        ),
        (T::Json, "{\n\"{OLD}\": \"{OLD password}\"}", unclear(&[2])),
        (T::Json, "{\"url\": \"smtp://{OLD}:x@h\"}", unclear(&[1])),
        (T::Json, "{\"a\": {\"u\": \"{OLD}\"},\n\"p\": \"{OLD password}\"}", unclear(&[1])),
    ] {
        let text = filled(text);
        assert_eq!(read(target, &text), Err(error.clone()), "{text}");
        assert_eq!(render(target, &text), Err(error), "{text}");
    }
}

#[test]
fn an_entry_for_another_region_is_left_if_its_key_is_not_the_users() {
    let text = "[email-smtp.eu-west-1.amazonaws.com]:587 {OTHER}:{OTHER password}\na {OLD}:{OLD password}\n";
    assert_eq!(render(Target::PostfixSasl, &filled(text)), Ok(delivered(text)));
}

/// A written credential is found by its key and replaced in place, with the rest of a configuration around it.
#[test]
fn every_form_of_a_store_is_delivered_to() {
    let from = Some("news@example.com".to_owned());
    for target in Target::all().filter(|target| target.is_store()) {
        for port in [587, 465] {
            let written = |pair| {
                let credential = credential(pair);
                let entry = Entry { credential, host: HOST.to_owned(), port, from: from.clone() };
                Form::from(target).render(&entry, "", &BTreeSet::new()).unwrap()
            };
            let entry = Entry {
                credential: credential(NEW),
                host: HOST.to_owned(),
                port,
                from: from.clone(),
            };
            let delivered = |before: &str| Form::from(target).render(&entry, before, &keys(&[OLD]));
            assert_eq!(delivered(&written(OLD)), Ok(written(NEW)), "{target}");
            if matches!(target, Target::Listed(_)) {
                let around = |text: &str| format!("# of others\n{text}");
                assert_eq!(
                    delivered(&around(&written(OLD))),
                    Ok(around(&written(NEW))),
                    "{target}"
                );
            }
        }
    }
}

//! A file holds what is written into it, and the content of others stays.

use std::collections::BTreeSet;

use proptest::{prelude::*, sample::select};
use seskey::{
    AccessKeyId, Secret, SmtpCredential, SmtpPassword,
    credential::Found,
    diagnose::FileValues,
    render::{Entry, Form, Names, RenderError, Target, held, render},
};

const PASSWORD: &str = "BF2PynzbSCAjX08zhZZnP/kW+T9P5zs/1Er0pi5vTEmd";

fn entry(host: &str, port: u16) -> Entry {
    let credential = SmtpCredential {
        iam_user: None,
        user_name: AccessKeyId::parse("AKIAIOSFODNN7EXAMPLE").unwrap(),
        password: SmtpPassword::parse(PASSWORD).unwrap(),
        endpoint: None,
    };
    Entry { credential, host: host.to_owned(), port, from: None }
}

fn targets() -> impl Strategy<Value = Target> {
    select(Target::all().collect::<Vec<_>>())
}

fn entries() -> impl Strategy<Value = Entry> {
    let hosts = [
        "email-smtp.us-east-1.amazonaws.com",
        "EMAIL-SMTP.eu-west-1.amazonaws.com",
        "localhost",
        "127.0.0.1",
        "::1",
        "2001:db8::587",
    ];
    let froms = [None, Some("news@example.com"), Some("o'brien+{x}=#1@mail.example.com")];
    (
        "AKIA[A-Z0-9]{12,40}",
        // with the version byte 4
        "B[A-P]([/+]{1,3}|[A-Za-z0-9]){42}",
        prop::option::of("[+=,.@_-]{1,9}[a-z0-9+=,.@_-]{0,50}"),
        select(hosts.to_vec()),
        1_u16..,
        select(froms.to_vec()),
    )
        .prop_filter_map("no password", |(id, password, iam_user, host, port, from)| {
            let credential = SmtpCredential {
                iam_user,
                user_name: AccessKeyId::parse(&id).unwrap(),
                password: SmtpPassword::parse(password.get(..44)?).ok()?,
                endpoint: None,
            };
            Some(Entry { credential, host: host.to_owned(), port, from: from.map(str::to_owned) })
        })
}

/// Returns the text; `None` if the form has no place for an IPv6 address, or for the characters of this address to send
/// from.
fn rendered(target: Target, entry: &Entry) -> Option<String> {
    match render(target, entry, "") {
        Err(RenderError::Host) if entry.host.contains(':') => None,
        Err(RenderError::From) if entry.from.as_deref() != Some("news@example.com") => None,
        text => Some(text.unwrap()),
    }
}

const WITHOUT_HOST: [&str; 3] = ["csv", "postfix-sender", "opensmtpd"];
const WITHOUT_PORT: [&str; 2] = ["exim", "sendmail"];

/// `diagnose` takes the rendered user name and password from a file of each target.
#[test]
fn a_rendered_file_diagnoses_as_right() {
    let entry = entry("email-smtp.us-east-1.amazonaws.com", 587);
    let entry = Entry { from: Some("news@example.com".to_owned()), ..entry };
    for target in Target::all().filter(|target| target.is_read()) {
        let text = render(target, &entry, "").unwrap();
        let values = FileValues::read(&text);
        let exposed = |secret: &Option<Secret>| secret.as_ref().map(|it| it.expose().to_owned());
        let name = target.name();
        assert_eq!(exposed(&values.user_name).as_deref(), Some("AKIAIOSFODNN7EXAMPLE"), "{name}");
        assert_eq!(exposed(&values.password).as_deref(), Some(PASSWORD), "{name}");
    }
}

/// Checks the laws of a rendered text.
fn holds(target: Target, entry: &Entry, text: &str) -> Result<(), TestCaseError> {
    let SmtpCredential { iam_user, user_name, password, .. } = entry.credential.clone();
    let iam_user = iam_user.filter(|_| target == Target::Csv);
    let expected =
        SmtpCredential { iam_user, user_name, password, endpoint: Some(entry.host.clone()) };
    prop_assert_eq!(render(target, entry, text), Ok(text.to_owned()));
    if !target.is_read() {
        return Ok(());
    }
    prop_assert_eq!(held(target, text, &entry.host, entry.port), Some(expected), "{}", text);
    if !WITHOUT_HOST.contains(&target.name()) {
        prop_assert_eq!(held(target, text, "other.example", entry.port), None);
        if !WITHOUT_PORT.contains(&target.name()) {
            prop_assert_eq!(held(target, text, &entry.host, entry.port ^ 1), None);
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn a_new_file_holds_the_credential(target in targets(), entry in entries()) {
        if let Some(text) = rendered(target, &entry) {
            holds(target, &entry, &text)?;
        }
    }

    #[test]
    fn the_next_credential_takes_the_place(target in targets(), entry in entries(), next in entries()) {
        let Some(before) = rendered(target, &entry) else { return Ok(()) };
        let next = Entry { credential: next.credential, ..entry };
        let after = render(target, &next, &before).unwrap();
        holds(target, &next, &after)?;
        prop_assert_eq!(after, render(target, &next, "").unwrap());
    }

    /// Any text is refused, or has the credential in it afterwards.
    #[test]
    fn no_text_is_mangled(
        target in targets(),
        entry in entries(),
        before in r#"(\\\n|[ \t\n\r'"\\#;:=,{}\[\]$`<(]|SMTP_PASSWORD=|SMTP_PORT|export |account ses|account |defaults|host |password |"smtp_port":|\[::1\]:25|MAIL_HOST=|MAIL_PASSWORD=|MAILER_DSN=smtp://|null|ses |AuthInfo:|localhost| smtp --port=|\[smtp\]\n|[a-z@]){0,40}"#,
    ) {
        if let Ok(text) = render(target, &entry, &before) {
            holds(target, &entry, &text)?;
        }
        // any text is read or refused
        drop(Found::read(&before));
    }

    /// The entries of others stay byte for byte, in order, wherever ours was between them.
    #[test]
    fn what_others_wrote_stays(
        (target, others, old) in select(BESIDE),
        order in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        ours in prop::collection::vec(any::<prop::sample::Index>(), 0..3),
        newline in any::<bool>(),
    ) {
        let entry = entry("::1", 25);
        let mut parts: Vec<_> = order.iter().map(|index| *index.get(others)).collect();
        let kept = parts.concat();
        for index in ours {
            parts.insert(index.index(parts.len() + 1), old);
        }
        let mut before = parts.concat();
        if !newline {
            before.truncate(before.trim_end_matches('\n').len());
        }
        let after = render(target, &entry, &before).unwrap();
        holds(target, &entry, &after)?;
        let new = render(target, &entry, "").unwrap();
        let has_dos_line_ends = before.contains('\n') && !before.replace("\r\n", "").contains(['\r', '\n']);
        let end = if has_dos_line_ends { "\r\n" } else { "\n" };
        let mut rest = after;
        for line in new.lines() {
            prop_assert_eq!(rest.matches(line).count(), 1, "{}", rest);
            rest = rest.replace(&format!("{line}{end}"), "");
        }
        let without_end = |text: &str| text.trim_end_matches(['\r', '\n']).to_owned();
        prop_assert_eq!(without_end(&rest), without_end(&kept));
    }
}

/// Files made of pieces: entries of others, and an earlier one of ours.
const BESIDE: &[(Target, &[&str], &str)] = &[
    (
        Target::PostfixSasl,
        &[
            "# relays\n",
            "\n",
            "[::1]:2525 other:secret\n",
            "[::10]:25\n  # of another line\n\tother:secret\n",
            "\"[a b]\"  x:y\n",
            "user@[::1]:25 x:y\r\n",
            "::1:25 x:y\n",
        ],
        "[::1]:25\told:\n\tpassword\n",
    ),
    (
        Target::Env,
        &[
            "# SMTP_PASSWORD=x it's\n",
            "\n",
            "A='x\nSMTP_PASSWORD=in a text\n'\n",
            "export B=\"a\\\"\n#SMTP_HOST=b\n\" # it's\n",
            "XSMTP_PASSWORD=$HOME/${X:-y}\n",
            "SMTP_PASSWORD_FILE=/run/x # y\r\n",
            "C = dot env\n",
            "D=a\\\nSMTP_PORT=1\n",
            "URL=http://h/?a=b&c=d#e\n",
        ],
        "SMTP_PASSWORD='old' # from the console\n",
    ),
    (
        Target::Systemd,
        &[
            "# it's\n",
            "; SMTP_PASSWORD=\"\n",
            "no assignment\n",
            "A='x\nSMTP_PASSWORD=in a text\n'  \"b\"\n",
            "B=it's $(not a shell) `\n",
            "C=a\\\nSMTP_PORT=1\n",
            "SMTP_PASSWORDS=x\r\n",
        ],
        "SMTP_PASSWORD= old and; so on\n",
    ),
];

#[test]
fn an_account_of_msmtp_keeps_its_other_settings() {
    let before = "defaults\nlogfile ~/log\n\naccount a\nhost ::1\npassword x\n\naccount ses : a\n# by hand\n\
                  logfile ~/ses\npasswordeval pass ses\n\n# the usual one\naccount default : ses\n";
    let after = "defaults\nlogfile ~/log\n\naccount a\nhost ::1\npassword x\n\naccount ses : a\n# by hand\n\
                 logfile ~/ses\npassword BF2PynzbSCAjX08zhZZnP/kW+T9P5zs/1Er0pi5vTEmd\nhost ::1\nport 465\ntls on\n\
                 tls_starttls off\nauth on\nuser AKIAIOSFODNN7EXAMPLE\n\n# the usual one\naccount default : ses\n";
    assert_eq!(render(Target::Msmtp, &entry("::1", 465), before).as_deref(), Ok(after));
    let beside = render(Target::Msmtp, &entry("::1", 465), "account a\nhost b").unwrap();
    assert!(beside.starts_with("account a\nhost b\n\naccount ses\nhost ::1\n"), "{beside}");
}

#[test]
fn the_line_ends_of_a_file_are_kept() {
    let first = entry("email-smtp.us-east-1.amazonaws.com", 587);
    let mut next = first.clone();
    next.credential.user_name = AccessKeyId::parse("AKIAI44QH8DHBEXAMPLE").unwrap();
    let mut kept = 0;
    for target in Target::all() {
        let Some(text) = rendered(target, &first) else { continue };
        let dos = text.replace('\n', "\r\n");
        let Ok(after) = render(target, &next, &text) else { continue };
        let after_dos = render(target, &next, &dos).unwrap();
        assert_eq!(after_dos, after.replace('\n', "\r\n"), "{target}");
        let held = |text: &str| held(target, text, &next.host, next.port);
        assert_eq!(held(&after_dos), held(&after), "{target}");
        kept += 1;
    }
    assert!(kept > 20, "{kept}");
}

#[test]
fn members_of_json_stay_as_they_are() {
    for (before, after) in [
        (
            "{}",
            "{\n  \"smtp_endpoint\": \"h\",\n  \"smtp_port\": 25,\n  \"smtp_user_name\": \"ID\",\n  \"smtp_password\": \"PASSWORD\"\n}",
        ),
        (
            "{\"a\":1.0,\"smtp_password\":null,\"b\":[ ]}\n",
            "{\"a\":1.0,\"smtp_password\":\"PASSWORD\",\"b\":[ ],\"smtp_endpoint\":\"h\",\"smtp_port\":25,\"smtp_user_name\":\"ID\"}\n",
        ),
        (
            "{\n\t\"smtp_port\" : \"587\",\n\t\"n\" : 123456789012345678901234567890e-7\n}",
            "{\n\t\"smtp_port\" : 25,\n\t\"n\" : 123456789012345678901234567890e-7,\n\t\"smtp_endpoint\" : \"h\",\n\t\
             \"smtp_user_name\" : \"ID\",\n\t\"smtp_password\" : \"PASSWORD\"\n}",
        ),
    ] {
        let after = after.replace("PASSWORD", PASSWORD).replace("ID", "AKIAIOSFODNN7EXAMPLE");
        assert_eq!(render(Target::Json, &entry("h", 25), before), Ok(after));
    }
}

#[test]
fn what_others_wrote_is_not_overwritten_by_a_whole_file() {
    let names = Names { namespace: "mail".to_owned(), ..Names::of(Target::Kubernetes) };
    let elsewhere = Form::new(Target::Kubernetes, names).unwrap();
    let elsewhere = elsewhere.render(&entry("h", 25), "", &BTreeSet::new()).unwrap();
    let csv = render(Target::Csv, &entry("h", 25), "").unwrap();
    for (target, before) in [
        (Target::Kubernetes, "kind: ConfigMap\n".to_owned()),
        (Target::Kubernetes, elsewhere.clone()),
        (
            Target::Kubernetes,
            elsewhere.replace("  namespace: \"mail\"\n", "") + "  \"OTHER\": \"eA==\"\n",
        ),
        (Target::Csv, "a,b\n1,2\n".to_owned()),
        (Target::Csv, format!("{csv}x,AKIAIOSFODNN7EXAMPLE,{PASSWORD}\n")),
        (
            Target::Csv,
            csv.replace("SMTP password\n", "SMTP password,note\n")
                .replace(PASSWORD, &format!("{PASSWORD},n")),
        ),
    ] {
        let refused = render(target, &entry("h", 25), &before);
        assert_eq!(refused, Err(RenderError::NotOurs), "{before}");
    }
}

#[test]
fn what_cannot_be_read_is_refused() {
    use Target as T;
    for (target, before, line) in [
        (T::Env, "A=1\nset -a\n", 2),
        (T::Env, "A='\n", 1),
        (T::Env, "A=\"\\\"\n", 1),
        (T::Env, "A=b\\", 1),
        (T::Env, "A=1\nB=b\\\n", 2),
        (T::Env, "# a\nA=$(date)\n", 2),
        (T::Env, "A=\"`date`\"\n", 1),
        (T::Env, "cat <<X\nX\n", 1),
        (T::Env, "A=b <<X\nX\n", 1),
        (T::Env, "A='b\\'\n", 1),
        (T::Env, "A+=b\n", 1),
        (T::Env, "A=1\0\n", 1),
        (T::Env, "A=1\rSMTP_PORT=2\n", 1),
        (T::Env, "A=1\nexport SMTP_USERNAME=a OTHER=b\n", 2),
        (T::Env, "SMTP_USERNAME=a;OTHER=b\n", 1),
        (T::Systemd, "A=1\n# a \\\n", 2),
        (T::Systemd, "A=\"\n", 1),
        (T::Systemd, "A=1\n =2\n", 2),
        (T::Systemd, "A=b\\", 1),
        (T::Systemd, "A=1\nB=\\\n", 2),
        (T::PostfixSasl, "#\n a:b c\n", 2),
        (T::PostfixSasl, "\"[a]:25 b:c\n", 1),
        (T::Msmtp, "host a\n", 1),
        (T::Json, "{\"a\": }", 1),
        (T::Json, "[]", 1),
        (T::Json, "{\"smtp_port\":1,\n\"smtp_port\":2}", 2),
    ] {
        let refused = render(target, &entry("h", 25), before);
        assert_eq!(refused, Err(RenderError::Unreadable { line }), "{target}: {before}");
    }
}

#[test]
fn a_value_that_a_form_cannot_carry_is_refused_in_every_form() {
    let hosts =
        ["", "a b", "a\nb", "$(id)", "a\"", "[::1]", "::1%eth0", "-a", "a-", "a..b", "a:b", "ä"];
    let hosts = hosts.map(|host| (RenderError::Host, entry(host, 25)));
    let froms = ["", "a", "a@", "@b", "a@b c", "*@b", "%U@b", "a\n@b", "\"a\"@b", "a@b\nhost c"];
    let froms = froms
        .map(|from| (RenderError::From, Entry { from: Some(from.to_owned()), ..entry("h", 25) }));
    let users = ["", "a b", "a\nb", "a\"", "a'", "ä"].map(|user| {
        let mut entry = entry("h", 25);
        entry.credential.iam_user = Some(user.to_owned());
        (RenderError::IamUser, entry)
    });
    let port = [(RenderError::Port, entry("h", 0))];
    for (error, entry) in hosts.into_iter().chain(froms).chain(users).chain(port) {
        for target in Target::all() {
            assert_eq!(render(target, &entry, ""), Err(error.clone()), "{target} {entry:?}");
        }
    }
}

#[test]
fn names_can_be_chosen() {
    for target in [Target::Env, Target::Systemd, Target::Json, Target::Kubernetes] {
        let [host, port, user_name, password] =
            ["MAIL_HOST", "MAIL_PORT", "MAIL_USER", "MAIL_PASSWORD"].map(str::to_owned);
        let form =
            Form::new(target, Names { host, port, user_name, password, ..Names::of(target) })
                .unwrap();
        let text = form.render(&entry("h", 25), "", &BTreeSet::new()).unwrap();
        assert!(text.contains("MAIL_USER") && !text.to_lowercase().contains("smtp_"), "{text}");
        assert_eq!(form.held(&text, "h", 25).unwrap().password.expose(), PASSWORD);
        assert_eq!(held(target, &text, "h", 25), None);
    }
}

/// A secret that kubectl prints is read like the manifest.
#[test]
fn a_secret_is_read_from_kubectl() {
    let text = r#"{"apiVersion": "v1", "kind": "Secret", "data": {"SMTP_HOST": "aA==", "SMTP_PORT": "MjU=",
        "SMTP_USERNAME": "QUtJQUlPU0ZPRE5ON0VYQU1QTEU=",
        "SMTP_PASSWORD": "QkYyUHluemJTQ0FqWDA4emhaWm5QL2tXK1Q5UDV6cy8xRXIwcGk1dlRFbWQ="}}"#;
    let credential = held(Target::Kubernetes, text, "h", 25).unwrap();
    assert_eq!(credential.password, entry("h", 25).credential.password);
    assert_eq!(held(Target::Kubernetes, text, "other", 25), None);
}

/// A line that looks like ours and is for another name is not read in its place.
#[test]
fn a_host_in_brackets_is_another_name() {
    let host = "email-smtp.eu-west-1.amazonaws.com";
    let line =
        format!("{host}:AKIAIOSFODNN7EXAMPLE:BLBM/9hSUELfq8Gw+rU1YcBjkOxGbhT2XG763xVLGWL9\n");
    let text = format!("{line}[{host}]:nobody:x\n");
    let held = held("exim".parse().unwrap(), &text, host, 587).unwrap();
    assert_eq!(held.user_name.as_str(), "AKIAIOSFODNN7EXAMPLE");
}

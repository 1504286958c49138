//! Twelve public threads that ask for a cause, with the evidence in each. docs/diagnose.md has the real cause of each
//! beside the one that is found here. Keys and addresses are invented if the thread has none, or hides them.

use seskey::{
    Region, SecretAccessKey, SmtpPassword,
    diagnose::{Evidence, Said, Values, diagnose},
};

const ID: &str = "AKIAI44QH8DHBABCDEFG";
const SECRET: &str = "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbIAMSECRET+";
const INVALID: &str = "535 Authentication Credentials Invalid";
const NOT_VERIFIED: &str = "Message rejected: Email address is not verified. The following identities failed the check in region US-EAST-1:";

struct Thread {
    url: &'static str,
    cause: &'static str,
    user_name: Option<&'static str>,
    password: Option<String>,
    said: String,
    from: Option<&'static str>,
    to: Option<&'static str>,
}

fn threads() -> Vec<Thread> {
    let region = Region::parse("us-east-1").unwrap();
    let password = SmtpPassword::derive(&SecretAccessKey::parse(SECRET).unwrap(), &region);
    let password = password.expose();
    let login = |url, cause, user_name, password: &str| Thread {
        url,
        cause,
        user_name: Some(user_name),
        password: Some(password.to_owned()),
        said: INVALID.to_owned(),
        from: None,
        to: None,
    };
    let sending = |url, cause, said: String, from, to| Thread {
        url,
        cause,
        user_name: None,
        password: None,
        said,
        from,
        to,
    };
    let denied = "Access denied: User `arn:aws:iam::123456789012:user/test' is not authorized to perform `ses:SendRawEmail' on resource `arn:aws:ses:eu-west-1:123456789012:identity/ann@example.net'";
    vec![
        login("https://github.com/knadh/listmonk/issues/2076", "raw-secret-as-password", ID, SECRET),
        login("https://github.com/knadh/listmonk/issues/2160", "raw-secret-as-password", ID, SECRET),
        login(
            "https://github.com/cloudposse/terraform-aws-ses/issues/10",
            "iam-user-name",
            "eg-prod-ses",
            password,
        ),
        login(
            "https://github.com/pepperize/cdk-ses-smtp-credentials/issues/219",
            "iam-user-name",
            "SmtpUser1A2B3C",
            password,
        ),
        login(
            "https://github.com/sandstorm-io/sandstorm/issues/2734",
            "white-space",
            ID,
            &format!("{password} "),
        ),
        sending(
            "https://github.com/bokysan/docker-postfix/issues/178",
            "auth-not-tried",
            "530 Authentication required".to_owned(),
            None,
            None,
        ),
        sending(
            "https://github.com/docker-mailserver/docker-mailserver/issues/4051",
            "auth-not-tried",
            "status=bounced (host email-smtp.us-east-2.amazonaws.com said: 530 Authentication required (in reply to MAIL FROM command))".to_owned(),
            None,
            None,
        ),
        sending(
            "https://github.com/cloudposse/terraform-aws-ses/issues/40",
            "other-resource",
            denied.to_owned(),
            Some("news@example.com"),
            Some("ann@example.net"),
        ),
        sending(
            "https://github.com/mageplaza/magento-2-smtp/issues/211",
            "sandbox",
            format!("{NOT_VERIFIED} test@example.com"),
            Some("info@example.com"),
            Some("test@example.com"),
        ),
        sending(
            "https://github.com/WPManageNinja/fluent-smtp/issues/61",
            "sandbox",
            format!("SimpleEmailService::sendRawEmail(): Sender - MessageRejected: {NOT_VERIFIED} ann@example.net\nRequest Id: 6e28d073"),
            Some("news@example.com"),
            Some("ann@example.net"),
        ),
        sending(
            "https://github.com/magepal/magento2-gmail-smtp-app/issues/17",
            "sandbox",
            format!("main.CRITICAL: Zend_Mail_Protocol_Exception: {NOT_VERIFIED} ann@example.net"),
            Some("support@example.com"),
            Some("ann@example.net"),
        ),
        sending(
            "https://github.com/mbentley/docker-omada-controller/issues/246",
            "message-refused",
            "501 Invalid MAIL FROM address provided".to_owned(),
            None,
            None,
        ),
    ]
}

#[test]
fn each_has_its_cause_first() {
    let page = include_str!("../../../../docs/diagnose.md");
    let region = Region::parse("us-east-1").unwrap();
    for Thread { url, cause, user_name, password, said, from, to } in threads() {
        let evidence = Evidence::of(Values {
            user_name,
            password: password.as_deref(),
            region: Some(&region),
            ..Values::default()
        });
        let evidence = Evidence {
            said: Said::read(&said),
            from: from.map(str::to_owned),
            to: to.map(str::to_owned),
            ..evidence
        };
        let report = diagnose(&evidence);
        let first = report.findings.first().map(|finding| finding.cause.id);
        assert_eq!(first, Some(cause), "{url}: {report:?}");
        let row = page.lines().find(|line| line.contains(&format!("]({url})")));
        let row = row.unwrap_or_else(|| panic!("{url} is not in the page"));
        assert!(row.ends_with(&format!("| `{cause}` |")), "{row}");
    }
    assert_eq!(threads().len(), 12);
}

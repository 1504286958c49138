//! Requests of the IAM Query API, one form a line, applied to one account: the encoding of a form changes nothing, a
//! refusal changes nothing, every answer is XML, and a secret access key is shown once.

#![no_main]

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use quick_xml::{Reader, events::Event};
use rand::{SeedableRng, rngs::StdRng};
use seskey::{AccessKeyId, Partition, SecretAccessKey};
use seskey_local::{
    account::{Account, AccountId, Action, Answer, Principal},
    api::{operation::Operation, query::Members},
    iam,
    refusal::ApiRefusal,
};

const ROOT: (&str, &str) = ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");

fuzz_target!(|forms: &[u8]| {
    let mut account = account();
    let mut rng = StdRng::seed_from_u64(1);
    let mut contents = contents_of(&mut account, &mut rng);
    let mut secrets = vec![ROOT.1.to_owned()];
    for form in forms.split(|&byte| byte == b'\n').take(32) {
        let Some((operation, parsed)) = parse(form) else { continue };
        let again = parse(&rewritten(form)).expect("what was parsed is parsed again").1;
        assert_eq!(
            format!("{again:?}"),
            format!("{parsed:?}"),
            "the same action, the same refusal"
        );

        let done = parsed.and_then(|action| account.apply(action, Timestamp::UNIX_EPOCH, &mut rng));
        let document = match &done {
            Ok(answer) => iam::API.encode(operation, answer, "id"),
            Err(refusal) => {
                assert!(refusal.to_string().len() <= 5000, "{refusal}");
                assert!((400..500).contains(&refusal.status()), "{refusal}");
                assert_eq!(contents_of(&mut account, &mut rng), contents, "{refusal}");
                iam::API.error(refusal, "id")
            }
        };
        assert!(is_xml(&document), "{document}");
        assert!(!secrets.iter().any(|secret| document.contains(secret)), "it is told once");
        if let Ok(Answer::NewAccessKey { secret_access_key, .. }) = &done {
            assert!(!format!("{done:?}").contains(secret_access_key.expose()));
            secrets.push(secret_access_key.expose().to_owned());
        }
        if done.is_ok() {
            contents = contents_of(&mut account, &mut rng);
        }
    }
});

fn account() -> Account {
    let id = AccountId::parse("111122223333").expect("it has 12 digits");
    let key = AccessKeyId::parse(ROOT.0).expect("it is an access key ID");
    let secret = SecretAccessKey::parse(ROOT.1).expect("it is a secret access key");
    Account::new(id, Partition::Aws, (key, secret), Timestamp::UNIX_EPOCH)
}

fn parse(form: &[u8]) -> Option<(&'static Operation, Result<Action, ApiRefusal>)> {
    let members = Members::parse(form).ok()?;
    let action = members.get("Action")?;
    let operation = iam::API.operation(action)?;
    Some((operation, operation.parse(&members, &Principal::Root)))
}

/// Returns the same form with its parameters in reverse order and every byte encoded.
fn rewritten(form: &[u8]) -> Vec<u8> {
    let encoded = |text: &str| text.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>();
    let mut pairs: Vec<String> = form_urlencoded::parse(form)
        .map(|(name, value)| format!("{}={}", encoded(&name), encoded(&value)))
        .collect();
    pairs.reverse();
    pairs.join("&").into_bytes()
}

/// Returns the contents of the account, by the lists of the API.
fn contents_of(account: &mut Account, rng: &mut StdRng) -> Vec<String> {
    ["GetAccountSummary", "ListUsers", "ListGroups", "ListRoles", "ListPolicies", "ListAccessKeys"]
        .iter()
        .map(|name| {
            let (operation, action) =
                parse(format!("Action={name}").as_bytes()).expect("it is served");
            let action = action.expect("it has no required parameter");
            let answer = account.apply(action, Timestamp::UNIX_EPOCH, rng).expect("it cannot fail");
            iam::API.encode(operation, &answer, "id")
        })
        .collect()
}

fn is_xml(document: &str) -> bool {
    let mut reader = Reader::from_str(document);
    loop {
        match reader.read_event() {
            Ok(Event::Eof) => return true,
            Ok(_) => {}
            Err(_) => return false,
        }
    }
}

//! Whatever a file holds: what is rendered into it is read back, a second time changes nothing, or it is refused.

#![no_main]

use libfuzzer_sys::fuzz_target;
use seskey::{
    AccessKeyId, SmtpCredential, SmtpPassword,
    render::{Entry, Target, held, render},
};

fuzz_target!(|before: &str| {
    let credential = SmtpCredential {
        iam_user: None,
        user_name: AccessKeyId::parse("AKIAIOSFODNN7EXAMPLE").unwrap(),
        password: SmtpPassword::parse("BLBM/9hSUELfq8Gw+rU1YcBjkOxGbhT2XG763xVLGWL9").unwrap(),
        endpoint: Some("email-smtp.eu-west-1.amazonaws.com".to_owned()),
    };
    let host = credential.endpoint.clone().unwrap();
    let entry = Entry { credential, host, port: 587, from: None };
    for target in Target::all() {
        let Ok(text) = render(target, &entry, before) else { continue };
        let read = held(target, &text, &entry.host, entry.port).expect("it was just written");
        assert_eq!(read.user_name, entry.credential.user_name, "{target}");
        assert_eq!(read.password, entry.credential.password, "{target}");
        assert_eq!(render(target, &entry, &text).as_ref(), Ok(&text), "{target}");
    }
});

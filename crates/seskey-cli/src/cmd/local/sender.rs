//! The SMTP user of a program that runs in a local SES: a new one may send, and is deleted when the program ends.

use serde_json::json;
use seskey::{
    AccessKeyId, SecretAccessKey, SmtpCredential, SmtpPassword,
    policy::written,
    user::{REGION_TAG, SENDING_POLICY, UserName},
};
use seskey_local::{
    account::{Action, Answer, Holder, Identity, Principal, Tag},
    refusal::ApiRefusal,
    server::Server,
};

use crate::{
    args::Local,
    explain::{self, Failure, Result},
};

/// The user that sends, and the address that it sends from.
pub(super) struct Sender {
    pub(super) credential: SmtpCredential,
    pub(super) from: String,
    user: String,
    /// Whether the user was made for the program.
    is_new: bool,
}

/// Makes the user with a key, or one more key for an existing user.
pub(super) fn make(server: &Server, args: &Local, identities: &[Identity]) -> Result<Sender> {
    let user =
        UserName::parse(&args.user).map_err(|error| explain::input::user(&error, &args.user))?;
    let user = user.as_str().to_owned();
    let from = match &args.from {
        Some(from) => written::address(from).map_err(|error| {
            Failure::usage(format!("--from: {error}"), "such as news@example.com")
        })?,
        None => usual_from(identities),
    };
    let principal = Principal::User(user.clone());
    let mut listeners = server.listeners.iter();
    let listener = listeners.find(|listener| listener.address == server.smtp);
    let region = listener.map_or(&server.region, |listener| &listener.region);
    let tag = Tag { key: REGION_TAG.to_owned(), value: region.to_string() };
    let made = server.apply(Action::CreateUser {
        user_name: user.clone(),
        path: "/".to_owned(),
        permissions_boundary: None,
        tags: vec![tag],
    });
    let is_new = match made {
        Ok(_) => true,
        Err(ApiRefusal::UserAlreadyExists(_)) => false,
        Err(refusal) => return Err(explain::local::refused(&refusal)),
    };
    if is_new {
        let allow = json!({"Effect": "Allow", "Action": "ses:SendRawEmail", "Resource": "*"});
        let document = json!({"Version": "2012-10-17", "Statement": [allow]}).to_string();
        let policy_name = SENDING_POLICY.to_owned();
        let put = Action::PutPolicy { holder: Holder::User(user.clone()), policy_name, document };
        server.apply(put).map_err(|refusal| explain::local::refused(&refusal))?;
    }
    let created = server.apply(Action::CreateAccessKey { principal });
    let Answer::NewAccessKey { access_key, secret_access_key } =
        created.map_err(|refusal| explain::local::refused(&refusal))?
    else {
        unreachable!("CreateAccessKey answers with a new access key")
    };
    let unusable = || Failure::new("the new access key is none", "this is a fault of the program");
    let secret = SecretAccessKey::parse(secret_access_key.expose()).map_err(|_| unusable())?;
    let credential = SmtpCredential {
        iam_user: Some(user.clone()),
        user_name: AccessKeyId::parse(&access_key.access_key_id).map_err(|_| unusable())?,
        password: SmtpPassword::derive(&secret, region),
        endpoint: None,
    };
    Ok(Sender { credential, from, user, is_new })
}

impl Sender {
    /// Restores the account: the next run would see what is kept in a directory.
    pub(super) fn take_away(self, server: &Server) {
        let access_key_id = self.credential.user_name.to_string();
        let principal = Principal::User(self.user.clone());
        // errors are ignored: the program may have deleted these, or added to them
        let _ = server.apply(Action::DeleteAccessKey { principal, access_key_id });
        if self.is_new {
            let holder = Holder::User(self.user.clone());
            let policy_name = SENDING_POLICY.to_owned();
            let _ = server.apply(Action::DeleteInlinePolicy { holder, policy_name });
            let _ = server.apply(Action::DeleteUser { user_name: self.user });
        }
    }
}

/// Returns an address of the first identity, or of the domain of all examples.
fn usual_from(identities: &[Identity]) -> String {
    match identities.first() {
        None => "app@example.com".to_owned(),
        Some(identity) if identity.is_address() => identity.as_str().to_owned(),
        Some(domain) => format!("app@{}", domain.as_str()),
    }
}

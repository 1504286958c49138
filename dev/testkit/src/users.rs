//! Users in the account of a local SES that runs in the process of the test.

use seskey::{AccessKeyId, SecretAccessKey, user::REGION_TAG};
use seskey_local::{
    account::{Action, Answer, Holder, Principal, Tag},
    server::Server,
};

/// A policy that allows sending from every address.
pub const MAY_SEND: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ses:SendRawEmail","Resource":"*"}]}"#;

/// Creates a user; its credentials are for the region, if there is one.
pub fn create_user(server: &Server, name: &str, path: &str, region: Option<&str>) {
    let tag = |region: &str| Tag { key: REGION_TAG.to_owned(), value: region.to_owned() };
    let user = Action::CreateUser {
        user_name: name.to_owned(),
        path: path.to_owned(),
        permissions_boundary: None,
        tags: region.map(tag).into_iter().collect(),
    };
    server.apply(user).unwrap();
}

/// Puts a policy into a user or a group.
pub fn put_policy(server: &Server, holder: Holder, name: &str, document: &str) {
    let (policy_name, document) = (name.to_owned(), document.to_owned());
    server.apply(Action::PutPolicy { holder, policy_name, document }).unwrap();
}

/// Creates an access key of a user.
pub fn create_access_key(server: &Server, user: &str) -> (AccessKeyId, SecretAccessKey) {
    let principal = Principal::User(user.to_owned());
    match server.apply(Action::CreateAccessKey { principal }).unwrap() {
        Answer::NewAccessKey { access_key, secret_access_key } => (
            AccessKeyId::parse(&access_key.access_key_id).unwrap(),
            SecretAccessKey::parse(secret_access_key.expose()).unwrap(),
        ),
        other => unreachable!("an answer to another action: {other:?}"),
    }
}

//! The organization of a stage, which is its management account, with an account for each state of an account.

use std::{fs, path::Path};

use jiff::SignedDuration;
use serde_json::json;
use seskey_local::{
    account::{AccountId, Action, Holder, NewRole},
    server::{Config, Server},
};
use testkit::{
    organization::{self, Caller, GATE, Member},
    users,
};

use super::{Stage, allow, document};

/// The accounts: ID, state, parent, whether the role `seskey` is there, and whether there is a control policy.
///
/// ```text
/// r-ab12                 123456789012, the stage
///   ou-ab12-11112222     222222222222, with a user who sends
///     ou-ab12-33334444   333333333333
///   ou-ab12-55556666     444444444444, 555555555555, 666666666666
/// ```
const MEMBERS: [(&str, &str, &str, bool, bool); 5] = [
    ("222222222222", "ACTIVE", "ou-ab12-11112222", true, false),
    ("333333333333", "ACTIVE", "ou-ab12-33334444", true, false),
    ("444444444444", "SUSPENDED", "ou-ab12-55556666", true, false),
    ("555555555555", "ACTIVE", "ou-ab12-55556666", false, false),
    ("666666666666", "ACTIVE", "ou-ab12-55556666", true, true),
];

const UNITS: [(&str, &str); 3] = [
    ("ou-ab12-11112222", "r-ab12"),
    ("ou-ab12-33334444", "ou-ab12-11112222"),
    ("ou-ab12-55556666", "r-ab12"),
];

/// Starts the other accounts and the server in front of all of them, and returns the environment that leads there. The
/// caller `operator` may list the accounts and assume the role `seskey`; the role `guarded` of the second account asks
/// for an external ID.
pub(super) fn around(stage: &Stage, home: &Path) -> (Vec<Server>, Vec<(&'static str, String)>) {
    let mut environment = stage.environment.clone();
    let gate = |server: &Server| {
        users::create_user(server, GATE, "/", None);
        let holder = Holder::User(GATE.to_owned());
        users::put_policy(server, holder, "roles", &document(&json!([allow("sts:AssumeRole")])));
        let (id, secret) = users::create_access_key(server, GATE);
        Some((server.http, [id.to_string(), secret.expose().to_owned()]))
    };
    let management = Member {
        id: "123456789012",
        state: "ACTIVE",
        parent: "r-ab12",
        server: gate(&stage.server),
        is_denied: false,
    };
    let (mut servers, mut members) = (vec![], vec![management]);
    for (id, state, parent, has_role, is_denied) in MEMBERS {
        let config = Config { account_id: AccountId::parse(id), ..Config::ephemeral() };
        let server = stage.runtime.block_on(Server::start(config)).unwrap();
        if has_role {
            add_role(&server, "seskey", id, json!({}));
        }
        if id == "222222222222" {
            let fleet = json!({"StringEquals": {"sts:ExternalId": "fleet"}});
            add_role(&server, "guarded", id, fleet);
            users::create_user(&server, "mailer", "/", Some("us-east-1"));
            let holder = Holder::User("mailer".to_owned());
            users::put_policy(&server, holder, "AmazonSesSendingAccess", users::MAY_SEND);
            users::create_access_key(&server, "mailer");
        }
        let names = match id {
            "222222222222" => Some(["SMTP_OF_222222222222", "CA_OF_222222222222"]),
            "333333333333" => Some(["SMTP_OF_333333333333", "CA_OF_333333333333"]),
            _ => None,
        };
        if let Some([smtp, authority]) = names {
            let path = home.join(format!("{id}.pem"));
            fs::write(&path, &server.authority_pem).unwrap();
            environment.push((smtp, server.smtp.to_string()));
            environment.push((authority, path.display().to_string()));
        }
        members.push(Member { id, state, parent, server: gate(&server), is_denied });
        servers.push(server);
    }
    let arn = "arn:aws:iam::123456789012:user/callers/operator".to_owned();
    let caller = Caller { access_key_id: key_of(home, "operator"), arn };
    let address = organization::start(caller, members, UNITS.to_vec());
    environment.retain(|(name, _)| *name != "AWS_ENDPOINT_URL");
    environment.push(("AWS_ENDPOINT_URL", format!("http://{address}")));
    (servers, environment)
}

/// Creates a role that may do everything, and that the account's own users may assume.
fn add_role(server: &Server, name: &str, account: &str, condition: serde_json::Value) {
    let statement = json!({
        "Effect": "Allow", "Action": "sts:AssumeRole", "Condition": condition,
        "Principal": {"AWS": format!("arn:aws:iam::{account}:root")},
    });
    let role = NewRole {
        role_name: name.to_owned(),
        path: "/".to_owned(),
        assume_role_policy_document: document(&json!([statement])),
        description: None,
        max_session_duration: SignedDuration::from_hours(1),
        permissions_boundary: None,
        tags: vec![],
    };
    server.apply(Action::CreateRole(role)).unwrap();
    let all = document(&json!([allow("*")]));
    users::put_policy(server, Holder::Role(name.to_owned()), "all", &all);
}

/// Returns the access key ID in a profile.
fn key_of(home: &Path, profile: &str) -> String {
    let text = fs::read_to_string(home.join(".aws/credentials")).unwrap();
    let (_, rest) = text.split_once(&format!("[{profile}]\naws_access_key_id = ")).unwrap();
    rest.lines().next().unwrap().to_owned()
}

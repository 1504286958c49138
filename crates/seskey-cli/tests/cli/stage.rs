//! A local SES in the process of the test, with SMTP users and callers, and the environment that leads to it.

mod organization;

use std::{fs, path::Path};

use jiff::SignedDuration;
use serde_json::{Value, json};
use seskey::{
    AccessKeyId, Secret, SecretAccessKey, permissions,
    user::{SENDING_GROUP, SENDING_POLICY},
};
use seskey_local::{
    account::{AccountId, Action, Answer, Holder, Principal, Status},
    server::{Config, Server},
};
use testkit::users;
use tokio::runtime::Runtime;

/// The access key of AWS's documentation, here the root user's.
pub(crate) const ROOT: [&str; 2] =
    ["AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"];

/// The users of the account beside root and the callers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Inhabitants {
    /// No users.
    None,
    /// SMTP users of every kind.
    SmtpUsers,
    /// SMTP users of every kind, of whom `mailer` has a console password and a credential of CodeCommit as well.
    WithConsolePassword,
    /// SMTP users of every kind, in the management account of an organization.
    Organization,
    /// No users, but the sending group is there, and its policy does not allow sending.
    GroupThatCannotSend,
}

/// A local SES, and the environment that leads to it.
pub(crate) struct Stage {
    // dropped first: its tasks run on the runtime
    server: Server,
    _members: Vec<Server>,
    runtime: Runtime,
    pub(crate) environment: Vec<(&'static str, String)>,
}

impl Stage {
    /// Starts a local SES, with its certificate and a profile for each of the [`callers`] in the files of `home`.
    pub(crate) fn new(home: &Path, inhabitants: Inhabitants) -> Self {
        Self::of(home, inhabitants, Config::ephemeral())
    }

    /// Starts a local SES with other settings.
    pub(crate) fn of(home: &Path, inhabitants: Inhabitants, config: Config) -> Self {
        let runtime = Runtime::new().unwrap();
        let [id, secret] = ROOT;
        let root = (AccessKeyId::parse(id).unwrap(), SecretAccessKey::parse(secret).unwrap());
        let config =
            Config { account_id: AccountId::parse("123456789012"), root: Some(root), ..config };
        let server = runtime.block_on(Server::start(config)).unwrap();
        let authority = home.join("ca.pem");
        fs::write(&authority, &server.authority_pem).unwrap();
        let environment = vec![
            ("AWS_ENDPOINT_URL", server.endpoint_url()),
            ("AWS_ACCESS_KEY_ID", id.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", secret.to_owned()),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("SESKEY_SMTP_ENDPOINT", server.smtp.to_string()),
            ("SESKEY_CA_FILE", authority.display().to_string()),
            ("SMTPS_ENDPOINT", server.smtps.to_string()),
        ];
        let mut stage = Self { server, _members: vec![], runtime, environment };
        match inhabitants {
            Inhabitants::None => {}
            Inhabitants::SmtpUsers | Inhabitants::Organization => stage.add_smtp_users(),
            Inhabitants::WithConsolePassword => {
                stage.add_smtp_users();
                stage.add_console_password("mailer");
            }
            Inhabitants::GroupThatCannotSend => stage.add_group("ses:GetSendQuota"),
        }
        stage.add_callers(home);
        if inhabitants == Inhabitants::Organization {
            (stage._members, stage.environment) = organization::around(&stage, home);
        }
        stage
    }

    /// Sets how far its clock is ahead.
    pub(crate) fn set_ahead(&self, ahead: SignedDuration) {
        self.runtime.block_on(self.server.move_clock(ahead)).unwrap();
    }

    fn add_smtp_users(&mut self) {
        self.add_group("ses:SendRawEmail");
        self.add_user("mailer", "/");
        self.apply(Action::AddUserToGroup {
            group_name: SENDING_GROUP.to_owned(),
            user_name: "mailer".to_owned(),
        });
        let [id, secret] = self.add_access_key("mailer");
        self.environment.extend([("MAILER_ID", id), ("MAILER_SECRET", secret)]);

        self.add_user("billing", "/apps/");
        let billing = Holder::User("billing".to_owned());
        let mut allowed = allow("ses:SendRawEmail");
        allowed["Condition"] = json!({"StringLike": {"ses:FromAddress": "billing@example.com"}});
        let mut denied = json!({"Effect": "Deny", "Action": "ses:*", "Resource": "*"});
        denied["Condition"] =
            json!({"ForAnyValue:StringLike": {"ses:Recipients": "*@example.org"}});
        self.put_policy(billing, SENDING_POLICY, &json!([allowed, denied]));
        let [id, secret] = self.add_access_key("billing");
        self.environment.extend([("BILLING_ID", id), ("BILLING_SECRET", secret)]);
        self.add_access_key("billing");

        self.add_user("retired", "/");
        let [id, secret] = self.add_access_key("retired");
        self.put_policy(Holder::User("retired".to_owned()), "mail", &json!([allow("ses:*")]));
        self.apply(Action::UpdateAccessKey {
            principal: Principal::User("retired".to_owned()),
            access_key_id: id.clone(),
            status: Status::Inactive,
        });
        self.environment.extend([("INACTIVE_ID", id), ("INACTIVE_SECRET", secret)]);

        self.add_user("newsletter", "/");
        self.apply(Action::CreatePolicy {
            policy_name: "SendMail".to_owned(),
            path: "/".to_owned(),
            document: document(&json!([allow("ses:Send*")])),
            description: None,
            tags: vec![],
        });
        self.apply(Action::AttachPolicy {
            holder: Holder::User("newsletter".to_owned()),
            policy_arn: "arn:aws:iam::123456789012:policy/SendMail".to_owned(),
        });
    }

    fn add_console_password(&self, user: &str) {
        self.apply(Action::CreateLoginProfile {
            user_name: user.to_owned(),
            password: Secret::new("correct Horse 1".to_owned()),
            password_reset_required: false,
        });
        self.apply(Action::CreateServiceSpecificCredential {
            user_name: user.to_owned(),
            service_name: "codecommit.amazonaws.com".to_owned(),
        });
    }

    fn add_group(&self, action: &str) {
        let group = SENDING_GROUP.to_owned();
        self.apply(Action::CreateGroup { group_name: group.clone(), path: "/".to_owned() });
        self.put_policy(Holder::Group(group), SENDING_POLICY, &json!([allow(action)]));
    }

    /// Adds the IAM users that call the API, each with a profile of its name.
    fn add_callers(&self, home: &Path) {
        let profiles = callers().map(|(name, statements)| {
            self.add_user(name, "/callers/");
            if !statements.is_null() {
                self.put_policy(Holder::User(name.to_owned()), "permissions", &statements);
            }
            let [id, secret] = self.add_access_key(name);
            format!("[{name}]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n")
        });
        fs::create_dir(home.join(".aws")).unwrap();
        fs::write(home.join(".aws/credentials"), profiles.concat()).unwrap();
    }

    fn add_user(&self, name: &str, path: &str) {
        let region = (path != "/callers/").then_some("us-east-1");
        users::create_user(&self.server, name, path, region);
    }

    fn put_policy(&self, holder: Holder, name: &str, statements: &Value) {
        users::put_policy(&self.server, holder, name, &document(statements));
    }

    fn add_access_key(&self, user: &str) -> [String; 2] {
        let (id, secret) = users::create_access_key(&self.server, user);
        [id.to_string(), secret.expose().to_owned()]
    }

    fn apply(&self, action: Action) -> Answer {
        self.server.apply(action).unwrap()
    }
}

/// Returns the callers and their permissions. None may send.
fn callers() -> [(&'static str, Value); 6] {
    let iam_but = |actions: &[&str]| {
        let mut without = vec!["ses:*"];
        without.extend(actions);
        json!({"Effect": "Allow", "NotAction": without, "Resource": "*"})
    };
    let without_simulation = iam_but(&["iam:SimulatePrincipalPolicy"]);
    let deny = |actions: &[&str]| json!({"Effect": "Deny", "Action": actions, "Resource": "*"});
    let operator = permissions::policy(permissions::VERBS);
    [
        ("stranger", Value::Null),
        ("operator", operator["Statement"].clone()),
        ("no-keys", json!([iam_but(&["iam:CreateAccessKey"])])),
        (
            "no-keys-no-simulation",
            json!([iam_but(&["iam:CreateAccessKey", "iam:SimulatePrincipalPolicy"])]),
        ),
        ("keys-denied", json!([without_simulation, deny(&["iam:CreateAccessKey"])])),
        (
            "deletion-denied",
            json!([without_simulation, deny(&["iam:DeleteUser", "iam:DeleteUserPolicy"])]),
        ),
    ]
}

fn allow(action: &str) -> Value {
    json!({"Effect": "Allow", "Action": action, "Resource": "*"})
}

fn document(statements: &Value) -> String {
    json!({"Version": "2012-10-17", "Statement": statements}).to_string()
}

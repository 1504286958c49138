//! A local SES, and its account as seen by root and by other users.

use std::time::Duration;

use aws_sdk_iam::{
    Client,
    config::{BehaviorVersion, Credentials, Region as SigningRegion},
};
use seskey::{
    AccessKeyId, Region, SecretAccessKey,
    user::{REGION_TAG, UserName, UserPath},
};
use seskey_aws::{
    Account, Options,
    lifecycle::{
        create::{CreateRequest, Style},
        prove::Proof,
    },
    smtp,
};
use seskey_local::server::{Config, Server};

pub(crate) const ALL_OF_IAM: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:*","Resource":"*"}]}"#;

pub(crate) struct Stage {
    pub(crate) server: Server,
    pub(crate) root: Account,
    pub(crate) iam: Client,
    pub(crate) region: Region,
}

impl Stage {
    pub(crate) async fn new() -> Self {
        Self::in_region("us-east-1").await
    }

    pub(crate) async fn in_region(region: &str) -> Self {
        let region = Region::parse(region).unwrap();
        let server = Server::start(Config { region: Some(region.clone()), ..Config::ephemeral() })
            .await
            .unwrap();
        let iam = client(&region, &server, (&server.root.0, &server.root.1));
        let root = connect(&region, server.endpoint_url(), server.root.clone()).await;
        Self { server, root, iam, region }
    }

    /// Returns AWS's own client, with this key.
    pub(crate) fn client_of(&self, key: (&AccessKeyId, &SecretAccessKey)) -> Client {
        client(&self.region, &self.server, key)
    }

    /// Returns root's account by way of another URL.
    pub(crate) async fn root_by(&self, url: String) -> Account {
        connect(&self.region, url, self.server.root.clone()).await
    }

    /// Returns the account as seen by the owner of this key.
    pub(crate) async fn account_of(&self, key: (AccessKeyId, SecretAccessKey)) -> Account {
        connect(&self.region, self.server.endpoint_url(), key).await
    }

    /// Returns the account of a new user that may do everything in IAM but this.
    pub(crate) async fn all_but(&self, name: &str, denied: &[&str]) -> Account {
        let denied: Vec<String> = denied.iter().map(|action| format!("\"{action}\"")).collect();
        let policy = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"iam:*","Resource":"*"}},
                {{"Effect":"Deny","Action":[{}],"Resource":"*"}}]}}"#,
            denied.join(",")
        );
        self.with_policy(name, &policy).await
    }

    pub(crate) async fn with_policy(
        &self,
        name: &str,
        policy: &(impl ToString + ?Sized),
    ) -> Account {
        self.account_of(self.key_of(name, policy).await).await
    }

    /// Returns the access key of a new user with this policy.
    pub(crate) async fn key_of(
        &self,
        name: &str,
        policy: &(impl ToString + ?Sized),
    ) -> (AccessKeyId, SecretAccessKey) {
        self.iam.create_user().user_name(name).send().await.unwrap();
        let put = self.iam.put_user_policy().user_name(name).policy_name("p");
        let put = put.policy_document(policy.to_string());
        put.send().await.unwrap();
        let key =
            self.iam.create_access_key().user_name(name).send().await.unwrap().access_key.unwrap();
        let id = AccessKeyId::parse(&key.access_key_id).unwrap();
        (id, SecretAccessKey::parse(&key.secret_access_key).unwrap())
    }

    pub(crate) fn request(&self, name: &str, style: Style) -> CreateRequest {
        CreateRequest {
            user_name: UserName::parse(name).unwrap(),
            path: UserPath::parse("/").unwrap(),
            tags: vec![(REGION_TAG.to_owned(), self.region.to_string())],
            permissions_boundary: None,
            style,
            region: self.region.clone(),
            proof: Some(self.proof(&self.region)),
        }
    }

    /// Returns a proof by the endpoint of this region.
    pub(crate) fn proof(&self, region: &Region) -> Proof {
        let pem = self.server.authority_pem.as_bytes();
        let client = smtp::Client::new(Some(pem), smtp::Timeouts::default()).unwrap();
        let port = self.server.smtp.port();
        let server = smtp::Server {
            server_name: region.smtp_endpoint(),
            ..smtp::Server::new("127.0.0.1", port, smtp::Security::Starttls)
        };
        Proof { patience: Duration::from_secs(2), ..Proof::new(client, server) }
    }

    /// Lists everything that a change could leave behind, as text.
    pub(crate) async fn snapshot(&self) -> Vec<String> {
        let mut found = Vec::new();
        for user in self.iam.list_users().send().await.unwrap().users {
            let name = &user.user_name;
            let keys = self
                .iam
                .list_access_keys()
                .user_name(name)
                .send()
                .await
                .unwrap()
                .access_key_metadata
                .len();
            let policies =
                self.iam.list_user_policies().user_name(name).send().await.unwrap().policy_names;
            found.push(format!("user {name}: {keys} keys, {policies:?}"));
        }
        for group in self.iam.list_groups().send().await.unwrap().groups {
            let name = &group.group_name;
            let members = self.iam.get_group().group_name(name).send().await.unwrap().users.len();
            let policies =
                self.iam.list_group_policies().group_name(name).send().await.unwrap().policy_names;
            found.push(format!("group {name}: {members} members, {policies:?}"));
        }
        found.sort();
        found
    }
}

fn client(
    region: &Region,
    server: &Server,
    (id, secret): (&AccessKeyId, &SecretAccessKey),
) -> Client {
    let credentials = Credentials::new(id.as_str(), secret.expose(), None, None, "test");
    let config = aws_sdk_iam::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(SigningRegion::new(region.to_string()))
        .endpoint_url(server.endpoint_url())
        .credentials_provider(credentials)
        .build();
    Client::from_conf(config)
}

async fn connect(
    region: &Region,
    url: String,
    access_key: (AccessKeyId, SecretAccessKey),
) -> Account {
    let region = Some(region.clone());
    let (endpoint_url, access_key) = (Some(url), Some(access_key));
    Account::connect(&Options { region, endpoint_url, access_key, ..Options::default() }).await
}

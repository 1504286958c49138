//! A user of a local SES, and the rotation of its key.

use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt, path::PathBuf, time::Duration};

use jiff::SignedDuration;
use serde_json::json;
use seskey::{
    AccessKeyId, SecretAccessKey, SmtpCredential, SmtpPassword,
    rotation::{Goal, Sending, next},
};
use seskey_aws::lifecycle::{
    Interrupt,
    rotate::{End, Event, Outcome, RotateError, Rotation, rotate},
};
use seskey_local::faults::Plan;
use tempfile::TempDir;

use crate::lifecycle::stage::Stage;

pub(crate) const USER: &str = "app";

const MAY_SEND: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ses:SendRawEmail","Resource":"*"}]}"#;

pub(crate) struct Scene {
    pub(crate) stage: Stage,
    pub(crate) home: TempDir,
    ahead: SignedDuration,
}

impl Scene {
    /// Returns a user that may send and has no key.
    pub(crate) async fn new() -> Self {
        Self::of("us-east-1", "/").await
    }

    /// Returns such a user with this path, in the partition of this region.
    pub(crate) async fn of(region: &str, path: &str) -> Self {
        let stage = Stage::in_region(region).await;
        stage.iam.create_user().user_name(USER).path(path).send().await.unwrap();
        let put = stage.iam.put_user_policy().user_name(USER).policy_name("p");
        put.policy_document(MAY_SEND).send().await.unwrap();
        Self { stage, home: tempfile::tempdir().unwrap(), ahead: SignedDuration::ZERO }
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.home.path().join("smtp.json")
    }

    pub(crate) fn rotation(&self) -> Rotation {
        Rotation {
            user: USER.to_owned(),
            region: self.stage.region.clone(),
            goal: Goal::days(90, 7, 7).unwrap(),
            plan: next,
            stores: vec![format!("file:{}", self.store().display()).parse().unwrap()],
            hook: None,
            proof: self.stage.proof(&self.stage.region),
            proofs: BTreeMap::new(),
            sending: Sending::Unknown,
            wait: Duration::from_secs(60),
            forgoes_notes: false,
            now: false,
            tags: None,
        }
    }

    pub(crate) fn faults(&self, plan: &str) {
        self.stage.server.set_faults(Plan::parse(plan).unwrap());
    }

    pub(crate) async fn pass(&mut self, time: SignedDuration) {
        self.ahead += time;
        self.stage.server.move_clock(self.ahead).await.unwrap();
    }

    pub(crate) async fn days(&mut self, days: i64) {
        self.pass(SignedDuration::from_hours(24 * days)).await;
    }

    pub(crate) async fn run(&self, rotation: &Rotation) -> Result<Outcome, RotateError> {
        rotate(&self.stage.root, rotation, Interrupt::never(), &mut |_| {}).await
    }

    /// Runs until it is interrupted at an event that is the last.
    pub(crate) async fn run_until(
        &self,
        rotation: &Rotation,
        is_last: fn(&Event) -> bool,
    ) -> Result<Outcome, RotateError> {
        let (raise, interrupt) = Interrupt::new();
        let on_event = &mut |event| {
            if is_last(&event) {
                raise.send(true).unwrap();
            }
        };
        rotate(&self.stage.root, rotation, interrupt, on_event).await
    }

    /// Runs every eight days until nothing is left to do.
    pub(crate) async fn converge(&mut self, rotation: &Rotation) -> Result<(), RotateError> {
        for _ in 0..8 {
            if matches!(self.run(rotation).await?.end, End::Done { .. }) {
                return Ok(());
            }
            self.days(8).await;
        }
        panic!("it has no end");
    }

    pub(crate) async fn new_key(&self, user: &str) -> (AccessKeyId, SmtpCredential) {
        let made = self.stage.iam.create_access_key().user_name(user).send().await.unwrap();
        let key = made.access_key.unwrap();
        let user_name = AccessKeyId::parse(&key.access_key_id).unwrap();
        let secret = SecretAccessKey::parse(&key.secret_access_key).unwrap();
        let credential = SmtpCredential {
            iam_user: Some(user.to_owned()),
            user_name: user_name.clone(),
            password: SmtpPassword::derive(&secret, &self.stage.region),
            endpoint: Some(self.stage.region.smtp_endpoint()),
        };
        (user_name, credential)
    }

    /// Puts a credential into the store as seskey does.
    pub(crate) fn put(&self, credential: &SmtpCredential) {
        let text = json!({
            "user_name": credential.iam_user,
            "smtp_user_name": credential.user_name.as_str(),
            "smtp_password": credential.password.expose(),
            "smtp_endpoint": credential.endpoint,
        });
        fs::write(self.store(), format!("{text:#}\n")).unwrap();
        fs::set_permissions(self.store(), fs::Permissions::from_mode(0o600)).unwrap();
    }

    pub(crate) async fn deactivate(&self, key: &AccessKeyId) {
        let update = self.stage.iam.update_access_key().user_name(USER).access_key_id(key.as_str());
        update.status("Inactive".into()).send().await.unwrap();
    }

    /// Returns the keys of the user, and whether they are active.
    pub(crate) async fn keys(&self) -> Vec<(String, bool)> {
        let keys = self.stage.iam.list_access_keys().user_name(USER).send().await.unwrap();
        let keys = keys.access_key_metadata.into_iter();
        keys.map(|key| (key.access_key_id.unwrap(), key.status.unwrap().as_str() == "Active"))
            .collect()
    }

    pub(crate) async fn tags(&self) -> Vec<String> {
        let call = self.stage.iam.list_user_tags().user_name(USER).max_items(50);
        let tags = call.send().await.unwrap().tags;
        tags.into_iter().map(|tag| tag.key).collect()
    }

    pub(crate) fn held(&self) -> Option<String> {
        let text = fs::read_to_string(self.store()).ok()?;
        Some(SmtpCredential::read(&text).unwrap()[0].user_name.to_string())
    }
}

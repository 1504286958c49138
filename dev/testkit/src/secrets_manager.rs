//! One secret of AWS Secrets Manager, as strict as its documentation: a token is one version for ever, labels move in
//! one call and only from their place, and a rotation is over when `AWSPENDING` is gone or on the current version.
//!
//! Source: Secrets Manager API, `PutSecretValue`, `UpdateSecretVersionStage`, `RotateSecret`.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use serde_json::{Value, json};

use crate::proxy;

/// The secret, and its server.
#[derive(Clone)]
pub struct Secret {
    /// The address of the server.
    pub address: SocketAddr,
    /// The ARN of the secret.
    pub arn: String,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    name: String,
    arn: String,
    tags: Vec<Value>,
    versions: BTreeMap<String, Version>,
}

#[derive(Default)]
struct Version {
    text: Option<String>,
    labels: BTreeSet<String>,
}

/// An answer: the result, or the code of an error and its message.
type Answer = Result<Value, (&'static str, String)>;

const CURRENT: &str = "AWSCURRENT";
const PENDING: &str = "AWSPENDING";
const PREVIOUS: &str = "AWSPREVIOUS";

impl Secret {
    /// Serves a secret that is rotated, with a text or without a value.
    pub fn start(name: &str, text: Option<&str>, tags: &[(&str, &str)]) -> Self {
        let arn = format!("arn:aws:secretsmanager:us-east-1:000000000000:secret:{name}-AbCdEf");
        let mut state = State { name: name.to_owned(), arn: arn.clone(), ..State::default() };
        state.tags = tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
        if let Some(text) = text {
            let labels = [CURRENT.to_owned()].into();
            let first = Version { text: Some(text.to_owned()), labels };
            state.versions.insert("00000000-0000-4000-8000-000000000000".to_owned(), first);
        }
        let state = Arc::new(Mutex::new(state));
        let served = Arc::clone(&state);
        // there is no server behind it
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 1));
        let address = proxy::start(nowhere, move |request, _| {
            let (status, body) = match served.lock().unwrap().answer(request) {
                Ok(body) => (200, body),
                Err((code, message)) => (400, json!({"__type": code, "message": message})),
            };
            Some(proxy::answer(status, "application/x-amz-json-1.1", &body.to_string()))
        });
        Self { address, arn, state }
    }

    /// Returns the text that an application reads.
    pub fn current(&self) -> Option<String> {
        let state = self.state.lock().unwrap();
        state.versions.get(&state.with(CURRENT)?)?.text.clone()
    }

    /// Returns the labels of a version.
    pub fn labels(&self, version: &str) -> BTreeSet<String> {
        let state = self.state.lock().unwrap();
        state.versions.get(version).map(|version| version.labels.clone()).unwrap_or_default()
    }

    /// Begins a rotation, unless one is under way.
    pub fn rotate(&self, token: &str) -> Result<(), String> {
        let mut state = self.state.lock().unwrap();
        let (pending, current) = (state.with(PENDING), state.with(CURRENT));
        if pending.is_some() && pending != current {
            return Err("A previous rotation isn't complete".to_owned());
        }
        state.put_on(token, PENDING);
        Ok(())
    }

    /// Ends a rotation whose steps are done: removes `AWSPENDING` from the current version.
    pub fn finish(&self, token: &str) {
        let mut state = self.state.lock().unwrap();
        assert_eq!(state.with(CURRENT).as_deref(), Some(token));
        let version = state.versions.get_mut(token).unwrap();
        version.labels.remove(PENDING);
    }
}

impl State {
    fn answer(&mut self, request: &[u8]) -> Answer {
        let text = String::from_utf8_lossy(request);
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let target = head.lines().find_map(|line| line.strip_prefix("x-amz-target: "));
        let body: Value = serde_json::from_str(body).unwrap();
        let id = body["SecretId"].as_str().unwrap_or_default();
        if id != self.name && id != self.arn {
            let message = "Secrets Manager can't find the specified secret.";
            return Err(("ResourceNotFoundException", message.to_owned()));
        }
        match target.and_then(|target| target.strip_prefix("secretsmanager.")).unwrap() {
            "DescribeSecret" => Ok(self.describe()),
            "GetSecretValue" => self.get(&body),
            "PutSecretValue" => self.put(&body),
            "UpdateSecretVersionStage" => self.update(&body),
            "GetResourcePolicy" => Ok(json!({"ARN": self.arn, "Name": self.name})),
            other => Err(("UnknownOperationException", other.to_owned())),
        }
    }

    fn describe(&self) -> Value {
        let labels: BTreeMap<_, _> = self
            .versions
            .iter()
            .filter(|(_, version)| !version.labels.is_empty())
            .map(|(id, version)| (id, &version.labels))
            .collect();
        json!({
            "ARN": self.arn, "Name": self.name, "RotationEnabled": true, "Tags": self.tags,
            "VersionIdsToStages": labels,
        })
    }

    fn get(&self, body: &Value) -> Answer {
        let label = body["VersionStage"].as_str();
        let id = match body["VersionId"].as_str() {
            Some(id) => Some(id.to_owned()),
            None => self.with(label.unwrap_or(CURRENT)),
        };
        let found = id.and_then(|id| {
            let version = self.versions.get(&id)?;
            let fits = label.is_none_or(|label| version.labels.contains(label));
            let text = version.text.as_ref().filter(|_| fits)?;
            Some(json!({
                "ARN": self.arn, "Name": self.name, "VersionId": id, "SecretString": text,
                "VersionStages": version.labels,
            }))
        });
        found.ok_or_else(|| {
            let message = "Secrets Manager can't find the specified secret value";
            ("ResourceNotFoundException", message.to_owned())
        })
    }

    fn put(&mut self, body: &Value) -> Answer {
        let [token, text] = ["ClientRequestToken", "SecretString"]
            .map(|name| body[name].as_str().unwrap().to_owned());
        assert!((32..=64).contains(&token.len()), "a token has 32 to 64 characters");
        let is_first = self.versions.values().all(|version| version.text.is_none());
        match self.versions.get(&token).and_then(|version| version.text.as_ref()) {
            Some(before) if *before == text => {}
            Some(_) => {
                let message = "a version with this token holds another value";
                return Err(("ResourceExistsException", message.to_owned()));
            }
            None => {
                self.versions.entry(token.clone()).or_default().text = Some(text);
                let stages = body["VersionStages"].as_array();
                let stages = stages.map(|stages| stages.iter().filter_map(Value::as_str).collect());
                for label in stages.unwrap_or_else(|| vec![CURRENT]) {
                    self.put_on(&token, label);
                }
                if is_first {
                    self.put_on(&token, CURRENT);
                }
            }
        }
        let labels = &self.versions[&token].labels;
        Ok(json!({"ARN": self.arn, "Name": self.name, "VersionId": token, "VersionStages": labels}))
    }

    fn update(&mut self, body: &Value) -> Answer {
        let wrong = |message: &str| Err(("InvalidParameterException", message.to_owned()));
        let label = body["VersionStage"].as_str().unwrap();
        let (from, to) = (body["RemoveFromVersionId"].as_str(), body["MoveToVersionId"].as_str());
        let at = self.with(label);
        match (from, to) {
            _ if at.is_some() && at.as_deref() == to => {}
            (from, _) if from != at.as_deref() => {
                return wrong("the label is attached to another version");
            }
            (_, Some(to)) if self.versions.contains_key(to) => self.put_on(to, label),
            (_, Some(_)) => return wrong("there is no such version"),
            (Some(_), None) if label == CURRENT => {
                return wrong("AWSCURRENT can be moved and not removed");
            }
            (Some(from), None) => {
                self.versions.get_mut(from).unwrap().labels.remove(label);
            }
            (None, None) => return wrong("neither from nor to"),
        }
        Ok(json!({"ARN": self.arn, "Name": self.name}))
    }

    /// Returns the version with a label.
    fn with(&self, label: &str) -> Option<String> {
        let mut versions = self.versions.iter();
        versions.find(|(_, version)| version.labels.contains(label)).map(|(id, _)| id.clone())
    }

    /// Moves a label; `AWSPREVIOUS` follows `AWSCURRENT`.
    fn put_on(&mut self, version: &str, label: &str) {
        let before = self.with(label).filter(|before| before != version);
        if let Some(before) = before {
            self.versions.get_mut(&before).unwrap().labels.remove(label);
            if label == CURRENT {
                self.put_on(&before, PREVIOUS);
            }
        }
        self.versions.entry(version.to_owned()).or_default().labels.insert(label.to_owned());
    }
}

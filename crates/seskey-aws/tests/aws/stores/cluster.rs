//! A part of a Kubernetes API server, enough for kubectl to get and apply one secret: it knows the managers of its
//! values. Source: Kubernetes, "Server-Side Apply".

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

/// The values of the secret, in Base64, each with its manager.
type Values = Arc<Mutex<BTreeMap<String, (String, String)>>>;

pub(crate) struct Cluster {
    port: u16,
    values: Values,
}

impl Cluster {
    pub(crate) async fn start(namespace: &'static str, name: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let values = Values::default();
        let secret = Secret { namespace, name, values: values.clone() };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, secret.clone()));
            }
        });
        Self { port, values }
    }

    pub(crate) fn kubeconfig(&self) -> String {
        json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{
                "name": "stand-in",
                "cluster": { "server": format!("http://127.0.0.1:{}", self.port) },
            }],
            "contexts": [{ "name": "stand-in", "context": { "cluster": "stand-in", "user": "" } }],
        })
        .to_string()
    }

    /// Sets a value, which then belongs to this manager.
    pub(crate) fn put(&self, manager: &str, key: &str, value: &str) {
        let value = BASE64_STANDARD.encode(value);
        self.values.lock().unwrap().insert(key.to_owned(), (value, manager.to_owned()));
    }

    pub(crate) fn owner(&self, key: &str) -> Option<String> {
        self.values.lock().unwrap().get(key).map(|(_, manager)| manager.clone())
    }
}

#[derive(Clone)]
struct Secret {
    namespace: &'static str,
    name: &'static str,
    values: Values,
}

async fn serve(stream: TcpStream, secret: Secret) -> Option<()> {
    let mut stream = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    stream.read_line(&mut head).await.ok()?;
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok()?;
        match line.to_ascii_lowercase().trim().split_once(':') {
            Some(("content-length", value)) => length = value.trim().parse().ok()?,
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    let mut words = head.split_ascii_whitespace();
    let (method, target) = (words.next()?, words.next()?);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let (status, answer) = secret.answer(method, path, query, &body);
    let answer = answer.to_string();
    let head = format!(
        "HTTP/1.1 {status} -\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        answer.len()
    );
    stream.write_all(head.as_bytes()).await.ok()?;
    stream.write_all(answer.as_bytes()).await.ok()
}

impl Secret {
    fn answer(&self, method: &str, path: &str, query: &str, body: &[u8]) -> (u16, Value) {
        let own = format!("/api/v1/namespaces/{}/secrets/{}", self.namespace, self.name);
        match (method, path) {
            ("GET", "/api") => (200, json!({ "kind": "APIVersions", "versions": ["v1"] })),
            ("GET", "/apis") => (200, json!({ "kind": "APIGroupList", "groups": [] })),
            ("GET", "/api/v1") => (200, resources()),
            ("GET", "/openapi/v3") => {
                let url = json!({ "serverRelativeURL": "/openapi/v3/api/v1?hash=0" });
                (200, json!({ "paths": { "api/v1": url } }))
            }
            ("GET", "/openapi/v3/api/v1") => (200, openapi()),
            ("GET", path) if path == own && !self.values.lock().unwrap().is_empty() => {
                (200, self.object())
            }
            ("PATCH", path) if path == own => self.apply(query, body),
            ("PATCH", path) => {
                let namespace = path.split('/').nth(4).unwrap_or_default();
                (404, not_found("namespaces", namespace))
            }
            _ => (404, not_found("secrets", self.name)),
        }
    }

    fn apply(&self, query: &str, body: &[u8]) -> (u16, Value) {
        assert!(
            query.contains("force=false") && query.contains("fieldValidation=Strict"),
            "{query}"
        );
        let manager = query.split('&').find_map(|pair| pair.strip_prefix("fieldManager=")).unwrap();
        let object: Value = serde_json::from_slice(body).unwrap();
        let applied = object["data"].as_object().unwrap();
        let mut values = self.values.lock().unwrap();
        let conflicts: Vec<_> = applied
            .iter()
            .filter_map(|(key, new)| Some((key, new, values.get(key)?)))
            .filter(|(_, new, (old, owner))| *new != old && owner != manager)
            .map(|(key, _, (_, owner))| (format!("{owner:?} using v1:"), format!(".data.{key}")))
            .collect();
        // the words of a server: one conflict in one line, several of one manager as a list
        let message = match conflicts.as_slice() {
            [] => None,
            [(with, field)] => {
                Some(format!("Apply failed with 1 conflict: conflict with {with} {field}"))
            }
            [(with, _), ..] => {
                let fields: String =
                    conflicts.iter().map(|(_, field)| format!("\n- {field}")).collect();
                let count = conflicts.len();
                Some(format!("Apply failed with {count} conflicts: conflicts with {with}{fields}"))
            }
        };
        if let Some(message) = message {
            return (409, failure(409, "Conflict", &message));
        }
        if query.contains("dryRun=All") {
            drop(values);
            let metadata = json!({ "namespace": self.namespace, "name": self.name });
            let object = json!({ "apiVersion": "v1", "kind": "Secret", "metadata": metadata });
            return (200, object);
        }
        values.retain(|key, (_, owner)| owner != manager || applied.contains_key(key));
        for (key, value) in applied {
            let value = value.as_str().unwrap().to_owned();
            values.insert(key.clone(), (value, manager.to_owned()));
        }
        drop(values);
        (200, self.object())
    }

    fn object(&self) -> Value {
        let values = self.values.lock().unwrap();
        let data: BTreeMap<_, _> = values.iter().map(|(key, (value, _))| (key, value)).collect();
        let metadata = json!({ "namespace": self.namespace, "name": self.name });
        json!({ "apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data })
    }
}

fn not_found(kind: &str, name: &str) -> Value {
    let mut status = failure(404, "NotFound", &format!("{kind} {name:?} not found"));
    status["details"] = json!({ "name": name, "kind": kind });
    status
}

fn failure(code: u16, reason: &str, message: &str) -> Value {
    json!({
        "kind": "Status", "apiVersion": "v1", "status": "Failure",
        "reason": reason, "message": message, "code": code,
    })
}

fn resources() -> Value {
    json!({
        "kind": "APIResourceList",
        "groupVersion": "v1",
        "resources": [{
            "name": "secrets", "singularName": "secret", "namespaced": true, "kind": "Secret",
            "verbs": ["get", "patch"],
        }],
    })
}

/// Declares that the server validates what is applied, so that kubectl leaves this to it.
fn openapi() -> Value {
    let patch = json!({
        "x-kubernetes-group-version-kind": { "group": "", "kind": "Secret", "version": "v1" },
        "parameters": [{ "name": "fieldValidation", "in": "query", "schema": { "type": "string" } }],
        "responses": {},
    });
    json!({
        "openapi": "3.0.0",
        "info": { "title": "Kubernetes", "version": "v1" },
        "paths": { "/api/v1/namespaces/{namespace}/secrets/{name}": { "patch": patch } },
    })
}

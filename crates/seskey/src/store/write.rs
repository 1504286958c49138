//! The text of a store, as it would be typed.

use std::fmt;

use super::{AwsSecret, Kubectl, SecretText, Store, StoreKind, chosen};
use crate::render::Names;

impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut options = Vec::new();
        let mut names = self.form.names().clone();
        let mut usual = Names::of(self.form.target());
        match &self.kind {
            // unchanged, and without options
            StoreKind::Exec { command } => return write!(f, "exec:{command}"),
            StoreKind::File { path } => {
                write!(f, "file:{}", escaped(&path.to_string_lossy()))?;
                options.push(("format", self.form.target().to_string()));
            }
            StoreKind::SecretsManager(secret) | StoreKind::Ssm(secret) => {
                let AwsSecret { name, region, kms_key, text } = secret;
                let is_ssm = matches!(self.kind, StoreKind::Ssm(_));
                let scheme = if is_ssm { "ssm" } else { "secretsmanager" };
                write!(f, "{scheme}:{}", escaped(name))?;
                let place = region.as_ref().filter(|_| *region != self.region);
                options.extend(place.map(|region| ("secret-region", region.to_string())));
                options.extend(kms_key.clone().map(|key| ("kms-key-id", key)));
                if *text == SecretText::UserPassword {
                    options.push(("form", "text".to_owned()));
                }
            }
            StoreKind::Kubernetes(Kubectl { program, kubeconfig, context }) => {
                write!(f, "kubernetes:{}/{}", names.namespace, names.entry)?;
                (usual.namespace, usual.entry) = (names.namespace.clone(), names.entry.clone());
                options.extend(program.clone().map(|program| ("kubectl", program)));
                let kubeconfig = kubeconfig.as_ref().map(|path| path.to_string_lossy());
                options.extend(kubeconfig.map(|path| ("kubeconfig", path.into_owned())));
                options.extend(context.clone().map(|context| ("context", context)));
            }
        }
        options.extend(self.region.as_ref().map(|region| ("region", region.to_string())));
        options.extend(self.host.clone().map(|host| ("host", host)));
        options.extend(self.port.map(|port| ("port", port.to_string())));
        options.extend(self.from.clone().map(|from| ("from", from)));
        let both = chosen(&mut names).into_iter().zip(chosen(&mut usual));
        let other = both.filter(|((_, name), (_, usual))| name != usual);
        options.extend(other.map(|((option, name), _)| (option, name.clone())));
        options.iter().enumerate().try_for_each(|(n, (option, value))| {
            write!(f, "{}{option}={}", if n == 0 { '?' } else { '&' }, escaped(value))
        })
    }
}

/// Returns the text with each special character as `%` and two hexadecimal digits per byte.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if "%?&".contains(character) || character.is_control() {
            let mut bytes = [0; 4];
            for byte in character.encode_utf8(&mut bytes).bytes() {
                escaped.push_str(&format!("%{byte:02X}"));
            }
        } else {
            escaped.push(character);
        }
    }
    escaped
}

//! A store, as it would be typed.

use std::fmt;

use super::{KubernetesSecret, SecretForm, Store, StoreKind, parse::format_name};

impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut options = Vec::new();
        match &self.kind {
            // to the letter, and without options
            StoreKind::Exec { command } => return write!(f, "exec:{command}"),
            StoreKind::File { path, target } => {
                write!(f, "file:{}", escaped(&path.to_string_lossy()))?;
                options.push(("format", format_name(*target).to_owned()));
            }
            StoreKind::SecretsManager { name, region, kms_key, form }
            | StoreKind::Ssm { name, region, kms_key, form } => {
                let secrets_manager = matches!(self.kind, StoreKind::SecretsManager { .. });
                let scheme = if secrets_manager { "secretsmanager" } else { "ssm" };
                write!(f, "{scheme}:{}", escaped(name))?;
                options.extend(region.as_ref().map(|region| ("region", region.to_string())));
                options.extend(kms_key.clone().map(|key| ("kms-key-id", key)));
                if *form == SecretForm::UserPassword {
                    options.push(("form", "text".to_owned()));
                }
            }
            StoreKind::Kubernetes(secret) => {
                let KubernetesSecret { namespace, name, kubectl, kubeconfig, context } = secret;
                write!(f, "kubernetes:{}/{}", escaped(namespace), escaped(name))?;
                options.extend(kubectl.clone().map(|kubectl| ("kubectl", kubectl)));
                let kubeconfig = kubeconfig.as_ref().map(|path| path.to_string_lossy());
                options.extend(kubeconfig.map(|path| ("kubeconfig", path.into_owned())));
                options.extend(context.clone().map(|context| ("context", context)));
            }
        }
        options.extend(self.host.clone().map(|host| ("host", host)));
        options.extend(self.port.map(|port| ("port", port.to_string())));
        options.extend(self.from.clone().map(|from| ("from", from)));
        let usual = self.kind.usual_keys();
        let chosen =
            self.keys.named().into_iter().zip(usual.named()).filter(|(key, usual)| key != usual);
        options.extend(chosen.map(|((option, key), _)| (option, key.to_owned())));
        options.iter().enumerate().try_for_each(|(n, (option, value))| {
            write!(f, "{}{option}={}", if n == 0 { '?' } else { '&' }, escaped(value))
        })
    }
}

/// The text, with what would be taken for more than itself as `%` and two hexadecimal digits a byte.
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

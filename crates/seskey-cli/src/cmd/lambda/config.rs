//! The `seskey.toml` of the function: `$SESKEY_CONFIG` is a path, `s3://BUCKET/KEY`, or `ssm:/NAME`.

use std::path::{Path, PathBuf};

use seskey::Fleet;
use seskey_aws::{Account, store::parameter_value};

use crate::{
    cmd::fleet,
    environment::variable,
    explain::{self, Failure, Result},
    input,
};

/// Returns the fleet and the path of its file, in whose folder its paths begin. `None` if no file is named.
pub(super) async fn declared(account: &Account) -> Result<Option<(Fleet, PathBuf)>> {
    let Some(place) = variable("SESKEY_CONFIG") else { return Ok(None) };
    let text = match (place.strip_prefix("s3://"), place.strip_prefix("ssm:")) {
        (Some(object), _) => in_object(account, object).await,
        (_, Some(name)) => in_parameter(account, &place, name).await,
        (None, None) => {
            let path = Path::new(&variable("LAMBDA_TASK_ROOT").unwrap_or_default()).join(place);
            return Ok(Some((fleet::read(&path)?, path)));
        }
    };
    let text = text.map_err(|failure| failure.of("$SESKEY_CONFIG"))?;
    let path = PathBuf::from(&place);
    let fleet = Fleet::parse(&text);
    Ok(Some((fleet.map_err(|errors| explain::input::fleet(&errors, &path))?, path)))
}

async fn in_object(account: &Account, object: &str) -> Result<String> {
    let named =
        object.split_once('/').filter(|(bucket, key)| !bucket.is_empty() && !key.is_empty());
    let (bucket, key) = named.ok_or_else(|| {
        Failure::usage(
            format!("s3://{object} names no object"),
            "it is s3://BUCKET/KEY, such as s3://config/seskey.toml",
        )
    })?;
    let text = account.object(bucket, key).await;
    text.map_err(|error| explain::object::failure(bucket, key, &error))
}

async fn in_parameter(account: &Account, place: &str, name: &str) -> Result<String> {
    let store = input::store(place, "")?;
    let text = parameter_value(account, name).await;
    let text = text.map_err(|error| explain::store::failure(&store, &error))?;
    text.ok_or_else(|| Failure::new(format!("there is no parameter {name}"), "check the name"))
}

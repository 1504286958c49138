//! The `seskey.toml` of the function: `$SESKEY_CONFIG` is a path, or `ssm:/NAME`.

use std::path::{Path, PathBuf};

use seskey::Fleet;
use seskey_aws::{Account, store::parameter_value};

use crate::{
    cmd::fleet,
    environment::variable,
    explain::{self, Failure, Result},
    input,
};

/// What is declared, and where: paths in it begin in that folder. `None` if nothing is.
pub(super) async fn declared(account: &Account) -> Result<Option<(Fleet, PathBuf)>> {
    let Some(place) = variable("SESKEY_CONFIG") else { return Ok(None) };
    let Some(name) = place.strip_prefix("ssm:") else {
        let path = Path::new(&variable("LAMBDA_TASK_ROOT").unwrap_or_default()).join(place);
        return Ok(Some((fleet::read(&path)?, path)));
    };
    let store = input::store(&place, "")?;
    let text = parameter_value(account, name).await;
    let text =
        text.map_err(|error| explain::store::failure(&store, &error).of("$SESKEY_CONFIG"))?;
    let text = text.ok_or_else(|| {
        Failure::new(format!("there is no parameter {name}"), "check the name").of("$SESKEY_CONFIG")
    })?;
    let path = PathBuf::from(&place);
    let fleet = Fleet::parse(&text);
    Ok(Some((fleet.map_err(|errors| explain::input::fleet(&errors, &path))?, path)))
}

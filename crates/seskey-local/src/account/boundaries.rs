//! Permissions boundaries. Source: IAM User Guide, "Permissions boundaries for IAM entities".

use super::{Account, Answer};
use crate::refusal::{ApiRefusal, Bounded, Missing};

impl Account {
    pub(super) fn put_permissions_boundary(
        &mut self,
        bounded: &Bounded,
        permissions_boundary: String,
    ) -> Result<Answer, ApiRefusal> {
        self.boundary_mut(bounded)?;
        self.attachable_policy(&permissions_boundary)?;
        *self.boundary_mut(bounded)? = Some(permissions_boundary);
        Ok(Answer::Done)
    }

    pub(super) fn delete_permissions_boundary(
        &mut self,
        bounded: &Bounded,
    ) -> Result<Answer, ApiRefusal> {
        match self.boundary_mut(bounded)?.take() {
            Some(_) => Ok(Answer::Done),
            None => Err(ApiRefusal::NoSuchEntity(Missing::PermissionsBoundary(bounded.clone()))),
        }
    }

    fn boundary_mut(&mut self, bounded: &Bounded) -> Result<&mut Option<String>, ApiRefusal> {
        match bounded {
            Bounded::User(name) => Ok(&mut self.user_entry_mut(name)?.user.permissions_boundary),
            Bounded::Role(name) => Ok(&mut self.role_entry_mut(name)?.role.permissions_boundary),
        }
    }
}

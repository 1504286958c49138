//! The implementation of each action.

use jiff::Timestamp;
use rand::Rng;

use super::{Account, Action, Answer, whole_seconds};
use crate::refusal::ApiRefusal;

impl Account {
    /// Carries out one action, or refuses it and changes nothing.
    ///
    /// # Errors
    /// The refusals of the action in the IAM API Reference.
    pub fn apply(
        &mut self,
        action: Action,
        now: Timestamp,
        rng: &mut dyn Rng,
    ) -> Result<Answer, ApiRefusal> {
        use Action as A;
        let (exactly, now) = (now, whole_seconds(now));
        match action {
            A::CreateUser { user_name, path, permissions_boundary, tags } => {
                self.create_user(user_name, path, permissions_boundary, tags, now, rng)
            }
            A::GetUser { principal } => self.get_user(&principal),
            A::ListUsers { path_prefix, page } => self.list_users(&path_prefix, &page),
            A::UpdateUser { user_name, new_path, new_user_name } => {
                self.update_user(&user_name, new_path, new_user_name)
            }
            A::DeleteUser { user_name } => self.delete_user(&user_name),
            A::Tag { tagged, tags } => self.tag(&tagged, tags),
            A::Untag { tagged, tag_keys } => self.untag(&tagged, &tag_keys),
            A::ListTags { tagged, page } => self.list_tags(&tagged, &page),
            A::PutPermissionsBoundary { bounded, permissions_boundary } => {
                self.put_permissions_boundary(&bounded, permissions_boundary)
            }
            A::DeletePermissionsBoundary { bounded } => self.delete_permissions_boundary(&bounded),
            A::CreateLoginProfile { user_name, password, password_reset_required } => {
                self.create_login_profile(&user_name, &password, password_reset_required, now)
            }
            A::GetLoginProfile { user_name } => self.get_login_profile(&user_name),
            A::DeleteLoginProfile { user_name } => self.delete_login_profile(&user_name),
            A::CreateServiceSpecificCredential { user_name, service_name } => {
                self.create_service_specific_credential(&user_name, service_name, now, rng)
            }
            A::ListServiceSpecificCredentials { user_name, service_name, page } => {
                self.list_service_specific_credentials(&user_name, service_name.as_deref(), &page)
            }
            A::UpdateServiceSpecificCredential {
                user_name,
                service_specific_credential_id: id,
                status,
            } => self.update_service_specific_credential(&user_name, id, status),
            A::ResetServiceSpecificCredential { user_name, service_specific_credential_id } => self
                .reset_service_specific_credential(&user_name, service_specific_credential_id, rng),
            A::DeleteServiceSpecificCredential { user_name, service_specific_credential_id } => {
                self.delete_service_specific_credential(&user_name, service_specific_credential_id)
            }
            A::CreateAccessKey { principal } => self.create_access_key(principal, exactly, rng),
            A::ListAccessKeys { principal, page } => {
                self.list_access_keys(&principal, &page, exactly)
            }
            A::UpdateAccessKey { principal, access_key_id, status } => {
                self.update_access_key(&principal, access_key_id, status, exactly)
            }
            A::DeleteAccessKey { principal, access_key_id } => {
                self.delete_access_key(&principal, access_key_id, exactly)
            }
            A::GetAccessKeyLastUsed { access_key_id } => {
                self.get_access_key_last_used(access_key_id)
            }
            A::CreateGroup { group_name, path } => self.create_group(group_name, path, now, rng),
            A::GetGroup { group_name, page } => self.get_group(&group_name, &page),
            A::ListGroups { path_prefix, page } => self.list_groups(&path_prefix, &page),
            A::ListGroupsForUser { user_name, page } => {
                self.list_groups_for_user(&user_name, &page)
            }
            A::UpdateGroup { group_name, new_path, new_group_name } => {
                self.update_group(&group_name, new_path, new_group_name)
            }
            A::AddUserToGroup { group_name, user_name } => {
                self.add_user_to_group(&group_name, &user_name)
            }
            A::RemoveUserFromGroup { group_name, user_name } => {
                self.remove_user_from_group(&group_name, &user_name)
            }
            A::DeleteGroup { group_name } => self.delete_group(&group_name),
            A::CreateRole(new) => self.create_role(new, now, rng),
            A::GetRole { role_name } => self.get_role(&role_name),
            A::ListRoles { path_prefix, page } => self.list_roles(&path_prefix, &page),
            A::UpdateRole { role_name, description, max_session_duration } => {
                self.update_role(&role_name, description, max_session_duration)
            }
            A::UpdateAssumeRolePolicy { role_name, document } => {
                self.update_assume_role_policy(&role_name, document)
            }
            A::DeleteRole { role_name } => self.delete_role(&role_name),
            A::PutPolicy { holder, policy_name, document } => {
                self.put_policy(&holder, policy_name, document)
            }
            A::GetInlinePolicy { holder, policy_name } => {
                self.get_inline_policy(holder, policy_name)
            }
            A::ListInlinePolicies { holder, page } => self.list_inline_policies(&holder, &page),
            A::DeleteInlinePolicy { holder, policy_name } => {
                self.delete_inline_policy(&holder, policy_name)
            }
            A::AttachPolicy { holder, policy_arn } => self.attach_policy(&holder, policy_arn),
            A::DetachPolicy { holder, policy_arn } => self.detach_policy(&holder, policy_arn),
            A::ListAttachedPolicies { holder, path_prefix, page } => {
                self.list_attached_policies(&holder, &path_prefix, &page)
            }
            A::CreatePolicy { policy_name, path, document, description, tags } => {
                self.create_policy(policy_name, path, document, description, tags, now, rng)
            }
            A::GetPolicy { policy_arn } => self.get_policy(&policy_arn),
            A::CreatePolicyVersion { policy_arn, document, set_as_default } => {
                self.create_policy_version(&policy_arn, document, set_as_default, now)
            }
            A::GetPolicyVersion { policy_arn, version_id } => {
                self.get_policy_version(&policy_arn, &version_id)
            }
            A::ListPolicyVersions { policy_arn, page } => {
                self.list_policy_versions(&policy_arn, &page)
            }
            A::SetDefaultPolicyVersion { policy_arn, version_id } => {
                self.set_default_policy_version(&policy_arn, &version_id)
            }
            A::DeletePolicyVersion { policy_arn, version_id } => {
                self.delete_policy_version(&policy_arn, &version_id)
            }
            A::DeletePolicy { policy_arn } => self.delete_policy(&policy_arn),
            A::ListPolicies { scope, only_attached, usage, path_prefix, page } => {
                self.list_policies(scope, only_attached, usage, &path_prefix, &page)
            }
            A::ListEntitiesForPolicy { policy_arn, entity, usage, path_prefix, page } => {
                self.list_entities_for_policy(&policy_arn, entity, usage, &path_prefix, &page)
            }
            A::SimulatePrincipalPolicy(simulation) => self.simulate(&simulation),
            A::GetAccountPasswordPolicy => Err(self.no_password_policy()),
            A::GetAccountSummary => Ok(Answer::AccountSummary(self.summary())),
            A::GetAccountAuthorizationDetails { filter, page } => {
                self.authorization_details(&filter, &page)
            }
            A::GenerateCredentialReport => Ok(self.generate_credential_report(now)),
            A::GetCredentialReport => self.get_credential_report(now),
            A::ListNone { holder, list } => {
                holder.map_or(Ok(()), |holder| self.held(&holder).map(drop))?;
                Ok(Answer::Nothing { list })
            }
            A::GetCallerIdentity { caller } => Ok(Answer::CallerIdentity {
                arn: self.principal_arn(&caller),
                user_id: self.principal_id(&caller).unwrap_or_else(|| self.id.to_string()),
                account: self.id.clone(),
            }),
            A::GetAccessKeyInfo { account } => Ok(Answer::AccessKeyInfo { account }),
            A::AssumeRole(assume) => self.assume_role(assume, now, rng),
            A::GetSessionToken { caller, duration } => {
                self.get_session_token(caller, duration, now, rng)
            }
        }
    }
}

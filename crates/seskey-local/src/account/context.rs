//! What is known of a principal when it asks for something.

use seskey::policy::Context;

use super::{Account, Principal};

impl Account {
    /// The condition keys that tell who asks.
    /// Source: IAM User Guide, "AWS global condition context keys", properties of the principal.
    pub fn principal_context(&self, principal: &Principal) -> Context {
        let mut context = Context::new()
            .with("aws:PrincipalArn", [self.principal_arn(principal)])
            .with("aws:PrincipalAccount", [self.id().as_str()])
            .with(
                "aws:PrincipalType",
                [if *principal == Principal::Root { "Account" } else { "User" }],
            );
        match principal {
            Principal::Root => context.insert("aws:userid", [self.id().as_str()]),
            Principal::User(name) => {
                context.insert("aws:username", [name.as_str()]);
                if let Some(user) = self.user(name) {
                    context.insert("aws:userid", [user.user_id.as_str()]);
                    for tag in &user.tags {
                        context
                            .insert(&format!("aws:PrincipalTag/{}", tag.key), [tag.value.as_str()]);
                    }
                }
            }
        }
        context
    }
}

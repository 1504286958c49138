//! The migration from the console's older style to its present one: as AWS describes it, and stopped at every step.

use std::time::Duration;

use aws_sdk_iam::types::{PolicyEvaluationDecisionType, Tag};
use seskey::{
    permissions,
    user::{CONSOLE_TAG, SENDING_GROUP, SENDING_POLICY, UserPath},
};
use seskey_aws::{
    Account, Cause,
    lifecycle::{
        Interrupt,
        create::{Event, Style},
        migrate::{MigrateError, MigrateFailure, Plan, Step, migrate, plan},
        undo::Thing,
    },
};
use seskey_local::faults;
use tokio::task::JoinSet;

use super::{create::run, stage::Stage};

/// Every character that IAM accepts in a name besides letters and digits.
const USER: &str = "=app+mail,eu.west@example-1_x";
const PATH: &str = "/system/mail/";

const WHOLE: [Step; 5] = [
    Step::CreateGroup,
    Step::PutGroupPolicy,
    Step::AddUserToGroup,
    Step::DeleteUserPolicy,
    Step::UntagUser,
];

fn policy(statements: &str) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#)
}

const SEND: &str = r#"{"Effect":"Allow","Action":"ses:SendRawEmail","Resource":"*"}"#;

impl Stage {
    /// Returns a stage with a user as the console made it before September 2024.
    async fn with_user_of_the_older_style() -> Self {
        let stage = Self::new().await;
        let mut request = stage.request(USER, Style::Inline { policy: policy(SEND) });
        request.path = UserPath::parse(PATH).unwrap();
        request.tags.push((CONSOLE_TAG.0.to_owned(), CONSOLE_TAG.1.to_owned()));
        request.proof = None;
        run(&stage.root, &request).await.0.unwrap();
        stage
    }

    async fn put_own_policy(&self, name: &str, statements: &str) {
        let put = self.iam.put_user_policy().user_name(USER).policy_name(name);
        put.policy_document(policy(statements)).send().await.unwrap();
    }

    async fn make_group(&self, statements: &str) {
        self.iam.create_group().group_name(SENDING_GROUP).send().await.unwrap();
        let put = self.iam.put_group_policy().group_name(SENDING_GROUP).policy_name("sending");
        put.policy_document(policy(statements)).send().await.unwrap();
    }

    /// Whether the account itself would allow a message.
    async fn may_send(&self) -> bool {
        let arn = format!("arn:aws:iam::000000000000:user{PATH}{USER}");
        let asked = self.iam.simulate_principal_policy().policy_source_arn(arn);
        let answer = asked.action_names("ses:SendRawEmail").send().await.unwrap();
        answer.evaluation_results()[0].eval_decision == PolicyEvaluationDecisionType::Allowed
    }

    async fn is_migrated(&self) -> bool {
        let plan = plan(&self.root, USER, false, &mut |_| {}).await;
        let tags = self.iam.list_user_tags().user_name(USER).send().await.unwrap().tags;
        plan.is_ok_and(|plan| plan.steps.is_empty())
            && !tags.iter().any(|tag| tag.key() == CONSOLE_TAG.0)
            && self.snapshot().await
                == [
                    format!("group {SENDING_GROUP}: 1 members, [\"{SENDING_POLICY}\"]"),
                    format!("user {USER}: 1 keys, []"),
                ]
    }

    fn set_faults(&self, rules: &[(&str, &str)]) {
        let rule =
            |(action, fault): &(&str, &str)| format!("[[api]]\naction = \"{action}\"\n{fault}\n");
        let rules: String = rules.iter().map(rule).collect();
        self.server.set_faults(faults::Plan::parse(&rules).unwrap());
    }
}

async fn planned(account: &Account) -> Result<Plan, MigrateFailure> {
    plan(account, USER, false, &mut |_| {}).await
}

async fn carry_out(account: &Account, plan: &Plan) -> Result<(), MigrateError> {
    migrate(account, plan, Duration::ZERO, Interrupt::never(), &mut |_| {}).await
}

#[tokio::test]
async fn as_aws_describes_it_and_again() {
    let stage = Stage::with_user_of_the_older_style().await;
    let plan = planned(&stage.root).await.unwrap();
    assert_eq!(plan.steps, WHOLE);
    assert_eq!(plan.user_arn, format!("arn:aws:iam::000000000000:user{PATH}{USER}"));
    carry_out(&stage.root, &plan).await.unwrap();
    assert!(stage.is_migrated().await && stage.may_send().await);
    let tags = stage.iam.list_user_tags().user_name(USER).send().await.unwrap().tags;
    assert_eq!(tags.len(), 1, "the tag of the region stays");

    // a plan that was carried out before does no harm
    carry_out(&stage.root, &plan).await.unwrap();
    assert!(stage.is_migrated().await && stage.may_send().await);
}

#[tokio::test]
async fn other_policies_and_a_group_that_is_there_stay() {
    let stage = Stage::with_user_of_the_older_style().await;
    stage.put_own_policy("reports", &SEND.replace("ses:SendRawEmail", "ses:GetSendQuota")).await;
    stage.make_group(SEND).await;
    let plan = planned(&stage.root).await.unwrap();
    assert_eq!(plan.steps, WHOLE[2..]);
    assert_eq!(plan.other_policies, ["reports"]);
    carry_out(&stage.root, &plan).await.unwrap();
    let left = [
        format!("group {SENDING_GROUP}: 1 members, [\"sending\"]"),
        format!("user {USER}: 1 keys, [\"reports\"]"),
    ];
    assert_eq!(stage.snapshot().await, left);
}

/// A tag with that name which the console did not set is somebody else's, and stays.
#[tokio::test]
async fn a_tag_of_others_stays() {
    let stage = Stage::with_user_of_the_older_style().await;
    let tag = Tag::builder().key(CONSOLE_TAG.0).value("terraform").build().unwrap();
    stage.iam.tag_user().user_name(USER).tags(tag).send().await.unwrap();
    assert_eq!(planned(&stage.root).await.unwrap().steps, WHOLE[..4]);
}

#[tokio::test]
async fn a_policy_that_is_not_the_consoles_is_not_taken_away() {
    let restricted =
        SEND.replace('}', r#","Condition":{"StringLike":{"ses:FromAddress":"*@example.com"}}}"#);
    let narrow = SEND.replace('*', "arn:aws:ses:*:*:identity/example.com");
    let denying = format!(
        r#"{SEND},{{"Effect":"Deny","Action":"ses:*","Resource":"*","Condition":{{"StringNotLike":{{"ses:FromAddress":"*@example.com"}}}}}}"#
    );
    let stage = Stage::with_user_of_the_older_style().await;
    for statements in [&restricted, &narrow, &denying] {
        stage.put_own_policy(SENDING_POLICY, statements).await;
        let before = stage.snapshot().await;
        assert_eq!(planned(&stage.root).await, Err(MigrateFailure::Restricted), "{statements}");
        assert_eq!(stage.snapshot().await, before);
    }
    for statements in [
        SEND.replace("ses:SendRawEmail", "ses:*"),
        SEND.replace("ses:SendRawEmail", "ses:SendEmail"),
        format!("{SEND},{}", SEND.replace("ses:SendRawEmail", "s3:GetObject")),
    ] {
        stage.put_own_policy(SENDING_POLICY, &statements).await;
        let refused = plan(&stage.root, USER, true, &mut |_| {}).await;
        assert_eq!(refused, Err(MigrateFailure::AllowsMore), "{statements}");
    }
    for statements in [&restricted, &narrow, &denying] {
        let stage = Stage::with_user_of_the_older_style().await;
        stage.put_own_policy(SENDING_POLICY, statements).await;
        let plan = plan(&stage.root, USER, true, &mut |_| {}).await.unwrap();
        carry_out(&stage.root, &plan).await.unwrap();
        assert!(stage.is_migrated().await && stage.may_send().await, "{statements}");
    }
}

#[tokio::test]
async fn what_would_take_the_permission_away_is_seen_beforehand() {
    let here = SEND.replace('*', "arn:aws:ses:*:*:identity/example.com");
    let deny = here.replace("Allow", "Deny");
    for statements in
        [&here, &format!("{SEND},{deny}"), &SEND.replace("SendRawEmail", "GetSendQuota")]
    {
        let stage = Stage::with_user_of_the_older_style().await;
        stage.make_group(statements).await;
        let policies = vec!["sending".to_owned()];
        let refused = planned(&stage.root).await;
        assert_eq!(refused, Err(MigrateFailure::GroupRestricts { policies }), "{statements}");
    }

    let stage = Stage::with_user_of_the_older_style().await;
    stage.put_own_policy("quarantine", &SEND.replace("Allow", "Deny")).await;
    let refused = planned(&stage.root).await;
    let Err(MigrateFailure::UserCannotSend { simulated }) = refused else { panic!("{refused:?}") };
    assert_eq!(simulated.policies, ["quarantine"]);

    let stage = Stage::new().await;
    stage.iam.create_user().user_name(USER).send().await.unwrap();
    assert_eq!(planned(&stage.root).await, Err(MigrateFailure::NotInline));
    let nobody = plan(&stage.root, "nobody", false, &mut |_| {}).await;
    assert!(matches!(nobody, Err(MigrateFailure::Call(error)) if error.is_no_such_entity()));
}

/// Each call that changes something is cut off, before and after its effect; then the migration either undoes what it
/// can or is dead. The user may send at every moment, and the next run finishes.
#[tokio::test]
async fn cut_anywhere_the_user_may_send_and_the_next_run_finishes() {
    let mut cuts = JoinSet::new();
    for step in WHOLE {
        for moment in ["before", "after"] {
            for dead in [false, true] {
                cuts.spawn(cut(step, moment, dead));
            }
        }
    }
    while let Some(cut) = cuts.join_next().await {
        cut.unwrap();
    }
}

async fn cut(step: Step, moment: &str, dead: bool) {
    let what = format!("{step:?} {moment} dead={dead}");
    let stage = Stage::with_user_of_the_older_style().await;
    let before = stage.snapshot().await;
    let plan = planned(&stage.root).await.unwrap();
    let action = step.action().trim_start_matches("iam:");
    let cut = format!("cut = \"{moment}\"");
    let undoes = ["DeleteGroup", "DeleteGroupPolicy"];
    let undoes = undoes.iter().map(|action| (*action, "cut = \"before\"")).filter(|_| dead);
    stage.set_faults(&[(action, cut.as_str())].into_iter().chain(undoes).collect::<Vec<_>>());
    let error = carry_out(&stage.root, &plan).await.unwrap_err();
    stage.set_faults(&[]);
    assert!(stage.may_send().await, "{what}");
    let joined = !matches!(step, Step::CreateGroup | Step::PutGroupPolicy);
    assert_eq!(error.joined, joined, "{what}: {error:?}");
    if !joined && !dead {
        assert_eq!((error.left, stage.snapshot().await), (vec![], before), "{what}");
    }
    let plan = planned(&stage.root).await.unwrap();
    carry_out(&stage.root, &plan).await.unwrap();
    assert!(stage.may_send().await && stage.is_migrated().await, "{what}");
}

/// A run does not undo a step whose answer was lost: another run may rely on it already.
#[tokio::test]
async fn a_run_takes_nothing_back_from_another() {
    let stage = Stage::with_user_of_the_older_style().await;
    for step in [Step::CreateGroup, Step::PutGroupPolicy, Step::AddUserToGroup] {
        let late = planned(&stage.root).await.unwrap();
        let first = planned(&stage.root).await.unwrap();
        carry_out(&stage.root, &first).await.unwrap();
        stage.set_faults(&[(step.action().trim_start_matches("iam:"), "cut = \"after\"")]);
        let error = carry_out(&stage.root, &late).await;
        stage.set_faults(&[]);
        assert!(stage.may_send().await, "{step:?}: {error:?}");

        // restores the state before
        stage.put_own_policy(SENDING_POLICY, SEND).await;
        let leave = stage.iam.remove_user_from_group().group_name(SENDING_GROUP).user_name(USER);
        leave.send().await.unwrap();
        let delete = stage.iam.delete_group_policy().group_name(SENDING_GROUP);
        delete.policy_name(SENDING_POLICY).send().await.unwrap();
        stage.iam.delete_group().group_name(SENDING_GROUP).send().await.unwrap();
    }
}

#[tokio::test]
async fn an_interrupt_leaves_both_or_nothing() {
    let stage = Stage::with_user_of_the_older_style().await;
    let before = stage.snapshot().await;
    for (stop_at, joined) in [(0, false), (1, false), (2, true)] {
        let plan = planned(&stage.root).await.unwrap();
        let (raise, interrupt) = Interrupt::new();
        let mut made = 0;
        let done = migrate(&stage.root, &plan, Duration::from_secs(60), interrupt, &mut |event| {
            if matches!(event, Event::Made(_)) {
                if made == stop_at {
                    raise.send(true).unwrap();
                }
                made += 1;
            }
        })
        .await;
        let failure = MigrateFailure::Interrupted;
        assert_eq!(done, Err(MigrateError { failure, joined, left: vec![] }), "{stop_at}");
        assert_eq!(stage.snapshot().await == before, !joined, "{stop_at}");
        assert!(stage.may_send().await);
    }
    assert_eq!(planned(&stage.root).await.unwrap().steps, WHOLE[3..]);
}

/// The group is checked again before the user's own policy is deleted.
#[tokio::test]
async fn what_changes_meanwhile_is_seen() {
    let stage = Stage::with_user_of_the_older_style().await;
    let plan = planned(&stage.root).await.unwrap();
    stage.make_group(&SEND.replace('*', "arn:aws:ses:*:*:identity/example.com")).await;
    let error = carry_out(&stage.root, &plan).await.unwrap_err();
    let policies = vec!["sending".to_owned()];
    assert_eq!(error.failure, MigrateFailure::GroupRestricts { policies });
    assert!(error.joined && stage.may_send().await);
}

#[tokio::test]
async fn a_caller_who_lacks_an_action_is_told_or_changes_nothing() {
    for step in WHOLE {
        let stage = Stage::with_user_of_the_older_style().await;
        let caller = stage.all_but("may-ask", &[step.action()]).await;
        let refused = planned(&caller).await;
        let Err(MigrateFailure::NotPermitted { denied }) = refused else { panic!("{refused:?}") };
        assert_eq!(denied[0].action, step.action());

        let without = [step.action(), "iam:SimulatePrincipalPolicy"];
        let caller = stage.all_but("may-not", &without).await;
        let before = stage.snapshot().await;
        let mut events = Vec::new();
        let plan = plan(&caller, USER, false, &mut |event| events.push(event)).await.unwrap();
        assert!(events.iter().any(|event| matches!(event, Event::Unchecked { .. })), "{events:?}");
        let error = carry_out(&caller, &plan).await.unwrap_err();
        assert!(stage.may_send().await);
        assert_eq!(error.joined, stage.snapshot().await != before, "{step:?}");
    }
}

#[tokio::test]
async fn the_least_permissions_are_enough_to_migrate_and_to_take_back() {
    let stage = Stage::with_user_of_the_older_style().await;
    let caller = stage.with_policy("operator", &permissions::policy(&["migrate"])).await;
    let first = planned(&caller).await.unwrap();
    stage.set_faults(&[("PutGroupPolicy", "cut = \"after\"")]);
    let error = carry_out(&caller, &first).await.unwrap_err();
    stage.set_faults(&[]);
    assert!(error.left.is_empty(), "{error:?}");

    let mut events = Vec::new();
    let again = plan_with(&caller, &mut events).await;
    let unchecked = |event: &&Event| matches!(event, Event::Unchecked { .. });
    assert_eq!(events.iter().find(unchecked), None);
    carry_out(&caller, &again).await.unwrap();
    assert!(stage.may_send().await);

    // each of them is needed, except those for undoing and for reading a managed policy
    let spare = ["iam:GetPolicy", "iam:GetPolicyVersion", "iam:SimulatePrincipalPolicy"];
    for permission in permissions::of_verb("migrate") {
        let action = permission.action;
        let undoes = ["iam:DeleteGroup", "iam:DeleteGroupPolicy"];
        if spare.contains(&action) || undoes.contains(&action) {
            continue;
        }
        let stage = Stage::with_user_of_the_older_style().await;
        let caller = stage.all_but("caller", &[action, "iam:SimulatePrincipalPolicy"]).await;
        let migrated = match plan(&caller, USER, false, &mut |_| {}).await {
            Ok(plan) => carry_out(&caller, &plan).await.map_err(|error| error.failure),
            Err(failure) => Err(failure),
        };
        let Err(MigrateFailure::Call(error)) = migrated else { panic!("{action}: {migrated:?}") };
        assert!(
            matches!(&error.cause, Cause::AccessDenied { action: denied, .. } if denied == action),
            "{action}: {error:?}"
        );
    }
}

async fn plan_with(account: &Account, events: &mut Vec<Event>) -> Plan {
    plan(account, USER, false, &mut |event| events.push(event)).await.unwrap()
}

#[tokio::test]
async fn what_cannot_be_taken_back_is_named() {
    let stage = Stage::with_user_of_the_older_style().await;
    let denied = ["iam:AddUserToGroup", "iam:SimulatePrincipalPolicy", "iam:DeleteGroup"];
    let caller = stage.all_but("caller", &denied).await;
    let plan = planned(&caller).await.unwrap();
    let error = carry_out(&caller, &plan).await.unwrap_err();
    let [left] = &error.left[..] else { panic!("{error:?}") };
    assert_eq!(left.what.what, Thing::Group { group: SENDING_GROUP.to_owned() });
    assert!(stage.may_send().await);
}

//! Faults on purpose: which API calls and SMTP commands fail, how, and when.
//!
//! The same plan with the same seed fails in the same places of the same sequence of calls.

use std::{borrow::Cow, collections::HashMap, num::NonZeroU64};

use jiff::Timestamp;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use seskey::policy::is_like;

pub use plan::{ApiFault, Moment, Plan, SmtpFault};

use crate::{
    event::{self, Fate},
    refusal::Code,
};
use plan::{Calls, Chosen, Rate, Rule};

mod plan;

/// A plan and its progress.
#[derive(Debug)]
pub struct Faults {
    plan: Plan,
    rng: StdRng,
    /// The number of times that each rule was asked about an API action or an SMTP command, by the place of the rule.
    calls: HashMap<(Wire, usize, String), u64>,
    /// The level of each bucket of the plan.
    buckets: Vec<Level>,
    /// The level of the rate of each rule for SMTP.
    rates: Vec<Level>,
}

/// The number of calls that are left, and the time of that number.
type Level = (f64, Timestamp);

/// The facts about a mail that are known at a command.
#[derive(Debug, Clone, Default)]
pub struct Mail<'a> {
    /// The name of the IAM user, once the client logs in.
    pub user: Option<Cow<'a, str>>,
    /// The sender of the envelope.
    pub sender: Option<&'a str>,
    /// The recipients of the envelope; at RCPT, the one that the command names.
    pub recipients: Vec<&'a str>,
    /// The number of messages of its session that were accepted before it.
    pub messages: u64,
}

/// The reply that ends a session at its limit of messages, as a user of SES has seen it.
const SESSION_IS_OVER: &str =
    "Connection closed by server. Maximum message count per session reached.";

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Wire {
    Api,
    Smtp,
    Event,
}

impl Default for Faults {
    /// Returns the faults of an empty plan.
    fn default() -> Self {
        Self::new(Plan::default(), Timestamp::UNIX_EPOCH)
    }
}

impl Faults {
    /// Starts a plan: the counts of calls begin at zero, and all buckets are full.
    pub fn new(plan: Plan, now: Timestamp) -> Self {
        let buckets = plan.rate.iter().map(|bucket| (bucket.rate().burst, now)).collect();
        let burst = |rule: &Rule<SmtpFault>| rule.within.map_or(0.0, |rate| rate.burst);
        let rates = plan.smtp.iter().map(|rule| (burst(rule), now)).collect();
        Self { rng: StdRng::seed_from_u64(plan.seed), plan, calls: HashMap::new(), buckets, rates }
    }

    /// Returns the plan that is in force.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Returns the fault of a call of an action such as `CreateUser`. Ask once for each call: it counts them.
    pub fn of_call(&mut self, action: &str, now: Timestamp) -> Option<ApiFault> {
        if self.plan.api.is_empty() && self.plan.rate.is_empty() {
            return None;
        }
        let Self { plan, rng, calls, buckets, .. } = self;
        let about = numbered(&plan.api, calls, Wire::Api, action, &Mail::default());
        // the call draws from every bucket that it belongs to, so that two rules are two limits
        let mut throttled = false;
        for (bucket, level) in plan.rate.iter().zip(buckets) {
            if bucket.action.as_deref().is_none_or(|named| named == action) {
                throttled |= !draw(bucket.rate(), level, now);
            }
        }
        if throttled {
            return Some(ApiFault::Refuse(Code::Throttling));
        }
        let mut rules = about.into_iter().map(|(place, call)| (&plan.api[place], call));
        rules.find(|(rule, call)| befalls(rule, *call, rng)).map(|(rule, _)| rule.fault)
    }

    /// Whether the plan may have a fault for an SMTP command.
    pub fn are_of_smtp(&self) -> bool {
        !self.plan.smtp.is_empty() || self.plan.session.messages.is_some()
    }

    /// Returns the fault of a command such as `MAIL`. The end of a message is the command `.`, and a new connection is
    /// `CONNECT`. Ask once for each command: it counts them.
    pub fn of_command(
        &mut self,
        command: &str,
        mail: &Mail<'_>,
        now: Timestamp,
    ) -> Option<SmtpFault> {
        let Self { plan, rng, calls, rates, .. } = self;
        let is_over = |most: NonZeroU64| mail.messages >= most.get();
        if command == "MAIL" && plan.session.messages.is_some_and(is_over) {
            return Some(SmtpFault::Reply(421, SESSION_IS_OVER.to_owned()));
        }
        for (place, call) in numbered(&plan.smtp, calls, Wire::Smtp, command, mail) {
            let rule = &plan.smtp[place];
            if befalls(rule, call, rng)
                && rule.within.is_none_or(|rate| !draw(rate, &mut rates[place], now))
            {
                return Some(rule.fault.clone());
            }
        }
        None
    }

    /// Returns the fates of an accepted message. The plan's fate for a recipient replaces the given one, if the message
    /// goes out to the recipient at all.
    pub fn fates(&mut self, mail: &event::Mail, fates: Vec<(String, Fate)>) -> Vec<(String, Fate)> {
        let Self { plan, rng, calls, .. } = self;
        if plan.event.is_empty() {
            return fates;
        }
        let mut fate = |(address, by_itself): (String, Fate)| {
            if !by_itself.goes_out() {
                return (address, by_itself);
            }
            let about = Mail {
                user: Some(mail.caller_identity.as_str().into()),
                sender: Some(mail.sender()),
                recipients: vec![&address],
                messages: 0,
            };
            let rules = numbered(&plan.event, calls, Wire::Event, "", &about).into_iter();
            let mut rules = rules.map(|(place, call)| (&plan.event[place], call));
            let planned = rules.find(|(rule, call)| befalls(rule, *call, rng));
            let fate = planned.map_or(by_itself, |(rule, _)| rule.fault);
            (address, fate)
        };
        fates.into_iter().map(&mut fate).collect()
    }

    /// Whether a key that flaps is visible this time.
    pub fn coin(&mut self) -> bool {
        self.rng.random()
    }
}

/// Counts a call. Returns the places of the rules that it matches, and its number for each of them, from 1.
fn numbered<Fault>(
    rules: &[Rule<Fault>],
    calls: &mut HashMap<(Wire, usize, String), u64>,
    wire: Wire,
    name: &str,
    mail: &Mail<'_>,
) -> Vec<(usize, u64)> {
    let about = rules.iter().enumerate().filter(|(_, rule)| {
        rule.name.as_deref().is_none_or(|named| named == name) && rule.mail.is(mail)
    });
    let count = |(place, _)| {
        let calls = calls.entry((wire, place, name.to_owned())).or_default();
        *calls += 1;
        (place, *calls)
    };
    about.map(count).collect()
}

impl Chosen {
    fn is(&self, mail: &Mail<'_>) -> bool {
        let alike = |pattern: &String, text: &str| {
            is_like(&text.to_ascii_lowercase(), &pattern.to_ascii_lowercase())
        };
        let user = mail.user.as_deref();
        self.user.as_ref().is_none_or(|pattern| user.is_some_and(|user| is_like(user, pattern)))
            && (self.from.as_ref())
                .is_none_or(|pattern| mail.sender.is_some_and(|sender| alike(pattern, sender)))
            && (self.to.as_ref())
                .is_none_or(|pattern| mail.recipients.iter().any(|to| alike(pattern, to)))
    }
}

fn befalls<Fault>(rule: &Rule<Fault>, call: u64, rng: &mut StdRng) -> bool {
    (rule.calls.is_empty() || rule.calls.iter().any(|Calls(wanted)| wanted.contains(&call)))
        && rng.random_bool(rule.probability)
}

/// Takes one call out of a bucket that refills over time. Returns `false` if it is empty.
fn draw(rate: Rate, (level, since): &mut Level, now: Timestamp) -> bool {
    let seconds = now.duration_since(*since).as_secs_f64().max(0.0);
    *level = (*level + seconds * rate.per_second).min(rate.burst);
    *since = now;
    let enough = *level >= 1.0;
    if enough {
        *level -= 1.0;
    }
    enough
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(plan: &str) -> Faults {
        Faults::new(Plan::parse(plan).unwrap(), Timestamp::UNIX_EPOCH)
    }

    fn at(seconds: f64) -> Timestamp {
        Timestamp::from_millisecond((seconds * 1000.0) as i64).unwrap()
    }

    #[test]
    fn nothing_goes_wrong_by_itself() {
        let mut none = Faults::default();
        assert_eq!(none.of_call("CreateUser", at(0.0)), None);
        assert_eq!(none.of_command("MAIL", &Mail::default(), at(0.0)), None);
    }

    #[test]
    fn the_nth_call_of_an_action() {
        let mut faults = faults(
            "[[api]]\naction = \"CreateAccessKey\"\ncalls = [2]\ncut = \"after\"\n\
             [[api]]\ncalls = [3]\nrefuse = \"ServiceFailure\"\n",
        );
        let mut call = |action| faults.of_call(action, at(0.0));
        assert_eq!(call("CreateAccessKey"), None);
        assert_eq!(call("CreateUser"), None);
        assert_eq!(call("CreateAccessKey"), Some(ApiFault::Cut(Moment::After)));
        assert_eq!(call("CreateAccessKey"), Some(ApiFault::Refuse(Code::ServiceFailure)));
        assert_eq!(call("CreateAccessKey"), None);
    }

    #[test]
    fn a_bucket_is_emptied_and_fills_again() {
        let mut faults = faults("[[rate]]\nper-second = 2\nburst = 3\n");
        let mut calls = |second, count| -> usize {
            (0..count).filter(|_| faults.of_call("GetUser", at(second)).is_none()).count()
        };
        assert_eq!(calls(0.0, 5), 3);
        assert_eq!(calls(1.0, 5), 2);
        assert_eq!(calls(1.4, 5), 0);
        assert_eq!(calls(1.5, 5), 1);
        assert_eq!(calls(100.0, 5), 3);
        assert_eq!(calls(99.0, 5), 0, "a clock that goes back fills nothing");
    }

    #[test]
    fn each_bucket_is_a_limit_of_its_own() {
        let mut faults = faults(
            "[[rate]]\nper-second = 1\nburst = 2\n\
             [[rate]]\naction = \"CreateUser\"\nper-second = 1\nburst = 1\n",
        );
        let throttled = Some(ApiFault::Refuse(Code::Throttling));
        assert_eq!(faults.of_call("CreateUser", at(0.0)), None);
        assert_eq!(faults.of_call("CreateUser", at(0.0)), throttled);
        assert_eq!(faults.of_call("GetUser", at(0.0)), throttled);
    }

    /// A rule counts only the commands that it is about.
    #[test]
    fn a_rule_is_about_some_mail() {
        let mut faults = faults(
            "[[smtp]]\ncommand = \".\"\nuser = \"news*\"\nto = \"*@slow.example\"\ncalls = [\"2-\"]\n\
             reply = \"454 Temporary service failure\"\n\
             [[smtp]]\ncommand = \".\"\nfrom = \"eve@*\"\ndrop = \"before\"\n",
        );
        let mut of = |command, user: &'static str, sender, recipients: &[&'static str]| {
            let user = Some(user).filter(|user| !user.is_empty()).map(Cow::from);
            let recipients = recipients.to_vec();
            let mail = Mail { user, sender: Some(sender), recipients, messages: 0 };
            faults.of_command(command, &mail, at(0.0))
        };
        let slow = ["ann@example.com", "bob@SLOW.example"];
        let reply = SmtpFault::Reply(454, "Temporary service failure".to_owned());
        for (command, user, sender, recipients, expected) in [
            (".", "newsletter", "a@b.c", &slow[..], None),
            (".", "other", "a@b.c", &slow[..], None),
            (".", "", "a@b.c", &slow[..], None),
            (".", "newsletter", "a@b.c", &slow[..1], None),
            ("DATA", "newsletter", "a@b.c", &slow[..], None),
            (".", "newsletter", "a@b.c", &slow[..], Some(reply.clone())),
            (".", "newsletter", "eve@b.c", &slow[..], Some(reply)),
            (".", "other", "Eve@b.c", &slow[..], Some(SmtpFault::Drop(Moment::Before))),
        ] {
            let fault = of(command, user, sender, recipients);
            assert_eq!(fault, expected, "{command} {user} {sender} {recipients:?}");
        }
    }

    /// Commands within the rate succeed, and only they draw from it.
    #[test]
    fn a_rule_befalls_what_is_beyond_its_rate() {
        let mut faults = faults(
            "[[smtp]]\ncommand = \".\"\nuser = \"a\"\nper-second = 2\nburst = 3\n\
             reply = \"454 Throttling failure: Maximum sending rate exceeded\"\n",
        );
        let mut taken = |second, user: &'static str| -> usize {
            let mail = Mail { user: Some(user.into()), ..Mail::default() };
            (0..5).filter(|_| faults.of_command(".", &mail, at(second)).is_none()).count()
        };
        assert_eq!(taken(0.0, "b"), 5);
        assert_eq!(taken(0.0, "a"), 3);
        assert_eq!(taken(1.0, "a"), 2);
    }

    #[test]
    fn each_recipient_has_a_fate() {
        let mut faults = faults(
            "[[event]]\nto = \"full@*\"\ncalls = [1]\nevent = \"Bounce\"\nbounce = \"Transient/MailboxFull\"\n\
             [[event]]\nto = \"*@angry.example\"\nuser = \"news\"\nevent = \"complaint\"\n",
        );
        let mail = |user: &str| event::Mail {
            caller_identity: user.to_owned(),
            ..event::Mail::clone(&event::tests::mail(""))
        };
        let mut of = |user, address: &str| {
            faults.fates(&mail(user), vec![(address.to_owned(), Fate::Delivered)])[0].1
        };
        assert_eq!(of("news", "ann@angry.example"), Fate::Complained);
        assert_eq!(of("other", "ann@angry.example"), Fate::Delivered);
        assert_eq!(of("other", "full@b.c").reason_to_suppress(), None);
        assert_eq!(of("other", "full@b.c"), Fate::Delivered, "the second");
        for held_back in [Fate::suppressed("BOUNCE"), Fate::suppressed("COMPLAINT"), Fate::Rejected]
        {
            let fates = vec![("ann@angry.example".to_owned(), held_back)];
            assert_eq!(faults.fates(&mail("news"), fates)[0].1, held_back);
        }
    }

    #[test]
    fn the_same_seed_is_the_same_chance() {
        let plan =
            |seed| format!("seed = {seed}\n[[smtp]]\nprobability = 0.5\ndrop = \"before\"\n");
        let run = |seed| -> Vec<bool> {
            let mut faults = faults(&plan(seed));
            let mut fails = || faults.of_command("MAIL", &Mail::default(), at(0.0)).is_some();
            (0..64).map(|_| fails()).collect()
        };
        assert_eq!(run(1), run(1));
        assert_ne!(run(1), run(2));
        assert!((16..48).contains(&run(1).iter().filter(|&&wrong| wrong).count()));
    }
}

//! The Lambda function with the events of Secrets Manager and of a schedule, while a watcher logs in and sends with
//! `AWSCURRENT` all the time.

use std::{cell::Cell, collections::BTreeSet, env, time::Duration};

use jiff::SignedDuration;
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::SliceRandom};
use serde_json::{Value, json};
use seskey::{Region, SmtpPassword};
use testkit::{
    lambda::{Function, Invoked},
    object,
    secrets_manager::Secret,
};

use super::{
    arena::{Arena, USER, breathe},
    proxy::Moment,
    watcher::{TEN_TIMES_A_SECOND, Watcher, send},
};

const STEPS: [&str; 4] = ["createSecret", "setSecret", "testSecret", "finishSecret"];

/// Enough time to create a key on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(120);

/// A user whose credential a secret holds, and the function that rotates it.
struct Scene {
    arena: Arena,
    secret: Secret,
    function: Option<Function>,
    log: String,
    rotations: u32,
}

impl Scene {
    /// Starts a scene; `text` makes the text of the secret from an SMTP user name and its password.
    fn new(text: impl Fn(&str, &str) -> String) -> Self {
        let arena = Arena::new();
        let (id, secret) = arena.add_key(USER);
        let password = SmtpPassword::derive(&secret, &Region::parse("us-east-1").unwrap());
        let text = text(id.as_str(), password.expose());
        Self::of(arena, Secret::start("mail/app", Some(&text), &[]))
    }

    fn of(arena: Arena, secret: Secret) -> Self {
        Self { arena, secret, function: None, log: String::new(), rotations: 0 }
    }

    fn watch(&self) -> Watcher {
        let (endpoint, secret) = (self.arena.endpoint(), self.secret.clone());
        let round = move || vec![send(&endpoint, &login(&secret.current().unwrap()))];
        Watcher::start(TEN_TIMES_A_SECOND, Box::new(round))
    }

    fn start(&self) -> Function {
        let mut command = self.arena.seskey();
        let secrets = self.arena.proxy.before(self.secret.address);
        command
            .arg("lambda")
            .env("AWS_REGION", "us-east-1")
            .env("AWS_ENDPOINT_URL_SECRETS_MANAGER", format!("http://{secrets}"));
        let function = Function::start(command);
        self.arena.proxy.watch(function.id());
        function
    }

    fn send(&mut self, event: &Value) -> Invoked {
        if self.function.is_none() {
            self.function = Some(self.start());
        }
        let invoked = self.function.as_mut().unwrap().invoke(event, TIMEOUT);
        if invoked == Invoked::Died {
            self.stop();
        }
        invoked
    }

    fn stop(&mut self) {
        self.log += &self.function.take().map(Function::end).unwrap_or_default();
    }

    fn step(&mut self, step: &str, token: &str) -> Invoked {
        let secret = self.secret.arn.clone();
        self.send(&json!({"Step": step, "SecretId": secret, "ClientRequestToken": token}))
    }

    /// Sends the event of a schedule.
    fn apply(&mut self) -> Invoked {
        let secret = self.secret.arn.clone();
        self.send(&json!({"apply": {"secrets": [secret]}}))
    }

    fn next_token(&mut self) -> String {
        self.rotations += 1;
        format!("11111111-1111-4111-8111-{:012}", self.rotations)
    }

    /// Rotates like Secrets Manager: the steps in order, all of them again after a failure. `before` is called before
    /// each step.
    fn rotate(&mut self, mut before: impl FnMut(&mut Self, &str, &str)) {
        let token = self.next_token();
        self.secret.rotate(&token).unwrap();
        for _ in 0..8 {
            let is_done = STEPS.iter().all(|step| {
                before(self, step, &token);
                matches!(self.step(step, &token), Invoked::Answered(_))
            });
            if is_done {
                self.secret.finish(&token);
                return;
            }
            // the lease of a lost key ends
            self.arena.pass(SignedDuration::from_mins(20));
        }
        self.stop();
        panic!("{}", self.log);
    }

    /// Lets days pass, each time with an event, until the old key is gone.
    fn retire(&mut self) {
        for _ in 0..4 {
            self.arena.days(8);
            let applied = self.apply();
            assert!(matches!(applied, Invoked::Answered(_) | Invoked::Died), "{applied:?}");
        }
        let current = login(&self.secret.current().unwrap()).0;
        assert_eq!(self.arena.keys(USER), [(current, true)]);
    }
}

/// Returns the credential in a text of any form.
fn login(text: &str) -> (String, String) {
    let words: Vec<&str> = text.split(['"', ':', ' ', ',', '{', '}', '\n']).collect();
    let is_key = |word: &&&str| word.starts_with("AKIA") && word.len() == 20;
    let key = words.iter().find(is_key).unwrap();
    let password = words.iter().find(|word| word.len() == 44).unwrap();
    ((*key).to_owned(), (*password).to_owned())
}

fn json(user_name: &str, password: &str) -> String {
    json!({"smtp_user_name": user_name, "smtp_password": password}).to_string()
}

#[test]
fn secrets_of_any_shape_are_rotated_and_the_rest_of_them_stays() {
    let texts: [fn(&str, &str) -> String; 3] = [
        json,
        |user_name, password| format!("{user_name}:{password}"),
        |user_name, password| {
            format!(
                r#"{{"MAIL_USER": "{user_name}", "other": [1, {{"a": null}}], "MAIL_PASS": "{password}", "host": "email-smtp.us-east-1.amazonaws.com"}}"#
            )
        },
    ];
    for text in texts {
        let mut scene = Scene::new(text);
        scene.arena.proxy.age_keys();
        let watcher = scene.watch();
        let before = scene.secret.current().unwrap();
        scene.rotate(|_, _, _| {});
        let after = scene.secret.current().unwrap();
        let ((old, old_password), (new, password)) = (login(&before), login(&after));
        assert_ne!(old, new);
        assert_eq!(after, before.replace(&old, &new).replace(&old_password, &password));
        assert_eq!(scene.arena.keys(USER).len(), 2, "the old key stays for the grace time");
        scene.retire();
        watcher.judge();
        scene.stop();
        assert!(!scene.log.contains(&password) && !scene.log.contains(&old_password));
        for line in scene.log.lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            assert!(line["_aws"].is_object() || line["requestId"].is_string(), "{line}");
        }
    }
}

#[test]
fn a_secret_without_a_value_is_filled() {
    let secret = Secret::start("mail/app", None, &[("seskey:user", USER)]);
    let mut scene = Scene::of(Arena::new(), secret);
    scene.rotate(|_, _, _| {});
    let (current, _) = login(&scene.secret.current().unwrap());
    assert_eq!(scene.arena.keys(USER), [(current, true)]);
    scene.retire();
}

/// A rotation that is set up but not begun has a version without a value, and this step is the only one.
#[test]
fn the_test_of_a_rotation_that_is_not_begun_changes_nothing() {
    let mut scene = Scene::new(json);
    let (token, before) = (scene.next_token(), scene.secret.current());
    scene.secret.rotate(&token).unwrap();
    assert!(matches!(scene.step("testSecret", &token), Invoked::Answered(_)));
    assert_eq!((scene.secret.current(), scene.arena.keys(USER).len()), (before, 1));
}

#[test]
fn a_step_of_no_rotation_is_abandoned() {
    let mut scene = Scene::new(json);
    scene.arena.proxy.age_keys();
    scene.rotate(|_, _, _| {});
    let (first, before) = (format!("11111111-1111-4111-8111-{:012}", 1), scene.secret.current());
    for step in STEPS {
        // late steps of a finished rotation have nothing left to do
        assert!(matches!(scene.step(step, &first), Invoked::Answered(_)), "{step}");
        let failed = scene.step(step, "22222222-2222-4222-8222-222222222222");
        let Invoked::Failed(error) = failed else { panic!("{step}: {failed:?}") };
        assert!(error["errorMessage"].as_str().unwrap().contains("no version"), "{error}");
    }
    scene.retire();
    scene.rotate(|_, _, _| {});
    for step in STEPS {
        let failed = scene.step(step, &first);
        let Invoked::Failed(error) = failed else { panic!("{step}: {failed:?}") };
        assert!(error["errorMessage"].as_str().unwrap().contains("AWSPENDING"), "{error}");
    }
    assert_ne!(scene.secret.current(), before);
}

/// A key that is deleted during a rotation is not put in use, and does not block the next rotation.
#[test]
fn a_dead_key_is_withdrawn() {
    let mut scene = Scene::new(json);
    scene.arena.proxy.age_keys();
    let before = scene.secret.current();
    let token = scene.next_token();
    scene.secret.rotate(&token).unwrap();
    assert!(matches!(scene.step("createSecret", &token), Invoked::Answered(_)));
    let new =
        scene.arena.keys(USER).into_iter().find(|(id, _)| !before.as_ref().unwrap().contains(id));
    let access_key_id = new.unwrap().0;
    let principal = seskey_local::account::Principal::User(USER.to_owned());
    let delete = seskey_local::account::Action::DeleteAccessKey { principal, access_key_id };
    scene.arena.apply(delete);
    assert!(matches!(scene.step("finishSecret", &token), Invoked::Failed(_)));
    assert_eq!((scene.secret.current(), scene.secret.labels(&token).len()), (before, 0));
    scene.rotate(|_, _, _| {});
}

/// A rotation that is not finished keeps its key, however long it takes.
#[test]
fn a_key_that_is_pending_is_not_discarded() {
    let mut scene = Scene::new(json);
    let watcher = scene.watch();
    let token = scene.next_token();
    scene.secret.rotate(&token).unwrap();
    assert!(matches!(scene.step("createSecret", &token), Invoked::Answered(_)));
    scene.arena.days(1);
    assert!(matches!(scene.apply(), Invoked::Failed(_)));
    assert_eq!(scene.arena.keys(USER).len(), 2);
    for step in &STEPS[1..] {
        assert!(matches!(scene.step(step, &token), Invoked::Answered(_)), "{step}");
    }
    scene.secret.finish(&token);
    scene.retire();
    watcher.judge();
}

#[test]
fn a_function_with_no_time_left_makes_no_key() {
    let mut scene = Scene::new(json);
    let token = scene.next_token();
    scene.secret.rotate(&token).unwrap();
    let mut function = scene.start();
    let secret = scene.secret.arn.clone();
    let event = json!({"Step": "createSecret", "SecretId": secret, "ClientRequestToken": token});
    let failed = function.invoke(&event, Duration::from_secs(3));
    let Invoked::Failed(error) = failed else { panic!("{failed:?}") };
    assert!(error["errorMessage"].as_str().unwrap().contains("timeout"), "{error}");
    assert_eq!(scene.arena.keys(USER).len(), 1);
    for event in [json!({}), json!({"apply": {"user": []}}), json!({"apply": {}})] {
        assert!(matches!(function.invoke(&event, TIMEOUT), Invoked::Failed(_)), "{event}");
    }
}

/// Rotations every 16 days for more than a year never fail a sender that reads the secret before each message, and
/// leave no key behind.
#[test]
fn rotations_in_a_row() {
    let rotations = number("SESKEY_FUNCTION_ROTATIONS", 30);
    let mut scene = Scene::new(json);
    scene.arena.proxy.age_keys();
    let watcher = scene.watch();
    let mut keys = BTreeSet::from([login(&scene.secret.current().unwrap()).0]);
    for _ in 0..rotations {
        scene.rotate(|_, _, _| {});
        let (current, _) = login(&scene.secret.current().unwrap());
        assert!(keys.insert(current), "it was in use before");
        for _ in 0..2 {
            scene.arena.days(8);
            let applied = scene.apply();
            assert!(matches!(applied, Invoked::Answered(_)), "{applied:?}");
        }
    }
    let (current, _) = login(&scene.secret.current().unwrap());
    assert_eq!((scene.arena.keys(USER), keys.len()), (vec![(current, true)], rotations + 1));
    watcher.judge();
}

/// The bucket is in another region than the function.
#[test]
fn what_is_declared_is_read_from_an_object() {
    let arena = Arena::new();
    let store = arena.store();
    let declared =
        format!("[[credential]]\nuser = {USER:?}\nto = [\"file:{}\"]\n", store.display());
    let s3 = object::start("eu-central-1", "/config/mail/seskey.toml", declared);
    let apply = |place: &str, s3: &str| {
        let mut command = arena.seskey();
        command
            .arg("lambda")
            .env("AWS_REGION", "us-east-1")
            .env("AWS_ENDPOINT_URL_S3", format!("http://{s3}"))
            .env("SESKEY_CONFIG", place);
        Function::start(command).invoke(&json!({"apply": {}}), TIMEOUT)
    };
    let s3 = s3.to_string();
    let done = apply("s3://config/mail/seskey.toml", &s3);
    let Invoked::Answered(answer) = done else { panic!("{done:?}") };
    assert_eq!(answer["users"][0]["outcome"], "done", "{answer}");
    assert_eq!(arena.keys(USER), [(arena.held(), true)]);
    for (place, server, said) in [
        ("s3://config/seskey.toml", &*s3, "there is no s3://config/seskey.toml"),
        ("s3://denied/seskey.toml", &s3, "s3:GetObject is denied"),
        ("s3://config/mail/seskey.toml", "127.0.0.1:1", "no answer from http://127.0.0.1:1"),
        ("s3://config", &s3, "names no object"),
    ] {
        let failed = apply(place, server);
        let Invoked::Failed(error) = failed else { panic!("{place}: {failed:?}") };
        let message = error["errorMessage"].as_str().unwrap();
        assert!(message.starts_with("$SESKEY_CONFIG: ") && message.contains(said), "{message}");
    }
}

/// Extra steps before each step of a rotation, in any order, may fail, and harm nothing.
#[test]
fn steps_come_twice_and_in_any_order() {
    let rotations = number("SESKEY_FUNCTION_ROTATIONS", 3);
    in_scenes(4, |number, scene| {
        let mut random = StdRng::seed_from_u64(number as u64);
        for _ in 0..rotations {
            scene.rotate(|scene, _, token| {
                let mut steps = STEPS;
                steps.shuffle(&mut random);
                for step in &steps[..random.random_range(0..4)] {
                    assert_ne!(scene.step(step, token), Invoked::Died);
                }
            });
            scene.retire();
        }
        rotations
    });
}

/// Two scenes play each part of the calls: one is killed before a call has its effect, the other after it.
#[test]
fn it_is_killed_at_its_calls() {
    let calls = number("SESKEY_FUNCTION_KILLS", 2);
    let kills = in_scenes(12, |number, scene| {
        let moment = if number % 2 == 0 { Moment::Before } else { Moment::After };
        let calls = (0..calls).map(|call| 1 + number / 2 * PART + call);
        let killed = calls.map(|call| {
            scene.arena.proxy.kill_at(call, moment);
            scene.stop();
            scene.rotate(|_, _, _| {});
            let is_killed = scene.arena.proxy.has_killed();
            scene.arena.proxy.kill_at(usize::MAX, moment);
            scene.stop();
            scene.retire();
            usize::from(is_killed)
        });
        killed.sum()
    });
    assert!(kills >= calls * 12 * 2 / 3, "{kills} kills");
}

/// The number of calls between the first calls of two parts.
const PART: usize = 10;

/// A second kill comes while the function continues after the first.
#[test]
fn it_is_killed_in_pairs() {
    let pairs = number("SESKEY_FUNCTION_PAIRS", 2);
    let kills = in_scenes(8, |number, scene| {
        let mut random = StdRng::seed_from_u64(number as u64);
        let mut kills = 0;
        for _ in 0..pairs {
            let moment = if random.random() { Moment::Before } else { Moment::After };
            scene.arena.proxy.kill_at(random.random_range(1..40), moment);
            scene.stop();
            let second = Cell::new(Some(random.random_range(1..30)));
            scene.rotate(|scene, _, _| {
                if scene.arena.proxy.has_killed() && second.get().is_some() {
                    kills += 1;
                    scene.arena.proxy.kill_at(second.take().unwrap(), moment);
                    scene.stop();
                }
            });
            kills += usize::from(scene.arena.proxy.has_killed() && second.get().is_none());
            scene.arena.proxy.kill_at(usize::MAX, moment);
            scene.stop();
            scene.retire();
        }
        kills
    });
    assert!(kills >= pairs * 8, "{kills} kills");
}

/// Runs a function in so many scenes at a time, each with a watcher that sends, and returns the sum of its results. The
/// keys look old enough for a proof of three logins.
fn in_scenes(scenes: usize, many: impl Fn(usize, &mut Scene) -> usize + Sync) -> usize {
    let one = |number| {
        let mut scene = Scene::new(json);
        scene.arena.proxy.age_keys();
        let watcher = scene.watch();
        let times = many(number, &mut scene);
        breathe();
        watcher.judge();
        times
    };
    let one = &one;
    std::thread::scope(|scope| {
        let all: Vec<_> = (0..scenes).map(|number| scope.spawn(move || one(number))).collect();
        all.into_iter().map(|scene| scene.join().unwrap()).sum()
    })
}

fn number(variable: &str, usual: usize) -> usize {
    env::var(variable).map_or(usual, |text| text.parse().unwrap())
}

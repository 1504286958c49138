//! Every operation knows its parameters, and asks for a permission on the right resource.

use seskey_local::{api::operation::Operation, iam, sts};

use crate::iam_client::{Client, Reply, SENDING, Unsigned};

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"sts:AssumeRole"}]}"#;

/// A value for each required member.
const VALUES: [(&str, &str); 20] = [
    ("AccessKeyId", "AKIAQAAAAAAAAEXAMPLE"),
    ("ActionNames.member.1", "iam:GetUser"),
    ("AssumeRolePolicyDocument", TRUST),
    ("GroupName", "Postmen"),
    ("Password", "correct Horse 1"),
    ("PermissionsBoundary", "arn:aws:iam::111122223333:policy/mail/Sending"),
    ("PolicyArn", "arn:aws:iam::111122223333:policy/mail/Sending"),
    ("PolicyDocument", SENDING),
    ("PolicyName", "New"),
    ("PolicySourceArn", "arn:aws:iam::111122223333:user/staff/Nina"),
    ("RoleArn", "arn:aws:iam::111122223333:role/service/Mailer"),
    ("RoleName", "Mailer"),
    ("RoleSessionName", "session"),
    ("ServiceName", "codecommit.amazonaws.com"),
    ("ServiceSpecificCredentialId", "ACCAEXAMPLE123EXAMPLE"),
    ("Status", "Inactive"),
    ("TagKeys.member.1", "team"),
    ("Tags.member.1.Key", "team"),
    ("Tags.member.1.Value", "mail"),
    ("VersionId", "v1"),
];

/// The resource of the permission, by the member that names it; the first of these that the operation requires counts.
const RESOURCES: [(&str, &str); 7] = [
    ("GroupName", "arn:aws:iam::111122223333:group/teams/Postmen"),
    ("UserName", "arn:aws:iam::111122223333:user/staff/Nina"),
    ("RoleName", "arn:aws:iam::111122223333:role/service/Mailer"),
    ("PolicyArn", "arn:aws:iam::111122223333:policy/mail/Sending"),
    ("PolicySourceArn", "arn:aws:iam::111122223333:user/staff/Nina"),
    ("RoleArn", "arn:aws:iam::111122223333:role/service/Mailer"),
    ("AccessKeyId", "*"),
];

/// The operations with another resource: new entities, lists, and questions of a user about itself.
const EXCEPTIONS: [(&str, &str); 31] = [
    ("CreateAccessKey", "arn:aws:iam::111122223333:user/Bob"),
    ("CreateGroup", "arn:aws:iam::111122223333:group/Postmen"),
    ("CreateLoginProfile", "arn:aws:iam::111122223333:user/Bob"),
    ("CreatePolicy", "arn:aws:iam::111122223333:policy/New"),
    ("CreateRole", "arn:aws:iam::111122223333:role/Mailer"),
    ("CreateUser", "arn:aws:iam::111122223333:user/Nina"),
    ("DeleteAccessKey", "arn:aws:iam::111122223333:user/Bob"),
    ("DeleteLoginProfile", "arn:aws:iam::111122223333:user/Bob"),
    ("DeleteServiceSpecificCredential", "arn:aws:iam::111122223333:user/Bob"),
    ("GenerateCredentialReport", "*"),
    ("GetAccessKeyInfo", "*"),
    ("GetAccountAuthorizationDetails", "*"),
    ("GetAccountPasswordPolicy", "*"),
    ("GetAccountSummary", "*"),
    ("GetCredentialReport", "*"),
    ("GetLoginProfile", "arn:aws:iam::111122223333:user/Bob"),
    ("GetUser", "arn:aws:iam::111122223333:user/Bob"),
    ("ListAccessKeys", "arn:aws:iam::111122223333:user/Bob"),
    ("ListAccountAliases", "*"),
    ("ListGroups", "arn:aws:iam::111122223333:group/"),
    ("ListMFADevices", "arn:aws:iam::111122223333:user/Bob"),
    ("ListPolicies", "arn:aws:iam::111122223333:policy/"),
    ("ListRoles", "arn:aws:iam::111122223333:role/"),
    ("ListSSHPublicKeys", "arn:aws:iam::111122223333:user/Bob"),
    ("ListServiceSpecificCredentials", "arn:aws:iam::111122223333:user/Bob"),
    ("ListSigningCertificates", "arn:aws:iam::111122223333:user/Bob"),
    ("ListUsers", "arn:aws:iam::111122223333:user/"),
    ("ListVirtualMFADevices", "*"),
    ("ResetServiceSpecificCredential", "arn:aws:iam::111122223333:user/Bob"),
    ("UpdateAccessKey", "arn:aws:iam::111122223333:user/Bob"),
    ("UpdateServiceSpecificCredential", "arn:aws:iam::111122223333:user/Bob"),
];

/// The operations that are never denied.
const FREE: [&str; 2] = ["GetCallerIdentity", "GetSessionToken"];

/// Returns each operation with its service and its required members.
fn operations() -> Vec<(&'static str, &'static Operation, Vec<String>)> {
    let of_iam = iam::API.operations.iter().copied().flatten().map(|operation| ("iam", operation));
    let of_sts = sts::API.operations.iter().copied().flatten().map(|operation| ("sts", operation));
    let with_members = |(service, operation): (_, &'static Operation)| {
        let members = operation.members.split_ascii_whitespace();
        let required = members.filter_map(|it| it.strip_suffix('*'));
        (service, operation, required.map(|it| it.replace("member.N", "member.1")).collect())
    };
    of_iam.chain(of_sts).map(with_members).collect()
}

fn value(member: &str) -> (&'static str, &'static str) {
    match member {
        "UserName" => ("UserName", "Nina"),
        member => *VALUES.iter().find(|(name, _)| *name == member).expect(member),
    }
}

fn call(client: &mut Client, service: &str, name: &str, parameters: &[(&str, &str)]) -> Reply {
    match service {
        "iam" => client.iam(name, parameters),
        _ => client.send(&Unsigned::sts(name, parameters)),
    }
}

/// Returns a client of an account with one entity of each kind; it signs as Bob, who has no permission.
fn client() -> Client {
    let mut client = Client::new();
    let policy = [("PolicyName", "Sending"), ("Path", "/mail/"), ("PolicyDocument", SENDING)];
    client.done("CreatePolicy", &policy);
    client.done("CreateUser", &[("UserName", "Nina"), ("Path", "/staff/")]);
    client.done("CreateGroup", &[("GroupName", "Postmen"), ("Path", "/teams/")]);
    let role = [("RoleName", "Mailer"), ("Path", "/service/"), ("AssumeRolePolicyDocument", TRUST)];
    client.done("CreateRole", &role);
    client.become_user("Bob");
    client
}

#[test]
fn a_parameter_that_is_not_known_is_refused() {
    let mut client = client();
    let long = ".1".repeat(10_000);
    let unknown = [
        "",
        "Foo",
        "userName",
        "SerialNumber",
        "X-Amz-Foo",
        "UserName.member.1",
        "Tags.1.Key",
        "Tags.member.N.Key",
        "Tags.member.0.Key",
        "Tags.member.01.Key",
        "Tags.member.2.Key",
        &long,
    ];
    for (service, operation, required) in operations() {
        for unknown in &unknown {
            let mut parameters: Vec<_> = required.iter().map(|it| value(it)).collect();
            if parameters.iter().any(|(name, _)| name.starts_with("Tags."))
                && unknown.contains(".2.")
            {
                continue;
            }
            parameters.push((unknown, "x"));
            let refusal = call(&mut client, service, operation.name, &parameters).refusal();
            let text = format!("Member must be one that {} takes here", operation.name);
            assert_eq!(
                (refusal.0, &*refusal.1),
                (400, "ValidationError"),
                "{} {unknown}",
                operation.name
            );
            assert!(refusal.2.ends_with(&text), "{unknown}: {}", refusal.2);
        }
    }
}

#[test]
fn an_empty_list_is_no_parameter() {
    let mut client = client();
    client.become_root();
    client.done("CreateUser", &[("UserName", "Eve"), ("Tags", "")]);
    assert_eq!(
        client.refused("TagUser", &[("UserName", "Eve"), ("Tags", "")]).1,
        "ValidationError"
    );
    assert_eq!(
        client.refused("CreateUser", &[("UserName", "Al"), ("Tags", "x")]).1,
        "ValidationError"
    );
}

#[test]
fn what_must_be_there_is_missed() {
    let mut client = client();
    for (service, operation, required) in operations() {
        for missing in &required {
            let present = required.iter().filter(|it| *it != missing).map(|it| value(it));
            let refusal =
                call(&mut client, service, operation.name, &present.collect::<Vec<_>>()).refusal();
            assert_eq!(refusal.1, "ValidationError", "{} {missing}", operation.name);
            assert!(refusal.2.ends_with("Member must not be null"), "{missing}: {}", refusal.2);
        }
    }
}

#[test]
fn who_may_do_nothing_is_denied_on_the_right_resource() {
    let mut client = client();
    for (service, operation, required) in operations() {
        let name = operation.name;
        let parameters: Vec<_> = required.iter().map(|it| value(it)).collect();
        let reply = call(&mut client, service, name, &parameters);
        if FREE.contains(&name) {
            assert_eq!(reply.status, 200, "{}", reply.body);
            continue;
        }
        let named = RESOURCES.iter().find(|(member, _)| required.iter().any(|it| it == member));
        let exception = EXCEPTIONS.iter().find(|(of, _)| *of == name);
        let resource = exception.or(named).expect(name).1;
        let because = match name {
            "AssumeRole" => String::new(),
            _ => format!(" because no identity-based policy allows the {service}:{name} action"),
        };
        let text = format!(
            "User: arn:aws:iam::111122223333:user/Bob is not authorized to perform: {service}:{name} on resource: \
             {resource}{because}"
        );
        assert_eq!(reply.refusal(), (403, "AccessDenied".into(), text));
    }
}

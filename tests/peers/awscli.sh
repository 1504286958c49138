#!/usr/bin/env bash
# The AWS CLI makes users, groups, policies and access keys, meets every refusal, and cleans up.
#   awscli.sh MAJOR-VERSION
set -euo pipefail

# The first `aws` on the path that has this major version.
for aws in $(type -ap aws); do
  [[ $("$aws" --version 2>&1) == "aws-cli/$1."* ]] && break
  aws=
done
[[ ${aws:-} ]] || { echo "version $1 of the AWS CLI is not installed"; exit 127; }

# The endpoint is an option because versions before 2.13 do not read AWS_ENDPOINT_URL.
aws() { "$aws" --endpoint-url "$AWS_ENDPOINT_URL" --output text "$@"; }
iam() { aws iam "$@"; }

# refused CODE MESSAGE COMMAND...: the command is refused with that code and that message.
refused() {
  local said
  if said=$("${@:3}" 2>&1); then echo "not refused: ${*:3}"; exit 1; fi
  [[ $said == *"($1)"*": $2"* ]] || { echo "not refused by $1: ${*:3}"; echo "$said"; exit 1; }
}

# is EXPECTED COMMAND...: the command answers exactly that.
is() {
  local said
  said=$("${@:2}")
  [[ $said == "$1" ]] || { echo "${*:2} answers:"; echo "$said"; exit 1; }
}

# obstacle WHAT-TO-DO-FIRST COMMAND...: something is still attached to the entity to delete.
obstacle() { refused DeleteConflict "Cannot delete entity, $1." "${@:2}"; }

ann=(--user-name Ann)
senders=(--group-name senders)
inline=(--policy-name AmazonSesSendingAccess)
policy='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ses:SendRawEmail","Resource":"*"}]}'
ann_arn=arn:aws:iam::$ACCOUNT:user/mail/Ann
tab=$'\t'

# users and tags
is "$ann_arn" iam create-user "${ann[@]}" --path /mail/ --tags Key=team,Value='a + b' --query User.Arn
refused EntityAlreadyExists 'User with name ann already exists.' iam create-user --user-name ann
refused NoSuchEntity 'The user with name nobody cannot be found.' iam get-user --user-name nobody
iam tag-user "${ann[@]}" --tags Key=InvokedBy,Value=SESConsole
is "SESConsole${tab}a + b" iam list-user-tags "${ann[@]}" --query 'sort_by(Tags, &Key)[].Value'
iam untag-user "${ann[@]}" --tag-keys team
is InvokedBy iam get-user "${ann[@]}" --query 'User.Tags[].Key'
is Ann iam list-users --path-prefix /mail/ --query 'Users[].UserName'

# a policy of the user's own
iam put-user-policy "${ann[@]}" "${inline[@]}" --policy-document "$policy"
is ses:SendRawEmail iam get-user-policy "${ann[@]}" "${inline[@]}" --query 'PolicyDocument.Statement[0].Action'
refused MalformedPolicyDocument 'Syntax errors in policy.' \
  iam put-user-policy "${ann[@]}" "${inline[@]}" --policy-document '{'
obstacle 'must delete policies first' iam delete-user "${ann[@]}"
iam delete-user-policy "${ann[@]}" "${inline[@]}"

# a group with a policy
is "arn:aws:iam::$ACCOUNT:group/senders" iam create-group "${senders[@]}" --query Group.Arn
refused EntityAlreadyExists 'Group with name senders already exists.' iam create-group "${senders[@]}"
iam add-user-to-group "${senders[@]}" "${ann[@]}"
is Ann iam get-group "${senders[@]}" --query 'Users[].UserName'
is senders iam list-groups-for-user "${ann[@]}" --query 'Groups[].GroupName'
obstacle 'must remove users from group first' iam delete-user "${ann[@]}"
obstacle 'must remove users from group first' iam delete-group "${senders[@]}"
iam remove-user-from-group "${senders[@]}" "${ann[@]}"
iam put-group-policy "${senders[@]}" "${inline[@]}" --policy-document "$policy"
obstacle 'must delete policies first' iam delete-group "${senders[@]}"
iam delete-group-policy "${senders[@]}" "${inline[@]}"

# a managed policy
may_send=(--policy-arn "$(iam create-policy --policy-name MaySend --policy-document "$policy" --query Policy.Arn)")
iam attach-user-policy "${ann[@]}" "${may_send[@]}"
obstacle 'must detach all policies first' iam delete-user "${ann[@]}"
iam attach-group-policy "${senders[@]}" "${may_send[@]}"
obstacle 'must detach all policies first' iam delete-group "${senders[@]}"
refused DeleteConflict 'Cannot delete a policy attached to entities.' iam delete-policy "${may_send[@]}"
iam detach-group-policy "${senders[@]}" "${may_send[@]}"
iam delete-group "${senders[@]}"

# access keys: Ann may still send, by the managed policy
read -r key_id secret < <(iam create-access-key "${ann[@]}" --query 'AccessKey.[AccessKeyId,SecretAccessKey]')
second=$(iam create-access-key "${ann[@]}" --query AccessKey.AccessKeyId)
refused LimitExceeded 'Cannot exceed quota for AccessKeysPerUser: 2' iam create-access-key "${ann[@]}"
iam delete-access-key "${ann[@]}" --access-key-id "$second"
refused NoSuchEntity "The Access Key with id $second cannot be found." \
  iam delete-access-key "${ann[@]}" --access-key-id "$second"

as_ann() { AWS_ACCESS_KEY_ID=$key_id AWS_SECRET_ACCESS_KEY=$secret aws "$@"; }
unknown='The security token included in the request is invalid.'

is "N/A${tab}None" iam get-access-key-last-used --access-key-id "$key_id" \
  --query 'AccessKeyLastUsed.[ServiceName,LastUsedDate]'
is "$ann_arn" as_ann sts get-caller-identity --query Arn
is "sts${tab}$AWS_REGION" iam get-access-key-last-used --access-key-id "$key_id" \
  --query 'AccessKeyLastUsed.[ServiceName,Region]'
refused AccessDenied "User: $ann_arn is not authorized to perform: iam:ListUsers on resource: \
arn:aws:iam::$ACCOUNT:user/ because no identity-based policy allows the iam:ListUsers action" as_ann iam list-users
iam update-access-key "${ann[@]}" --access-key-id "$key_id" --status Inactive
is Inactive iam list-access-keys "${ann[@]}" --query 'AccessKeyMetadata[].Status'
refused InvalidClientTokenId "$unknown" as_ann sts get-caller-identity
iam update-access-key "${ann[@]}" --access-key-id "$key_id" --status Active
secret=$(printf x%.0s {1..40}) refused SignatureDoesNotMatch \
  'The request signature we calculated does not match the signature you provided.' as_ann sts get-caller-identity
key_id=AKIAIOSFODNN7EXAMPLE refused InvalidClientTokenId "$unknown" as_ann sts get-caller-identity

# the SMTP password of a key that the AWS CLI made
here=$(dirname "$0")
password=$("$here/smtp_password.py" "$AWS_REGION" <<<"$secret")
SMTP_HOST=localhost SMTP_PORT=$STARTTLS_PORT SMTP_USER_NAME=$key_id SMTP_PASSWORD=$password \
  "$here/smtp_clients/smtplib_client.py" starttls ann@example.com bob@example.org <<<'From: ann@example.com'

# the end
iam detach-user-policy "${ann[@]}" "${may_send[@]}"
iam delete-policy "${may_send[@]}"
obstacle 'must delete access keys first' iam delete-user "${ann[@]}"
iam delete-access-key "${ann[@]}" --access-key-id "$key_id"
iam delete-user "${ann[@]}"
refused NoSuchEntity 'The user with name Ann cannot be found.' iam delete-user "${ann[@]}"
is '' iam list-users

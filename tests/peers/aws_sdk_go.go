// The AWS SDK for Go makes a user who may send, watches the access key, meets the refusals, and cleans up.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/url"
	"os"
	"reflect"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
)

const document = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ses:SendRawEmail","Resource":"*"}]}`

var (
	account, region = os.Getenv("ACCOUNT"), os.Getenv("AWS_REGION")

	// because versions before 2023-11 do not read AWS_ENDPOINT_URL
	resolver = aws.EndpointResolverWithOptionsFunc(endpoint)

	ctx    = context.Background()
	local  = must(config.LoadDefaultConfig(ctx, config.WithEndpointResolverWithOptions(resolver)))
	client = iam.NewFromConfig(local)

	ann     = aws.String("Ann")
	senders = aws.String("senders")
	inline  = aws.String("AmazonSesSendingAccess")
	maySend = aws.String(document)
)

func main() {
	log.SetFlags(log.Lshortfile)
	users()
	groups()
	policies()
	accessKeys()
	pages()
	deletion()
}

func users() {
	created := must(client.CreateUser(ctx, &iam.CreateUserInput{
		UserName: ann, Path: aws.String("/mail/"), Tags: []types.Tag{tag("team", "a + b/é")},
	})).User
	equal(*created.Arn, "arn:aws:iam::"+account+":user/mail/Ann")
	equal(must(client.GetUser(ctx, &iam.GetUserInput{UserName: ann})).User, created)
	_, err := client.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("ann")})
	refused[*types.EntityAlreadyExistsException](err, "User with name ann already exists.")
	_, err = client.GetUser(ctx, &iam.GetUserInput{UserName: aws.String("nobody")})
	refused[*types.NoSuchEntityException](err, "The user with name nobody cannot be found.")

	must(client.TagUser(ctx, &iam.TagUserInput{UserName: ann, Tags: []types.Tag{tag("InvokedBy", "SESConsole")}}))
	must(client.UntagUser(ctx, &iam.UntagUserInput{UserName: ann, TagKeys: []string{"team"}}))
	tags := must(client.ListUserTags(ctx, &iam.ListUserTagsInput{UserName: ann})).Tags
	equal(tags, []types.Tag{tag("InvokedBy", "SESConsole")})
}

func groups() {
	must(client.CreateGroup(ctx, &iam.CreateGroupInput{GroupName: senders}))
	must(client.AddUserToGroup(ctx, &iam.AddUserToGroupInput{GroupName: senders, UserName: ann}))
	equal(*must(client.GetGroup(ctx, &iam.GetGroupInput{GroupName: senders})).Users[0].UserName, "Ann")
	equal(*must(client.ListGroupsForUser(ctx, &iam.ListGroupsForUserInput{UserName: ann})).Groups[0].GroupName, "senders")
	userObstacle("must remove users from group first")
	must(client.RemoveUserFromGroup(ctx, &iam.RemoveUserFromGroupInput{GroupName: senders, UserName: ann}))
}

func policies() {
	must(client.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: ann, PolicyName: inline, PolicyDocument: maySend}))
	found := must(client.GetUserPolicy(ctx, &iam.GetUserPolicyInput{UserName: ann, PolicyName: inline}))
	equal(must(url.QueryUnescape(*found.PolicyDocument)), document)
	_, err := client.PutUserPolicy(ctx, &iam.PutUserPolicyInput{
		UserName: ann, PolicyName: inline, PolicyDocument: aws.String("{"),
	})
	refused[*types.MalformedPolicyDocumentException](err, "Syntax errors in policy.")
	userObstacle("must delete policies first")
	must(client.DeleteUserPolicy(ctx, &iam.DeleteUserPolicyInput{UserName: ann, PolicyName: inline}))

	created := must(client.CreatePolicy(ctx, &iam.CreatePolicyInput{
		PolicyName: aws.String("MaySend"), PolicyDocument: maySend,
	}))
	arn := created.Policy.Arn
	must(client.AttachGroupPolicy(ctx, &iam.AttachGroupPolicyInput{GroupName: senders, PolicyArn: arn}))
	equal(*must(client.GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: arn})).Policy.AttachmentCount, 1)
	_, err = client.DeleteGroup(ctx, &iam.DeleteGroupInput{GroupName: senders})
	refused[*types.DeleteConflictException](err, "Cannot delete entity, must detach all policies first.")
	_, err = client.DeletePolicy(ctx, &iam.DeletePolicyInput{PolicyArn: arn})
	refused[*types.DeleteConflictException](err, "Cannot delete a policy attached to entities.")
	must(client.DetachGroupPolicy(ctx, &iam.DetachGroupPolicyInput{GroupName: senders, PolicyArn: arn}))
	must(client.DeletePolicy(ctx, &iam.DeletePolicyInput{PolicyArn: arn}))
	must(client.DeleteGroup(ctx, &iam.DeleteGroupInput{GroupName: senders}))
}

func accessKeys() {
	create := &iam.CreateAccessKeyInput{UserName: ann}
	key := must(client.CreateAccessKey(ctx, create)).AccessKey
	second := must(client.CreateAccessKey(ctx, create)).AccessKey
	_, err := client.CreateAccessKey(ctx, create)
	refused[*types.LimitExceededException](err, "Cannot exceed quota for AccessKeysPerUser: 2")
	must(client.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: ann, AccessKeyId: second.AccessKeyId}))

	lastUsed := func() *types.AccessKeyLastUsed {
		input := &iam.GetAccessKeyLastUsedInput{AccessKeyId: key.AccessKeyId}
		return must(client.GetAccessKeyLastUsed(ctx, input)).AccessKeyLastUsed
	}
	annsOwn := local.Copy()
	annsOwn.Credentials = credentials.NewStaticCredentialsProvider(*key.AccessKeyId, *key.SecretAccessKey, "")
	whoAmI := func() (*sts.GetCallerIdentityOutput, error) {
		return sts.NewFromConfig(annsOwn).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	}

	equal(*lastUsed().ServiceName, "N/A")
	equal(*must(whoAmI()).Arn, "arn:aws:iam::"+account+":user/mail/Ann")
	equal(*lastUsed().ServiceName+" "+*lastUsed().Region, "sts "+region)
	_, err = iam.NewFromConfig(annsOwn).ListUsers(ctx, &iam.ListUsersInput{})
	refusedByCode("AccessDenied", err, fmt.Sprintf("User: arn:aws:iam::%[1]s:user/mail/Ann is not authorized to perform: "+
		"iam:ListUsers on resource: arn:aws:iam::%[1]s:user/ because no identity-based policy allows the iam:ListUsers action",
		account))

	must(client.UpdateAccessKey(ctx, &iam.UpdateAccessKeyInput{
		UserName: ann, AccessKeyId: key.AccessKeyId, Status: types.StatusTypeInactive,
	}))
	listed := must(client.ListAccessKeys(ctx, &iam.ListAccessKeysInput{UserName: ann})).AccessKeyMetadata
	equal(listed[0].Status, types.StatusTypeInactive)
	_, err = whoAmI()
	refusedByCode("InvalidClientTokenId", err, "The security token included in the request is invalid.")
	userObstacle("must delete access keys first")
	must(client.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: ann, AccessKeyId: key.AccessKeyId}))
	_, err = client.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: ann, AccessKeyId: key.AccessKeyId})
	refused[*types.NoSuchEntityException](err, "The Access Key with id "+*key.AccessKeyId+" cannot be found.")
}

func pages() {
	path := aws.String("/many/")
	for number := 0; number < 20; number++ {
		name := aws.String(fmt.Sprint("user-", number))
		must(client.CreateUser(ctx, &iam.CreateUserInput{UserName: name, Path: path}))
	}
	var sizes []int
	pages := iam.NewListUsersPaginator(client, &iam.ListUsersInput{PathPrefix: path, MaxItems: aws.Int32(7)})
	for pages.HasMorePages() {
		users := must(pages.NextPage(ctx)).Users
		sizes = append(sizes, len(users))
		for _, user := range users {
			must(client.DeleteUser(ctx, &iam.DeleteUserInput{UserName: user.UserName}))
		}
	}
	equal(sizes, []int{7, 7, 6})
}

func deletion() {
	must(client.DeleteUser(ctx, &iam.DeleteUserInput{UserName: ann}))
	_, err := client.DeleteUser(ctx, &iam.DeleteUserInput{UserName: ann})
	refused[*types.NoSuchEntityException](err, "The user with name Ann cannot be found.")
	equal(len(must(client.ListUsers(ctx, &iam.ListUsersInput{})).Users), 0)
}

func endpoint(_, region string, _ ...interface{}) (aws.Endpoint, error) {
	return aws.Endpoint{URL: os.Getenv("AWS_ENDPOINT_URL"), SigningRegion: region}, nil
}

func tag(key, value string) types.Tag {
	return types.Tag{Key: &key, Value: &value}
}

func userObstacle(whatToDo string) {
	_, err := client.DeleteUser(ctx, &iam.DeleteUserInput{UserName: ann})
	refused[*types.DeleteConflictException](err, "Cannot delete entity, "+whatToDo+".")
}

// refused expects one of IAM's errors that have a type.
func refused[T smithy.APIError](err error, message string) {
	var refusal T
	if !errors.As(err, &refusal) || refusal.ErrorMessage() != message {
		log.Output(2, fmt.Sprintf("not %T %q but: %v", refusal, message, err))
		os.Exit(1)
	}
}

// refusedByCode expects one of the errors that all services of AWS share.
func refusedByCode(code string, err error, message string) {
	var refusal smithy.APIError
	if !errors.As(err, &refusal) || refusal.ErrorCode() != code || refusal.ErrorMessage() != message {
		log.Output(2, fmt.Sprintf("not %s %q but: %v", code, message, err))
		os.Exit(1)
	}
}

func equal[T any](found, expected T) {
	if !reflect.DeepEqual(found, expected) {
		log.Output(2, fmt.Sprintf("not %v but %v", expected, found))
		os.Exit(1)
	}
}

func must[T any](value T, err error) T {
	if err != nil {
		log.Output(2, err.Error())
		os.Exit(1)
	}
	return value
}

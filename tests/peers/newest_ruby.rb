# The AWS SDK for Ruby in Debian, which has STS alone of the services.

require "aws-sdk-core"

puts "version aws-sdk-core #{Aws::CORE_GEM_VERSION}"
# this version does not read AWS_ENDPOINT_URL
sts = Aws::STS::Client.new(endpoint: ENV.fetch("AWS_ENDPOINT_URL"))
account = ENV.fetch("ACCOUNT")
identity = sts.get_caller_identity
raise identity.inspect unless identity.account == account && identity.arn == "arn:aws:iam::#{account}:root"
raise "no token" if sts.get_session_token(duration_seconds: 900).credentials.session_token.empty?
raise "another account" unless sts.get_access_key_info(access_key_id: ENV.fetch("AWS_ACCESS_KEY_ID")).account == account

begin
  sts.assume_role(role_arn: "arn:a:::no/role-at-all", role_session_name: "monday")
  raise "there is no such role"
rescue Aws::STS::Errors::ValidationError => e
  raise e.message unless e.message == "arn:a:::no/role-at-all is invalid"
end

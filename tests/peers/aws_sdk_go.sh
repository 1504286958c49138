#!/usr/bin/env bash
# Builds aws_sdk_go.go with the libraries that Debian packages, and runs it.
set -euo pipefail

libraries=/usr/share/gocode
[[ -d $libraries/src/github.com/aws/aws-sdk-go-v2 ]] || { echo "the AWS SDK for Go is not installed"; exit 127; }
version=$(dpkg-query --show --showformat '${Version}' golang-github-aws-aws-sdk-go-v2-dev)
echo "version aws-sdk-go-v2 $version (Debian)"
GO111MODULE=off GOPATH=$libraries go build -o aws_sdk_go "$(dirname "$0")/aws_sdk_go.go"
./aws_sdk_go

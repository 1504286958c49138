#!/usr/bin/env bash
# Builds aws_sdk_go.go with the libraries that Debian packages, and runs it.
set -euo pipefail

libraries=/usr/share/gocode
[[ -d $libraries/src/github.com/aws/aws-sdk-go-v2 ]] || { echo "the AWS SDK for Go is not installed"; exit 127; }
GO111MODULE=off GOPATH=$libraries go build -o aws_sdk_go "$(dirname "$0")/aws_sdk_go.go"
./aws_sdk_go

#!/usr/bin/env bash
# Ansible makes, changes and removes an SMTP user, as ansible.yml says.
set -euo pipefail

type -P ansible-playbook >/dev/null || { echo "Ansible is not installed"; exit 127; }
ansible-doc --list amazon.aws 2>/dev/null | grep --quiet iam_user || { echo "amazon.aws is not installed"; exit 127; }

export ANSIBLE_PIPELINING=1
ansible-playbook --inventory localhost, --connection local "$(dirname "$0")/ansible.yml"

#!/usr/bin/env bash
# Gradescope runs this once, as root, when the autograder is built.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq g++ make python3 python3-venv bubblewrap util-linux nodejs npm
# the distribution's node may be older than 20; npm has newer ones
if [ "$(node -p 'parseInt(process.versions.node)')" -lt 20 ]; then npm install --global --silent node@20 && hash -r; fi
cd /autograder/source/one-listener
npm run --silent build

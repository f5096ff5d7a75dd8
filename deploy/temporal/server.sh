#!/bin/sh
# Starts Temporal's server. The image's own start script writes its configuration to a folder that is read-only here.
set -eu
TEMPORAL_BROADCAST_ADDRESS=$(getent hosts "$(hostname)" | awk '{ print $1; exit }') # BIND_ON_IP is all addresses
export TEMPORAL_BROADCAST_ADDRESS
mkdir -p /tmp/config
dockerize -template /etc/temporal/config/config_template.yaml:/tmp/config/docker.yaml
exec temporal-server --root /tmp --config config --env docker start

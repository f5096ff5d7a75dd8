#!/bin/sh
# Makes the namespace NAMESPACE once the server answers.
set -eu
until temporal operator cluster health; do sleep 2; done
temporal operator namespace describe -n "$NAMESPACE" || temporal operator namespace create -n "$NAMESPACE" --retention 720h

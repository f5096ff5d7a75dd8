#!/bin/sh
# Rolls an overlay out in the order that loses nothing: settings, migrations, a check of the workflows that run,
# workers, then the API. It ends at the first step that fails, and what ran before goes on.
#
#   deploy/kubernetes/rollout.sh OVERLAY [NAMESPACE]     the namespace is watchparty unless said
#
# KUBECTL="kubectl --context production" names a cluster. TIMEOUT limits each step of the rollout (30m).
set -eu

overlay=${1:?usage: $0 OVERLAY [NAMESPACE]}
namespace=${2:-watchparty}
kubectl=${KUBECTL:-kubectl}
component=app.kubernetes.io/component
manifests=$(mktemp)
trap 'rm -f "$manifests"' EXIT

say() { printf '%s\n' "$*" >&2; }

# apply SELECTOR applies the manifests that have these labels.
apply() { $kubectl apply -f "$manifests" -l "$1"; }

# job NAME runs a job to its end. The job of the release before is removed, since a job cannot be changed.
job() {
    say "job $1"
    $kubectl delete job "$1" -n "$namespace" --ignore-not-found --wait
    apply "$component=$1"
    while :; do
        ended=$($kubectl get job "$1" -n "$namespace" -o 'jsonpath={.status.conditions[?(@.status=="True")].type}')
        case " $ended " in
        *' Complete '*) return 0 ;;
        *' Failed '*)
            $kubectl logs "job/$1" -n "$namespace" --tail 100 >&2 || true
            say "the job $1 has failed: nothing after it was changed"
            return 1
            ;;
        esac
        sleep "${PAUSE:-2}"
    done
}

# roll COMPONENT replaces the pods of a component, and waits until the new ones are ready.
roll() {
    say "rollout of: $1"
    apply "$component=$1"
    $kubectl rollout status deployment -n "$namespace" -l "$component=$1" --timeout "${TIMEOUT:-30m}"
}

$kubectl kustomize "$overlay" >"$manifests"
apply "!$component"
job migrate
job check-histories
roll worker
roll api
say 'rolled out'

package check

import (
	"context"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/promql/promqltest"
	"github.com/prometheus/prometheus/rules"
	"github.com/stretchr/testify/require"
)

// scene is a course of series, a value a minute, at whose end an alert fires, and another one in which it does not.
type scene struct{ bad, good string }

const (
	requests = `watchparty_http_request_duration_seconds_count`
	buckets  = `watchparty_http_request_duration_seconds_bucket`
)

func healthScene(part string) scene {
	series := `watchparty_health_part_up{part="` + part + `", instance="a"} 1x60` + "\n" +
		`watchparty_health_part_up{part="` + part + `", instance="b"} `
	return scene{bad: series + "1x40 0x20", good: series + "1x57 0 1x3"}
}

func waitingScene(work, bad, good string) scene {
	series := `watchparty_work_oldest_age_seconds{work="` + work + `"} `
	return scene{bad: series + bad, good: series + good}
}

var scenes = map[string]scene{
	"WatchPartyAPIDown": {`up{job="watchparty-api"} 1x40 0x20`, `up{job="watchparty-api", instance="a"} 0x60
up{job="watchparty-api", instance="b"} 1x60`},
	"WatchPartyInstanceDown": {`up{job="watchparty-worker"} 1x40 0x20`, `up{job="watchparty-worker"} 1x58 0 1x2
up{job="other"} 0x60`},
	"WatchPartyWorkersDown": {`up{job="watchparty-api"} 1x60`, `up{job="watchparty-worker"} 1x60`},
	"WatchPartyAPIErrors": {requests + `{status="200"} 0+90x60
` + requests + `{status="503"} 0+10x60`, requests + `{status="200"} 0+990x60
` + requests + `{status="500"} 0+10x60
` + requests + `{status="404"} 0+500x60`},
	"WatchPartyAPISlow": {buckets + `{method="GET", le="1"} 0+50x60
` + buckets + `{method="GET", le="2.5"} 0+100x60
` + buckets + `{method="GET", le="+Inf"} 0+100x60`, buckets + `{method="GET", le="1"} 0+99x60
` + buckets + `{method="GET", le="2.5"} 0+100x60
` + buckets + `{method="GET", le="+Inf"} 0+100x60`},
	"WatchPartyDatabaseAway":   healthScene("database"),
	"WatchPartyRedisAway":      healthScene("redis"),
	"WatchPartyTemporalAway":   healthScene("temporal"),
	"WatchPartyWorkersMissing": healthScene("workers"),
	"WatchPartyScheduleLate":   healthScene("schedules"),
	"WatchPartyBucketAway":     healthScene("bucket"),
	"WatchPartyEmailsNotSent":  healthScene("emails"),
	"WatchPartyOutboxStuck":    waitingScene("outbox", "0x40 60+60x19", "0x50 1 2 1 0x7"),
	"WatchPartyOutboxRefused": {`watchparty_outbox_refused_total 0x40 0+1x20`,
		`watchparty_outbox_refused_total 0x10 3x50`},
	"WatchPartyEmailsGivenUp": {`watchparty_emails_ended_total{state="failed"} 0+1x60
watchparty_emails_ended_total{state="sent"} 0+9x60`, `watchparty_emails_ended_total{state="failed"} 0+1x60
watchparty_emails_ended_total{state="sent"} 0+99x60`},
	"WatchPartyWebhookOff": {`watchparty_webhooks_switched_off_total{reason="failing"} 0x40 1x20`,
		`watchparty_webhooks_switched_off_total{reason="failing"} 3x60`},
	"WatchPartyAvatarsStuck": waitingScene("avatars", "0x20 60+60x39", "30x60"),
	"WatchPartyCleanupFailed": {
		`watchparty_cleanup_last_failed_policies 2x60`,
		`watchparty_cleanup_last_failed_policies 0x60`,
	},
	// The scenes begin in 1970.
	"WatchPartyCleanupStale": {
		`watchparty_cleanup_last_end_timestamp_seconds 1x3600
watchparty_cleanup_paused_until_timestamp_seconds 0+60x300 18000x3300`,
		`watchparty_cleanup_last_end_timestamp_seconds 0x3600
watchparty_cleanup_paused_until_timestamp_seconds 0x3600`,
	},
	"WatchPartyWorkflowTasksFail": {`temporal_workflow_task_execution_failed_total 0+1x60`,
		`temporal_workflow_task_execution_failed_total 7x60`},
	"WatchPartyAbuseReportsWait": waitingScene("abuse_reports", "172860x60", "172700x60"),
	"WatchPartyMetricsIncomplete": {
		`watchparty_work_up{job="watchparty-api"} 0x60`,
		`watchparty_work_up{job="watchparty-api"} 0x60
watchparty_work_up{job="watchparty-worker"} 1x60`,
	},
	"WatchPartyDatabaseConnectionsExhausted": {`watchparty_postgres_pool_refused_total 0+1x60`,
		`watchparty_postgres_pool_refused_total 9x60`},
	"WatchPartyCacheRefusesLoads": {`watchparty_cache_refused_total 0+60x60`, `watchparty_cache_refused_total 9x60`},
	"WatchPartyCacheUnused": {
		`watchparty_cache_lease_held{job="watchparty-api", instance="a"} 1x40 0x2 1 0x2 1 0x2 1 0x2 1 0x2 1 0x5
watchparty_cache_lease_held{job="watchparty-api", instance="b"} 1x60
watchparty_health_part_up{part="redis", instance="a"} 1x40 0x20
watchparty_health_part_up{part="redis", instance="b"} 1x60`,
		`watchparty_cache_lease_held{job="watchparty-api"} 1x40 0x20
watchparty_cache_lease_held{job="watchparty-worker"} 0x60
watchparty_health_part_up{part="database"} 1x60
watchparty_health_part_up{part="redis"} 1x40 0x20`,
	},
	"WatchPartyLiveSlowConsumers": {`watchparty_live_slow_consumers_total 0+600x60
watchparty_live_connections 100x60`, `watchparty_live_slow_consumers_total 0+6x60
watchparty_live_connections 100x60`},
}

// pausedScenes are further courses in which alerts do not fire, since an admin has paused the work.
var pausedScenes = map[string]string{
	"WatchPartyCleanupStale": `watchparty_cleanup_last_end_timestamp_seconds 1x3600
watchparty_cleanup_paused_until_timestamp_seconds 0+60x1000 60000x2600`,
}

func readRules(t *testing.T) []rulefmt.RuleGroup {
	t.Helper()
	groups, errs := rulefmt.ParseFile("../alerts.yml", false, model.UTF8Validation, parser.NewParser(parser.Options{}),
		slog.New(slog.DiscardHandler))
	require.Empty(t, errs)
	return groups.Groups
}

// TestAlerts: each alert fires in its bad scene, and not in its good one.
func TestAlerts(t *testing.T) {
	seen := map[string]bool{}
	for _, group := range readRules(t) {
		for _, rule := range group.Rules {
			require.NotEmpty(t, rule.Labels["severity"], rule.Alert)
			require.NotEmpty(t, rule.Annotations["summary"], rule.Alert)
			require.Equal(t, "docs/runbook.md#"+strings.ToLower(rule.Alert), rule.Annotations["runbook"])
			require.Contains(t, scenes, rule.Alert)
			seen[rule.Alert] = true
			t.Run(rule.Alert, func(t *testing.T) {
				require.Equal(t, rules.StateFiring, play(t, rule, scenes[rule.Alert].bad), "it fires when it should")
				require.NotEqual(t, rules.StateFiring, play(t, rule, scenes[rule.Alert].good), "it is silent otherwise")
				if paused := pausedScenes[rule.Alert]; paused != "" {
					require.NotEqual(t, rules.StateFiring, play(t, rule, paused), "a pause is as an admin wants it")
				}
			})
		}
	}
	require.Len(t, seen, len(scenes), "each scene is that of a rule")
}

// play evaluates a rule each minute, and returns its state at the end of the scene.
func play(t *testing.T, rule rulefmt.Rule, scene string) rules.AlertState {
	t.Helper()
	storage := promqltest.LoadedStorage(t, "load 1m\n  "+strings.ReplaceAll(scene, "\n", "\n  "))
	t.Cleanup(func() { _ = storage.Close() })
	engine := promqltest.NewTestEngine(t, false, 0, promqltest.DefaultMaxSamplesPerQuery)
	expr, err := parser.NewParser(parser.Options{}).ParseExpr(rule.Expr)
	require.NoError(t, err)
	alert := rules.NewAlertingRule(rule.Alert, expr, time.Duration(rule.For), 0, labels.FromMap(rule.Labels),
		labels.EmptyLabels(), labels.EmptyLabels(), "", true, slog.New(slog.DiscardHandler))
	minutes := 60
	if strings.Contains(scene, "x3600") {
		minutes = 3600
	}
	for i := range minutes {
		at := time.Unix(0, 0).Add(time.Duration(i) * time.Minute)
		_, err := alert.Eval(context.Background(), 0, at, rules.EngineQueryFunc(engine, storage), &url.URL{}, 0)
		require.NoError(t, err)
		alert.SetEvaluationTimestamp(at)
	}
	return alert.State()
}

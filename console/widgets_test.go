package console

import (
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/api/contract"
	"github.com/watchparty/watchparty/health"
)

// TestTimesOfFields: browsers send times without a zone, which are UTC; what the API writes is taken, too.
func TestTimesOfFields(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string][2]string{
		"2026-01-31T20:00":          {"2026-01-31T20:00:00Z", "2026-01-31T20:00"},
		"2026-01-31T20:00:30":       {"2026-01-31T20:00:30Z", "2026-01-31T20:00"},
		"2026-01-31T20:00:00Z":      {"2026-01-31T20:00:00Z", "2026-01-31T20:00"},
		"2026-01-31T21:00:00+01:00": {"2026-01-31T21:00:00+01:00", "2026-01-31T20:00"},
		"yesterday":                 {"yesterday", ""},
		"":                          {"", ""},
	} {
		require.Equal(t, want, [2]string{instant(typed), local(typed)}, typed)
	}
}

// TestVerdictsOfQueues: a queue without workers is told from one about which nothing is known, and Temporal's estimate
// of a backlog does not hide a task that waits.
func TestVerdictsOfQueues(t *testing.T) {
	t.Parallel()
	none, some := []contract.QueueWorker{}, []contract.QueueWorker{{}}
	var zero, two int64 = 0, 2
	seconds := 90
	for name, c := range map[string]struct {
		queue      contract.TaskQueue
		backlog    string
		unattended bool
	}{
		"Temporal is down": {contract.TaskQueue{}, "–", false},
		"served":           {contract.TaskQueue{Workers: &some, Backlog: &two}, "2", false},
		"no work":          {contract.TaskQueue{Workers: &none, Backlog: &zero}, "0", false},
		"no worker":        {contract.TaskQueue{Workers: &none, Backlog: &two}, "2", true},
		"estimated as none": {
			contract.TaskQueue{Workers: &none, Backlog: &zero, BacklogAgeSeconds: &seconds}, "1 or more", true,
		},
	} {
		require.Equal(t, c.backlog, backlog(c.queue), name)
		require.Equal(t, c.unattended, len(unattended([]contract.TaskQueue{c.queue})) == 1, name)
	}
}

// TestTonesOfParts: what an admin has paused does not look like a fault.
func TestTonesOfParts(t *testing.T) {
	t.Parallel()
	for state, want := range map[string]string{
		"connected":                       "good",
		"paused by an admin: maintenance": "warn",
		"paused by an admin":              "warn",
		"no worker for email":             "bad",
		"unreachable":                     "bad",
	} {
		require.Equal(t, want, partTone(state), state)
	}
}

// TestPartsWhileTemporalIsAway: the overview says once that Temporal is down, and not of each part that asks it.
func TestPartsWhileTemporalIsAway(t *testing.T) {
	t.Parallel()
	var page overviewPage
	for _, part := range health.Parts() {
		page.Health.Degraded = append(page.Health.Degraded, contract.DegradedPart{Part: contract.HealthPart(part)})
	}
	require.Len(t, page.Degraded(), len(health.Parts()))
	page.Temporal = contract.TemporalStateDown
	var others []string
	for _, part := range page.Degraded() {
		others = append(others, string(part.Part))
	}
	require.Equal(t, []string{health.Database, health.Redis, health.Bucket, health.Emails}, others)
}

// TestTonesOfCleanup: a paused schedule does not look like a fault, and does not hide one.
func TestTonesOfCleanup(t *testing.T) {
	t.Parallel()
	ended := time.Now()
	failed := []contract.CleanupRun{{EndedAt: &ended, State: contract.CleanupRunStateFailed}}
	well := []contract.CleanupRun{{EndedAt: &ended, State: contract.CleanupRunStateCompleted}}
	for name, c := range map[string]struct {
		page cleanupPage
		want string
	}{
		"well":               {cleanupPage{Runs: well, Schedule: &contract.Schedule{}}, ""},
		"paused":             {cleanupPage{Runs: well, Schedule: &contract.Schedule{Paused: true}}, "warn"},
		"failed":             {cleanupPage{Runs: failed, Schedule: &contract.Schedule{}}, "bad"},
		"failed, and paused": {cleanupPage{Runs: failed, Schedule: &contract.Schedule{Paused: true}}, "bad"},
		"Temporal is down":   {cleanupPage{Runs: well}, "bad"},
	} {
		require.Equal(t, c.want, c.page.Tone(), name)
	}
}

// TestMeanings: the console explains each code that it shows with a meaning.
func TestMeanings(t *testing.T) {
	t.Parallel()
	spec, err := contract.GetSpec()
	require.NoError(t, err)
	schemas := spec.Components.Schemas
	for name, codes := range map[string][]any{
		"EmailReason":           schemas["EmailReason"].Value.Enum,
		"EmailWait":             schemas["EmailWait"].Value.Enum,
		"JobPhase":              schemas["JobPhase"].Value.Enum,
		"WebhookDeliveryReason": schemas["WebhookDeliveryReason"].Value.Enum,
		"Delay.what":            schemas["Delay"].Value.Properties["what"].Value.Enum,
	} {
		require.NotEmpty(t, codes, name)
		for _, code := range codes {
			if code != nil {
				require.NotEmpty(t, meanings[plain(code)], "%s %v", name, code)
			}
		}
	}
}

// TestDetails: an act's details are in words.
func TestDetails(t *testing.T) {
	t.Parallel()
	require.Equal(t, "dry run: yes · policies: old messages, old emails",
		details(map[string]any{"policies": []string{"old_messages", "old_emails"}, "dry_run": true}))
}

// TestChartsOfThroughput: each figure of the overview is in one chart, by the size of a bar and in words.
func TestChartsOfThroughput(t *testing.T) {
	t.Parallel()
	from := time.Date(2026, 1, 31, 20, 15, 0, 0, time.UTC)
	figures := reflect.TypeFor[contract.Throughput]()
	for i := range figures.NumField() {
		field := figures.Field(i)
		if field.Name == "From" {
			continue
		}
		spans := []contract.Throughput{{From: from}, {From: from.Add(5 * time.Minute)}}
		for at, n := range []int64{1, 4} {
			spans[at].JobsFailed = new(int64)
			figure := reflect.ValueOf(&spans[at]).Elem().Field(i)
			if figure.Kind() == reflect.Pointer {
				figure = figure.Elem()
			}
			figure.SetInt(n)
		}
		var shown []spanChart
		for _, c := range charts(spans, "15:04") {
			if c.Good+int(*c.Bad) > 0 {
				shown = append(shown, c)
			}
		}
		require.Len(t, shown, 1, field.Name)
		c := shown[0]
		require.Equal(t, 5, c.Good+int(*c.Bad), field.Name)
		require.Equal(t, "20:15 UTC", c.First)
		word := c.GoodWord
		if *c.Bad > 0 {
			word = c.BadWord
		}
		for at, want := range []struct {
			height int
			text   string
		}{{barHeight / 4, "1 " + word}, {barHeight, "4 " + word}} {
			require.Equal(t, want.height, c.Bars[at].Good+c.Bars[at].Bad, field.Name)
			require.Contains(t, c.Bars[at].Label, want.text)
			require.Equal(t, chartHeight, c.Bars[at].Under+c.Bars[at].Bad)
		}
	}
}

// TestChartsWithoutTemporal: what only Temporal knows is a dash while Temporal is down, and not a zero.
func TestChartsWithoutTemporal(t *testing.T) {
	t.Parallel()
	var dashes []string
	for _, c := range charts([]contract.Throughput{{JobsStarted: 3}, {}}, "15:04") {
		if number(c.Bad) == "–" {
			dashes = append(dashes, c.Title+" "+c.BadWord)
			require.Contains(t, c.Bars[0].Label, "3 started by events, – failed")
			require.Equal(t, barHeight, c.Bars[0].Good)
		}
	}
	require.Equal(t, []string{"Jobs failed"}, dashes)
}

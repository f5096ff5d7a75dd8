package activities

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/watchparty/watchparty"
)

// Metrics counts what activities do. A nil *Metrics counts nothing. The values of all labels are from lists of the
// domain.
type Metrics struct {
	attempts, emails   *prometheus.CounterVec
	delivery           *prometheus.HistogramVec
	avatars            *prometheus.CounterVec
	render             prometheus.Histogram
	cleanedRows, runs  *prometheus.CounterVec
	reports, deletions prometheus.Counter

	webhookAttempts *prometheus.CounterVec
	webhooksEnded   *prometheus.CounterVec
	webhooksOff     *prometheus.CounterVec
	webhookDelivery prometheus.Histogram
}

// NewMetrics registers the metrics.
func NewMetrics(registerer prometheus.Registerer) *Metrics {
	factory := promauto.With(registerer)
	counters := func(name, help string, labels ...string) *prometheus.CounterVec {
		return factory.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	counter := func(name, help string) prometheus.Counter {
		return factory.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	m := &Metrics{
		attempts: counters("email_attempts_total", "Attempts to hand an email to the SMTP server, by their outcome.",
			"kind", "outcome"),
		emails: counters("emails_ended_total", "Emails that were sent, cancelled or given up.", "kind", "state"),
		delivery: factory.NewHistogramVec(prometheus.HistogramOpts{
			Name: "email_delivery_seconds", Help: "Time from an email's request until the SMTP server took it.",
			Buckets: []float64{.25, .5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200, 86400},
		}, []string{"kind"}),
		avatars: counters("avatars_ended_total", "Uploads that have ended, by their state.", "state"),
		render: factory.NewHistogram(prometheus.HistogramOpts{
			Name: "avatar_render_seconds", Help: "Time to read, render and write an uploaded picture.",
			Buckets: []float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120},
		}),
		cleanedRows:     counters("cleanup_rows_total", "Rows and files that clean-up has removed, by policy.", "policy"),
		runs:            counters("cleanup_runs_ended_total", "Clean-up runs that have ended, by their state.", "state"),
		reports:         counter("activity_reports_total", "Activity reports that were made."),
		deletions:       counter("account_deletions_total", "Deleted accounts that were removed for good."),
		webhookAttempts: counters("webhook_attempts_total", "Attempts to deliver to a webhook, by their outcome.", "outcome"),
		webhooksEnded: counters("webhook_deliveries_ended_total", "Deliveries to webhooks that have ended, by their state.",
			"state"),
		webhooksOff: counters("webhooks_switched_off_total", "Webhooks that were switched off by themselves, by the reason.",
			"reason"),
		webhookDelivery: factory.NewHistogram(prometheus.HistogramOpts{
			Name: "webhook_delivery_seconds", Help: "Time from an event until a webhook's receiver took it.",
			Buckets: []float64{.1, .25, .5, 1, 2.5, 5, 10, 60, 600, 3600, 21600, 86400, 259200},
		}),
	}
	m.init()
	return m
}

// init makes the series of failures start at 0: the first failure is an increase then.
func (m *Metrics) init() {
	for _, kind := range watchparty.EmailKinds() {
		for _, state := range []watchparty.EmailState{
			watchparty.EmailSent, watchparty.EmailFailed, watchparty.EmailCancelled,
		} {
			m.emails.WithLabelValues(string(kind), string(state))
		}
		for _, outcome := range []watchparty.EmailOutcome{
			watchparty.EmailOutcomeSent, watchparty.EmailOutcomeTemporary, watchparty.EmailOutcomeLater,
			watchparty.EmailOutcomeUnreachable, watchparty.EmailOutcomeAmbiguous, watchparty.EmailOutcomePermanent,
			watchparty.EmailOutcomeCancelled,
		} {
			m.attempts.WithLabelValues(string(kind), string(outcome))
		}
	}
	for _, state := range []watchparty.AvatarState{
		watchparty.AvatarReady, watchparty.AvatarFailed, watchparty.AvatarSuperseded,
	} {
		m.avatars.WithLabelValues(string(state))
	}
	for _, outcome := range watchparty.WebhookOutcomes() {
		m.webhookAttempts.WithLabelValues(string(outcome))
	}
	for _, state := range []watchparty.WebhookState{
		watchparty.WebhookDelivered, watchparty.WebhookFailed, watchparty.WebhookCancelled,
	} {
		m.webhooksEnded.WithLabelValues(string(state))
	}
	for _, reason := range []watchparty.WebhookOff{watchparty.WebhookOffFailing, watchparty.WebhookOffGone} {
		m.webhooksOff.WithLabelValues(string(reason))
	}
	for _, policy := range watchparty.Policies() {
		m.cleanedRows.WithLabelValues(string(policy))
	}
	for _, state := range []watchparty.RunState{
		watchparty.RunCompleted, watchparty.RunFailed, watchparty.RunCancelled,
	} {
		m.runs.WithLabelValues(string(state))
	}
}

func (m *Metrics) countAttempt(kind watchparty.EmailKind, outcome watchparty.EmailOutcome) {
	if m != nil {
		m.attempts.WithLabelValues(string(kind), string(outcome)).Inc()
	}
}

func (m *Metrics) countEmail(kind watchparty.EmailKind, state watchparty.EmailState) {
	if m != nil {
		m.emails.WithLabelValues(string(kind), string(state)).Inc()
	}
}

func (m *Metrics) observeDelivery(kind watchparty.EmailKind, took time.Duration) {
	if m != nil {
		m.delivery.WithLabelValues(string(kind)).Observe(max(took, 0).Seconds())
	}
}

func (m *Metrics) countAvatar(state watchparty.AvatarState) {
	if m != nil {
		m.avatars.WithLabelValues(string(state)).Inc()
	}
}

func (m *Metrics) observeRender(took time.Duration) {
	if m != nil {
		m.render.Observe(took.Seconds())
	}
}

func (m *Metrics) countRun(run watchparty.CleanupRun) {
	if m == nil {
		return
	}
	m.runs.WithLabelValues(string(run.State)).Inc()
	if run.DryRun {
		return
	}
	for policy, n := range run.Counts {
		m.cleanedRows.WithLabelValues(string(policy)).Add(float64(n))
	}
}

func (m *Metrics) countReport() {
	if m != nil {
		m.reports.Inc()
	}
}

func (m *Metrics) countDeletion() {
	if m != nil {
		m.deletions.Inc()
	}
}

func (m *Metrics) countWebhookAttempt(outcome watchparty.WebhookOutcome) {
	if m != nil {
		m.webhookAttempts.WithLabelValues(string(outcome)).Inc()
	}
}

// countDelivery counts a delivery that has ended, and measures the time that a successful one took.
func (m *Metrics) countDelivery(d watchparty.WebhookDelivery) {
	if m == nil {
		return
	}
	m.webhooksEnded.WithLabelValues(string(d.State)).Inc()
	if d.State == watchparty.WebhookDelivered {
		m.webhookDelivery.Observe(max(d.EndedAt.Sub(d.CreatedAt), 0).Seconds())
	}
}

func (m *Metrics) countSwitchedOff(reason watchparty.WebhookOff) {
	if m != nil && reason != "" {
		m.webhooksOff.WithLabelValues(string(reason)).Inc()
	}
}

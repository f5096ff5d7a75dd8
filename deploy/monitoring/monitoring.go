// Package monitoring has the alert rules and the dashboard that operators give to Prometheus and Grafana.
package monitoring

import _ "embed"

// Alerts are rules for Prometheus.
//
//go:embed alerts.yml
var Alerts []byte

// Dashboard is a dashboard for Grafana: Dashboards, New, Import.
//
//go:embed dashboard.json
var Dashboard []byte

// Settings scrape the API and the worker of one machine, on the ports that they have unless set.
//
//go:embed prometheus.yml
var Settings string

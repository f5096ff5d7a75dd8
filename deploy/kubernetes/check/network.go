package main

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"

	"github.com/watchparty/watchparty/config"
)

// checkServices: each Service leads to the port of one Deployment, and the way in leads to the API under PUBLIC_URL.
func checkServices(c *cluster) {
	ports := map[string]bool{} // "name:port", by name and by number
	for _, s := range c.services {
		selected := c.selected(labels.SelectorFromSet(s.Spec.Selector))
		if len(s.Spec.Selector) == 0 || len(selected) != 1 {
			c.report("Service/%s: does not select the pods of one Deployment", s.Name)
			continue
		}
		for _, p := range s.Spec.Ports {
			if !c.hasPort(selected[0], p.TargetPort) {
				c.report("Service/%s: its pods have no port %s", s.Name, p.TargetPort.String())
			}
			number := intstr.FromInt32(p.Port)
			ports[s.Name+":"+p.Name], ports[s.Name+":"+number.String()] = true, true
		}
	}
	var hosts []string
	for _, r := range c.routes {
		for _, h := range r.Spec.Hostnames {
			hosts = append(hosts, string(h))
		}
		for _, rule := range r.Spec.Rules {
			for _, b := range rule.BackendRefs {
				number := intstr.FromInt32(ptr.Deref(b.Port, 0))
				if !ports[string(b.Name)+":"+number.String()] {
					c.report("HTTPRoute/%s: there is no port %s of %s", r.Name, number.String(), b.Name)
				}
			}
			if t := rule.Timeouts; t == nil || ptr.Deref(t.Request, "") != "0s" || ptr.Deref(t.BackendRequest, "") != "0s" {
				c.report("HTTPRoute/%s: may end live connections", r.Name)
			}
		}
	}
	for _, i := range c.ingresses {
		for _, rule := range i.Spec.Rules {
			hosts = append(hosts, rule.Host)
			for _, p := range rule.HTTP.Paths {
				b := p.Backend.Service
				number := intstr.FromInt32(b.Port.Number)
				if !ports[b.Name+":"+b.Port.Name] && !ports[b.Name+":"+number.String()] {
					c.report("Ingress/%s: there is no such port of %s", i.Name, b.Name)
				}
			}
			if !slices.ContainsFunc(
				i.Spec.TLS, func(t networkingv1.IngressTLS) bool { return slices.Contains(t.Hosts, rule.Host) },
			) {
				c.report("Ingress/%s: no certificate for %s", i.Name, rule.Host)
			}
		}
	}
	for _, w := range c.deployments() {
		if w.role != "api" {
			continue
		}
		if cfg, err := c.load(w); err == nil {
			u, err := url.Parse(cfg.HTTP.PublicURL)
			if err != nil || u.Scheme != "https" || !slices.Equal(hosts, []string{u.Hostname()}) {
				c.report("PUBLIC_URL is %s, and the way in is for %s", cfg.HTTP.PublicURL, strings.Join(hosts, ", "))
			}
			if !c.hasPort(w, intstr.FromInt32(port(cfg.HTTP.Addr, 0))) {
				c.report("%s: has no port for HTTP_ADDR", w.name)
			}
		}
	}
}

// metricsJobs are the names of jobs that the alert rules use, and the ports that serve metrics unless set.
var (
	metricsJobs  = map[string]string{"api": "watchparty-api", "worker": "watchparty-worker"}
	metricsPorts = map[string]int32{"api": 9090, "worker": 9091}
)

// checkMonitors: Prometheus scrapes each Deployment once, under the name that the alert rules use.
func checkMonitors(c *cluster) {
	scraped := map[string]int{}
	for _, m := range c.monitors {
		for _, w := range c.selectedBy(&m.Spec.Selector) {
			for _, e := range m.Spec.PodMetricsEndpoints {
				if w.deployment == nil || !c.hasPort(w, intstr.FromString(ptr.Deref(e.Port, ""))) {
					c.report("PodMonitor/%s: %s has no such port", m.Name, w.name)
				}
				if len(e.RelabelConfigs) != 1 || e.RelabelConfigs[0].TargetLabel != "job" ||
					ptr.Deref(e.RelabelConfigs[0].Replacement, "") != metricsJobs[w.role] {
					c.report("PodMonitor/%s: the alert rules do not know its job", m.Name)
				}
				scraped[w.name]++
			}
		}
	}
	for _, w := range c.deployments() {
		if scraped[w.name] != 1 {
			c.report("%s: is scraped %d times", w.name, scraped[w.name])
		}
		cfg, err := c.load(w)
		if err == nil && (cfg.Metrics.Addr == "off" ||
			!c.hasPort(w, intstr.FromInt32(port(cfg.Metrics.Addr, metricsPorts[w.role])))) {
			c.report("%s: has no port for METRICS_ADDR", w.name)
		}
	}
}

const (
	https    = 443
	sentinel = 26379
	redis    = 6379
	postgres = 5432
	temporal = 7233
)

// needs are the ports of servers that the workload's program connects to.
func (c *cluster) needs(w workload, cfg config.Config) map[int32]bool {
	ports := map[int32]bool{}
	settings, _ := c.environ(w.main())
	if w.role != "check-histories" {
		ports[port(cfg.Database.URL, postgres)] = true
	}
	if w.role != "migrate" {
		ports[port(settings["TEMPORAL_ADDRESS"], temporal)] = true
	}
	if w.role != "api" && w.role != "worker" {
		return ports
	}
	for address := range strings.SplitSeq(cfg.Redis.URL, ",") {
		usual := int32(redis)
		if strings.Contains(address, "+sentinel:") {
			ports[redis] = true // of the masters, which the sentinels name
			usual = sentinel
		}
		ports[port(address, usual)] = true
	}
	if w.role == "api" || slices.Contains(queues(w), "email") {
		ports[int32(cfg.Email.Port)] = true
	}
	if !slices.Equal(queues(w), []string{"email"}) {
		ports[bucketPort(cfg.Blob.URL)] = true
	}
	if address := settings["OTEL_EXPORTER_OTLP_ENDPOINT"]; address != "" {
		ports[port(address, https)] = true
	}
	return ports
}

func bucketPort(bucket string) int32 {
	u, err := url.Parse(bucket)
	if err != nil {
		return https
	}
	return port(u.Query().Get("endpoint"), https)
}

// checkNetwork: nothing is open but what is named, each pod reaches the servers that it needs and no others, and others
// reach the API and metrics only.
func checkNetwork(c *cluster) {
	closed := slices.ContainsFunc(c.policies, func(p *networkingv1.NetworkPolicy) bool {
		return len(p.Spec.PodSelector.MatchLabels)+len(p.Spec.PodSelector.MatchExpressions) == 0 &&
			len(p.Spec.Ingress)+len(p.Spec.Egress) == 0 && len(p.Spec.PolicyTypes) == 2
	})
	if !closed {
		c.report("no NetworkPolicy closes what the others do not open")
	}
	for _, p := range c.policies {
		if len(c.selectedBy(&p.Spec.PodSelector)) == 0 {
			c.report("NetworkPolicy/%s: selects no pod", p.Name)
		}
	}
	for _, w := range c.workloads {
		cfg, err := c.load(w)
		if err != nil {
			continue
		}
		out, in := c.opened(w)
		needed := c.needs(w, cfg)
		for _, p := range slices.Sorted(maps.Keys(needed)) {
			if !out[p] {
				c.report("%s: cannot reach the port %d of a server that it needs", w.name, p)
			}
		}
		for _, p := range slices.Sorted(maps.Keys(out)) {
			if !needed[p] && p != dns {
				c.report("%s: may reach the port %d, which it has no need of", w.name, p)
			}
		}
		if !out[dns] {
			c.report("%s: cannot look names up", w.name)
		}
		var open []string
		for _, p := range w.main().Ports {
			open = append(open, p.Name)
		}
		slices.Sort(open)
		if got := slices.Sorted(maps.Keys(in)); !slices.Equal(got, open) {
			c.report("%s: has the ports %v, and others may reach %v", w.name, open, got)
		}
	}
}

const dns = 53

// opened are the ports that a workload's pods may reach, and those of its own, by name, at which others may reach it.
// A rule without a port, or into the pods from everywhere, counts as a problem.
func (c *cluster) opened(w workload) (out map[int32]bool, in map[string]bool) {
	out, in = map[int32]bool{}, map[string]bool{}
	for _, p := range c.policies {
		if !slices.ContainsFunc(c.selectedBy(&p.Spec.PodSelector), w.same) {
			continue
		}
		for _, rule := range p.Spec.Egress {
			if !slices.Contains(p.Spec.PolicyTypes, networkingv1.PolicyTypeEgress) || len(rule.Ports) == 0 {
				c.report("NetworkPolicy/%s: opens every port, or none", p.Name)
			}
			lookups := map[corev1.Protocol]bool{}
			for _, port := range rule.Ports {
				if port.Port == nil || port.EndPort != nil {
					c.report("NetworkPolicy/%s: opens many ports", p.Name)
					continue
				}
				protocol := ptr.Deref(port.Protocol, corev1.ProtocolTCP)
				if port.Port.IntVal == dns {
					lookups[protocol] = true
				} else if protocol != corev1.ProtocolTCP {
					c.report("NetworkPolicy/%s: opens %s", p.Name, protocol)
				}
				out[port.Port.IntVal] = true
			}
			if len(lookups) == 1 || len(lookups) == 2 && len(rule.To) == 0 {
				c.report("NetworkPolicy/%s: names are looked up by UDP and TCP, at the cluster's own servers", p.Name)
			}
		}
		for _, rule := range p.Spec.Ingress {
			if len(rule.From) == 0 || len(rule.Ports) == 0 {
				c.report("NetworkPolicy/%s: lets everybody in", p.Name)
			}
			for _, port := range rule.Ports {
				in[port.Port.String()] = true
			}
		}
	}
	return out, in
}

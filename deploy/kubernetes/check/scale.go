package main

import (
	"slices"
	"strings"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"

	"github.com/watchparty/watchparty/workflows/job"
)

// queues are the task queues that a workload's program serves.
func queues(w workload) []string {
	args := w.main().Args
	if i := slices.Index(args, "--queues"); i >= 0 && i+1 < len(args) {
		return strings.Split(args[i+1], ",")
	}
	return nil
}

// checkWorkers: each task queue of the program has one Deployment.
func checkWorkers(c *cluster) {
	served := map[string]int{}
	for _, w := range c.deployments() {
		for _, queue := range queues(w) {
			if !slices.Contains(job.ServableTaskQueues(), queue) {
				c.report("%s: there is no task queue %s", w.name, queue)
			}
			served[queue]++
		}
	}
	for _, queue := range job.ServableTaskQueues() {
		if served[queue] != 1 {
			c.report("the task queue %s has %d Deployments", queue, served[queue])
		}
	}
}

// checkBudgets: each Deployment has one budget, which selects it alone and lets nodes be drained.
func checkBudgets(c *cluster) {
	of := map[string]int{}
	for _, b := range c.budgets {
		selected := c.selectedBy(b.Spec.Selector)
		if len(selected) != 1 || selected[0].deployment == nil {
			c.report("PodDisruptionBudget/%s: does not select the pods of one Deployment", b.Name)
			continue
		}
		of[selected[0].name]++
		if ptr.Deref(b.Spec.MaxUnavailable, intstr.FromInt32(0)) != intstr.FromInt32(1) {
			c.report("PodDisruptionBudget/%s: lets no pod, or more than one at a time, be evicted", b.Name)
		}
		if ptr.Deref(b.Spec.UnhealthyPodEvictionPolicy, "") != "AlwaysAllow" {
			c.report("PodDisruptionBudget/%s: no node can be drained while a server is down", b.Name)
		}
	}
	for _, w := range c.deployments() {
		if of[w.name] != 1 {
			c.report("%s: has %d budgets", w.name, of[w.name])
		}
	}
}

// checkAutoscalers: each Deployment has one autoscaler; those of workers use the backlog of their own queue, which the
// adapter serves.
func checkAutoscalers(c *cluster, adapter []string) {
	of := map[string]int{}
	for _, a := range c.autoscalers {
		target := a.Spec.ScaleTargetRef
		i := slices.IndexFunc(c.workloads, func(w workload) bool {
			return w.deployment != nil && target.APIVersion == "apps/v1" && w.name == target.Kind+"/"+target.Name
		})
		if i < 0 {
			c.report("HorizontalPodAutoscaler/%s: its target %s is not here", a.Name, target.Name)
			continue
		}
		w := c.workloads[i]
		of[w.name]++
		if least := ptr.Deref(a.Spec.MinReplicas, 1); least >= a.Spec.MaxReplicas || w.role == "api" && least < 2 {
			c.report("HorizontalPodAutoscaler/%s: from %d to %d pods", a.Name, least, a.Spec.MaxReplicas)
		}
		if len(a.Spec.Metrics) == 0 {
			c.report("HorizontalPodAutoscaler/%s: has no metric", a.Name)
		}
		for _, m := range a.Spec.Metrics {
			checkMetric(c, a.Name, w, m, adapter)
		}
	}
	for _, w := range c.deployments() {
		if of[w.name] != 1 {
			c.report("%s: has %d autoscalers", w.name, of[w.name])
		}
	}
}

func checkMetric(c *cluster, name string, w workload, m autoscalingv2.MetricSpec, adapter []string) {
	switch {
	case w.role == "api":
		if m.Resource == nil || m.Resource.Name != "cpu" || m.Resource.Target.AverageUtilization == nil {
			c.report("HorizontalPodAutoscaler/%s: does not use the CPU", name)
		}
	case m.External == nil:
		c.report("HorizontalPodAutoscaler/%s: does not use the backlog", name)
	case !slices.Contains(adapter, m.External.Metric.Name):
		c.report("HorizontalPodAutoscaler/%s: the adapter has no rule for %s", name, m.External.Metric.Name)
	case m.External.Metric.Selector == nil ||
		!slices.Equal(queues(w), []string{m.External.Metric.Selector.MatchLabels["queue"]}):
		c.report("HorizontalPodAutoscaler/%s: uses the backlog of another queue", name)
	case m.External.Target.Type != autoscalingv2.AverageValueMetricType || m.External.Target.AverageValue == nil:
		c.report("HorizontalPodAutoscaler/%s: its target is not for each pod", name)
	}
}

// connections is how many connections to Postgres, or to its pooler, all pods together may have at their most.
func (c *cluster) connections() (int, error) {
	total := 0
	for _, a := range c.autoscalers {
		for _, w := range c.deployments() {
			if w.name != "Deployment/"+a.Spec.ScaleTargetRef.Name {
				continue
			}
			cfg, err := c.load(w)
			if err != nil {
				return 0, err
			}
			total += int(a.Spec.MaxReplicas) * (cfg.Database.MaxConns + ownConnections)
		}
	}
	return total, nil
}

// ownConnections are those that a process takes beside DATABASE_MAX_CONNS.
const ownConnections = 6

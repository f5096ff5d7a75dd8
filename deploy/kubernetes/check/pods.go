package main

import (
	"regexp"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
)

// pinned matches an image with a version or a digest.
var pinned = regexp.MustCompile(`^[^:@]+(:\d+/[^:@]+)?(:[\w][\w.-]*|@sha256:[0-9a-f]{64})$`)

// checkPods holds all pods to the restricted standard and more: nothing to write to but what is bounded, no right to
// talk to Kubernetes, resources, and an image that stays the same.
func checkPods(c *cluster) {
	for _, w := range c.workloads {
		spec := w.pod.Spec
		if w.pod.Labels["app.kubernetes.io/name"] != "watchparty" || w.role == "" {
			c.report("%s: its pods lack the labels that selectors use", w.name)
		}
		s := ptr.Deref(spec.SecurityContext, corev1.PodSecurityContext{})
		if !ptr.Deref(s.RunAsNonRoot, false) || ptr.Deref(s.RunAsUser, 0) == 0 || ptr.Deref(s.RunAsGroup, 0) == 0 {
			c.report("%s: runs as root", w.name)
		}
		if s.SeccompProfile == nil || s.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault {
			c.report("%s: no seccomp profile", w.name)
		}
		if spec.HostNetwork || spec.HostPID || spec.HostIPC || ptr.Deref(spec.ShareProcessNamespace, false) {
			c.report("%s: shares what is its node's", w.name)
		}
		if ptr.Deref(spec.AutomountServiceAccountToken, true) {
			c.report("%s: gets a token of its account", w.name)
		}
		if account := c.accounts[spec.ServiceAccountName]; account == nil ||
			ptr.Deref(account.AutomountServiceAccountToken, true) {
			c.report("%s: there is no account %q, or it gives tokens", w.name, spec.ServiceAccountName)
		}
		if ptr.Deref(spec.EnableServiceLinks, true) {
			c.report("%s: gets variables of services, which could be taken for settings", w.name)
		}
		checkVolumes(c, w)
		if len(spec.Containers) != 1 {
			c.report("%s: has %d containers", w.name, len(spec.Containers))
		}
		for _, container := range slices.Concat(spec.InitContainers, spec.Containers) {
			checkContainer(c, w, container)
		}
	}
}

func checkVolumes(c *cluster, w workload) {
	for _, v := range w.pod.Spec.Volumes {
		switch {
		case v.Secret != nil && len(v.Secret.Items) > 0 && ptr.Deref(v.Secret.DefaultMode, 0o644)&0o027 == 0:
		case v.Secret != nil:
			c.report("%s: the secret %s does not name its keys, or all may read them", w.name, v.Secret.SecretName)
		case v.EmptyDir == nil:
			c.report("%s: the volume %s is neither a secret nor an empty folder", w.name, v.Name)
		case v.EmptyDir.SizeLimit == nil:
			c.report("%s: the folder %s has no limit", w.name, v.Name)
		}
	}
	for _, container := range slices.Concat(w.pod.Spec.InitContainers, w.pod.Spec.Containers) {
		for _, m := range container.VolumeMounts {
			if !slices.ContainsFunc(w.pod.Spec.Volumes, func(v corev1.Volume) bool { return v.Name == m.Name }) {
				c.report("%s: there is no volume %s", w.name, m.Name)
			}
		}
	}
}

func checkContainer(c *cluster, w workload, container corev1.Container) {
	if !pinned.MatchString(container.Image) || strings.HasSuffix(container.Image, ":latest") {
		c.report("%s: the image %s has no version", w.name, container.Image)
	}
	if container.Image != w.main().Image {
		c.report("%s: its containers have different images", w.name)
	}
	s := ptr.Deref(container.SecurityContext, corev1.SecurityContext{})
	if ptr.Deref(s.AllowPrivilegeEscalation, true) || ptr.Deref(s.Privileged, false) {
		c.report("%s: can gain privileges", w.name)
	}
	if !ptr.Deref(s.ReadOnlyRootFilesystem, false) {
		c.report("%s: can write to its image", w.name)
	}
	if s.Capabilities == nil || !slices.Equal(s.Capabilities.Drop, []corev1.Capability{"ALL"}) ||
		len(s.Capabilities.Add) > 0 {
		c.report("%s: has capabilities", w.name)
	}
	requests, limits := container.Resources.Requests, container.Resources.Limits
	switch {
	case requests.Cpu().IsZero() || requests.Memory().IsZero():
		c.report("%s: requests no CPU or no memory", w.name)
	case limits.Memory().IsZero():
		c.report("%s: has no limit of memory", w.name)
	case limits.Memory().Cmp(*requests.Memory()) < 0 ||
		!limits.Cpu().IsZero() && limits.Cpu().Cmp(*requests.Cpu()) < 0:
		c.report("%s: its limits are lower than its requests", w.name)
	}
}

// checkDeployments: selectors fit, rollouts take nothing away, and only one controller scales a Deployment.
func checkDeployments(c *cluster) {
	for _, w := range c.deployments() {
		spec := w.deployment.Spec
		if selected := c.selectedBy(spec.Selector); len(selected) != 1 || selected[0].name != w.name {
			c.report("%s: its selector does not select its own pods alone", w.name)
		}
		if s := spec.Strategy.RollingUpdate; s == nil ||
			ptr.Deref(s.MaxUnavailable, intstr.FromString("25%")) != intstr.FromInt32(0) {
			c.report("%s: a rollout takes pods away before new ones are ready", w.name)
		}
		if spec.Replicas != nil {
			c.report("%s: each kubectl apply would undo what its autoscaler did", w.name)
		}
		begins := w.pod.Spec.InitContainers
		if len(begins) != 1 || !slices.Equal(begins[0].Args, []string{"migrate", "wait"}) {
			c.report("%s: does not wait for the migrations", w.name)
		}
		for _, spread := range w.pod.Spec.TopologySpreadConstraints {
			if selected := c.selectedBy(spread.LabelSelector); !slices.ContainsFunc(selected, w.same) {
				c.report("%s: its pods are spread among others'", w.name)
			}
		}
		if len(w.pod.Spec.TopologySpreadConstraints) == 0 {
			c.report("%s: all its pods may be on one node", w.name)
		}
	}
}

func (w workload) same(other workload) bool { return w.name == other.name }

// lively are the paths that ask no server: a pod must not be restarted since Postgres or Temporal is down.
var lively = []string{"/api/health/live", "/live"}

// checkProbes: each Deployment starts, lives and is ready by probes that exist and mean that.
func checkProbes(c *cluster) {
	for _, w := range c.deployments() {
		container := w.main()
		for name, probe := range map[string]*corev1.Probe{
			"startup": container.StartupProbe, "liveness": container.LivenessProbe, "readiness": container.ReadinessProbe,
		} {
			switch {
			case probe == nil:
				c.report("%s: no %s probe", w.name, name)
				continue
			case probe.HTTPGet != nil && !c.hasPort(w, probe.HTTPGet.Port):
				c.report("%s: the %s probe has no port", w.name, name)
			}
			asks := name != "readiness"
			if asks && (probe.HTTPGet == nil || !slices.Contains(lively, probe.HTTPGet.Path)) {
				c.report("%s: the %s probe fails while a server is down", w.name, name)
			}
		}
		ready := container.ReadinessProbe
		switch {
		case ready == nil:
		case w.role == "api" && (ready.HTTPGet == nil || ready.HTTPGet.Path != "/api/health/ready"):
			c.report("%s: is not ready when the API is", w.name)
		case w.role == "worker" && (ready.Exec == nil ||
			!slices.Equal(ready.Exec.Command, append([]string{"watchparty", "health"}, container.Args...))):
			c.report("%s: is not ready when its worker polls its queues", w.name)
		}
	}
}

// hasPort reports whether the program's container has the port, by name or by number.
func (c *cluster) hasPort(w workload, port intstr.IntOrString) bool {
	return slices.ContainsFunc(w.main().Ports, func(p corev1.ContainerPort) bool {
		return port.Type == intstr.String && p.Name == port.StrVal ||
			port.Type == intstr.Int && p.ContainerPort == port.IntVal
	})
}

// stopMargin is what a process needs to end after its own time limits.
const stopMargin = 10 * time.Second

// checkStops: a pod gets the time that its program takes to stop.
func checkStops(c *cluster) {
	for _, w := range c.deployments() {
		cfg, err := c.load(w)
		if err != nil {
			continue // checkSettings says it
		}
		var needs time.Duration
		if l := w.main().Lifecycle; l != nil && l.PreStop != nil && l.PreStop.Sleep != nil {
			needs = time.Duration(l.PreStop.Sleep.Seconds) * time.Second
		} else if w.role == "api" {
			c.report("%s: is told to stop before load balancers know", w.name)
		}
		if w.role == "api" {
			needs += cfg.HTTP.DrainDelay + cfg.HTTP.ShutdownTimeout
		} else {
			needs += cfg.Worker.StopTimeout
		}
		if grace := time.Duration(
			ptr.Deref(w.pod.Spec.TerminationGracePeriodSeconds, 30),
		) * time.Second; grace < needs+stopMargin {
			c.report("%s: is killed after %s, and may take %s to stop", w.name, grace, needs+stopMargin)
		}
	}
}

package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"
)

// fault is a change of one object, kind/name, and the beginning of the problem that has to be found.
type fault struct{ object, from, to, problem string }

var faults = map[string]fault{
	"unknown field": {
		"Deployment/api",
		"minReadySeconds:",
		"minReadySecond:",
		`Deployment/api: strict decoding error: unknown field "spec.minReadySecond"`,
	},
	"field of a case": {
		"Service/api",
		"targetPort:",
		"targetport:",
		`Service/api: strict decoding error: unknown field "spec.ports[0].targetport"`,
	},
	"wrong type": {
		"Deployment/email",
		"terminationGracePeriodSeconds: 75",
		"terminationGracePeriodSeconds: 75s",
		"Deployment/email: json: cannot unmarshal string",
	},
	"unknown kind": {
		"PodMonitor/api",
		"kind: PodMonitor",
		"kind: PodMonitors",
		`PodMonitors/api: no kind "PodMonitors" is registered`,
	},
	"former version": {
		"HorizontalPodAutoscaler/api",
		"autoscaling/v2",
		"autoscaling/v2beta2",
		"HorizontalPodAutoscaler/api: no kind",
	},
	"unknown in route": {
		"HTTPRoute/api",
		"backendRequest:",
		"backend:",
		`HTTPRoute/api: strict decoding error: unknown field "spec.rules[0].timeouts.backend"`,
	},
	"secret": {
		"ServiceAccount/watchparty",
		"automountServiceAccountToken: false\nkind: ServiceAccount",
		"kind: Secret",
		"Secret: a secret has no place here",
	},
	"no namespace": {"Namespace/watchparty", "kind: Namespace", "kind: ServiceAccount", "there is no namespace"},
	"other namespace": {
		"Service/api",
		"namespace: watchparty",
		"namespace: default",
		"Service/api is not in the namespace watchparty",
	},
	"lax namespace": {
		"Namespace/watchparty",
		"enforce: restricted",
		"enforce: baseline",
		"Namespace: the namespace does not enforce",
	},
	"root":    {"Deployment/api", "runAsNonRoot: true", "runAsNonRoot: false", "Deployment/api: runs as root"},
	"user 0":  {"Deployment/api", "runAsUser: 10001", "runAsUser: 0", "Deployment/api: runs as root"},
	"seccomp": {"Job/migrate", "type: RuntimeDefault", "type: Unconfined", "Job/migrate: no seccomp profile"},
	"host network": {
		"Deployment/api",
		"enableServiceLinks: false",
		"enableServiceLinks: false\n      hostNetwork: true",
		"Deployment/api: shares what is its node's",
	},
	"token": {
		"Deployment/api",
		"automountServiceAccountToken: false",
		"automountServiceAccountToken: true",
		"Deployment/api: gets a token",
	},
	"no account": {
		"Deployment/api",
		"serviceAccountName: watchparty-files",
		"serviceAccountName: other",
		"Deployment/api: there is no account",
	},
	"service links": {
		"Deployment/api",
		"enableServiceLinks: false",
		"enableServiceLinks: true",
		"Deployment/api: gets variables",
	},
	"escalation": {
		"Deployment/avatar",
		"allowPrivilegeEscalation: false",
		"allowPrivilegeEscalation: true",
		"Deployment/avatar: can gain",
	},
	"privileged": {
		"Deployment/avatar",
		"readOnlyRootFilesystem: true",
		"readOnlyRootFilesystem: true\n          privileged: true",
		"Deployment/avatar: can gain",
	},
	"writable image": {
		"Deployment/avatar",
		"readOnlyRootFilesystem: true",
		"readOnlyRootFilesystem: false",
		"Deployment/avatar: can write",
	},
	"capabilities": {"Deployment/avatar", "- ALL", "- CHOWN", "Deployment/avatar: has capabilities"},
	"host path": {
		"Deployment/avatar",
		"emptyDir:\n          sizeLimit: 1Gi",
		"hostPath:\n          path: /tmp",
		"Deployment/avatar: the volume tmp",
	},
	"folder limit": {
		"Deployment/avatar",
		"emptyDir:\n          sizeLimit: 1Gi",
		"emptyDir: {}",
		"Deployment/avatar: the folder tmp has no limit",
	},
	"readable secret": {
		"Deployment/avatar",
		"defaultMode: 288",
		"defaultMode: 292",
		"Deployment/avatar: the secret watchparty",
	},
	"no volume": {
		"Deployment/api",
		"sizeLimit: 1536Mi\n        name: tmp",
		"sizeLimit: 1536Mi\n        name: temp",
		"Deployment/api: there is no volume tmp",
	},
	"floating image": {
		"Deployment/api",
		"watchparty:1.0.0",
		"watchparty:latest",
		"Deployment/api: the image registry.example.org/watchparty:latest",
	},
	"no version": {
		"Job/migrate",
		"watchparty:1.0.0",
		"watchparty",
		"Job/migrate: the image registry.example.org/watchparty has no version",
	},
	"two images": {
		"Deployment/api",
		"watchparty:1.0.0\n        name: wait",
		"watchparty:1.0.1\n        name: wait",
		"Deployment/api: its containers",
	},
	"no requests": {"Deployment/email", "            cpu: 100m\n", "", "Deployment/email: requests no CPU"},
	"no limit": {
		"Deployment/email",
		"limits:\n            memory: 512Mi",
		"limits: {}",
		"Deployment/email: has no limit",
	},
	"low limit": {"Deployment/email", "memory: 512Mi", "memory: 100Mi", "Deployment/email: its limits are lower"},
	"selector": {
		"Deployment/email",
		"    matchLabels:\n      app.kubernetes.io/component: worker\n" +
			"      app.kubernetes.io/name: watchparty\n      watchparty/queue: email",
		"    matchLabels:\n      app.kubernetes.io/component: worker",
		"Deployment/email: its selector",
	},
	"lossy rollout": {
		"Deployment/api",
		"maxUnavailable: 0",
		"maxUnavailable: 1",
		"Deployment/api: a rollout takes pods away",
	},
	"replicas": {
		"Deployment/api",
		"minReadySeconds: 10",
		"minReadySeconds: 10\n  replicas: 2",
		"Deployment/api: each kubectl apply",
	},
	"no wait": {"Deployment/api", "- migrate\n        - wait", "- version", "Deployment/api: does not wait"},
	"spread": {
		"Deployment/avatar",
		"          matchLabels:\n            app.kubernetes.io/component: worker",
		"          matchLabels:\n            app.kubernetes.io/component: api",
		"Deployment/avatar: its pods are spread",
	},
	"no probe": {
		"Deployment/api",
		"        startupProbe:\n          failureThreshold: 60\n          httpGet:\n" +
			"            path: /api/health/live\n            port: http\n          periodSeconds: 2\n",
		"",
		"Deployment/api: no startup probe",
	},
	"liveness by server": {
		"Deployment/api",
		"path: /api/health/live",
		"path: /api/health/ready",
		"Deployment/api: the liveness probe fails while",
	},
	"probe's port": {
		"Deployment/api",
		"path: /api/health/ready\n            port: http",
		"path: /api/health/ready\n            port: web",
		"Deployment/api: the readiness probe has no port",
	},
	"readiness": {
		"Deployment/api",
		"path: /api/health/ready",
		"path: /api/health/live",
		"Deployment/api: is not ready when",
	},
	"worker's readiness": {
		"Deployment/email",
		"- worker\n            - --queues\n            - email",
		"- worker",
		"Deployment/email: is not ready when",
	},
	"grace of the API": {
		"Deployment/api",
		"terminationGracePeriodSeconds: 60",
		"terminationGracePeriodSeconds: 45",
		"Deployment/api: is killed after 45s, and may take 50s",
	},
	"grace of a worker": {
		"Deployment/avatar",
		"terminationGracePeriodSeconds: 135",
		"terminationGracePeriodSeconds: 60",
		"Deployment/avatar: is killed after 1m0s",
	},
	"longer drain": {
		"ConfigMap/settings",
		"DATABASE_HOST:",
		"HTTP_SHUTDOWN_TIMEOUT: 60s\n  DATABASE_HOST:",
		"Deployment/api: is killed after",
	},
	"no pre-stop": {
		"Deployment/api",
		"        lifecycle:\n          preStop:\n            sleep:\n              seconds: 5\n",
		"",
		"Deployment/api: is told to stop before",
	},
	"unknown setting": {
		"ConfigMap/settings",
		"DATABASE_MAX_CONNS:",
		"DATABASE_MAX_CONNECTIONS:",
		"Job/migrate: there is no setting DATABASE_MAX_CONNECTIONS",
	},
	"wrong value": {
		"ConfigMap/settings",
		`DATABASE_MAX_CONNS: "10"`,
		"DATABASE_MAX_CONNS: many",
		"Job/migrate: DATABASE_MAX_CONNS",
	},
	"missing setting": {
		"ConfigMap/settings",
		"SMTP_HOST: smtp.example.org",
		"LOG_LEVEL: info",
		"Job/migrate: SMTP_HOST",
	},
	"no settings": {
		"Job/migrate",
		"name: settings-",
		"name: others-",
		"Job/migrate: its variables come from what is not here",
	},
	"secret value": {
		"ConfigMap/settings",
		"DATABASE_PASSWORD_FILE: /run/secrets/watchparty/DATABASE_PASSWORD",
		"DATABASE_PASSWORD: hunter2",
		"Job/migrate: DATABASE_PASSWORD has a secret as its value",
	},
	"password in URL": {
		"ConfigMap/settings",
		"rediss://redis",
		"rediss://:hunter2@redis",
		"Job/migrate: REDIS_URL has a secret",
	},
	"no such file": {
		"ConfigMap/settings",
		"/run/secrets/watchparty/AUTH_SECRET",
		"/run/secrets/watchparty/AUTH",
		"Job/migrate: AUTH_SECRET_FILE names /run/secrets/watchparty/AUTH, which",
	},
	"key not mounted": {
		"Deployment/api",
		"key: SMTP_PASSWORD\n            path: SMTP_PASSWORD",
		"key: SMTP_PASSWORD\n            path: PASSWORD",
		"Deployment/api: SMTP_PASSWORD_FILE names",
	},
	"secret by variable": {
		"Deployment/api",
		"- name: GOMEMLIMIT\n          value: 1300MiB",
		"- name: AUTH_SECRET\n          valueFrom:\n            secretKeyRef: {name: watchparty, key: AUTH_SECRET}",
		"Deployment/api: AUTH_SECRET is no plain value",
	},
	"proxies": {
		"ConfigMap/settings",
		"HTTP_TRUSTED_PROXIES: 10.244.0.0/16",
		"LOG_LEVEL: info",
		"Deployment/api: without HTTP_TRUSTED_PROXIES",
	},
	"Go's memory": {"Deployment/api", "value: 1300MiB", "value: 1500MiB", "Deployment/api: GOMEMLIMIT leaves less"},
	"pictures": {
		"Deployment/avatar",
		`value: "2"`,
		`value: "3"`,
		"Deployment/avatar: has no memory for AVATAR_CONCURRENCY",
	},
	"uploads": {
		"Deployment/api",
		"sizeLimit: 1536Mi",
		"sizeLimit: 64Mi",
		"Deployment/api: its folder for uploads",
	},
	"larger uploads": {
		"ConfigMap/settings",
		"DATABASE_HOST:",
		"AVATAR_MAX_BYTES: \"10485760\"\n  DATABASE_HOST:",
		"Deployment/api: its folder for uploads",
	},
	"no uploads": {
		"Deployment/api",
		"mountPath: /tmp",
		"mountPath: /uploads",
		"Deployment/api: has no place for uploads",
	},
	"unknown queue": {
		"Deployment/email",
		"- --queues\n        - email",
		"- --queues\n        - emails",
		"Deployment/email: there is no task queue emails",
	},
	"queue forgotten": {
		"Deployment/email",
		"- --queues\n        - email",
		"- --queues\n        - avatar",
		"the task queue avatar has 2 Deployments",
	},
	"budget of nobody": {
		"PodDisruptionBudget/email",
		"watchparty/queue: email\n  unhealthy",
		"watchparty/queue: emails\n  unhealthy",
		"PodDisruptionBudget/email: does not select",
	},
	"budget of all": {
		"PodDisruptionBudget/email",
		"      watchparty/queue: email\n  unhealthy",
		"  unhealthy",
		"PodDisruptionBudget/email: does not select",
	},
	"stuck budget": {
		"PodDisruptionBudget/api",
		"maxUnavailable: 1",
		"maxUnavailable: 0",
		"PodDisruptionBudget/api: lets no pod",
	},
	"stuck drain": {
		"PodDisruptionBudget/api",
		"unhealthyPodEvictionPolicy: AlwaysAllow",
		"unhealthyPodEvictionPolicy: IfHealthyBudget",
		"PodDisruptionBudget/api: no node",
	},
	"scaled nothing": {
		"HorizontalPodAutoscaler/api",
		"    name: api\n",
		"    name: web\n",
		"HorizontalPodAutoscaler/api: its target web",
	},
	"scale range": {
		"HorizontalPodAutoscaler/api",
		"minReplicas: 3",
		"minReplicas: 1",
		"HorizontalPodAutoscaler/api: from 1 to 12",
	},
	"unknown metric": {
		"HorizontalPodAutoscaler/avatar",
		"watchparty_queue_backlog",
		"watchparty_queue_length",
		"HorizontalPodAutoscaler/avatar: the adapter has no rule",
	},
	"other's backlog": {
		"HorizontalPodAutoscaler/avatar",
		"            queue: avatar",
		"            queue: email",
		"HorizontalPodAutoscaler/avatar: uses the backlog of another",
	},
	"whole backlog": {
		"HorizontalPodAutoscaler/avatar",
		"averageValue: \"4\"\n        type: AverageValue",
		"value: \"4\"\n        type: Value",
		"HorizontalPodAutoscaler/avatar: its target",
	},
	"service of nobody": {
		"Service/api",
		"    app.kubernetes.io/component: api\n    app.kubernetes.io/name: watchparty\n",
		"    app: api\n",
		"Service/api: does not select",
	},
	"service's port": {"Service/api", "targetPort: http", "targetPort: web", "Service/api: its pods have no port web"},
	"route's port":   {"HTTPRoute/api", "port: 80", "port: 8080", "HTTPRoute/api: there is no port 8080"},
	"short lives":    {"HTTPRoute/api", "request: 0s", "request: 60s", "HTTPRoute/api: may end live connections"},
	"route's host": {
		"HTTPRoute/api",
		"- watchparty.example.org",
		"- www.example.org",
		"PUBLIC_URL is https://watchparty.example.org, and",
	},
	"listens elsewhere": {
		"ConfigMap/settings",
		"DATABASE_HOST:",
		"HTTP_ADDR: :8080\n  DATABASE_HOST:",
		"Deployment/api: has no port for HTTP_ADDR",
	},
	"scraped port": {
		"PodMonitor/api",
		"port: metrics",
		"port: prometheus",
		"PodMonitor/api: Deployment/api has no such port",
	},
	"job of the alerts": {
		"PodMonitor/worker",
		"replacement: watchparty-worker",
		"replacement: workers",
		"PodMonitor/worker: the alert rules",
	},
	"not scraped": {
		"PodMonitor/worker",
		"app.kubernetes.io/component: worker\n",
		"watchparty/queue: email\n",
		"Deployment/avatar: is scraped 0 times",
	},
	"metrics elsewhere": {
		"ConfigMap/settings",
		"DATABASE_HOST:",
		"METRICS_ADDR: :9100\n  DATABASE_HOST:",
		"Deployment/email: has no port for METRICS_ADDR",
	},
	"no metrics": {
		"ConfigMap/settings",
		"DATABASE_HOST:",
		"METRICS_ADDR: \"off\"\n  DATABASE_HOST:",
		"Deployment/email: has no port for METRICS_ADDR",
	},
	"open network": {"NetworkPolicy/nothing-else", "  - Egress\n", "", "no NetworkPolicy closes"},
	"policy of nobody": {
		"NetworkPolicy/clients",
		"app.kubernetes.io/component: api",
		"app: api",
		"NetworkPolicy/clients: selects no pod",
	},
	"unreachable": {
		"NetworkPolicy/temporal",
		"      - check-histories\n",
		"",
		"Job/check-histories: cannot reach the port 7233",
	},
	"server moved": {
		"ConfigMap/settings",
		"temporal.svc:7233",
		"temporal.svc:7243",
		"Deployment/email: cannot reach the port 7243",
	},
	"needless": {
		"NetworkPolicy/bucket",
		"      - email\n",
		"      - none\n",
		"Deployment/email: may reach the port 443",
	},
	"all ports": {
		"NetworkPolicy/redis",
		"  - ports:\n    - port: 6379\n    to:",
		"  - to:",
		"NetworkPolicy/redis: opens every port",
	},
	"many ports": {
		"NetworkPolicy/redis",
		"port: 6379",
		"port: 6379\n      endPort: 7000",
		"NetworkPolicy/redis: opens many ports",
	},
	"names anywhere": {
		"NetworkPolicy/dns",
		"    to:\n    - namespaceSelector:\n        matchLabels:\n          kubernetes.io/metadata.name: kube-system\n" +
			"      podSelector:\n        matchLabels:\n          k8s-app: kube-dns\n",
		"",
		"NetworkPolicy/dns: names are looked up",
	},
	"no names": {
		"NetworkPolicy/dns",
		"podSelector: {}",
		"podSelector:\n    matchLabels:\n      app.kubernetes.io/component: api",
		"Deployment/email: cannot look names up",
	},
	"everybody": {
		"NetworkPolicy/clients",
		"  - from:\n    - namespaceSelector:\n        matchLabels:\n" +
			"          kubernetes.io/metadata.name: gateway\n    ports:",
		"  - ports:",
		"NetworkPolicy/clients: lets everybody in",
	},
	"metrics for all": {
		"NetworkPolicy/clients",
		"    - port: http\n",
		"    - port: http\n    - port: debug\n",
		"Deployment/api: has the ports [http metrics], and others may reach [debug http metrics]",
	},
}

// change makes the change of a fault in the manifests.
func change(t *testing.T, manifests string, f fault) string {
	t.Helper()
	kind, name, _ := strings.Cut(f.object, "/")
	documents := strings.Split(manifests, "\n---\n")
	i := slices.IndexFunc(documents, func(d string) bool {
		var object struct {
			Kind     string `json:"kind"`
			Metadata struct {
				Name string `json:"name"`
			} `json:"metadata"`
		}
		require.NoError(t, yaml.Unmarshal([]byte(d), &object))
		// Names of generated ConfigMaps end with a hash.
		return object.Kind == kind && (object.Metadata.Name == name || kind == "ConfigMap")
	})
	require.GreaterOrEqual(t, i, 0, f.object)
	require.Contains(t, documents[i]+"\n", f.from)
	documents[i] = strings.ReplaceAll(documents[i]+"\n", f.from, f.to)
	return strings.Join(documents, "\n---\n")
}

// TestFaults: each fault is found.
func TestFaults(t *testing.T) {
	manifests, adapter := rendered(t, "example")
	require.Empty(t, check(manifests, adapter))
	for name, f := range faults {
		t.Run(name, func(t *testing.T) {
			found := check(change(t, manifests, f), adapter)
			require.True(t, slices.ContainsFunc(found, func(p string) bool { return strings.HasPrefix(p, f.problem) }),
				"%q is not among:\n%s", f.problem, strings.Join(found, "\n"))
		})
	}
}

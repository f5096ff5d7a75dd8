package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/yaml"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	strict "sigs.k8s.io/yaml"
)

// build returns what kustomize makes of a folder.
func build(dir string) (string, error) {
	made, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), dir)
	if err != nil {
		return "", fmt.Errorf("build %s: %w", dir, err)
	}
	text, err := made.AsYaml()
	return string(text), err
}

// object is an object of the API with its kind.
type object struct {
	kind string
	metav1.Object
}

// workload is what runs pods: a Deployment, or a Job.
type workload struct {
	name       string // with its kind
	role       string // the label app.kubernetes.io/component of its pods
	deployment *appsv1.Deployment
	pod        corev1.PodTemplateSpec
}

// main is the container of the program; others begin before it.
func (w workload) main() *corev1.Container { return &w.pod.Spec.Containers[0] }

// cluster is what an overlay consists of, and what is wrong with it.
type cluster struct {
	namespace   string
	workloads   []workload
	accounts    map[string]*corev1.ServiceAccount
	settings    map[string]map[string]string // of each ConfigMap
	services    []*corev1.Service
	budgets     []*policyv1.PodDisruptionBudget
	autoscalers []*autoscalingv2.HorizontalPodAutoscaler
	policies    []*networkingv1.NetworkPolicy
	ingresses   []*networkingv1.Ingress
	routes      []*gatewayv1.HTTPRoute
	monitors    []*monitoringv1.PodMonitor

	objects  []object
	loaded   map[string]loaded // by workload and container
	problems []string
}

// report notes a problem, once.
func (c *cluster) report(format string, args ...any) {
	if problem := fmt.Sprintf(format, args...); !slices.Contains(c.problems, problem) {
		c.problems = append(c.problems, problem)
	}
}

// deployments are those of the workloads that go on.
func (c *cluster) deployments() []workload {
	return slices.DeleteFunc(slices.Clone(c.workloads), func(w workload) bool { return w.deployment == nil })
}

// selected are the workloads whose pods a selector selects.
func (c *cluster) selected(s labels.Selector) []workload {
	return slices.DeleteFunc(
		slices.Clone(c.workloads), func(w workload) bool { return !s.Matches(labels.Set(w.pod.Labels)) },
	)
}

func (c *cluster) selectedBy(s *metav1.LabelSelector) []workload {
	selector, err := metav1.LabelSelectorAsSelector(s)
	if err != nil {
		c.report("a selector is wrong: %v", err)
		return nil
	}
	return c.selected(selector)
}

// newScheme knows the kinds that may be there. Secrets are not among them: their values are nobody's business here.
func newScheme() (*runtime.Scheme, error) {
	scheme := runtime.NewScheme()
	var problems []error
	for _, add := range []func(*runtime.Scheme) error{
		appsv1.AddToScheme, autoscalingv2.AddToScheme, batchv1.AddToScheme, corev1.AddToScheme, networkingv1.AddToScheme,
		policyv1.AddToScheme, gatewayv1.Install, monitoringv1.AddToScheme,
	} {
		problems = append(problems, add(scheme))
	}
	return scheme, errors.Join(problems...)
}

// decode decodes manifests with the API's own types. Unknown fields and kinds are problems.
func decode(manifests string) (*cluster, []string) {
	scheme, err := newScheme()
	if err != nil {
		return nil, []string{err.Error()}
	}
	decoder := serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer()
	c := &cluster{accounts: map[string]*corev1.ServiceAccount{}, settings: map[string]map[string]string{},
		loaded: map[string]loaded{}}
	documents := yaml.NewYAMLReader(bufio.NewReader(strings.NewReader(manifests)))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, []string{err.Error()}
		}
		decoded, kind, err := decoder.Decode(document, nil, nil)
		if err != nil {
			var named metav1.PartialObjectMetadata
			_ = strict.Unmarshal(document, &named) // without a name, the error still says what is wrong
			c.report("%s/%s: %v", named.Kind, named.Name, err)
			continue
		}
		if err := c.add(kind.Kind, decoded); err != nil {
			c.report("%s: %v", kind.Kind, err)
		}
	}
	if c.namespace == "" {
		c.report("there is no namespace")
	}
	for _, o := range c.objects {
		if o.GetNamespace() != c.namespace {
			c.report("%s/%s is not in the namespace %s", o.kind, o.GetName(), c.namespace)
		}
	}
	return c, c.problems
}

func (c *cluster) add(kind string, decoded runtime.Object) error {
	switch o := decoded.(type) {
	case *corev1.Namespace:
		c.namespace = o.Name
		if o.Labels["pod-security.kubernetes.io/enforce"] != "restricted" {
			return errors.New("the namespace does not enforce the restricted standard")
		}
		return nil
	case *corev1.Secret:
		return errors.New("a secret has no place here: it would have a value")
	case *appsv1.Deployment:
		c.workloads = append(c.workloads, newWorkload("Deployment/"+o.Name, o.Spec.Template, o))
	case *batchv1.Job:
		c.workloads = append(c.workloads, newWorkload("Job/"+o.Name, o.Spec.Template, nil))
	case *corev1.ServiceAccount:
		c.accounts[o.Name] = o
	case *corev1.ConfigMap:
		c.settings[o.Name] = o.Data
	case *corev1.Service:
		c.services = append(c.services, o)
	case *policyv1.PodDisruptionBudget:
		c.budgets = append(c.budgets, o)
	case *autoscalingv2.HorizontalPodAutoscaler:
		c.autoscalers = append(c.autoscalers, o)
	case *networkingv1.NetworkPolicy:
		c.policies = append(c.policies, o)
	case *networkingv1.Ingress:
		c.ingresses = append(c.ingresses, o)
	case *gatewayv1.HTTPRoute:
		c.routes = append(c.routes, o)
	case *monitoringv1.PodMonitor:
		c.monitors = append(c.monitors, o)
	default:
		return errors.New("no rule knows this kind")
	}
	meta, err := apimeta.Accessor(decoded)
	if err != nil {
		return err
	}
	c.objects = append(c.objects, object{kind, meta})
	return nil
}

func newWorkload(name string, pod corev1.PodTemplateSpec, d *appsv1.Deployment) workload {
	return workload{name: name, role: pod.Labels["app.kubernetes.io/component"], deployment: d, pod: pod}
}

// adapterRules are the values of prometheus-adapter that are used here.
type adapterRules struct {
	Rules struct {
		Default  bool          `json:"default"`
		External []adapterRule `json:"external"`
	} `json:"rules"`
}

type adapterRule struct {
	SeriesQuery string `json:"seriesQuery"`
	Resources   struct {
		Overrides map[string]struct {
			Resource string `json:"resource"`
		} `json:"overrides"`
	} `json:"resources"`
	Name struct {
		As string `json:"as"`
	} `json:"name"`
	MetricsQuery string `json:"metricsQuery"`
}

// readAdapter returns the names of the metrics that the adapter serves.
func readAdapter(path string) ([]string, error) {
	text, err := os.ReadFile(path) //nolint:gosec // a file of this repository
	if err != nil {
		return nil, err
	}
	var values adapterRules
	if err := strict.UnmarshalStrict(text, &values); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	var names []string
	for _, rule := range values.Rules.External {
		if !strings.HasPrefix(rule.SeriesQuery, rule.Name.As+"{") || !strings.Contains(rule.MetricsQuery, "<<.Series>>") {
			return nil, fmt.Errorf("%s: %s is not made of the series of its name", path, rule.Name.As)
		}
		names = append(names, rule.Name.As)
	}
	return names, nil
}

package main

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/validation"
	metav1validation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// checkValues checks what the types of the API leave open: names, labels, and strings that have to be of a list.
func checkValues(c *cluster) {
	for _, o := range c.objects {
		for _, problem := range validation.ValidateObjectMetaAccessor(
			o.Object, true, validation.NameIsDNSLabel, field.NewPath("metadata"),
		) {
			c.report("%s/%s: %v", o.kind, o.GetName(), problem)
		}
	}
	for _, w := range c.workloads {
		path := field.NewPath("spec", "template", "labels")
		for _, problem := range metav1validation.ValidateLabels(w.pod.Labels, path) {
			c.report("%s: %v", w.name, problem)
		}
		for _, spread := range w.pod.Spec.TopologySpreadConstraints {
			oneOf(c, w.name, spread.WhenUnsatisfiable, corev1.ScheduleAnyway, corev1.DoNotSchedule)
		}
		if w.deployment == nil && w.pod.Spec.RestartPolicy != corev1.RestartPolicyNever {
			c.report("%s: its pods are restarted, so that the logs of a failure are lost", w.name)
		}
	}
	for _, p := range c.policies {
		for _, kind := range p.Spec.PolicyTypes {
			oneOf(c, "NetworkPolicy/"+p.Name, kind, networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress)
		}
	}
}

func oneOf[T ~string](c *cluster, name string, value T, list ...T) {
	if !slices.Contains(list, value) {
		c.report("%s: %q is none of %v", name, value, list)
	}
}

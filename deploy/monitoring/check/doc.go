// Package check evaluates the alert rules with Prometheus' own engine. It is a module of its own, since Prometheus has
// hundreds of dependencies that the program has no use for.
package check

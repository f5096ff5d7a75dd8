// Package activities has the side effects that workflows ask for. Each concern is a struct with its dependencies; each
// exported method is an activity that may run more than once and then has the same effect as once.
package activities

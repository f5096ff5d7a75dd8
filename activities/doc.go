// Package activities has the side effects that workflows ask for. Each concern is a struct with its dependencies as
// fields. The method Activities of a struct maps activity types, as workflows and saved histories name them, to
// methods. An activity may run more than once, and then has the same effect as if it had run once.
package activities

import (
	"fmt"
	"reflect"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/worker"
)

// Group is a struct of activities.
type Group interface {
	Activities() map[string]any
}

// Register registers a group's activities with a worker. It panics if the group is a nil pointer, since its activities
// would panic, and be tried again for ever.
func Register(r worker.ActivityRegistry, g Group) {
	if reflect.ValueOf(g).IsNil() {
		panic(fmt.Sprintf("activities: the worker has no %T", g))
	}
	for name, method := range g.Activities() {
		r.RegisterActivityWithOptions(method, activity.RegisterOptions{Name: name})
	}
}

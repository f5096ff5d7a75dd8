// Package workflows orchestrates background work. Workflows are deterministic: they call activities by name and decide
// by their results; everything that touches the world is in package activities.
//
// Each workflow has saved histories in testdata, replayed by the tests. A change that alters what a running workflow
// would do needs workflow.GetVersion.
//
// # What goes first
//
// Emails share the rate of one queue, so they have Temporal's priorities: each kind's is in the rules of package
// watchparty, the outbox starts workflows in that order, and activities inherit it from their workflow. Reminders have
// a priority of their own, since their workflow began with an email that somebody waited for.
//
// The short steps of avatars have a queue and places of their own. With priorities on the renderers' queue they would
// wait for a place: a worker that has rendered a picture asks for the next task before the workflow has asked for the
// picture to be published.
//
// Accounts take turns because RenderAvatar ends what a newer upload of the account has overtaken: whatever an account
// uploads, its newest picture is rendered once when its turn comes. Temporal's fairness keys are not used: version 1.29
// has them off, and turning them on leaves the tasks that wait where nobody reads them.
package workflows
